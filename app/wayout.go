package app

import (
	"context"
	"net"

	"parley/trust/recipient"
)

// mailKey names the mail server among the recipients of the installation.
const mailKey = "mail"

// wayOut makes the one way out of the process, with the recipients that the configuration declares, and leads the mails
// through it.
func (p *Parley) wayOut() *recipient.Out {
	var own []recipient.Own
	if m := &p.Config.Mail; m.Host != "" {
		own = append(own, recipient.Own{Key: mailKey, Name: "the mail server", Host: m.Address()})
	}
	out := recipient.New(recipient.Options{Own: own, Now: p.Now})
	p.Config.Mail.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		return out.Dial(ctx, 0, mailKey, network, address)
	}
	return out
}
