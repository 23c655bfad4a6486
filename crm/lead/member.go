package lead

import (
	"context"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
)

// person is what leads must know of a member.
type person struct {
	name   string
	role   account.Role
	active bool
}

func personOf(ctx context.Context, c db.Conn, org account.OrgID, m account.MemberID) (person, bool, error) {
	return db.One(ctx, c, func(r db.Scanner) (p person, err error) {
		var active int
		err = r.Scan(&p.name, &p.role, &active)
		p.active = active == 1
		return p, err
	}, `SELECT name, role, active FROM members WHERE org_id = $1 AND id = $2`, org, m)
}

// memberName is how a sentence names somebody who did something.
func memberName(ctx context.Context, c db.Conn, org account.OrgID, m account.MemberID) (string, error) {
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

// checkOwner refuses whoever cannot work on leads.
func checkOwner(ctx context.Context, c db.Conn, org account.OrgID, m account.MemberID) error {
	if m == "" {
		return nil
	}
	p, ok, err := personOf(ctx, c, org, m)
	switch {
	case err != nil:
		return err
	case !ok:
		return fault.New(fault.NotFound, "There is no member %q in this organisation.", string(m))
	case !p.active:
		return fault.Field("owner", "%s was deactivated and cannot work on leads. Choose somebody else.", p.name)
	case !p.role.Can(account.WriteLeads):
		return fault.Field("owner", "%s may look at leads and not work on them, with the role %s. Choose somebody else.", p.name, p.role.Title())
	default:
		return nil
	}
}

// checkTeam refuses a team that the organisation does not have.
func checkTeam(ctx context.Context, c db.Conn, org account.OrgID, t account.TeamID) error {
	if t == "" {
		return nil
	}
	_, ok, err := db.One(ctx, c, func(r db.Scanner) (n int, err error) { return n, r.Scan(&n) }, `SELECT 1 FROM teams WHERE org_id = $1 AND id = $2`, org, t)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no team %q in this organisation.", string(t))
	}
	return err
}

// moment writes an instant for a sentence, by the organisation's clocks.
func moment(t time.Time, org *account.Org) string {
	return t.In(org.Location()).Format("2 January 2006, 15:04")
}
