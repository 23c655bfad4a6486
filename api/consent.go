package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"parley/account"
	"parley/trust/consent"
)

const tagConsent = "Consent and legal holds"

// PersonText names a person outside. It stands in bodies, so that no number is written into logs of addresses.
type PersonText struct {
	Person string `json:"person" minLength:"1" maxLength:"254" doc:"A phone number, as people of the organisation's country write it, or an e-mail address"`
}

// ContactQuestion is a contact that is about to be made.
type ContactQuestion struct {
	PersonText
	Purpose string     `json:"purpose" minLength:"1" maxLength:"64" doc:"A purpose of the privacy policy, such as marketing"`
	Channel string     `json:"channel,omitempty" enum:"call,sms,email,messenger" doc:"Left out for a purpose that is a use without a contact"`
	At      *time.Time `json:"at,omitempty" doc:"When; now if left out"`
}

// ContactAnswer says whether a contact is allowed.
type ContactAnswer struct {
	Allowed bool            `json:"allowed"`
	Reason  string          `json:"reason,omitempty" doc:"The first rule against it: purpose_not_declared, suppressed, objected, no_consent, withdrawn, consent_expired, preference_off, restricted or outside_hours"`
	Checks  []consent.Check `json:"checks" doc:"Every rule that was looked at"`
}

// Preference is what a person wants for one purpose on one channel.
type Preference struct {
	Purpose string          `json:"purpose"`
	Basis   string          `json:"basis" doc:"Why the policy allows the purpose; consent means that only a yes counts"`
	Channel consent.Channel `json:"channel,omitempty"`
	Wanted  bool            `json:"wanted"`
	Since   *time.Time      `json:"since,omitempty"`
}

// ConsentEntry is one entry of the ledger.
type ConsentEntry struct {
	ID         string           `json:"id"`
	N          int64            `json:"n" doc:"Counted per person, from 1"`
	Purpose    string           `json:"purpose"`
	Channel    consent.Channel  `json:"channel,omitempty"`
	State      consent.State    `json:"state" enum:"given,noticed,withdrawn,objected,used"`
	How        consent.How      `json:"how"`
	Wording    string           `json:"wording,omitempty" doc:"Version of the text"`
	Language   string           `json:"language,omitempty"`
	Recipient  string           `json:"recipient,omitempty"`
	Categories []string         `json:"categories,omitempty"`
	Evidence   string           `json:"evidence,omitempty"`
	RecordedBy account.MemberID `json:"recorded_by,omitempty" doc:"Absent when it was the person themself"`
	At         *time.Time       `json:"at"`
	ExpiresAt  *time.Time       `json:"expires_at,omitempty"`
}

// PersonConsents is what one person said.
type PersonConsents struct {
	Preferences []Preference   `json:"preferences"`
	Ledger      []ConsentEntry `json:"ledger" doc:"Oldest first"`
	Link        string         `json:"link" doc:"Path of the page on which the person chooses without an account; give it to nobody else"`
}

// NewConsent is something that a person said.
type NewConsent struct {
	PersonText
	State     string     `json:"state" enum:"given,withdrawn"`
	Purposes  []string   `json:"purposes" minItems:"1" maxItems:"20"`
	Channels  []string   `json:"channels,omitempty" maxItems:"4" doc:"call, sms, email, messenger; needed for given, unless the purpose is a use without a contact; left out for withdrawn: all"`
	How       string     `json:"how" enum:"spoken,key_press,web_form,paper,import"`
	Wording   string     `json:"wording,omitempty" maxLength:"8000" doc:"The words that the person agreed to; needed for given, unless version names words that were used before"`
	Version   string     `json:"version,omitempty" maxLength:"64" doc:"Version of the words; made from them when left out"`
	Language  string     `json:"language,omitempty" maxLength:"35" doc:"Of the words, such as en or hi"`
	Evidence  string     `json:"evidence,omitempty" maxLength:"2000" doc:"Where the act can be found again; needed for spoken, paper and import"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// Age says whether a person is known as under age.
type Age struct {
	UnderAge bool `json:"under_age"`
}

// NewAge marks a person as under age, or takes the mark back.
type NewAge struct {
	PersonText
	UnderAge bool `json:"under_age" doc:"false takes the mark back"`
}

// NewSuppression is somebody who is not to be contacted.
type NewSuppression struct {
	PersonText
	Purpose string `json:"purpose,omitempty" maxLength:"64" doc:"Left out: every purpose, also later ones"`
	Channel string `json:"channel,omitempty" enum:"call,sms,email,messenger" doc:"Left out: every channel"`
}

func (s *API) consents() {
	handle(s, does(http.MethodPost, "/contact-checks", "check-contact", account.ManagePrivacy, tagConsent, "Ask whether a person may be contacted").
		saying("Looks at the policy, the suppression list, objections, consent, restrictions and the hours at the person's place. Nothing is changed."), s.checkContact)
	handle(s, does(http.MethodPost, "/consents/of", "get-consents", account.ReadPrivacy, tagConsent, "What one person said"), s.consentsOf)
	handle(s, does(http.MethodPost, "/consents", "record-consent", account.ManagePrivacy, tagConsent, "Enter what a person said").
		saying("It counts at once. Taking back needs no wording.").giving(http.StatusNoContent), s.recordConsent)
	handle(s, does(http.MethodPost, "/consents/export", "export-consents", account.ReadPrivacy, tagConsent, "Everything one person said, with proofs").
		saying("The file that \"parley consent verify\" checks anywhere, against the public key of the audit log."), s.exportConsents)
	handle(s, does(http.MethodPost, "/suppressions", "suppress", account.ManagePrivacy, tagConsent, "Put somebody on the suppression list").
		saying("The entry is a keyed hash and outlives an erasure. Only the person lifts it, by wanting something again.").giving(http.StatusNoContent), s.suppress)
	handle(s, does(http.MethodPost, "/minors/of", "get-age", account.ReadPrivacy, tagConsent, "Whether a person is known as under age"), s.ageOf)
	handle(s, does(http.MethodPost, "/minors", "set-age", account.ManagePrivacy, tagConsent, "Mark a person as under age").
		saying("What they agreed to counts for nothing then. The mark is a keyed hash and outlives an erasure.").giving(http.StatusNoContent), s.setAge)
}

func (s *API) ageOf(ctx context.Context, in *struct{ Body PersonText }) (*body[Age], error) {
	org, w, err := who(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	under, err := s.Consents.Minor(ctx, s.DB, org.ID, w)
	return answerOf(Age{under}), err
}

func (s *API) setAge(ctx context.Context, in *struct{ Body NewAge }) (*struct{}, error) {
	org, w, err := who(ctx, in.Body.PersonText)
	if err != nil {
		return nil, err
	}
	return nil, s.Consents.SetMinor(ctx, org.ID, w, in.Body.UnderAge, "api", actorOf(ctx).Member.ID)
}

func who(ctx context.Context, p PersonText) (*account.Org, consent.Who, error) {
	org := callerOf(ctx).org
	w, err := consent.ParseWho(p.Person, org.Country)
	return org, w, err
}

func (s *API) checkContact(ctx context.Context, in *struct{ Body ContactQuestion }) (*body[ContactAnswer], error) {
	org, w, err := who(ctx, in.Body.PersonText)
	if err != nil {
		return nil, err
	}
	when := s.Now()
	if in.Body.At != nil {
		when = *in.Body.At
	}
	d, err := s.Consents.MayContact(ctx, org.ID, w, in.Body.Purpose, consent.Channel(in.Body.Channel), when)
	return answerOf(ContactAnswer{d.Allowed, d.Reason, d.Rows}), err
}

func (s *API) consentsOf(ctx context.Context, in *struct{ Body PersonText }) (*body[PersonConsents], error) {
	org, w, err := who(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	choices, err := s.Consents.Preferences(ctx, org.ID, w)
	if err != nil {
		return nil, err
	}
	entries, err := s.Consents.Ledger(ctx, s.DB, org.ID, w)
	if err != nil {
		return nil, err
	}
	link, err := s.Consents.Link(ctx, org.ID, w)
	if err != nil {
		return nil, err
	}
	out := PersonConsents{Preferences: []Preference{}, Ledger: []ConsentEntry{}, Link: "/preferences/" + link}
	for _, c := range choices {
		out.Preferences = append(out.Preferences, Preference{c.Purpose, string(c.Basis), c.Channel, c.On, at(org, c.Since)})
	}
	for _, e := range entries {
		out.Ledger = append(out.Ledger, ConsentEntry{e.ID, e.N, e.Purpose, e.Channel, e.State, e.How, e.Wording, e.Language, e.Recipient, e.Categories, e.Evidence, e.By, at(org, e.At), at(org, e.Expires)})
	}
	return answerOf(out), nil
}

func (s *API) recordConsent(ctx context.Context, in *struct{ Body NewConsent }) (*struct{}, error) {
	org, w, err := who(ctx, in.Body.PersonText)
	if err != nil {
		return nil, err
	}
	b := in.Body
	c := consent.Change{Who: w, Purposes: b.Purposes, State: consent.State(b.State), How: consent.How(b.How), Evidence: b.Evidence, By: actorOf(ctx).Member.ID,
		Wording: consent.Wording{Version: b.Version, Language: b.Language, Text: b.Wording}}
	for _, word := range b.Channels {
		c.Channels = append(c.Channels, consent.Channel(word))
	}
	if c.State == consent.Withdrawn {
		c.Wording = consent.Wording{}
	}
	if b.ExpiresAt != nil {
		c.Expires = *b.ExpiresAt
	}
	return nil, s.Consents.Record(ctx, org.ID, c)
}

func (s *API) exportConsents(ctx context.Context, in *struct{ Body PersonText }) (*body[json.RawMessage], error) {
	org, w, err := who(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	x, err := s.Consents.Export(ctx, org, w)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(x)
	return answerOf(json.RawMessage(text)), err
}

func (s *API) suppress(ctx context.Context, in *struct{ Body NewSuppression }) (*struct{}, error) {
	org, w, err := who(ctx, in.Body.PersonText)
	if err != nil {
		return nil, err
	}
	return nil, s.Consents.Block(ctx, org.ID, w, consent.Scope{Purpose: in.Body.Purpose, Channel: consent.Channel(in.Body.Channel)}, "api", actorOf(ctx).Member.ID)
}
