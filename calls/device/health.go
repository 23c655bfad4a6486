package device

import (
	"context"
	"slices"
	"time"

	"parley/account"
)

// Health says when a phone last reported.
type Health string

// The states of health.
const (
	Online   Health = "online"  // within the last hour
	Away     Health = "away"    // within the last 24 hours
	Offline  Health = "offline" // longer ago
	Never    Health = "never"   // not since it was paired
	Unpaired Health = "unpaired"
)

// From when on a phone is worth a warning.
const (
	onlineFor = time.Hour
	awayFor   = 24 * time.Hour
	// SilentAfter is how much working time may pass without a call or a heartbeat.
	SilentAfter = 4 * time.Hour
	// MaxSkew is how far a phone's clock may be off before its calls stand at the wrong time.
	MaxSkew = 2 * time.Minute
	// AtRiskFrom is how many calls may wait on a phone: Android's call log drops the oldest beyond 500.
	AtRiskFrom = 400
)

// View is a phone with what is to be said about it.
type View struct {
	*Device
	Health   Health
	LastSign time.Time // the last heartbeat, sync or call; the pairing when there was none
	// SilentFor is the working time since LastSign, by the organisation's days and hours.
	SilentFor time.Duration
	Silent    bool
	ClockOff  bool
	AtRisk    bool
}

func (s *Devices) view(org *account.Org, d *Device) View {
	now := s.now()
	v := View{Device: d, LastSign: latest(d.PairedAt, d.SeenAt, d.SyncedAt, minTime(d.LastCallAt, now))}
	switch since := now.Sub(d.SeenAt); {
	case !d.UnpairedAt.IsZero():
		v.Health = Unpaired
		return v
	case d.SeenAt.IsZero():
		v.Health = Never
	case since <= onlineFor:
		v.Health = Online
	case since <= awayFor:
		v.Health = Away
	default:
		v.Health = Offline
	}
	v.SilentFor = WorkingTime(org, v.LastSign, now)
	v.Silent = v.SilentFor > SilentAfter
	v.ClockOff = d.ClockSkew.Abs() > MaxSkew
	v.AtRisk = d.Waiting > AtRiskFrom
	return v
}

func latest(times ...time.Time) time.Time {
	return slices.MaxFunc(times, time.Time.Compare)
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// maxSilentDays bounds the reckoning of working time; longer silence is as loud.
const maxSilentDays = 60

// WorkingTime is how much of the time between two instants lies within the organisation's working days and hours.
func WorkingTime(org *account.Org, from, to time.Time) time.Duration {
	if floor := to.AddDate(0, 0, -maxSilentDays); from.Before(floor) {
		from = floor
	}
	return org.WorkingTime(from, to)
}

// Devices lists the phones of agents, unpaired ones last; nil agents means all of the organisation.
func (s *Devices) Devices(ctx context.Context, org *account.Org, agents []account.AgentNo) ([]View, error) {
	all, err := s.devices(ctx, s.db, org.ID, ``)
	if err != nil {
		return nil, err
	}
	var out []View
	for _, d := range all {
		if agents == nil || slices.Contains(agents, d.Agent) {
			out = append(out, s.view(org, d))
		}
	}
	slices.SortStableFunc(out, func(a, b View) int { return b2i(a.Health == Unpaired) - b2i(b.Health == Unpaired) })
	return out, nil
}

// View gives one phone with what is to be said about it.
func (s *Devices) View(ctx context.Context, org *account.Org, device string) (View, error) {
	d, err := s.Device(ctx, org, device)
	if err != nil {
		return View{}, err
	}
	return s.view(org, d), nil
}

// Summary counts the paired phones of agents by what is to be said about them.
type Summary struct {
	Paired, Online, Away, Offline, Never int
	Silent, ClockOff, AtRisk             int
	Waiting                              int // calls not sent yet, of all phones
}

// Health sums up the phones of agents; nil agents means all of the organisation.
func (s *Devices) Health(ctx context.Context, org *account.Org, agents []account.AgentNo) (Summary, error) {
	all, err := s.Devices(ctx, org, agents)
	var sum Summary
	for _, v := range all {
		switch v.Health {
		case Online:
			sum.Online++
		case Away:
			sum.Away++
		case Offline:
			sum.Offline++
		case Never:
			sum.Never++
		default:
			continue
		}
		sum.Paired++
		sum.Silent += b2i(v.Silent)
		sum.ClockOff += b2i(v.ClockOff)
		sum.AtRisk += b2i(v.AtRisk)
		sum.Waiting += v.Waiting
	}
	return sum, err
}
