package attest

import (
	"context"
	"slices"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// Duties lists the duties of an organisation, what is due first at the top.
func (a *Attestations) Duties(ctx context.Context, org account.OrgID) ([]*Duty, error) {
	all, err := a.duties(ctx, org, ``)
	if err != nil {
		return nil, err
	}
	now := a.now()
	slices.SortStableFunc(all, func(x, y *Duty) int {
		if late, other := a.Overdue(x, now), a.Overdue(y, now); late != other {
			if late {
				return -1
			}
			return 1
		}
		switch {
		case x.Due.IsZero() != y.Due.IsZero():
			if x.Due.IsZero() {
				return 1
			}
			return -1
		default:
			return x.Due.Compare(y.Due)
		}
	})
	return all, nil
}

// Get gives one duty.
func (a *Attestations) Get(ctx context.Context, org account.OrgID, duty string) (*Duty, error) {
	all, err := a.duties(ctx, org, ` AND id = $2`, duty)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fault.New(fault.NotFound, "There is no duty %q to attest.", duty)
	}
	return all[0], nil
}

func (a *Attestations) duties(ctx context.Context, org account.OrgID, where string, args ...any) ([]*Duty, error) {
	k, err := a.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	all, err := db.Select(ctx, a.db, func(r db.Scanner) (*Duty, error) {
		var d Duty
		var title []byte
		var due, created int64
		if err := r.Scan(&d.ID, &d.Kind, &title, &d.Member, &d.Every, &due, &d.CreatedBy, &created); err != nil {
			return nil, err
		}
		plain, err := k.Open(titleField(d.ID), title)
		d.Title, d.Due, d.CreatedAt = string(plain), moment(due), moment(created)
		return &d, err
	}, `SELECT id, kind, title_sealed, member, every_days, due_ms, created_by, created_ms FROM attest_duties WHERE org_id = $1`+where+` ORDER BY created_ms, id`, append([]any{org}, args...)...)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		newest, err := attested(ctx, a.db, k, org, d.ID, 1)
		if err != nil {
			return nil, err
		}
		if len(newest) > 0 {
			d.Last = newest[0]
		}
	}
	return all, nil
}

// mostShown is how many attestations of one duty are listed.
const mostShown = 200

// Of lists what was attested of a duty, newest first.
func (a *Attestations) Of(ctx context.Context, org account.OrgID, duty string) ([]*Attestation, error) {
	k, err := a.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return attested(ctx, a.db, k, org, duty, mostShown)
}

func attested(ctx context.Context, c db.Conn, k *vault.OrgKeys, org account.OrgID, duty string, limit int) ([]*Attestation, error) {
	return db.Select(ctx, c, func(r db.Scanner) (*Attestation, error) {
		var x Attestation
		var note, statement []byte
		var done, next int64
		if err := r.Scan(&x.N, &x.Result, &x.Release, &note, &x.Signer, &done, &next, &statement); err != nil {
			return nil, err
		}
		x.Done, x.Next = moment(done), moment(next)
		if len(note) > 0 {
			plain, err := k.Open(noteField(duty), note)
			if err != nil {
				return nil, err
			}
			x.Note = string(plain)
		}
		var err error
		x.Statement, err = k.Open(statementField(duty), statement)
		return &x, err
	}, `SELECT n, result, release, note_sealed, signer, done_ms, next_ms, statement_sealed FROM attestations WHERE org_id = $1 AND duty = $2 ORDER BY n DESC LIMIT $3`, org, duty, limit)
}

// Late counts the duties of all organisations that are overdue.
func (a *Attestations) Late(ctx context.Context, orgs []*account.Org) (int, error) {
	late, now := 0, a.now()
	for _, o := range orgs {
		all, err := a.duties(ctx, o.ID, ``)
		if err != nil {
			return 0, err
		}
		for _, d := range all {
			if a.Overdue(d, now) {
				late++
			}
		}
	}
	return late, nil
}

// OfMember lists the trainings of a member, for a copy that they ask for.
func (a *Attestations) OfMember(ctx context.Context, org account.OrgID, m account.MemberID) ([]*Duty, error) {
	return a.duties(ctx, org, ` AND member = $2`, m)
}

// EraseMember removes the trainings of a member, and tells how many there were.
func EraseMember(ctx context.Context, tx *db.Tx, org account.OrgID, m account.MemberID) (n int64, err error) {
	ids, err := db.Select(ctx, tx, func(r db.Scanner) (s string, err error) { return s, r.Scan(&s) }, `SELECT id FROM attest_duties WHERE org_id = $1 AND member = $2`, org, m)
	for _, duty := range ids {
		if err := drop(ctx, tx, org, duty); err != nil {
			return n, err
		}
		n++
	}
	return n, err
}
