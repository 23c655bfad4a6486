package api

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/calls/device"
	"parley/platform/fault"
)

// sessionCookie is the one that the pages set.
const sessionCookie = "parley_session"

// requestKey is the context key of the *http.Request, for operations that stream.
type requestKey struct{}

func requestOf(ctx context.Context) *http.Request {
	r, _ := ctx.Value(requestKey{}).(*http.Request)
	return r
}

// gate lets a request through to its handler when its caller is known, may do what the operation does, and has not asked
// too often, and when its body is within bounds.
func (s *API) gate(o *operation, w http.ResponseWriter, r *http.Request, h http.HandlerFunc) {
	c, err := s.admit(o, w, r)
	w = s.logged(o, w, r, c)
	if err != nil {
		if fault.KindOf(err) == fault.Unauthenticated {
			w.Header().Set("WWW-Authenticate", `Bearer realm="parley"`)
		}
		writeProblem(w, s.problem(r.Context(), o, err))
		return
	}
	ctx := context.WithValue(r.Context(), callerKey{}, c)
	if o.upload {
		s.pass(o, w, r.WithContext(context.WithValue(ctx, requestKey{}, r)), h, nil)
		return
	}
	body, err := readBody(o, w, r)
	if err != nil {
		writeProblem(w, s.problem(r.Context(), o, err))
		return
	}
	c.body = body
	r = r.WithContext(ctx)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	s.pass(o, w, r, h, body)
}

// pass runs the handler, once for each idempotency key.
func (s *API) pass(o *operation, w http.ResponseWriter, r *http.Request, h http.HandlerFunc, body []byte) {
	c := callerOf(r.Context())
	if key := r.Header.Get(idempotencyHeader); key != "" && o.writes() && c.actor != nil {
		s.once(o, w, r, h, body)
		return
	}
	h(w, r)
}

// admit finds out who calls and whether they may.
func (s *API) admit(o *operation, w http.ResponseWriter, r *http.Request) (*caller, error) {
	from := network(r.RemoteAddr)
	if o.needs == NeedsNothing {
		return &caller{}, s.limits.spend(w, "from "+from, s.limits.of.Address, s.Now())
	}
	c, err := s.identify(o, r)
	if err != nil && fault.KindOf(err) == fault.Unauthenticated {
		// Whoever has a credential is let through however often others at the same address, such as a proxy's, had none.
		return nil, cmp.Or(s.limits.spend(w, "failed "+from, s.limits.of.Failures, s.Now()), err)
	}
	if err != nil {
		return nil, err
	}
	if c.device != nil {
		return c, s.limits.spend(w, c.id, s.limits.of.Device, s.Now())
	}
	if err := s.limits.spend(w, c.id, s.limits.of.Token, s.Now()); err != nil {
		return nil, err
	}
	return c, c.actor.Require(o.permission())
}

// identify reads the caller's credential: a bearer token, or for reading the session of the browser.
func (s *API) identify(o *operation, r *http.Request) (*caller, error) {
	token, bearer := bearerToken(r)
	switch {
	case o.needs == NeedsDevice && bearer:
		return s.identifyDevice(r.Context(), token)
	case o.needs == NeedsDevice:
		return nil, fault.New(fault.Unauthenticated, "This needs a device's token. Pair the phone at /api/v1/device/pair and send the token it gets as \"Authorization: Bearer …\".")
	case bearer && device.IsToken(token):
		return nil, fault.New(fault.Unauthenticated, "This is a device's token, which serves for /api/v1/device/ alone. Make an API token under Settings, API tokens.")
	case bearer:
		actor, err := s.Accounts.ByToken(r.Context(), token)
		if err != nil {
			return nil, err
		}
		return &caller{actor: actor, org: actor.Org, id: "token " + actor.Token.ID}, nil
	}
	return s.identifySession(o, r)
}

func (s *API) identifyDevice(ctx context.Context, token string) (*caller, error) {
	if !device.IsToken(token) {
		return nil, fault.New(fault.Unauthenticated, "This is no device's token. Pair the phone at /api/v1/device/pair to get one.")
	}
	dev, org, err := s.Devices.ByToken(ctx, token)
	if err != nil {
		return nil, err
	}
	if org.Closing() { // it may be taken back: phones keep what they have and try again later
		return nil, fault.New(fault.Unavailable, "The organisation is being closed, so nothing is taken from phones. Try again later, in case the closing is taken back.")
	}
	return &caller{device: dev, org: org, id: "device " + dev.ID}, nil
}

// identifySession takes the browser's session for reading alone: another site cannot read answers, but could send writes.
func (s *API) identifySession(o *operation, r *http.Request) (*caller, error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil, fault.New(fault.Unauthenticated, "Say who you are: send an API token as \"Authorization: Bearer ply_…\". Make one under Settings, API tokens.")
	}
	if o.writes() {
		return nil, fault.New(fault.Unauthenticated, "A browser's session serves for reading alone. To change something, send an API token as \"Authorization: Bearer ply_…\".")
	}
	actor, err := s.Accounts.Session(r.Context(), cookie.Value)
	if err != nil {
		return nil, err
	}
	return &caller{actor: actor, org: actor.Org, id: "session " + actor.Session.ID}, nil
}

func bearerToken(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}

// network is where a request comes from, as far as one party holds it: an IPv4 address, or the /64 of an IPv6 one.
func network(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if a = a.Unmap(); a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return host
	}
	return p.String()
}

// seen are the agents that the caller sees: nil means all.
func seen(ctx context.Context) ([]account.AgentNo, error) { return actorOf(ctx).Agents(ctx) }

// mustSee gives NotFound for an agent that the caller does not see, with the sentence for what they asked for.
func mustSee(ctx context.Context, agent account.AgentNo, format string, a ...any) error {
	agents, err := seen(ctx)
	if err == nil && agents != nil && !slices.Contains(agents, agent) {
		err = fault.New(fault.NotFound, format, a...)
	}
	return err
}

// at is a time as answers give it: in the organisation's zone, and nil for none.
func at(org *account.Org, t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.In(org.Location()).Truncate(time.Millisecond)
	return &t
}
