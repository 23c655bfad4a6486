package consent

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// Question is a contact that somebody is about to make.
type Question struct {
	Who     Who
	Purpose string
	Channel Channel
	At      time.Time
}

// Check is one rule that a decision looked at.
type Check struct {
	Rule    string `json:"rule"` // purpose, suppression, objection, consent, preference, or a bar's name
	Against bool   `json:"against"`
	Reason  string `json:"reason,omitempty"` // why it is against, a word such as no_consent
	Detail  string `json:"detail,omitempty"` // what it found, without personal data
}

// Decision is the answer of a gate.
type Decision struct {
	Allowed bool
	Reason  string // of the first rule that is against; "" when allowed
	Rows    []Check
}

// Reasons against a contact.
const (
	NotDeclared   = "purpose_not_declared"
	IsSuppressed  = "suppressed"
	HasObjected   = "objected"
	NoConsent     = "no_consent"
	HasWithdrawn  = "withdrawn"
	HasExpired    = "consent_expired"
	PreferenceOff = "preference_off"
	OutsideHours  = "outside_hours"
	IsRestricted  = "restricted"
	IsMinor       = "minor"
)

// MayContact answers whether a person may be contacted for a purpose on a channel at a time. Every rule is looked at, so
// that the answer shows all that stands against the contact.
func (s *Consents) MayContact(ctx context.Context, org account.OrgID, who Who, purpose string, channel Channel, at time.Time) (Decision, error) {
	var d Decision
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		d, _, err = s.ask(ctx, tx, org, Question{who, purpose, channel, at})
		return err
	})
	return d, err
}

// Decide is MayContact for a contact that is really due: the answer is kept, in the transaction that sends or dials.
func (s *Consents) Decide(ctx context.Context, tx *db.Tx, org account.OrgID, q Question) (Decision, error) {
	d, person, err := s.ask(ctx, tx, org, q)
	if err != nil {
		return d, err
	}
	checks, err := json.Marshal(d.Rows)
	if err != nil {
		return d, err
	}
	allowed := 0
	if d.Allowed {
		allowed = 1
	}
	_, err = tx.Exec(ctx, `INSERT INTO contact_decisions (org_id, id, person, purpose, channel, allowed, reason, checks, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		org, id.New("dec"), person, q.Purpose, q.Channel, allowed, d.Reason, string(checks), q.At.UnixMilli())
	return d, err
}

func (s *Consents) ask(ctx context.Context, c db.Conn, org account.OrgID, q Question) (d Decision, person string, err error) {
	purposes, err := s.Purposes(ctx, org)
	if err != nil {
		return d, "", err
	}
	if err := checkChannel(q.Purpose, q.Channel, purposes); err != nil {
		return d, "", err
	}
	if q.Who, err = s.full(ctx, c, org, q.Who); err != nil {
		return d, "", err
	}
	if person, err = s.person(ctx, c, org, q.Who); err != nil {
		return d, "", err
	}
	if !unstoppable(q.Purpose) {
		if err := s.choices(ctx, c, org, q, person, purposes, &d); err != nil {
			return d, "", err
		}
	}
	for _, bar := range s.Bars {
		check, err := bar(ctx, c, org, q)
		if err != nil {
			return d, "", err
		}
		d.Rows = append(d.Rows, check)
	}
	d.settle()
	return d, person, nil
}

// checkChannel refuses a channel that is none. A purpose that is a use without a contact has none.
func checkChannel(purpose string, channel Channel, purposes []Purpose) error {
	if slices.ContainsFunc(purposes, func(p Purpose) bool { return p.Key == purpose && p.Plain }) {
		if channel == None {
			return nil
		}
		return fault.Field("channel", "The purpose %s is a use without a contact: leave the channel out.", purpose)
	}
	_, err := ParseChannel(string(channel))
	return err
}

// choices looks at what the person said.
func (s *Consents) choices(ctx context.Context, c db.Conn, org account.OrgID, q Question, person string, purposes []Purpose, d *Decision) error {
	i := slices.IndexFunc(purposes, func(p Purpose) bool { return p.Key == q.Purpose })
	if i < 0 {
		d.Rows = append(d.Rows, Check{Rule: "purpose", Against: true, Reason: NotDeclared, Detail: q.Purpose})
		return nil
	}
	basis := purposes[i].Basis
	d.Rows = append(d.Rows, Check{Rule: "purpose", Detail: string(basis)})
	suppressed, err := s.Suppressions(ctx, c, org, q.Who)
	if err != nil {
		return err
	}
	row := Check{Rule: "suppression"}
	for _, e := range suppressed {
		if e.Scope.stops(q.Purpose, q.Channel) {
			row.Against, row.Reason, row.Detail = true, IsSuppressed, e.Source
		}
	}
	d.Rows = append(d.Rows, row)
	under, err := s.checkAge(ctx, c, org, q, basis)
	if err != nil {
		return err
	}
	d.Rows = append(d.Rows, under)
	var said *Entry
	if person != "" {
		all, err := s.entries(ctx, c, org, person)
		if err != nil {
			return err
		}
		said = latest(all, q.Purpose, q.Channel, "")
	}
	d.Rows = append(d.Rows, checkObjection(said), checkConsent(said, basis, q.At))
	return nil
}

func checkObjection(said *Entry) Check {
	out := Check{Rule: "objection"}
	if said != nil && said.State == Objected {
		out.Against, out.Reason, out.Detail = true, HasObjected, said.ID
	}
	return out
}

// checkConsent looks for consent where the purpose needs it, and otherwise for a wish not to be contacted this way.
func checkConsent(said *Entry, basis Basis, at time.Time) Check {
	if basis != ByConsent {
		out := Check{Rule: "preference"}
		if said != nil && said.State == Withdrawn {
			out.Against, out.Reason, out.Detail = true, PreferenceOff, said.ID
		}
		return out
	}
	out := Check{Rule: "consent", Against: true, Reason: NoConsent}
	if said == nil {
		return out
	}
	out.Detail = said.ID
	switch {
	case said.Effective(at):
		out.Against, out.Reason = false, ""
	case said.State == Withdrawn:
		out.Reason = HasWithdrawn
	case said.State == Given:
		out.Reason = HasExpired
	}
	return out
}

func (d *Decision) settle() {
	d.Allowed = true
	for _, r := range d.Rows {
		if r.Against && d.Allowed {
			d.Allowed, d.Reason = false, r.Reason
		}
	}
}

// Kept is a decision as it was kept.
type Kept struct {
	Decision
	Purpose string
	Channel Channel
	At      time.Time
}

// Decisions lists the latest answers about a person, newest first, at most 100.
func (s *Consents) Decisions(ctx context.Context, c db.Conn, org account.OrgID, who Who) ([]Kept, error) {
	person, err := s.person(ctx, c, org, who)
	if err != nil || person == "" {
		return nil, err
	}
	return db.Select(ctx, c, func(r db.Scanner) (k Kept, err error) {
		var allowed int
		var checks string
		var at int64
		if err := r.Scan(&k.Purpose, &k.Channel, &allowed, &k.Reason, &checks, &at); err != nil {
			return k, err
		}
		k.Allowed, k.At = allowed == 1, time.UnixMilli(at)
		if err := json.Unmarshal([]byte(checks), &k.Rows); err != nil {
			return k, fault.Wrap(fault.Internal, err, "A decision that was kept cannot be read.")
		}
		return k, nil
	}, `SELECT purpose, channel, allowed, reason, checks, at_ms FROM contact_decisions WHERE org_id = $1 AND person = $2 ORDER BY at_ms DESC, id DESC LIMIT 100`, org, person)
}
