package followup

import (
	"context"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
)

// person is what follow-ups must know of a member.
type person struct {
	id     account.MemberID
	name   string
	role   account.Role
	active bool
}

func scanPerson(r db.Scanner) (p person, err error) {
	var active int
	err = r.Scan(&p.id, &p.name, &p.role, &active)
	p.active = active == 1
	return p, err
}

func personOf(ctx context.Context, c db.Conn, org account.OrgID, m account.MemberID) (person, bool, error) {
	return db.One(ctx, c, scanPerson, `SELECT id, name, role, active FROM members WHERE org_id = $1 AND id = $2`, org, m)
}

// nameOf is how a sentence names somebody who did something.
func nameOf(ctx context.Context, c db.Conn, org account.OrgID, m account.MemberID) (string, error) {
	if m == "" {
		return "The program", nil
	}
	p, ok, err := personOf(ctx, c, org, m)
	if err != nil {
		return "", err
	}
	if !ok || p.name == "" {
		return "Somebody who is not here any more", nil
	}
	return p.name, nil
}

// checkOwner refuses whoever cannot do follow-ups.
func checkOwner(ctx context.Context, c db.Conn, org account.OrgID, field string, m account.MemberID) error {
	p, ok, err := personOf(ctx, c, org, m)
	switch {
	case err != nil:
		return err
	case !ok:
		return fault.New(fault.NotFound, "There is no member %q in this organisation.", string(m))
	case !p.active:
		return fault.Field(field, "%s was deactivated and cannot do anything any more. Choose somebody else.", p.name)
	case !p.role.Can(account.WriteLeads):
		return fault.Field(field, "%s may look at leads and not work on them, with the role %s. Choose somebody else.", p.name, p.role.Title())
	default:
		return nil
	}
}
