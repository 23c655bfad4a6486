package account

import (
	"context"
	"slices"
	"strings"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// CreateTeam makes a team without members.
func (a *Accounts) CreateTeam(ctx context.Context, org OrgID, name string) (Team, error) {
	t := Team{ID: TeamID(id.New("tea"))}
	var err error
	if t.Name, err = cleanName("name", "The team's name", name); err != nil {
		return Team{}, err
	}
	err = a.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := a.org(ctx, tx, org); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO teams (org_id, id, name, name_folded, created_ms) VALUES ($1, $2, $3, $4, $5)`,
			org, t.ID, t.Name, strings.ToLower(t.Name), a.now().UnixMilli())
		return err
	})
	if err != nil {
		return Team{}, teamNameTaken(err, t.Name)
	}
	return t, nil
}

// RenameTeam changes a team's name.
func (a *Accounts) RenameTeam(ctx context.Context, org OrgID, t TeamID, name string) error {
	name, err := cleanName("name", "The team's name", name)
	if err != nil {
		return err
	}
	n, err := a.db.Exec(ctx, `UPDATE teams SET name = $3, name_folded = $4 WHERE org_id = $1 AND id = $2`, org, t, name, strings.ToLower(name))
	if err == nil && n == 0 {
		err = errNoTeam(t)
	}
	return teamNameTaken(err, name)
}

// ChangeTeam gives a team a name and its active members, all at once. Deactivated members stay in it.
func (a *Accounts) ChangeTeam(ctx context.Context, org OrgID, t TeamID, name string, members []MemberID) error {
	name, err := cleanName("name", "The team's name", name)
	if err != nil {
		return err
	}
	err = a.db.Tx(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE teams SET name = $3, name_folded = $4 WHERE org_id = $1 AND id = $2`, org, t, name, strings.ToLower(name))
		if err == nil && n == 0 {
			err = errNoTeam(t)
		}
		if err != nil {
			return err
		}
		were, err := inTeam(ctx, tx, org, t)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM team_members WHERE org_id = $1 AND team_id = $2
			AND member_id IN (SELECT id FROM members WHERE org_id = $1 AND active = 1)`, org, t); err != nil {
			return err
		}
		for _, m := range members {
			if _, err := a.member(ctx, tx, org, m); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `INSERT INTO team_members (org_id, member_id, team_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, org, m, t); err != nil {
				return err
			}
		}
		return a.noteTeams(ctx, tx, org, append(were, members...)...)
	})
	return teamNameTaken(err, name)
}

func teamNameTaken(err error, name string) error {
	if db.IsUnique(err) {
		return fault.Wrap(fault.Conflict, err, "There is a team %q already. Choose another name.", name)
	}
	return err
}

func errNoTeam(t TeamID) error {
	return fault.New(fault.NotFound, "There is no team %s in this organisation.", t)
}

// DeleteTeam removes a team. Its members and their calls stay.
func (a *Accounts) DeleteTeam(ctx context.Context, org OrgID, t TeamID) error {
	return a.db.Tx(ctx, func(tx *db.Tx) error {
		were, err := inTeam(ctx, tx, org, t)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM team_members WHERE org_id = $1 AND team_id = $2`, org, t); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `DELETE FROM teams WHERE org_id = $1 AND id = $2`, org, t)
		if err == nil && n == 0 {
			err = errNoTeam(t)
		}
		if err != nil {
			return err
		}
		return a.noteTeams(ctx, tx, org, were...)
	})
}

// Teams lists an organisation's teams by name.
func (a *Accounts) Teams(ctx context.Context, org OrgID) ([]Team, error) {
	return db.Select(ctx, a.db, func(r db.Scanner) (t Team, err error) { return t, r.Scan(&t.ID, &t.Name, &t.Members) }, `
		SELECT t.id, t.name, count(m.id) FROM teams t
		LEFT JOIN team_members tm ON tm.org_id = t.org_id AND tm.team_id = t.id
		LEFT JOIN members m ON m.org_id = tm.org_id AND m.id = tm.member_id AND m.active = 1
		WHERE t.org_id = $1 GROUP BY t.id, t.name, t.name_folded ORDER BY t.name_folded`, org)
}

// TeamAgents lists the agents of a team by number.
func (a *Accounts) TeamAgents(ctx context.Context, org OrgID, t TeamID) ([]AgentNo, error) {
	if err := checkTeams(ctx, a.db, org, []TeamID{t}); err != nil {
		return nil, err
	}
	return db.Select(ctx, a.db, scanAgentNo, `
		SELECT m.agent_no FROM team_members t JOIN members m ON m.org_id = t.org_id AND m.id = t.member_id
		WHERE t.org_id = $1 AND t.team_id = $2 AND m.agent_no > 0 ORDER BY m.agent_no`, org, t)
}

// SetTeams says in which teams a member is.
func (a *Accounts) SetTeams(ctx context.Context, org OrgID, m MemberID, teams []TeamID) (*Member, error) {
	return a.changeMember(ctx, org, m, func(tx *db.Tx, _ *Member) error {
		if _, err := tx.Exec(ctx, `DELETE FROM team_members WHERE org_id = $1 AND member_id = $2`, org, m); err != nil {
			return err
		}
		if err := setTeams(ctx, tx, org, m, teams); err != nil {
			return err
		}
		return a.noteTeams(ctx, tx, org, m)
	})
}

// setTeams puts a member who is in no team into some.
func setTeams(ctx context.Context, tx *db.Tx, org OrgID, m MemberID, teams []TeamID) error {
	if err := checkTeams(ctx, tx, org, teams); err != nil {
		return err
	}
	for _, t := range teams {
		if _, err := tx.Exec(ctx, `INSERT INTO team_members (org_id, member_id, team_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, org, m, t); err != nil {
			return err
		}
	}
	return nil
}

// checkTeams refuses teams that are not the organisation's.
func checkTeams(ctx context.Context, c db.Conn, org OrgID, teams []TeamID) error {
	have, err := teamIDs(ctx, c, org)
	if err != nil {
		return err
	}
	for _, t := range teams {
		if !slices.Contains(have, t) {
			return errNoTeam(t)
		}
	}
	return nil
}

func teamIDs(ctx context.Context, c db.Conn, org OrgID) ([]TeamID, error) {
	return db.Select(ctx, c, scanTeamID, `SELECT id FROM teams WHERE org_id = $1`, org)
}

func scanTeamID(r db.Scanner) (t TeamID, err error) { return t, r.Scan(&t) }
