package app

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/reach/mail"
	"parley/trust/datamap"
	"parley/web/phrase"
)

// closing is the statement of a receipt for an organisation that was closed. It names no person.
type closing struct {
	Format       string           `json:"format"` // closingFormat
	Organisation account.OrgID    `json:"organisation"`
	AskedAt      time.Time        `json:"asked_at,omitzero"`
	ClosedAt     time.Time        `json:"closed_at"`
	Rows         map[string]int64 `json:"rows"`           // removed, by table
	Left         int64            `json:"left"`           // rows found afterwards: 0
	Keys         bool             `json:"keys_destroyed"` // what copies hold cannot be opened
	BackupsEnd   time.Time        `json:"backups_end"`    // when the last backup with it cannot be opened any more
}

const closingFormat = "parley closing 1"

// closeDue removes the organisations whose closing cannot be taken back any more. The failure of one, such as a legal
// hold, does not keep the others.
func (p *Parley) closeDue(ctx context.Context) error {
	due, err := p.Accounts.DueToClose(ctx)
	if err != nil {
		return err
	}
	for _, org := range due {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		_, closeErr := p.closeOrg(ctx, org)
		err = errors.Join(err, closeErr)
	}
	return err
}

// closeOrg removes an organisation, looks whether anything is left, and keeps a receipt, which the owners get by mail.
func (p *Parley) closeOrg(ctx context.Context, org *account.Org) ([]byte, error) {
	rows, err := p.countRows(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	owners, err := p.ownersOf(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	doc, err := p.policyOf(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	if err := p.RemoveOrg(ctx, org.ID); err != nil {
		return nil, err
	}
	now := p.Now()
	c := closing{
		Format: closingFormat, Organisation: org.ID, AskedAt: org.ClosingAt, ClosedAt: now, Rows: rows, Keys: true, BackupsEnd: doc.Deadlines.BackupResidue.After(now, nil),
	}
	left, err := p.countRows(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	for _, n := range left {
		c.Left += n
	}
	receipt, err := p.certify(ctx, c)
	if err != nil {
		return nil, err
	}
	words := phrase.For(org.Locale).In(org.Location())
	for _, to := range owners {
		err = errors.Join(err, p.Mail.Send(ctx, mail.Message{
			To: to, Subject: words.T("mail.closed.subject", "Organisation", org.Name), Text: words.T("mail.closed.text", "Organisation", org.Name, "Receipt", string(receipt)),
		}))
	}
	if c.Left > 0 {
		err = errors.Join(err, fault.New(fault.Internal, "Organisation %d was closed, and %d rows of it are left.", org.ID, c.Left))
	}
	return receipt, err
}

// certify enters a statement in the installation's audit log and keeps it with its proof.
func (p *Parley) certify(ctx context.Context, c closing) ([]byte, error) {
	receipt, err := p.Audit.Certify(ctx, 0, audit.Entry{Actor: audit.System, Action: audit.OrgClosed, Details: map[string]string{"organisation": digits(int(c.Organisation))}}, c)
	if err != nil {
		return nil, err
	}
	asked := int64(0)
	if !c.AskedAt.IsZero() {
		asked = c.AskedAt.UnixMilli()
	}
	_, err = p.DB.Exec(ctx, `INSERT INTO closed_organisations (org_id, asked_ms, closed_ms, receipt) VALUES ($1, $2, $3, $4)`,
		c.Organisation, asked, c.ClosedAt.UnixMilli(), string(receipt))
	return receipt, err
}

// ownersOf gives the addresses of the owners of an organisation.
func (p *Parley) ownersOf(ctx context.Context, org account.OrgID) ([]string, error) {
	members, err := p.Accounts.Members(ctx, org)
	var out []string
	for _, m := range members {
		if m.Role == account.Owner && m.Active && m.Email != "" && !m.JoinedAt.IsZero() {
			out = append(out, m.Email)
		}
	}
	return out, err
}

// countRows tells how many rows each table has of an organisation. The receipts of closed ones are none of it.
func (p *Parley) countRows(ctx context.Context, org account.OrgID) (map[string]int64, error) {
	var files []fs.FS
	for _, s := range schemas() {
		files = append(files, s.files)
	}
	all, err := datamap.Read(files...)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for _, table := range all.Tables() {
		if _, ok := all.Column(table, "org_id"); !ok || table == "closed_organisations" {
			continue
		}
		var n int64
		if err := p.DB.Row(ctx, `SELECT count(*) FROM `+table+` WHERE org_id = $1`, org).Scan(&n); err != nil {
			return nil, err
		}
		if n > 0 {
			out[table] = n
		}
	}
	return out, nil
}

type orgCloseCmd struct {
	Name string `arg:"" help:"Name or number of the organisation."`
	Days int    `default:"7" help:"Days during which it can be taken back; at most 30."`
}

func (c *orgCloseCmd) onData(ctx context.Context, r *Run) error {
	org, err := r.p.Accounts.FindOrg(ctx, c.Name)
	if err != nil {
		return err
	}
	org, err = r.p.Accounts.CloseOrg(ctx, r.p.Accounts.Operator(org), time.Duration(c.Days)*24*time.Hour)
	if err != nil {
		return err
	}
	return r.printf("Organisation %q is locked and will be gone on %s. Until then its owners can look and take copies; \"parley org reopen\" takes it back.\n", org.Name, dayIn(org, org.ClosesAt))
}

type orgReopenCmd struct {
	Name string `arg:"" help:"Name or number of the organisation."`
}

func (c *orgReopenCmd) onData(ctx context.Context, r *Run) error {
	org, err := r.p.Accounts.FindOrg(ctx, c.Name)
	if err != nil {
		return err
	}
	if org, err = r.p.Accounts.ReopenOrg(ctx, r.p.Accounts.Operator(org)); err != nil {
		return err
	}
	return r.printf("Organisation %q is open again.\n", org.Name)
}

type orgReceiptCmd struct {
	Number int64 `arg:"" help:"Number that the organisation had."`
}

func (c *orgReceiptCmd) onData(ctx context.Context, r *Run) error {
	receipt, ok, err := db.One(ctx, r.p.DB, func(row db.Scanner) (s string, err error) { return s, row.Scan(&s) }, `SELECT receipt FROM closed_organisations WHERE org_id = $1`, c.Number)
	if err != nil {
		return err
	}
	if !ok {
		return notFoundf("No organisation with number %d was closed.", c.Number)
	}
	return writeJSON(r, json.RawMessage(receipt))
}
