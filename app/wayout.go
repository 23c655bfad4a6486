package app

import (
	"context"
	"net"
	"net/url"

	"parley/platform/blob"
	"parley/platform/vault"
	"parley/reach/mail"
	"parley/trust/recipient"
)

// Keys of the installation's own recipients.
const (
	mailKey   = "mail"
	vaultKey  = "vault"
	bucketKey = "backup"
)

// wayOut is the one way out of the process. The master key may lie in a Vault, so it is there before everything else.
func (p *Parley) wayOut() *recipient.Out {
	if p.Out == nil {
		p.Out = recipient.New(recipient.Options{Own: p.Config.recipients(), Private: p.Config.Private, Now: p.Now, Policy: p.policyOf})
	}
	return p.Out
}

// recipients are the servers that the configuration names.
func (c *Config) recipients() []recipient.Own {
	var out []recipient.Own
	if c.Mail.Host != "" {
		out = append(out, recipient.Own{Key: mailKey, Name: "the mail server", Host: c.Mail.Address()})
	}
	if u, err := url.Parse(c.MasterKey); err == nil && vault.IsTransit(c.MasterKey) {
		out = append(out, recipient.Own{Key: vaultKey, Name: "the Vault that holds the master key", Host: u.Host, Plain: vault.IsPlainTransit(c.MasterKey)})
	}
	if u, err := url.Parse(c.Backup.Where); err == nil && blob.IsBucket(c.Backup.Where) {
		out = append(out, recipient.Own{Key: bucketKey, Name: "the bucket for backups", Host: u.Host, Plain: blob.IsPlainBucket(c.Backup.Where)})
	}
	return out
}

// mailServer is the mail server, reached by the way out.
func (p *Parley) mailServer() mail.Server {
	s, out := p.Config.Mail, p.wayOut()
	s.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		return out.Dial(ctx, 0, mailKey, network, address)
	}
	return s
}
