package followup

import (
	"cmp"
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
)

// Reason says why somebody is to be called, or something to be done, now. In the order of their weight:
type Reason string

// The reasons.
const (
	PromiseBroken Reason = "promise_broken" // a call-back was promised for At, and that is over
	MissedWaits   Reason = "missed_waits"   // they called at At, Count times, reached nobody and wait
	AnswerDue     Reason = "answer_due"     // a new lead, made at At, has had no answer yet
	IsDue         Reason = "due"            // planned for At
	Untouched     Reason = "untouched"      // a lead, brought in at At, that nobody has called yet
	IsStale       Reason = "stale"          // a lead without a touch since At, and nothing planned
)

// Reasons lists them, the weightiest first.
func Reasons() []Reason {
	return []Reason{PromiseBroken, MissedWaits, AnswerDue, IsDue, Untouched, IsStale}
}

// weight is what a reason is worth; what comes on top never makes up for a weightier one.
func (r Reason) weight() int { return (len(Reasons()) - slices.Index(Reasons(), r)) * (mostUrgent + 1) }

// mostUrgent is the most that comes on top of a reason's weight.
const mostUrgent = 9999

// Missed is a caller who reached nobody and is for a member to call back.
type Missed struct {
	Number  number.ID
	Contact contact.ID // "" = nobody we know
	Lead    lead.ID    // their open lead; "" = none
	Name    string     // as phones know it, where nobody is known
	Since   time.Time  // of the last unattended call
	Calls   int
	Waited  time.Duration // of working time
	Left    time.Duration // of the working time there is to call back; negative when it is over
}

// Points are a part of an item's score: what for, how many, and the figure behind it.
type Points struct {
	For    string // "reason", "late_minutes", "waited_minutes", "soon_minutes", "new_hours" or "idle_days"
	Points int
	N      int64
}

// Why a number is not to be called.
const (
	StopRestricted = "restricted" // the person's data may be kept and not used: neither name nor number is told
	StopSuppressed = "suppressed" // the person does not want to be called
	StopMissing    = "missing"    // there is none
)

// Dial is the number to be called. Where Stopped is set, it is not.
type Dial struct {
	Number  number.ID
	Text    string // canonical; "" when it may not be told
	Stopped string // one of the constants above, or what Sources.Stopped said; "" = it may be called
}

// Item is one line of somebody's day.
type Item struct {
	Reason Reason
	At     time.Time
	AllDay bool          // At is the beginning of working hours on a day that is meant as a whole
	Count  int           // of calls, for MissedWaits
	Waited time.Duration // working time since At; 0 where At is to come
	Left   time.Duration // working time until it should be done, negative when that is over; for MissedWaits and AnswerDue
	Score  int
	Parts  []Points // what the score is made of
	Also   []Reason // further reasons to call the same person

	Contact  contact.ID
	Lead     lead.ID
	FollowUp *FollowUp // nil where none is behind it
	Name     string
	Company  string
	Dial     Dial
}

// mostItems bounds each part of a day.
const mostItems = 100

// MyDay lists what a member is to do next, the most urgent first: overdue call-backs that were promised, missed callers, new leads
// without an answer, what is due until the end of the day, leads that nobody has called yet, and stale ones. A person comes
// once, with the weightiest reason. Tasks come besides.
func (s *FollowUps) MyDay(ctx context.Context, org *account.Org, m account.MemberID, now time.Time) ([]Item, error) {
	var missed []Missed
	if s.src.Missed != nil {
		var err error
		if missed, err = s.src.Missed(ctx, org, m, now); err != nil {
			return nil, err
		}
	}
	var d *day
	err := s.d.DB.Read(ctx, func(tx *db.Tx) error {
		set, err := s.Settings(ctx, tx, org.ID)
		if err != nil {
			return err
		}
		d = &day{s: s, org: org, member: m, now: now, set: set, ends: (civil.DayOf(now, org.Location()) + 1).Start(org.Location())}
		return d.gather(ctx, tx, missed)
	})
	if err != nil {
		return nil, err
	}
	return d.items, s.stop(ctx, org, d.items)
}

// day is a member's day as it is put together.
type day struct {
	s      *FollowUps
	org    *account.Org
	member account.MemberID
	now    time.Time
	ends   time.Time
	set    Settings
	items  []Item
}

func (d *day) gather(ctx context.Context, tx *db.Tx, missed []Missed) error {
	due, err := db.Select(ctx, tx, d.s.scan(ctx, d.org.ID), `SELECT `+columns+` FROM follow_ups WHERE org_id = $1 AND owner = $2 AND state = 0 AND at_ms < $3
		ORDER BY at_ms, follow_up LIMIT $4`, d.org.ID, d.member, millis(d.ends), 2*mostItems)
	if err != nil {
		return err
	}
	for _, f := range due {
		d.planned(f)
	}
	for i := range missed[:min(len(missed), mostItems)] {
		d.missed(&missed[i])
	}
	for _, part := range []struct {
		until time.Time
		add   func(l *lead.Lead)
		where string
	}{
		{d.ends, d.dueLead, `due_ms > 0 AND due_ms < $3 AND NOT EXISTS (SELECT 1 FROM follow_ups f WHERE f.org_id = leads.org_id AND f.lead = leads.lead AND f.lead <> '' AND f.state = 0) ORDER BY due_ms, lead`},
		{d.ends, d.fresh, `attempts = 0 AND first_ms = 0 AND (due_ms = 0 OR due_ms < $3) ORDER BY CASE WHEN import = '' THEN 0 ELSE 1 END, made_ms DESC, lead`},
		{d.now.AddDate(0, 0, -d.set.Stale), d.stale, `(attempts > 0 OR first_ms > 0) AND due_ms = 0 AND CASE WHEN last_ms = 0 THEN made_ms ELSE last_ms END < $3 ORDER BY CASE WHEN last_ms = 0 THEN made_ms ELSE last_ms END, lead`},
	} {
		leads, err := d.leads(ctx, tx, part.where, part.until)
		if err != nil {
			return err
		}
		for _, l := range leads {
			part.add(l)
		}
	}
	return d.dress(ctx, tx)
}

// leads gives open leads of the member.
func (d *day) leads(ctx context.Context, tx *db.Tx, where string, until time.Time) ([]*lead.Lead, error) {
	ids, err := db.Select(ctx, tx, func(r db.Scanner) (id lead.ID, err error) { return id, r.Scan(&id) },
		`SELECT lead FROM leads WHERE org_id = $1 AND owner = $2 AND state = 0 AND `+where+` LIMIT $4`, d.org.ID, d.member, millis(until), mostItems)
	if err != nil {
		return nil, err
	}
	all, err := d.s.d.Leads.Load(ctx, tx, d.org.ID, ids...)
	out := make([]*lead.Lead, 0, len(ids))
	for _, id := range ids {
		if l := all[id]; l != nil {
			out = append(out, l)
		}
	}
	return out, err
}

// add puts an item in, with what it scores on top of its reason.
func (d *day) add(it Item, what string, points, n int64) {
	top := int(min(max(points, 0), mostUrgent))
	it.Parts = []Points{{For: "reason", Points: it.Reason.weight()}, {For: what, Points: top, N: n}}
	it.Score = it.Reason.weight() + top
	d.items = append(d.items, it)
}

// late adds an item that counts by working time.
func (d *day) late(it Item, what string) {
	minutes := int64(it.Waited / time.Minute)
	d.add(it, what, minutes, minutes)
}

// planned adds a follow-up.
func (d *day) planned(f *FollowUp) {
	it := Item{Reason: IsDue, At: f.At, AllDay: f.AllDay && f.Snoozed.IsZero(), Contact: f.Contact, Lead: f.Lead, FollowUp: f}
	over := f.Overdue(d.now)
	if over {
		it.Waited = d.org.WorkingTime(f.Late, d.now)
	}
	switch {
	case over && f.Kind == Promised:
		it.Reason = PromiseBroken
		d.late(it, "late_minutes")
	case over:
		late := int64(it.Waited / time.Minute)
		d.add(it, "late_minutes", dayMinutes+late, late)
	default:
		soon := max(0, int64(it.At.Sub(d.now)/time.Minute))
		d.add(it, "soon_minutes", dayMinutes-soon, soon)
	}
}

// dayMinutes parts what is overdue from what is due later on the same day, however long that is.
const dayMinutes = 25 * 60

func (d *day) missed(m *Missed) {
	it := Item{Reason: MissedWaits, At: m.Since, Count: m.Calls, Waited: m.Waited, Left: m.Left, Contact: m.Contact, Lead: m.Lead, Name: m.Name, Dial: Dial{Number: m.Number}}
	d.late(it, "waited_minutes")
}

// dueLead adds a lead on which something is due that no follow-up speaks of.
func (d *day) dueLead(l *lead.Lead) {
	it := Item{Reason: IsDue, At: l.Due, Contact: l.Contact, Lead: l.ID}
	if soon := int64(l.Due.Sub(d.now) / time.Minute); soon > 0 {
		d.add(it, "soon_minutes", dayMinutes-soon, soon)
		return
	}
	it.Waited = d.org.WorkingTime(l.Due, d.now)
	late := int64(it.Waited / time.Minute)
	d.add(it, "late_minutes", dayMinutes+late, late)
}

// fresh adds a lead that nobody has called. One that came by itself waits for an answer; one of an imported list does not.
func (d *day) fresh(l *lead.Lead) {
	it := Item{Reason: AnswerDue, At: l.Made, Contact: l.Contact, Lead: l.ID, Waited: d.org.WorkingTime(l.Made, d.now)}
	if l.Import == "" {
		it.Left = time.Duration(d.set.Response)*time.Minute - it.Waited
		d.late(it, "waited_minutes")
		return
	}
	it.Reason = Untouched
	hours := int64(d.now.Sub(l.Made) / time.Hour)
	d.add(it, "new_hours", mostUrgent-hours, hours) // the newest are reached best
}

func (d *day) stale(l *lead.Lead) {
	it := Item{Reason: IsStale, At: l.Last, Contact: l.Contact, Lead: l.ID}
	if it.At.IsZero() {
		it.At = l.Made
	}
	days := int64(d.now.Sub(it.At) / (24 * time.Hour))
	d.add(it, "idle_days", days, days)
}

// dress puts the items in order, each person once, and says who they are and what to dial.
func (d *day) dress(ctx context.Context, tx *db.Tx) error {
	ids := make([]contact.ID, 0, len(d.items))
	for _, it := range d.items {
		if it.Contact != "" {
			ids = append(ids, it.Contact)
		}
	}
	people, err := d.s.d.Contacts.Load(ctx, tx, d.org.ID, ids...)
	if err != nil {
		return err
	}
	for i := range d.items {
		if one := people[d.items[i].Contact]; one != nil {
			d.items[i].Contact = one.ID // of several that were merged, the one that is left
		}
	}
	d.sort()
	return d.number(ctx, tx, people)
}

// sort orders the items and leaves of each person the weightiest. Tasks stay, since a call does not do them.
func (d *day) sort() {
	slices.SortStableFunc(d.items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), a.At.Compare(b.At), cmp.Compare(a.Lead, b.Lead), cmp.Compare(a.Dial.Number, b.Dial.Number))
	})
	first := map[contact.ID]int{}
	var out []Item
	for _, it := range d.items {
		if it.Contact == "" || it.FollowUp != nil && it.FollowUp.Kind == Task {
			out = append(out, it)
			continue
		}
		i, there := first[it.Contact]
		if !there {
			first[it.Contact] = len(out)
			out = append(out, it)
			continue
		}
		one := &out[i]
		if it.Reason != one.Reason && !slices.Contains(one.Also, it.Reason) {
			one.Also = append(one.Also, it.Reason)
		}
		if one.FollowUp == nil { // so that the call can settle it
			one.FollowUp = it.FollowUp
		}
		if one.Lead == "" {
			one.Lead = it.Lead
		}
	}
	d.items = out
}

// number says who each item is about and which number to dial: the one that called, or the person's first.
func (d *day) number(ctx context.Context, tx *db.Tx, people map[contact.ID]*contact.Contact) error {
	kept, err := d.s.d.Book.Excluded(ctx, tx, d.org.ID)
	if err != nil {
		return err
	}
	byID := make(map[contact.ID]*contact.Contact, len(people))
	var nums []number.ID
	for _, one := range people {
		byID[one.ID] = one
		nums = append(nums, one.Nums...)
	}
	for i := range d.items {
		if n := d.items[i].Dial.Number; n != number.Withheld {
			nums = append(nums, n)
		}
	}
	slices.Sort(nums)
	texts, err := d.s.d.Book.Texts(ctx, tx, d.org.ID, slices.Compact(nums))
	if err != nil {
		return err
	}
	for i := range d.items {
		it := &d.items[i]
		one := byID[it.Contact]
		if it.restricted(one, kept.Restricted) {
			it.Name, it.Company, it.Dial = "", "", Dial{Stopped: StopRestricted}
			if it.FollowUp != nil {
				f := *it.FollowUp
				f.Text, f.Result = "", ""
				it.FollowUp = &f
			}
			continue
		}
		if one != nil {
			it.Name, it.Company = one.Name(), one.Person.Company
		}
		if it.Dial.Number == number.Withheld {
			it.Dial.Number = firstNumber(one, texts)
		}
		if it.Dial.Text = texts[it.Dial.Number]; it.Dial.Text == "" {
			it.Dial = Dial{Stopped: StopMissing}
		}
	}
	return nil
}

func (it *Item) restricted(one *contact.Contact, restricted map[number.ID]bool) bool {
	if restricted[it.Dial.Number] {
		return true
	}
	return one != nil && slices.ContainsFunc(one.Nums, func(n number.ID) bool { return restricted[n] })
}

// firstNumber is the number that a person gave first.
func firstNumber(one *contact.Contact, texts map[number.ID]string) number.ID {
	if one == nil {
		return number.Withheld
	}
	for _, p := range one.Person.Numbers {
		for _, n := range one.Nums {
			if texts[n] == p.Text {
				return n
			}
		}
	}
	return number.Withheld
}

// stop marks the numbers that are not to be called.
func (s *FollowUps) stop(ctx context.Context, org *account.Org, items []Item) error {
	if s.src.Stopped == nil {
		return nil
	}
	texts := map[number.ID]string{}
	for _, it := range items {
		if it.Dial.Text != "" {
			texts[it.Dial.Number] = it.Dial.Text
		}
	}
	why, err := s.src.Stopped(ctx, org, texts)
	for i := range items {
		if w := why[items[i].Dial.Number]; w != "" && items[i].Dial.Text != "" {
			items[i].Dial.Stopped = w
		}
	}
	return err
}
