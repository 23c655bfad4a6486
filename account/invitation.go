package account

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// How long an invitation can be accepted, and how long an expired one is still listed.
const (
	invitationLife = 7 * 24 * time.Hour
	keepInvitation = 30 * 24 * time.Hour
)

// Invitation asks somebody to become a member, or a member to get a sign-in.
type Invitation struct {
	ID        string
	Org       OrgID
	Member    MemberID // "" for somebody new
	Email     string
	Name      string
	Role      Role
	Teams     []TeamID
	Agent     bool     // their calls are to be kept
	InvitedBy MemberID // "" = the operator
	CreatedAt time.Time
	ExpiresAt time.Time
}

// NewInvitation says who is invited, and as what.
type NewInvitation struct {
	// Member invites a member who cannot sign in yet, such as an agent. Name, Role, Teams and Agent are theirs then,
	// and so is Email, unless they have none.
	Member MemberID
	Email  string
	Name   string // may be empty
	Role   Role
	Teams  []TeamID
	Agent  bool // implied by the role agent
}

// Invite makes an invitation and gives the secret of its link. An earlier one for the same address is withdrawn.
func (a *Accounts) Invite(ctx context.Context, by *Actor, n NewInvitation) (string, *Invitation, error) {
	if err := by.Require(ManagePeople); err != nil {
		return "", nil, err
	}
	inv := &Invitation{ID: id.New("inv"), Org: by.Org.ID, InvitedBy: by.Member.ID, CreatedAt: a.now(), ExpiresAt: a.now().Add(invitationLife)}
	secret := newSecret(invitationPrefix, inv.Org)
	err := a.db.Tx(ctx, func(tx *db.Tx) error {
		if err := a.fillInvitation(ctx, tx, inv, n); err != nil {
			return err
		}
		if err := by.mayChange(inv.Role); err != nil {
			return err
		}
		return a.insertInvitation(ctx, tx, inv, secret)
	})
	if err != nil {
		return "", nil, err
	}
	return secret, inv, nil
}

// fillInvitation checks what is asked for. An address that belongs to a member who never joined means that member.
func (a *Accounts) fillInvitation(ctx context.Context, tx *db.Tx, inv *Invitation, n NewInvitation) error {
	m, err := a.invitedMember(ctx, tx, inv.Org, n)
	if err != nil {
		return err
	}
	if m != nil {
		return inv.fillFrom(m, n.Email)
	}
	var nameErr, emailErr, roleErr error
	inv.Name, nameErr = cleanText("name", "The name", n.Name)
	inv.Email, emailErr = parseEmail("email", n.Email)
	inv.Role, roleErr = ParseRole(string(n.Role))
	if err := fault.Join(nameErr, emailErr, roleErr); err != nil {
		return err
	}
	inv.Agent, inv.Teams = n.Agent || inv.Role == Agent, n.Teams
	return checkTeams(ctx, tx, inv.Org, n.Teams)
}

// invitedMember gives the member that an invitation is for, or nil when it is for somebody new.
func (a *Accounts) invitedMember(ctx context.Context, tx *db.Tx, org OrgID, n NewInvitation) (*Member, error) {
	if n.Member != "" {
		return a.member(ctx, tx, org, n.Member)
	}
	email, err := parseEmail("email", n.Email)
	if err != nil {
		return nil, err
	}
	person, err := a.personKey(ctx, email)
	if err != nil {
		return nil, err
	}
	m, ok, err := db.One(ctx, tx, scanMemberID, `SELECT id FROM members WHERE org_id = $1 AND email_key = $2`, org, person)
	if err != nil || !ok {
		return nil, err
	}
	return a.member(ctx, tx, org, m)
}

func (inv *Invitation) fillFrom(m *Member, email string) error {
	switch {
	case !m.Active:
		return fault.New(fault.Conflict, "This person is a deactivated member. Reactivate them first.")
	case !m.JoinedAt.IsZero():
		return fault.New(fault.Conflict, "This person is a member already and can sign in.")
	}
	inv.Member, inv.Name, inv.Role, inv.Teams, inv.Agent, inv.Email = m.ID, m.Name, m.Role, m.Teams, m.Agent != 0, m.Email
	if inv.Email != "" {
		return nil
	}
	var err error
	inv.Email, err = parseEmail("email", email)
	return err
}

func (a *Accounts) insertInvitation(ctx context.Context, tx *db.Tx, inv *Invitation, secret string) error {
	sealed, key, err := a.sealEmail(ctx, inv.Org, inv.Email)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM invitations WHERE org_id = $1 AND (email_key = $2 OR (member_id = $3 AND member_id <> ''))`,
		inv.Org, key, inv.Member); err != nil {
		return err
	}
	teams := make([]string, len(inv.Teams))
	for i, t := range inv.Teams {
		teams[i] = string(t)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO invitations (org_id, id, secret_hash, member_id, email_sealed, email_key, name, role, teams, agent, invited_by, created_ms, expires_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		inv.Org, inv.ID, id.Hash(secret), inv.Member, sealed, key, inv.Name, inv.Role, strings.Join(teams, " "), flag(inv.Agent),
		inv.InvitedBy, inv.CreatedAt.UnixMilli(), inv.ExpiresAt.UnixMilli())
	return err
}

// Invitation gives the invitation behind a link's secret, as long as it can be accepted.
func (a *Accounts) Invitation(ctx context.Context, secret string) (*Invitation, error) {
	return a.invitation(ctx, a.db, secret)
}

func (a *Accounts) invitation(ctx context.Context, c db.Conn, secret string) (*Invitation, error) {
	org, hash, ok := readSecret(invitationPrefix, secret)
	if !ok {
		return nil, errInvitationGone()
	}
	inv, ok, err := db.One(ctx, c, a.scanInvitation(ctx), `SELECT `+invitationColumns+` FROM invitations WHERE org_id = $1 AND secret_hash = $2`, org, hash)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errInvitationGone()
	}
	if !inv.ExpiresAt.After(a.now()) {
		return nil, fault.New(fault.Gone, "This invitation has expired; it could be accepted for %s. Ask whoever invited you for a new one.", plural(int(invitationLife.Hours()/24), "day"))
	}
	return inv, nil
}

func errInvitationGone() error {
	return fault.New(fault.Gone, "This invitation was accepted, withdrawn or replaced by a newer one. If you have accepted it, sign in; otherwise ask whoever invited you for a new one.")
}

// KnownPerson tells whether the person behind an invitation has a password here already: the page then asks for that one
// and not for a new one.
func (a *Accounts) KnownPerson(ctx context.Context, inv *Invitation) (bool, error) {
	person, err := a.personKey(ctx, inv.Email)
	if err != nil {
		return false, err
	}
	hash, err := a.credential(ctx, a.db, person)
	return hash != "", err
}

// Acceptance is what an invited person says.
type Acceptance struct {
	Name               string // "" keeps the one in the invitation
	Password           string // a new one, or the one that the person has here already
	AcceptTerms, Adult bool
	From               SignInFrom
}

// Accept makes the invited person a member who can sign in. The invitation is used up by it.
func (a *Accounts) Accept(ctx context.Context, secret string, in Acceptance) (*Member, error) {
	inv, err := a.Invitation(ctx, secret)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(in.Name) == "" {
		in.Name = inv.Name
	}
	name, nameErr := cleanName("name", "Your name", in.Name)
	if err := fault.Join(nameErr, checkConsent(in.AcceptTerms, in.Adult)); err != nil {
		return nil, err
	}
	org, err := a.Org(ctx, inv.Org)
	if err != nil {
		return nil, err
	}
	person, err := a.personKey(ctx, inv.Email)
	if err != nil {
		return nil, err
	}
	hash, err := a.provePerson(ctx, person, in.Password, in.From, inv.Email, name, org.Name)
	if err != nil {
		return nil, err
	}
	var m *Member
	err = a.db.Tx(ctx, func(tx *db.Tx) error {
		if err := useInvitation(ctx, tx, inv); err != nil {
			return err
		}
		if m, err = a.join(ctx, tx, inv, name); err != nil {
			return err
		}
		if err := a.insertAcceptance(ctx, tx, inv.Org, m.ID); err != nil {
			return err
		}
		return a.insertCredential(ctx, tx, person, hash)
	})
	return m, err
}

func useInvitation(ctx context.Context, tx *db.Tx, inv *Invitation) error {
	n, err := tx.Exec(ctx, `DELETE FROM invitations WHERE org_id = $1 AND id = $2`, inv.Org, inv.ID)
	if err == nil && n == 0 {
		err = errInvitationGone()
	}
	return err
}

// join makes the member, or lets the one who was there sign in.
func (a *Accounts) join(ctx context.Context, tx *db.Tx, inv *Invitation, name string) (*Member, error) {
	if inv.Member == "" {
		have, err := teamIDs(ctx, tx, inv.Org)
		if err != nil {
			return nil, err
		}
		teams := slices.DeleteFunc(slices.Clone(inv.Teams), func(t TeamID) bool { return !slices.Contains(have, t) }) // deleted since
		return a.insertMember(ctx, tx, newMember{org: inv.Org, name: name, email: inv.Email, role: inv.Role, agent: inv.Agent, teams: teams, joined: true})
	}
	sealed, key, err := a.sealEmail(ctx, inv.Org, inv.Email)
	if err != nil {
		return nil, err
	}
	n, err := tx.Exec(ctx, `UPDATE members SET name = $3, email_sealed = $4, email_key = $5, joined_ms = $6
		WHERE org_id = $1 AND id = $2 AND active = 1 AND joined_ms = 0`, inv.Org, inv.Member, name, sealed, key, a.now().UnixMilli())
	if db.IsUnique(err) {
		return nil, errEmailTaken()
	}
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, errInvitationGone()
	}
	return a.member(ctx, tx, inv.Org, inv.Member)
}

// Invitations lists what is open or has lately expired, newest first.
func (a *Accounts) Invitations(ctx context.Context, org OrgID) ([]*Invitation, error) {
	return db.Select(ctx, a.db, a.scanInvitation(ctx), `SELECT `+invitationColumns+` FROM invitations
		WHERE org_id = $1 ORDER BY created_ms DESC, id DESC`, org)
}

// Revoke withdraws an invitation.
func (a *Accounts) Revoke(ctx context.Context, by *Actor, invitation string) error {
	if err := by.Require(ManagePeople); err != nil {
		return err
	}
	n, err := a.db.Exec(ctx, `DELETE FROM invitations WHERE org_id = $1 AND id = $2`, by.Org.ID, invitation)
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "There is no open invitation %s; it may have been accepted.", invitation)
	}
	return err
}

const invitationColumns = `org_id, id, member_id, email_sealed, name, role, teams, agent, invited_by, created_ms, expires_ms`

func (a *Accounts) scanInvitation(ctx context.Context) func(db.Scanner) (*Invitation, error) {
	return func(r db.Scanner) (*Invitation, error) {
		var inv Invitation
		var sealed []byte
		var teams string
		var agent int
		var created, expires int64
		if err := r.Scan(&inv.Org, &inv.ID, &inv.Member, &sealed, &inv.Name, &inv.Role, &teams, &agent, &inv.InvitedBy, &created, &expires); err != nil {
			return nil, err
		}
		for t := range strings.FieldsSeq(teams) {
			inv.Teams = append(inv.Teams, TeamID(t))
		}
		inv.Agent, inv.CreatedAt, inv.ExpiresAt = agent == 1, time.UnixMilli(created), time.UnixMilli(expires)
		k, err := a.keys.Org(ctx, int64(inv.Org))
		if err != nil {
			return nil, err
		}
		inv.Email, err = open(k, "member.email", sealed)
		return &inv, err
	}
}
