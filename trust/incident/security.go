package incident

import (
	"context"
	"strings"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/expire"
	"parley/platform/id"
	"parley/trust/subject"
)

// SecurityEvent is something that happened around signing in.
type SecurityEvent struct {
	ID      string
	Kind    account.SecurityKind
	Member  account.MemberID // "" = nobody
	Times   int64
	At      time.Time // the last time
	IP      string    // masked after a while
	Browser string
}

// together is how long the same things count as one.
const together = time.Hour

// RecordSecurity keeps what somebody should look at of what account saw: guesses, and browsers that are new. The same from
// the same place within an hour is one entry that counts. The rest is in the audit log alone.
func (x *Incidents) RecordSecurity(ctx context.Context, e account.SecurityEvent) error {
	if e.Kind != account.Guesses && e.Kind != account.NewBrowser {
		return nil
	}
	k, err := x.d.Keys.Org(ctx, int64(e.Org))
	if err != nil {
		return err
	}
	now := x.d.Now()
	return x.d.DB.Tx(ctx, func(tx *db.Tx) error {
		recent, err := db.Select(ctx, tx, x.scanSecurity(ctx, e.Org), `SELECT `+securityColumns+` FROM security_events
			WHERE org_id = $1 AND kind = $2 AND member = $3 AND masked = 0 AND at_ms > $4 ORDER BY at_ms DESC LIMIT 50`, e.Org, e.Kind, e.Member, ms(now.Add(-together)))
		if err != nil {
			return err
		}
		for _, r := range recent {
			if r.IP == e.From.IP && r.Browser == e.From.UserAgent {
				_, err := tx.Exec(ctx, `UPDATE security_events SET times = times + 1, at_ms = $3 WHERE org_id = $1 AND id = $2`, e.Org, r.ID, ms(now))
				return err
			}
		}
		event := id.New("sec")
		_, err = tx.Exec(ctx, `INSERT INTO security_events (org_id, id, kind, member, times, at_ms, masked, from_sealed) VALUES ($1, $2, $3, $4, 1, $5, 0, $6)`,
			e.Org, event, e.Kind, e.Member, ms(now), k.Seal("security_events|"+event, []byte(e.From.IP+"\n"+e.From.UserAgent)))
		return err
	})
}

// Security lists the last n events, newest first.
func (x *Incidents) Security(ctx context.Context, by *account.Actor, n int) ([]SecurityEvent, error) {
	if err := by.Require(account.ReadPrivacy); err != nil {
		return nil, err
	}
	return db.Select(ctx, x.d.DB, x.scanSecurity(ctx, by.Org.ID), `SELECT `+securityColumns+` FROM security_events WHERE org_id = $1 ORDER BY at_ms DESC, id DESC LIMIT $2`, by.Org.ID, n)
}

const securityColumns = `id, kind, member, times, at_ms, from_sealed`

func (x *Incidents) scanSecurity(ctx context.Context, org account.OrgID) func(db.Scanner) (SecurityEvent, error) {
	return func(r db.Scanner) (e SecurityEvent, err error) {
		var last int64
		var sealed []byte
		if err := r.Scan(&e.ID, &e.Kind, &e.Member, &e.Times, &last, &sealed); err != nil {
			return e, err
		}
		k, err := x.d.Keys.Org(ctx, int64(org))
		if err != nil {
			return e, err
		}
		from, err := k.Open("security_events|"+e.ID, sealed)
		e.At = at(last)
		e.IP, e.Browser, _ = strings.Cut(string(from), "\n")
		return e, err
	}
}

// Expiring lists what ends by age: security events and, before, their network addresses; files that were closed.
func (x *Incidents) Expiring() []expire.Table {
	const person = `CASE WHEN member = '' THEN '' ELSE 'member/' || member END`
	return []expire.Table{
		{
			Name: "security events", Category: "weblog", From: "created", Routine: true,
			Count:  `SELECT count(*) FROM security_events WHERE org_id = $1`,
			Due:    `SELECT id, ` + person + `, at_ms, 1, 0 FROM security_events WHERE org_id = $1 AND at_ms < $2`,
			Remove: `DELETE FROM security_events WHERE org_id = $1 AND at_ms < $2 AND id = $3`,
		},
		{
			Name: "addresses of security events", Category: "weblog", Part: "address", From: "created", Routine: true,
			Count: `SELECT count(*) FROM security_events WHERE org_id = $1 AND masked = 0`,
			Due:   `SELECT id, ` + person + `, at_ms, 1, 0 FROM security_events WHERE org_id = $1 AND masked = 0 AND at_ms < $2`,
			Do:    x.mask,
		},
		expire.Files(expire.Table{Name: "incidents", Category: "case", From: "closed"}, "incidents", "closed_ms", "''", "incident", "incident_steps", "incident_alarms"),
		expire.Files(expire.Table{Name: "legal requests", Category: "case", From: "closed"}, "legal_requests",
			"CASE WHEN state IN ('closed', 'refused') THEN CASE WHEN told_ms > 0 THEN told_ms ELSE opened_ms END ELSE 0 END", "''", "request", "legal_decisions"),
		expire.Files(expire.Table{Name: "transfers", Category: "case", From: "closed"}, "transfers", "ended_ms", "''", "transfer", "transfer_objections"),
	}
}

func (x *Incidents) mask(ctx context.Context, tx *db.Tx, org int64, before time.Time, row expire.Row) (int64, error) {
	e, ok, err := db.One(ctx, tx, x.scanSecurity(ctx, account.OrgID(org)), `SELECT `+securityColumns+` FROM security_events WHERE org_id = $1 AND id = $2 AND masked = 0 AND at_ms < $3`,
		org, row.Key, before.UnixMilli())
	if err != nil || !ok {
		return 0, err
	}
	k, err := x.d.Keys.Org(ctx, org)
	if err != nil {
		return 0, err
	}
	return tx.Exec(ctx, `UPDATE security_events SET from_sealed = $3, masked = 1 WHERE org_id = $1 AND id = $2`, org, row.Key,
		k.Seal("security_events|"+e.ID, []byte(account.MaskAddress(e.IP)+"\n"+e.Browser)))
}

// SecurityOf lists what happened around one member's signing in, newest first.
func (x *Incidents) SecurityOf(ctx context.Context, org account.OrgID, m account.MemberID) ([]SecurityEvent, error) {
	return db.Select(ctx, x.d.DB, x.scanSecurity(ctx, org), `SELECT `+securityColumns+` FROM security_events WHERE org_id = $1 AND member = $2 ORDER BY at_ms DESC, id DESC`, org, m)
}

// EraseOf forgets what happened around a member's signing in, and what a person objected to, and tells how many rows that
// were. Files of incidents and of requests stay until their time.
func EraseOf(ctx context.Context, tx *db.Tx, org account.OrgID, who subject.Ref) (int64, error) {
	n, err := tx.Exec(ctx, `DELETE FROM transfer_objections WHERE org_id = $1 AND person = $2`, org, who.String())
	if err != nil || who.Kind != subject.Member {
		return n, err
	}
	events, err := tx.Exec(ctx, `DELETE FROM security_events WHERE org_id = $1 AND member = $2`, org, who.ID)
	return n + events, err
}
