package audit

import "context"

// Remembered counts the entries about a person, or of what they did, that still say so in words. Forget makes it 0.
func (l *Log) Remembered(ctx context.Context, org int64, about string) (n int64, err error) {
	h, ok, err := l.head(ctx, l.db, org, false)
	if err != nil || !ok || about == "" {
		return 0, err
	}
	key := searchKey(h.hasher.pseudonym(about))
	err = l.db.Row(ctx, `SELECT count(*) FROM audit_secrets s JOIN audit_entries e ON e.org_id = s.org_id AND e.n = s.n
		WHERE s.org_id = $1 AND (e.about = $2 OR e.actor = $2)`, org, key).Scan(&n)
	return n, err
}
