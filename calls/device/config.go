package device

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// MaxBatch is how many calls a phone may send at once.
const MaxBatch = 500

// Settings is what an organisation tells its phones. The zero value collects every call in the phone's log, at any hour,
// and asks for no battery level.
type Settings struct {
	CollectFrom civil.Day        // calls before this local day stay on the phone; 0 = none do
	TrackDays   account.Weekdays // calls on other days stay on the phone; 0 = all days
	TrackFrom   int              // minutes after midnight; calls outside [TrackFrom, TrackTo) stay on the phone
	TrackTo     int              // both 0 = all hours
	Battery     bool             // phones tell their battery level
}

func (c *Settings) check() error {
	if c.TrackDays > 0b1111111 {
		return fault.Field("track_days", "The tracking days are not days of the week.")
	}
	if c.TrackFrom == 0 && c.TrackTo == 0 {
		return nil
	}
	if c.TrackFrom < 0 || c.TrackFrom >= c.TrackTo || c.TrackTo > 24*60 {
		return fault.Field("track_from", "Tracking must begin before it ends, on the same day. Change one of the times, or clear both to track all hours.")
	}
	return nil
}

// Settings gives what an organisation tells its phones. What its privacy policy has off is off.
func (s *Devices) Settings(ctx context.Context, org account.OrgID) (Settings, error) {
	c, _, err := db.One(ctx, s.db, func(r db.Scanner) (c Settings, err error) {
		var battery int
		err = r.Scan(&c.CollectFrom, &c.TrackDays, &c.TrackFrom, &c.TrackTo, &battery)
		c.Battery = battery == 1
		return c, err
	}, `SELECT collect_from, track_days, track_from, track_to, battery FROM device_settings WHERE org_id = $1`, org)
	if err != nil || !c.Battery {
		return c, err
	}
	c.Battery, err = s.mayCollect(ctx, org, batteryCategory)
	return c, err
}

// batteryCategory is what the policy calls battery levels.
const batteryCategory = "device.battery"

// SetSettings changes what an organisation tells its phones. Battery levels that are not asked for any more are removed.
func (s *Devices) SetSettings(ctx context.Context, org account.OrgID, c Settings) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.Battery {
		ok, err := s.mayCollect(ctx, org, batteryCategory)
		if err != nil {
			return err
		}
		if !ok {
			return fault.Field("battery", "The privacy policy says that battery levels are never collected. Leave this off, or have the policy changed first.")
		}
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO device_settings (org_id, collect_from, track_days, track_from, track_to, battery) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (org_id) DO UPDATE SET collect_from = excluded.collect_from, track_days = excluded.track_days,
				track_from = excluded.track_from, track_to = excluded.track_to, battery = excluded.battery`,
			org, c.CollectFrom, int(c.TrackDays), c.TrackFrom, c.TrackTo, b2i(c.Battery)); err != nil || c.Battery {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE devices SET battery = NULL WHERE org_id = $1`, org)
		return err
	})
}

// Config is what a phone is told to do.
type Config struct {
	Version         string // changes with anything else in it but the time
	ServerTime      time.Time
	Organisation    string
	Country, Zone   string // numbers are read in this country, days are those of this zone
	Lines           []DeviceLine
	ExcludedNumbers []string // canonical; calls with them never leave the phone
	Settings        Settings
	MaxBatch        int
	Forget          []Forget // orders that the phone has not answered yet
}

// Config gives a phone's configuration.
func (s *Devices) Config(ctx context.Context, d *Device) (*Config, error) {
	org, err := s.accounts.Org(ctx, d.Org)
	if err != nil {
		return nil, err
	}
	c := &Config{ServerTime: s.now(), Organisation: org.Name, Country: org.Country, Zone: org.Zone, Lines: d.Lines, MaxBatch: MaxBatch}
	if c.Settings, err = s.Settings(ctx, d.Org); err != nil {
		return nil, err
	}
	excluded, err := s.book.Excluded(ctx, s.db, d.Org)
	if err != nil {
		return nil, err
	}
	c.ExcludedNumbers = slices.Sorted(maps.Keys(excluded.Dropped))
	if c.Forget, err = s.forgets(ctx, d.Org, d.ID); err != nil {
		return nil, err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %v %q %+v %d %v", c.Organisation, c.Country, c.Zone, c.Lines, c.ExcludedNumbers, c.Settings, c.MaxBatch, c.Forget)
	c.Version = hex.EncodeToString(h.Sum(nil)[:8])
	return c, nil
}

// Beat is a heartbeat: how a phone is.
type Beat struct {
	AppVersion, OS, Model string // "" = as before
	Battery               *int   // per cent
	Waiting               int    // calls not sent yet
	DeviceTime            time.Time
	LastCallAt            time.Time
	MissingPermissions    []string // names of permissions that the phone lacks
	SIMs                  []SIM    // nil = as before
}

const (
	maxPermissions = 20
	maxWaiting     = 1_000_000
)

func (b *Beat) check() error {
	if b.Waiting < 0 || b.Waiting > maxWaiting {
		return fault.Field("waiting", "%d calls cannot be waiting on a phone. Send how many it has not sent yet.", b.Waiting)
	}
	if b.Battery != nil && (*b.Battery < 0 || *b.Battery > 100) {
		return fault.Field("battery", "The battery level is from 0 to 100 per cent; %d was sent.", *b.Battery)
	}
	if len(b.MissingPermissions) > maxPermissions {
		return fault.Field("missing_permissions", "At most %d permissions can be listed; %d were.", maxPermissions, len(b.MissingPermissions))
	}
	return checkSIMs(b.SIMs)
}

// Heartbeat keeps how a phone is and gives its configuration, so that one request tells it whether to read it again.
func (s *Devices) Heartbeat(ctx context.Context, d *Device, b Beat) (*Config, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	org, err := s.accounts.Org(ctx, d.Org)
	if err != nil {
		return nil, err
	}
	settings, err := s.Settings(ctx, d.Org)
	if err != nil {
		return nil, err
	}
	var fresh *Device
	err = s.db.Tx(ctx, func(tx *db.Tx) (err error) {
		if err := s.writeBeat(ctx, tx, d, &b, settings.Battery); err != nil {
			return err
		}
		if b.SIMs != nil {
			if err := s.attach(ctx, tx, org, d.Agent, d.ID, b.SIMs, false); err != nil {
				return err
			}
		}
		fresh, err = s.device(ctx, tx, d.Org, d.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.Config(ctx, fresh)
}

func (s *Devices) writeBeat(ctx context.Context, tx *db.Tx, d *Device, b *Beat, withBattery bool) error {
	var battery any
	if b.Battery != nil && withBattery {
		battery = *b.Battery
	}
	now, skew, lastCall, complete := s.now(), int64(0), int64(0), int64(0)
	if !b.DeviceTime.IsZero() {
		skew = b.DeviceTime.Sub(now).Milliseconds()
	}
	if !b.LastCallAt.IsZero() {
		lastCall = b.LastCallAt.UnixMilli()
	}
	if b.Waiting == 0 {
		complete = now.UnixMilli()
	}
	permissions := make([]string, len(b.MissingPermissions))
	for i, p := range b.MissingPermissions {
		permissions[i] = strings.ReplaceAll(word(p), " ", "_") // blanks part the names
	}
	slices.Sort(permissions)
	_, err := tx.Exec(ctx, `UPDATE devices SET seen_ms = $3, battery = $4, waiting = $5, skew_ms = $6, permissions = $7,
			last_call_ms = CASE WHEN $8 > last_call_ms THEN $8 ELSE last_call_ms END,
			complete_ms = CASE WHEN $9 > complete_ms THEN $9 ELSE complete_ms END,
			app_version = CASE WHEN $10 = '' THEN app_version ELSE $10 END, os = CASE WHEN $11 = '' THEN os ELSE $11 END,
			model = CASE WHEN $12 = '' THEN model ELSE $12 END
		WHERE org_id = $1 AND id = $2 AND unpaired_ms = 0`, d.Org, d.ID, now.UnixMilli(), battery, b.Waiting, skew, strings.Join(permissions, " "),
		lastCall, complete, word(b.AppVersion), word(b.OS), word(b.Model))
	return err
}

// Synced notes in the transaction of a sync that a phone sent calls. waiting is how many it says are left; nil when it
// says nothing: then a batch that is not full was the last.
func (s *Devices) Synced(ctx context.Context, tx *db.Tx, d *Device, sent int, waiting *int, newest time.Time) error {
	now, complete, left := s.now().UnixMilli(), int64(0), 0
	switch {
	case waiting != nil:
		left = min(max(*waiting, 0), maxWaiting)
	case sent >= MaxBatch:
		left = max(d.Waiting-sent, 1)
	}
	if left == 0 {
		complete = now
	}
	var last int64
	if !newest.IsZero() {
		last = newest.UnixMilli()
	}
	_, err := tx.Exec(ctx, `UPDATE devices SET seen_ms = $3, synced_ms = $3, waiting = $4,
			complete_ms = CASE WHEN $5 > complete_ms THEN $5 ELSE complete_ms END,
			last_call_ms = CASE WHEN $6 > last_call_ms THEN $6 ELSE last_call_ms END
		WHERE org_id = $1 AND id = $2`, d.Org, d.ID, now, left, complete, last)
	return err
}
