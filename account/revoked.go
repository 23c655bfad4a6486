package account

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/revoke"
)

// noteAway writes down that something of a member's access is not any more as it was.
func (a *Accounts) noteAway(org OrgID, what revoke.What, id, now string) error {
	return a.revoked.Note(revoke.Entry{At: a.now(), Org: int64(org), What: what, ID: id, Now: now})
}

// notePassword writes down that a person has another password, by the members they are: a key that finds the person may
// change.
func (a *Accounts) notePassword(ctx context.Context, c db.Conn, person []byte, at time.Time) error {
	all, err := memberships(ctx, c, person)
	if err != nil {
		return err
	}
	var out []revoke.Entry
	for _, m := range all {
		out = append(out, revoke.Entry{At: at, Org: int64(m.Org), What: revoke.Password, ID: string(m.Member)})
	}
	return a.revoked.Note(out...)
}

// noteTeams writes down in which teams members are now.
func (a *Accounts) noteTeams(ctx context.Context, tx *db.Tx, org OrgID, members ...MemberID) error {
	var out []revoke.Entry
	for _, m := range members {
		teams, err := db.Select(ctx, tx, func(r db.Scanner) (s string, err error) { return s, r.Scan(&s) }, `SELECT team_id FROM team_members WHERE org_id = $1 AND member_id = $2 ORDER BY team_id`, org, m)
		if err != nil {
			return err
		}
		out = append(out, revoke.Entry{At: a.now(), Org: int64(org), What: revoke.Teams, ID: string(m), Now: strings.Join(teams, ",")})
	}
	return a.revoked.Note(out...)
}

// inTeam lists the members of a team.
func inTeam(ctx context.Context, c db.Conn, org OrgID, t TeamID) ([]MemberID, error) {
	return db.Select(ctx, c, scanMemberID, `SELECT member_id FROM team_members WHERE org_id = $1 AND team_id = $2 ORDER BY member_id`, org, t)
}

// TakeAway takes in restored data the access away that a journal says has ended. Whom the data does not know is passed over.
// It tells whether something could not be done without leaving the organisation without an owner.
func (a *Accounts) TakeAway(ctx context.Context, tx *db.Tx, e revoke.Entry) (kept bool, err error) {
	org, m := OrgID(e.Org), MemberID(e.ID)
	switch e.What {
	case revoke.Token:
		_, err = tx.Exec(ctx, `DELETE FROM tokens WHERE org_id = $1 AND id = $2`, org, e.ID)
	case revoke.Password:
		_, err = tx.Exec(ctx, `DELETE FROM credentials WHERE changed_ms < $3 AND email_key = (SELECT email_key FROM members WHERE org_id = $1 AND id = $2)`, org, m, e.At.UnixMilli())
	case revoke.Teams:
		err = leaveTeams(ctx, tx, org, m, e.Now)
	case revoke.Member, revoke.Role:
		was, err := a.member(ctx, tx, org, m)
		if fault.KindOf(err) == fault.NotFound || err == nil && !was.Active {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return a.lower(ctx, tx, was, e)
	}
	return false, err
}

func leaveTeams(ctx context.Context, tx *db.Tx, org OrgID, m MemberID, now string) error {
	args := []any{org, m}
	where := ``
	if now != revoke.None {
		for t := range strings.SplitSeq(now, ",") {
			args = append(args, t)
		}
		where = ` AND team_id NOT IN ` + db.In(3, len(args)-2)
	}
	_, err := tx.Exec(ctx, `DELETE FROM team_members WHERE org_id = $1 AND member_id = $2`+where, args...)
	return err
}

// lower ends a member's access, or gives them the role that they have since.
func (a *Accounts) lower(ctx context.Context, tx *db.Tx, was *Member, e revoke.Entry) (kept bool, err error) {
	role := Role(e.Now)
	if e.What == revoke.Member && e.Now != revoke.Out || e.What == revoke.Role && (role == was.Role || !slices.Contains(Roles(), role)) {
		return false, nil
	}
	if e.What == revoke.Member || role != Owner {
		if err := keepOneOwner(ctx, tx, was); fault.KindOf(err) == fault.Conflict {
			return true, nil
		} else if err != nil {
			return false, err
		}
	}
	if e.What == revoke.Member {
		return false, a.endAccess(ctx, tx, was.Org, was.ID)
	}
	_, err = tx.Exec(ctx, `UPDATE members SET role = $3 WHERE org_id = $1 AND id = $2`, was.Org, was.ID, role)
	return false, err
}

// EndVisits ends every session, one-time link, link to set a password and invitation of restored data: which of them were
// used or ended since it was saved is not known.
func EndVisits(ctx context.Context, tx *db.Tx) error {
	for _, q := range []string{`DELETE FROM sessions WHERE org_id > 0`, `DELETE FROM one_time_links WHERE org_id > 0`, `DELETE FROM invitations WHERE org_id > 0`, `DELETE FROM resets`} {
		if _, err := tx.Exec(ctx, q); err != nil {
			return err
		}
	}
	return nil
}
