package account

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"parley/platform/db"
	"parley/platform/expire"
	"parley/platform/fault"
	"parley/platform/revoke"
)

// Days after which rows end by themselves.
const (
	idleDays       = int(idleSession / (24 * time.Hour))
	stayDays       = int(longestStay / (24 * time.Hour))
	invitationDays = int(keepInvitation / (24 * time.Hour))
	tokenDays      = 90 // after it expired: until then whoever made it sees in the list that it has
	linkDays       = 1  // after it expired
)

// The policy's words for what ages count from, and categories.
const (
	accountClosed = "account_closed"
	lastActivity  = "last_activity"
	inAccount     = "account"
	inMember      = "org.member"
)

// dayOf writes a column of milliseconds as the number of its day, in text.
func dayOf(column string) string { return `CAST(` + column + ` / 86400000 AS TEXT)` }

// byDay are rows that are nobody's: all of a day end together. where names the organisation as $1.
func byDay(t expire.Table, table, column, where string) expire.Table {
	t.Count = `SELECT count(*) FROM ` + table + ` WHERE ` + where
	t.Due = `SELECT ` + dayOf(column) + `, '', max(` + column + `), count(*), 0 FROM ` + table + ` WHERE ` + where + ` AND ` + column + ` < $2 GROUP BY ` + dayOf(column)
	t.Remove = `DELETE FROM ` + table + ` WHERE ` + where + ` AND ` + column + ` < $2 AND ` + dayOf(column) + ` = $3`
	return t
}

// Expiring lists what ends by age among accounts. Rows of organisation 0 are those of the installation: persons who may
// belong to several.
func (a *Accounts) Expiring() []expire.Table {
	const org, all = `org_id = $1`, `$1 = 0`
	return []expire.Table{
		sessions(expire.Table{Name: "sessions unused", From: "last_use", Days: idleDays}, "seen_ms"),
		sessions(expire.Table{Name: "sessions", From: "created", Days: stayDays}, "created_ms"),
		a.addresses(),
		byDay(expire.Table{Name: "sign-in links", Category: inAccount, Part: "secrets", From: "expired", Days: linkDays, Routine: true}, "one_time_links", "expires_ms", org),
		byDay(expire.Table{Name: "password resets", Category: inAccount, Part: "secrets", From: "expired", Days: linkDays, Routine: true}, "resets", "expires_ms", all),
		byDay(expire.Table{Name: "failed sign-ins", Category: inAccount, Part: "secrets", From: "last_use", Days: int(forgotten / (24 * time.Hour)), Routine: true}, "sign_in_attempts", "last_ms", all),
		{
			Name: "invitations", Category: inAccount, Part: "secrets", From: "expired", Days: invitationDays, Routine: true,
			Count:  `SELECT count(*) FROM invitations WHERE org_id = $1`,
			Due:    `SELECT id, CASE WHEN member_id = '' THEN '' ELSE 'member/' || member_id END, expires_ms, 1, 0 FROM invitations WHERE org_id = $1 AND expires_ms < $2`,
			Remove: `DELETE FROM invitations WHERE org_id = $1 AND expires_ms < $2 AND id = $3`,
		},
		{
			Name: "tokens", Category: inAccount, Part: "secrets", From: "expired", Days: tokenDays, Routine: true,
			Count:  `SELECT count(*) FROM tokens WHERE org_id = $1`,
			Due:    `SELECT id, 'member/' || member_id, expires_ms, 1, 0 FROM tokens WHERE org_id = $1 AND expires_ms > 0 AND expires_ms < $2`,
			Remove: `DELETE FROM tokens WHERE org_id = $1 AND expires_ms > 0 AND expires_ms < $2 AND id = $3`,
		},
		a.closed(), a.unused(), a.former(),
	}
}

func sessions(t expire.Table, column string) expire.Table {
	t.Category, t.Part, t.Routine = inAccount, "sessions", true
	t.Count = `SELECT count(*) FROM sessions WHERE org_id = $1`
	t.Due = `SELECT id, 'member/' || member_id, ` + column + `, 1, 0 FROM sessions WHERE org_id = $1 AND ` + column + ` < $2`
	t.Remove = `DELETE FROM sessions WHERE org_id = $1 AND ` + column + ` < $2 AND id = $3`
	return t
}

// addresses are the network addresses that sessions were opened from. They are masked, and the session goes on.
func (a *Accounts) addresses() expire.Table {
	return expire.Table{
		Name: "addresses of sessions", Category: "weblog", Part: "address", From: "created", Routine: true,
		Count: `SELECT count(*) FROM sessions WHERE org_id = $1 AND masked = 0`,
		Due:   `SELECT id, 'member/' || member_id, created_ms, 1, 0 FROM sessions WHERE org_id = $1 AND masked = 0 AND created_ms < $2`,
		Do: func(ctx context.Context, tx *db.Tx, org int64, before time.Time, row expire.Row) (int64, error) {
			s, ok, err := db.One(ctx, tx, a.scanSession(ctx), `SELECT `+sessionColumns+` FROM sessions WHERE org_id = $1 AND id = $2 AND masked = 0 AND created_ms < $3`,
				org, row.Key, before.UnixMilli())
			if err != nil || !ok {
				return 0, err
			}
			k, err := a.keys.Org(ctx, org)
			if err != nil {
				return 0, err
			}
			return tx.Exec(ctx, `UPDATE sessions SET from_sealed = $3, masked = 1 WHERE org_id = $1 AND id = $2`, org, row.Key,
				k.Seal("session.from", []byte(MaskAddress(s.IP)+"\n"+s.UserAgent)))
		},
	}
}

// MaskAddress cuts a network address to the network that it belongs to: the last two of four bytes, or all but 32 bits of
// an IPv6 address, are set to zero. What is no address becomes nothing.
func MaskAddress(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	addr = addr.Unmap().WithZone("")
	bits := 16
	if addr.Is6() {
		bits = 32
	}
	return netip.PrefixFrom(addr, bits).Masked().Addr().String()
}

// closed are the accounts of members whose access ended: their address and what signs them in.
func (a *Accounts) closed() expire.Table {
	return expire.Table{
		Name: "closed accounts", Category: inAccount, From: accountClosed,
		Count: `SELECT count(*) FROM members WHERE org_id = $1 AND email_key IS NOT NULL`,
		Due: `SELECT id, 'member/' || id, left_ms, 1, 0 FROM members
			WHERE org_id = $1 AND active = 0 AND left_ms > 0 AND left_ms < $2 AND email_key IS NOT NULL`,
		Do: func(ctx context.Context, tx *db.Tx, org int64, before time.Time, row expire.Row) (int64, error) {
			var n int
			if err := tx.Row(ctx, `SELECT count(*) FROM members WHERE org_id = $1 AND id = $2 AND active = 0 AND left_ms > 0 AND left_ms < $3 AND email_key IS NOT NULL`,
				org, row.Key, before.UnixMilli()).Scan(&n); err != nil || n == 0 {
				return 0, err
			}
			return 1, eraseAccount(ctx, tx, OrgID(org), MemberID(row.Key))
		},
	}
}

// seenMs is when a member was last here: signed in, joined or made.
const seenMs = `CASE WHEN seen_ms > joined_ms THEN seen_ms WHEN joined_ms > created_ms THEN joined_ms ELSE created_ms END`

// unused are the accounts of members who have not signed in for long. Owners are left alone: nobody could let them in.
func (a *Accounts) unused() expire.Table {
	const where = ` FROM members WHERE org_id = $1 AND active = 1 AND email_key IS NOT NULL AND role <> 'owner' AND ` + seenMs + ` < $2`
	return expire.Table{
		Name: "unused accounts", Category: inAccount, From: lastActivity,
		Count: `SELECT count(*) FROM members WHERE org_id = $1 AND active = 1 AND email_key IS NOT NULL`,
		Due:   `SELECT id, 'member/' || id, ` + seenMs + `, 1, 0` + where,
		Do: func(ctx context.Context, tx *db.Tx, org int64, before time.Time, row expire.Row) (int64, error) {
			var n int
			if err := tx.Row(ctx, `SELECT count(*)`+where+` AND id = $3`, org, before.UnixMilli(), row.Key).Scan(&n); err != nil || n == 0 {
				return 0, err
			}
			if err := a.endAccess(ctx, tx, OrgID(org), MemberID(row.Key)); err != nil {
				return 0, err
			}
			return 1, eraseAccount(ctx, tx, OrgID(org), MemberID(row.Key))
		},
	}
}

// former are members whose access ended, as colleagues knew them. One who is no agent goes altogether. The calls of an
// agent are the organisation's, so the number of the agent stays, with no name to it.
func (a *Accounts) former() expire.Table {
	const where = ` FROM members WHERE org_id = $1 AND active = 0 AND left_ms > 0 AND left_ms < $2`
	return expire.Table{
		Name: "former members", Category: inMember, From: accountClosed,
		Count: `SELECT count(*) FROM members WHERE org_id = $1`,
		Due:   `SELECT id, 'member/' || id, left_ms, 1, 0` + where,
		Do: func(ctx context.Context, tx *db.Tx, org int64, before time.Time, row expire.Row) (int64, error) {
			var n int
			if err := tx.Row(ctx, `SELECT count(*)`+where+` AND id = $3`, org, before.UnixMilli(), row.Key).Scan(&n); err != nil || n == 0 {
				return 0, err
			}
			return 1, eraseMember(ctx, tx, OrgID(org), MemberID(row.Key))
		},
	}
}

// eraseAccount takes from a member the address, and from the person the password when no other organisation knows them.
func eraseAccount(ctx context.Context, tx *db.Tx, org OrgID, m MemberID) error {
	for _, orphans := range []string{`credentials`, `resets`} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+orphans+` WHERE email_key = (SELECT email_key FROM members WHERE org_id = $1 AND id = $2)
			AND NOT EXISTS (SELECT 1 FROM members m WHERE m.email_key = `+orphans+`.email_key AND NOT (m.org_id = $1 AND m.id = $2) AND m.joined_ms > 0)`, org, m); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `UPDATE members SET email_sealed = NULL, email_key = NULL, joined_ms = 0, seen_ms = 0 WHERE org_id = $1 AND id = $2`, org, m)
	return err
}

// eraseMember takes all that is known of a member whose access has ended.
func eraseMember(ctx context.Context, tx *db.Tx, org OrgID, m MemberID) error {
	if err := eraseAccount(ctx, tx, org, m); err != nil {
		return err
	}
	for _, table := range []string{`acceptances`, `team_members`, `sessions`, `one_time_links`, `tokens`, `invitations`} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE org_id = $1 AND member_id = $2`, org, m); err != nil {
			return err
		}
	}
	var no AgentNo
	if err := tx.Row(ctx, `SELECT agent_no FROM members WHERE org_id = $1 AND id = $2`, org, m).Scan(&no); err != nil {
		return err
	}
	if no == 0 {
		_, err := tx.Exec(ctx, `DELETE FROM members WHERE org_id = $1 AND id = $2`, org, m)
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE members SET name = $3, role = $4, left_ms = -1 WHERE org_id = $1 AND id = $2`, org, m, "Agent "+strconv.Itoa(int(no)), Agent)
	return err
}

// EraseMember ends a member's access and takes all that is known of them, but for the number of an agent, in the
// caller's transaction. The last owner cannot go: the organisation is closed instead.
func (a *Accounts) EraseMember(ctx context.Context, tx *db.Tx, org OrgID, m MemberID) error {
	was, err := a.member(ctx, tx, org, m)
	if err != nil {
		return err
	}
	if err := keepOneOwner(ctx, tx, was); err != nil {
		return fault.Wrap(fault.Conflict, err, "This is the organisation's last owner. Make somebody else an owner first, or close the organisation.")
	}
	if err := a.endAccess(ctx, tx, org, m); err != nil {
		return err
	}
	return eraseMember(ctx, tx, org, m)
}

// endAccess ends what lets a member in, and the invitations they gave.
func (a *Accounts) endAccess(ctx context.Context, tx *db.Tx, org OrgID, m MemberID) error {
	if err := a.noteAway(org, revoke.Member, string(m), revoke.Out); err != nil {
		return err
	}
	for _, table := range []string{`sessions`, `one_time_links`, `tokens`, `invitations`} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE org_id = $1 AND member_id = $2`, org, m); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, `DELETE FROM invitations WHERE org_id = $1 AND invited_by = $2`, org, m); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE members SET active = 0, left_ms = CASE WHEN left_ms = 0 THEN $3 ELSE left_ms END WHERE org_id = $1 AND id = $2`, org, m, a.now().UnixMilli())
	return err
}

// NoteLeft gives members whose access ended before such times were kept the present as theirs, so that nothing of them
// goes at once.
func (a *Accounts) NoteLeft(ctx context.Context) error {
	_, err := a.db.Exec(ctx, `UPDATE members SET left_ms = $1 WHERE org_id > 0 AND active = 0 AND left_ms = 0`, a.now().UnixMilli())
	return err
}

// LastSeen tells when a member was last active: signed in, or joined or was made when they never did.
func (a *Accounts) LastSeen(ctx context.Context, org OrgID, m MemberID) (time.Time, error) {
	ms, ok, err := db.One(ctx, a.db, func(r db.Scanner) (n int64, err error) { return n, r.Scan(&n) }, `SELECT `+seenMs+` FROM members WHERE org_id = $1 AND id = $2`, org, m)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no member %s in this organisation.", strings.TrimSpace(string(m)))
	}
	return moment(ms), err
}
