// Package demo makes an organisation that looks like a real one: its people, phones and sixty days of calls. The calls
// come in as those of phones do. Nobody in it exists: its Indian numbers begin with +91 50, where India has given out no
// numbers, and the others are those set aside for fiction.
package demo

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/vault"
)

// Name is what the demo organisation is called.
const Name = "Sample: Asha Traders"

// Size of the demo.
const (
	days       = 60
	totalCalls = 40_000
	zoneName   = "Asia/Kolkata"
)

// Deps are what the demo is made with.
type Deps struct {
	DB     *db.DB
	Keys   *vault.Keys
	Book   *number.Book
	Calls  *call.Store
	Writer *ingest.Writer
	Now    func() time.Time
	// Outside makes what keeps the people outside, by a clock of the demo's.
	Outside func(now func() time.Time) *Outside
}

// clock shows the time at which something is to have happened.
type clock struct{ at atomic.Int64 }

func (c *clock) Now() time.Time  { return time.UnixMilli(c.at.Load()) }
func (c *clock) set(t time.Time) { c.at.Store(t.UnixMilli()) }

// maker is a demo in the making.
type maker struct {
	Deps
	clock    *clock // of the services below, so that people joined and phones reported in the past
	accounts *account.Accounts
	devices  *device.Devices
	now      time.Time
	org      *account.Org
	agents   []*agent
	progress func(done, total int64)
	done     int64
}

// agent is somebody whose calls are made up.
type agent struct {
	who    person
	member *account.Member
	phone  *device.Device
	last   time.Time // the phone has sent nothing since
}

// Make makes the demo organisation; the same seed and day give the same calls. progress hears how many of the calls are
// stored. When it fails, the organisation comes back with the error as far as it was made, to be removed.
func Make(ctx context.Context, d Deps, seed uint64, progress func(done, total int64)) (*account.Org, error) {
	m := &maker{Deps: d, clock: &clock{}, now: d.Now(), progress: progress}
	m.clock.set(m.now.AddDate(0, 0, -days-7))
	m.accounts = account.New(d.DB, d.Keys, m.clock.Now)
	m.devices = device.New(d.DB, d.Keys, m.accounts, d.Book, m.clock.Now)
	for _, step := range []func(context.Context) error{m.organisation, m.people, m.phones, m.exclusions} {
		if err := step(ctx); err != nil {
			return m.org, err
		}
	}
	s := newStory(seed, m.now, m.org.Location(), len(m.agents))
	s.write()
	for i := range m.agents {
		if err := m.deliver(ctx, i, s.of(i)); err != nil {
			return m.org, err
		}
	}
	if err := m.office(ctx, s.office()); err != nil {
		return m.org, err
	}
	if err := m.outside(ctx, s, seed); err != nil {
		return m.org, err
	}
	return m.org, m.beats(ctx)
}

func (m *maker) organisation(ctx context.Context) (err error) {
	if m.org, err = m.accounts.CreateOrg(ctx, account.NewOrg{
		Name: Name, Country: "IN", Zone: zoneName, Industry: "Wholesale", OwnerName: "Asha Verma", OwnerEmail: "asha@asha-traders.example", Demo: true,
	}); err != nil {
		return err
	}
	s := m.org.Settings()
	s.ContactPhone, s.Workdays, s.WorkFrom, s.WorkTo = ownNumber(99), account.MondayToFriday.With(time.Saturday), 9*60+30, 18*60+30
	m.org, err = m.accounts.UpdateOrg(ctx, m.accounts.Operator(m.org), m.org.ID, s)
	return err
}

func (m *maker) people(ctx context.Context) error {
	teams := map[string]account.TeamID{}
	for _, name := range teamNames() {
		t, err := m.accounts.CreateTeam(ctx, m.org.ID, name)
		if err != nil {
			return err
		}
		teams[name] = t.ID
	}
	for _, p := range staff() {
		member, err := m.accounts.AddAgent(ctx, m.org.ID, account.NewAgent{Name: p.name, Teams: []account.TeamID{teams[p.team]}})
		if err != nil {
			return err
		}
		if p.leads {
			if member, err = m.accounts.SetRole(ctx, m.accounts.Operator(m.org), member.ID, account.Manager); err != nil {
				return err
			}
		}
		m.agents = append(m.agents, &agent{who: p, member: member})
	}
	return nil
}

// phones pairs one phone for each agent.
func (m *maker) phones(ctx context.Context) error {
	if err := m.devices.SetSettings(ctx, m.org.ID, device.Settings{Battery: true}); err != nil {
		return err
	}
	for i, a := range m.agents {
		code, _, err := m.devices.PairingCode(ctx, m.org, a.member.Agent)
		if err != nil {
			return err
		}
		sims := []device.SIM{{Slot: 1, SubscriptionID: "1", Number: ownNumber(i + 1), Label: "Work"}}
		if a.who.secondSIM {
			sims = append(sims, device.SIM{Slot: 2, SubscriptionID: "2", Number: ownNumber(i + 51), Label: "WhatsApp line"})
		}
		model := models()[i%len(models())]
		if a.phone, _, err = m.devices.Pair(ctx, code, device.PairRequest{
			InstallID: fmt.Sprintf("demo-%d-%d", m.org.ID, i), Name: model.name, Model: model.name, OS: model.os, AppVersion: "1.0.0", SIMs: sims,
		}); err != nil {
			return err
		}
	}
	m.agents[silentAgent].last = m.now.AddDate(0, 0, -3)
	m.agents[behindAgent].last = m.now.Add(-20 * time.Hour)
	return nil
}

// The phone that is heard of no more, and the one that is behind.
const (
	silentAgent = 10
	behindAgent = 6
	behindCalls = 37
)

func (m *maker) exclusions(ctx context.Context) error {
	for _, e := range []number.Exclusion{
		{Number: customerNumber(familyNumber), Strength: number.Hidden, Label: "Family of a colleague"},
		{Number: customerNumber(doctorNumber), Strength: number.NeverStored, Label: "Doctor"},
	} {
		e.AddedAt = m.clock.Now()
		if err := m.Writer.Exclude(ctx, m.org, e); err != nil {
			return err
		}
	}
	return nil
}

// deliver sends one agent's calls as their phone would, in order and in batches.
func (m *maker) deliver(ctx context.Context, i int, calls []told) error {
	a := m.agents[i]
	if !a.last.IsZero() {
		for len(calls) > 0 && calls[len(calls)-1].start.After(a.last) {
			calls = calls[:len(calls)-1]
		}
	}
	for len(calls) > 0 {
		part := calls[:min(len(calls), device.MaxBatch)]
		calls = calls[len(part):]
		end := part[len(part)-1]
		m.clock.set(end.start.Add(time.Duration(end.seconds)*time.Second + time.Minute))
		batch := ingest.Batch{Calls: make([]ingest.SyncCall, len(part))}
		for j := range part {
			batch.Calls[j] = part[j].synced(i)
		}
		answers, err := m.Writer.Sync(ctx, m.devices, m.org, a.phone, batch)
		if err != nil {
			return err
		}
		if err := m.tag(ctx, part, answers); err != nil {
			return err
		}
		m.done += int64(len(part))
		m.progress(m.done, totalCalls)
	}
	return nil
}

// synced is a call as the phone of agent i sends it.
func (t *told) synced(i int) ingest.SyncCall {
	c := ingest.SyncCall{
		ClientKey: fmt.Sprintf("demo-%d-%d", i, t.start.UnixMilli()), SIM: strconv.Itoa(t.sim), Number: t.number, Type: ingest.Code(strconv.Itoa(int(t.kind))),
		Start: ingest.Moment(strconv.FormatInt(t.start.UnixMilli(), 10)), Seconds: t.seconds, Name: t.name, Note: t.note,
	}
	if t.number == "" {
		c.Presentation = ingest.Code(call.PresentationRestricted.String())
	}
	return c
}

func (m *maker) tag(ctx context.Context, part []told, answers []ingest.SyncAnswer) error {
	for j, answer := range answers {
		if part[j].tag == "" || answer.ID == "" {
			continue
		}
		if err := m.Calls.SetTags(ctx, m.org, answer.Key, []string{part[j].tag}); err != nil {
			return err
		}
	}
	return nil
}

// office stores the calls of the line at the reception's telephone system.
func (m *maker) office(ctx context.Context, calls []told) error {
	line, err := m.devices.AddLine(ctx, m.org, device.NewLine{Agent: m.agents[0].member.Agent, Number: ownNumber(90), Label: "Reception (PBX)"})
	if err != nil {
		return err
	}
	for len(calls) > 0 {
		part := calls[:min(len(calls), device.MaxBatch)]
		calls = calls[len(part):]
		items := make([]ingest.Item, len(part))
		for j, t := range part {
			items[j] = ingest.Item{
				Agent: line.Agent, Line: line.No, Start: t.start, Number: t.number, Direction: t.kind.Direction(), Type: t.kind, Seconds: t.seconds,
				Source: call.SourcePBX, Presentation: call.PresentationAllowed, Name: t.name,
			}
			if t.number == "" {
				items[j].Presentation = call.PresentationRestricted
			}
		}
		if _, err := m.Writer.Put(ctx, m.org, items); err != nil {
			return err
		}
		m.done += int64(len(part))
		m.progress(m.done, totalCalls)
	}
	return nil
}

// beats lets every phone say how it is: most a few minutes ago, one three days ago, one that has calls to send.
func (m *maker) beats(ctx context.Context) error {
	for i, a := range m.agents {
		model, battery := models()[i%len(models())], 35+(i*17)%60
		b := device.Beat{AppVersion: "1.0.0", OS: model.os, Model: model.name, Battery: &battery}
		at := m.now.Add(-time.Duration(2+i*3) * time.Minute)
		switch i {
		case silentAgent:
			at = a.last
			b.MissingPermissions = []string{"ignore_battery_optimizations"}
		case behindAgent:
			b.Waiting = behindCalls
		}
		m.clock.set(at)
		b.DeviceTime = at.Add(time.Duration(i-5) * time.Second)
		if _, err := m.devices.Heartbeat(ctx, a.phone, b); err != nil {
			return err
		}
	}
	return nil
}
