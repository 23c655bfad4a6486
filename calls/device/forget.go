package device

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// Forget is an order to a phone: forget every call with a number, and do not send it again. The number is not in it. The
// phone, which knows its own numbers, finds it: Hash is the HMAC-SHA-256 of the canonical number under Salt, the first 16
// bytes, both in lower-case hexadecimal.
type Forget struct {
	ID   string
	Salt string
	Hash string
}

const (
	forgetField = "forget_orders"
	saltBytes   = 16
	markBytes   = 16
)

// NewForget makes the order to forget a canonical number, sealed for IssueForget under the organisation's key. Whoever has
// neither that key nor the number learns nothing from it.
func (s *Devices) NewForget(ctx context.Context, org account.OrgID, canonical string) (orderID string, sealed []byte, err error) {
	k, err := s.keys.Org(ctx, int64(org))
	if err != nil {
		return "", nil, err
	}
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails, see crypto/rand
	orderID = id.New("fgt")
	return orderID, k.Seal(forgetField+"|"+orderID, []byte(hex.EncodeToString(salt)+" "+forgetMark(salt, canonical))), nil
}

func forgetMark(salt []byte, canonical string) string {
	h := hmac.New(sha256.New, salt)
	h.Write([]byte(canonical))
	return hex.EncodeToString(h.Sum(nil)[:markBytes])
}

// LineDay is a line's local day.
type LineDay struct {
	Line call.LineNo
	Day  civil.Day
}

// IssueForget gives an order to the phones that had calls of these days: those whose SIM the line is now, and those that
// told us of the day. What they told is forgotten at once, since a digest is made of numbers.
func (s *Devices) IssueForget(ctx context.Context, tx *db.Tx, org account.OrgID, orderID string, sealed []byte, days []LineDay) error {
	lines, phones := map[call.LineNo]bool{}, map[string]bool{}
	note := func(query string, args ...any) error {
		found, err := db.Select(ctx, tx, func(r db.Scanner) (d string, err error) { return d, r.Scan(&d) }, query, args...)
		for _, d := range found {
			phones[d] = true
		}
		return err
	}
	for _, d := range days {
		if !lines[d.Line] {
			lines[d.Line] = true
			if err := note(`SELECT device_id FROM device_lines WHERE org_id = $1 AND line = $2`, org, d.Line); err != nil {
				return err
			}
		}
		if err := note(`DELETE FROM digests WHERE org_id = $1 AND line = $2 AND day = $3 RETURNING device_id`, org, d.Line, d.Day); err != nil {
			return err
		}
	}
	for d := range phones {
		if _, err := tx.Exec(ctx, `INSERT INTO forget_orders (org_id, id, device_id, sealed, issued_ms, done_ms) VALUES ($1, $2, $3, $4, $5, 0)
			ON CONFLICT (org_id, id, device_id) DO NOTHING`, org, orderID, d, sealed, s.now().UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}

// forgets lists the orders that a phone has not answered yet: the oldest, and as many as it may answer at once.
func (s *Devices) forgets(ctx context.Context, org account.OrgID, device string) ([]Forget, error) {
	k, err := s.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, s.db, func(r db.Scanner) (f Forget, err error) {
		var sealed []byte
		if err := r.Scan(&f.ID, &sealed); err != nil {
			return f, err
		}
		plain, err := k.Open(forgetField+"|"+f.ID, sealed)
		f.Salt, f.Hash, _ = strings.Cut(string(plain), " ")
		return f, err
	}, `SELECT id, sealed FROM forget_orders WHERE org_id = $1 AND device_id = $2 AND done_ms = 0 ORDER BY issued_ms, id LIMIT $3`, org, device, maxForgotten)
}

// maxForgotten is how many orders a phone may answer at once.
const maxForgotten = 1000

// Forgotten notes that a phone has carried out orders. What it found the number by is removed. An order answered before
// may be answered again.
func (s *Devices) Forgotten(ctx context.Context, d *Device, orders []string) error {
	if len(orders) > maxForgotten {
		return fault.New(fault.TooLarge, "A request may answer %d orders; %d were answered. Send them in parts.", maxForgotten, len(orders))
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		for _, o := range orders {
			n, err := tx.Exec(ctx, `UPDATE forget_orders SET sealed = NULL, done_ms = CASE WHEN done_ms = 0 THEN $4 ELSE done_ms END
				WHERE org_id = $1 AND id = $2 AND device_id = $3`, d.Org, o, d.ID, s.now().UnixMilli())
			if err != nil {
				return err
			}
			if n == 0 {
				return fault.New(fault.NotFound, "This phone has no order %q. Fetch the configuration again for the orders it has.", word(o))
			}
		}
		return nil
	})
}

// Ordered is what became of one order at one phone.
type Ordered struct {
	Order    string
	DeviceID string
	Name     string // the phone's; "" when it was removed
	Agent    account.AgentNo
	Paired   bool // one that is not paired any more cannot answer: ask its holder
	IssuedAt time.Time
	DoneAt   time.Time // zero while it has not answered
}

// Ordered lists the orders to forget, the newest first: those of one erasure, or with order "" all that are not answered.
func (s *Devices) Ordered(ctx context.Context, org account.OrgID, order string) ([]Ordered, error) {
	return db.Select(ctx, s.db, func(r db.Scanner) (o Ordered, err error) {
		var unpaired, issued, done int64
		err = r.Scan(&o.Order, &o.DeviceID, &o.Name, &o.Agent, &unpaired, &issued, &done)
		o.Paired, o.IssuedAt, o.DoneAt = unpaired == 0, moment(issued), moment(done)
		return o, err
	}, `SELECT f.id, f.device_id, coalesce(d.name, ''), coalesce(d.agent, 0), coalesce(d.unpaired_ms, 1), f.issued_ms, f.done_ms
		FROM forget_orders f LEFT JOIN devices d ON d.org_id = f.org_id AND d.id = f.device_id
		WHERE f.org_id = $1 AND ($2 = '' AND f.done_ms = 0 OR f.id = $2) ORDER BY f.issued_ms DESC, f.id, f.device_id`, org, order)
}

// Any tells whether a phone ever told this organisation of calls.
func (s *Devices) Any(ctx context.Context, org account.OrgID) (bool, error) {
	var n int
	err := s.db.Row(ctx, `SELECT (SELECT count(*) FROM device_lines WHERE org_id = $1) + (SELECT count(*) FROM (SELECT line FROM digests WHERE org_id = $1 LIMIT 1) AS d)`, org).Scan(&n)
	return n > 0, err
}

// PhonesOf counts the phones that had calls on some lines, as far as is known: those whose SIMs the lines are.
func (s *Devices) PhonesOf(ctx context.Context, org account.OrgID, lines map[call.LineNo]bool) (int64, error) {
	phones := map[string]bool{}
	for l := range lines {
		found, err := db.Select(ctx, s.db, func(r db.Scanner) (d string, err error) { return d, r.Scan(&d) },
			`SELECT device_id FROM device_lines WHERE org_id = $1 AND line = $2 UNION SELECT device_id FROM digests WHERE org_id = $1 AND line = $2`, org, l)
		if err != nil {
			return 0, err
		}
		for _, d := range found {
			phones[d] = true
		}
	}
	return int64(len(phones)), nil
}

// Remove removes a phone with all that it told about itself, and the orders it had.
func (s *Devices) Remove(ctx context.Context, tx *db.Tx, org account.OrgID, device string) error {
	if err := s.noteAway(org, device); err != nil {
		return err
	}
	for _, q := range []string{
		`DELETE FROM device_lines WHERE org_id = $1 AND device_id = $2`, `DELETE FROM digests WHERE org_id = $1 AND device_id = $2`,
		`DELETE FROM forget_orders WHERE org_id = $1 AND device_id = $2`, `DELETE FROM devices WHERE org_id = $1 AND id = $2`,
	} {
		if _, err := tx.Exec(ctx, q, org, device); err != nil {
			return err
		}
	}
	return nil
}

// CarryOrders puts the orders that another database has of an organisation, and what phones answered, in the place of those
// here.
func (s *Devices) CarryOrders(ctx context.Context, from *Devices, tx *db.Tx, org account.OrgID) error {
	return db.CopyRows(ctx, from.db, tx, "forget_orders", int64(org), nil)
}
