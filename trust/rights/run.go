package rights

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/subject"
)

// Run carries out what was approved, and gives the request as it is then. What was approved must still be what there is.
func (r *Rights) Run(ctx context.Context, by *account.Actor, id string) (*Request, error) {
	q, err := r.One(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if q.State != Approved && q.State != Running {
		return nil, wrongState(q, "only what was approved can be carried out")
	}
	if q.RunAfter.After(r.Now()) {
		return nil, fault.New(fault.Conflict, "The request %s is not carried out before %s: until then it can be taken back.", q.ID, q.RunAfter.Format("2 January 2006 15:04 MST"))
	}
	return r.carryOut(ctx, q.Org, id, name(by))
}

// carryOut begins an approved request, or goes on with one that was broken off.
func (r *Rights) carryOut(ctx context.Context, org account.OrgID, id, actor string) (*Request, error) {
	r.run.Lock()
	defer r.run.Unlock()
	q, err := r.get(ctx, r.DB, org, id)
	if err == nil && q.State == Approved {
		q, err = r.begin(ctx, q, actor)
	}
	if err != nil {
		return nil, err
	}
	if q.State != Running {
		return q, nil
	}
	if err := r.work(ctx, q); err != nil {
		return nil, errors.Join(err, r.stopped(ctx, q, err))
	}
	if q, err = r.handOn(ctx, q); err != nil {
		return nil, err
	}
	return r.close(ctx, q)
}

// begin checks once more that what was approved is what there is, and that nothing stands in the way.
func (r *Rights) begin(ctx context.Context, q *Request, actor string) (*Request, error) {
	now, err := r.look(ctx, q)
	if err != nil {
		return nil, err
	}
	names, err := r.names(ctx, r.DB, q.Org, q.Who)
	if err != nil {
		return nil, err
	}
	if err := r.sealCorrections(ctx, q, now); err != nil {
		return nil, err
	}
	gone := q.Kind == Erasure && len(now.firm()) == 0 // another request erased everything in between
	if (q.Kind == Erasure || q.Kind == Correction) && !gone && !bytes.Equal(now.sum(), q.planHash) {
		return nil, errors.Join(changed(), r.stopped(ctx, q, changed()))
	}
	if len(now.Holds) > 0 {
		held := r.gate(q, names)(ctx, r.DB, now.Holds[0].Category)
		if held != nil {
			return nil, errors.Join(held, r.stopped(ctx, q, held))
		}
	}
	return r.change(ctx, q.Org, q.ID, actor, Started, "", func(tx *db.Tx, q *Request) error {
		if q.State != Approved {
			return wrongState(q, "only what was approved can be carried out")
		}
		q.State = Running
		if gone {
			q.Plan, q.planHash = now, now.sum()
		}
		if q.Kind == Erasure && len(q.Plan.Locks) > 0 {
			return r.setState(ctx, tx, q, names, subjectLocked, "")
		}
		return nil
	})
}

// stopped notes why a request could not be carried out. A refusal (a hold, a changed plan) sends it back to planning; after a
// failure it stays where it is, and is taken up again.
func (r *Rights) stopped(ctx context.Context, q *Request, why error) error {
	if ctx.Err() != nil { // the program stops
		return nil
	}
	_, err := r.change(ctx, q.Org, q.ID, system, Stopped, fault.Sentence(why), func(_ *db.Tx, q *Request) error {
		if fault.KindOf(why) == fault.Conflict && (q.State == Running || q.State == Approved) {
			q.State, q.Approver, q.Approved = Planned, "", time.Time{}
		}
		return nil
	})
	return err
}

// work does what the request is about. Each part may be done again after a crash.
func (r *Rights) work(ctx context.Context, q *Request) error {
	switch q.Kind {
	case Access, Portability:
		return r.pack(ctx, q)
	case Erasure:
		return r.erase(ctx, q)
	case Correction:
		return r.correct(ctx, q)
	case Restriction:
		return r.step(ctx, q, "restrict", func() ([]Line, error) { return nil, r.restrict(ctx, q, subjectRestricted) })
	case Objection, Withdrawal:
		return r.object(ctx, q)
	default:
		return fault.New(fault.Internal, "A request of the kind %s is not carried out.", q.Kind)
	}
}

// step does one part and notes that it is done. A part that was noted is not done again.
func (r *Rights) step(ctx context.Context, q *Request, name string, do func() ([]Line, error)) error {
	var n int
	if err := r.DB.Row(ctx, `SELECT count(*) FROM request_steps WHERE org_id = $1 AND request_id = $2 AND round = $3 AND step = $4`, q.Org, q.ID, q.Round, name).Scan(&n); err != nil || n > 0 {
		return err
	}
	lines, err := do()
	if err != nil {
		return err
	}
	text, err := json.Marshal(lines)
	if err != nil {
		return err
	}
	_, err = r.DB.Exec(ctx, `INSERT INTO request_steps (org_id, request_id, round, step, lines, at_ms) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		q.Org, q.ID, q.Round, name, text, ms(r.Now()))
	return err
}

// passes is how often the stores are asked again when something came back while they erased, such as a phone's sync.
const passes = 3

// erase asks each store to erase, until nothing is left.
func (r *Rights) erase(ctx context.Context, q *Request) error {
	if !q.Known() {
		return nil
	}
	first, err := r.lastPass(ctx, q)
	if err != nil {
		return err
	}
	names, err := r.names(ctx, r.DB, q.Org, q.Who) // before the store goes that knows them
	if err != nil {
		return err
	}
	d := Decision{Request: q.ID, At: r.Now(), Keep: q.Plan.Locks, gate: r.gate(q, names)}
	if d.KeepsAny() { // what a law keeps is kept, and read by nobody
		if err := r.step(ctx, q, "lock", func() ([]Line, error) { return nil, r.Restrict(ctx, q.Org, q.Who, true) }); err != nil {
			return err
		}
	}
	for pass := first; pass < first+passes; pass++ {
		if err := r.erasePass(ctx, q, names, d, pass); err != nil {
			return err
		}
		left, err := r.left(ctx, q, names)
		if err != nil {
			return err
		}
		if left == 0 || d.KeepsAny() { // what is kept may hold something else that belongs to it
			return r.step(ctx, q, "settle", func() ([]Line, error) { return nil, r.Settle(ctx) })
		}
	}
	return fault.New(fault.Unavailable, "Data about the person of request %s came back while it was erased. It will be erased again within the hour.", q.ID)
}

func (r *Rights) erasePass(ctx context.Context, q *Request, names []subject.Ref, d Decision, pass int) error {
	for _, s := range r.Stores {
		if s.Erase == nil {
			continue
		}
		if err := r.step(ctx, q, strconv.Itoa(pass)+" "+s.Name, func() ([]Line, error) {
			lines, err := s.erase(ctx, q.Org, names, d)
			return named(s.Name, lines), err
		}); err != nil {
			return err
		}
	}
	return nil
}

// left counts what is still there and not kept on purpose.
func (r *Rights) left(ctx context.Context, q *Request, names []subject.Ref) (n int64, err error) {
	lines, err := r.lines(ctx, q.Org, names)
	if err != nil {
		return 0, err
	}
	d := Decision{Keep: q.Plan.Locks}
	for _, l := range lines {
		if !d.Keeps(l.Category) && (l.Category != "" || !d.KeepsAny()) {
			n += l.Count
		}
	}
	return n, nil
}

// lastPass is the pass that was begun last.
func (r *Rights) lastPass(ctx context.Context, q *Request) (int, error) {
	steps, err := db.Select(ctx, r.DB, scanText, `SELECT step FROM request_steps WHERE org_id = $1 AND request_id = $2 AND round = $3`, q.Org, q.ID, q.Round)
	last := 1
	for _, s := range steps {
		number, _, _ := strings.Cut(s, " ")
		if n, err := strconv.Atoi(number); err == nil {
			last = max(last, n)
		}
	}
	return last, err
}

// done lists what was done in a round, added up over its passes.
func (r *Rights) done(ctx context.Context, q *Request) ([]Line, error) {
	steps, err := db.Select(ctx, r.DB, func(row db.Scanner) (lines []Line, err error) {
		var text []byte
		if err := row.Scan(&text); err != nil {
			return nil, err
		}
		return lines, json.Unmarshal(text, &lines)
	}, `SELECT lines FROM request_steps WHERE org_id = $1 AND request_id = $2 AND round = $3 ORDER BY at_ms, step`, q.Org, q.ID, q.Round)
	if err != nil {
		return nil, err
	}
	var out []Line
	for _, l := range slices.Concat(steps...) {
		same := func(o Line) bool {
			return o.Store == l.Store && o.Thing == l.Thing && o.Name == l.Name && o.Category == l.Category
		}
		if i := slices.IndexFunc(out, same); i >= 0 {
			out[i].Count += l.Count
			continue
		}
		l.Newest = time.Time{}
		out = append(out, l)
	}
	return out, nil
}

// object ends purposes for a person. A withdrawal ends what they agreed to; an objection ends the purpose whatever its basis.
func (r *Rights) object(ctx context.Context, q *Request) error {
	purposes := q.Purposes
	if len(purposes) == 0 {
		policy, err := r.Policy(ctx, q.Org)
		if err != nil {
			return err
		}
		if purposes = policy.Objectable; q.Kind == Withdrawal {
			purposes = policy.Consented
		}
	}
	if err := r.step(ctx, q, "withdraw", func() ([]Line, error) { return nil, r.Withdraw(ctx, q.Org, q.Who, q.Contact, purposes, q.ID) }); err != nil {
		return err
	}
	if q.Kind == Withdrawal || !q.Known() {
		return nil
	}
	names, err := r.names(ctx, r.DB, q.Org, q.Who)
	if err != nil {
		return err
	}
	return r.step(ctx, q, "object", func() ([]Line, error) {
		return nil, r.DB.Tx(ctx, func(tx *db.Tx) error {
			for _, p := range purposes {
				if err := r.setState(ctx, tx, q, names, subjectObjected, p); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
