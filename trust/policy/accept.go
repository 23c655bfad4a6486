package policy

import (
	"context"
	"slices"
	"strconv"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
)

// Pending gives the newest version with a material change that a member has not accepted, whether it is in force or
// coming; nil when there is none.
func (p *Policies) Pending(ctx context.Context, org account.OrgID, member account.MemberID) (*Version, error) {
	newest, err := p.newestMaterial(ctx, org)
	if newest == nil || err != nil || member == "" {
		return nil, err
	}
	accepted, err := p.accepted(ctx, org, member)
	if err != nil || accepted >= newest.Number {
		return nil, err
	}
	return newest, nil
}

func (p *Policies) newestMaterial(ctx context.Context, org account.OrgID) (*Version, error) {
	all, err := p.Versions(ctx, org)
	if err != nil {
		return nil, err
	}
	for _, v := range slices.Backward(all) {
		if v.Material {
			return v, nil
		}
	}
	return nil, nil
}

// accepted is the newest version that a member accepted; 0 where there is none.
func (p *Policies) accepted(ctx context.Context, org account.OrgID, member account.MemberID) (int, error) {
	n, _, err := db.One(ctx, p.db, func(r db.Scanner) (n int, err error) { return n, r.Scan(&n) },
		`SELECT COALESCE(MAX(version), 0) FROM policy_acceptances WHERE org_id = $1 AND member_id = $2`, org, member)
	return n, err
}

// Accept notes that a member said yes to a version. wording is what they said yes to, in the words they read.
func (p *Policies) Accept(ctx context.Context, by *account.Actor, number int, wording string) error {
	v, err := p.Get(ctx, by.Org.ID, number)
	if err != nil {
		return err
	}
	if number == 0 || by.Member.ID == "" || wording == "" {
		return fault.New(fault.Invalid, "Only a member can accept a published version, by saying yes to its words.")
	}
	return p.db.Tx(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO policy_acceptances (org_id, member_id, version, hash, wording, accepted_ms) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			by.Org.ID, by.Member.ID, number, v.Hash, Hash(wording), p.now().UnixMilli())
		if err != nil || n == 0 {
			return err
		}
		_, err = p.log.Append(ctx, tx, int64(by.Org.ID), audit.Entry{
			Actor: string(by.Member.ID), Action: audit.ConsentGiven, About: "member/" + string(by.Member.ID), Object: "policy/" + strconv.Itoa(number), Purpose: "legal", Policy: number,
			Details: map[string]string{"hash": v.Hash, "wording": Hash(wording)},
		})
		return err
	})
}

// The channels by which changes are told.
const (
	ByEmail = "email"
	InApp   = "in_app"
)

// Untold lists the active members who were not told of a version by a channel. Only material changes are told.
func (p *Policies) Untold(ctx context.Context, org account.OrgID, channel string) (v *Version, members []*account.Member, err error) {
	v, err = p.newestMaterial(ctx, org)
	if v == nil || err != nil || !slices.Contains(v.Document.Notice.Channels, channel) {
		return nil, nil, err
	}
	told, err := db.Select(ctx, p.db, func(r db.Scanner) (m account.MemberID, err error) { return m, r.Scan(&m) },
		`SELECT member_id FROM policy_notices WHERE org_id = $1 AND version = $2 AND channel = $3`, org, v.Number, channel)
	if err != nil {
		return nil, nil, err
	}
	all, err := p.accounts.Members(ctx, org)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range all {
		if m.Active && (channel != ByEmail || m.Email != "") && m.CreatedAt.Before(v.Published) && !slices.Contains(told, m.ID) {
			members = append(members, m)
		}
	}
	return v, members, nil
}

// Told notes that a member was told of a version. It tells whether that was the first time.
func (p *Policies) Told(ctx context.Context, org account.OrgID, number int, member account.MemberID, channel string) (first bool, err error) {
	told, err := p.wasTold(ctx, org, number, member, channel)
	if told || err != nil {
		return false, err
	}
	n, err := p.db.Exec(ctx, `INSERT INTO policy_notices (org_id, version, member_id, channel, told_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		org, number, member, channel, p.now().UnixMilli())
	return n > 0, err
}

// wasTold spares a write where there is nothing to write.
func (p *Policies) wasTold(ctx context.Context, org account.OrgID, number int, member account.MemberID, channel string) (bool, error) {
	_, ok, err := db.One(ctx, p.db, func(r db.Scanner) (n int, err error) { return n, r.Scan(&n) },
		`SELECT 1 FROM policy_notices WHERE org_id = $1 AND version = $2 AND member_id = $3 AND channel = $4`, org, number, member, channel)
	return ok, err
}

// Deed is what a member did about a version, for the package of an access request.
type Deed struct {
	Version int       `json:"version"`
	What    string    `json:"what"` // accepted, told by email, told in_app
	At      time.Time `json:"at"`
	Hash    string    `json:"hash,omitempty"` // of the text that was accepted
}

// Deeds lists what is kept about a member here.
func (p *Policies) Deeds(ctx context.Context, c db.Conn, org account.OrgID, member account.MemberID) ([]Deed, error) {
	return db.Select(ctx, c, func(r db.Scanner) (d Deed, err error) {
		var ms int64
		err = r.Scan(&d.Version, &d.What, &ms, &d.Hash)
		d.At = time.UnixMilli(ms).UTC()
		return d, err
	}, `SELECT version, 'accepted', accepted_ms, hash FROM policy_acceptances WHERE org_id = $1 AND member_id = $2
		UNION ALL SELECT version, 'told ' || channel, told_ms, '' FROM policy_notices WHERE org_id = $1 AND member_id = $2
		ORDER BY 1, 3, 2`, org, member)
}

// Erase removes what is kept about a member here, and their name from the versions they wrote.
func (p *Policies) Erase(ctx context.Context, tx *db.Tx, org account.OrgID, member account.MemberID) (int64, error) {
	var rows int64
	for _, statement := range []string{
		`DELETE FROM policy_acceptances WHERE org_id = $1 AND member_id = $2`, `DELETE FROM policy_notices WHERE org_id = $1 AND member_id = $2`,
		`UPDATE policies SET author = '' WHERE org_id = $1 AND author = $2`, `UPDATE policy_drafts SET author = '' WHERE org_id = $1 AND author = $2`,
	} {
		n, err := tx.Exec(ctx, statement, org, member)
		if err != nil {
			return 0, err
		}
		rows += n
	}
	return rows, nil
}
