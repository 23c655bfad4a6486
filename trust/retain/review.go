package retain

import (
	"context"
	"strings"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/trust/policy"
)

// Decision is what somebody decided in a review of the archive.
type Decision string

// The decisions.
const (
	Undecided Decision = ""
	Keep      Decision = "keep"  // until the archive's period ends
	Erase     Decision = "erase" // at once
)

// Review asks a person to look at what is in the archive. Whatever they decide, and if they decide nothing, the items are
// erased when their period ends.
type Review struct {
	ID        string
	Category  string
	OpenedAt  time.Time
	DueAt     time.Time
	Items     int64
	Digest    []byte // of the items that are reviewed
	Decision  Decision
	Signer    account.MemberID
	DecidedAt time.Time
	Removed   int64
	Note      string
}

// Overdue tells whether the review should have been decided by now.
func (r *Review) Overdue(now time.Time) bool { return r.Decision == Undecided && now.After(r.DueAt) }

// reviewTime is how long somebody has to decide.
const reviewTime = 14 * 24 * time.Hour

// usualReview is how often the archive is reviewed where the policy does not say.
func usualReview() policy.Period { return policy.Period{N: 30, Unit: policy.Days} }

// openReviews asks for a review of each category whose items have not been looked at for the policy's while.
func (s *Sweeper) openReviews(ctx context.Context, org account.OrgID, rules []Rule, items []Archived) (int, error) {
	by := map[string][]Archived{}
	for _, a := range items {
		by[a.Category] = append(by[a.Category], a)
	}
	opened := 0
	for category, of := range by {
		every := usualReview()
		for _, r := range rules {
			if r.Category == category && r.Review.Said() {
				every = r.Review
			}
		}
		last, err := s.lastReview(ctx, org, category)
		if err != nil {
			return opened, err
		}
		since := of[0].Since // the oldest
		if last != nil && last.OpenedAt.After(since) {
			since = last.OpenedAt
		}
		if every.After(since, nil).After(s.d.Now()) || last != nil && last.Decision == Undecided {
			continue
		}
		if err := s.openReview(ctx, org, category, of); err != nil {
			return opened, err
		}
		opened++
	}
	return opened, nil
}

func digestArchived(of []Archived) []byte {
	items := make([]Item, len(of))
	for i, a := range of {
		items[i] = Item{Key: a.ID, At: a.At, Rows: a.Rows}
	}
	return Digest(items)
}

func (s *Sweeper) openReview(ctx context.Context, org account.OrgID, category string, of []Archived) error {
	now := s.d.Now()
	r := Review{ID: id.New("rev"), Category: category, OpenedAt: now, DueAt: now.Add(reviewTime), Items: int64(len(of)), Digest: digestArchived(of)}
	if _, err := s.d.DB.Exec(ctx, `INSERT INTO archive_reviews (org_id, `+reviewColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, '', '', 0, 0, NULL)`,
		org, r.ID, category, ms(now), ms(r.DueAt), r.Items, r.Digest); err != nil {
		return err
	}
	return s.d.Log.Record(ctx, int64(org), audit.Entry{Actor: audit.System, Action: audit.ReviewOpened, Object: "review/" + r.ID, Details: map[string]string{"category": category, "items": number(r.Items)}})
}

const reviewColumns = `id, category, opened_ms, due_ms, items, digest, decision, signer, decided_ms, removed, note_sealed`

func (s *Sweeper) scanReview(ctx context.Context, org account.OrgID) func(db.Scanner) (*Review, error) {
	return func(row db.Scanner) (*Review, error) {
		var r Review
		var opened, due, decided int64
		var note []byte
		if err := row.Scan(&r.ID, &r.Category, &opened, &due, &r.Items, &r.Digest, &r.Decision, &r.Signer, &decided, &r.Removed, &note); err != nil {
			return nil, err
		}
		r.OpenedAt, r.DueAt, r.DecidedAt = at(opened), at(due), at(decided)
		if note == nil {
			return &r, nil
		}
		k, err := s.d.Keys.Org(ctx, int64(org))
		if err != nil {
			return nil, err
		}
		plain, err := k.Open(noteField(r.ID), note)
		r.Note = string(plain)
		return &r, err
	}
}

func noteField(review string) string { return "archive_reviews.note|" + review }

func (s *Sweeper) lastReview(ctx context.Context, org account.OrgID, category string) (*Review, error) {
	r, ok, err := db.One(ctx, s.d.DB, s.scanReview(ctx, org), `SELECT `+reviewColumns+` FROM archive_reviews
		WHERE org_id = $1 AND category = $2 ORDER BY opened_ms DESC, id DESC LIMIT 1`, org, category)
	if !ok {
		return nil, err
	}
	return r, err
}

// Reviews lists the last n reviews, newest first.
func (s *Sweeper) Reviews(ctx context.Context, org account.OrgID, n int) ([]*Review, error) {
	return db.Select(ctx, s.d.DB, s.scanReview(ctx, org), `SELECT `+reviewColumns+` FROM archive_reviews WHERE org_id = $1 ORDER BY opened_ms DESC, id DESC LIMIT $2`, org, n)
}

// maxNote bounds what somebody writes about a decision, in bytes.
const maxNote = 2000

// Decide signs a review. Erase removes the items that were in the archive when the review was opened.
func (s *Sweeper) Decide(ctx context.Context, by *account.Actor, review string, d Decision, note string) (*Review, error) {
	if err := by.Require(account.OpenArchive); err != nil {
		return nil, err
	}
	if d != Keep && d != Erase {
		return nil, fault.Field("decision", "Decide to keep the items until their period ends, or to erase them now.")
	}
	if note = strings.TrimSpace(note); len(note) > maxNote {
		return nil, fault.Field("note", "The note is too long; at most %d characters are kept.", maxNote)
	}
	org := by.Org.ID
	r, ok, err := db.One(ctx, s.d.DB, s.scanReview(ctx, org), `SELECT `+reviewColumns+` FROM archive_reviews WHERE org_id = $1 AND id = $2`, org, review)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.NotFound, "There is no review %q.", review)
	}
	if r.Decision != Undecided {
		return nil, fault.New(fault.Conflict, "This review was decided already.")
	}
	if d == Erase {
		if r.Removed, err = s.eraseReviewed(ctx, org, r); err != nil {
			return nil, err
		}
	}
	r.Decision, r.Signer, r.DecidedAt, r.Note = d, by.Member.ID, s.d.Now(), note
	if err := s.sign(ctx, org, r); err != nil {
		return nil, err
	}
	return r, s.d.Log.Record(ctx, int64(org), audit.Entry{Actor: string(by.Member.ID), Action: audit.ReviewDecided, Object: "review/" + r.ID, Details: map[string]string{"decision": string(d), "category": r.Category, "removed": number(r.Removed)}})
}

func (s *Sweeper) eraseReviewed(ctx context.Context, org account.OrgID, r *Review) (int64, error) {
	items, err := db.Select(ctx, s.d.DB, scanArchived, `SELECT `+archiveColumns+` FROM archive_items
		WHERE org_id = $1 AND category = $2 AND archived_ms <= $3 AND settled = 1`, org, r.Category, ms(r.OpenedAt))
	if err != nil {
		return 0, err
	}
	_, rules, err := s.duties(ctx, org)
	if err != nil {
		return 0, err
	}
	free := items[:0]
	for _, a := range items {
		locked := false
		for _, rule := range rules {
			_, until := rule.floor(a.At)
			locked = locked || rule.Category == a.Category && until.After(s.d.Now())
		}
		if !locked {
			free = append(free, a)
		}
	}
	return s.eraseArchived(ctx, org, free)
}

func (s *Sweeper) sign(ctx context.Context, org account.OrgID, r *Review) error {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	n, err := s.d.DB.Exec(ctx, `UPDATE archive_reviews SET decision = $3, signer = $4, decided_ms = $5, removed = $6, note_sealed = $7
		WHERE org_id = $1 AND id = $2 AND decision = ''`, org, r.ID, r.Decision, r.Signer, ms(r.DecidedAt), r.Removed, k.Seal(noteField(r.ID), []byte(r.Note)))
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "Somebody else decided this review a moment ago.")
	}
	return err
}
