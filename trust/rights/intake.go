package rights

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/phone"
	"parley/trust/subject"
)

// Sizes of what people write.
const (
	maxText    = 5000
	maxName    = 100
	maxAddress = 254 // RFC 5321, 4.5.3.1.3
	maxWords   = 20  // purposes
)

// secretBytes of randomness in the link to a request's page cannot be guessed.
const secretBytes = 24

// Submit takes a request from the public page. from is the network address it came from. The secret leads to the
// request's page. What is answered, and how long that takes, does not depend on what is kept: nothing is looked up.
func (r *Rights) Submit(ctx context.Context, org *account.Org, a Ask, from string) (secret string, q *Request, err error) {
	a.Channel, a.Received = Page, time.Time{}
	if q, err = r.read(org, a); err != nil {
		return "", nil, err
	}
	if q.Contact.IsZero() && q.Kind != Complaint {
		return "", nil, fault.Field("contact", "Give the e-mail address or the phone number that your request is about: we find your data by it, and check that it is yours.")
	}
	if err := r.count(ctx, org.ID, limit{"requests", from, 20, time.Hour}); err != nil {
		return "", nil, err
	}
	if secret, err = r.enter(ctx, org, q, person); err != nil {
		return "", nil, err
	}
	if q.Contact.Email != "" {
		err = r.sendCode(ctx, q)
	}
	return secret, q, err
}

// Take enters a request that came by mail, by phone or through a program. Its clock runs from the day on which it was
// received. Where the person has an e-mail address, receipt is confirmed with the link to the page of the request.
func (r *Rights) Take(ctx context.Context, by *account.Actor, a Ask) (*Request, error) {
	if err := officer(by); err != nil {
		return nil, err
	}
	if a.Channel != Mail && a.Channel != Phone && a.Channel != API {
		return nil, fault.Field("channel", "%q is no way by which a request is entered. Choose mail, phone or api.", a.Channel)
	}
	q, err := r.read(by.Org, a)
	if err != nil {
		return nil, err
	}
	secret, err := r.enter(ctx, by.Org, q, name(by))
	if err != nil || q.Contact.Email == "" {
		return q, err
	}
	return q, r.Write(ctx, Letter{Org: q.Org, To: q.Contact.Email, Locale: q.Locale, Kind: LetterReceived, Request: q.ID, About: q.Kind, Due: q.Due, Secret: secret})
}

// read checks what was asked.
func (r *Rights) read(org *account.Org, a Ask) (*Request, error) {
	now := r.Now()
	q := &Request{Org: org.ID, ID: id.New("req"), Kind: a.Kind, Channel: a.Channel, State: Received, Place: strings.ToUpper(strings.TrimSpace(a.Place)),
		Locale: a.Locale, Minor: a.Minor, Received: a.Received, Changed: now, Round: 1}
	var errs [5]error
	_, errs[0] = ParseKind(string(a.Kind))
	q.Contact, errs[1] = readContact(a.Contact, org.Country)
	q.Contact.Name, errs[2] = cleanText("name", "The name", strings.Join(strings.Fields(a.Name), " "), maxName)
	q.Text, errs[3] = cleanText("text", "The text", strings.TrimSpace(a.Text), maxText)
	switch {
	case q.Received.IsZero():
		q.Received = now
	case q.Received.After(now.Add(24 * time.Hour)):
		errs[4] = fault.Field("received", "The day of receipt lies in the future. Give the day on which the request arrived.")
	case q.Received.Before(now.AddDate(-2, 0, 0)):
		errs[4] = fault.Field("received", "The day of receipt is more than two years ago. Give the day on which the request arrived.")
	}
	if err := fault.Join(errs[:]...); err != nil {
		return nil, err
	}
	if len(q.Place) > 6 || strings.ContainsFunc(q.Place, func(c rune) bool { return c != '-' && (c < 'A' || c > 'Z') && (c < '0' || c > '9') }) {
		return nil, fault.Field("place", "%q is no place. Write a country such as IN, or a state such as US-CA.", a.Place)
	}
	if q.Kind == Complaint && q.Contact.IsZero() && q.Text == "" {
		return nil, fault.Field("text", "Say what you complain about.")
	}
	return q, q.setPurposes(a.Purposes)
}

func (q *Request) setPurposes(purposes []string) error {
	for _, p := range purposes {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		if len(p) > 60 || strings.ContainsFunc(p, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '_' && c != '.' }) {
			return fault.Field("purposes", "%q is no purpose of the privacy policy.", p)
		}
		if !slices.Contains(q.Purposes, p) && len(q.Purposes) < maxWords {
			q.Purposes = append(q.Purposes, p)
		}
	}
	return nil
}

// enter starts the clock of a request and writes it.
func (r *Rights) enter(ctx context.Context, org *account.Org, q *Request, actor string) (secret string, err error) {
	if err := r.startClock(ctx, org, q); err != nil {
		return "", err
	}
	if q.Kind == Complaint && q.Proof == NoProof { // whoever complains needs no proof: nothing is given or changed
		q.State = Verified
	}
	secret = id.Secret(secretBytes)
	return secret, r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := r.insert(ctx, tx, q, id.Hash(secret)); err != nil {
			return err
		}
		return r.happen(ctx, tx, q, actor, Came, "")
	})
}

func (r *Rights) startClock(ctx context.Context, org *account.Org, q *Request) error {
	c, err := r.Clock(ctx, org, Question{q.Kind, q.Place, q.Minor, q.Received})
	if err != nil {
		return err
	}
	q.Law, q.Due, q.Extend, q.Confirm = c.Law, c.Due, c.Extend, c.Confirm
	return nil
}

// readContact reads an e-mail address or a phone number as somebody wrote it; "" gives none.
func readContact(text, country string) (Contact, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Contact{}, nil
	}
	if strings.Contains(text, "@") {
		text = strings.ToLower(text)
		if a, err := mail.ParseAddress(text); err != nil || a.Address != text || len(text) > maxAddress {
			return Contact{}, fault.Field("contact", "This is not an e-mail address. Write it like name@example.com.")
		}
		return Contact{Email: text}, nil
	}
	n := phone.Parse(text, country)
	if n.E164 == "" {
		return Contact{}, fault.Field("contact", "This is neither an e-mail address nor a phone number. Write the number with its country code, like +91 98123 00101.")
	}
	return Contact{Number: n.E164}, nil
}

// cleanText reads what a person wrote. what is how the sentence calls it.
func cleanText(field, what, s string, most int) (string, error) {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\r' && c != '\t' }) {
		return "", fault.Field(field, "%s has characters that cannot be shown. Type it again.", what)
	}
	if n := utf8.RuneCountInString(s); n > most {
		return "", fault.Field(field, "%s has %d characters; it may have at most %d.", what, n, most)
	}
	return s, nil
}

// Follow gives the request that a secret link leads to.
func (r *Rights) Follow(ctx context.Context, org account.OrgID, secret string) (*Request, error) {
	q, ok, err := db.One(ctx, r.DB, r.scan(ctx), `SELECT `+columns+` FROM requests WHERE org_id = $1 AND secret_hash = $2`, org, id.Hash(secret))
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "This link leads to no request. Open it whole, as it was shown to you; links of requests that were settled long ago no longer work.")
	}
	return q, err
}

// Self takes a request of a member who is signed in. Their session is the proof.
func (r *Rights) Self(ctx context.Context, by *account.Actor, a Ask) (*Request, error) {
	a.Channel, a.Received, a.Contact, a.Minor = Member, time.Time{}, "", false
	q, err := r.self(by, a)
	if err != nil {
		return nil, err
	}
	if _, err = r.enter(ctx, by.Org, q, string(by.Member.ID)); err != nil {
		return nil, err
	}
	return r.proved(ctx, q)
}

func (r *Rights) self(by *account.Actor, a Ask) (*Request, error) {
	if by.Member.ID == "" || by.Session == nil {
		return nil, fault.New(fault.Denied, "Only a member who is signed in can ask about their own data here.")
	}
	q, err := r.read(by.Org, a)
	if err != nil {
		return nil, err
	}
	q.Contact = Contact{Email: by.Member.Email, Name: by.Member.Name}
	q.Who, q.Proof, q.State = subject.OfMember(string(by.Member.ID)), Session, Verified
	return q, nil
}

// limit is how often somebody may do something in a while.
type limit struct {
	kind, key string
	times     int
	within    time.Duration
}

// count counts a deed, and refuses it when there were too many.
func (r *Rights) count(ctx context.Context, org account.OrgID, l limit) error {
	k, err := r.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	key, now := k.Index("request.limit|"+l.kind, l.key), r.Now()
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO request_limits (org_id, kind, key, times, since_ms) VALUES ($1, $2, $3, 0, $4)
			ON CONFLICT (org_id, kind, key) DO UPDATE SET times = request_limits.times`, org, l.kind, key, ms(now)); err != nil {
			return err
		}
		var times int
		var since int64
		if err := tx.Row(ctx, `SELECT times, since_ms FROM request_limits WHERE org_id = $1 AND kind = $2 AND key = $3`, org, l.kind, key).Scan(&times, &since); err != nil {
			return err
		}
		if now.Sub(fromMs(since)) >= l.within {
			times, since = 0, ms(now)
		}
		if times >= l.times {
			return fault.New(fault.TooMany, "This was done too often. Try again after %s.", fromMs(since).Add(l.within).Format("2 Jan 15:04 MST"))
		}
		_, err := tx.Exec(ctx, `UPDATE request_limits SET times = $4, since_ms = $5 WHERE org_id = $1 AND kind = $2 AND key = $3`, org, l.kind, key, times+1, since)
		return err
	})
}
