package account

import (
	"slices"
	"strings"

	"parley/platform/fault"
)

// Role is what a member is in their organisation. It decides what they may do, and with Actor.Agents whose calls they see.
type Role string

// The roles.
const (
	Owner          Role = "owner"
	Admin          Role = "admin"
	Manager        Role = "manager"
	Agent          Role = "agent"
	PrivacyOfficer Role = "privacy_officer"
	Viewer         Role = "viewer"
)

// Permission is one thing that may be done. Every route declares the one it needs; tokens list theirs as scopes.
type Permission string

// The permissions.
const (
	ReadOwn          Permission = "read_own"
	ReadReports      Permission = "read_reports"
	ReadCalls        Permission = "read_calls"
	WriteCalls       Permission = "write_calls"
	ExportCalls      Permission = "export_calls"
	DeleteCalls      Permission = "delete_calls"
	ImportCalls      Permission = "import_calls"
	ReadPeople       Permission = "read_people"
	ManagePeople     Permission = "manage_people"
	ManageTeams      Permission = "manage_teams"
	ReadDevices      Permission = "read_devices"
	ManageDevices    Permission = "manage_devices"
	ManageExclusions Permission = "manage_exclusions"
	ManageSettings   Permission = "manage_settings"
	ManageTokens     Permission = "manage_tokens"
	Developer        Permission = "developer"
	ReadPrivacy      Permission = "read_privacy"
	AnswerRequests   Permission = "answer_requests"
	ManagePrivacy    Permission = "manage_privacy"
	ReadAudit        Permission = "read_audit"
	OpenArchive      Permission = "open_archive"
	ReadLeads        Permission = "read_leads"
	WriteLeads       Permission = "write_leads"
	AssignLeads      Permission = "assign_leads"
	ImportLeads      Permission = "import_leads"
	ExportLeads      Permission = "export_leads"
	DeleteLeads      Permission = "delete_leads"
	ManagePipelines  Permission = "manage_pipelines"
	ManageOrg        Permission = "manage_org"
	CloseOrg         Permission = "close_org"
)

type roleSet uint8

const (
	own roleSet = 1 << iota // the owner
	adm
	mgr
	agt
	off // the privacy officer, who must be able to see all that is done with people's data
	vwr
)

// roles is indexed by the bit number of a role in a roleSet.
var roles = [...]struct {
	role            Role
	title, sentence string
}{
	{Owner, "Owner", "Does everything, including closing the organisation and naming other owners."},
	{Admin, "Admin", "Runs the organisation day by day: people, devices, imports and settings."},
	{Manager, "Manager", "Sees the calls and reports of their own teams, and follows up on missed callers."},
	{Agent, "Agent", "Sees their own calls, exactly as the employer sees them."},
	{PrivacyOfficer, "Privacy officer", "Sees all that is kept about people, exports or deletes it on request, and keeps the list of excluded numbers."},
	{Viewer, "Viewer", "Reads calls and reports of the whole organisation and changes nothing."},
}

// grants is the one table of who may do what. What is not in it is denied.
var grants = [...]struct {
	permission      Permission
	title, sentence string
	to              roleSet
}{
	{ReadOwn, "See one's own page", "See what is kept about oneself.", own | adm | mgr | agt | off | vwr},
	{ReadReports, "Read reports", "Open the dashboard and the reports.", own | adm | mgr | agt | off | vwr},
	{ReadCalls, "Read calls", "See single calls with their numbers, names, notes and tags.", own | adm | mgr | agt | off | vwr},
	{WriteCalls, "Annotate calls", "Write notes and tags, and mark missed callers as handled.", own | adm | mgr | agt},
	{ExportCalls, "Export", "Take calls and reports out as CSV, XLSX or JSON.", own | adm | mgr | off},
	{DeleteCalls, "Delete calls", "Delete calls for good.", own | adm | off},
	{ImportCalls, "Import calls", "Bring in call logs from files.", own | adm},
	{ReadPeople, "See people", "See members, agents, teams and lines.", own | adm | mgr | off | vwr},
	{ManagePeople, "Manage people", "Invite, change and deactivate members and agents, and their lines.", own | adm},
	{ManageTeams, "Manage teams", "Make, rename and delete teams, and say who is in them.", own | adm},
	{ReadDevices, "See devices", "See paired phones and whether they report.", own | adm | mgr | off | vwr},
	{ManageDevices, "Manage devices", "Pair phones and unpair them.", own | adm},
	{ManageExclusions, "Manage excluded numbers", "Say which numbers are never stored or hidden from reports.", own | adm | off},
	{ManageSettings, "Change settings", "Change the organisation's name, working hours, zone and thresholds.", own | adm},
	{ManageTokens, "Manage API tokens", "Make tokens for programs, and revoke them.", own | adm},
	{Developer, "Developer pages", "Read the API's reference and the pages that help programmers.", own | adm},
	{ReadPrivacy, "See privacy", "See the privacy policy, its proof, consent, retention, holds, attestations, incidents and requests of authorities.", own | adm | off},
	{AnswerRequests, "Answer requests", "See and answer what people ask about their own data.", own | adm | off},
	{ManagePrivacy, "Manage privacy", "Change the privacy policy, consent, retention, holds, attestations and incidents.", own | adm | off},
	{ReadAudit, "Read the audit log", "See who looked at people's data and who changed what, and check that nothing was altered.", own | adm | off},
	{OpenArchive, "Open the archive", "Open what retention has put into the archive.", own | off},
	{ReadLeads, "Read leads", "See contacts, leads and follow-ups of those whose work one sees.", own | adm | mgr | agt | off | vwr},
	{WriteLeads, "Work on leads", "Make and change contacts, leads and follow-ups.", own | adm | mgr | agt},
	{AssignLeads, "Assign leads", "Give leads and contacts to colleagues.", own | adm | mgr},
	{ImportLeads, "Import leads", "Bring in contacts and leads from files, and take an import back.", own | adm | mgr},
	{ExportLeads, "Export leads", "Take contacts and leads out as CSV, XLSX or vCard.", own | adm | mgr | off},
	{DeleteLeads, "Delete leads", "Delete contacts and leads for good.", own | adm | off},
	{ManagePipelines, "Manage pipelines", "Change pipelines, own fields, outcomes and the rules of assignment.", own | adm},
	{ManageOrg, "Manage the organisation", "Name owners, hand the business over and remove demo data.", own},
	{CloseOrg, "Close the organisation", "Close the organisation, and take that back.", own},
}

// Can tells whether a role grants a permission. A role or permission that is not in the table grants nothing.
func (r Role) Can(p Permission) bool {
	i := r.index()
	if i < 0 {
		return false
	}
	for _, g := range grants {
		if g.permission == p {
			return g.to&(1<<i) != 0
		}
	}
	return false
}

// Title is the role's name for people.
func (r Role) Title() string {
	if i := r.index(); i >= 0 {
		return roles[i].title
	}
	return string(r)
}

// Sentence says what the role is for.
func (r Role) Sentence() string {
	if i := r.index(); i >= 0 {
		return roles[i].sentence
	}
	return ""
}

func (r Role) index() int {
	for i, known := range roles {
		if known.role == r {
			return i
		}
	}
	return -1
}

// ParseRole reads a role's word, in any case, with a space or hyphen for the underscore.
func ParseRole(word string) (Role, error) {
	r := Role(strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(word))))
	if r.index() >= 0 {
		return r, nil
	}
	return "", fault.Field("role", "There is no role %q. The roles are owner, admin, manager, agent, privacy_officer and viewer.", word)
}

// Title is the permission's name for people.
func (p Permission) Title() string {
	for _, g := range grants {
		if g.permission == p {
			return g.title
		}
	}
	return string(p)
}

// Sentence says what the permission allows.
func (p Permission) Sentence() string {
	for _, g := range grants {
		if g.permission == p {
			return g.sentence
		}
	}
	return ""
}

// Roles lists the roles, the most powerful first.
func Roles() []Role {
	out := make([]Role, len(roles))
	for i, r := range roles {
		out[i] = r.role
	}
	return out
}

// Permissions lists the permissions, the most common first.
func Permissions() []Permission {
	out := make([]Permission, len(grants))
	for i, g := range grants {
		out[i] = g.permission
	}
	return out
}

func permissionWords() []string {
	out := make([]string, len(grants))
	for i, g := range grants {
		out[i] = string(g.permission)
	}
	return out
}

// ParseScopes reads the permissions of a token.
func ParseScopes(words []string) ([]Permission, error) {
	known, out := Permissions(), []Permission{}
	for _, w := range words {
		p := Permission(strings.TrimSpace(w))
		if !slices.Contains(known, p) {
			return nil, fault.Field("scopes", "There is no scope %q. The scopes are %s.", w, strings.Join(permissionWords(), ", "))
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out, nil
}
