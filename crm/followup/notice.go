package followup

import (
	"context"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/id"
)

// NoticeKind says what a member is told.
type NoticeKind string

// The kinds.
const (
	Reminder   NoticeKind = "reminder"   // something is to be done soon, or now
	Given      NoticeKind = "given"      // a colleague gave them something to do
	Escalation NoticeKind = "escalation" // something in their team stays undone
)

// Notice tells a member of something on the pages. It names nobody: whoever opens the link and may see more does.
type Notice struct {
	ID     string
	Member account.MemberID
	Kind   NoticeKind
	About  ID
	Link   string // path on our pages
	At     time.Time
	Seen   time.Time // zero = not yet

	FollowUp *FollowUp // filled for Sources.Mail; nil otherwise
	mark     time.Time
}

// Path is the page of follow-ups.
const Path = "/followups"

// Link is the path of the page about a follow-up.
func Link(id ID) string { return Path + "/" + string(id) }

// tell keeps notices. One that is there already is left out of what it gives.
func tell(ctx context.Context, tx *db.Tx, org account.OrgID, now time.Time, all ...Notice) (kept []Notice, err error) {
	for _, n := range all {
		n.ID, n.At, n.Link = id.New("not"), now, Link(n.About)
		rows, err := tx.Exec(ctx, `INSERT INTO notices (org_id, notice, member, kind, about, mark, link, at_ms, seen_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)
			ON CONFLICT (org_id, about, kind, member, mark) DO NOTHING`, org, n.ID, n.Member, n.Kind, n.About, millis(n.mark), n.Link, now.UnixMilli())
		if err != nil {
			return nil, err
		}
		if rows > 0 {
			kept = append(kept, n)
		}
	}
	return kept, nil
}

// given tells a colleague that somebody gave them something to do.
func (s *FollowUps) given(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, f *FollowUp) error {
	if by == "" || f.Owner == by || f.State != Open {
		return nil
	}
	now := s.d.Now()
	_, err := tell(ctx, tx, org.ID, now, Notice{Member: f.Owner, Kind: Given, About: f.ID, mark: now})
	return err
}

const noticeColumns = `notice, member, kind, about, link, at_ms, seen_ms`

func scanNotice(r db.Scanner) (n Notice, err error) {
	var at, seen int64
	err = r.Scan(&n.ID, &n.Member, &n.Kind, &n.About, &n.Link, &at, &seen)
	n.At, n.Seen = moment(at), moment(seen)
	return n, err
}

// Unseen lists what a member has not seen yet, the newest first.
func (s *FollowUps) Unseen(ctx context.Context, c db.Conn, org account.OrgID, m account.MemberID, limit int) ([]Notice, error) {
	return db.Select(ctx, c, scanNotice, `SELECT `+noticeColumns+` FROM notices WHERE org_id = $1 AND member = $2 AND seen_ms = 0 ORDER BY at_ms DESC, notice DESC LIMIT $3`, org, m, limit)
}

// told lists everything that a member was told, the oldest first.
func (s *FollowUps) told(ctx context.Context, c db.Conn, org account.OrgID, m account.MemberID) ([]Notice, error) {
	return db.Select(ctx, c, scanNotice, `SELECT `+noticeColumns+` FROM notices WHERE org_id = $1 AND member = $2 ORDER BY at_ms, notice`, org, m)
}

// See notes that a member saw some notices; without any, all of theirs.
func (s *FollowUps) See(ctx context.Context, org account.OrgID, m account.MemberID, notices ...string) error {
	const all = `UPDATE notices SET seen_ms = $3 WHERE org_id = $1 AND member = $2 AND seen_ms = 0`
	now := s.d.Now().UnixMilli()
	if len(notices) == 0 {
		_, err := s.d.DB.Exec(ctx, all, org, m, now)
		return err
	}
	args := []any{org, m, now}
	for _, n := range notices {
		args = append(args, n)
	}
	_, err := s.d.DB.Exec(ctx, all+` AND notice IN `+db.In(4, len(notices)), args...)
	return err
}

// seen notes that what is said of a follow-up is no news any more.
func (s *FollowUps) seen(ctx context.Context, tx *db.Tx, org account.OrgID, id ID) error {
	_, err := tx.Exec(ctx, `UPDATE notices SET seen_ms = $3 WHERE org_id = $1 AND about = $2 AND seen_ms = 0`, org, id, s.d.Now().UnixMilli())
	return err
}
