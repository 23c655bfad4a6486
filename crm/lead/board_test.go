package lead_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

func (s *story) move(t testing.TB, id lead.ID, rev int64, to lead.Spot) error {
	t.Helper()
	return s.try(t, func(tx *db.Tx) error {
		_, err := s.leads.Move(t.Context(), tx, s.Org, s.asha.ID, id, rev, to)
		return err
	})
}

func TestLeadsAreMovedOnTheBoard(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ids := map[string]lead.ID{}
		for _, name := range []string{"D", "C", "B", "A"} { // the newest is at the top
			ids[name] = s.add(t, name, lead.New{Value: 100}).ID
		}
		want := func(stage, order string) {
			t.Helper()
			if got := s.order(t, stage); got != order {
				t.Errorf("%s: %s, want %s", stage, got, order)
			}
		}
		want("new", "A B C D")
		must(t, s.move(t, ids["D"], 1, lead.Spot{Above: ids["B"]}))
		want("new", "A D B C")
		must(t, s.move(t, ids["A"], 1, lead.Spot{Below: ids["C"]}))
		want("new", "D B C A")
		must(t, s.move(t, ids["C"], 1, lead.Spot{Above: ids["D"]}))
		want("new", "C D B A")
		must(t, s.move(t, ids["C"], 1, lead.Spot{Below: ids["D"], Above: "led_gone"}))
		want("new", "D C B A")
		must(t, s.move(t, ids["B"], 1, lead.Spot{Stage: "qualified", Why: "budget is there"}))
		must(t, s.move(t, ids["D"], 1, lead.Spot{Stage: "qualified", Below: ids["B"]}))
		want("new", "C A")
		want("qualified", "B D")
		if got := s.get(t, ids["C"]); got.Rev != 1 {
			t.Errorf("a place in the column made a rev: %+v", got)
		}
		if got := s.told(t, ids["D"]); got != "1 made >sales/new; 2 stage sales/new>sales/qualified" {
			t.Errorf("history: %s", got)
		}
		refused(t, s.move(t, ids["D"], 1, lead.Spot{Stage: "proposal"}), fault.Conflict, "Asha changed the stage")
		refused(t, s.move(t, ids["D"], 2, lead.Spot{Stage: "nowhere"}), fault.NotFound, "no stage")
		b, err := s.leads.Board(t.Context(), s.DB, s.Org.ID, contact.Sight{All: true}, "", lead.Filter{}, 1)
		must(t, err)
		if len(b.Columns) != 5 || b.Columns[0].Count != 2 || len(b.Columns[0].Cards) != 1 || b.Columns[0].More == "" || b.Columns[2].Sum[0] != (lead.Money{Currency: "INR", Amount: 200}) {
			t.Errorf("board: %+v", b.Columns)
		}
		cards, more, err := s.leads.MoreCards(t.Context(), s.DB, s.Org.ID, contact.Sight{All: true}, "", "new", lead.Filter{}, b.Columns[0].More, 5)
		must(t, err)
		if len(cards) != 1 || cards[0].Who.Name() != "A" || more != "" {
			t.Errorf("more: %+v %q", cards, more)
		}
		if _, _, err := s.leads.MoreCards(t.Context(), s.DB, s.Org.ID, contact.Sight{}, "", "new", lead.Filter{}, "nonsense", 5); fault.KindOf(err) != fault.Invalid {
			t.Errorf("nonsense: %v", err)
		}
		none, err := s.leads.Board(t.Context(), s.DB, s.Org.ID, contact.Sight{Members: []account.MemberID{s.bina.ID}}, "", lead.Filter{}, 10)
		must(t, err)
		if none.Columns[0].Count != 0 || len(none.Columns[0].Cards) != 0 {
			t.Errorf("Bina sees leads that she does not have: %+v", none.Columns)
		}
	}, schemas()...)
}

func TestManyDropAtTheSamePlaceAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		top, bottom := s.add(t, "bottom", lead.New{}), s.add(t, "top", lead.New{})
		top, bottom = bottom, top
		var ids []lead.ID
		for i := range 30 {
			ids = append(ids, s.add(t, fmt.Sprint(i), lead.New{Stage: "contacted"}).ID)
		}
		var wg sync.WaitGroup
		for _, id := range ids {
			wg.Go(func() {
				if err := s.DB.Tx(context.WithoutCancel(t.Context()), func(tx *db.Tx) error {
					_, err := s.leads.Move(t.Context(), tx, s.Org, s.asha.ID, id, 1, lead.Spot{Stage: "new", Above: bottom.ID})
					return err
				}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		order := strings.Fields(s.order(t, "new"))
		if len(order) != 32 || order[0] != "top" || order[31] != "bottom" {
			t.Errorf("the column is %v", order)
		}
		ranks, err := db.Select(t.Context(), s.DB, func(r db.Scanner) (n int, err error) { return n, r.Scan(&n) }, `SELECT count(DISTINCT rank) FROM leads WHERE org_id = $1`, s.Org.ID)
		must(t, err)
		if ranks[0] != 32 {
			t.Errorf("32 leads have %d ranks", ranks[0])
		}
		must(t, s.move(t, top.ID, 1, lead.Spot{Below: bottom.ID}))
		if order := strings.Fields(s.order(t, "new")); order[31] != "top" {
			t.Errorf("the column is %v", order)
		}
	}, schemas()...)
}

func TestLeadsAreWonAndLost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx := t.Context()
		p, err := s.leads.Pipeline(ctx, s.DB, s.Org.ID, "")
		must(t, err)
		p.LoseReason = true
		s.tx(t, func(tx *db.Tx) (err error) {
			p, err = s.leads.SavePipeline(ctx, tx, s.Org, s.asha.ID, *p)
			return err
		})
		l := s.add(t, "Meera", lead.New{Due: s.Now().Add(day)})
		lose := func(reason string) error {
			return s.try(t, func(tx *db.Tx) error {
				_, err := s.leads.Lose(ctx, tx, s.Org, s.asha.ID, l.ID, s.get(t, l.ID).Rev, reason, "too far away")
				return err
			})
		}
		refused(t, lose(""), fault.Invalid, "Say why the lead is lost")
		refused(t, lose("won_offer"), fault.Invalid, "no reason")
		must(t, lose("price"))
		got := s.get(t, l.ID)
		if got.State != lead.Lost || got.Reason != "price" || !got.Closed.Equal(s.Now()) || !got.Due.IsZero() {
			t.Errorf("lost: %+v", got)
		}
		if s.order(t, "new") != "" {
			t.Error("a lost lead is on the board")
		}
		refused(t, s.move(t, l.ID, 0, lead.Spot{Stage: "qualified"}), fault.Conflict, "Asha closed this lead as lost on 15 April 2026, 12:00")
		refused(t, s.try(t, func(tx *db.Tx) error {
			_, err := s.leads.Win(ctx, tx, s.Org, s.bina.ID, l.ID, 1, "", "")
			return err
		}), fault.Conflict, "Asha closed this lead")
		s.tx(t, func(tx *db.Tx) error {
			_, err := s.leads.Reopen(ctx, tx, s.Org, s.asha.ID, l.ID, got.Rev, "they called again")
			return err
		})
		if got := s.get(t, l.ID); got.State != lead.Open || got.Reason != "" || !got.Closed.IsZero() || s.order(t, "new") != "Meera" {
			t.Errorf("reopened: %+v", got)
		}
		s.tx(t, func(tx *db.Tx) error {
			_, err := s.leads.Win(ctx, tx, s.Org, s.asha.ID, l.ID, 0, "", "")
			return err
		})
		if got := s.get(t, l.ID); got.State != lead.Won {
			t.Errorf("won: %+v", got)
		}
	}, schemas()...)
}

func TestPipelinesAreArranged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx := t.Context()
		save := func(p lead.Pipeline) (out *lead.Pipeline, err error) {
			return out, s.try(t, func(tx *db.Tx) (err error) {
				out, err = s.leads.SavePipeline(ctx, tx, s.Org, s.asha.ID, p)
				return err
			})
		}
		l := s.add(t, "Meera", lead.New{Stage: "qualified"})
		p, err := s.leads.Pipeline(ctx, s.DB, s.Org.ID, "sales")
		must(t, err)
		seen := *p
		p.Stages = []lead.Stage{p.Stages[0], {Title: "In Prüfung", Probability: 30}, {Title: "परख", Probability: 50}, {Title: "In Prufung!", Probability: 50}}
		_, err = save(*p)
		refused(t, err, fault.Conflict, "1 open leads at the stage \"Qualified\"")
		must(t, s.move(t, l.ID, 0, lead.Spot{Stage: "new"}))
		p, err = save(*p)
		must(t, err)
		var keys []string
		for _, st := range p.Active() {
			keys = append(keys, st.Key)
		}
		if got := strings.Join(keys, " "); got != "new in_pr_fung stage in_prufung" || len(p.Stages) != 8 {
			t.Errorf("stages: %s of %d", got, len(p.Stages))
		}
		refused(t, s.move(t, l.ID, 0, lead.Spot{Stage: "qualified"}), fault.Invalid, "was taken out")
		_, err = save(seen)
		refused(t, err, fault.Conflict, "Asha changed this pipeline on 15 April 2026")
		for word, bad := range map[string]lead.Pipeline{
			"between 1 and 30":      {Title: "X"},
			"already":               {Title: "sales", Stages: seen.Stages},
			"probability of 101":    {Title: "X", Stages: []lead.Stage{{Title: "a", Probability: 101}}},
			"is there twice":        {Title: "X", Stages: []lead.Stage{{Title: "a"}, {Title: "A"}}},
			"no currency":           {Title: "X", Currency: "ABCD", Stages: []lead.Stage{{Title: "a"}}},
			"cannot be the key":     {Title: "X", Stages: []lead.Stage{{Title: "a", Key: "A b"}}},
			"between 1 and 80 char": {Title: " ", Stages: seen.Stages},
		} {
			_, err := save(bad)
			refused(t, err, fault.Invalid, word)
		}
		p.Archived = true
		_, err = save(*p)
		refused(t, err, fault.Invalid, "the only pipeline")
		second, err := save(lead.Pipeline{Title: "Partners", Currency: "eur", Stages: []lead.Stage{{Title: "Talk"}}})
		must(t, err)
		must(t, s.move(t, l.ID, 0, lead.Spot{Pipeline: second.Key}))
		if got := s.get(t, l.ID); got.Pipeline != "partners" || got.Stage != "talk" {
			t.Errorf("moved to another pipeline: %+v", got)
		}
		if m := s.add(t, "Nia", lead.New{Pipeline: "partners"}); m.Currency != "EUR" {
			t.Errorf("currency %s", m.Currency)
		}
		_, err = save(*p)
		must(t, err)
		refused(t, s.move(t, l.ID, 0, lead.Spot{Pipeline: "sales"}), fault.Invalid, "is archived")
		all, err := s.leads.Pipelines(ctx, s.DB, s.Org.ID)
		must(t, err)
		if len(all) != 2 || all[0].Key != "partners" || !all[1].Archived {
			t.Errorf("pipelines: %+v", all)
		}
		reasons, err := s.leads.Reasons(ctx, s.DB, s.Org.ID)
		must(t, err)
		s.tx(t, func(tx *db.Tx) (err error) {
			reasons, err = s.leads.SaveReasons(ctx, tx, s.Org, append(reasons[:1:1], lead.Reason{Title: "Moved away", State: lead.Lost}))
			return err
		})
		if len(reasons) != 12 || reasons[1].Key != "moved_away" || reasons[2].Gone != true {
			t.Errorf("reasons: %+v", reasons)
		}
	}, schemas()...)
}
