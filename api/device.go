package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
	"parley/calls/device"
	"parley/platform/civil"
	"parley/platform/fault"
)

// Device is a paired phone, as it last described itself.
type Device struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Agent       *AgentRef       `json:"agent"`
	Lines       []device.LineID `json:"lines" doc:"The lines it reports for, by slot"`
	Health      device.Health   `json:"health" enum:"online,away,offline,never,unpaired" doc:"online: reported within the hour; away: within 24 hours; offline: longer ago; never: not since it was paired"`
	PairedAt    *time.Time      `json:"paired_at"`
	UnpairedAt  *time.Time      `json:"unpaired_at,omitempty"`
	SeenAt      *time.Time      `json:"seen_at,omitempty" doc:"Its last heartbeat or sync"`
	SyncedAt    *time.Time      `json:"synced_at,omitempty"`
	CompleteAt  *time.Time      `json:"complete_at,omitempty" doc:"When it last had nothing left to send"`
	LastCallAt  *time.Time      `json:"last_call_at,omitempty"`
	Waiting     int             `json:"waiting" doc:"Calls not sent yet, as it says"`
	AtRisk      bool            `json:"at_risk" doc:"So many calls wait that the phone will soon drop the oldest"`
	SilentFor   int64           `json:"silent_seconds" doc:"Working time, by the organisation's days and hours, since its last sign of life"`
	Silent      bool            `json:"silent" doc:"Silent for longer than four working hours"`
	ClockSkew   int64           `json:"clock_skew_seconds" doc:"The phone's clock minus the server's"`
	ClockOff    bool            `json:"clock_off" doc:"The clock is off by so much that calls stand at the wrong time"`
	AppVersion  string          `json:"app_version,omitempty"`
	OS          string          `json:"os,omitempty"`
	Model       string          `json:"model,omitempty"`
	Battery     *int            `json:"battery,omitempty" doc:"Per cent; only where the organisation asks for it"`
	Permissions []string        `json:"missing_permissions" doc:"Names of permissions that the phone lacks"`
}

// DeviceHealth counts the paired devices that the caller sees.
type DeviceHealth struct {
	Paired   int `json:"paired"`
	Online   int `json:"online"`
	Away     int `json:"away"`
	Offline  int `json:"offline"`
	Never    int `json:"never"`
	Silent   int `json:"silent"`
	ClockOff int `json:"clock_off"`
	AtRisk   int `json:"at_risk"`
	Waiting  int `json:"waiting" doc:"Calls not sent yet, of all phones"`
}

// DeviceName is what a device is called.
type DeviceName struct {
	Name string `json:"name" minLength:"1" maxLength:"200"`
}

// NewPairingCode says for whom a phone is to be paired.
type NewPairingCode struct {
	Agent account.MemberID `json:"agent" minLength:"1"`
}

// PairingCode is what somebody types into the phone.
type PairingCode struct {
	Code      string     `json:"code" example:"ACD4-RTX9"`
	ExpiresAt *time.Time `json:"expires_at"`
}

// DeviceSettings is what the organisation tells its phones.
type DeviceSettings struct {
	CollectFrom string   `json:"collect_from,omitempty" format:"date" doc:"Calls before this day stay on the phone; absent: none do"`
	TrackDays   []string `json:"track_days" nullable:"false" maxItems:"7" doc:"Calls on other days stay on the phone; empty: all days"`
	TrackFrom   string   `json:"track_from,omitempty" doc:"Calls outside these hours stay on the phone; absent: all hours" example:"09:00"`
	TrackTo     string   `json:"track_to,omitempty" example:"18:00"`
	Battery     bool     `json:"battery" doc:"Whether phones tell their battery level"`
}

// DevicePath names a device.
type DevicePath struct {
	Device string `path:"device"`
}

func (s *API) devices() {
	handle(s, does(http.MethodGet, "/devices", "list-devices", account.ReadDevices, tagLines, "List devices with their health").
		saying("Unpaired ones last. A manager sees the devices of their teams."), s.listDevices)
	handle(s, does(http.MethodGet, "/device-health", "get-device-health", account.ReadDevices, tagLines, "Devices in numbers"), s.deviceHealth)
	handle(s, does(http.MethodGet, "/devices/{device}", "get-device", account.ReadDevices, tagLines, "One device"), s.getDevice)
	handle(s, does(http.MethodPatch, "/devices/{device}", "rename-device", account.ManageDevices, tagLines, "Rename a device"), s.renameDevice)
	handle(s, does(http.MethodPost, "/devices/{device}/unpair", "unpair-device", account.ManageDevices, tagLines, "Unpair a device").
		saying("Its token ends at once. What it has sent stays.").giving(http.StatusNoContent),
		func(ctx context.Context, in *DevicePath) (*struct{}, error) {
			return nil, s.Devices.Unpair(ctx, callerOf(ctx).org, in.Device)
		})
	handle(s, does(http.MethodPost, "/pairing-codes", "create-pairing-code", account.ManageDevices, tagLines, "Make a pairing code").
		saying("One phone can be paired with it for the agent within ten minutes. An earlier code of the agent is void.").giving(http.StatusCreated), s.createPairingCode)
	handle(s, does(http.MethodGet, "/device-settings", "get-device-settings", account.ReadDevices, tagLines, "What phones are told"), s.getDeviceSettings)
	handle(s, does(http.MethodPut, "/device-settings", "set-device-settings", account.ManageDevices, tagLines, "Change what phones are told").
		saying("Phones fetch it with their next heartbeat."), s.setDeviceSettings)
}

func deviceOf(org *account.Org, v *device.View, agents map[account.AgentNo]AgentRef) Device {
	out := Device{
		ID: v.ID, Name: v.Name, Lines: []device.LineID{}, Health: v.Health, PairedAt: at(org, v.PairedAt), UnpairedAt: at(org, v.UnpairedAt),
		SeenAt: at(org, v.SeenAt), SyncedAt: at(org, v.SyncedAt), CompleteAt: at(org, v.CompleteAt), LastCallAt: at(org, v.LastCallAt),
		Waiting: v.Waiting, AtRisk: v.AtRisk, SilentFor: int64(v.SilentFor / time.Second), Silent: v.Silent,
		ClockSkew: int64(v.ClockSkew / time.Second), ClockOff: v.ClockOff, AppVersion: v.AppVersion, OS: v.OS, Model: v.Model, Battery: v.Battery,
		Permissions: v.Permissions,
	}
	if out.Permissions == nil {
		out.Permissions = []string{}
	}
	for _, l := range v.Lines {
		out.Lines = append(out.Lines, l.ID)
	}
	out.Agent = refTo(agents, v.Agent)
	return out
}

func (s *API) listDevices(ctx context.Context, in *struct {
	Paging
	Paired bool `query:"paired" doc:"Paired ones alone"`
}) (*body[Page[Device]], error) {
	org := callerOf(ctx).org
	mine, err := seen(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.Devices.Devices(ctx, org, mine)
	if err != nil {
		return nil, err
	}
	agents, err := s.agentsByNo(ctx, org)
	if err != nil {
		return nil, err
	}
	out := []Device{}
	for i := range all {
		if !in.Paired || all[i].Health != device.Unpaired {
			out = append(out, deviceOf(org, &all[i], agents))
		}
	}
	return pageOf(out, in.Paging, func(d Device) string { return d.ID })
}

func (s *API) deviceHealth(ctx context.Context, _ *struct{}) (*body[DeviceHealth], error) {
	mine, err := seen(ctx)
	if err != nil {
		return nil, err
	}
	h, err := s.Devices.Health(ctx, callerOf(ctx).org, mine)
	return answerOf(DeviceHealth{
		Paired: h.Paired, Online: h.Online, Away: h.Away, Offline: h.Offline, Never: h.Never,
		Silent: h.Silent, ClockOff: h.ClockOff, AtRisk: h.AtRisk, Waiting: h.Waiting,
	}), err
}

func (s *API) getDevice(ctx context.Context, in *DevicePath) (*body[Device], error) {
	org := callerOf(ctx).org
	v, err := s.Devices.View(ctx, org, in.Device)
	if err != nil {
		return nil, err
	}
	if err := mustSee(ctx, v.Agent, "There is no device %.60s in this organisation.", in.Device); err != nil {
		return nil, err
	}
	agents, err := s.agentsByNo(ctx, org)
	return answerOf(deviceOf(org, &v, agents)), err
}

func (s *API) renameDevice(ctx context.Context, in *struct {
	DevicePath
	Body DeviceName
}) (*body[Device], error) {
	if _, err := s.Devices.RenameDevice(ctx, callerOf(ctx).org, in.Device, in.Body.Name); err != nil {
		return nil, err
	}
	return s.getDevice(ctx, &in.DevicePath)
}

func (s *API) createPairingCode(ctx context.Context, in *struct{ Body NewPairingCode }) (*body[PairingCode], error) {
	agent, err := s.agentNo(ctx, "agent", in.Body.Agent)
	if err != nil {
		return nil, err
	}
	org := callerOf(ctx).org
	code, expires, err := s.Devices.PairingCode(ctx, org, agent)
	return answerOf(PairingCode{Code: code, ExpiresAt: at(org, expires)}), err
}

func deviceSettingsOf(c device.Settings) DeviceSettings {
	out := DeviceSettings{TrackDays: dayNames(c.TrackDays), Battery: c.Battery}
	if c.CollectFrom != 0 {
		out.CollectFrom = c.CollectFrom.String()
	}
	if c.TrackFrom != 0 || c.TrackTo != 0 {
		out.TrackFrom, out.TrackTo = clock(c.TrackFrom), clock(c.TrackTo)
	}
	return out
}

func (s *API) getDeviceSettings(ctx context.Context, _ *struct{}) (*body[DeviceSettings], error) {
	c, err := s.Devices.Settings(ctx, callerOf(ctx).org.ID)
	return answerOf(deviceSettingsOf(c)), err
}

func (s *API) setDeviceSettings(ctx context.Context, in *struct{ Body DeviceSettings }) (*body[DeviceSettings], error) {
	c := device.Settings{Battery: in.Body.Battery}
	var errs [4]error
	if in.Body.CollectFrom != "" {
		c.CollectFrom, errs[0] = readDay("collect_from", in.Body.CollectFrom)
	}
	c.TrackDays, errs[1] = readDays("track_days", in.Body.TrackDays)
	if in.Body.TrackFrom != "" {
		c.TrackFrom, errs[2] = readClock("track_from", in.Body.TrackFrom)
	}
	if in.Body.TrackTo != "" {
		c.TrackTo, errs[3] = readClock("track_to", in.Body.TrackTo)
	}
	if err := fault.Join(errs[:]...); err != nil {
		return nil, err
	}
	if err := s.Devices.SetSettings(ctx, callerOf(ctx).org.ID, c); err != nil {
		return nil, err
	}
	return s.getDeviceSettings(ctx, nil)
}

func readDay(field, text string) (civil.Day, error) {
	d, err := civil.Parse(text)
	if err != nil {
		return 0, fault.Field(field, "%.20q is no day. Write it as year, month and day, for example 2026-04-15.", text)
	}
	return d, nil
}
