package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/fault"
)

const tagFollowUps = "Follow-ups"

// FollowUp is one thing that somebody is to do for a contact.
type FollowUp struct {
	ID        followup.ID      `json:"id"`
	Rev       int64            `json:"rev"`
	Contact   contact.ID       `json:"contact"`
	Lead      lead.ID          `json:"lead,omitempty"`
	Owner     account.MemberID `json:"owner"`
	Kind      followup.Kind    `json:"kind" enum:"call,callback_promised,task"`
	State     string           `json:"state" enum:"open,done,cancelled"`
	Day       string           `json:"day" doc:"For when it was planned, by the organisation's calendar"`
	AllDay    bool             `json:"all_day"`
	DueAt     *time.Time       `json:"due_at" doc:"For when it was planned; when working hours begin, for a whole day"`
	At        *time.Time       `json:"at" doc:"That, or until when it was put off"`
	LateAt    *time.Time       `json:"late_at" doc:"It is overdue from then on"`
	Snoozes   int              `json:"snoozes" doc:"How often it was put off"`
	Reminders []int            `json:"reminders" doc:"Minutes before it is due"`
	Repeat    *Repeat          `json:"repeat,omitempty"`
	Text      string           `json:"text,omitempty" doc:"What is to be done"`
	Outcome   string           `json:"outcome,omitempty" doc:"What it came to, a key of the settings"`
	Result    string           `json:"result,omitempty" doc:"The same in words"`
	EndedAt   *time.Time       `json:"ended_at,omitempty"`
	EndedBy   account.MemberID `json:"ended_by,omitempty"`
	CreatedAt *time.Time       `json:"created_at"`
	CreatedBy account.MemberID `json:"created_by,omitempty"`
}

// Repeat says when a follow-up comes again.
type Repeat struct {
	Unit  followup.Unit `json:"unit" enum:"daily,weekly,monthly"`
	Every int           `json:"every,omitempty" minimum:"0" maximum:"100" doc:"Days, weeks or months from one to the next; left out: 1"`
	Until string        `json:"until,omitempty" doc:"The last day on which one may fall"`
	Count int           `json:"count,omitempty" minimum:"0" maximum:"1000" doc:"How many there are in all"`
}

// NewFollowUp is a follow-up to be made.
type NewFollowUp struct {
	Kind      followup.Kind    `json:"kind,omitempty" enum:"call,callback_promised,task" doc:"Left out: call"`
	Contact   contact.ID       `json:"contact,omitempty" doc:"Left out: the lead's"`
	Lead      lead.ID          `json:"lead,omitempty"`
	Owner     account.MemberID `json:"owner,omitempty" doc:"Left out: the caller"`
	DueAt     *time.Time       `json:"due_at,omitempty" doc:"When; or day, for some time on a day"`
	Day       string           `json:"day,omitempty"`
	Text      string           `json:"text,omitempty" maxLength:"2000"`
	Reminders *[]int           `json:"reminders,omitempty" maxItems:"5" doc:"Minutes before; left out: as the organisation has it"`
	Repeat    *Repeat          `json:"repeat,omitempty"`
}

// FollowUpChange changes a follow-up. What is left out stays.
type FollowUpChange struct {
	Kind      *followup.Kind `json:"kind,omitempty" enum:"call,callback_promised,task"`
	DueAt     *time.Time     `json:"due_at,omitempty"`
	Day       *string        `json:"day,omitempty" doc:"The whole of it, in place of due_at"`
	Text      *string        `json:"text,omitempty" maxLength:"2000"`
	Reminders *[]int         `json:"reminders,omitempty" maxItems:"5"`
	Repeat    *Repeat        `json:"repeat,omitempty" doc:"From this one on"`
	Rev       int64          `json:"rev" minimum:"0" doc:"The rev that you saw; 0 changes it as it is"`
}

// Snooze puts something off.
type Snooze struct {
	Until time.Time `json:"until" doc:"Within a year"`
}

// FollowUpEnd says what a follow-up has come to.
type FollowUpEnd struct {
	Outcome string       `json:"outcome,omitempty" doc:"A key of the settings"`
	Result  string       `json:"result,omitempty" maxLength:"2000" doc:"In words"`
	Next    *NewFollowUp `json:"next,omitempty" doc:"The next step; what it leaves out is the follow-up's own"`
	NoNext  bool         `json:"no_next,omitempty" doc:"No next step is needed"`
}

// FollowUpEnded is what came of ending a follow-up.
type FollowUpEnded struct {
	FollowUp FollowUp  `json:"follow_up"`
	Next     *FollowUp `json:"next,omitempty" doc:"The step that was agreed"`
	Again    *FollowUp `json:"again,omitempty" doc:"The next of its series"`
}

// FollowUpPath names a follow-up.
type FollowUpPath struct {
	FollowUp followup.ID `path:"followup"`
}

func (s *API) followUps() {
	handle(s, does(http.MethodGet, "/follow-ups", "list-follow-ups", account.ReadLeads, tagFollowUps, "List follow-ups").saying("The soonest first."), s.listFollowUps)
	handle(s, does(http.MethodPost, "/follow-ups", "add-follow-up", account.WriteLeads, tagFollowUps, "Plan a follow-up").
		saying("A colleague to whom it is given finds a notice.").giving(http.StatusCreated), s.addFollowUp)
	handle(s, does(http.MethodGet, "/follow-ups/{followup}", "get-follow-up", account.ReadLeads, tagFollowUps, "One follow-up"),
		func(ctx context.Context, in *FollowUpPath) (*body[FollowUp], error) {
			f, err := s.theFollowUp(ctx, in.FollowUp)
			return s.followUpAnswer(ctx, f, err)
		})
	handle(s, does(http.MethodPatch, "/follow-ups/{followup}", "change-follow-up", account.WriteLeads, tagFollowUps, "Change an open follow-up"), s.changeFollowUp)
	handle(s, does(http.MethodPost, "/follow-ups/{followup}/snooze", "snooze-follow-up", account.WriteLeads, tagFollowUps, "Put a follow-up off"),
		func(ctx context.Context, in *struct {
			FollowUpPath
			Body Snooze
		}) (*body[FollowUp], error) {
			return s.plan(ctx, in.FollowUp, func(tx *db.Tx, f *followup.FollowUp) (*followup.FollowUp, error) {
				return s.FollowUps.Snooze(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, f.ID, in.Body.Until)
			})
		})
	handle(s, does(http.MethodPost, "/follow-ups/{followup}/owner", "hand-over-follow-up", account.WriteLeads, tagFollowUps, "Hand a follow-up to a colleague"),
		func(ctx context.Context, in *struct {
			FollowUpPath
			Body OwnerChange
		}) (*body[FollowUp], error) {
			return s.plan(ctx, in.FollowUp, func(tx *db.Tx, f *followup.FollowUp) (*followup.FollowUp, error) {
				return s.FollowUps.HandOver(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, f.ID, in.Body.Owner)
			})
		})
	handle(s, does(http.MethodPost, "/follow-ups/{followup}/done", "finish-follow-up", account.WriteLeads, tagFollowUps, "Say that a follow-up is done").
		saying("With what it came to and the next step, where the organisation wants them."), s.finishFollowUp)
	handle(s, does(http.MethodPost, "/follow-ups/{followup}/cancel", "cancel-follow-up", account.WriteLeads, tagFollowUps, "Cancel a follow-up"),
		func(ctx context.Context, in *struct {
			FollowUpPath
			JustThis bool `query:"just_this" doc:"The rest of its series stays"`
		}) (*body[FollowUpEnded], error) {
			return s.endFollowUp(ctx, in.FollowUp, func(tx *db.Tx, f *followup.FollowUp) (*followup.Ended, error) {
				return s.FollowUps.Cancel(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, f.ID, in.JustThis)
			})
		})
	handle(s, does(http.MethodPost, "/follow-ups/{followup}/undo", "undo-follow-up", account.WriteLeads, tagFollowUps, "Take back that a follow-up was done, cancelled or put off").
		saying("What was made with it is withdrawn, unless somebody changed it since."),
		func(ctx context.Context, in *FollowUpPath) (*body[FollowUp], error) {
			return s.plan(ctx, in.FollowUp, func(tx *db.Tx, f *followup.FollowUp) (*followup.FollowUp, error) {
				return s.FollowUps.Undo(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, f.ID)
			})
		})
	s.days()
}

// followUpOf is a follow-up as answers give it.
func followUpOf(org *account.Org, f *followup.FollowUp) FollowUp {
	out := FollowUp{ID: f.ID, Rev: f.Rev, Contact: f.Contact, Lead: f.Lead, Owner: f.Owner, Kind: f.Kind, State: f.State.String(), Day: f.Day.String(), AllDay: f.AllDay, DueAt: at(org, f.Due), At: at(org, f.At),
		LateAt: at(org, f.Late), Snoozes: f.Snoozes, Reminders: listed(f.Reminders), Text: f.Text, Outcome: f.Outcome, Result: f.Result, EndedAt: at(org, f.Ended), EndedBy: f.EndedBy, CreatedAt: at(org, f.Made), CreatedBy: f.MadeBy}
	if r := f.Repeat; r.Unit != followup.Once {
		out.Repeat = &Repeat{Unit: r.Unit, Every: r.Every, Count: r.Count}
		if r.Until != 0 {
			out.Repeat.Until = r.Until.String()
		}
	}
	return out
}

func (r *Repeat) repeat() (followup.Repeat, error) {
	if r == nil {
		return followup.Repeat{}, nil
	}
	until, err := dayOf("repeat.until", &r.Until)
	return followup.Repeat{Unit: r.Unit, Every: r.Every, Until: until, Count: r.Count}, err
}

// theFollowUp is a follow-up that the caller sees.
func (s *API) theFollowUp(ctx context.Context, id followup.ID) (*followup.FollowUp, error) {
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	f, err := s.FollowUps.Get(ctx, s.DB, callerOf(ctx).org.ID, sight, id)
	if err != nil {
		return nil, err
	}
	return f, s.concernContacts(ctx, f.Contact)
}

// concernContacts notes that the running operation is about some contacts.
func (s *API) concernContacts(ctx context.Context, ids ...contact.ID) error {
	found, err := s.Contacts.Load(ctx, s.DB, callerOf(ctx).org.ID, ids...)
	for _, c := range found {
		concernContact(ctx, c)
	}
	return err
}

func (s *API) followUpAnswer(ctx context.Context, f *followup.FollowUp, err error) (*body[FollowUp], error) {
	if err != nil {
		return nil, err
	}
	return answerOf(followUpOf(callerOf(ctx).org, f)), nil
}

// plan changes a follow-up in sight.
func (s *API) plan(ctx context.Context, id followup.ID, do func(tx *db.Tx, f *followup.FollowUp) (*followup.FollowUp, error)) (*body[FollowUp], error) {
	f, err := s.theFollowUp(ctx, id)
	if err != nil {
		return nil, err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		f, err = do(tx, f)
		return err
	})
	return s.followUpAnswer(ctx, f, err)
}

func (s *API) listFollowUps(ctx context.Context, in *struct {
	Owners  []string   `query:"owner" doc:"Ids of members, or me"`
	States  []string   `query:"state" doc:"open, done, cancelled"`
	Kinds   []string   `query:"kind" doc:"call, callback_promised, task"`
	Lead    lead.ID    `query:"lead"`
	Contact contact.ID `query:"contact"`
	From    time.Time  `query:"from" doc:"Due at or after this moment"`
	To      time.Time  `query:"to" doc:"Due before this moment"`
	Paging
}) (*body[Page[FollowUp]], error) {
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	f := followup.Filter{Lead: in.Lead, Contact: in.Contact, From: in.From, To: in.To, Cursor: in.Cursor, Limit: in.Limit}
	for _, word := range in.Owners {
		f.Owners = append(f.Owners, ownerOf(ctx, account.MemberID(word)))
	}
	for _, word := range in.Kinds {
		f.Kinds = append(f.Kinds, followup.Kind(word))
	}
	states := map[string]followup.State{"open": followup.Open, "done": followup.Done, "cancelled": followup.Cancelled}
	for _, word := range in.States {
		st, ok := states[word]
		if !ok {
			return nil, fault.Field("state", "%.40q is no state of a follow-up. Choose open, done or cancelled.", word)
		}
		f.States = append(f.States, st)
	}
	page, err := s.FollowUps.List(ctx, s.DB, callerOf(ctx).org.ID, sight, f)
	if err != nil {
		return nil, err
	}
	out := Page[FollowUp]{Items: []FollowUp{}, Next: page.Next}
	var about []contact.ID
	for _, x := range page.Rows {
		out.Items = append(out.Items, followUpOf(callerOf(ctx).org, x))
		about = append(about, x.Contact)
	}
	return answerOf(out), s.concernContacts(ctx, about...)
}

// planned is the follow-up that is asked for. Whom it is about and who is to do it must be in the caller's sight.
func (s *API) planned(ctx context.Context, n *NewFollowUp) (followup.New, error) {
	out := followup.New{Kind: n.Kind, Contact: n.Contact, Lead: n.Lead, Owner: n.Owner, Due: moment(n.DueAt), Text: n.Text, Reminders: n.Reminders}
	if out.Kind == "" {
		out.Kind = followup.Call
	}
	var err error
	if out.Day, err = dayOf("day", &n.Day); err != nil {
		return out, err
	}
	if out.Repeat, err = n.Repeat.repeat(); err != nil {
		return out, err
	}
	if n.Contact != "" {
		if _, err := s.theContact(ctx, n.Contact); err != nil {
			return out, err
		}
	}
	if n.Lead != "" {
		if _, err := s.theLead(ctx, n.Lead); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (s *API) addFollowUp(ctx context.Context, in *struct{ Body NewFollowUp }) (*body[FollowUp], error) {
	n, err := s.planned(ctx, &in.Body)
	if err != nil {
		return nil, err
	}
	var f *followup.FollowUp
	err = s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		f, err = s.FollowUps.Add(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, n)
		return err
	})
	return s.followUpAnswer(ctx, f, err)
}

func (s *API) changeFollowUp(ctx context.Context, in *struct {
	FollowUpPath
	Body FollowUpChange
}) (*body[FollowUp], error) {
	b := in.Body
	ch := followup.Change{Kind: b.Kind, Text: b.Text, Due: b.DueAt, Reminders: b.Reminders}
	if b.Day != nil {
		day, err := dayOf("day", b.Day)
		if err != nil {
			return nil, err
		}
		ch.Day = &day
	}
	if b.Repeat != nil {
		r, err := b.Repeat.repeat()
		if err != nil {
			return nil, err
		}
		ch.Repeat = &r
	}
	return s.plan(ctx, in.FollowUp, func(tx *db.Tx, f *followup.FollowUp) (*followup.FollowUp, error) {
		return s.FollowUps.Change(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, f.ID, b.Rev, ch)
	})
}

func (s *API) finishFollowUp(ctx context.Context, in *struct {
	FollowUpPath
	Body FollowUpEnd
}) (*body[FollowUpEnded], error) {
	b := in.Body
	fin := followup.Finish{Outcome: b.Outcome, Result: b.Result, NoNext: b.NoNext}
	if b.Next != nil {
		n, err := s.planned(ctx, b.Next)
		if err != nil {
			return nil, err
		}
		n.Kind = b.Next.Kind // left out: the follow-up's own
		fin.Next = &n
	}
	return s.endFollowUp(ctx, in.FollowUp, func(tx *db.Tx, f *followup.FollowUp) (*followup.Ended, error) {
		return s.FollowUps.Done(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, f.ID, fin)
	})
}

func (s *API) endFollowUp(ctx context.Context, id followup.ID, do func(tx *db.Tx, f *followup.FollowUp) (*followup.Ended, error)) (*body[FollowUpEnded], error) {
	f, err := s.theFollowUp(ctx, id)
	if err != nil {
		return nil, err
	}
	var e *followup.Ended
	if err := s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		e, err = do(tx, f)
		return err
	}); err != nil {
		return nil, err
	}
	org := callerOf(ctx).org
	out := FollowUpEnded{FollowUp: followUpOf(org, e.FollowUp)}
	if e.Next != nil {
		out.Next = new(followUpOf(org, e.Next))
	}
	if e.Again != nil {
		out.Again = new(followUpOf(org, e.Again))
	}
	return answerOf(out), nil
}
