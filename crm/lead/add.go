package lead

import (
	"context"
	"slices"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// Add makes a lead, at the top of its column.
func (s *Leads) Add(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, n New) (*Lead, error) {
	all, err := s.AddMany(ctx, tx, org, by, []New{n})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// AddMany makes many leads at once, in the order in which they are given, and gives them so. The first that cannot be made
// stops all; Checker tells before. The contacts' owners become those of the leads.
func (s *Leads) AddMany(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, news []New) ([]*Lead, error) {
	if len(news) == 0 {
		return nil, nil
	}
	if err := s.settle(ctx, tx, org.ID); err != nil {
		return nil, err
	}
	check, err := s.Checker(ctx, tx, org)
	if err != nil {
		return nil, err
	}
	news = slices.Clone(news)
	for i := range news {
		if err := check.Check(ctx, tx, &news[i]); err != nil {
			return nil, err
		}
	}
	leads, err := s.make(ctx, tx, org.ID, by, news)
	if err != nil {
		return nil, err
	}
	k, err := s.d.Keys.Org(ctx, int64(org.ID))
	if err != nil {
		return nil, err
	}
	if err := insert(ctx, tx, k, org.ID, leads); err != nil {
		return nil, err
	}
	events := make([]event, len(leads))
	for i, l := range leads {
		events[i] = event{lead: l, Event: Event{Field: fieldMade, To: l.where(), Why: news[i].Why}}
	}
	if err := s.record(ctx, tx, k, org.ID, by, "", events); err != nil {
		return nil, err
	}
	if err := s.turn(ctx, tx, org.ID, leads...); err != nil {
		return nil, err
	}
	if err := s.own(ctx, tx, org.ID, leads...); err != nil {
		return nil, err
	}
	return leads, s.hand(ctx, tx, org, by, leads)
}

// make puts new leads together, with their places.
func (s *Leads) make(ctx context.Context, tx *db.Tx, org account.OrgID, by account.MemberID, news []New) ([]*Lead, error) {
	ids := make([]contact.ID, len(news))
	for i := range news {
		ids[i] = news[i].Contact
	}
	who, err := s.subjects(ctx, tx, org, ids)
	if err != nil {
		return nil, err
	}
	now := s.d.Now()
	leads := make([]*Lead, len(news))
	columns := map[[2]string][]*Lead{}
	for i, n := range news {
		p, ok := who[n.Contact]
		if !ok {
			return nil, fault.New(fault.NotFound, "There is no contact %q here.", string(n.Contact))
		}
		l := &Lead{
			ID: ID(id.New("led")), Contact: p.id, Subject: p.subject, Pipeline: n.Pipeline, Stage: n.Stage, Value: n.Value, Currency: n.Currency,
			Source: n.Source, SourceDay: n.SourceDay, Owner: n.Owner, Team: n.Team, Tags: n.Tags, Custom: n.Custom, Import: n.Import, Rev: 1,
			Made: now, Changed: now, MadeBy: by, ChangedBy: by, Staged: now, Due: n.Due,
		}
		leads[i] = l
		at := [2]string{l.Pipeline, l.Stage}
		columns[at] = append(columns[at], l)
	}
	for at, in := range columns {
		first, err := s.end(ctx, tx, org, at[0], at[1], true)
		if err != nil {
			return nil, err
		}
		for i, r := range before(first, len(in)) {
			in[i].rank = r
		}
	}
	return leads, nil
}

// end is the rank at the top or bottom of a column; empty for an empty column.
func (s *Leads) end(ctx context.Context, c db.Conn, org account.OrgID, pipeline, stage string, top bool) (rank, error) {
	query := `SELECT rank FROM leads WHERE org_id = $1 AND pipeline = $2 AND state = 0 AND stage = $3 ORDER BY rank`
	if !top {
		query += ` DESC`
	}
	r, _, err := db.One(ctx, c, scanRank, query+` LIMIT 1`, org, pipeline, stage)
	return r, err
}

func scanRank(r db.Scanner) (x rank, err error) { return x, r.Scan((*[]byte)(&x)) }
