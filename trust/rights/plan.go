package rights

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/subject"
)

// Plan says what carrying out a request will do. It holds no personal data.
type Plan struct {
	Policy     int       `json:"policy"` // version of the document
	PolicyHash string    `json:"policy_hash"`
	Lines      []Line    `json:"lines"`                // what is kept about the person
	Locks      []Lock    `json:"locks,omitempty"`      // what a law keeps for a while
	Holds      []Held    `json:"holds,omitempty"`      // what legal holds stop
	Changes    []string  `json:"changes,omitempty"`    // what a correction writes: the field and a keyed hash of the value
	Recipients []string  `json:"recipients,omitempty"` // who will be told
	Others     []string  `json:"others,omitempty"`     // other open erasures of the same person
	Made       time.Time `json:"made"`
}

// Held is a legal hold over some of what a plan lists.
type Held struct {
	Hold     string `json:"hold"`
	Category string `json:"category"`
}

// Count adds up what a plan lists.
func (p *Plan) Count() (n int64) {
	for _, l := range p.Lines {
		n += l.Count
	}
	return n
}

// Hash is the hash of everything in the plan but the time at which it was made: what is approved.
func (p *Plan) Hash() string {
	return hex.EncodeToString(p.sum())
}

func (p *Plan) sum() []byte {
	q := *p
	q.Made, q.Others, q.Lines = time.Time{}, nil, p.firm()
	text, err := json.Marshal(&q)
	if err != nil {
		panic(err) // only what JSON cannot write, and it can write all of these
	}
	sum := sha256.Sum256(text)
	return sum[:]
}

// firm are the lines that are approved.
func (p *Plan) firm() []Line {
	out := []Line{}
	for _, l := range p.Lines {
		if !l.Loose {
			out = append(out, l)
		}
	}
	return out
}

// MakePlan plans a request whose person is known, or plans it again.
func (r *Rights) MakePlan(ctx context.Context, by *account.Actor, id string) (*Request, error) {
	if err := officer(by); err != nil {
		return nil, err
	}
	return r.plan(ctx, by.Org.ID, id, name(by))
}

func (r *Rights) plan(ctx context.Context, org account.OrgID, id, actor string) (*Request, error) {
	q, err := r.get(ctx, r.DB, org, id)
	if err != nil {
		return nil, err
	}
	if err := canPlan(q); err != nil {
		return nil, err
	}
	p, err := r.look(ctx, q)
	if err == nil {
		err = r.sealCorrections(ctx, q, p)
	}
	if err != nil {
		return nil, err
	}
	return r.change(ctx, org, id, actor, PlanMade, "", func(_ *db.Tx, q *Request) error {
		if err := canPlan(q); err != nil {
			return err
		}
		q.State, q.Plan, q.planHash, q.Approver, q.Approved = Planned, p, p.sum(), "", time.Time{}
		return nil
	})
}

func canPlan(q *Request) error {
	if q.State != Verified && q.State != Planned && q.State != Approved {
		return wrongState(q, "only a request whose person is known, and that was not begun, can be planned")
	}
	if q.Kind == Complaint {
		return fault.New(fault.Conflict, "A complaint needs no plan. Write the answer.")
	}
	return nil
}

// look sees what there is about the person of a request, and what stands in the way.
func (r *Rights) look(ctx context.Context, q *Request) (*Plan, error) {
	policy, err := r.Policy(ctx, q.Org)
	if err != nil {
		return nil, err
	}
	p := &Plan{Policy: policy.Version, PolicyHash: policy.Hash, Made: r.Now().UTC()}
	if q.Kind == Erasure || q.Kind == Correction || q.Kind == Objection || q.Kind == Withdrawal {
		p.Recipients = slices.Sorted(slices.Values(policy.Recipients))
	}
	if !q.Known() {
		return p, nil
	}
	names, err := r.names(ctx, r.DB, q.Org, q.Who)
	if err != nil {
		return nil, err
	}
	if p.Lines, err = r.lines(ctx, q.Org, names); err != nil {
		return nil, err
	}
	if q.Kind != Erasure {
		return p, nil
	}
	if err := r.obstacles(ctx, q, names, p); err != nil {
		return nil, err
	}
	p.Others, err = db.Select(ctx, r.DB, scanText, `SELECT id FROM requests WHERE org_id = $1 AND subject_ref = $2 AND kind = 'erasure' AND closed_ms = 0 AND id <> $3 ORDER BY id`,
		q.Org, refText(q.Who), q.ID)
	return p, err
}

// lines asks every store what it has about a person.
func (r *Rights) lines(ctx context.Context, org account.OrgID, names []subject.Ref) ([]Line, error) {
	var out []Line
	for _, s := range r.Stores {
		if s.Plan == nil {
			continue
		}
		lines, err := s.plan(ctx, org, names)
		if err != nil {
			return nil, err
		}
		out = append(out, named(s.Name, lines)...)
	}
	return out, nil
}

// named puts the store's name on its lines, leaves out those that count nothing, and sorts them.
func named(store string, lines []Line) []Line {
	out := make([]Line, 0, len(lines))
	for _, l := range lines {
		if l.Count > 0 {
			l.Store, l.Newest = store, l.Newest.UTC()
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Thing, b.Thing), cmp.Compare(a.Category, b.Category), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// obstacles finds the floors and holds that stand in the way of an erasure.
func (r *Rights) obstacles(ctx context.Context, q *Request, names []subject.Ref, p *Plan) error {
	newest := map[string]time.Time{}
	var categories []string
	for _, l := range p.Lines {
		if l.Category == "" {
			continue
		}
		if _, seen := newest[l.Category]; !seen {
			categories = append(categories, l.Category)
		}
		if l.Newest.After(newest[l.Category]) || newest[l.Category].IsZero() {
			newest[l.Category] = l.Newest
		}
	}
	slices.Sort(categories)
	now := r.Now()
	for _, c := range categories {
		if newest[c].IsZero() { // a store that cannot tell: as if it had come today
			newest[c] = now.Truncate(24 * time.Hour)
		}
		lock, ok, err := r.Floor(ctx, q.Org, c, newest[c])
		if err != nil {
			return err
		}
		if ok && lock.Until.After(now) {
			lock.Category, lock.Until = c, lock.Until.UTC()
			p.Locks = append(p.Locks, lock)
		}
		cover, err := r.Holds.Cover(ctx, r.DB, q.Org, c)
		if err != nil {
			return err
		}
		if held, ok := cover.Holds(names...); ok {
			p.Holds = append(p.Holds, Held{held, c})
		}
	}
	return nil
}

// gate is the deletion gate of a request, as stores ask it inside their transactions.
func (r *Rights) gate(q *Request, names []subject.Ref) func(context.Context, db.Conn, string) error {
	path := hold.RightsErase
	if q.Proof == Session {
		path = hold.AccountDelete
	}
	return func(ctx context.Context, c db.Conn, category string) error {
		return r.Holds.Check(ctx, c, q.Org, hold.Deletion{Who: names, Category: category, Path: path})
	}
}

// Approve approves a plan, by the hash of what the officer saw. Nobody approves what is about themself, nor what only they
// looked at the evidence for, as long as there is somebody else who may.
func (r *Rights) Approve(ctx context.Context, by *account.Actor, id, hash string) (*Request, error) {
	q, err := r.One(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if q.State != Planned {
		return nil, wrongState(q, "only a planned request can be approved")
	}
	if q.Plan.Hash() != hash {
		return nil, changed()
	}
	if mine(by, q) {
		return nil, fault.New(fault.Denied, "This request is about your own data. Somebody else has to approve it.")
	}
	if q.Proof == Human && q.Reviewer == by.Member.ID && by.Member.ID != "" {
		alone, err := r.alone(ctx, by)
		if err != nil {
			return nil, err
		}
		if !alone {
			return nil, fault.New(fault.Denied, "You looked at the evidence for this request, so somebody else has to approve it.")
		}
	}
	return r.approve(ctx, q, name(by))
}

func changed() error {
	return fault.New(fault.Conflict, "What is kept about the person has changed since the plan was made. Nothing was done. Plan again, look at it, and approve it anew.")
}

// alone tells whether nobody else may approve requests.
func (r *Rights) alone(ctx context.Context, by *account.Actor) (bool, error) {
	members, err := r.Accounts.Members(ctx, by.Org.ID)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(members, func(m *account.Member) bool {
		return m.ID != by.Member.ID && m.Active && !m.JoinedAt.IsZero() && m.Role.Can(account.ManagePrivacy)
	}), nil
}

func (r *Rights) approve(ctx context.Context, seen *Request, actor string) (*Request, error) {
	return r.change(ctx, seen.Org, seen.ID, actor, PlanApproved, "", func(_ *db.Tx, q *Request) error {
		if q.State != Planned {
			return wrongState(q, "only a planned request can be approved")
		}
		if !bytes.Equal(q.planHash, seen.planHash) {
			return changed()
		}
		q.State, q.Approver, q.Approved = Approved, actor, r.Now()
		return nil
	})
}
