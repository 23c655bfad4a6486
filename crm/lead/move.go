package lead

import (
	"context"
	"fmt"
	"slices"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
)

// Spot is where a lead is moved to.
type Spot struct {
	Pipeline string // "" = the one it is in
	Stage    string // "" = the one it is at
	// Above and Below are neighbours in the column: the lead comes right above the one, or else right below the other. One
	// that is not in the column any more does not count; without a neighbour the lead comes to the top.
	Above, Below ID
	Why          string
}

// Move puts a lead at another stage, or at another place in its column, without writing any other lead. rev is as in Change;
// two people who move leads within a column do not disturb each other.
func (s *Leads) Move(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, id ID, rev int64, to Spot) (*Lead, error) {
	why, err := line("why", to.Why, maxWhy)
	if err != nil {
		return nil, err
	}
	return s.move(ctx, tx, edit{org: org, by: by, rev: rev, why: why}, id, to)
}

func (s *Leads) move(ctx context.Context, tx *db.Tx, e edit, id ID, to Spot) (*Lead, error) {
	placed := false
	l, err := s.change(ctx, tx, e, id, func(l *Lead) (err error) {
		placed, err = s.put(ctx, tx, e.org, l, to)
		return err
	})
	if err != nil || !placed {
		return l, err
	}
	// A new place alone is no change that a history shows.
	_, err = tx.Exec(ctx, `UPDATE leads SET rank = $3 WHERE org_id = $1 AND lead = $2`, e.org.ID, id, []byte(l.rank))
	return l, err
}

// put puts an open lead to a spot, and tells whether all that is new is its place in the column.
func (s *Leads) put(ctx context.Context, c db.Conn, org *account.Org, l *Lead, to Spot) (placed bool, err error) {
	if l.State != Open {
		return false, s.closed(ctx, c, org, l)
	}
	if to.Pipeline == "" {
		to.Pipeline = l.Pipeline
		if to.Stage == "" {
			to.Stage = l.Stage
		}
	}
	p, err := s.Pipeline(ctx, c, org.ID, to.Pipeline)
	if err != nil {
		return false, err
	}
	if to.Stage == "" {
		to.Stage = p.Stages[0].Key
	}
	stays := to.Pipeline == l.Pipeline && to.Stage == l.Stage
	if stays && to.Above == "" && to.Below == "" {
		return false, nil
	}
	if !stays {
		if err := checkStage(p, to.Stage); err != nil {
			return false, err
		}
		if p.Archived {
			return false, fault.Field("pipeline", "The pipeline %q is archived and takes no leads. Choose another.", p.Title)
		}
		l.Pipeline, l.Stage, l.Staged = to.Pipeline, to.Stage, s.d.Now()
	}
	l.rank, err = s.rankAt(ctx, c, org.ID, l.ID, to)
	return stays, err
}

// rankAt is the rank of a spot for a lead, whatever its own rank is.
func (s *Leads) rankAt(ctx context.Context, c db.Conn, org account.OrgID, id ID, to Spot) (rank, error) {
	const in = `SELECT rank FROM leads WHERE org_id = $1 AND pipeline = $2 AND state = 0 AND stage = $3 AND lead <> $4 AND `
	var neighbour rank
	above := true
	for _, n := range []struct {
		id    ID
		above bool
	}{{to.Above, true}, {to.Below, false}} {
		if n.id == "" || n.id == id || neighbour != nil {
			continue
		}
		r, ok, err := db.One(ctx, c, scanRank, in+`lead = $5`, org, to.Pipeline, to.Stage, id, n.id)
		if err != nil {
			return nil, err
		}
		if ok {
			neighbour, above = r, n.above
		}
	}
	if neighbour == nil {
		first, _, err := db.One(ctx, c, scanRank, in+`rank > $5 ORDER BY rank LIMIT 1`, org, to.Pipeline, to.Stage, id, []byte{})
		return before(first, 1)[0], err
	}
	query := in + `rank < $5 ORDER BY rank DESC LIMIT 1`
	if !above {
		query = in + `rank > $5 ORDER BY rank LIMIT 1`
	}
	other, ok, err := db.One(ctx, c, scanRank, query, org, to.Pipeline, to.Stage, id, []byte(neighbour))
	switch {
	case err != nil:
		return nil, err
	case above && ok:
		return between(other, neighbour), nil
	case above:
		return before(neighbour, 1)[0], nil
	case ok:
		return between(neighbour, other), nil
	default:
		return below(neighbour), nil
	}
}

// closed refuses what can only be done to an open lead, and says who closed it.
func (s *Leads) closed(ctx context.Context, c db.Conn, org *account.Org, l *Lead) error {
	e, ok, err := db.One(ctx, c, func(r db.Scanner) (e Event, err error) {
		var ms int64
		err = r.Scan(&e.By, &ms)
		e.At = at(ms)
		return e, err
	}, `SELECT by_member, at_ms FROM lead_events WHERE org_id = $1 AND lead = $2 AND field = $3 ORDER BY rev DESC LIMIT 1`, org.ID, l.ID, fieldState)
	if err != nil {
		return err
	}
	how := "This lead is " + l.State.String()
	if ok {
		who, err := memberName(ctx, c, org.ID, e.By)
		if err != nil {
			return err
		}
		how = fmt.Sprintf("%s closed this lead as %s on %s", who, l.State, moment(e.At, org))
	}
	return fault.New(fault.Conflict, "%s. Reopen it first if that is not right.", how)
}

// Win closes a lead as won. reason is the key of a reason, or "" where the pipeline does not ask for one; why is in words.
func (s *Leads) Win(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, id ID, rev int64, reason, why string) (*Lead, error) {
	return s.shut(ctx, tx, edit{org: org, by: by, rev: rev, why: why}, id, Won, reason)
}

// Lose closes a lead as lost, as Win does.
func (s *Leads) Lose(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, id ID, rev int64, reason, why string) (*Lead, error) {
	return s.shut(ctx, tx, edit{org: org, by: by, rev: rev, why: why}, id, Lost, reason)
}

func (s *Leads) shut(ctx context.Context, tx *db.Tx, e edit, id ID, as State, reason string) (_ *Lead, err error) {
	if e.why, err = line("why", e.why, maxWhy); err != nil {
		return nil, err
	}
	return s.change(ctx, tx, e, id, func(l *Lead) error { return s.close(ctx, tx, e.org, l, as, reason) })
}

// close closes a lead.
func (s *Leads) close(ctx context.Context, c db.Conn, org *account.Org, l *Lead, as State, reason string) error {
	if l.State != Open {
		return s.closed(ctx, c, org, l)
	}
	p, err := s.Pipeline(ctx, c, org.ID, l.Pipeline)
	if err != nil {
		return err
	}
	if err := s.checkReason(ctx, c, org.ID, p, as, reason); err != nil {
		return err
	}
	l.State, l.Reason, l.Closed, l.Due = as, reason, s.d.Now(), at(0)
	return nil
}

func (s *Leads) checkReason(ctx context.Context, c db.Conn, org account.OrgID, p *Pipeline, as State, reason string) error {
	if reason == "" {
		if p.asksReason(as) {
			return fault.Field("reason", "Say why the lead is %s: choose one of the reasons.", as)
		}
		return nil
	}
	all, err := s.Reasons(ctx, c, org)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(r Reason) bool { return r.Key == reason && r.State == as && !r.Gone }) {
		return fault.Field("reason", "%q is no reason for which leads are %s. Choose one of the reasons.", reason, as)
	}
	return nil
}

// Reopen takes the closing of a lead back: it comes to the top of the stage where it stood, or of the pipeline's first one
// when that was taken out.
func (s *Leads) Reopen(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, id ID, rev int64, why string) (_ *Lead, err error) {
	if why, err = line("why", why, maxWhy); err != nil {
		return nil, err
	}
	return s.change(ctx, tx, edit{org: org, by: by, rev: rev, why: why}, id, func(l *Lead) error {
		if l.State == Open {
			return nil
		}
		return s.open(ctx, tx, org.ID, l)
	})
}

// open puts a closed lead back into its column.
func (s *Leads) open(ctx context.Context, c db.Conn, org account.OrgID, l *Lead) error {
	p, err := s.Pipeline(ctx, c, org, l.Pipeline)
	if err != nil {
		return err
	}
	if p.Archived {
		return fault.Field("pipeline", "The pipeline %q is archived and takes no open leads. Bring it back first.", p.Title)
	}
	if st, ok := p.Stage(l.Stage); !ok || st.Gone {
		l.Stage, l.Staged = p.Stages[0].Key, s.d.Now()
	}
	l.State, l.Reason, l.Closed = Open, "", at(0)
	l.rank, err = s.rankAt(ctx, c, org, l.ID, Spot{Pipeline: l.Pipeline, Stage: l.Stage})
	return err
}
