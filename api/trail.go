package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/report"
	"parley/platform/audit"
	"parley/platform/fault"
	"parley/trust/subject"
)

// trace is what an operation leaves in the audit log. The zero trace leaves nothing.
type trace struct {
	action audit.Action
	object string // a kind, with the part of the path that names the thing in braces; "" = the operation itself
	member bool   // it is about the member in the path
}

// traces are the operations that do not follow the rules of traceOf. A zero trace says that an operation shows nothing of
// people.
func traces() map[string]trace {
	t := map[string]trace{
		"GET /calls":                             {action: audit.CallsListed},
		"GET /calls/{call}":                      {action: audit.CallOpened, object: "call/{call}"},
		"POST /calls/get":                        {action: audit.CallsListed},
		"POST /calls/delete":                     {action: audit.CallDeleted},
		"DELETE /calls/{call}":                   {action: audit.CallDeleted, object: "call/{call}"},
		"PATCH /calls/{call}":                    {action: audit.CallChanged, object: "call/{call}"},
		"GET /numbers":                           {action: audit.SearchMade},
		"GET /numbers/{number}":                  {action: audit.NumberOpened},
		"GET /numbers/{number}/calls":            {action: audit.NumberOpened},
		"GET /people":                            {action: audit.CallsListed},
		"GET /callbacks":                         {action: audit.MissedListed},
		"POST /numbers/{number}/callback/assign": {action: audit.CallbackChanged},
		"POST /numbers/{number}/callback/handle": {action: audit.CallbackChanged},
		"POST /numbers/{number}/callback/reopen": {action: audit.CallbackChanged},
		"GET /members":                           {action: audit.PeopleListed},
		"GET /members/{member}":                  {action: audit.PersonOpened, member: true},
		"POST /members/{member}/agent":           {action: audit.RoleChanged, member: true},
		"GET /invitations":                       {action: audit.PeopleListed},
		"GET /lines":                             {action: audit.PeopleListed},
		"GET /lines/{line}":                      {action: audit.PersonOpened, object: "line/{line}"},
		"GET /devices":                           {action: audit.DevicesOpened},
		"GET /devices/{device}":                  {action: audit.DevicesOpened, object: "device/{device}"},
		"GET /device-health":                     {action: audit.DevicesOpened},
		"GET /completeness":                      {action: audit.DevicesOpened},
		"GET /exclusions":                        {action: audit.PrivacyOpened},
		"GET /imports/{import}/rejected":         {action: audit.ExportMade, object: "import/{import}"},
		"GET /reports/{report}":                  {action: audit.ReportOpened, object: "report/{report}"},
		"GET /audit/entries":                     {action: audit.LogOpened},
		"GET /audit/entries/{n}/proof":           {action: audit.LogOpened},
		"POST /audit/verify":                     {action: audit.LogOpened},
		"GET /audit/log":                         {action: audit.ExportMade},
		"DELETE /sessions/{session}":             {action: audit.AccountChanged, object: "session/{session}"},
		"POST /imports/detect":                   {},
		"POST /audit/cosignatures":               {}, // logs itself
	}
	for _, pattern := range []string{"GET /me", "GET /me/seen", "GET /organisation", "GET /teams", "GET /teams/{team}", "GET /device-settings", "GET /tags",
		"GET /metrics", "GET /reports", "GET /imports", "GET /imports/{import}", "GET /tokens", "GET /sessions", "GET /audit/checkpoint", "GET /audit/growth",
		"GET /policy", "GET /policy/versions", "GET /policy/versions/{version}", "GET /policy/texts/{text}", "POST /policy/check", "POST /policy/versions", "GET /proof", "POST /proof", "GET /materials"} {
		t[pattern] = trace{}
	}
	for _, pattern := range []string{"GET /requests", "GET /requests/{request}", "GET /requests/{request}/receipts", "GET /attestations", "GET /attestations/{duty}", "GET /attestations/{duty}/statement",
		"GET /transfers", "GET /transfers/{transfer}", "POST /consents/of", "POST /minors/of", "POST /contact-checks"} {
		t[pattern] = trace{action: audit.PrivacyOpened}
	}
	for _, pattern := range []string{"GET /requests/{request}/package", "POST /consents/export"} {
		t[pattern] = trace{action: audit.ExportMade}
	}
	outsideTraces(t)
	return t
}

// outsideTraces adds the operations about contacts, leads and follow-ups.
func outsideTraces(t map[string]trace) {
	for action, patterns := range map[audit.Action][]string{
		audit.ContactsListed: {"GET /contacts", "GET /contact-twins"},
		audit.ContactOpened:  {"GET /contacts/{contact}", "GET /contacts/{contact}/twins", "GET /contacts/{contact}/notes", "GET /contacts/{contact}/timeline"},
		audit.NumberOpened:   {"GET /numbers/{number}/timeline", "GET /talking"},
		audit.ContactDeleted: {"DELETE /contacts/{contact}"},
		audit.LeadsListed:    {"GET /leads", "GET /lead-board", "GET /lead-board/{stage}", "GET /lead-calendar", "GET /assignment/log", "GET /assignment/waiting", "GET /my-day", "GET /follow-ups"},
		audit.MissedListed:   {"GET /missed-callers"},
		audit.SearchMade:     {"GET /search"},
		audit.LeadOpened:     {"GET /follow-ups/{followup}"},
		audit.LeadsChanged:   {"POST /leads/bulk", "POST /leads/bulk/{bulk}/undo"},
	} {
		for _, pattern := range patterns {
			t[pattern] = trace{action: action}
		}
	}
	for _, pattern := range []string{"GET /leads/{lead}", "GET /leads/{lead}/history", "GET /leads/{lead}/timeline", "GET /leads/{lead}/assignment"} {
		t[pattern] = trace{action: audit.LeadOpened, object: "lead/{lead}"}
	}
	t["GET /contacts/{contact}/files"] = trace{action: audit.ContactOpened}
	t["GET /contacts/{contact}/files/{file}"] = trace{action: audit.ContactOpened, object: "file/{file}"}
	t["DELETE /leads/{lead}"] = trace{action: audit.LeadDeleted, object: "lead/{lead}"}
	t["GET /calls/{call}/match"] = trace{action: audit.CallOpened, object: "call/{call}"}
	t["GET /lists/{list}/rejected"] = trace{action: audit.ExportMade, object: "list/{list}"}
	t["GET /leads/export"] = trace{action: audit.ExportMade, object: "leads"}
	t["GET /contacts/export"] = trace{action: audit.ExportMade, object: "contacts"}
	t["POST /lists/detect"] = trace{}
	for _, pattern := range []string{"GET /contact-tags", "GET /lead-tags", "GET /lead-views", "GET /fields", "GET /pipelines", "GET /lead-reasons", "GET /lead-lines", "GET /contact-groups", "GET /follow-up-settings", "GET /notices",
		"GET /assignment/rules", "GET /assignment/rescues", "GET /assignment/closed-days", "GET /lists", "GET /lists/{list}", "POST /lead-views", "GET /lead-views/{view}", "PUT /lead-views/{view}", "DELETE /lead-views/{view}", "POST /notices/seen"} {
		t[pattern] = trace{}
	}
}

// families are the actions of operations that change something, by how their path begins.
func families() []struct {
	path   string
	action audit.Action
} {
	return []struct {
		path   string
		action audit.Action
	}{
		{"/contact-groups", audit.SettingsChanged}, {"/contacts", audit.ContactChanged}, {"/leads", audit.LeadChanged}, {"/follow-ups", audit.FollowUpChanged}, {"/calendar-link", audit.FeedChanged},
		{"/pipelines", audit.SettingsChanged}, {"/lead-", audit.SettingsChanged}, {"/fields", audit.SettingsChanged}, {"/follow-up-settings", audit.SettingsChanged}, {"/assignment", audit.SettingsChanged}, {"/lists", audit.ImportChanged},
		{"/organisation", audit.SettingsChanged}, {"/teams", audit.TeamChanged}, {"/agents", audit.MemberChanged}, {"/members", audit.MemberChanged},
		{"/invitations", audit.MemberChanged}, {"/lines", audit.LineChanged}, {"/device", audit.DeviceChanged}, {"/pairing-codes", audit.DeviceChanged},
		{"/exclusions", audit.ExclusionChanged}, {"/requests", audit.RequestChanged}, {"/calls", audit.CallChanged}, {"/imports", audit.ImportChanged}, {"/tokens", audit.TokenChanged},
	}
}

// traceOf says what an operation leaves in the audit log. What nobody thought of is logged. What phones send of their
// own is not: nobody looks at anything.
func traceOf(o *operation) trace {
	path := strings.TrimPrefix(o.path, root)
	if o.permission() == "" {
		return trace{}
	}
	if t, ok := traces()[o.method+" "+path]; ok {
		return t
	}
	t := trace{action: audit.PageOpened}
	if o.writes() {
		t.action = audit.Changed
		for _, f := range families() {
			if strings.HasPrefix(path, f.path) {
				t.action = f.action
				break
			}
		}
	}
	for _, id := range []string{"lead", "list", "line", "device", "team", "import", "token", "invitation"} {
		if strings.Contains(path, "{"+id+"}") {
			t.object = id + "/{" + id + "}"
		}
	}
	t.member = strings.Contains(path, "{member}")
	return t
}

// concern notes whose data the running operation shows or changes.
func concern(ctx context.Context, who subject.Ref) {
	c := callerOf(ctx)
	if text := who.String(); !slices.Contains(c.about, text) {
		c.about = append(c.about, text)
	}
}

// concernNumber notes that the running operation is about the person behind a number.
func concernNumber(ctx context.Context, n number.ID) {
	if n > 0 {
		concern(ctx, subject.OfNumber(int64(n)))
	}
}

// concernCall notes whose call the running operation is about: that of the number, and that of the agent.
func (s *API) concernCall(ctx context.Context, k call.Key) error {
	concernNumber(ctx, k.Number)
	m, err := s.Accounts.AgentByNo(ctx, callerOf(ctx).org.ID, k.Agent)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err == nil {
		concern(ctx, subject.OfMember(string(m.ID)))
	}
	return err
}

// logged is the writer of an operation's answer, which is logged before it leaves.
func (s *API) logged(o *operation, w http.ResponseWriter, r *http.Request, c *caller) http.ResponseWriter {
	t := traceOf(o)
	if t.action == "" || c == nil || c.actor == nil {
		return w
	}
	return &audit.Scribe{ResponseWriter: w, Log: func(status int) error { return s.log(o, t, w.Header(), r, c, status) }, Refuse: func(w http.ResponseWriter, err error) {
		writeProblem(w, s.problem(r.Context(), o, fault.Wrap(fault.Unavailable, err, "This cannot be shown now, since it cannot be written to the audit log. Try again in a minute.")))
	}}
}

// log records an operation that was answered with a status. What failed or was not there showed nothing; an answer that
// is given again for its idempotency key was logged the first time.
func (s *API) log(o *operation, t trace, h http.Header, r *http.Request, c *caller, status int) error {
	denied := status == http.StatusForbidden
	if status >= http.StatusBadRequest && !denied || h.Get("Idempotency-Replayed") != "" {
		return nil
	}
	v := audit.Visit{Entry: audit.Entry{Actor: string(c.actor.Member.ID), Action: t.action, Object: objectOf(o, t, r), Purpose: "call_ops", Result: audit.OK, Details: map[string]string{}}}
	if c.actor.Token != nil {
		v.Details["token"] = c.actor.Token.ID
	}
	if h.Get("Content-Disposition") != "" {
		v.Action = audit.ExportMade
	}
	if v.Action == audit.ReportOpened || v.Action == audit.ExportMade {
		v.Purpose = "reports"
	}
	if denied {
		v.Result = audit.Denied
	} else {
		v.About = c.about
		if id := pathMember(t, r); id != "" {
			v.About = append(v.About, subject.OfMember(id).String())
		}
		narrowed(v.Details, r)
		granted(v.Details, c.body)
	}
	if v.Action == audit.ReportOpened && len(v.About) == 0 && addsUp(r) {
		return nil
	}
	return s.Audit.Visited(r.Context(), int64(c.org.ID), v)
}

// addsUp tells of reports that show nobody's number.
func addsUp(r *http.Request) bool {
	id, err := report.ParseID(r.PathValue("report"))
	return err == nil && id.Needs() != account.ReadCalls
}

// maxID bounds what is taken from an address.
const maxID = 100

func objectOf(o *operation, t trace, r *http.Request) string {
	if t.object == "" {
		return "operation/" + o.id
	}
	kind, name, _ := strings.Cut(t.object, "/{")
	id := r.PathValue(strings.TrimSuffix(name, "}"))
	if id == "" || len(id) > maxID {
		return kind
	}
	return kind + "/" + id
}

// pathMember is the member whom an operation is about, or whose calls a list is narrowed down to.
func pathMember(t trace, r *http.Request) string {
	id := ""
	if t.member {
		id = r.PathValue("member")
	} else if t.action.Looks() {
		id = r.URL.Query().Get("agent")
	}
	if len(id) > maxID {
		return ""
	}
	return id
}

// narrowed notes what a list was narrowed down to, as far as that names nobody outside.
func narrowed(details map[string]string, r *http.Request) {
	q := r.URL.Query()
	for _, name := range []string{"from", "to", "through", "preset", "team", "line"} {
		if x := q.Get(name); x != "" && len(x) <= maxID {
			details[name] = x
		}
	}
}

// granted notes which role or scopes a write gave.
func granted(details map[string]string, body []byte) {
	var asked struct {
		Role   string   `json:"role"`
		Scopes []string `json:"scopes"`
	}
	if len(body) == 0 || json.Unmarshal(body, &asked) != nil {
		return // the handler says what is wrong with it
	}
	for name, x := range map[string]string{"role": asked.Role, "scopes": strings.Join(asked.Scopes, ",")} {
		if x != "" && len(x) <= maxGrant {
			details[name] = x
		}
	}
}

// maxGrant bounds what is kept of the permissions that were given.
const maxGrant = 1000
