package mail_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// post is a small SMTP server that answers RCPT with what a test says, and keeps the mails it takes.
type post struct {
	listener net.Listener
	tls      *tls.Config // offered by STARTTLS when set

	mu     sync.Mutex
	answer string // to RCPT; "" = 250 OK
	mails  []string
}

func newPost(t *testing.T, offer *tls.Config, fromTheStart bool) *post {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &post{listener: l, tls: offer}
	accept := l.Accept
	if fromTheStart {
		accept = tls.NewListener(l, offer).Accept
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.talk(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		serving.Wait()
	})
	return p
}

func (p *post) port() int { return p.listener.Addr().(*net.TCPAddr).Port }

func (p *post) say(answer string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *post) taken() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.mails...)
}

func (p *post) talk(c net.Conn) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	reply := func(line string) { _, _ = c.Write([]byte(line + "\r\n")) }
	reply("220 post.example ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); verb {
		case "EHLO", "HELO":
			if _, secure := c.(*tls.Conn); p.tls != nil && !secure {
				reply("250-post.example")
				reply("250 STARTTLS")
			} else {
				reply("250 post.example")
			}
		case "STARTTLS":
			reply("220 go on")
			c = tls.Server(c, p.tls)
			in = bufio.NewReader(c)
		case "RCPT":
			p.mu.Lock()
			answer := p.answer
			p.mu.Unlock()
			if answer == "" {
				answer = "250 OK"
			}
			reply(answer)
		case "DATA":
			reply("354 go on")
			var mail strings.Builder
			for {
				l, err := in.ReadString('\n')
				if err != nil || l == ".\r\n" {
					break
				}
				mail.WriteString(l)
			}
			p.mu.Lock()
			p.mails = append(p.mails, mail.String())
			p.mu.Unlock()
			reply("250 taken")
		case "QUIT":
			reply("221 bye")
			return
		default:
			reply("250 OK")
		}
	}
}

// certificate makes one for 127.0.0.1, and the pool that trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(made)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

// tlsOffer is what a server offers by STARTTLS, and whom the client trusts.
type tlsOffer struct {
	server *tls.Config
	roots  *x509.CertPool
}

func (o *tlsOffer) config() *tls.Config {
	if o == nil {
		return nil
	}
	return o.server
}
