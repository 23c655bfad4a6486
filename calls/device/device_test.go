package device_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

func each(t *testing.T, story func(t *testing.T, w *calltest.World)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { story(t, calltest.New(t, d)) }, calltest.Schemas()...)
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantKind(t *testing.T, err error, want fault.Kind, sentence string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != want || !strings.Contains(fault.Sentence(err), sentence) {
		t.Fatalf("the error is %v, want one of kind %d that says %q", err, want, sentence)
	}
}

func addLine(t *testing.T, w *calltest.World, n device.NewLine) *device.Line {
	t.Helper()
	return must[*device.Line](t)(w.Devices.AddLine(t.Context(), w.Org, n))
}

// pair makes a phone of an agent.
func pair(t *testing.T, w *calltest.World, agent account.AgentNo, install string, sims ...device.SIM) (*device.Device, string) {
	t.Helper()
	code, _, err := w.Devices.PairingCode(t.Context(), w.Org, agent)
	if err != nil {
		t.Fatal(err)
	}
	d, token, err := w.Devices.Pair(t.Context(), code, device.PairRequest{InstallID: install, Model: "Pixel 9", OS: "Android 16", AppVersion: "1.0", SIMs: sims})
	if err != nil {
		t.Fatal(err)
	}
	return d, token
}

func TestANumberIsOneLineInUse(t *testing.T) {
	each(t, func(t *testing.T, w *calltest.World) {
		asha, ravi := w.Agent(t, "Asha"), w.Agent(t, "Ravi")
		l := addLine(t, w, device.NewLine{Agent: asha.Agent, Number: "098123 00001", Label: " Sales  SIM ", SIMSlot: 1})
		if l.Number != "+919812300001" || l.Label != "Sales SIM" || l.Agent != asha.Agent || l.No != 1 {
			t.Errorf("the line is %+v", l)
		}
		_, err := w.Devices.AddLine(t.Context(), w.Org, device.NewLine{Agent: ravi.Agent, Number: "+919812300001"})
		wantKind(t, err, fault.Conflict, "already a line of Asha")
		other := addLine(t, w, device.NewLine{Agent: ravi.Agent, Number: "9812300002"})
		same := "9812300001"
		_, err = w.Devices.UpdateLine(t.Context(), w.Org, other.ID, device.LineChange{Number: &same})
		wantKind(t, err, fault.Conflict, "already a line of Asha")

		ours := must[func(string) (call.LineNo, bool)](t)(w.Devices.Ours(t.Context(), w.Org))
		if no, ok := ours("+919812300002"); !ok || no != other.No {
			t.Errorf("+919812300002 is line %d, %v; want ours, %d", no, ok, other.No)
		}
		if _, ok := ours("+919812399999"); ok {
			t.Error("a stranger's number counts as ours")
		}
		if err := w.Devices.ArchiveLine(t.Context(), w.Org, l.ID); err != nil {
			t.Fatal(err)
		}
		again := addLine(t, w, device.NewLine{Agent: ravi.Agent, Number: "9812300001"})
		if again.No != 3 {
			t.Errorf("the new line has number %d, want 3: numbers are not used twice", again.No)
		}
		ours = must[func(string) (call.LineNo, bool)](t)(w.Devices.Ours(t.Context(), w.Org))
		if no, _ := ours("+919812300001"); no != again.No {
			t.Errorf("the number is line %d, want the one in use, %d", no, again.No)
		}
		_, err = w.Devices.AddLine(t.Context(), w.Org, device.NewLine{Agent: asha.Agent, Number: "sales"})
		wantKind(t, err, fault.Invalid, "no phone number")
		_, err = w.Devices.AddLine(t.Context(), w.Org, device.NewLine{Agent: 99})
		wantKind(t, err, fault.NotFound, "agent number 99")

		foreign := w.NewOrg(t, "Other")
		_, err = w.Devices.Line(t.Context(), foreign, again.ID)
		wantKind(t, err, fault.NotFound, "no line")
	})
}

func TestALinesNumberIsNotReadableInTheTable(t *testing.T) {
	each(t, func(t *testing.T, w *calltest.World) {
		addLine(t, w, device.NewLine{Agent: w.Agent(t, "Asha").Agent, Number: "9812300001"})
		var sealed, key []byte
		if err := w.DB.Row(t.Context(), `SELECT number_sealed, number_key FROM lines WHERE org_id = $1`, w.Org.ID).Scan(&sealed, &key); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(sealed)+string(key), "9812300001") || len(sealed) == 0 || len(key) != 16 {
			t.Errorf("the table holds %q and %q", sealed, key)
		}
	})
}

func TestAnAgentsDefaultLineIsMadeOnce(t *testing.T) {
	each(t, func(t *testing.T, w *calltest.World) {
		asha := w.Agent(t, "Asha")
		first := must[*device.Line](t)(w.Devices.DefaultLine(t.Context(), w.Org, asha.Agent))
		second := must[*device.Line](t)(w.Devices.DefaultLine(t.Context(), w.Org, asha.Agent))
		if first.No != second.No || first.Number != "" {
			t.Errorf("the lines are %+v and %+v, want one without a number", first, second)
		}
	})
}

func TestALineThatMovesKeepsItsHistory(t *testing.T) {
	each(t, func(t *testing.T, w *calltest.World) {
		asha, ravi := w.Agent(t, "Asha"), w.Agent(t, "Ravi")
		l := addLine(t, w, device.NewLine{Agent: asha.Agent, Number: "9812300001"})
		w.Put(t, ingest.Item{Agent: asha.Agent, Line: l.No, Start: w.Now().Add(-time.Hour), Number: "+919899900001", Type: 1, Direction: 1, Seconds: 9, Ref: 1})

		_, err := w.Devices.MoveLine(t.Context(), w.Org, l.ID, ravi.Agent, w.Now().Add(-2*time.Hour))
		wantKind(t, err, fault.Invalid, "Choose a later time")
		_, err = w.Devices.MoveLine(t.Context(), w.Org, l.ID, ravi.Agent, w.Now().Add(time.Hour))
		wantKind(t, err, fault.Invalid, "in the future")
		moved := must[*device.Line](t)(w.Devices.MoveLine(t.Context(), w.Org, l.ID, ravi.Agent, w.Now().Add(-30*time.Minute)))
		if moved.Agent != ravi.Agent {
			t.Errorf("the line is with agent %d, want %d", moved.Agent, ravi.Agent)
		}
		for _, c := range []struct {
			ago  time.Duration
			want account.AgentNo
		}{{30 * 24 * time.Hour, asha.Agent}, {31 * time.Minute, asha.Agent}, {30 * time.Minute, ravi.Agent}, {0, ravi.Agent}} {
			got, ok, err := w.Devices.HolderAt(t.Context(), w.Org, l.No, w.Now().Add(-c.ago))
			if err != nil || !ok || got != c.want {
				t.Errorf("%s ago agent %d held the line (%v, %v), want %d", c.ago, got, ok, err, c.want)
			}
		}
		w.Clock.Advance(time.Minute)
		must[*device.Line](t)(w.Devices.MoveLine(t.Context(), w.Org, l.ID, asha.Agent, time.Time{}))
		if got, _, _ := w.Devices.HolderAt(t.Context(), w.Org, l.No, w.Now().Add(-time.Second)); got != ravi.Agent {
			t.Errorf("before the second move agent %d held the line, want %d", got, ravi.Agent)
		}
	})
}

func TestAPairingCodeWorksOnceAndForTenMinutes(t *testing.T) {
	each(t, func(t *testing.T, w *calltest.World) {
		asha := w.Agent(t, "Asha")
		code, expires, err := w.Devices.PairingCode(t.Context(), w.Org, asha.Agent)
		if err != nil {
			t.Fatal(err)
		}
		if len(code) != 9 || expires.Sub(w.Now()) != 10*time.Minute {
			t.Errorf("the code is %q until %s", code, expires)
		}
		request := device.PairRequest{InstallID: "install-1", Model: "Pixel 9", From: "192.0.2.1"}
		d, token, err := w.Devices.Pair(t.Context(), " "+strings.ToLower(strings.ReplaceAll(code, "-", " ")), request)
		if err != nil {
			t.Fatal(err)
		}
		if d.Name != "Pixel 9" || d.Agent != asha.Agent || len(d.Lines) != 1 || !strings.HasPrefix(token, "pld_") {
			t.Errorf("the device is %+v", d)
		}
		_, _, err = w.Devices.Pair(t.Context(), code, request)
		wantKind(t, err, fault.Invalid, "used already")

		code, _, _ = w.Devices.PairingCode(t.Context(), w.Org, asha.Agent)
		w.Clock.Advance(10 * time.Minute)
		_, _, err = w.Devices.Pair(t.Context(), code, request)
		wantKind(t, err, fault.Invalid, "older than ten minutes")

		first, _, _ := w.Devices.PairingCode(t.Context(), w.Org, asha.Agent)
		_, _, _ = w.Devices.PairingCode(t.Context(), w.Org, asha.Agent)
		_, _, err = w.Devices.Pair(t.Context(), first, request)
		wantKind(t, err, fault.Invalid, "not valid")
	})
}

func TestGuessingPairingCodesIsThrottled(t *testing.T) {
	each(t, func(t *testing.T, w *calltest.World) {
		asha := w.Agent(t, "Asha")
		code, _, _ := w.Devices.PairingCode(t.Context(), w.Org, asha.Agent)
		for range 10 {
			_, _, err := w.Devices.Pair(t.Context(), "AAAA-AAAA", device.PairRequest{InstallID: "x", From: "192.0.2.1"})
			wantKind(t, err, fault.Invalid, "not valid")
		}
		_, _, err := w.Devices.Pair(t.Context(), code, device.PairRequest{InstallID: "x", From: "192.0.2.1"})
		wantKind(t, err, fault.TooMany, "Wait ten minutes")
		if _, _, err := w.Devices.Pair(t.Context(), code, device.PairRequest{InstallID: "x", From: "192.0.2.2"}); err != nil {
			t.Errorf("another address is refused, too: %v", err)
		}
		w.Clock.Advance(10 * time.Minute)
		code, _, _ = w.Devices.PairingCode(t.Context(), w.Org, asha.Agent)
		if _, _, err := w.Devices.Pair(t.Context(), code, device.PairRequest{InstallID: "x", From: "192.0.2.1"}); err != nil {
			t.Errorf("after ten minutes the address is still refused: %v", err)
		}
	})
}

func TestANewPhoneTakesTheLinesOver(t *testing.T) {
	each(t, func(t *testing.T, w *calltest.World) {
		asha, ravi := w.Agent(t, "Asha"), w.Agent(t, "Ravi")
		l := addLine(t, w, device.NewLine{Agent: asha.Agent, Number: "9812300001"})
		old, oldToken := pair(t, w, asha.Agent, "old", device.SIM{Slot: 1, SubscriptionID: "7"})
		if len(old.Lines) != 1 || old.Lines[0].No != l.No {
			t.Fatalf("the phone has lines %+v, want line %d", old.Lines, l.No)
		}
		fresh, token := pair(t, w, asha.Agent, "new", device.SIM{Slot: 1, SubscriptionID: "3", Number: "+919812300001"}, device.SIM{Slot: 2, SubscriptionID: "4"})
		if len(fresh.Lines) != 2 || fresh.Lines[0].No != l.No {
			t.Errorf("the new phone has lines %+v, want line %d and a new one", fresh.Lines, l.No)
		}
		_, _, err := w.Devices.ByToken(t.Context(), oldToken)
		wantKind(t, err, fault.Unauthenticated, "was unpaired")
		d, org, err := w.Devices.ByToken(t.Context(), token)
		if err != nil || d.ID != fresh.ID || org.ID != w.Org.ID {
			t.Errorf("the token belongs to %+v of %+v (%v)", d, org, err)
		}
		again, _ := pair(t, w, asha.Agent, "new", device.SIM{Slot: 1, SubscriptionID: "3"}, device.SIM{Slot: 2, SubscriptionID: "4"})
		if again.ID != fresh.ID || !slices.Equal(again.Lines, fresh.Lines) {
			t.Errorf("paired again the phone is %+v, want %+v", again, fresh)
		}
		_, _, err = w.Devices.ByToken(t.Context(), token)
		wantKind(t, err, fault.Unauthenticated, "not known")

		code, _, _ := w.Devices.PairingCode(t.Context(), w.Org, ravi.Agent)
		_, _, err = w.Devices.Pair(t.Context(), code, device.PairRequest{InstallID: "ravi", SIMs: []device.SIM{{Number: "9812300001"}}})
		wantKind(t, err, fault.Conflict, "a line of Asha")

		if lines := must[[]*device.Line](t)(w.Devices.LinesOf(t.Context(), w.Org, []account.AgentNo{asha.Agent})); len(lines) != 2 {
			t.Errorf("the agent has %d lines, want 2: pairing again must not add any", len(lines))
		}
		if err := w.Devices.Unpair(t.Context(), w.Org, fresh.ID); err != nil {
			t.Fatal(err)
		}
		_, _, err = w.Devices.ByToken(t.Context(), "pld_1_nonsense")
		wantKind(t, err, fault.Unauthenticated, "not known")
	})
}

func TestAHeartbeatFollowsSIMsButBringsNoLineBack(t *testing.T) {
	each(t, func(t *testing.T, w *calltest.World) {
		asha := w.Agent(t, "Asha")
		d, _ := pair(t, w, asha.Agent, "phone", device.SIM{Slot: 1, SubscriptionID: "1", Number: "9812300001"}, device.SIM{Slot: 2, SubscriptionID: "2", Number: "9812300002"})
		sims := []device.SIM{{Slot: 2, SubscriptionID: "9", Number: "9812300001"}, {Slot: 1, SubscriptionID: "2", Number: "9812300002"}}
		c := must[*device.Config](t)(w.Devices.Heartbeat(t.Context(), d, device.Beat{SIMs: sims}))
		d = must[*device.Device](t)(w.Devices.Device(t.Context(), w.Org, d.ID))
		if no, err := d.Line("", "9"); err != nil || no != 1 || len(c.Lines) != 2 {
			t.Errorf("SIM 9 is line %d (%v), want 1", no, err)
		}
		if no, err := d.Line("", "1"); err != nil || no != 2 {
			t.Errorf("the SIM in slot 1 is line %d (%v), want 2", no, err)
		}
		addLine(t, w, device.NewLine{Agent: asha.Agent, Number: "9812300003", SIMSlot: 3})
		c = must[*device.Config](t)(w.Devices.Heartbeat(t.Context(), d, device.Beat{SIMs: append(sims, device.SIM{Slot: 3})}))
		if len(c.Lines) != 2 {
			t.Errorf("a heartbeat gave the phone %+v, want the two lines it was paired for", c.Lines)
		}
		if err := w.Devices.ArchiveLine(t.Context(), w.Org, c.Lines[0].ID); err != nil {
			t.Fatal(err)
		}
		c = must[*device.Config](t)(w.Devices.Heartbeat(t.Context(), d, device.Beat{SIMs: sims}))
		if len(c.Lines) != 1 {
			t.Errorf("after one line was archived the phone has %+v, want one line", c.Lines)
		}
	})
}

func TestConfigurationTellsWhatStaysOnThePhone(t *testing.T) {
	each(t, func(t *testing.T, w *calltest.World) {
		d, _ := pair(t, w, w.Agent(t, "Asha").Agent, "phone")
		before := must[*device.Config](t)(w.Devices.Config(t.Context(), d))
		if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error {
			for n, s := range map[string]number.Strength{"+919812300077": number.NeverStored, "+919812300078": number.Hidden} {
				if err := w.Book.Exclude(t.Context(), tx, w.Org.ID, number.Exclusion{Number: n, Strength: s, AddedAt: w.Now()}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		after := must[*device.Config](t)(w.Devices.Config(t.Context(), d))
		if !slices.Equal(after.ExcludedNumbers, []string{"+919812300077"}) || after.Version == before.Version {
			t.Errorf("the configuration is %+v, was %+v", after, before)
		}
		w.Clock.Advance(time.Minute)
		if same := must[*device.Config](t)(w.Devices.Config(t.Context(), d)); same.Version != after.Version || len(same.Lines) != 1 || same.MaxBatch != 500 {
			t.Errorf("the configuration changed to %+v", same)
		}
		wantKind(t, w.Devices.SetSettings(t.Context(), w.Org.ID, device.Settings{TrackFrom: 600, TrackTo: 500}), fault.Invalid, "begin before")
	})
}

func TestBatteryIsKeptOnlyWhereAskedFor(t *testing.T) {
	each(t, func(t *testing.T, w *calltest.World) {
		d, _ := pair(t, w, w.Agent(t, "Asha").Agent, "phone")
		level := 40
		beat := func() *int {
			must[*device.Config](t)(w.Devices.Heartbeat(t.Context(), d, device.Beat{Battery: &level, MissingPermissions: []string{"READ_CALL_LOG"}}))
			d = must[*device.Device](t)(w.Devices.Device(t.Context(), w.Org, d.ID))
			return d.Battery
		}
		if got := beat(); got != nil {
			t.Errorf("the battery level %d is kept though nobody asked", *got)
		}
		set := func(battery bool) {
			if err := w.Devices.SetSettings(t.Context(), w.Org.ID, device.Settings{Battery: battery}); err != nil {
				t.Fatal(err)
			}
		}
		set(true)
		if got := beat(); got == nil || *got != 40 || !slices.Equal(d.Permissions, []string{"READ_CALL_LOG"}) {
			t.Errorf("the device is %+v, want battery 40 and a missing permission", d)
		}
		set(false)
		if d = must[*device.Device](t)(w.Devices.Device(t.Context(), w.Org, d.ID)); d.Battery != nil {
			t.Error("the battery level stays after the setting was taken back")
		}
		set(true)
		policy := "off"
		w.Devices.OnlyWhat(func(_ context.Context, _ account.OrgID, category string) (bool, error) {
			return category != "device.battery" || policy == "ask", nil
		})
		if got := beat(); got != nil {
			t.Errorf("the battery level %d is kept though the policy has it off", *got)
		}
		wantKind(t, w.Devices.SetSettings(t.Context(), w.Org.ID, device.Settings{Battery: true}), fault.Invalid, "never collected")
		policy = "ask"
		if got := beat(); got == nil {
			t.Error("nothing is kept though policy and organisation ask for it")
		}
	})
}

func TestHealthKnowsWeekends(t *testing.T) {
	each(t, func(t *testing.T, w *calltest.World) {
		d, _ := pair(t, w, w.Agent(t, "Asha").Agent, "phone")
		view := func() device.View { return must[device.View](t)(w.Devices.View(t.Context(), w.Org, d.ID)) }
		if v := view(); v.Health != device.Never || v.Silent {
			t.Errorf("a phone just paired is %s, silent %v", v.Health, v.Silent)
		}
		friday := time.Date(2026, 4, 17, 17, 0, 0, 0, w.Org.Location()) // an hour before work ends
		w.Clock.Set(friday)
		must[*device.Config](t)(w.Devices.Heartbeat(t.Context(), d, device.Beat{DeviceTime: friday.Add(-3 * time.Minute), Waiting: 450}))
		for _, c := range []struct {
			after  time.Duration
			health device.Health
			silent bool
		}{
			{time.Hour, device.Online, false},
			{time.Hour + time.Second, device.Away, false},
			{24 * time.Hour, device.Away, false},
			{48 * time.Hour, device.Offline, false},                          // Sunday
			{64*time.Hour + 2*time.Hour, device.Offline, false},              // Monday 11:00: 1 h and 2 h of work
			{64*time.Hour + 3*time.Hour + time.Minute, device.Offline, true}, // Monday 12:01
		} {
			w.Clock.Set(friday.Add(c.after))
			if v := view(); v.Health != c.health || v.Silent != c.silent || !v.ClockOff || !v.AtRisk {
				t.Errorf("%s after the last sign the phone is %s, silent %v (%s of work), want %s, %v", c.after, v.Health, v.Silent, v.SilentFor, c.health, c.silent)
			}
		}
		sum := must[device.Summary](t)(w.Devices.Health(t.Context(), w.Org, nil))
		if want := (device.Summary{Paired: 1, Offline: 1, Silent: 1, ClockOff: 1, AtRisk: 1, Waiting: 450}); sum != want {
			t.Errorf("the summary is %+v, want %+v", sum, want)
		}
		if none := must[[]device.View](t)(w.Devices.Devices(t.Context(), w.Org, []account.AgentNo{99})); len(none) != 0 {
			t.Errorf("another agent has phones %+v", none)
		}
	})
}

// hashOf is the published hash of one day's calls, each as "start|direction|type|seconds|number".
func hashOf(lines ...string) string {
	h := sha256.New()
	for _, l := range lines {
		fmt.Fprintln(h, l)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestADigestFindsTheMissingDay(t *testing.T) {
	each(t, func(t *testing.T, w *calltest.World) {
		asha := w.Agent(t, "Asha")
		d, _ := pair(t, w, asha.Agent, "phone", device.SIM{Number: "9812300001"})
		line := d.Lines[0]
		today := civil.Today(w.Now(), w.Org.Location())
		at := w.Now().Add(-time.Hour)
		put := func(ref int64, at time.Time, n string) {
			w.Put(t, ingest.Item{Agent: asha.Agent, Line: line.No, Start: at, Number: n, Type: 1, Direction: 1, Seconds: 9, Ref: ref})
		}
		say := func(at time.Time, n string) string { return fmt.Sprintf("%d|1|1|9|%s", at.UnixMilli(), n) }
		put(1, at, "+919899900002")
		put(2, at, "+919899900001")
		put(3, at.Add(-time.Minute), "")
		yesterday := at.AddDate(0, 0, -1)
		digests := []device.Digest{
			{Line: line.ID, Day: today, Count: 3, Hash: hashOf(say(at.Add(-time.Minute), ""), say(at, "+919899900001"), say(at, "+919899900002"))},
			{Line: line.ID, Day: today - 1, Count: 1, Hash: hashOf(say(yesterday, "+919899900003"))},
			{Line: line.ID, Day: today - 2, Count: 0, Hash: hashOf()},
		}
		diffs := must[[]device.DayDiff](t)(w.Devices.SetDigest(t.Context(), d, digests))
		if want := []device.DayDiff{{Line: line.ID, Day: today - 1, Lacking: true}}; !slices.Equal(diffs, want) {
			t.Fatalf("the days that differ are %+v, want %+v", diffs, want)
		}
		must[*device.Config](t)(w.Devices.Heartbeat(t.Context(), d, device.Beat{}))
		complete := func(from, to civil.Day) device.Completeness {
			return must[device.Completeness](t)(w.Devices.Complete(t.Context(), w.Org, nil, from, to))
		}
		if c := complete(today-5, today+1); c.Complete || len(c.Waiting) != 1 || !slices.Equal(c.Waiting[0].MissingDays, []civil.Day{today - 1}) {
			t.Errorf("the range is %+v, want waiting for yesterday", c)
		}
		if c := complete(today, today+1); !c.Complete {
			t.Errorf("today is %+v, want complete", c)
		}
		put(4, yesterday, "+919899900003")
		if c := complete(today-5, today+1); !c.Complete {
			t.Errorf("after the day was sent the range is %+v, want complete", c)
		}
		_, err := w.Devices.SetDigest(t.Context(), d, []device.Digest{{Line: "lin_foreign", Day: today, Hash: hashOf()}})
		wantKind(t, err, fault.NotFound, "no line")
	})
}

func TestANumberThatIsNeverStoredIsNoPartOfADigest(t *testing.T) {
	each(t, func(t *testing.T, w *calltest.World) {
		asha := w.Agent(t, "Asha")
		d, _ := pair(t, w, asha.Agent, "phone")
		at := w.Now().Add(-time.Hour)
		w.Put(t, ingest.Item{Agent: asha.Agent, Line: d.Lines[0].No, Start: at, Number: "+919812300077", Type: 2, Direction: 2, Ref: 1})
		if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error {
			return w.Book.Exclude(t.Context(), tx, w.Org.ID, number.Exclusion{Number: "+919812300077", Strength: number.NeverStored, AddedAt: w.Now()})
		}); err != nil {
			t.Fatal(err)
		}
		day := civil.DayOf(at, w.Org.Location())
		if diffs := must[[]device.DayDiff](t)(w.Devices.SetDigest(t.Context(), d, []device.Digest{{Line: d.Lines[0].ID, Day: day, Hash: hashOf()}})); len(diffs) != 0 {
			t.Errorf("the days that differ are %+v, want none", diffs)
		}
	})
}

func TestReportsWaitForPhonesThatAreLate(t *testing.T) {
	each(t, func(t *testing.T, w *calltest.World) {
		asha := w.Agent(t, "Asha")
		w.Agent(t, "Ravi") // imports files and has no phone
		today := civil.Today(w.Now(), w.Org.Location())
		complete := func(from, to civil.Day) device.Completeness {
			return must[device.Completeness](t)(w.Devices.Complete(t.Context(), w.Org, nil, from, to))
		}
		if c := complete(today, today+1); !c.Complete {
			t.Errorf("without phones today is %+v, want complete", c)
		}
		d, _ := pair(t, w, asha.Agent, "phone")
		if c := complete(today-7, today); c.Complete || c.Waiting[0].DeviceID != d.ID {
			t.Errorf("before the first sync last week is %+v, want waiting", c)
		}
		must[*device.Config](t)(w.Devices.Heartbeat(t.Context(), d, device.Beat{}))
		w.Clock.Advance(10 * time.Minute)
		if c := complete(today, today+1); !c.Complete {
			t.Errorf("ten minutes after the phone had told everything today is %+v, want complete", c)
		}
		must[*device.Config](t)(w.Devices.Heartbeat(t.Context(), d, device.Beat{Waiting: 2}))
		if c := complete(today, today+1); c.Complete || c.Waiting[0].Waiting != 2 {
			t.Errorf("with calls made since left on the phone today is %+v, want waiting for 2", c)
		}
		synced := w.Now()
		must[*device.Config](t)(w.Devices.Heartbeat(t.Context(), d, device.Beat{}))
		w.Clock.Advance(24 * time.Hour)
		if c := complete(today-7, today); !c.Complete {
			t.Errorf("last week is %+v, want complete", c)
		}
		if c := complete(today, today+1); c.Complete || !c.Waiting[0].Since.Equal(synced) {
			t.Errorf("the day after, the day before is %+v, want waiting since %s", c, synced)
		}
		must[*device.Config](t)(w.Devices.Heartbeat(t.Context(), d, device.Beat{Waiting: 3}))
		if c := complete(today, today+1); c.Complete || c.Waiting[0].Waiting != 3 {
			t.Errorf("with calls left on the phone the day is %+v, want waiting for 3", c)
		}
		if c := must[device.Completeness](t)(w.Devices.Complete(t.Context(), w.Org, []account.AgentNo{99}, today, today+1)); !c.Complete {
			t.Errorf("for other agents the day is %+v, want complete", c)
		}
		if err := w.Devices.Unpair(t.Context(), w.Org, d.ID); err != nil {
			t.Fatal(err)
		}
		if c := complete(today, today+1); !c.Complete {
			t.Errorf("an unpaired phone is waited for: %+v", c)
		}
	})
}

func TestDeleteLeavesNothingOfAnOrganisation(t *testing.T) {
	each(t, func(t *testing.T, w *calltest.World) {
		asha := w.Agent(t, "Asha")
		_, token := pair(t, w, asha.Agent, "phone")
		_, _, _ = w.Devices.PairingCode(t.Context(), w.Org, asha.Agent)
		if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { return w.Devices.Delete(t.Context(), tx, w.Org.ID) }); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"lines", "line_holders", "line_counters", "devices", "device_lines", "pairing_codes"} {
			var n int
			if err := w.DB.Row(t.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s has %d rows left (%v)", table, n, err)
			}
		}
		_, _, err := w.Devices.ByToken(t.Context(), token)
		wantKind(t, err, fault.Unauthenticated, "not known")
	})
}
