package followup

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

const (
	feedPrefix  = "plc"
	secretBytes = 24
	// feedBack is how long what ended stays in a calendar as cancelled, so that every subscriber hears of it.
	feedBack = 30 * 24 * time.Hour
	// feedMost is how many entries a calendar has at most.
	feedMost = 2000
)

// Feed is the calendar that a member subscribed to.
type Feed struct {
	Made time.Time // zero = there is none
	Used time.Time // the day on which it was last fetched; zero = never
}

// FeedOf tells about a member's calendar. Its link is known to nobody but whoever copied it.
func (s *FollowUps) FeedOf(ctx context.Context, c db.Conn, org account.OrgID, m account.MemberID) (Feed, error) {
	f, _, err := db.One(ctx, c, func(r db.Scanner) (f Feed, err error) {
		var made, used int64
		err = r.Scan(&made, &used)
		f.Made, f.Used = moment(made), moment(used)
		return f, err
	}, `SELECT made_ms, used_ms FROM calendar_feeds WHERE org_id = $1 AND member = $2`, org, m)
	return f, err
}

// NewFeed gives the actor a new secret for the link to their calendar. An earlier link does not work any more.
func (s *FollowUps) NewFeed(ctx context.Context, by *account.Actor) (secret string, err error) {
	if err := s.mayFeed(by); err != nil {
		return "", err
	}
	secret = feedPrefix + "_" + strconv.FormatInt(int64(by.Org.ID), 10) + "_" + id.Secret(secretBytes)
	return secret, s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO calendar_feeds (org_id, member, hash, made_ms, used_ms) VALUES ($1, $2, $3, $4, 0)
			ON CONFLICT (org_id, member) DO UPDATE SET hash = excluded.hash, made_ms = excluded.made_ms, used_ms = 0`,
			by.Org.ID, by.Member.ID, id.Hash(secret), s.d.Now().UnixMilli()); err != nil {
			return err
		}
		return s.logFeed(ctx, tx, by, "made")
	})
}

// DropFeed switches the actor's calendar off.
func (s *FollowUps) DropFeed(ctx context.Context, by *account.Actor) error {
	return s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM calendar_feeds WHERE org_id = $1 AND member = $2`, by.Org.ID, by.Member.ID)
		if err != nil || n == 0 {
			return err
		}
		return s.logFeed(ctx, tx, by, "dropped")
	})
}

func (s *FollowUps) mayFeed(by *account.Actor) error {
	if err := by.Require(account.ReadLeads); err != nil {
		return err
	}
	if by.Member.ID == "" {
		return fault.New(fault.Denied, "A calendar belongs to a member of the organisation. Sign in to make one.")
	}
	return nil
}

func (s *FollowUps) logFeed(ctx context.Context, tx *db.Tx, by *account.Actor, what string) error {
	return s.log(ctx, tx, by.Org.ID, audit.Entry{Actor: string(by.Member.ID), Action: audit.FeedChanged, Object: "member/" + string(by.Member.ID), Details: map[string]string{"what": what}})
}

// Speech is how a calendar says what it has to say, in the words of its reader.
type Speech struct {
	Name    string                                     // of the calendar
	Base    string                                     // of links, such as https://parley.example
	Summary func(f *FollowUp, who string) string       // title of an entry; who is "" where nobody may be named
	Words   func(f *FollowUp, numbers []string) string // text of an entry, where the organisation lets calendars have details
}

func errNoFeed() error {
	return fault.New(fault.NotFound, "There is no calendar under this link. It was switched off, or a new link was made: copy the link from your page of follow-ups again.")
}

// Calendar gives what is to be done, and was done lately, by the member whose secret it is, in the form of RFC 5545. speech is
// asked once the organisation and the member are known. Without the organisation's leave no entry says more of a person than
// their initials.
func (s *FollowUps) Calendar(ctx context.Context, secret string, speech func(org *account.Org, m *account.Member) Speech) ([]byte, error) {
	by, err := s.whose(ctx, secret)
	if err != nil {
		return nil, err
	}
	org, now := by.Org, s.d.Now()
	set, err := s.Settings(ctx, s.d.DB, org.ID)
	if err != nil {
		return nil, err
	}
	all, err := db.Select(ctx, s.d.DB, s.scan(ctx, org.ID), `SELECT `+columns+` FROM follow_ups WHERE org_id = $1 AND owner = $2 AND (state = 0 OR ended_ms > $3)
		ORDER BY state, at_ms, follow_up LIMIT $4`, org.ID, by.Member.ID, millis(now.Add(-feedBack)), feedMost)
	if err != nil {
		return nil, err
	}
	people, err := s.people(ctx, org, all)
	if err != nil {
		return nil, err
	}
	cal := calendar{org: org, speech: speech(org, by.Member), details: set.Details}
	cal.begin()
	for _, f := range all {
		cal.entry(f, people[f.Contact])
	}
	return cal.end(), nil
}

// whose is the member that a calendar's secret belongs to, as long as they may read what is in it.
func (s *FollowUps) whose(ctx context.Context, secret string) (*account.Actor, error) {
	parts := strings.Split(secret, "_")
	if len(parts) != 3 || parts[0] != feedPrefix {
		return nil, errNoFeed()
	}
	org, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return nil, errNoFeed()
	}
	m, ok, err := db.One(ctx, s.d.DB, func(r db.Scanner) (m account.MemberID, err error) { return m, r.Scan(&m) },
		`SELECT member FROM calendar_feeds WHERE org_id = $1 AND hash = $2`, org, id.Hash(secret))
	if err != nil || !ok {
		if err == nil {
			err = errNoFeed()
		}
		return nil, err
	}
	by, err := s.d.Accounts.As(ctx, account.OrgID(org), m)
	if fault.KindOf(err) == fault.NotFound {
		return nil, errNoFeed()
	}
	if err != nil {
		return nil, err
	}
	if by.Require(account.ReadLeads) != nil {
		return nil, errNoFeed()
	}
	today := s.d.Now().Truncate(24 * time.Hour).UnixMilli()
	_, err = s.d.DB.Exec(ctx, `UPDATE calendar_feeds SET used_ms = $3 WHERE org_id = $1 AND member = $2 AND used_ms < $3`, org, m, today)
	return by, err
}

// people gives the contacts of follow-ups; whoever is erased or restricted is left out.
func (s *FollowUps) people(ctx context.Context, org *account.Org, all []*FollowUp) (map[contact.ID]*contact.Contact, error) {
	ids := make([]contact.ID, len(all))
	for i, f := range all {
		ids[i] = f.Contact
	}
	found, err := s.d.Contacts.Load(ctx, s.d.DB, org.ID, ids...)
	if err != nil {
		return nil, err
	}
	kept, err := s.d.Book.Excluded(ctx, s.d.DB, org.ID)
	if err != nil {
		return nil, err
	}
	for asked, one := range found {
		for _, n := range one.Nums {
			if kept.Restricted[n] {
				delete(found, asked)
			}
		}
	}
	return found, nil
}

// initials are the first letters of a name: at most two.
func initials(name string) string {
	var b strings.Builder
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) })
	if len(words) > 2 {
		words = []string{words[0], words[len(words)-1]}
	}
	for _, w := range words {
		r, _ := utf8.DecodeRuneInString(w)
		b.WriteString(string(unicode.ToUpper(r)) + ".")
	}
	return b.String()
}
