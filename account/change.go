package account

import (
	"context"

	"parley/platform/db"
	"parley/platform/revoke"
)

// MemberChange is what is to change about a member; nil leaves things as they are.
type MemberChange struct {
	Name  *string
	Role  *Role
	Teams *[]TeamID
}

// Change changes several things about a member at once, or, when one of them is refused, nothing.
func (a *Accounts) Change(ctx context.Context, by *Actor, m MemberID, c MemberChange) (*Member, error) {
	var err error
	var name string
	if c.Name != nil {
		if name, err = cleanName("name", "The name", *c.Name); err != nil {
			return nil, err
		}
	}
	var role Role
	if c.Role != nil {
		if role, err = ParseRole(string(*c.Role)); err != nil {
			return nil, err
		}
	}
	return a.changeMember(ctx, by.Org.ID, m, func(tx *db.Tx, was *Member) error {
		if c.Role != nil && role != was.Role {
			if err := a.changeRole(ctx, tx, by, was, role); err != nil {
				return err
			}
		}
		if c.Teams != nil {
			if _, err := tx.Exec(ctx, `DELETE FROM team_members WHERE org_id = $1 AND member_id = $2`, was.Org, m); err != nil {
				return err
			}
			if err := setTeams(ctx, tx, was.Org, m, *c.Teams); err != nil {
				return err
			}
			if err := a.noteTeams(ctx, tx, was.Org, m); err != nil {
				return err
			}
		}
		if c.Name == nil {
			return nil
		}
		_, err := tx.Exec(ctx, `UPDATE members SET name = $3 WHERE org_id = $1 AND id = $2`, was.Org, m, name)
		return err
	})
}

func (a *Accounts) changeRole(ctx context.Context, tx *db.Tx, by *Actor, was *Member, role Role) error {
	if err := by.mayChange(was.Role, role); err != nil {
		return err
	}
	if role != Owner {
		if err := keepOneOwner(ctx, tx, was); err != nil {
			return err
		}
	}
	if err := a.noteAway(was.Org, revoke.Role, string(was.ID), string(role)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE members SET role = $3 WHERE org_id = $1 AND id = $2`, was.Org, was.ID, role)
	return err
}
