package lead_test

import (
	"fmt"
	"strings"
	"testing"

	"parley/account"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

func TestManyLeadsAreChangedAndItIsTakenBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx := t.Context()
		var ids []lead.ID
		for i := range 5 {
			ids = append(ids, s.add(t, fmt.Sprint("P", i), lead.New{Owner: s.asha.ID, Tags: []string{"list"}, Due: s.Now().Add(day)}).ID)
		}
		s.tx(t, func(tx *db.Tx) error {
			_, err := s.leads.Win(ctx, tx, s.Org, s.asha.ID, ids[4], 0, "", "")
			return err
		})
		sel := lead.Selection{Filter: &lead.Filter{Tags: []string{"LIST"}}}
		edit := lead.Edit{Owner: &s.bina.ID, Stage: "qualified", AddTags: []string{"fair"}, DropTags: []string{"list"}, Why: "Bina was at the fair."}
		tried, err := s.leads.Try(ctx, s.boss, sel, edit)
		must(t, err)
		if got := s.get(t, ids[0]); tried.Changed != 4 || len(tried.Skipped) != 1 || tried.Bulk != "" || got.Rev != 1 || got.Owner != s.asha.ID || s.ownerOf(t, got.Contact) != s.asha.ID {
			t.Errorf("tried: %+v %+v", tried, got)
		}
		out, err := s.leads.Bulk(ctx, s.boss, sel, edit)
		must(t, err)
		if out.Changed != 4 || len(out.Skipped) != 1 || out.Skipped[0].Lead != ids[4] || !strings.Contains(out.Skipped[0].Sentence, "Asha closed this lead as won") {
			t.Fatalf("bulk: %+v", out)
		}
		got := s.get(t, ids[0])
		if got.Owner != s.bina.ID || got.Stage != "qualified" || strings.Join(got.Tags, " ") != "fair" || got.Rev != 2 || s.ownerOf(t, got.Contact) != s.bina.ID {
			t.Errorf("changed: %+v", got)
		}
		if s.get(t, ids[4]).Owner != s.asha.ID {
			t.Error("a lead that was left out was changed")
		}
		// Somebody goes on with one of them, and loses another.
		must(t, s.move(t, ids[1], 0, lead.Spot{Stage: "proposal"}))
		s.tx(t, func(tx *db.Tx) error {
			_, err := s.leads.Lose(ctx, tx, s.Org, s.bina.ID, ids[2], 0, "price", "")
			return err
		})
		back, err := s.leads.Undo(ctx, s.boss, out.Bulk)
		must(t, err)
		if back.Changed != 4 {
			t.Errorf("undo: %+v", back)
		}
		for i, stage := range []string{"new", "proposal", "new", "new"} {
			got := s.get(t, ids[i])
			if got.Owner != s.asha.ID || got.Stage != stage || strings.Join(got.Tags, " ") != "list" {
				t.Errorf("taken back, %d: %+v", i, got)
			}
		}
		if got := s.get(t, ids[2]); got.State != lead.Lost {
			t.Errorf("the undo opened what was lost since: %+v", got)
		}
		_, err = s.leads.Undo(ctx, s.boss, out.Bulk)
		refused(t, err, fault.Conflict, "taken back already")
		again, err := s.leads.Undo(ctx, s.boss, back.Bulk)
		must(t, err)
		if got := s.get(t, ids[0]); again.Changed != 4 || got.Owner != s.bina.ID || got.Stage != "qualified" || strings.Join(got.Tags, " ") != "fair" {
			t.Errorf("the undo taken back: %+v %+v", again, got)
		}
	}, schemas()...)
}

func TestClosingManyIsTakenBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx := t.Context()
		due := s.Now().Add(day)
		a, b := s.add(t, "A", lead.New{Owner: s.bina.ID, Due: due}), s.add(t, "B", lead.New{Owner: s.bina.ID, Stage: "proposal"})
		sel := lead.Selection{IDs: []lead.ID{a.ID, b.ID, b.ID, "led_none"}}
		out, err := s.leads.Bulk(ctx, s.as(t, s.bina), sel, lead.Edit{Close: lead.Lost, Reason: "no_answer"})
		must(t, err)
		if out.Changed != 2 || len(out.Skipped) != 1 {
			t.Fatalf("lost: %+v", out)
		}
		_, err = s.leads.Undo(ctx, s.as(t, s.asha), out.Bulk)
		refused(t, err, fault.NotFound, "that you can take back")
		_, err = s.leads.Undo(ctx, s.as(t, s.bina), out.Bulk)
		must(t, err)
		if got := s.get(t, a.ID); got.State != lead.Open || got.Reason != "" || !got.Due.Equal(due) || !got.Closed.IsZero() || s.order(t, "proposal") != "B" {
			t.Errorf("taken back: %+v", got)
		}
	}, schemas()...)
}

func TestWhoMayChangeMany(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx := t.Context()
		mine, theirs := s.add(t, "A", lead.New{Owner: s.asha.ID}), s.add(t, "B", lead.New{Owner: s.bina.ID})
		asha := s.as(t, s.asha)
		_, err := s.leads.Bulk(ctx, asha, lead.Selection{Filter: &lead.Filter{}}, lead.Edit{Owner: &s.bina.ID})
		refused(t, err, fault.Denied, "")
		_, err = s.leads.Bulk(ctx, asha, lead.Selection{Filter: &lead.Filter{}}, lead.Edit{})
		refused(t, err, fault.Invalid, "Nothing was said")
		_, err = s.leads.Bulk(ctx, asha, lead.Selection{}, lead.Edit{AddTags: []string{"x"}})
		refused(t, err, fault.Invalid, "No leads were chosen")
		out, err := s.leads.Bulk(ctx, asha, lead.Selection{Filter: &lead.Filter{}}, lead.Edit{AddTags: []string{"x"}})
		must(t, err)
		if out.Changed != 1 || len(out.Skipped) != 0 || len(s.get(t, theirs.ID).Tags) != 0 {
			t.Errorf("of a filter: %+v", out)
		}
		out, err = s.leads.Bulk(ctx, asha, lead.Selection{IDs: []lead.ID{mine.ID, theirs.ID}}, lead.Edit{AddTags: []string{"y"}})
		must(t, err)
		if out.Changed != 1 || len(out.Skipped) != 1 || !strings.Contains(out.Skipped[0].Sentence, "There is no lead") {
			t.Errorf("of a selection: %+v", out)
		}
		vani := s.Agent(t, "Vani")
		_, err = s.Accounts.SetRole(ctx, s.boss, vani.ID, account.Viewer)
		must(t, err)
		_, err = s.leads.Bulk(ctx, s.as(t, vani), lead.Selection{IDs: []lead.ID{mine.ID}}, lead.Edit{AddTags: []string{"y"}})
		refused(t, err, fault.Denied, "")
		_, err = s.Accounts.Deactivate(ctx, s.boss, s.asha.ID)
		must(t, err)
		out, err = s.leads.Bulk(ctx, s.boss, lead.Selection{IDs: []lead.ID{theirs.ID}}, lead.Edit{Owner: &s.asha.ID})
		must(t, err)
		if out.Changed != 0 || !strings.Contains(out.Skipped[0].Sentence, "Asha was deactivated") {
			t.Errorf("to somebody who left: %+v", out)
		}
	}, schemas()...)
}

func TestTheOldOwnerLeftBeforeTheUndo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		l := s.add(t, "A", lead.New{Owner: s.asha.ID})
		out, err := s.leads.Bulk(t.Context(), s.boss, lead.Selection{IDs: []lead.ID{l.ID}}, lead.Edit{Owner: &s.bina.ID})
		must(t, err)
		_, err = s.Accounts.Deactivate(t.Context(), s.boss, s.asha.ID)
		must(t, err)
		back, err := s.leads.Undo(t.Context(), s.boss, out.Bulk)
		must(t, err)
		if back.Changed != 0 || !strings.Contains(back.Skipped[0].Sentence, "Asha was deactivated") || s.get(t, l.ID).Owner != s.bina.ID {
			t.Errorf("undo: %+v", back)
		}
	}, schemas()...)
}
