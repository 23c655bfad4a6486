package lead_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

func TestALeadIsMadeWithWhatIsUsual(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		l := s.add(t, "Meera", lead.New{Value: 150_000, Source: " web  form ", SourceDay: civil.Date(2026, 4, 1), Owner: s.bina.ID,
			Tags: []string{"Hot", "vip", "HOT"}, Custom: map[string]string{"budget": "big"}, Why: "She asked for Bina."})
		got := s.get(t, l.ID)
		if got.Pipeline != "sales" || got.Stage != "new" || got.State != lead.Open || got.Currency != "INR" || got.Source != "web form" || got.Rev != 1 ||
			!slices.Equal(got.Tags, []string{"Hot", "vip"}) || got.Custom["budget"] != "big" || !got.Made.Equal(s.Now()) || got.MadeBy != s.asha.ID {
			t.Errorf("made: %+v", got)
		}
		if owner := s.ownerOf(t, l.Contact); owner != s.bina.ID {
			t.Errorf("the contact's owner is %q", owner)
		}
		if got := s.told(t, l.ID); got != "1 made >sales/new" {
			t.Errorf("history: %s", got)
		}
		all, err := s.leads.History(t.Context(), s.DB, s.Org.ID, l.ID, 0, 10)
		must(t, err)
		if all[0].Why != "She asked for Bina." || all[0].By != s.asha.ID {
			t.Errorf("history: %+v", all[0])
		}
		of, err := s.leads.OfContacts(t.Context(), s.DB, s.Org.ID, l.Contact)
		must(t, err)
		if len(of) != 1 || of[0].ID != l.ID {
			t.Errorf("leads of the contact: %+v", of)
		}
		tags, err := s.leads.Tags(t.Context(), s.DB, s.Org.ID)
		must(t, err)
		if len(tags) != 2 || tags[0].Leads != 1 {
			t.Errorf("tags: %+v", tags)
		}
	}, schemas()...)
}

func TestWhatCannotBeMadeIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		who := s.persons(t, "Meera")[0]
		_, err := s.Accounts.Deactivate(t.Context(), s.boss, s.bina.ID)
		must(t, err)
		viewer := s.Agent(t, "Vani")
		_, err = s.Accounts.SetRole(t.Context(), s.boss, viewer.ID, account.Viewer)
		must(t, err)
		for _, c := range []struct {
			n    lead.New
			kind fault.Kind
			word string
		}{
			{lead.New{Contact: "con_nobody"}, fault.NotFound, "no contact"},
			{lead.New{Owner: s.bina.ID}, fault.Invalid, "Bina was deactivated"},
			{lead.New{Owner: viewer.ID}, fault.Invalid, "Vani may look at leads"},
			{lead.New{Owner: "mem_nobody"}, fault.NotFound, "no member"},
			{lead.New{Team: "tea_none"}, fault.NotFound, "no team"},
			{lead.New{Pipeline: "other"}, fault.NotFound, "no pipeline"},
			{lead.New{Stage: "other"}, fault.NotFound, "no stage"},
			{lead.New{Value: -1}, fault.Invalid, "between 0"},
			{lead.New{Currency: "RUPEE"}, fault.Invalid, "no currency"},
			{lead.New{Source: "card 4111 1111 1111 1111"}, fault.Invalid, "payment card"},
			{lead.New{Tags: []string{"4111 1111 1111 1111"}}, fault.Invalid, "payment card"},
			{lead.New{Custom: map[string]string{"height": "2"}}, fault.Invalid, "height"},
		} {
			if c.n.Contact == "" {
				c.n.Contact = who
			}
			refused(t, s.try(t, func(tx *db.Tx) error {
				_, err := s.leads.Add(t.Context(), tx, s.Org, s.asha.ID, c.n)
				return err
			}), c.kind, c.word)
		}
		if l, _ := s.leads.OfContacts(t.Context(), s.DB, s.Org.ID, who); len(l) != 0 {
			t.Errorf("something was made: %+v", l)
		}
	}, schemas()...)
}

func TestNothingPersonalLiesOpen(t *testing.T) {
	s := newStory(t, dbtest.SQLite(t, schemas()...))
	l := s.add(t, "Meera", lead.New{Tags: []string{"zebratag"}, Custom: map[string]string{"budget": "zebrabudget"}, Why: "zebrawhy"})
	s.tx(t, func(tx *db.Tx) error {
		_, err := s.leads.Change(t.Context(), tx, s.Org, s.asha.ID, l.ID, 1, lead.Change{Custom: map[string]string{"city": "zebracity"}, AddTags: []string{"zebramore"}})
		return err
	})
	_, err := s.leads.SaveView(t.Context(), nil, s.Org.ID, s.asha.ID, lead.View{})
	refused(t, err, fault.Invalid, "A name has")
	s.tx(t, func(tx *db.Tx) error {
		_, err := s.leads.SaveView(t.Context(), tx, s.Org.ID, s.asha.ID, lead.View{Name: "zebraview", Filter: lead.Filter{Text: "zebraname"}})
		return err
	})
	for _, table := range []string{"leads", "lead_tags", "lead_events", "lead_views"} {
		rows, err := s.DB.Rows(t.Context(), `SELECT * FROM `+table)
		must(t, err)
		names, err := rows.Columns()
		must(t, err)
		for rows.Next() {
			values := make([]any, len(names))
			for i := range values {
				values[i] = new([]byte)
			}
			must(t, rows.Scan(values...))
			for i, v := range values {
				if b := *v.(*[]byte); bytes.Contains(bytes.ToLower(b), []byte("zebra")) {
					t.Errorf("%s.%s holds %q", table, names[i], b)
				}
			}
		}
		must(t, rows.Close())
	}
	if got := s.get(t, l.ID); got.Custom["city"] != "zebracity" || len(got.Tags) != 2 {
		t.Errorf("opened: %+v", got)
	}
}

func TestAnotherOrganisationsLeadIsNotThere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		other := s.NewOrg(t, "Other")
		l := s.add(t, "Meera", lead.New{Owner: s.asha.ID})
		ctx := t.Context()
		for name, do := range map[string]func(tx *db.Tx) error{
			"get": func(tx *db.Tx) error {
				_, err := s.leads.Get(ctx, tx, other.ID, contact.Sight{All: true}, l.ID)
				return err
			},
			"get out of sight": func(tx *db.Tx) error {
				_, err := s.leads.Get(ctx, tx, s.Org.ID, contact.Sight{Members: []account.MemberID{s.bina.ID}, Unowned: true}, l.ID)
				return err
			},
			"change": func(tx *db.Tx) error {
				_, err := s.leads.Change(ctx, tx, other, "", l.ID, 0, lead.Change{Value: new(int64(1))})
				return err
			},
			"move": func(tx *db.Tx) error {
				_, err := s.leads.Move(ctx, tx, other, "", l.ID, 0, lead.Spot{Stage: "qualified"})
				return err
			},
			"win":    func(tx *db.Tx) error { _, err := s.leads.Win(ctx, tx, other, "", l.ID, 0, "", ""); return err },
			"reopen": func(tx *db.Tx) error { _, err := s.leads.Reopen(ctx, tx, other, "", l.ID, 0, ""); return err },
			"owner":  func(tx *db.Tx) error { return s.leads.SetOwner(ctx, tx, other, "", l.ID, "", "") },
			"due":    func(tx *db.Tx) error { return s.leads.SetDue(ctx, tx, other.ID, l.ID, s.Now()) },
			"touch":  func(tx *db.Tx) error { return s.leads.SetTouch(ctx, tx, other.ID, l.ID, lead.Touch{Attempts: 1}) },
			"delete": func(tx *db.Tx) error { return s.leads.Delete(ctx, tx, other, "", l.ID) },
			"contact of another": func(tx *db.Tx) error {
				_, err := s.leads.Add(ctx, tx, other, "", lead.New{Contact: l.Contact})
				return err
			},
		} {
			if err := s.try(t, do); fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
		out, err := s.leads.Bulk(ctx, s.Accounts.Operator(other), lead.Selection{IDs: []lead.ID{l.ID}}, lead.Edit{AddTags: []string{"x"}})
		must(t, err)
		if out.Changed != 0 || len(out.Skipped) != 1 {
			t.Errorf("bulk: %+v", out)
		}
		if got := s.get(t, l.ID); got.Rev != 1 || got.Attempts != 0 || !got.Due.IsZero() {
			t.Errorf("it was changed: %+v", got)
		}
		if history, err := s.leads.History(ctx, s.DB, other.ID, l.ID, 0, 10); err != nil || len(history) != 0 {
			t.Errorf("another's history: %v %v", history, err)
		}
	}, schemas()...)
}

func TestCountersAndDueComeFromElsewhere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		l := s.add(t, "Meera", lead.New{})
		last := s.Now().Add(time.Hour)
		s.tx(t, func(tx *db.Tx) error {
			must(t, s.leads.SetTouch(t.Context(), tx, s.Org.ID, l.ID, lead.Touch{Attempts: 3, Connected: 1, First: s.Now(), Last: last}))
			return s.leads.SetDue(t.Context(), tx, s.Org.ID, l.ID, last)
		})
		got := s.get(t, l.ID)
		if got.Attempts != 3 || got.Connected != 1 || !got.Last.Equal(last) || !got.Due.Equal(last) || got.Rev != 1 || !got.Activity().Equal(last) {
			t.Errorf("touched: %+v", got)
		}
	}, schemas()...)
}
