package lead

import (
	"context"
	"errors"
	"slices"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// Selection says which leads are changed together: some, or all of a filter.
type Selection struct {
	IDs    []ID
	Filter *Filter // counts when IDs is empty
}

// Edit is what is done to each lead of a selection. What is empty or nil is not done.
type Edit struct {
	Owner             *account.MemberID // "" = nobody
	Team              *account.TeamID
	Pipeline, Stage   string // where they are moved to; a stage alone is one of each lead's own pipeline
	AddTags, DropTags []string
	Due               *time.Time // zero = nothing is due
	Close             State      // Won or Lost
	Reason            string     // why they are closed, a key
	Why               string     // in words, for the history
}

func (e *Edit) empty() bool {
	return e.Owner == nil && e.Team == nil && e.Pipeline == "" && e.Stage == "" && len(e.AddTags) == 0 && len(e.DropTags) == 0 && e.Due == nil && e.Close == Open
}

// Outcome is what became of a change of many leads.
type Outcome struct {
	Bulk    string // its name, to take it back by; "" of a trial
	Changed int
	Same    int // were already as they were to be
	Skipped []Skip
}

// Skip is a lead that was left as it is, with why.
type Skip struct {
	Lead     ID
	Sentence string
}

// bulkRows is how many leads are changed in one transaction, so that others get their turn in between.
const bulkRows = 200

// Bulk changes many leads, each by the rules that it alone would be changed by: one that cannot be changed is left out with
// a sentence. Undo takes all of it back at once.
func (s *Leads) Bulk(ctx context.Context, actor *account.Actor, sel Selection, e Edit) (*Outcome, error) {
	return s.bulk(ctx, actor, sel, e, id.New("blk"))
}

// Try tells what would become of each lead by Bulk, and changes nothing.
func (s *Leads) Try(ctx context.Context, actor *account.Actor, sel Selection, e Edit) (*Outcome, error) {
	return s.bulk(ctx, actor, sel, e, "")
}

func (s *Leads) bulk(ctx context.Context, actor *account.Actor, sel Selection, e Edit, name string) (*Outcome, error) {
	if err := actor.Require(account.WriteLeads); err != nil {
		return nil, err
	}
	if e.Owner != nil || e.Team != nil {
		if err := actor.Require(account.AssignLeads); err != nil {
			return nil, err
		}
	}
	if e.empty() {
		return nil, fault.New(fault.Invalid, "Nothing was said about what to change. Choose an owner, a stage, tags, a day or an end.")
	}
	var err error
	if e.Why, err = line("why", e.Why, maxWhy); err != nil {
		return nil, err
	}
	sight, err := contact.SightOf(ctx, s.d.Accounts, actor)
	if err != nil {
		return nil, err
	}
	ids, err := s.selected(ctx, actor.Org.ID, sight, sel)
	if err != nil {
		return nil, err
	}
	out := &Outcome{Bulk: name}
	ed := edit{org: actor.Org, by: actor.Member.ID, why: e.Why, bulk: name}
	return out, s.each(ctx, ed, ids, out, func(ctx context.Context, tx *db.Tx, l *Lead) error {
		if !sight.Sees(l.Owner) {
			return errNone(l.ID)
		}
		return s.bulkOne(ctx, tx, ed, l, &e)
	})
}

func (s *Leads) selected(ctx context.Context, org account.OrgID, sight contact.Sight, sel Selection) ([]ID, error) {
	if len(sel.IDs) > 0 {
		ids := slices.Clone(sel.IDs)
		slices.Sort(ids)
		return slices.Compact(ids), nil
	}
	if sel.Filter == nil {
		return nil, fault.New(fault.Invalid, "No leads were chosen. Choose some, or a filter.")
	}
	return s.IDs(ctx, s.d.DB, org, sight, *sel.Filter)
}

// bulkOne is what a bulk does to one lead.
func (s *Leads) bulkOne(ctx context.Context, tx *db.Tx, ed edit, l *Lead, e *Edit) error {
	if e.Owner != nil {
		if err := give(ctx, tx, ed.org.ID, l, *e.Owner); err != nil {
			return err
		}
	}
	if err := s.apply(ctx, tx, ed.org, l, Change{Team: e.Team, Due: e.Due, AddTags: e.AddTags, DropTags: e.DropTags}); err != nil {
		return err
	}
	if e.Pipeline != "" || e.Stage != "" {
		to := Spot{Pipeline: e.Pipeline, Stage: e.Stage}
		if to.Stage == "" && to.Pipeline == l.Pipeline {
			to.Stage = l.Stage
		}
		if _, err := s.put(ctx, tx, ed.org, l, to); err != nil {
			return err
		}
	}
	if e.Close != Open {
		return s.close(ctx, tx, ed.org, l, e.Close, e.Reason)
	}
	return nil
}

// trial is why the transactions of Try are taken back.
type trial struct{}

// Error is never shown.
func (trial) Error() string { return "It was only tried." }

// each changes leads one by one, some in a transaction, and tells in out what became of them. Without a name of the bulk, it is a
// trial.
func (s *Leads) each(ctx context.Context, ed edit, ids []ID, out *Outcome, do func(ctx context.Context, tx *db.Tx, l *Lead) error) error {
	for part := range slices.Chunk(ids, bulkRows) {
		var here Outcome
		err := s.d.DB.Tx(ctx, func(tx *db.Tx) error {
			here = Outcome{}
			for _, id := range part {
				was := int64(0)
				l, err := s.change(ctx, tx, ed, id, func(l *Lead) error {
					was = l.Rev
					return do(ctx, tx, l)
				})
				switch {
				case err != nil && fault.KindOf(err) == fault.Internal:
					return err
				case err != nil:
					here.Skipped = append(here.Skipped, Skip{id, fault.Sentence(err)})
				case l.Rev == was:
					here.Same++
				default:
					here.Changed++
				}
			}
			if out.Bulk == "" {
				return trial{}
			}
			_, err := tx.Exec(ctx, `INSERT INTO lead_bulks (org_id, bulk, by_member, at_ms, leads, undone_ms) VALUES ($1, $2, $3, $4, $5, 0)
				ON CONFLICT (org_id, bulk) DO UPDATE SET leads = lead_bulks.leads + excluded.leads`,
				ed.org.ID, out.Bulk, ed.by, s.d.Now().UnixMilli(), here.Changed)
			return err
		})
		if err != nil && !errors.Is(err, trial{}) {
			return err
		}
		out.Changed, out.Same, out.Skipped = out.Changed+here.Changed, out.Same+here.Same, append(out.Skipped, here.Skipped...)
	}
	return nil
}

// Undo takes a change of many leads back: each field that it changed, and that nobody changed since, is again what it was.
// Whoever made the change may undo it, and whoever may assign leads. It is done once; what it does can be undone by its own
// name.
func (s *Leads) Undo(ctx context.Context, actor *account.Actor, bulk string) (*Outcome, error) {
	if err := actor.Require(account.WriteLeads); err != nil {
		return nil, err
	}
	org := actor.Org
	if err := s.d.DB.Tx(ctx, func(tx *db.Tx) error { return s.beginUndo(ctx, tx, actor, bulk) }); err != nil {
		return nil, err
	}
	sight, err := contact.SightOf(ctx, s.d.Accounts, actor)
	if err != nil {
		return nil, err
	}
	ids, err := db.Select(ctx, s.d.DB, scanID, `SELECT DISTINCT lead FROM lead_events WHERE org_id = $1 AND bulk = $2 AND bulk <> '' ORDER BY lead`, org.ID, bulk)
	if err != nil {
		return nil, err
	}
	scan, err := s.scanEvent(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	out := &Outcome{Bulk: id.New("blk")}
	ed := edit{org: org, by: actor.Member.ID, why: "A change of many leads was taken back.", bulk: out.Bulk}
	return out, s.each(ctx, ed, ids, out, func(ctx context.Context, tx *db.Tx, l *Lead) error {
		events, err := db.Select(ctx, tx, scan, `SELECT `+eventColumns+` FROM lead_events WHERE org_id = $1 AND lead = $2 AND bulk = $3 ORDER BY field`, org.ID, l.ID, bulk)
		if err != nil || len(events) == 0 {
			return err
		}
		if owner := s.ownerAfter(events, l); !sight.Sees(owner) && !sight.Sees(l.Owner) {
			return errNone(l.ID)
		}
		return s.undoOne(ctx, tx, org, l, events)
	})
}

// ownerAfter is whose the lead is once the events were taken back: whoever gave leads away may take them back.
func (s *Leads) ownerAfter(events []Event, l *Lead) account.MemberID {
	for _, e := range events {
		if e.Field == fieldOwner {
			return account.MemberID(e.From)
		}
	}
	return l.Owner
}

// beginUndo settles that a bulk is taken back, by this actor and this time only.
func (s *Leads) beginUndo(ctx context.Context, tx *db.Tx, actor *account.Actor, bulk string) error {
	by, ok, err := db.One(ctx, tx, func(r db.Scanner) (m account.MemberID, err error) { return m, r.Scan(&m) },
		`SELECT by_member FROM lead_bulks WHERE org_id = $1 AND bulk = $2`, actor.Org.ID, bulk)
	if err != nil {
		return err
	}
	if !ok || by != actor.Member.ID && !actor.Can(account.AssignLeads) {
		return fault.New(fault.NotFound, "There is no change of many leads %q that you can take back.", bulk)
	}
	n, err := tx.Exec(ctx, `UPDATE lead_bulks SET undone_ms = $3 WHERE org_id = $1 AND bulk = $2 AND undone_ms = 0`, actor.Org.ID, bulk, s.d.Now().UnixMilli())
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "This change was taken back already.")
	}
	return err
}

// undoOne gives the fields of events what they had before, unless they were changed since.
func (s *Leads) undoOne(ctx context.Context, tx *db.Tx, org *account.Org, l *Lead, events []Event) error {
	later, err := s.lastOf(ctx, tx, org.ID, l.ID, events[0].Rev)
	if err != nil {
		return err
	}
	was := l.clone()
	for _, e := range events {
		if _, changed := later[e.Field]; changed {
			continue
		}
		if err := l.restore(e.Field, e.From); err != nil {
			return err
		}
	}
	if l.Owner != was.Owner {
		if err := checkOwner(ctx, tx, org.ID, l.Owner); err != nil {
			return err
		}
	}
	moved := l.where() != was.where()
	if moved {
		p, err := s.Pipeline(ctx, tx, org.ID, l.Pipeline)
		if err != nil {
			return err
		}
		if err := checkStage(p, l.Stage); err != nil {
			return err
		}
		l.Staged = s.d.Now()
	}
	if l.State == was.State {
		if moved && l.State == Open {
			l.rank, err = s.rankAt(ctx, tx, org.ID, l.ID, Spot{Pipeline: l.Pipeline, Stage: l.Stage})
		}
		return err
	}
	if l.State == Open {
		return s.open(ctx, tx, org.ID, l)
	}
	l.Closed = s.d.Now() // an undo of an undo closes again
	return nil
}
