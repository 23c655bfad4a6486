package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/report"
	"parley/crm/contact"
	"parley/platform/audit"
	"parley/platform/fault"
	"parley/trust/subject"
)

// trace is what a route leaves in the audit log. The zero trace leaves nothing.
type trace struct {
	action audit.Action
	object string // a kind, with the part of the path that names the thing in braces: "call/{call}"; "" = the page itself
	member string // the part of the path that names the person it is about; "" for none
	site   bool   // it is logged with the installation: the organisation's own log is not there before or after
}

// traces are the routes that do not follow the rules of traceOf. A zero trace says that a page shows nothing of people.
func traces() map[string]trace {
	quiet := trace{}
	t := map[string]trace{
		"GET /{$}":                             {action: audit.MissedListed},
		"GET /missed":                          {action: audit.MissedListed},
		"GET /calls":                           {action: audit.CallsListed},
		"GET /calls/{call}":                    {action: audit.CallOpened, object: "call/{call}"},
		"GET /numbers/{key}":                   {action: audit.NumberOpened},
		"GET /agents/{member}":                 {action: audit.PersonOpened, member: "member"},
		"GET /people":                          {action: audit.PeopleListed},
		"GET /people/{member}":                 {action: audit.PersonOpened, member: "member"},
		"GET /teams":                           {action: audit.PeopleListed},
		"GET /search":                          {action: audit.SearchMade},
		"GET /day":                             {action: audit.LeadsListed},
		"GET /contacts":                        {action: audit.ContactsListed},
		"GET /contacts/twins":                  {action: audit.ContactsListed},
		"GET /contacts/{contact}":              {action: audit.ContactOpened},
		"GET /contacts/{contact}/files/{file}": {action: audit.ContactOpened, object: "file/{file}"},
		"GET /leads":                           {action: audit.LeadsListed},
		"GET /leads/table":                     {action: audit.LeadsListed},
		"GET /leads/calendar":                  {action: audit.LeadsListed},
		"GET /leads/{lead}":                    {action: audit.LeadOpened, object: "lead/{lead}"},
		"GET /devices":                         {action: audit.DevicesOpened},
		"GET /devices/{device}":                {action: audit.DevicesOpened, object: "device/{device}"},
		"GET /lines/{line}":                    {action: audit.PersonOpened, object: "line/{line}"},
		"GET /leaderboard":                     {action: audit.ReportOpened},
		"GET /audit":                           {action: audit.LogOpened},
		"GET /audit/log.jsonl":                 {action: audit.ExportMade},

		"POST /calls/{call}/note":                   {action: audit.CallChanged, object: "call/{call}"},
		"POST /calls/{call}/outcome":                {action: audit.CallChanged, object: "call/{call}"},
		"POST /calls/{call}/tags":                   {action: audit.CallChanged, object: "call/{call}"},
		"POST /calls/{call}/delete":                 {action: audit.CallDeleted, object: "call/{call}"},
		"POST /people/{member}/agent":               {action: audit.RoleChanged, member: "member"},
		"POST /people/{member}":                     {action: audit.MemberChanged, member: "member"},
		"POST /settings/close":                      {action: audit.OrgChanged, site: true},
		"POST /demo/remove":                         {action: audit.OrgChanged, site: true},
		"POST /contacts/{contact}/delete":           {action: audit.ContactDeleted},
		"POST /leads/bulk":                          {action: audit.LeadsChanged},
		"POST /leads/bulk/{bulk}/undo":              {action: audit.LeadsChanged},
		"POST /leads/{lead}/delete":                 {action: audit.LeadDeleted, object: "lead/{lead}"},
		"POST /sign-in":                             {action: audit.SignedIn},
		"POST /link/{secret}":                       {action: audit.SignedIn, object: "page/link"},
		"POST /invitation/{secret}":                 {action: audit.SignedIn, object: "page/invitation"},
		"POST /organisation":                        {action: audit.SignedIn},
		"POST /sign-up":                             {action: audit.SignedIn},
		"POST /sign-out":                            {action: audit.SignedOut},
		"POST /account/sessions/end":                {action: audit.AccountChanged, object: "session"},
		"POST /settings/tokens/new":                 {action: audit.TokenChanged},
		"POST /settings/exclusions":                 {action: audit.ExclusionChanged},
		"POST /numbers/{key}/exclude":               {action: audit.ExclusionChanged},
		"POST /settings/backups/run":                {action: audit.BackupMade},
		"POST /audit/verify":                        {action: audit.LogOpened},
		"GET /leads/imports/runs/{import}/rejected": {action: audit.ExportMade, object: "import/{import}"},
		"GET /leads/export":                         {action: audit.ExportMade, object: "leads"},
		"GET /contacts/export":                      {action: audit.ExportMade, object: "contacts"},
		"GET /leads/settings":                       {action: audit.SettingsOpened},
		"GET /imports/{import}/rejected":            {action: audit.ExportMade, object: "import/{import}"},
	}
	for _, pattern := range []string{
		"GET /definitions", "GET /reports", "GET /developer", "GET /devices/pair", "GET /devices/settings", "GET /people/invite", "GET /people/add",
		"GET /people/{member}/lines/add", "GET /settings", "GET /settings/close", "GET /settings/tokens", "GET /settings/backups", "GET /settings/tokens/new", "GET /me", "GET /me/seen",
		"GET /imports/{import}/progress", "GET /files/{file}", "GET /audit/checkpoint", "GET /trust",
		"GET /trust/policy", "GET /trust/policy/edit", "GET /trust/policy/preview", "GET /trust/policy/text/{text}", "GET /trust/policy/file/{file}", "POST /trust/policy/publish",
		"POST /policy/accept", "GET /trust/proof", "GET /trust/proof/progress", "GET /trust/proof/report.json", "POST /trust/proof/run", "POST /trust/proof/publish",
		"GET /followups", "POST /day/seen", "GET /contacts/new", "GET /leads/new", "POST /leads/views", "POST /leads/views/{view}/delete", "GET /trust/attestations/materials", "GET /trust/attestations/materials.json",
	} {
		t[pattern] = quiet
	}
	return t
}

// families are the actions of routes that change something, by how their path begins.
func families() []struct {
	path   string
	action audit.Action
} {
	return []struct {
		path   string
		action audit.Action
	}{
		{"/calls/", audit.CallChanged}, {"/missed/", audit.CallbackChanged}, {"/people/", audit.MemberChanged}, {"/teams", audit.TeamChanged},
		{"/lines/", audit.LineChanged}, {"/devices/", audit.DeviceChanged}, {"/contacts", audit.ContactChanged}, {"/followups", audit.FollowUpChanged}, {"/day", audit.FeedChanged}, {"/leads/settings", audit.SettingsChanged}, {"/leads/imports", audit.ImportChanged}, {"/leads", audit.LeadChanged}, {"/settings/tokens", audit.TokenChanged}, {"/settings/exclusions", audit.ExclusionChanged},
		{"/settings", audit.SettingsChanged}, {"/imports", audit.ImportChanged}, {"/files", audit.ImportChanged}, {"/trust/policy", audit.PolicyChanged}, {"/trust", audit.Changed},
	}
}

// traceOf says what a route leaves in the audit log. What nobody thought of is logged: a page that needs a permission as
// opened, a form as sent.
func traceOf(r route) trace {
	if t, ok := traces()[r.pattern]; ok {
		return t
	}
	method, path, _ := strings.Cut(r.pattern, " ")
	t := trace{}
	for _, id := range []string{"lead", "member", "line", "device", "team", "import", "token", "invitation"} {
		if strings.Contains(path, "{"+id+"}") {
			t.object = id + "/{" + id + "}"
		}
	}
	if strings.Contains(path, "{member}") {
		t.member, t.object = "member", ""
	}
	switch {
	case r.needs == Public, r.needs == SignedIn && method == http.MethodGet:
		return trace{}
	case r.needs == SignedIn:
		t.action = audit.AccountChanged
	case method == http.MethodGet:
		return lookAt(t, path)
	default:
		t.action = audit.Changed
		for _, f := range families() {
			if strings.HasPrefix(path, f.path) {
				t.action = f.action
				break
			}
		}
	}
	return t
}

// lookAt is the trace of a page. Reports that add up without showing anybody's number leave none.
func lookAt(t trace, path string) trace {
	t.action = audit.PageOpened
	name, isReport := strings.CutPrefix(path, "/reports/")
	switch {
	case isReport && strings.Contains(name, "."):
		t.action, t.object = audit.ExportMade, "report/"+name
	case isReport:
		t.action, t.object = audit.ReportOpened, "report/{report}"
	case strings.HasPrefix(path, "/imports"), strings.HasPrefix(path, "/leads/imports"):
		t.action = audit.ImportsOpened
	case strings.HasPrefix(path, "/people"):
		t.action = audit.PeopleListed
	case strings.HasPrefix(path, "/trust"), strings.HasPrefix(path, "/settings/exclusions"):
		t.action = audit.PrivacyOpened
	}
	return t
}

// trail is what a visit learns on its way that belongs in the audit log.
type trail struct {
	about   []string       // persons whose data is shown or changed
	entered *account.Actor // who has signed in just now
}

// concern notes whose data a visit shows or changes.
func (v *visit) concern(who ...subject.Ref) {
	for _, r := range who {
		if text := r.String(); !slices.Contains(v.trail.about, text) {
			v.trail.about = append(v.trail.about, text)
		}
	}
}

// concernNumber notes that a visit is about the person behind a number.
func (v *visit) concernNumber(n number.ID) {
	if n > 0 {
		v.concern(subject.OfNumber(int64(n)))
	}
}

// concernContact notes that a visit is about a contact.
func (v *visit) concernContact(c *contact.Contact) { v.concern(c.Refs()...) }

// concernCall notes whose call a visit is about: that of the number, and that of the agent.
func (v *visit) concernCall(k call.Key) error {
	v.concernNumber(k.Number)
	m, err := v.Accounts.AgentByNo(v.ctx(), v.org().ID, k.Agent)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err == nil {
		v.concern(subject.OfMember(string(m.ID)))
	}
	return err
}

// logged is the writer of a visit's answer.
func (v *visit) logged(t trace) http.ResponseWriter {
	if t.action == "" {
		return v.w
	}
	return &audit.Scribe{ResponseWriter: v.w, Log: func(status int) error { return v.log(t, status) }, Refuse: func(w http.ResponseWriter, err error) {
		v.Log.Error("not logged, so not shown", "pattern", v.r.Pattern, "err", err)
		http.Error(w, "This cannot be shown now, since it cannot be written to the audit log. Free some space on the server's disk, or ask whoever runs it, and try again.", http.StatusServiceUnavailable)
	}}
}

// log records a visit that was answered with a status. What failed or was not there showed nothing.
func (v *visit) log(t trace, status int) error {
	by := v.actor
	if v.trail.entered != nil {
		by = v.trail.entered
	}
	if t.action == audit.SignedIn && v.trail.entered == nil {
		return nil
	}
	denied := status == http.StatusForbidden
	if by == nil || status >= http.StatusBadRequest && !denied {
		return nil
	}
	x := audit.Visit{Entry: audit.Entry{Actor: string(by.Member.ID), Action: t.action, Object: v.objectOf(t), Purpose: purposeOf(t.action), Result: audit.OK}}
	if t.action.Looks() && strings.HasPrefix(v.w.Header().Get("Content-Disposition"), "attachment") {
		x.Action, x.Purpose = audit.ExportMade, purposeOf(audit.ExportMade) // whatever leaves as a file
	}
	if denied {
		x.Result = audit.Denied
	} else {
		x.About, x.Details = v.trail.about, v.narrowed()
		if id := v.memberOf(t); id != "" {
			x.About = append(x.About, subject.OfMember(id).String())
		}
	}
	if t.action == audit.ReportOpened && len(x.About) == 0 && v.addsUp() {
		return nil
	}
	org := int64(by.Org.ID)
	if t.site && !denied {
		org, x.Object = 0, "organisation/"+strconv.FormatInt(int64(by.Org.ID), 10)
	}
	return v.Audit.Visited(v.ctx(), org, x)
}

// addsUp tells of reports that show nobody's number.
func (v *visit) addsUp() bool {
	id, err := report.ParseID(v.r.PathValue("report"))
	return err == nil && id.Needs() != account.ReadCalls
}

// maxID bounds what is taken from an address.
const maxID = 100

// objectOf fills the parts of the path in.
func (v *visit) objectOf(t trace) string {
	if t.object == "" {
		if _, path, ok := strings.Cut(v.r.Pattern, " "); ok {
			return "page/" + strings.Trim(strings.ReplaceAll(path, "{$}", "today"), "/")
		}
		return "page"
	}
	kind, name, ok := strings.Cut(t.object, "/{")
	if !ok {
		return t.object
	}
	id := v.r.PathValue(strings.TrimSuffix(name, "}"))
	if id == "" || len(id) > maxID {
		return kind
	}
	return kind + "/" + id
}

// memberOf is the member whose page this is, or whose calls a list is narrowed down to.
func (v *visit) memberOf(t trace) string {
	id := ""
	if t.member != "" {
		id = v.r.PathValue(t.member)
	} else if t.action.Looks() {
		id = v.query("agent")
	}
	if len(id) > maxID {
		return ""
	}
	return id
}

// maxGrant bounds what is kept of the permissions that were given.
const maxGrant = 1000

// narrowed is what a list was narrowed down to, as far as that names nobody outside, and what a form granted.
func (v *visit) narrowed() map[string]string {
	q, out := v.r.URL.Query(), map[string]string{}
	for _, name := range []string{"from", "to", "through", "preset", "team", "line"} {
		if x := q.Get(name); x != "" && len(x) <= maxID {
			out[name] = x
		}
	}
	for _, name := range []string{"role", "scopes", "expires"} {
		if x := strings.Join(v.r.PostForm[name], ","); x != "" && len(x) <= maxGrant {
			out[name] = x
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// purposeOf is what an action serves, as the policy calls it.
func purposeOf(a audit.Action) string {
	switch a {
	case audit.ReportOpened, audit.ExportMade:
		return "reports"
	case audit.LogOpened, audit.PrivacyOpened:
		return "rights"
	case audit.SignedIn, audit.SignedOut, audit.TokenChanged, audit.RoleChanged, audit.AccountChanged:
		return "security"
	default:
		return "call_ops"
	}
}
