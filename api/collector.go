package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/calls/device"
	"parley/calls/ingest"
	"parley/platform/fault"
)

const tagCollectors = "Collectors"

// maxSyncBody bounds a batch once it is unpacked: 500 calls with long notes.
const maxSyncBody = 8 << 20

// SIM is one SIM as a phone describes it.
type SIM struct {
	Slot           int    `json:"slot,omitempty" minimum:"0" maximum:"8" doc:"1 is SIM 1; 0 when not known"`
	SubscriptionID string `json:"subscription_id,omitempty" maxLength:"64" doc:"As the phone names it in its call log"`
	Number         string `json:"number,omitempty" maxLength:"60" doc:"As the phone has it; often empty"`
	Label          string `json:"label,omitempty" maxLength:"200"`
}

// Pairing is how a phone introduces itself.
type Pairing struct {
	Code       string `json:"code" minLength:"1" maxLength:"40" doc:"What somebody typed; case and hyphen do not matter"`
	InstallID  string `json:"install_id" minLength:"1" maxLength:"128" doc:"Made once by the collector, so that the same phone is known again"`
	Name       string `json:"name,omitempty" maxLength:"200"`
	Model      string `json:"model,omitempty" maxLength:"200"`
	OS         string `json:"os,omitempty" maxLength:"200"`
	AppVersion string `json:"app_version,omitempty" maxLength:"100"`
	SIMs       []SIM  `json:"sims,omitempty" nullable:"false" maxItems:"8" doc:"None: one SIM of which nothing is known"`
}

// Paired is what a phone gets at pairing.
type Paired struct {
	Token  string          `json:"token" doc:"Shown this once. Send it as Authorization: Bearer …"`
	Device string          `json:"device" doc:"The device's id"`
	Config CollectorConfig `json:"config"`
}

// CollectorConfig is what a phone is told to do.
type CollectorConfig struct {
	Version         string            `json:"version" doc:"Changes with anything else in here but the time"`
	ServerTime      time.Time         `json:"server_time"`
	Organisation    string            `json:"organisation"`
	Country         string            `json:"country" doc:"Numbers are read in this country"`
	Zone            string            `json:"zone" doc:"Days are those of this zone"`
	Lines           []CollectorLine   `json:"lines"`
	ExcludedNumbers []string          `json:"excluded_numbers" doc:"Calls with these never leave the phone"`
	Settings        CollectorSettings `json:"settings"`
	MaxBatch        int               `json:"max_batch" doc:"How many calls a batch may hold"`
	Forget          []ForgetOrder     `json:"forget" doc:"Numbers whose person's data was erased: remove what is kept of their calls, then answer each order"`
}

// ForgetOrder is an order to forget every call with a number.
type ForgetOrder struct {
	ID   string `json:"id"`
	Salt string `json:"salt" doc:"Key of the hash, in hexadecimal"`
	Hash string `json:"hash" doc:"The first 16 bytes of the HMAC-SHA-256 of the number, as answers name it, under the salt; in lower-case hexadecimal"`
}

// ForgottenOrders are orders that a phone has carried out.
type ForgottenOrders struct {
	Done []string `json:"done" nullable:"false" maxItems:"1000" doc:"Ids of orders"`
}

// CollectorLine is one SIM and the line that it is.
type CollectorLine struct {
	ID             device.LineID `json:"id"`
	Slot           int           `json:"slot"`
	SubscriptionID string        `json:"subscription_id,omitempty"`
}

// CollectorSettings says which calls stay on the phone.
type CollectorSettings = DeviceSettings

// Code is a code of Android's call log or our word for it.
type Code string

// UnmarshalJSON reads a number or text.
func (c *Code) UnmarshalJSON(b []byte) error { return (*ingest.Code)(c).UnmarshalJSON(b) }

// Schema is text or a whole number.
func (Code) Schema(huma.Registry) *huma.Schema { return textOrNumber() }

// Moment is a time as RFC 3339 or as Unix milliseconds.
type Moment string

// UnmarshalJSON reads a number or text.
func (m *Moment) UnmarshalJSON(b []byte) error { return (*ingest.Moment)(m).UnmarshalJSON(b) }

// Schema is text or a whole number.
func (Moment) Schema(huma.Registry) *huma.Schema { return textOrNumber() }

func textOrNumber() *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeString}, {Type: huma.TypeInteger}}}
}

var (
	_ json.Unmarshaler    = (*Code)(nil)
	_ huma.SchemaProvider = Moment("")
)

// SyncCall is one call as a phone sends it.
type SyncCall struct {
	ClientKey    string        `json:"client_key,omitempty" doc:"The phone's own key of the call, the same each time it is sent; at most 64 bytes"`
	Line         device.LineID `json:"line,omitempty"`
	SIM          string        `json:"sim,omitempty" doc:"Instead of line: the SIM's id or slot as given at pairing"`
	Number       string        `json:"number,omitempty" doc:"As the phone has it; absent or empty when withheld"`
	Presentation Code          `json:"presentation,omitempty" doc:"Android's code (1 to 5) or allowed, restricted, unknown, payphone, unavailable"`
	Type         Code          `json:"type,omitempty" doc:"Android's code or incoming, outgoing, missed, voicemail, rejected, blocked, answered_elsewhere. Other codes are kept as unknown"`
	Direction    string        `json:"direction,omitempty" doc:"incoming or outgoing, where the type says none"`
	Start        Moment        `json:"start,omitempty" doc:"RFC 3339 with offset, or milliseconds since 1970. Needed; a call without one is refused alone"`
	Seconds      int           `json:"seconds,omitempty" doc:"Talk time"`
	Name         string        `json:"name,omitempty" doc:"Contact name as the phone logged it"`
	Note         string        `json:"note,omitempty"`
}

func (c *SyncCall) call() ingest.SyncCall {
	return ingest.SyncCall{
		ClientKey: c.ClientKey, Line: c.Line, SIM: c.SIM, Number: c.Number, Presentation: ingest.Code(c.Presentation), Type: ingest.Code(c.Type),
		Direction: c.Direction, Start: ingest.Moment(c.Start), Seconds: c.Seconds, Name: c.Name, Note: c.Note,
	}
}

// Batch is what a phone sends at once.
type Batch struct {
	Calls   []SyncCall `json:"calls" nullable:"false" maxItems:"500"`
	Waiting *int       `json:"waiting,omitempty" minimum:"0" doc:"Calls left on the phone after these"`
}

// SyncAnswer is what became of one call.
type SyncAnswer struct {
	ClientKey string `json:"client_key,omitempty"`
	State     string `json:"state" enum:"new,known,changed,excluded,erased,refused"`
	ID        string `json:"id,omitempty" doc:"The call's id, when it is stored"`
	Number    string `json:"number,omitempty" doc:"The number as kept, which the digest uses; absent when withheld, excluded or erased"`
	Reason    string `json:"reason,omitempty" doc:"Why the call was refused"`
}

// SyncAnswers are the answers to a batch, in its order.
type SyncAnswers struct {
	Answers []SyncAnswer `json:"answers"`
}

func syncAnswersOf(all []ingest.SyncAnswer) *body[SyncAnswers] {
	out := SyncAnswers{Answers: make([]SyncAnswer, len(all))}
	for i, a := range all {
		out.Answers[i] = SyncAnswer{ClientKey: a.ClientKey, State: a.State.String(), ID: a.ID, Number: a.Number, Reason: a.Reason}
	}
	return answerOf(out)
}

// CallRef says which stored call is meant: its id, or line, client key and start as it was sent.
type CallRef struct {
	ID        string        `json:"id,omitempty"`
	Line      device.LineID `json:"line,omitempty"`
	SIM       string        `json:"sim,omitempty"`
	ClientKey string        `json:"client_key,omitempty"`
	Start     Moment        `json:"start,omitempty" doc:"Any time of the call's day"`
}

func (r *CallRef) ref() ingest.CallRef {
	return ingest.CallRef{ID: r.ID, Line: r.Line, SIM: r.SIM, ClientKey: r.ClientKey, Start: ingest.Moment(r.Start)}
}

// Correction is what a stored call should have been.
type Correction struct {
	CallRef
	Call SyncCall `json:"call" doc:"The call as it should be; it stays on its line, with its notes and tags"`
}

// Corrections are corrections sent at once.
type Corrections struct {
	Corrections []Correction `json:"corrections" nullable:"false" maxItems:"500"`
}

// Deletions are calls to be deleted at once.
type Deletions struct {
	Calls []CallRef `json:"calls" nullable:"false" maxItems:"500"`
}

// Heartbeat is how a phone is.
type Heartbeat struct {
	AppVersion  string     `json:"app_version,omitempty" maxLength:"100" doc:"Absent: as before"`
	OS          string     `json:"os,omitempty" maxLength:"200"`
	Model       string     `json:"model,omitempty" maxLength:"200"`
	Battery     *int       `json:"battery,omitempty" minimum:"0" maximum:"100" doc:"Per cent; kept only where the organisation asks for it"`
	Waiting     int        `json:"waiting,omitempty" minimum:"0" doc:"Calls not sent yet"`
	DeviceTime  *time.Time `json:"device_time,omitempty" doc:"The phone's clock"`
	LastCallAt  *time.Time `json:"last_call_at,omitempty"`
	Permissions []string   `json:"missing_permissions,omitempty" nullable:"false" maxItems:"50" doc:"Names of permissions that the phone lacks"`
	SIMs        []SIM      `json:"sims,omitempty" nullable:"false" maxItems:"8" doc:"Absent: as before"`
}

// Digest is what the phone holds of one line's calls on one day.
type Digest struct {
	Line  device.LineID `json:"line"`
	Day   string        `json:"day" format:"date" doc:"A day of the organisation's zone"`
	Count int           `json:"count" minimum:"0"`
	Hash  string        `json:"hash" maxLength:"64" doc:"SHA-256 in lower-case hexadecimal over the day's calls, as the device protocol describes"`
}

// Digests are digests sent at once.
type Digests struct {
	Digests []Digest `json:"digests" nullable:"false" maxItems:"400"`
}

// DayDiff is a line's day on which the two sides differ.
type DayDiff struct {
	Line    device.LineID `json:"line"`
	Day     string        `json:"day" format:"date"`
	Count   int           `json:"count" doc:"Calls held here"`
	Lacking bool          `json:"lacking" doc:"Whether the server lacks calls: send the day's calls again"`
}

// DayDiffs are the days that differ.
type DayDiffs struct {
	Differ []DayDiff `json:"differ"`
}

func forDevice(method, path, id, summary string) operation {
	return operation{id: id, method: method, path: root + "/device" + path, needs: NeedsDevice, tag: tagCollectors, summary: summary, maxBody: maxSyncBody, gzip: true}
}

func (s *API) collectors() {
	pair := forDevice(http.MethodPost, "/pair", "pair", "Pair a phone").
		saying("Needs the code that an admin made within the last ten minutes. A code serves once; wrong codes are counted, and too many are refused.").giving(http.StatusCreated)
	pair.needs, pair.maxBody = NeedsNothing, 0
	handle(s, pair, s.pair)
	handle(s, forDevice(http.MethodGet, "/config", "get-config", "Fetch the configuration"), s.getConfig)
	handle(s, forDevice(http.MethodPost, "/calls", "sync-calls", "Send calls").
		saying("Up to 500 at a time, in any order, however late, and as often as needed: a call that is known already changes nothing. "+
			"The answers stand in the batch's order and are sent after the calls are durable. A call that cannot be stored is refused alone."), s.sync)
	handle(s, forDevice(http.MethodPost, "/corrections", "correct-calls", "Correct calls sent earlier").
		saying("Nothing is changed when one of the calls named is not there or not the phone's."), s.correct)
	handle(s, forDevice(http.MethodPost, "/deletions", "delete-sent-calls", "Delete calls sent earlier").
		saying("Nothing is deleted when one of the calls named is not there or not the phone's.").giving(http.StatusNoContent), s.deleteSent)
	handle(s, forDevice(http.MethodPost, "/heartbeat", "heartbeat", "Tell how the phone is").
		saying("Answers with the configuration. Send it at least once an hour."), s.heartbeat)
	handle(s, forDevice(http.MethodPost, "/forgotten", "answer-forget-orders", "Answer orders to forget").
		saying("Say which orders of the configuration were carried out. An order may be answered more than once.").giving(http.StatusNoContent), s.forgotten)
	handle(s, forDevice(http.MethodPost, "/digests", "compare-digests", "Compare what both sides hold").
		saying("Answers with the days that differ. Send those days' calls again where lacking is true."), s.digests)
}

func sims(in []SIM) []device.SIM {
	if in == nil {
		return nil
	}
	out := make([]device.SIM, len(in))
	for i, x := range in {
		out[i] = device.SIM(x)
	}
	return out
}

func configOf(c *device.Config) CollectorConfig {
	out := CollectorConfig{
		Version: c.Version, ServerTime: c.ServerTime.UTC().Truncate(time.Millisecond), Organisation: c.Organisation, Country: c.Country, Zone: c.Zone,
		Lines: make([]CollectorLine, len(c.Lines)), ExcludedNumbers: c.ExcludedNumbers, Settings: deviceSettingsOf(c.Settings), MaxBatch: c.MaxBatch,
		Forget: make([]ForgetOrder, len(c.Forget)),
	}
	if out.ExcludedNumbers == nil {
		out.ExcludedNumbers = []string{}
	}
	for i, f := range c.Forget {
		out.Forget[i] = ForgetOrder(f)
	}
	for i, l := range c.Lines {
		out.Lines[i] = CollectorLine{ID: l.ID, Slot: l.Slot, SubscriptionID: l.Subscription}
	}
	return out
}

// Remote is where a request comes from. It is a huma.Resolver.
type Remote struct{ address string }

// Resolve notes the address.
func (r *Remote) Resolve(ctx huma.Context) []error {
	r.address = network(ctx.RemoteAddr())
	return nil
}

func (s *API) pair(ctx context.Context, in *struct {
	Remote
	Body Pairing
}) (*body[Paired], error) {
	p := in.Body
	dev, token, err := s.Devices.Pair(ctx, p.Code, device.PairRequest{
		InstallID: p.InstallID, Name: p.Name, Model: p.Model, OS: p.OS, AppVersion: p.AppVersion, SIMs: sims(p.SIMs), From: in.address,
	})
	if err != nil {
		return nil, err
	}
	c, err := s.Devices.Config(ctx, dev)
	if err != nil {
		return nil, err
	}
	return answerOf(Paired{Token: token, Device: dev.ID, Config: configOf(c)}), nil
}

func (s *API) getConfig(ctx context.Context, _ *struct{}) (*body[CollectorConfig], error) {
	c, err := s.Devices.Config(ctx, callerOf(ctx).device)
	if err != nil {
		return nil, err
	}
	return answerOf(configOf(c)), nil
}

func (s *API) sync(ctx context.Context, in *struct{ Body Batch }) (*body[SyncAnswers], error) {
	b := ingest.Batch{Calls: make([]ingest.SyncCall, len(in.Body.Calls)), Waiting: in.Body.Waiting}
	for i := range in.Body.Calls {
		b.Calls[i] = in.Body.Calls[i].call()
	}
	c := callerOf(ctx)
	answers, err := s.Writer.Sync(ctx, s.Devices, c.org, c.device, b)
	if err != nil {
		return nil, err
	}
	return syncAnswersOf(answers), nil
}

func (s *API) correct(ctx context.Context, in *struct{ Body Corrections }) (*body[SyncAnswers], error) {
	all := make([]ingest.Correction, len(in.Body.Corrections))
	for i := range all {
		x := &in.Body.Corrections[i]
		all[i] = ingest.Correction{CallRef: x.ref(), Call: x.Call.call()}
	}
	c := callerOf(ctx)
	answers, err := s.Writer.CorrectCalls(ctx, s.Devices, c.org, c.device, all)
	if err != nil {
		return nil, err
	}
	return syncAnswersOf(answers), nil
}

func (s *API) deleteSent(ctx context.Context, in *struct{ Body Deletions }) (*struct{}, error) {
	refs := make([]ingest.CallRef, len(in.Body.Calls))
	for i := range refs {
		refs[i] = in.Body.Calls[i].ref()
	}
	c := callerOf(ctx)
	return nil, s.Writer.DeleteCalls(ctx, s.Devices, c.org, c.device, refs)
}

func (s *API) heartbeat(ctx context.Context, in *struct{ Body Heartbeat }) (*body[CollectorConfig], error) {
	b := in.Body
	beat := device.Beat{
		AppVersion: b.AppVersion, OS: b.OS, Model: b.Model, Battery: b.Battery, Waiting: b.Waiting, MissingPermissions: b.Permissions, SIMs: sims(b.SIMs),
	}
	set(&beat.DeviceTime, b.DeviceTime)
	set(&beat.LastCallAt, b.LastCallAt)
	c, err := s.Devices.Heartbeat(ctx, callerOf(ctx).device, beat)
	if err != nil {
		return nil, err
	}
	return answerOf(configOf(c)), nil
}

func (s *API) forgotten(ctx context.Context, in *struct{ Body ForgottenOrders }) (*struct{}, error) {
	return nil, s.Devices.Forgotten(ctx, callerOf(ctx).device, in.Body.Done)
}

func (s *API) digests(ctx context.Context, in *struct{ Body Digests }) (*body[DayDiffs], error) {
	all, errs := make([]device.Digest, len(in.Body.Digests)), make([]error, len(in.Body.Digests))
	for i, d := range in.Body.Digests {
		all[i] = device.Digest{Line: d.Line, Count: d.Count, Hash: d.Hash}
		all[i].Day, errs[i] = readDay("day", d.Day)
	}
	if err := fault.Join(errs...); err != nil {
		return nil, err
	}
	diffs, err := s.Devices.SetDigest(ctx, callerOf(ctx).device, all)
	if err != nil {
		return nil, err
	}
	out := DayDiffs{Differ: make([]DayDiff, len(diffs))}
	for i, d := range diffs {
		out.Differ[i] = DayDiff{Line: d.Line, Day: d.Day.String(), Count: d.Count, Lacking: d.Lacking}
	}
	return answerOf(out), nil
}
