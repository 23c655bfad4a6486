package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/callback"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/phone"
)

const tagNumbers = "Numbers and callbacks"

// Number is a phone number in the book.
type Number struct {
	ID       number.Key `json:"id" doc:"Stays the same and says nothing about the number"`
	Number   string     `json:"number,omitempty" doc:"E.164 where it can be; absent when erased"`
	Name     string     `json:"name,omitempty" doc:"Contact name as phones last logged it"`
	Figures  *Figures   `json:"figures,omitempty" doc:"Its calls that you may see; only when one number is asked for"`
	Callback *Callback  `json:"callback,omitempty" doc:"Who is to call back, where something was agreed"`
}

// Callback is what was agreed about calling a number back.
type Callback struct {
	State      callback.State   `json:"state" enum:"open,assigned,handled"`
	AssignedTo *AgentRef        `json:"assigned_to,omitempty"`
	AssignedBy account.MemberID `json:"assigned_by,omitempty"`
	AssignedAt *time.Time       `json:"assigned_at,omitempty"`
	HandledBy  account.MemberID `json:"handled_by,omitempty"`
	HandledAt  *time.Time       `json:"handled_at,omitempty"`
	Note       string           `json:"note,omitempty"`
}

// Assignment says who is to call back.
type Assignment struct {
	Agent account.MemberID `json:"agent,omitempty" doc:"Leave it out to take the callback from whoever has it"`
}

// Handling says that a caller needs no call any more.
type Handling struct {
	Note string `json:"note,omitempty" maxLength:"1000"`
}

// NumberPath names a number by its id.
type NumberPath struct {
	Number number.Key `path:"number" doc:"The number's id"`
}

func (s *API) numbers() {
	handle(s, does(http.MethodGet, "/numbers", "find-numbers", account.ReadCalls, tagNumbers, "Find numbers").
		saying("By a full number, in any way of writing, or by at least its last four digits. At most 50 are given; say more digits when there are more."), s.findNumbers)
	handle(s, does(http.MethodGet, "/numbers/{number}", "get-number", account.ReadCalls, tagNumbers, "One number"), s.getNumber)
	handle(s, does(http.MethodGet, "/numbers/{number}/calls", "list-calls-of-number", account.ReadCalls, tagNumbers, "Calls of one number").
		saying("All of them, newest first."), s.callsOfNumber)
	handle(s, does(http.MethodGet, "/callbacks", "list-callbacks", account.ReadCalls, tagNumbers, "What you are to call back").
		saying("The callbacks in the hands of the caller's member, the oldest first, without those that were handled or whose caller was reached since."), s.listCallbacks)
	handle(s, does(http.MethodPost, "/numbers/{number}/callback/assign", "assign-callback", account.WriteCalls, tagNumbers, "Say who calls back").
		saying("A manager assigns to the agents of their teams, an agent to themself."), s.assign)
	handle(s, does(http.MethodPost, "/numbers/{number}/callback/handle", "handle-callback", account.WriteCalls, tagNumbers, "Mark as handled").
		saying("For what no call shows. The mark lapses when the number calls in vain again."),
		func(ctx context.Context, in *struct {
			NumberPath
			Body Handling
		}) (*body[Number], error) {
			return s.changed(ctx, &in.NumberPath, s.Callbacks.Handle(ctx, actorOf(ctx), in.Number, in.Body.Note))
		})
	handle(s, does(http.MethodPost, "/numbers/{number}/callback/reopen", "reopen-callback", account.WriteCalls, tagNumbers, "Take the mark back"),
		func(ctx context.Context, in *NumberPath) (*body[Number], error) {
			return s.changed(ctx, in, s.Callbacks.Reopen(ctx, actorOf(ctx), in.Number))
		})
}

// mostFound bounds a search.
const mostFound = 50

func (s *API) findNumbers(ctx context.Context, in *struct {
	Q string `query:"q" required:"true" minLength:"4" maxLength:"60" doc:"A number, or at least its last four digits"`
}) (*body[Page[Number]], error) {
	org := callerOf(ctx).org
	out := Page[Number]{Items: []Number{}}
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		ids, err := s.lookUp(ctx, tx, org, in.Q)
		if err != nil {
			return err
		}
		ids, err = s.onlySeen(ctx, tx, org, ids)
		if err != nil {
			return err
		}
		out.Items, err = s.numbersOf(ctx, tx, org, ids)
		return err
	})
	return answerOf(out), err
}

// lookUp finds numbers by the whole or by the end.
func (s *API) lookUp(ctx context.Context, tx *db.Tx, org *account.Org, q string) ([]number.ID, error) {
	if id, ok, err := s.Book.Seek(ctx, tx, org.ID, phone.Parse(q, org.Country).Canonical()); err != nil || ok {
		return []number.ID{id}, err
	}
	digits := phone.Digits(q)
	if len(digits) < 4 {
		return nil, fault.Field("q", "Enter a whole number, or at least its last four digits.")
	}
	return s.Book.FindEnding(ctx, tx, org.ID, digits)
}

// onlySeen keeps the numbers that have a call which the caller may see.
func (s *API) onlySeen(ctx context.Context, tx *db.Tx, org *account.Org, ids []number.ID) ([]number.ID, error) {
	mine, err := seen(ctx)
	if err != nil {
		return nil, err
	}
	var out []number.ID
	for _, id := range ids {
		if len(out) == mostFound {
			break
		}
		ok := mine == nil
		if !ok {
			if ok, err = hasCall(ctx, tx, org, id, mine); err != nil {
				return nil, err
			}
		}
		if ok {
			out = append(out, id)
		}
	}
	return out, nil
}

func hasCall(ctx context.Context, tx *db.Tx, org *account.Org, id number.ID, agents []account.AgentNo) (bool, error) {
	found := false
	stop := errors.New("found")
	err := call.Each(ctx, tx, call.Where(org.ID).And(`num = ?`, id).Agents(agents), `LIMIT 1`, func(*call.Row) error {
		found = true
		return stop
	})
	if errors.Is(err, stop) {
		err = nil
	}
	return found, err
}

// numbersOf opens what people see of numbers, in the order of the ids.
func (s *API) numbersOf(ctx context.Context, tx *db.Tx, org *account.Org, ids []number.ID) ([]Number, error) {
	shown, err := s.Book.Show(ctx, tx, org.ID, ids)
	if err != nil {
		return nil, err
	}
	names, err := s.Book.Names(ctx, tx, org.ID, ids)
	if err != nil {
		return nil, err
	}
	out := []Number{}
	for _, id := range ids {
		n := Number{Number: shown[id], Name: names[id]}
		if n.Number == "" {
			continue // erased
		}
		if n.ID, err = s.Book.Key(ctx, org.ID, n.Number); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// number gives a number that the caller sees.
func (s *API) number(ctx context.Context, key number.Key) (number.ID, Number, error) {
	org := callerOf(ctx).org
	var id number.ID
	out := Number{ID: key}
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if id, err = s.Book.ByKey(ctx, tx, org.ID, key); err != nil {
			return err
		}
		ids, err := s.onlySeen(ctx, tx, org, []number.ID{id})
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return fault.New(fault.NotFound, "There is no such number here.")
		}
		all, err := s.numbersOf(ctx, tx, org, ids)
		if len(all) == 1 {
			out = all[0]
		}
		return err
	})
	concernNumber(ctx, id)
	return id, out, err
}

func (s *API) getNumber(ctx context.Context, in *NumberPath) (*body[Number], error) {
	id, n, err := s.number(ctx, in.Number)
	if err != nil {
		return nil, err
	}
	org := callerOf(ctx).org
	mine, err := seen(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.Reporter.PersonOf(ctx, org, mine, id)
	if err != nil {
		return nil, err
	}
	kept, err := s.Callbacks.Of(ctx, org.ID, []number.ID{id})
	if err != nil {
		return nil, err
	}
	agents, err := s.agentsByNo(ctx, org)
	if err != nil {
		return nil, err
	}
	figures := figuresOf(org, p, agents)
	n.Figures = &figures
	if c, ok := kept[id]; ok {
		n.Callback = callbackOf(org, c, p.LastMissed, agents)
	}
	return answerOf(n), nil
}

// callbackOf shows a callback as it stands, given the number's last unattended call.
func callbackOf(org *account.Org, c callback.Callback, missed time.Time, agents map[account.AgentNo]AgentRef) *Callback {
	out := &Callback{
		State: c.State(missed), AssignedBy: c.AssignedBy, AssignedAt: at(org, c.AssignedAt), HandledBy: c.HandledBy, HandledAt: at(org, c.HandledAt), Note: c.Note,
	}
	out.AssignedTo = refTo(agents, c.AssignedTo)
	return out
}

func (s *API) callsOfNumber(ctx context.Context, in *struct {
	NumberPath
	Paging
}) (*body[Page[Call]], error) {
	id, _, err := s.number(ctx, in.Number)
	if err != nil {
		return nil, err
	}
	mine, err := seen(ctx)
	if err != nil {
		return nil, err
	}
	page, err := s.Reporter.CallsOf(ctx, callerOf(ctx).org, mine, id, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	d, err := s.dresser(ctx)
	if err != nil {
		return nil, err
	}
	return d.page(page), nil
}

func (s *API) listCallbacks(ctx context.Context, in *struct{ Paging }) (*body[Page[Number]], error) {
	a := actorOf(ctx)
	tasks, err := s.Reports.Tasks(ctx, a)
	if err != nil {
		return nil, err
	}
	agents, err := s.agentsByNo(ctx, a.Org)
	if err != nil {
		return nil, err
	}
	out := make([]Number, len(tasks))
	for i, t := range tasks {
		out[i] = Number{ID: t.Key, Number: t.Text, Name: t.Name, Callback: callbackOf(a.Org, t.Callback, time.Time{}, agents)}
	}
	return pageOf(out, in.Paging, func(n Number) string { return string(n.ID) })
}

func (s *API) assign(ctx context.Context, in *struct {
	NumberPath
	Body Assignment
}) (*body[Number], error) {
	var agent account.AgentNo
	if in.Body.Agent != "" {
		m, err := s.Accounts.Member(ctx, callerOf(ctx).org.ID, in.Body.Agent)
		if err != nil {
			return nil, err
		}
		if m.Agent == 0 {
			return nil, fault.Field("agent", "This member is no agent. Choose somebody whose calls are kept.")
		}
		if err := mustSee(ctx, m.Agent, "There is no member %.60s in this organisation.", in.Body.Agent); err != nil {
			return nil, err
		}
		agent = m.Agent
	}
	return s.changed(ctx, &in.NumberPath, s.Callbacks.Assign(ctx, actorOf(ctx), in.Number, agent))
}

// changed is the number after something was done to its callback.
func (s *API) changed(ctx context.Context, in *NumberPath, err error) (*body[Number], error) {
	if err != nil {
		return nil, err
	}
	return s.getNumber(ctx, in)
}
