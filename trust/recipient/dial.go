package recipient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"parley/account"
	"parley/platform/fault"
	"parley/platform/flaw"
)

// Times and sizes of a connection.
const (
	connectTime = 20 * time.Second
	answerTime  = time.Minute // for the head of an answer
	wholeTime   = 2 * time.Minute
	idleTime    = 90 * time.Second
	headBytes   = 1 << 20
)

// transport makes connections; whoever asks it has been let through.
type transport struct {
	dialer *net.Dialer
	http   *http.Transport
}

// newTransport takes no proxy from the environment: it would be a recipient that nobody declared. TLS is verified, 1.2 or
// newer. check looks at the address that a name turned out to have; nil takes all.
func newTransport(roots *x509.CertPool, check func(network, address string, _ syscall.RawConn) error) *transport {
	t := &transport{dialer: &net.Dialer{Timeout: connectTime, Control: check}}
	t.http = &http.Transport{
		DialContext:            t.dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    connectTime,
		ResponseHeaderTimeout:  answerTime,
		IdleConnTimeout:        idleTime,
		MaxResponseHeaderBytes: headBytes,
	}
	return t
}

func (o *Out) through(d *door) *transport {
	if d.own {
		return o.inside
	}
	return o.outside
}

// errPrivate is how a dialer says that a name leads into our own network.
var errPrivate = errors.New("the server's address lies in a private network")

// checkAddress refuses addresses that are not of the open internet, unless the configuration lets them through. It is asked
// with the address that a name has at this moment, so a name cannot be turned around after it was looked at.
func (o *Out) checkAddress(_, address string, _ syscall.RawConn) error {
	if o.private {
		return nil
	}
	a, err := netip.ParseAddrPort(address)
	if err != nil || !isPublic(a.Addr()) {
		return errPrivate
	}
	return nil
}

// isPublic tells whether an address belongs to the open internet.
func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, special := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		if netip.MustParsePrefix(special).Contains(a) {
			return false
		}
	}
	return true
}

// explain tells the refusal of a private address from other trouble.
func (o *Out) explain(d *door, err error) error {
	if errors.Is(err, errPrivate) {
		return o.refuse(d.org, d.key, PrivateAddress, "The server of %s lies in a private network, which organisations may not reach. Whoever runs this installation can allow it with recipients.private.", d.name)
	}
	return err
}

// Dial connects to a server of a recipient that speaks another protocol than HTTP; address is host:port, and the port must
// be declared. Whoever dials takes care of TLS.
func (o *Out) Dial(ctx context.Context, org account.OrgID, key, network, address string) (net.Conn, error) {
	d, err := o.open(ctx, org, key)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%q is no address of a server. Write host:port.", address)
	}
	if err := o.lets(d, host, port, ""); err != nil {
		return nil, err
	}
	conn, err := o.through(d).dialer.DialContext(ctx, network, address)
	return conn, o.explain(d, err)
}

// Client speaks HTTP with a recipient: of the installation for organisation 0, else of the organisation's policy. Whether it
// may is asked anew with every request and every redirect.
func (o *Out) Client(org account.OrgID, key string) *http.Client {
	return &http.Client{Transport: o.Transport(org, key), Timeout: wholeTime}
}

// Transport is Client for whoever brings a client of their own.
func (o *Out) Transport(org account.OrgID, key string) http.RoundTripper {
	if flaw.On(flaw.OpenDoor) {
		return http.DefaultTransport
	}
	return &way{o, org, key}
}

// way is the way out to one recipient.
type way struct {
	out *Out
	org account.OrgID
	key string
}

// RoundTrip sends a request if its server is one of the recipient's.
func (w *way) RoundTrip(r *http.Request) (*http.Response, error) {
	d, err := w.out.open(r.Context(), w.org, w.key)
	if err == nil {
		err = w.out.letsRequest(d, r)
	}
	if err != nil {
		if r.Body != nil {
			err = errors.Join(err, r.Body.Close())
		}
		return nil, err
	}
	answer, err := w.out.through(d).http.RoundTrip(r)
	if err != nil {
		return nil, w.out.explain(d, err)
	}
	return answer, nil
}

func (o *Out) letsRequest(d *door, r *http.Request) error {
	usual := "443"
	switch r.URL.Scheme {
	case "https":
	case "http":
		if usual = "80"; !d.plain {
			return o.refuse(d.org, d.key, NoTLS, "A connection to %s without TLS was refused. Use an address that begins with https://.", d.name)
		}
	default:
		return o.refuse(d.org, d.key, NoTLS, "%q is no protocol that %s is spoken to in. Use an address that begins with https://.", r.URL.Scheme, d.name)
	}
	port := r.URL.Port()
	if port == "" {
		port = usual
	}
	return o.lets(d, r.URL.Hostname(), port, usual)
}

// OptedOut tells whether a browser asks, by the Global Privacy Control, not to sell or share data about its user
// (https://www.w3.org/TR/gpc/). Parley does neither; who asks is also taken out of marketing.
func OptedOut(h http.Header) bool { return h.Get("Sec-GPC") == "1" }
