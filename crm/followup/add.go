package followup

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/trust/freetext"
)

// maxText is how long words may be, in characters.
const maxText = 2000

// New is a follow-up to be made.
type New struct {
	Kind    Kind
	Contact contact.ID       // "" = the lead's
	Lead    lead.ID          // "" = none
	Owner   account.MemberID // "" = whoever makes it
	// Due is when it is to be done; zero = some time on Day.
	Due       time.Time
	Day       civil.Day
	Text      string
	Reminders *[]int // minutes before; nil = as the organisation's settings have it
	Repeat    Repeat
}

// Add makes a follow-up. A colleague to whom it is given finds a notice.
func (s *FollowUps) Add(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, n New) (*FollowUp, error) {
	f := &FollowUp{ID: ID(id.New("fol")), Kind: n.Kind, Owner: n.Owner, Made: s.d.Now(), MadeBy: by}
	if f.Owner == "" {
		f.Owner = by
	}
	if !slices.Contains(Kinds(), n.Kind) {
		return nil, fault.Field("kind", "%q is no kind of follow-up. Choose call, callback_promised or task.", string(n.Kind))
	}
	if err := s.setWho(ctx, tx, org.ID, f, n.Contact, n.Lead); err != nil {
		return nil, err
	}
	if f.Owner == "" {
		return nil, fault.Field("owner", "Say who is to do it.")
	}
	if err := checkOwner(ctx, tx, org.ID, "owner", f.Owner); err != nil {
		return nil, err
	}
	var err error
	if f.Text, err = cleanText("text", n.Text); err != nil {
		return nil, err
	}
	if err := f.setDue(org, s.d.Now(), n.Due, n.Day); err != nil {
		return nil, err
	}
	if f.Reminders, err = s.reminders(ctx, tx, org.ID, n.Reminders); err != nil {
		return nil, err
	}
	if f.Repeat, err = n.Repeat.check(f.Day); err != nil {
		return nil, err
	}
	if f.Repeat.Unit != Once {
		f.Series, f.Nth = f.ID, 1
	}
	f.arm(s.d.Now())
	if err := s.keep(ctx, tx, org.ID, by, f, Added, []string{"text", "due", "owner", "reminders", "repeat"}, nil); err != nil {
		return nil, err
	}
	return f, s.given(ctx, tx, org, by, f)
}

// setWho settles whom a follow-up is about. Somebody whose data is restricted is about nobody's work.
func (s *FollowUps) setWho(ctx context.Context, c db.Conn, org account.OrgID, f *FollowUp, who contact.ID, about lead.ID) error {
	if about != "" {
		leads, err := s.d.Leads.Load(ctx, c, org, about)
		if err != nil {
			return err
		}
		l := leads[about]
		if l == nil {
			return fault.New(fault.NotFound, "There is no lead %q here. It may have been deleted.", string(about))
		}
		f.Lead = about
		if who == "" {
			who = l.Contact
		} else if err := s.sameContact(ctx, c, org, who, l.Contact); err != nil {
			return err
		}
		if f.Owner == "" {
			f.Owner = l.Owner
		}
	}
	if who == "" {
		return fault.Field("contact", "Say whom the follow-up is about: a contact or a lead.")
	}
	found, err := s.d.Contacts.Load(ctx, c, org, who)
	if err != nil {
		return err
	}
	one := found[who]
	if one == nil {
		return fault.New(fault.NotFound, "There is no contact %q here. They may have been erased.", string(who))
	}
	f.Contact, f.Subject = one.ID, one.Subject
	if f.Owner == "" {
		f.Owner = one.Owner
	}
	return s.d.Contacts.CheckUse(ctx, c, org, one)
}

// sameContact refuses a lead of another contact.
func (s *FollowUps) sameContact(ctx context.Context, c db.Conn, org account.OrgID, a, b contact.ID) error {
	found, err := s.d.Contacts.Load(ctx, c, org, a, b)
	if err != nil {
		return err
	}
	if x, y := found[a], found[b]; x != nil && y != nil && x.ID != y.ID {
		return fault.Field("lead", "The lead is one of another contact. Choose one of this contact's leads.")
	}
	return nil
}

func cleanText(field, text string) (string, error) {
	text = strings.TrimSpace(strings.ToValidUTF8(text, ""))
	if n := utf8.RuneCountInString(text); n > maxText {
		return "", fault.Field(field, "The text has %d characters; at most %d fit. Shorten it.", n, maxText)
	}
	return text, freetext.Check(field, text)
}

// setDue says for when a follow-up is planned: an instant, or a day. What was put off is so no more.
func (f *FollowUp) setDue(org *account.Org, now, due time.Time, day civil.Day) error {
	zone := org.Location()
	switch {
	case !due.IsZero():
		f.Day, f.minute = civil.DayOf(due, zone), minuteOf(due, zone)
		f.Due = due.Truncate(time.Minute)
	case day != 0:
		f.Day, f.minute = day, -1
		f.Due = opening(org, day)
	default:
		return fault.Field("due", "Say when it is to be done: a time, or a day.")
	}
	if today := civil.DayOf(now, zone); f.Day < today-maxPast || f.Day > today+maxAhead {
		return fault.Field("due", "A follow-up is due within the last year or the next ten; %s is outside.", f.Day)
	}
	f.AllDay = f.minute < 0
	f.settleAt(org)
	return nil
}

// maxPast is how many days back something may have been due.
const maxPast = 366

// settleAt sets when a follow-up that is not put off is to be done: something for a whole day is overdue when that has ended.
func (f *FollowUp) settleAt(org *account.Org) {
	f.At, f.Late, f.Snoozed = f.Due, f.Due, time.Time{}
	if f.AllDay {
		f.Late = (f.Day + 1).Start(org.Location())
	}
}

// arm sets when a follow-up that was planned just now is spoken of first: what is planned for so soon that no reminder lies before
// it is spoken of when it is due.
func (f *FollowUp) arm(now time.Time) {
	if f.rearm(now); f.remind.IsZero() && f.State == Open && len(f.Reminders) > 0 && f.At.After(now) {
		f.remind = f.At
	}
}

// rearm sets when a follow-up is spoken of next: at the first reminder after a moment.
func (f *FollowUp) rearm(after time.Time) {
	f.remind = time.Time{}
	if f.State != Open {
		return
	}
	for _, m := range f.Reminders {
		if at := f.At.Add(-time.Duration(m) * time.Minute); at.After(after) {
			f.remind = at
			return
		}
	}
	if !f.Snoozed.IsZero() && f.At.After(after) { // whoever puts something off wants to hear of it again
		f.remind = f.At
	}
}

func (s *FollowUps) reminders(ctx context.Context, c db.Conn, org account.OrgID, wanted *[]int) ([]int, error) {
	if wanted != nil {
		return checkReminders(*wanted)
	}
	set, err := s.Settings(ctx, c, org)
	return set.Reminders, err
}

// Change is what is to change about a follow-up; nil leaves a field as it is.
type Change struct {
	Kind      *Kind
	Text      *string
	Due       *time.Time // and no day
	Day       *civil.Day // the whole of it
	Reminders *[]int
	Repeat    *Repeat // from this one on
}

// Change changes an open follow-up. rev is the one that the editor saw, 0 = as it is now; when somebody changed one of the same
// fields since, it is a Conflict that says who and when.
func (s *FollowUps) Change(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, id ID, rev int64, ch Change) (*FollowUp, error) {
	f, err := s.opened(ctx, tx, org, id)
	if err != nil {
		return nil, err
	}
	fields, err := s.apply(ctx, tx, org, f, ch)
	if err != nil || len(fields) == 0 {
		return f, err
	}
	if err := s.stale(ctx, tx, org, f, rev, fields); err != nil {
		return nil, err
	}
	return f, s.keep(ctx, tx, org.ID, by, f, Changed, fields, nil)
}

// opened gives an open follow-up for a change. Of one that has ended it says who ended it.
func (s *FollowUps) opened(ctx context.Context, tx *db.Tx, org *account.Org, id ID) (*FollowUp, error) {
	f, err := s.locked(ctx, tx, org.ID, id)
	if err != nil {
		return nil, err
	}
	if f.State != Open {
		who, err := nameOf(ctx, tx, org.ID, f.EndedBy)
		if err != nil {
			return nil, err
		}
		return nil, fault.New(fault.Conflict, "%s marked this follow-up as %s on %s. Take that back first if it is not right.", who, f.State, written(f.Ended, org))
	}
	return f, nil
}

// apply writes a Change into a follow-up, and gives the names of the fields that changed.
func (s *FollowUps) apply(ctx context.Context, tx *db.Tx, org *account.Org, f *FollowUp, ch Change) (fields []string, err error) {
	if ch.Kind != nil && *ch.Kind != f.Kind {
		if !slices.Contains(Kinds(), *ch.Kind) {
			return nil, fault.Field("kind", "%q is no kind of follow-up. Choose call, callback_promised or task.", string(*ch.Kind))
		}
		f.Kind, fields = *ch.Kind, append(fields, "kind")
	}
	if ch.Text != nil {
		text, err := cleanText("text", *ch.Text)
		if err != nil {
			return nil, err
		}
		if text != f.Text {
			if err := s.askWords(ctx, tx, org.ID, f); err != nil {
				return nil, err
			}
			f.Text, fields = text, append(fields, "text")
		}
	}
	if ch.Reminders != nil {
		minutes, err := checkReminders(*ch.Reminders)
		if err != nil {
			return nil, err
		}
		if !slices.Equal(minutes, f.Reminders) {
			f.Reminders, fields = minutes, append(fields, "reminders")
		}
	}
	if ch.Due != nil || ch.Day != nil {
		if err := f.replan(org, s.d.Now(), ch); err != nil {
			return nil, err
		}
		fields = append(fields, "due")
	}
	if ch.Repeat != nil {
		if err := f.rerun(*ch.Repeat); err != nil {
			return nil, err
		}
		fields = append(fields, "repeat")
	}
	if slices.Contains(fields, "due") || slices.Contains(fields, "reminders") {
		f.arm(s.d.Now())
	}
	return fields, nil
}

// replan plans a follow-up for another time. A manager who was told of it once is told again when it stays undone again.
func (f *FollowUp) replan(org *account.Org, now time.Time, ch Change) error {
	var due time.Time
	var day civil.Day
	if ch.Due != nil {
		due = *ch.Due
	} else {
		day = *ch.Day
	}
	f.Escalated = time.Time{}
	return f.setDue(org, now, due, day)
}

// rerun makes a follow-up the first of a new series, or the last of its own.
func (f *FollowUp) rerun(r Repeat) (err error) {
	if f.Repeat, err = r.check(f.Day); err != nil {
		return err
	}
	f.Series, f.Nth = "", 0
	if f.Repeat.Unit != Once {
		f.Series, f.Nth = ID(id.New("ser")), 1
	}
	return nil
}
