package account

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/revoke"
)

type newMember struct {
	org    OrgID
	name   string
	email  string // "" = none
	role   Role
	agent  bool
	joined bool
	teams  []TeamID
}

// insertMember writes a new, active member. The caller has checked name and e-mail.
func (a *Accounts) insertMember(ctx context.Context, tx *db.Tx, n newMember) (*Member, error) {
	m := MemberID(id.New("mem"))
	sealed, key, err := a.sealEmail(ctx, n.org, n.email)
	if err != nil {
		return nil, err
	}
	if err := a.checkEmailFree(ctx, tx, n.org, key); err != nil {
		return nil, err
	}
	now, joined := a.now().UnixMilli(), int64(0)
	if n.joined {
		joined = now
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO members (org_id, id, name, email_sealed, email_key, role, agent_no, active, joined_ms, created_ms)
		VALUES ($1, $2, $3, $4, $5, $6, 0, 1, $7, $8)`, n.org, m, n.name, sealed, key, n.role, joined, now); err != nil {
		return nil, err
	}
	if n.agent {
		if err := a.makeAgent(ctx, tx, n.org, m); err != nil {
			return nil, err
		}
	}
	if err := setTeams(ctx, tx, n.org, m, n.teams); err != nil {
		return nil, err
	}
	return a.member(ctx, tx, n.org, m)
}

// sealEmail gives an address as it is kept: encrypted, and as an index. Without an address both are nil.
func (a *Accounts) sealEmail(ctx context.Context, org OrgID, email string) (sealed, key any, err error) {
	if email == "" {
		return nil, nil, nil
	}
	k, err := a.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, nil, err
	}
	person, err := a.personKey(ctx, email)
	return seal(k, "member.email", email), person, err
}

func (a *Accounts) checkEmailFree(ctx context.Context, tx *db.Tx, org OrgID, key any) error {
	if key == nil {
		return nil
	}
	_, taken, err := db.One(ctx, tx, scanMemberID, `SELECT id FROM members WHERE org_id = $1 AND email_key = $2`, org, key)
	if err == nil && taken {
		err = errEmailTaken()
	}
	return err
}

func errEmailTaken() error {
	return fault.New(fault.Conflict, "Somebody in this organisation has this e-mail address already. Look under People: they may be deactivated or invited.")
}

func scanMemberID(r db.Scanner) (m MemberID, err error) { return m, r.Scan(&m) }

// makeAgent gives a member the organisation's next agent number.
func (a *Accounts) makeAgent(ctx context.Context, tx *db.Tx, org OrgID, m MemberID) error {
	if _, err := tx.Exec(ctx, `UPDATE organisations SET next_agent = next_agent + 1 WHERE org_id = $1`, org); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE members SET agent_no = (SELECT next_agent - 1 FROM organisations WHERE org_id = $1)
		WHERE org_id = $1 AND id = $2 AND agent_no = 0`, org, m)
	return err
}

// NewAgent is somebody whose calls are to be kept.
type NewAgent struct {
	Name  string
	Email string // may be empty; to sign in, an agent needs an address and an invitation
	Teams []TeamID
}

// AddAgent makes a member with the role agent and an agent number.
func (a *Accounts) AddAgent(ctx context.Context, org OrgID, n NewAgent) (*Member, error) {
	name, nameErr := cleanName("name", "The name", n.Name)
	var email string
	var emailErr error
	if n.Email != "" {
		email, emailErr = parseEmail("email", n.Email)
	}
	if err := fault.Join(nameErr, emailErr); err != nil {
		return nil, err
	}
	var m *Member
	err := a.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := a.org(ctx, tx, org); err != nil {
			return err
		}
		var err error
		m, err = a.insertMember(ctx, tx, newMember{org: org, name: name, email: email, role: Agent, agent: true, teams: n.Teams})
		return err
	})
	return m, err
}

// MakeAgent gives a member an agent number, so that their calls can be kept. It changes nothing for an agent.
func (a *Accounts) MakeAgent(ctx context.Context, org OrgID, m MemberID) (*Member, error) {
	return a.changeMember(ctx, org, m, func(tx *db.Tx, was *Member) error {
		if was.Agent != 0 {
			return nil
		}
		return a.makeAgent(ctx, tx, org, m)
	})
}

// Rename changes a member's name.
func (a *Accounts) Rename(ctx context.Context, org OrgID, m MemberID, name string) (*Member, error) {
	name, err := cleanName("name", "The name", name)
	if err != nil {
		return nil, err
	}
	return a.changeMember(ctx, org, m, func(tx *db.Tx, _ *Member) error {
		_, err := tx.Exec(ctx, `UPDATE members SET name = $3 WHERE org_id = $1 AND id = $2`, org, m, name)
		return err
	})
}

// SetRole changes what a member may do. Only an owner makes owners or changes them, and one owner always remains.
func (a *Accounts) SetRole(ctx context.Context, by *Actor, m MemberID, role Role) (*Member, error) {
	role, err := ParseRole(string(role))
	if err != nil {
		return nil, err
	}
	return a.changeMember(ctx, by.Org.ID, m, func(tx *db.Tx, was *Member) error { return a.changeRole(ctx, tx, by, was, role) })
}

// Deactivate ends a member's access: their sessions, links, tokens and the invitations they gave. Their calls stay.
func (a *Accounts) Deactivate(ctx context.Context, by *Actor, m MemberID) (*Member, error) {
	ended := endedSessions{org: by.Org.ID, member: m}
	out, err := a.changeMember(ctx, by.Org.ID, m, func(tx *db.Tx, was *Member) error {
		if err := by.mayChange(was.Role); err != nil {
			return err
		}
		if err := keepOneOwner(ctx, tx, was); err != nil {
			return err
		}
		if err := tx.Row(ctx, `SELECT count(*) FROM sessions WHERE org_id = $1 AND member_id = $2`, was.Org, m).Scan(&ended.count); err != nil {
			return err
		}
		return a.endAccess(ctx, tx, was.Org, m)
	})
	if err != nil {
		return nil, err
	}
	return out, a.tellEnded(ctx, AccessOver, ended)
}

// Reactivate lets a deactivated member in again, with the role they had.
func (a *Accounts) Reactivate(ctx context.Context, by *Actor, m MemberID) (*Member, error) {
	return a.changeMember(ctx, by.Org.ID, m, func(tx *db.Tx, was *Member) error {
		if err := by.mayChange(was.Role); err != nil {
			return err
		}
		if err := a.noteAway(was.Org, revoke.Member, string(m), revoke.In); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE members SET active = 1, left_ms = 0 WHERE org_id = $1 AND id = $2`, was.Org, m)
		return err
	})
}

// mayChange tells whether an actor may change a member of these roles, before and after.
func (a *Actor) mayChange(roles ...Role) error {
	if slices.Contains(roles, Owner) {
		return a.Require(ManageOrg)
	}
	return a.Require(ManagePeople)
}

// keepOneOwner refuses when m is the last owner: of all, or of those who can sign in.
func keepOneOwner(ctx context.Context, tx *db.Tx, m *Member) error {
	if m.Role != Owner || !m.Active {
		return nil
	}
	var others int
	if err := tx.Row(ctx, `SELECT count(*) FROM members WHERE org_id = $1 AND id <> $2 AND role = $3 AND active = 1
		AND (joined_ms > 0 OR $4 = 0)`, m.Org, m.ID, Owner, flag(!m.JoinedAt.IsZero())).Scan(&others); err != nil {
		return err
	}
	if others == 0 {
		return fault.New(fault.Conflict, "This is the organisation's last owner. Make somebody else an owner first; they must have signed in.")
	}
	return nil
}

// changeMember runs change on a member in one transaction, changes in one organisation one after the other, and gives
// the member as it is then.
func (a *Accounts) changeMember(ctx context.Context, org OrgID, m MemberID, change func(tx *db.Tx, was *Member) error) (*Member, error) {
	var out *Member
	err := a.db.Tx(ctx, func(tx *db.Tx) error {
		// On PostgreSQL this row is the lock that keeps two owners from demoting each other at once.
		if _, err := tx.Exec(ctx, `UPDATE organisations SET changed_ms = $2 WHERE org_id = $1`, org, a.now().UnixMilli()); err != nil {
			return err
		}
		was, err := a.member(ctx, tx, org, m)
		if err != nil {
			return err
		}
		if err := change(tx, was); err != nil {
			return err
		}
		out, err = a.member(ctx, tx, org, m)
		return err
	})
	return out, err
}

// Members lists an organisation's members by name, deactivated ones too.
func (a *Accounts) Members(ctx context.Context, org OrgID) ([]*Member, error) {
	var members []*Member
	err := a.db.Read(ctx, func(tx *db.Tx) error {
		var err error
		members, err = db.Select(ctx, tx, a.scanMember(ctx), `SELECT `+memberColumns+` FROM members WHERE org_id = $1`, org)
		if err != nil {
			return err
		}
		return a.addTeams(ctx, tx, org, members)
	})
	slices.SortStableFunc(members, func(x, y *Member) int { return strings.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name)) })
	return members, err
}

func (a *Accounts) addTeams(ctx context.Context, tx *db.Tx, org OrgID, members []*Member) error {
	byID := make(map[MemberID]*Member, len(members))
	for _, m := range members {
		byID[m.ID] = m
	}
	_, err := db.Select(ctx, tx, func(r db.Scanner) (none struct{}, err error) {
		var m MemberID
		var t TeamID
		if err := r.Scan(&m, &t); err != nil {
			return none, err
		}
		if member := byID[m]; member != nil {
			member.Teams = append(member.Teams, t)
		}
		return none, nil
	}, `SELECT member_id, team_id FROM team_members WHERE org_id = $1 ORDER BY team_id`, org)
	return err
}

// Member gives one member.
func (a *Accounts) Member(ctx context.Context, org OrgID, m MemberID) (*Member, error) {
	return a.member(ctx, a.db, org, m)
}

func (a *Accounts) member(ctx context.Context, c db.Conn, org OrgID, m MemberID) (*Member, error) {
	found, ok, err := db.One(ctx, c, a.scanMember(ctx), `SELECT `+memberColumns+` FROM members WHERE org_id = $1 AND id = $2`, org, m)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.NotFound, "There is no member %s in this organisation.", m)
	}
	found.Teams, err = db.Select(ctx, c, scanTeamID, `SELECT team_id FROM team_members WHERE org_id = $1 AND member_id = $2 ORDER BY team_id`, org, m)
	return found, err
}

// Owner gives an organisation's first active owner.
func (a *Accounts) Owner(ctx context.Context, org OrgID) (*Member, error) {
	m, ok, err := db.One(ctx, a.db, scanMemberID,
		`SELECT id FROM members WHERE org_id = $1 AND role = $2 AND active = 1 ORDER BY created_ms, id LIMIT 1`, org, Owner)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.NotFound, "There is no organisation %d.", org)
	}
	return a.Member(ctx, org, m)
}

// Agents lists an organisation's agents by number, deactivated ones too.
func (a *Accounts) Agents(ctx context.Context, org OrgID) ([]*Member, error) {
	all, err := a.Members(ctx, org)
	agents := slices.DeleteFunc(all, func(m *Member) bool { return m.Agent == 0 })
	slices.SortFunc(agents, func(x, y *Member) int { return int(x.Agent) - int(y.Agent) })
	return agents, err
}

// AgentByNo gives the agent with a number.
func (a *Accounts) AgentByNo(ctx context.Context, org OrgID, no AgentNo) (*Member, error) {
	m, ok, err := db.One(ctx, a.db, scanMemberID, `SELECT id FROM members WHERE org_id = $1 AND agent_no = $2 AND agent_no > 0`, org, no)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.NotFound, "There is no agent number %d in this organisation.", no)
	}
	return a.Member(ctx, org, m)
}

// FindAgent gives the agent that somebody means: by id, by e-mail address, or by name in any case.
func (a *Accounts) FindAgent(ctx context.Context, org OrgID, nameOrIDOrEmail string) (*Member, error) {
	agents, err := a.Agents(ctx, org)
	if err != nil {
		return nil, err
	}
	want := strings.Join(strings.Fields(nameOrIDOrEmail), " ")
	var named []*Member
	for _, m := range agents {
		if want != "" && (string(m.ID) == want || strings.EqualFold(m.Email, want)) {
			return m, nil
		}
		if strings.EqualFold(m.Name, want) {
			named = append(named, m)
		}
	}
	switch len(named) {
	case 0:
		return nil, fault.New(fault.NotFound, "There is no agent %q. See \"parley agent list\", or add one with \"parley agent add\".", want)
	case 1:
		return named[0], nil
	default:
		return nil, fault.New(fault.Conflict, "%d agents are called %q. Give the id of one, from \"parley agent list\".", len(named), want)
	}
}

const memberColumns = `org_id, id, name, email_sealed, role, agent_no, active, joined_ms, created_ms`

func (a *Accounts) scanMember(ctx context.Context) func(db.Scanner) (*Member, error) {
	return func(r db.Scanner) (*Member, error) {
		var m Member
		var email []byte
		var active int
		var joined, created int64
		if err := r.Scan(&m.Org, &m.ID, &m.Name, &email, &m.Role, &m.Agent, &active, &joined, &created); err != nil {
			return nil, err
		}
		m.Active, m.JoinedAt, m.CreatedAt = active == 1, moment(joined), time.UnixMilli(created)
		k, err := a.keys.Org(ctx, int64(m.Org))
		if err != nil {
			return nil, err
		}
		m.Email, err = open(k, "member.email", email)
		return &m, err
	}
}

// moment reads a stored time; 0 is the zero time.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
