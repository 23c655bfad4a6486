package lead

import (
	"context"
	"slices"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
)

// Pipeline is the way that leads of one kind go.
type Pipeline struct {
	Key, Title string
	Place      int
	Currency   string // of leads whose currency nobody says; "" = the one of the organisation's country
	// WinReason and LoseReason say that a lead is not closed without a reason.
	WinReason, LoseReason bool
	Archived              bool // takes no new leads
	Rev                   int64
	Stages                []Stage // in order, those that were taken out last
}

// Stage is a step of a pipeline.
type Stage struct {
	Key, Title  string
	Probability int  // per cent: how likely a lead at this stage is won
	Gone        bool // taken out; leads do not come here any more
}

// Reason is why leads are won or lost.
type Reason struct {
	Key, Title string
	State      State // Won or Lost
	Gone       bool  // not offered any more
}

// Usual is the pipeline that every organisation begins with. The keys never change.
func Usual() *Pipeline {
	return &Pipeline{Key: "sales", Title: "Sales", Stages: []Stage{
		{Key: "new", Title: "New", Probability: 10},
		{Key: "contacted", Title: "Contacted", Probability: 20},
		{Key: "qualified", Title: "Qualified", Probability: 40},
		{Key: "proposal", Title: "Proposal", Probability: 60},
		{Key: "negotiation", Title: "Negotiation", Probability: 80},
	}}
}

// usualReasons are the reasons that every organisation begins with.
func usualReasons() []Reason {
	return []Reason{
		{Key: "won_offer", Title: "Best offer", State: Won},
		{Key: "won_service", Title: "Good service", State: Won},
		{Key: "won_recommended", Title: "Recommended by a customer", State: Won},
		{Key: "won_other", Title: "Another reason", State: Won},
		{Key: "price", Title: "Too expensive", State: Lost},
		{Key: "competitor", Title: "Bought elsewhere", State: Lost},
		{Key: "no_need", Title: "No need", State: Lost},
		{Key: "no_answer", Title: "Could not be reached", State: Lost},
		{Key: "not_now", Title: "Not at this time", State: Lost},
		{Key: "wrong_number", Title: "Wrong number", State: Lost},
		{Key: "other", Title: "Another reason", State: Lost},
	}
}

// Stage gives one of the pipeline's stages, gone ones too.
func (p *Pipeline) Stage(key string) (Stage, bool) {
	i := slices.IndexFunc(p.Stages, func(s Stage) bool { return s.Key == key })
	if i < 0 {
		return Stage{}, false
	}
	return p.Stages[i], true
}

// Active are the stages that leads stand in.
func (p *Pipeline) Active() []Stage {
	return slices.DeleteFunc(slices.Clone(p.Stages), func(s Stage) bool { return s.Gone })
}

// asksReason tells whether a lead is not closed without a reason.
func (p *Pipeline) asksReason(s State) bool {
	return s == Won && p.WinReason || s == Lost && p.LoseReason
}

// Pipelines lists an organisation's pipelines in order, archived ones last. There is always one.
func (s *Leads) Pipelines(ctx context.Context, c db.Conn, org account.OrgID) ([]*Pipeline, error) {
	all, err := db.Select(ctx, c, func(r db.Scanner) (*Pipeline, error) {
		var p Pipeline
		var win, lose, archived int
		err := r.Scan(&p.Key, &p.Title, &p.Place, &p.Currency, &win, &lose, &archived, &p.Rev)
		p.WinReason, p.LoseReason, p.Archived = win == 1, lose == 1, archived == 1
		return &p, err
	}, `SELECT pipeline, title, place, currency, win_reason, lose_reason, archived, rev FROM pipelines WHERE org_id = $1 ORDER BY archived, place, pipeline`, org)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return []*Pipeline{Usual()}, nil
	}
	byKey := make(map[string]*Pipeline, len(all))
	for _, p := range all {
		byKey[p.Key] = p
	}
	_, err = db.Select(ctx, c, func(r db.Scanner) (struct{}, error) {
		var key string
		var st Stage
		var gone int
		err := r.Scan(&key, &st.Key, &st.Title, &st.Probability, &gone)
		st.Gone = gone == 1
		if p := byKey[key]; p != nil {
			p.Stages = append(p.Stages, st)
		}
		return struct{}{}, err
	}, `SELECT pipeline, stage, title, probability, gone FROM stages WHERE org_id = $1 ORDER BY gone, place, stage`, org)
	return all, err
}

// Pipeline gives one; "" is the first.
func (s *Leads) Pipeline(ctx context.Context, c db.Conn, org account.OrgID, key string) (*Pipeline, error) {
	all, err := s.Pipelines(ctx, c, org)
	if err != nil {
		return nil, err
	}
	return pipelineOf(all, key)
}

func pipelineOf(all []*Pipeline, key string) (*Pipeline, error) {
	if key == "" {
		return all[0], nil
	}
	for _, p := range all {
		if p.Key == key {
			return p, nil
		}
	}
	return nil, fault.New(fault.NotFound, "There is no pipeline %q.", key)
}

// Reasons lists why leads are won and lost, in order, those that are not offered any more last.
func (s *Leads) Reasons(ctx context.Context, c db.Conn, org account.OrgID) ([]Reason, error) {
	all, err := db.Select(ctx, c, func(r db.Scanner) (x Reason, err error) {
		var gone int
		err = r.Scan(&x.Key, &x.State, &x.Title, &gone)
		x.Gone = gone == 1
		return x, err
	}, `SELECT reason, state, title, gone FROM lead_reasons WHERE org_id = $1 ORDER BY gone, state, place, reason`, org)
	if err == nil && len(all) == 0 {
		all = usualReasons()
	}
	return all, err
}

// settle writes down the pipeline and reasons that an organisation begins with, unless it has some.
func (s *Leads) settle(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	var n int
	if err := tx.Row(ctx, `SELECT count(*) FROM pipelines WHERE org_id = $1`, org).Scan(&n); err != nil || n > 0 {
		return err
	}
	p := Usual()
	if _, err := tx.Exec(ctx, `INSERT INTO pipelines (org_id, pipeline, title, place, currency, win_reason, lose_reason, archived, rev, changed_ms, changed_by)
		VALUES ($1, $2, $3, 0, '', 0, 0, 0, 0, $4, '') ON CONFLICT DO NOTHING`, org, p.Key, p.Title, s.d.Now().UnixMilli()); err != nil {
		return err
	}
	if err := putStages(ctx, tx, org, p); err != nil {
		return err
	}
	return putReasons(ctx, tx, org, usualReasons())
}

// putStages writes a pipeline's stages over those that it has.
func putStages(ctx context.Context, tx *db.Tx, org account.OrgID, p *Pipeline) error {
	for i, st := range p.Stages {
		if _, err := tx.Exec(ctx, `INSERT INTO stages (org_id, pipeline, stage, title, place, probability, gone) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (org_id, pipeline, stage) DO UPDATE SET title = excluded.title, place = excluded.place, probability = excluded.probability, gone = excluded.gone`,
			org, p.Key, st.Key, st.Title, i, st.Probability, flag(st.Gone)); err != nil {
			return err
		}
	}
	return nil
}

func putReasons(ctx context.Context, tx *db.Tx, org account.OrgID, all []Reason) error {
	for i, r := range all {
		if _, err := tx.Exec(ctx, `INSERT INTO lead_reasons (org_id, reason, state, title, place, gone) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (org_id, reason) DO UPDATE SET title = excluded.title, place = excluded.place, gone = excluded.gone`,
			org, r.Key, r.State, r.Title, i, flag(r.Gone)); err != nil {
			return err
		}
	}
	return nil
}
