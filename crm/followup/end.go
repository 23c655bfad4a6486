package followup

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/trust/hold"
)

// Finish says what a follow-up has come to.
type Finish struct {
	Outcome string // a key of the settings; "" = nothing is said
	Result  string // in words
	Next    *New   // the next step; what it leaves out is the follow-up's own
	NoNext  bool   // no next step is needed
	// Settled says that a call did what was to be done. What must be said of it is owed by the call.
	Settled bool
	At      time.Time // when it was done; zero = now
}

// Ended is what came of ending a follow-up.
type Ended struct {
	*FollowUp
	Next  *FollowUp // the step that was agreed; nil = none
	Again *FollowUp // the next of its series; nil = there is none
}

// Done marks a follow-up as done. Where the organisation wants to know what calls to leads come to, one that was to be a call
// needs an outcome, and a next step if the outcome asks for one.
func (s *FollowUps) Done(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, id ID, fin Finish) (*Ended, error) {
	f, err := s.opened(ctx, tx, org, id)
	if err != nil {
		return nil, err
	}
	if err := s.checkFinish(ctx, tx, org.ID, f, &fin); err != nil {
		return nil, err
	}
	was := f.stand()
	f.Outcome = fin.Outcome
	if fin.Result != "" {
		if f.Result != "" {
			if err := s.askWords(ctx, tx, org.ID, f); err != nil {
				return nil, err
			}
		}
		f.Result = fin.Result
	}
	if f.Ended = fin.At; f.Ended.IsZero() || f.Ended.After(s.d.Now()) {
		f.Ended = s.d.Now()
	}
	return s.end(ctx, tx, org, by, f, Done, was, fin.Next, true)
}

// checkFinish refuses an outcome that is none, and one that the organisation wants and was not given.
func (s *FollowUps) checkFinish(ctx context.Context, c db.Conn, org account.OrgID, f *FollowUp, fin *Finish) (err error) {
	if fin.Result, err = cleanText("result", fin.Result); err != nil {
		return err
	}
	fin.Outcome = strings.TrimSpace(fin.Outcome)
	set, err := s.Settings(ctx, c, org)
	if err != nil {
		return err
	}
	if fin.Outcome != "" {
		if o, ok := set.Outcome(fin.Outcome); !ok || o.Retired {
			return fault.Field("outcome", "%q is not on your organisation's list of outcomes. Choose one of the list.", fin.Outcome)
		}
	}
	if fin.Settled || f.Lead == "" || f.Kind == Task {
		return nil
	}
	// Whether anybody was reached is not known here: the stricter of the two counts.
	now := s.d.Now()
	for _, connected := range []bool{true, false} {
		outcome, step := set.Owes(now, connected, fin.Outcome, fin.Next != nil || fin.NoNext)
		switch {
		case outcome:
			return fault.Field("outcome", "Say what the call came to: your organisation wants an outcome of each call to a lead.")
		case step:
			return fault.Field("next", "Say what the next step is, or that none is needed: this outcome asks for one.")
		}
	}
	return nil
}

// Cancel marks a follow-up as one that will not be done, and with it the rest of its series unless just this one is meant.
func (s *FollowUps) Cancel(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, id ID, justThis bool) (*Ended, error) {
	f, err := s.opened(ctx, tx, org, id)
	if err != nil {
		return nil, err
	}
	was := f.stand()
	f.Ended = s.d.Now()
	return s.end(ctx, tx, org, by, f, Cancelled, was, nil, justThis)
}

// end ends a follow-up, and makes what follows it.
func (s *FollowUps) end(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, f *FollowUp, as State, was *before, step *New, again bool) (*Ended, error) {
	out := &Ended{FollowUp: f}
	var err error
	if step != nil {
		n := *step
		if n.Contact == "" && n.Lead == "" {
			n.Contact, n.Lead = f.Contact, f.Lead
		}
		if n.Owner == "" {
			n.Owner = f.Owner
		}
		if n.Kind == "" {
			n.Kind = f.Kind
		}
		if out.Next, err = s.Add(ctx, tx, org, by, n); err != nil {
			return nil, err
		}
		was.Made = append(was.Made, out.Next.ID)
	}
	if again {
		if out.Again, err = s.again(ctx, tx, org, f); err != nil {
			return nil, err
		}
		if out.Again != nil {
			was.Made = append(was.Made, out.Again.ID)
		}
	}
	f.State, f.EndedBy = as, by
	f.rearm(s.d.Now())
	what := WasDone
	if as == Cancelled {
		what = WasCancelled
	}
	if err := s.keep(ctx, tx, org.ID, by, f, what, []string{"state", "outcome"}, was); err != nil {
		return nil, err
	}
	return out, s.seen(ctx, tx, org.ID, f.ID)
}

// again makes the next of a series: the first that is not over already. One that was made before and withdrawn comes back.
func (s *FollowUps) again(ctx context.Context, tx *db.Tx, org *account.Org, f *FollowUp) (*FollowUp, error) {
	if f.Series == "" {
		return nil, nil
	}
	now := s.d.Now()
	at := func(day civil.Day) time.Time {
		if f.AllDay {
			return (day + 1).Start(org.Location())
		}
		return clockTime(day, f.minute, org.Location())
	}
	nth, day, ok := f.Repeat.next(f.Day, func(day civil.Day) bool { return !at(day).After(now) })
	if !ok {
		return nil, nil
	}
	n, there, err := db.One(ctx, tx, s.scan(ctx, org.ID), `SELECT `+columns+` FROM follow_ups WHERE org_id = $1 AND series = $2 AND series <> '' AND nth = $3`+forUpdate(tx), org.ID, f.Series, nth)
	if err != nil {
		return nil, err
	}
	what := Renewed
	switch {
	case !there:
		n, what = &FollowUp{ID: ID(id.New("fol")), Made: now, MadeBy: f.MadeBy, Series: f.Series, Nth: nth}, Added
	case n.State != Cancelled:
		return nil, nil // somebody opened this one again while the next one was there
	}
	n.Contact, n.Subject, n.Lead, n.Owner, n.Kind = f.Contact, f.Subject, f.Lead, f.Owner, f.Kind
	n.Text, n.Reminders, n.Repeat = f.Text, f.Reminders, f.Repeat
	n.State, n.Ended, n.EndedBy, n.Escalated = Open, time.Time{}, "", time.Time{}
	n.Day, n.minute, n.AllDay = day, f.minute, f.AllDay
	if n.Due = opening(org, day); !f.AllDay {
		n.Due = clockTime(day, f.minute, org.Location())
	}
	n.settleAt(org)
	n.arm(now)
	return n, s.keep(ctx, tx, org.ID, "", n, what, nil, nil)
}

// askWords asks the holds whether words about a contact may go.
func (s *FollowUps) askWords(ctx context.Context, c db.Conn, org account.OrgID, f *FollowUp) error {
	if s.d.Gate == nil || f.Text == "" && f.Result == "" {
		return nil
	}
	who, err := s.refs(ctx, c, org, f)
	if err != nil {
		return err
	}
	return s.d.Gate(ctx, c, org, hold.Deletion{Who: who, Category: CategoryNote, Path: hold.ContactDelete})
}

// Undo takes back the last thing that was done with a follow-up, if it was done, cancelled or put off. What was made with it is
// withdrawn, unless somebody changed it since.
func (s *FollowUps) Undo(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, id ID) (*FollowUp, error) {
	f, err := s.locked(ctx, tx, org.ID, id)
	if err != nil {
		return nil, err
	}
	last, ok, err := db.One(ctx, tx, scanEvent, `SELECT `+eventColumns+` FROM follow_up_events WHERE org_id = $1 AND follow_up = $2 ORDER BY rev DESC LIMIT 1`, org.ID, id)
	if err != nil {
		return nil, err
	}
	if !ok || !slices.Contains([]string{WasDone, WasCancelled, WasSnoozed}, last.What) {
		return nil, fault.New(fault.Conflict, "Nothing can be taken back here: this follow-up was last neither done, cancelled nor put off.")
	}
	var was before
	if err := json.Unmarshal([]byte(last.was), &was); err != nil {
		return nil, err
	}
	if err := s.withdraw(ctx, tx, org, was.Made); err != nil {
		return nil, err
	}
	f.restore(&was)
	f.arm(s.d.Now())
	return f, s.keep(ctx, tx, org.ID, by, f, Undone, []string{"state", "outcome", "due"}, nil)
}

// withdraw cancels what was made by something that is taken back, and not touched since.
func (s *FollowUps) withdraw(ctx context.Context, tx *db.Tx, org *account.Org, ids []ID) error {
	for _, x := range ids {
		f, err := s.locked(ctx, tx, org.ID, x)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		last, _, err := db.One(ctx, tx, scanEvent, `SELECT `+eventColumns+` FROM follow_up_events WHERE org_id = $1 AND follow_up = $2 ORDER BY rev DESC LIMIT 1`, org.ID, x)
		if err != nil {
			return err
		}
		if f.State != Open || last.What != Added && last.What != Renewed {
			continue
		}
		f.State, f.Ended = Cancelled, s.d.Now()
		f.rearm(f.Ended)
		if err := errors.Join(s.keep(ctx, tx, org.ID, "", f, Withdrawn, []string{"state"}, nil), s.seen(ctx, tx, org.ID, x)); err != nil {
			return err
		}
	}
	return nil
}

// Snooze puts an open follow-up off. Whoever has it is reminded again then.
func (s *FollowUps) Snooze(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, id ID, until time.Time) (*FollowUp, error) {
	f, err := s.opened(ctx, tx, org, id)
	if err != nil {
		return nil, err
	}
	now := s.d.Now()
	if !until.After(now) || until.After(now.AddDate(1, 0, 0)) {
		return nil, fault.Field("until", "A follow-up is put off to a time from now on, within a year. Choose another.")
	}
	was := f.stand()
	f.Snoozed, f.At, f.Late = until, until, until
	f.Snoozes++
	f.rearm(now)
	if err := s.keep(ctx, tx, org.ID, by, f, WasSnoozed, []string{"due"}, was); err != nil {
		return nil, err
	}
	return f, s.seen(ctx, tx, org.ID, f.ID)
}
