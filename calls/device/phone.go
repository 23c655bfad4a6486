package device

import (
	"context"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// DeviceLine is one SIM of a paired phone and the line that it is.
type DeviceLine struct {
	No           call.LineNo
	ID           LineID
	Slot         int    // 1 is SIM 1; 0 = the phone did not say
	Subscription string // the SIM's id as the phone names it
}

// Device is a paired phone, as it last described itself.
type Device struct {
	ID          string
	Org         account.OrgID
	Agent       account.AgentNo
	Name        string
	Lines       []DeviceLine // by slot
	PairedAt    time.Time
	UnpairedAt  time.Time // zero while paired
	SeenAt      time.Time // last heartbeat or sync; zero before the first
	SyncedAt    time.Time // last sync
	CompleteAt  time.Time // when it last had nothing left to send
	LastCallAt  time.Time
	Waiting     int // calls not sent yet, as the phone says
	AppVersion  string
	OS          string
	Model       string
	Battery     *int          // per cent; nil unless the organisation asks for it
	ClockSkew   time.Duration // the phone's clock minus ours
	Permissions []string      // names of permissions that the phone lacks
}

// Line finds the line that a phone means: by the line's id, by the SIM's id as it named it at pairing, by the SIM's slot,
// or, when it says nothing, its first SIM. Phones leave the SIM out of calls from before they had two.
func (d *Device) Line(line LineID, sim string) (call.LineNo, error) {
	if len(d.Lines) == 0 {
		return 0, fault.New(fault.NotFound, "This phone reports for no line. Pair it again, or give its agent a line.")
	}
	if line != "" {
		for _, l := range d.Lines {
			if l.ID == line {
				return l.No, nil
			}
		}
		return 0, fault.New(fault.NotFound, "This phone reports for no line %q. Fetch the configuration again for the lines it has.", string(line))
	}
	if sim = strings.TrimSpace(sim); sim == "" {
		return d.Lines[0].No, nil
	}
	for _, l := range d.Lines {
		if l.Subscription == sim {
			return l.No, nil
		}
	}
	for _, l := range d.Lines {
		if l.Slot > 0 && strconv.Itoa(l.Slot) == sim {
			return l.No, nil
		}
	}
	return 0, fault.New(fault.NotFound, "This phone has told of no SIM %q. Send a heartbeat that lists its SIMs, or name the line.", sim)
}

// Has tells whether the phone reports for a line.
func (d *Device) Has(no call.LineNo) bool {
	for _, l := range d.Lines {
		if l.No == no {
			return true
		}
	}
	return false
}

const deviceColumns = `id, org_id, agent, name, paired_ms, unpaired_ms, seen_ms, synced_ms, complete_ms, last_call_ms, waiting,
	app_version, os, model, battery, skew_ms, permissions`

func scanDevice(r db.Scanner) (*Device, error) {
	var d Device
	var paired, unpaired, seen, synced, complete, lastCall, skew int64
	var permissions string
	if err := r.Scan(&d.ID, &d.Org, &d.Agent, &d.Name, &paired, &unpaired, &seen, &synced, &complete, &lastCall, &d.Waiting,
		&d.AppVersion, &d.OS, &d.Model, &d.Battery, &skew, &permissions); err != nil {
		return nil, err
	}
	d.PairedAt, d.UnpairedAt, d.SeenAt, d.SyncedAt = moment(paired), moment(unpaired), moment(seen), moment(synced)
	d.CompleteAt, d.LastCallAt = moment(complete), moment(lastCall)
	d.ClockSkew, d.Permissions = time.Duration(skew)*time.Millisecond, strings.Fields(permissions)
	return &d, nil
}

// devices reads the phones that match where, whose $1 is the organisation, with their lines.
func (s *Devices) devices(ctx context.Context, c db.Conn, org account.OrgID, where string, args ...any) ([]*Device, error) {
	all, err := db.Select(ctx, c, scanDevice, `SELECT `+deviceColumns+` FROM devices WHERE org_id = $1 `+where+` ORDER BY name, id`, append([]any{org}, args...)...)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	at := make(map[string]*Device, len(all))
	for _, d := range all {
		at[d.ID] = d
	}
	only, lineArgs := ``, []any{org}
	if len(all) == 1 {
		only, lineArgs = `AND d.device_id = $2`, append(lineArgs, all[0].ID)
	}
	type row struct {
		device string
		line   DeviceLine
	}
	rows, err := db.Select(ctx, c, func(r db.Scanner) (x row, err error) {
		return x, r.Scan(&x.device, &x.line.No, &x.line.ID, &x.line.Slot, &x.line.Subscription)
	}, `SELECT d.device_id, d.line, l.id, d.slot, d.subscription FROM device_lines d JOIN lines l ON l.org_id = d.org_id AND l.no = d.line
		WHERE d.org_id = $1 `+only+` ORDER BY d.slot, d.line`, lineArgs...)
	for _, r := range rows {
		if d := at[r.device]; d != nil {
			d.Lines = append(d.Lines, r.line)
		}
	}
	return all, err
}

// Device gives one phone, unpaired ones too.
func (s *Devices) Device(ctx context.Context, org *account.Org, device string) (*Device, error) {
	return s.device(ctx, s.db, org.ID, device)
}

func (s *Devices) device(ctx context.Context, c db.Conn, org account.OrgID, device string) (*Device, error) {
	all, err := s.devices(ctx, c, org, `AND id = $2`, device)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fault.New(fault.NotFound, "There is no device %q in this organisation.", device)
	}
	return all[0], nil
}

// A device's token begins with what it is for and its organisation, as the tokens of members do.
const (
	tokenPrefix = "pld"
	tokenBytes  = 24
)

func newToken(org account.OrgID) string {
	return tokenPrefix + "_" + strconv.FormatInt(int64(org), 10) + "_" + id.Secret(tokenBytes)
}

func readToken(token string) (org account.OrgID, hash []byte, ok bool) {
	parts := strings.Split(token, "_")
	if len(parts) != 3 || parts[0] != tokenPrefix {
		return 0, nil, false
	}
	n, err := strconv.ParseInt(parts[1], 10, 64)
	return account.OrgID(n), id.Hash(token), err == nil && n > 0
}

// IsToken tells whether a bearer token is a device's.
func IsToken(token string) bool { return strings.HasPrefix(token, tokenPrefix+"_") }

// ByToken gives the phone that a token belongs to, and its organisation. A token that is unknown, of an unpaired phone or
// of an organisation that is gone is Unauthenticated.
func (s *Devices) ByToken(ctx context.Context, token string) (*Device, *account.Org, error) {
	unknown := fault.New(fault.Unauthenticated, "This device token is not known here. Pair the phone with a new code.")
	no, hash, ok := readToken(strings.TrimSpace(token))
	if !ok {
		return nil, nil, unknown
	}
	found, err := s.devices(ctx, s.db, no, `AND token_hash = $2`, hash)
	if err != nil {
		return nil, nil, err
	}
	if len(found) == 0 {
		return nil, nil, unknown
	}
	d := found[0]
	org, err := s.accounts.Org(ctx, no)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil, fault.Wrap(fault.Unauthenticated, err, "The organisation that this phone reported to has been closed. The app can be removed.")
	}
	if err != nil {
		return nil, nil, err
	}
	if !d.UnpairedAt.IsZero() {
		return nil, nil, fault.New(fault.Unauthenticated, "This phone was unpaired on %s and its calls are not taken any more. Pair it with a new code if it should report again.",
			d.UnpairedAt.In(org.Location()).Format("2006-01-02 15:04"))
	}
	return d, org, nil
}

// Unpair ends a phone's reporting. What it has sent stays.
func (s *Devices) Unpair(ctx context.Context, org *account.Org, device string) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		d, err := s.device(ctx, tx, org.ID, device)
		if err != nil || !d.UnpairedAt.IsZero() {
			return err
		}
		return s.unpair(ctx, tx, org.ID, device)
	})
}

func (s *Devices) unpair(ctx context.Context, tx *db.Tx, org account.OrgID, device string) error {
	if err := s.noteAway(org, device); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE devices SET unpaired_ms = $3, waiting = 0, battery = NULL WHERE org_id = $1 AND id = $2`, org, device, s.now().UnixMilli()); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM device_lines WHERE org_id = $1 AND device_id = $2`, org, device)
	return err
}

// RenameDevice changes a phone's name.
func (s *Devices) RenameDevice(ctx context.Context, org *account.Org, device, name string) (*Device, error) {
	name, err := cleanLabel("name", "The name", name)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, fault.Field("name", "Enter a name for the phone.")
	}
	n, err := s.db.Exec(ctx, `UPDATE devices SET name = $3 WHERE org_id = $1 AND id = $2`, org.ID, device, name)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fault.New(fault.NotFound, "There is no device %q in this organisation.", device)
	}
	return s.Device(ctx, org, device)
}
