package web

import (
	"net/http"
	"slices"
	"strings"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/fault"
)

// Two answers to "who may" that are no permission of a role.
const (
	Public   account.Permission = "public"    // anybody, signed in or not
	SignedIn account.Permission = "signed_in" // any member: their own account
)

// route is one address, who may use it, and what it does.
type route struct {
	pattern string // of http.ServeMux, with the method
	needs   account.Permission
	handle  func(v *visit) error
}

// routes is the table of all pages; each file brings those of its noun.
func (s *site) routes() []route {
	return slices.Concat(
		s.frameRoutes(),
		s.signInRoutes(),
		s.signUpRoutes(),
		s.todayRoutes(),
		s.missedRoutes(),
		s.callRoutes(),
		s.numberRoutes(),
		s.leadRoutes(),
		s.contactRoutes(),
		s.dayRoutes(),
		s.intakeRoutes(),
		s.leadSettingsRoutes(),
		s.groupRoutes(),
		s.assignRoutes(),
		s.talkingRoutes(),
		s.followSetRoutes(),
		s.reportRoutes(),
		s.exportRoutes(),
		s.leaderboardRoutes(),
		s.agentRoutes(),
		s.searchRoutes(),
		s.importRoutes(),
		s.deviceRoutes(),
		s.inviteRoutes(),
		s.peopleRoutes(),
		s.personRoutes(),
		s.lineRoutes(),
		s.teamRoutes(),
		s.meRoutes(),
		s.myDataRoutes(),
		s.ownRoutes(),
		s.settingsRoutes(),
		s.exclusionRoutes(),
		s.backupRoutes(),
		s.tokenRoutes(),
		s.requestRoutes(),
		s.requestsRoutes(),
		s.developerRoutes(),
		s.auditRoutes(),
		s.trustRoutes(),
		s.retentionRoutes(),
		s.incidentRoutes(),
		s.legalRoutes(),
		s.closingRoutes(),
		s.preferenceRoutes(),
		s.signalRoutes(),
		s.consentRoutes(),
		s.holdRoutes(),
		s.policyRoutes(),
		s.proofRoutes(),
		s.attestRoutes(),
		s.privacyRoutes(),
	)
}

// Route is a line of the table of routes, for the test that shows who may open what.
type Route struct {
	Pattern string
	Needs   account.Permission
	Logs    audit.Action // what is written to the audit log; "" = nothing
}

// Routes lists the table.
func Routes() []Route {
	var out []Route
	for _, r := range (&site{}).routes() {
		out = append(out, Route{r.pattern, r.needs, traceOf(r).action})
	}
	return out
}

// check refuses a route that does not declare whom it is for: what is not declared is denied.
func (r route) check() error {
	if r.needs != Public && r.needs != SignedIn && !slices.Contains(account.Permissions(), r.needs) {
		return patternError(r.pattern, "does not declare a permission that exists")
	}
	if method, _, ok := strings.Cut(r.pattern, " "); !ok || method == "" {
		return patternError(r.pattern, "does not name its method")
	}
	return nil
}

// allowed tells whether a visitor may use the route.
func (r route) allowed(a *account.Actor) error {
	switch {
	case r.needs == Public:
		return nil
	case a == nil:
		return fault.New(fault.Unauthenticated, "You are not signed in, or not any more. Sign in to go on.")
	case r.needs == SignedIn:
		return nil
	default:
		return a.Require(r.needs)
	}
}

func nothingHere(v *visit) error {
	if v.actor == nil && v.r.Method == http.MethodGet && v.r.URL.Path == "/" {
		return v.to("/sign-in")
	}
	return fault.New(fault.NotFound, "There is nothing at %s. The address may be incomplete, or the page has moved.", v.r.URL.Path)
}

func foreignForm(*visit) error {
	return fault.New(fault.Denied, "This form was sent from another site, so nothing was changed. Open the page here and send it again.")
}
