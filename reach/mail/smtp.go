package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"parley/platform/fault"
)

// TLS says how the connection to the mail server is encrypted.
type TLS string

// The policies.
const (
	TLSRequired    TLS = "required"    // STARTTLS, or nothing is sent; the usual one
	TLSImplicit    TLS = "implicit"    // TLS from the first byte, as on port 465
	TLSWhenOffered TLS = "whenoffered" // STARTTLS when the server offers it
	TLSNone        TLS = "none"        // in the clear: for a server on this machine
)

// Server is the mail server that mails are handed to.
type Server struct {
	Host     string // "" = none: mails stay here
	Port     int    // 0 = 587, or 465 with implicit TLS
	User     string // "" = without signing in
	Password string
	From     string // address that mails come from
	TLS      TLS    // "" = required
	// Roots are the authorities whose certificates are taken; nil means those of this machine.
	Roots *x509.CertPool
	// Dial connects to the server; it is the one way out of the process. Without it nothing is sent.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

const sendTimeout = 30 * time.Second

// Check tells what is wrong with the server's settings. Without a host there is nothing to check.
func (s *Server) Check() error {
	if s.Host == "" {
		return nil
	}
	if s.From == "" {
		return fault.New(fault.Invalid, "mail.from is missing: the address that mails come from. Set it, for example to parley@example.com.")
	}
	if err := gomail.NewMsg().From(s.From); err != nil {
		return fault.New(fault.Invalid, "mail.from is %q, which is not an e-mail address. Write it like parley@example.com.", s.From)
	}
	switch s.TLS {
	case "", TLSRequired, TLSImplicit, TLSWhenOffered, TLSNone:
	default:
		return fault.New(fault.Invalid, "mail.tls is %q. Choose required, implicit, whenoffered or none.", s.TLS)
	}
	if s.Port < 0 || s.Port > 65535 {
		return fault.New(fault.Invalid, "mail.port is %d; a port is from 1 to 65535.", s.Port)
	}
	if s.User != "" && s.TLS == TLSNone && !isLocal(s.Host) {
		return fault.New(fault.Invalid, "mail.tls is none, but a password would cross the network to %s in the clear. Use required or implicit.", s.Host)
	}
	return nil
}

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *Server) port() int {
	switch {
	case s.Port != 0:
		return s.Port
	case s.TLS == TLSImplicit:
		return 465
	default:
		return 587
	}
}

// Address is the server's host and port, for people.
func (s *Server) Address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.port())) }

// connection is a client with the connection it uses. The library leaves that open when it gives up half-way, for example
// when a server offers no TLS, so it is closed here.
type connection struct {
	*gomail.Client
	conn net.Conn
}

func (c *connection) close() {
	if c.conn != nil {
		_ = c.conn.Close() // mostly closed already
	}
}

func (s *Server) client() (*connection, error) {
	if s.Dial == nil {
		return nil, fault.New(fault.Unavailable, "There is no way out to the mail server.")
	}
	secure := &tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
	c := &connection{}
	options := []gomail.Option{
		gomail.WithPort(s.port()), gomail.WithTimeout(sendTimeout), gomail.WithTLSConfig(secure),
		gomail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			var err error
			if c.conn, err = s.Dial(ctx, network, address); err != nil || s.TLS != TLSImplicit {
				return c.conn, err
			}
			over := tls.Client(c.conn, secure)
			return over, over.HandshakeContext(ctx)
		}),
	}
	switch s.TLS {
	case TLSImplicit:
		options = append(options, gomail.WithSSL())
	case TLSNone:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	case TLSWhenOffered:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.User != "" {
		how := gomail.SMTPAuthAutoDiscover
		if s.TLS == TLSNone { // Check allows this on this machine only
			how = gomail.SMTPAuthPlainNoEnc
		}
		options = append(options, gomail.WithSMTPAuth(how), gomail.WithUsername(s.User), gomail.WithPassword(s.Password))
	}
	var err error
	c.Client, err = gomail.NewClient(s.Host, options...)
	return c, err
}

// refusal is why a mail was not taken.
type refusal struct {
	temporary bool
	text      string
}

func (r *refusal) sentence() string {
	if r == nil {
		return ""
	}
	return r.text
}

// send hands one mail to the server; nil means that the server has it.
func (s *Server) send(ctx context.Context, mail *Sent) *refusal {
	msg := gomail.NewMsg()
	if err := errors.Join(msg.From(s.From), msg.To(mail.To)); err != nil {
		return &refusal{text: "The address is not one that mail can be sent to."}
	}
	msg.Subject(mail.Subject)
	msg.SetDateWithValue(mail.CreatedAt)
	msg.SetMessageIDWithValue(mail.ID + "@" + s.domain())
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: holiday notices stay away
	msg.SetBodyString(gomail.TypeTextPlain, mail.Text)
	c, err := s.client()
	if err != nil {
		return &refusal{temporary: true, text: "The settings of the mail server are not right. See \"parley doctor\"."}
	}
	defer c.close()
	return explain(c.DialAndSendWithContext(ctx, msg), s.Address())
}

// domain is the part of our address after the at sign; From may also be written as "Parley <parley@example.com>".
func (s *Server) domain() string {
	return strings.TrimSuffix(s.From[strings.LastIndexByte(s.From, '@')+1:], ">")
}

// explain turns an error into a sentence that names no person. Only a refusal of the mail itself is for good: a wrong
// password or a missing certificate will be mended by whoever runs the server.
func explain(err error, address string) *refusal {
	if err == nil {
		return nil
	}
	var sending *gomail.SendError
	if !errors.As(err, &sending) {
		return &refusal{temporary: true, text: "The mail server " + address + " cannot be reached or does not let us in. Check host, port, user, password and TLS with \"parley doctor\"."}
	}
	code := sending.ErrorCode()
	if code >= 500 && !sending.IsTemp() {
		return &refusal{text: "The mail server " + address + " refused the mail for good (code " + strconv.Itoa(code) + "). Check the address."}
	}
	return &refusal{temporary: true, text: "The mail server " + address + " did not take the mail now (code " + strconv.Itoa(code) + "). It is tried again."}
}

// Reach connects to the server and signs in, without sending anything.
func (s *Server) Reach(ctx context.Context) error {
	c, err := s.client()
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "The settings of the mail server are not right (%s).", err)
	}
	defer c.close()
	ctx, stop := context.WithTimeout(ctx, sendTimeout)
	defer stop()
	if err := c.DialWithContext(ctx); err != nil {
		return fault.Wrap(fault.Unavailable, err, "The mail server %s cannot be reached or does not let us in (%s). Check mail.host, mail.port, mail.tls, mail.user and mail.password.", s.Address(), err)
	}
	return c.Close()
}
