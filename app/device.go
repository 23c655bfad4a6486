package app

import (
	"context"
	"time"

	"parley/account"
	"parley/calls/device"
)

type deviceCmd struct {
	List   deviceListCmd   `cmd:"" help:"List phones and how they are."`
	Code   deviceCodeCmd   `cmd:"" help:"Make a code with which one phone is paired."`
	Unpair deviceUnpairCmd `cmd:"" help:"End a phone's reporting. What it has sent stays."`
	Orders deviceOrdersCmd `cmd:"" help:"List the phones that have not said yet that they forgot an erased person."`
}

type deviceListCmd struct {
	inOrg
	asJSON
}

type deviceView struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Agent      account.AgentNo `json:"agent"`
	Health     device.Health   `json:"health"`
	Silent     bool            `json:"silent"`
	Waiting    int             `json:"waiting"`
	SeenAt     *time.Time      `json:"seen_at"`
	SyncedAt   *time.Time      `json:"synced_at"`
	AppVersion string          `json:"app_version"`
	OS         string          `json:"os"`
}

func (c *deviceListCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	phones, err := r.p.Devices.Devices(ctx, org, nil)
	if err != nil {
		return err
	}
	out := make([]deviceView, len(phones))
	for i, d := range phones {
		out[i] = deviceView{d.ID, d.Name, d.Agent, d.Health, d.Silent, d.Waiting, orNil(d.SeenAt), orNil(d.SyncedAt), d.AppVersion, d.OS}
	}
	return c.write(r, out, func(t *table) {
		t.row("NAME", "AGENT", "HEALTH", "SILENT", "WAITING", "LAST SEEN", "ID")
		for _, v := range out {
			t.row(v.Name, v.Agent, v.Health, yes(v.Silent), v.Waiting, moment(v.SeenAt, org), v.ID)
		}
	})
}

type deviceCodeCmd struct {
	inOrg
	asJSON
	Agent string `arg:"" help:"Agent whose phone it is, by name, e-mail address or id."`
}

func (c *deviceCodeCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	m, err := r.p.Accounts.FindAgent(ctx, org.ID, c.Agent)
	if err != nil {
		return err
	}
	code, expires, err := r.p.Devices.PairingCode(ctx, org, m.Agent)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(r, struct {
			Code    string    `json:"code"`
			Expires time.Time `json:"expires_at"`
		}{code, expires})
	}
	return r.printf("%s\nType it into %s's phone until %s.\n", code, m.Name, expires.In(org.Location()).Format("15:04"))
}

type deviceUnpairCmd struct {
	inOrg
	Device string `arg:"" help:"Id of the phone, from \"parley device list\"."`
}

func (c *deviceUnpairCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	if err := r.p.Devices.Unpair(ctx, org, c.Device); err != nil {
		return err
	}
	return r.printf("The phone %s reports no more.\n", c.Device)
}

type deviceOrdersCmd struct {
	inOrg
	asJSON
	Order string `arg:"" optional:"" help:"Id of one order: then the phones that have answered it are listed, too."`
}

type orderView struct {
	Order    string          `json:"order"`
	Device   string          `json:"device"`
	Name     string          `json:"name"`
	Agent    account.AgentNo `json:"agent"`
	Paired   bool            `json:"paired"`
	IssuedAt *time.Time      `json:"issued_at"`
	DoneAt   *time.Time      `json:"done_at"`
}

func (c *deviceOrdersCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	all, err := r.p.Devices.Ordered(ctx, org.ID, c.Order)
	if err != nil {
		return err
	}
	out := make([]orderView, len(all))
	for i, o := range all {
		out[i] = orderView{o.Order, o.DeviceID, o.Name, o.Agent, o.Paired, orNil(o.IssuedAt), orNil(o.DoneAt)}
	}
	return c.write(r, out, func(t *table) {
		t.row("PHONE", "AGENT", "PAIRED", "ORDERED", "DONE", "ORDER")
		for _, v := range out {
			t.row(v.Name, v.Agent, yes(v.Paired), moment(v.IssuedAt, org), moment(v.DoneAt, org), v.Order)
		}
	})
}
