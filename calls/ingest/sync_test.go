package ingest_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
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
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

// collector is a phone that reports to a World.
type collector struct {
	*calltest.World
	t   *testing.T
	dev *device.Device
}

func eachPhone(t *testing.T, story func(t *testing.T, c *collector)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := calltest.New(t, d)
		story(t, pairPhone(t, w, w.Agent(t, "Asha").Agent, "9812300001"))
	}, calltest.Schemas()...)
}

func pairPhone(t *testing.T, w *calltest.World, agent account.AgentNo, own string) *collector {
	t.Helper()
	code, _, err := w.Devices.PairingCode(t.Context(), w.Org, agent)
	if err != nil {
		t.Fatal(err)
	}
	dev, _, err := w.Devices.Pair(t.Context(), code, device.PairRequest{InstallID: "install " + own, SIMs: []device.SIM{{Slot: 1, SubscriptionID: "sub", Number: own}}})
	if err != nil {
		t.Fatal(err)
	}
	return &collector{World: w, t: t, dev: dev}
}

func (c *collector) sync(calls ...ingest.SyncCall) []ingest.SyncAnswer {
	c.t.Helper()
	answers, err := c.Writer.Sync(c.t.Context(), c.Devices, c.Org, c.dev, ingest.Batch{Calls: calls})
	if err != nil {
		c.t.Fatal(err)
	}
	return answers
}

func (c *collector) wantStates(answers []ingest.SyncAnswer, want ...ingest.State) {
	c.t.Helper()
	var got []ingest.State
	for _, a := range answers {
		got = append(got, a.State)
	}
	if !slices.Equal(got, want) {
		c.t.Fatalf("the answers are %v (%+v), want %v", got, answers, want)
	}
}

// a call an hour ago for each n, n minutes apart.
func (c *collector) call(n int) ingest.SyncCall {
	start := c.Now().Add(-time.Hour - time.Duration(n)*time.Minute)
	return ingest.SyncCall{ClientKey: fmt.Sprint("key ", n), SIM: "sub", Number: fmt.Sprintf("98999%05d", n), Type: "1", Start: ingest.Moment(start.Format(time.RFC3339)), Seconds: 30 + n}
}

func wantKind(t *testing.T, err error, want fault.Kind, sentence string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != want || !strings.Contains(fault.Sentence(err), sentence) {
		t.Fatalf("the error is %v, want one of kind %d that says %q", err, want, sentence)
	}
}

func TestARepeatedBatchAddsNothing(t *testing.T) {
	eachPhone(t, func(t *testing.T, c *collector) {
		batch := []ingest.SyncCall{c.call(1), c.call(2), c.call(2)}
		first := c.sync(batch...)
		c.wantStates(first, ingest.New, ingest.New, ingest.Known)
		if first[0].ID == "" || first[0].Number != "+919899900001" || first[0].ClientKey != "key 1" {
			t.Errorf("the answer is %+v", first[0])
		}
		c.wantStates(c.sync(batch...), ingest.Known, ingest.Known, ingest.Known)
		if rows := c.Rows(t); len(rows) != 2 || rows[0].Agent != 1 || rows[0].Direction != call.Incoming {
			t.Errorf("the rows are %+v, want two incoming ones of agent 1", rows)
		}
		d, err := c.Devices.Device(t.Context(), c.Org, c.dev.ID)
		if err != nil || !d.SyncedAt.Equal(c.Now()) || !d.CompleteAt.Equal(c.Now()) {
			t.Errorf("the device is %+v (%v), want synced and complete now", d, err)
		}
	})
}

func TestOrderAndDelayDoNotMatter(t *testing.T) {
	eachPhone(t, func(t *testing.T, c *collector) {
		var calls []ingest.SyncCall
		for n := range 60 { // five a day over twelve days, up to seven weeks ago
			s := c.call(n)
			s.Start = ingest.Moment(c.Now().AddDate(0, 0, -37-n/5).Add(time.Duration(n) * time.Minute).Format(time.RFC3339))
			calls = append(calls, s)
		}
		shuffled := slices.Clone(calls)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for part := range slices.Chunk(shuffled, 7) {
			c.sync(part...)
		}
		for _, a := range c.sync(calls...) {
			if a.State != ingest.Known {
				t.Fatalf("sent again in order, a call is %s", a.State)
			}
		}
		if rows := c.Rows(t); len(rows) != len(calls) {
			t.Errorf("%d rows are kept of %d calls", len(rows), len(calls))
		}
	})
}

func TestAReclassifiedCallChangesItsRow(t *testing.T) {
	eachPhone(t, func(t *testing.T, c *collector) {
		s := c.call(1)
		s.Type, s.Seconds = "3", 0
		c.wantStates(c.sync(s), ingest.New)
		s.Type = "rejected"
		c.wantStates(c.sync(s), ingest.Changed)
		if rows := c.Rows(t); len(rows) != 1 || rows[0].Type != call.TypeRejected {
			t.Errorf("the rows are %+v, want one rejected call", rows)
		}
		s.Number = "9899900009" // the phone corrects the number under the same key
		c.wantStates(c.sync(s), ingest.Changed)
		if rows := c.Rows(t); len(rows) != 1 {
			t.Errorf("the rows are %+v, want one", rows)
		}
	})
}

func TestACallBelongsToWhoHeldTheLineThen(t *testing.T) {
	eachPhone(t, func(t *testing.T, c *collector) {
		before := c.call(1)
		c.sync(before)
		ravi := c.Agent(t, "Ravi")
		if _, err := c.Devices.MoveLine(t.Context(), c.Org, c.dev.Lines[0].ID, ravi.Agent, c.Now().Add(-30*time.Minute)); err != nil {
			t.Fatal(err)
		}
		late, after := c.call(2), c.call(3)
		after.Start = ingest.Moment(fmt.Sprint(c.Now().Add(-10 * time.Minute).UnixMilli()))
		c.wantStates(c.sync(before, late, after), ingest.Known, ingest.New, ingest.New)
		var agents []account.AgentNo
		for _, r := range c.Rows(t) {
			agents = append(agents, r.Agent)
		}
		if want := []account.AgentNo{1, 1, ravi.Agent}; !slices.Equal(agents, want) {
			t.Errorf("the calls belong to agents %v, want %v", agents, want)
		}
	})
}

func TestWithheldNumbersAreKeptWithTheirPresentation(t *testing.T) {
	eachPhone(t, func(t *testing.T, c *collector) {
		cases := []struct {
			number       string
			presentation ingest.Code
			want         call.Presentation
		}{
			{"", "2", call.PresentationRestricted}, {"", "", call.PresentationUnknown}, {"-1", "", call.PresentationUnknown},
			{"-2", "", call.PresentationRestricted}, {"-3", "", call.PresentationPayphone}, {"Private", "", call.PresentationRestricted},
			{"(Unknown)", "payphone", call.PresentationPayphone}, {"null", "5", call.PresentationUnavailable}, {"anonymous", "99", call.PresentationRestricted},
		}
		for n, k := range cases {
			s := c.call(n)
			s.Number, s.Presentation = k.number, k.presentation
			c.wantStates(c.sync(s), ingest.New)
		}
		rows := c.Rows(t)
		slices.Reverse(rows) // the table's order is that of starts, and each call is a minute before the last
		for i, k := range cases {
			if rows[i].Number != number.Withheld || rows[i].Presentation != k.want {
				t.Errorf("%q with presentation %q is kept as number %d, %s; want withheld, %s", k.number, k.presentation, rows[i].Number, rows[i].Presentation, k.want)
			}
		}
	})
}

func TestUnknownTypesStayUnknown(t *testing.T) {
	eachPhone(t, func(t *testing.T, c *collector) {
		cases := []struct {
			typ       ingest.Code
			direction string
			want      call.Type
			wantDir   call.Direction
		}{
			{"19", "", call.TypeUnknown, call.NoDirection}, {"-1", "outgoing", call.TypeUnknown, call.Outgoing}, {"ghost", "incoming", call.TypeUnknown, call.Incoming},
			{"", "outgoing", call.TypeOutgoing, call.Outgoing}, {"Missed", "outgoing", call.TypeMissed, call.Incoming}, {"7", "", call.TypeAnsweredElsewhere, call.Incoming},
		}
		for n, k := range cases {
			s := c.call(n)
			s.Type, s.Direction = k.typ, k.direction
			c.wantStates(c.sync(s), ingest.New)
		}
		rows := c.Rows(t)
		slices.Reverse(rows)
		for i, k := range cases {
			if rows[i].Type != k.want || rows[i].Direction != k.wantDir {
				t.Errorf("type %q with direction %q is kept as %s, %s; want %s, %s", k.typ, k.direction, rows[i].Type, rows[i].Direction, k.want, k.wantDir)
			}
		}
	})
}

func TestExcludedNumbersInBothStrengths(t *testing.T) {
	eachPhone(t, func(t *testing.T, c *collector) {
		dropped, hidden := c.call(1), c.call(2)
		if err := c.DB.Tx(t.Context(), func(tx *db.Tx) error {
			for n, s := range map[string]number.Strength{"+919899900001": number.NeverStored, "+919899900002": number.Hidden} {
				if err := c.Book.Exclude(t.Context(), tx, c.Org.ID, number.Exclusion{Number: n, Strength: s, AddedAt: c.Now()}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		answers := c.sync(dropped, hidden)
		c.wantStates(answers, ingest.Excluded, ingest.New)
		if rows := c.Rows(t); len(rows) != 1 || answers[0].ID != "" || answers[0].Number != "" {
			t.Errorf("the rows are %+v and the answer %+v, want the hidden call alone", rows, answers[0])
		}
		if _, ok, err := c.Book.Find(t.Context(), c.DB, c.Org.ID, "+919899900001"); ok || err != nil {
			t.Errorf("the number that is never stored is in the book (%v)", err)
		}
	})
}

func TestOneBadCallIsRefusedAlone(t *testing.T) {
	eachPhone(t, func(t *testing.T, c *collector) {
		bad := []struct {
			change func(s *ingest.SyncCall)
			says   string
		}{
			{func(s *ingest.SyncCall) { s.Start = "yesterday" }, "RFC 3339"},
			{func(s *ingest.SyncCall) { s.Start = "1776236400" }, "before the year 2000"}, // seconds where milliseconds belong
			{func(s *ingest.SyncCall) { s.Start = "2099-01-01T00:00:00Z" }, "ahead"},
			{func(s *ingest.SyncCall) { s.Seconds = -1 }, "duration"},
			{func(s *ingest.SyncCall) { s.SIM = "another" }, "no SIM"},
			{func(s *ingest.SyncCall) { s.SIM, s.Line = "", "lin_foreign" }, "no line"},
			{func(s *ingest.SyncCall) { s.ClientKey = strings.Repeat("k", 65) }, "client key"},
			{func(s *ingest.SyncCall) { s.Note = strings.Repeat("n", 10_001) }, "note"},
			{func(s *ingest.SyncCall) { s.Number = strings.Repeat("9", 65) }, "64 fit"},
		}
		var batch []ingest.SyncCall
		for i, b := range bad {
			s := c.call(i)
			b.change(&s)
			batch = append(batch, s)
		}
		answers := c.sync(append(batch, c.call(99))...)
		for i, b := range bad {
			if a := answers[i]; a.State != ingest.Refused || !strings.Contains(a.Reason, b.says) {
				t.Errorf("call %d is %s (%q), want refused because of %q", i, a.State, a.Reason, b.says)
			}
		}
		if last := answers[len(bad)]; last.State != ingest.New || len(c.Rows(t)) != 1 {
			t.Errorf("the good call beside them is %s", last.State)
		}
		_, err := c.Writer.Sync(t.Context(), c.Devices, c.Org, c.dev, ingest.Batch{Calls: make([]ingest.SyncCall, 501)})
		wantKind(t, err, fault.TooLarge, "501 were sent")
	})
}

// P14: what comes by itself is not refused for a number in a note, since its call would be lost; the note says what is missing.
func TestNotesThatComeWithCallsAreMasked(t *testing.T) {
	eachPhone(t, func(t *testing.T, c *collector) {
		noted := c.call(1)
		noted.Note = "paid by 4111 1111 1111 1111, ring +91 98123 00009"
		answers := c.sync(noted)
		c.wantStates(answers, ingest.New)
		if got, err := c.Calls.One(t.Context(), c.Org, answers[0].Key); err != nil || got.Note != "paid by [card number removed], ring +91 98123 00009" {
			t.Errorf("the note of the phone's call says %q (%v)", got.Note, err)
		}
		file := "number,start,duration,type,note,tags\n+919812300102," + c.Now().Add(-3*time.Hour).Format(time.RFC3339) + ",5,incoming,aadhaar 2345 6789 0124,ABCPE1234F\n"
		m, err := c.Imports.Run(t.Context(), c.Org, strings.NewReader(file), int64(len(file)), ingest.ImportSpec{Name: "calls.csv", Agent: answers[0].Key.Agent}, nil)
		if err != nil || m.New != 1 {
			t.Fatalf("the import is %+v (%v)", m, err)
		}
		for _, r := range c.Rows(t) {
			if got, err := c.Calls.One(t.Context(), c.Org, r.Key); err != nil || r.Key != answers[0].Key && (got.Note != "aadhaar [Aadhaar number removed]" || len(got.Tags) != 1 || got.Tags[0] != "[PAN removed]") {
				t.Errorf("the imported call is %+v (%v)", got, err)
			}
		}
	})
}

func TestAPairedAgainPhoneDoesNotDoubleItsCalls(t *testing.T) {
	eachPhone(t, func(t *testing.T, c *collector) {
		c.sync(c.call(1), c.call(2))
		again := pairPhone(t, c.World, 1, "9812300001")
		again.wantStates(again.sync(c.call(1), c.call(2)), ingest.Known, ingest.Known)
		if rows := c.Rows(t); len(rows) != 2 {
			t.Errorf("%d rows are kept, want 2", len(rows))
		}
	})
}

func TestWaitingIsWhatThePhoneSaysIsLeft(t *testing.T) {
	eachPhone(t, func(t *testing.T, c *collector) {
		left := 12
		if _, err := c.Writer.Sync(t.Context(), c.Devices, c.Org, c.dev, ingest.Batch{Calls: []ingest.SyncCall{c.call(1)}, Waiting: &left}); err != nil {
			t.Fatal(err)
		}
		d, err := c.Devices.Device(t.Context(), c.Org, c.dev.ID)
		if err != nil || d.Waiting != 12 || !d.CompleteAt.IsZero() || !d.LastCallAt.Equal(c.Now().Add(-61*time.Minute)) {
			t.Errorf("the device is %+v (%v), want 12 calls waiting", d, err)
		}
	})
}

func TestCorrectingAndDeletingOwnCalls(t *testing.T) {
	eachPhone(t, func(t *testing.T, c *collector) {
		s := c.call(1)
		id := c.sync(s, c.call(2))[0].ID
		fixed := s
		fixed.Start, fixed.Seconds = ingest.Moment(c.Now().AddDate(0, 0, -1).Format(time.RFC3339)), 77 // it was the day before
		answers, err := c.Writer.CorrectCalls(t.Context(), c.Devices, c.Org, c.dev, []ingest.Correction{{CallRef: ingest.CallRef{ID: id}, Call: fixed}})
		if err != nil {
			t.Fatal(err)
		}
		c.wantStates(answers, ingest.Changed)
		if rows := c.Rows(t); len(rows) != 2 || rows[0].Seconds != 77 {
			t.Errorf("the rows are %+v, want the corrected one first of two", rows)
		}
		byKey := ingest.CallRef{SIM: "sub", ClientKey: "key 2", Start: c.call(2).Start}
		if err := c.Writer.DeleteCalls(t.Context(), c.Devices, c.Org, c.dev, []ingest.CallRef{byKey}); err != nil {
			t.Fatal(err)
		}
		if rows := c.Rows(t); len(rows) != 1 || rows[0].Seconds != 77 {
			t.Errorf("the rows are %+v, want the corrected one alone", rows)
		}
		err = c.Writer.DeleteCalls(t.Context(), c.Devices, c.Org, c.dev, []ingest.CallRef{{ID: answers[0].ID}, byKey})
		wantKind(t, err, fault.NotFound, "no call")
		if rows := c.Rows(t); len(rows) != 1 {
			t.Error("a request that names a missing call deleted another")
		}
	})
}

func TestAPhoneTouchesOnlyCallsOfItsOwnLines(t *testing.T) {
	eachPhone(t, func(t *testing.T, c *collector) {
		id := c.sync(c.call(1))[0].ID
		ravi := pairPhone(t, c.World, c.Agent(t, "Ravi").Agent, "9812300002")
		for _, ref := range []ingest.CallRef{
			{ID: id}, {ID: "cal_nonsense"},
			{Line: c.dev.Lines[0].ID, ClientKey: "key 1", Start: c.call(1).Start},
			{SIM: "sub", ClientKey: "key 1", Start: c.call(1).Start},
		} {
			wantKind(t, c.Writer.DeleteCalls(t.Context(), c.Devices, c.Org, ravi.dev, []ingest.CallRef{ref}), fault.NotFound, "no ")
			_, err := c.Writer.CorrectCalls(t.Context(), c.Devices, c.Org, ravi.dev, []ingest.Correction{{CallRef: ref, Call: c.call(1)}})
			wantKind(t, err, fault.NotFound, "no ")
		}
		if rows := c.Rows(t); len(rows) != 1 {
			t.Errorf("%d rows are left, want 1", len(rows))
		}
	})
}

func TestACallIsReadFromJSONWithCodesOrWords(t *testing.T) {
	for _, text := range []string{
		`{"client_key":"k","type":3,"presentation":1,"start":1776236400000,"seconds":0,"number":"9812300001"}`,
		`{"client_key":"k","type":"3","presentation":"1","start":"1776236400000","seconds":0,"number":"9812300001"}`,
	} {
		var s ingest.SyncCall
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		if want := (ingest.SyncCall{ClientKey: "k", Type: "3", Presentation: "1", Start: "1776236400000", Number: "9812300001"}); s != want {
			t.Errorf("%s is read as %+v, want %+v", text, s, want)
		}
	}
	if err := json.Unmarshal([]byte(`{"type":{}}`), new(ingest.SyncCall)); err == nil {
		t.Error("an object is taken for a type")
	}
}

func TestADigestAgreesWithWhatASyncAnswered(t *testing.T) {
	eachPhone(t, func(t *testing.T, c *collector) {
		c.sync(c.call(1))
		day := c.Rows(t)[0].Day
		diffs, err := c.Devices.SetDigest(t.Context(), c.dev, []device.Digest{{Line: c.dev.Lines[0].ID, Day: day, Count: 2, Hash: strings.Repeat("0", 64)}})
		if err != nil || len(diffs) != 1 || !diffs[0].Lacking || diffs[0].Count != 1 {
			t.Errorf("the days that differ are %+v (%v), want one with a call here", diffs, err)
		}
	})
}
