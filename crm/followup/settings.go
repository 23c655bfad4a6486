package followup

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/freetext"
)

// Settings say how an organisation works with leads: what calls can come to, what must be said of them, and when somebody
// is reminded, told or waited for. They are the one place for all of this, whoever keeps what is said.
type Settings struct {
	Outcomes []Outcome `json:"outcomes"` // retired ones last
	// AfterConnected and AfterTried are since when an outcome must be said of a connected call with an open lead, and of one
	// that tried to reach it in vain; zero = it need not be.
	AfterConnected time.Time `json:"after_connected,omitzero"`
	AfterTried     time.Time `json:"after_tried,omitzero"`

	Reminders []int `json:"reminders"` // minutes before, the most first, of follow-ups that do not say others
	Mail      bool  `json:"mail"`      // reminders go out by mail, too
	Escalate  int   `json:"escalate"`  // working hours until a manager hears of an overdue follow-up; 0 = never
	Recovery  int   `json:"recovery"`  // working minutes within which a missed caller is to be called back
	Response  int   `json:"response"`  // working minutes within which a new lead is to be answered
	Stale     int   `json:"stale"`     // days without a touch after which an open lead is stale
	// Details lets calendars that members subscribe to carry names, numbers and words. Whoever has the link reads them.
	Details bool `json:"details"`

	Rev       int64            `json:"-"` // 0 = nobody changed anything yet
	Changed   time.Time        `json:"-"`
	ChangedBy account.MemberID `json:"-"`
}

// Outcome is something that a call can have come to.
type Outcome struct {
	Key     string `json:"key"` // lower-case letters, digits and underscores
	Title   string `json:"title"`
	Next    bool   `json:"next,omitempty"`    // a next step must be agreed
	Retired bool   `json:"retired,omitempty"` // what has it keeps it, and it cannot be chosen any more
}

// Limits of settings.
const (
	maxOutcomes     = 60
	maxOutcomeTitle = 60 // characters
	maxReminders    = 5
	maxBefore       = 28 * 24 * 60 // minutes
	maxEscalate     = 400          // working hours
	maxTarget       = 400 * 60     // working minutes
	maxStale        = 365
)

// UsualSettings are those of an organisation that has not changed anything.
func UsualSettings() Settings {
	return Settings{
		Outcomes: []Outcome{
			{Key: "interested", Title: "Interested", Next: true}, {Key: "call_back", Title: "Call back later", Next: true}, {Key: "not_interested", Title: "Not interested"},
			{Key: "no_answer", Title: "Nobody answered", Next: true}, {Key: "wrong_number", Title: "Wrong number"}, {Key: "do_not_call", Title: "Does not want calls"},
			{Key: "done", Title: "Settled"},
		},
		Reminders: []int{10}, Mail: true, Escalate: 8, Recovery: 60, Response: 60, Stale: 14,
	}
}

// Outcome gives one of the outcomes by its key, retired ones, too.
func (s *Settings) Outcome(key string) (Outcome, bool) {
	i := slices.IndexFunc(s.Outcomes, func(o Outcome) bool { return o.Key == key })
	if i < 0 {
		return Outcome{}, false
	}
	return s.Outcomes[i], true
}

// Owes tells what must still be said of a call with an open lead: its outcome, and the next step when the outcome asks for
// one. said is the key of the outcome, "" when nobody said; next tells whether a next step was agreed, or said to be none.
func (s *Settings) Owes(at time.Time, connected bool, said string, next bool) (outcome, step bool) {
	since := s.AfterTried
	if connected {
		since = s.AfterConnected
	}
	if since.IsZero() || at.Before(since) {
		return false, false
	}
	if said == "" {
		return true, false
	}
	o, _ := s.Outcome(said)
	return false, o.Next && !next
}

// Settings gives an organisation's.
func (s *FollowUps) Settings(ctx context.Context, c db.Conn, org account.OrgID) (Settings, error) {
	out, ok, err := db.One(ctx, c, scanSettings, `SELECT settings, rev, changed_ms, changed_by FROM crm_settings WHERE org_id = $1`, org)
	if err == nil && !ok {
		out = UsualSettings()
	}
	return out, err
}

func scanSettings(r db.Scanner) (s Settings, err error) {
	var text string
	var changed int64
	if err := r.Scan(&text, &s.Rev, &changed, &s.ChangedBy); err != nil {
		return s, err
	}
	s.Changed = moment(changed)
	return s, json.Unmarshal([]byte(text), &s)
}

// NewSettings changes Settings; nil leaves things as they are.
type NewSettings struct {
	Outcomes       *[]Outcome // all that can be chosen from now on; the others are retired
	AfterConnected *bool
	AfterTried     *bool
	Reminders      *[]int
	Mail           *bool
	Escalate       *int
	Recovery       *int
	Response       *int
	Stale          *int
	Details        *bool
}

// SetSettings changes an organisation's settings. What must be said of calls counts from when it was switched on: nothing is
// owed for earlier ones. by needs manage_pipelines. rev is the one that by saw; another is a Conflict.
func (s *FollowUps) SetSettings(ctx context.Context, by *account.Actor, rev int64, in NewSettings) (Settings, error) {
	if err := by.Require(account.ManagePipelines); err != nil {
		return Settings{}, err
	}
	var out Settings
	err := s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		had, err := s.Settings(ctx, tx, by.Org.ID)
		if err != nil {
			return err
		}
		if had.Rev != rev {
			return s.staleSettings(ctx, tx, by.Org, &had)
		}
		now := s.d.Now()
		if out, err = had.with(in, now); err != nil {
			return err
		}
		out.Rev, out.Changed, out.ChangedBy = had.Rev+1, now, by.Member.ID
		text, err := json.Marshal(out)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO crm_settings (org_id, settings, rev, changed_ms, changed_by) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (org_id) DO UPDATE SET settings = excluded.settings, rev = excluded.rev, changed_ms = excluded.changed_ms, changed_by = excluded.changed_by`,
			by.Org.ID, string(text), out.Rev, now.UnixMilli(), by.Member.ID); err != nil {
			return err
		}
		return s.log(ctx, tx, by.Org.ID, audit.Entry{Actor: string(by.Member.ID), Action: audit.SettingsChanged, Object: "crm_settings"})
	})
	return out, err
}

func (s *FollowUps) staleSettings(ctx context.Context, c db.Conn, org *account.Org, had *Settings) error {
	who, err := nameOf(ctx, c, org.ID, had.ChangedBy)
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, "%s changed these settings on %s. Look at them again before you change them.", who, written(had.Changed, org))
}

// with gives the settings after a change.
func (s Settings) with(in NewSettings, now time.Time) (Settings, error) {
	s.AfterConnected, s.AfterTried = switched(s.AfterConnected, in.AfterConnected, now), switched(s.AfterTried, in.AfterTried, now)
	set(&s.Mail, in.Mail)
	set(&s.Details, in.Details)
	set(&s.Escalate, in.Escalate)
	set(&s.Recovery, in.Recovery)
	set(&s.Response, in.Response)
	set(&s.Stale, in.Stale)
	err := fault.Join(between("escalate", "working hours until a manager is told", s.Escalate, 0, maxEscalate),
		between("recovery", "working minutes until a missed caller is called back", s.Recovery, 1, maxTarget),
		between("response", "working minutes until a new lead is answered", s.Response, 1, maxTarget),
		between("stale", "days until a lead is stale", s.Stale, 1, maxStale))
	if err == nil && in.Reminders != nil {
		s.Reminders, err = checkReminders(*in.Reminders)
	}
	if err == nil && in.Outcomes != nil {
		s.Outcomes, err = newOutcomes(s.Outcomes, *in.Outcomes)
	}
	return s, err
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// switched is since when something is on, once somebody may have switched it.
func switched(since time.Time, on *bool, now time.Time) time.Time {
	switch {
	case on == nil || *on && !since.IsZero():
		return since
	case *on:
		return now
	default:
		return time.Time{}
	}
}

func between(field, what string, n, least, most int) error {
	if n < least || n > most {
		return fault.Field(field, "The %s are between %d and %d; %d is outside.", what, least, most, n)
	}
	return nil
}

// checkReminders puts minutes before into order, the most first.
func checkReminders(in []int) ([]int, error) {
	out := slices.Clone(in)
	slices.SortFunc(out, func(a, b int) int { return cmp.Compare(b, a) })
	out = slices.Compact(out)
	if len(out) > maxReminders {
		return nil, fault.Field("reminders", "A follow-up has at most %d reminders; %d were given.", maxReminders, len(out))
	}
	for _, m := range out {
		if err := between("reminders", "minutes before a follow-up", m, 0, maxBefore); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// newOutcomes puts a list in the place of the one there was. What is not on it any more is retired.
func newOutcomes(had, in []Outcome) ([]Outcome, error) {
	if len(in) == 0 || len(in) > maxOutcomes {
		return nil, fault.Field("outcomes", "A list of outcomes has 1 to %d entries; %d were given.", maxOutcomes, len(in))
	}
	var out []Outcome
	seen := map[string]bool{}
	for i, o := range in {
		o.Title, o.Retired = strings.Join(strings.Fields(strings.ToValidUTF8(o.Title, "")), " "), false
		switch {
		case o.Title == "":
			return nil, fault.Field("outcomes", "Outcome %d has no title. Give it one, or remove it.", i+1)
		case utf8.RuneCountInString(o.Title) > maxOutcomeTitle:
			return nil, fault.Field("outcomes", "The outcome %q has more than %d characters. Shorten it.", o.Title, maxOutcomeTitle)
		case !isKey(o.Key):
			return nil, fault.Field("outcomes", "%q is no key of an outcome. Write 1 to 40 lower-case letters, digits and underscores.", o.Key)
		case seen[o.Key]:
			return nil, fault.Field("outcomes", "The outcome %q is listed twice. Remove one.", o.Key)
		}
		if err := freetext.Check("outcomes", o.Title); err != nil {
			return nil, err
		}
		seen[o.Key] = true
		out = append(out, o)
	}
	for _, o := range had {
		if !seen[o.Key] {
			o.Retired = true
			out = append(out, o)
		}
	}
	return out, nil
}

func isKey(s string) bool {
	return s != "" && len(s) <= 40 && !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' })
}
