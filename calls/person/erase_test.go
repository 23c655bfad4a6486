package person_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/xts"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/calls/stats"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/rights"
	"parley/trust/subject"
)

const (
	meera = "+919812300101"
	other = "+919812300202"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func each(t *testing.T, tell func(t *testing.T, s *story)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { tell(t, newStory(t, d)) }, calltest.Schemas()...)
}

// story is an organisation to whose only phone Meera and somebody else spoke.
type story struct {
	*calltest.World
	t    testing.TB
	asha *account.Member
	dev  *device.Device
}

func newStory(t testing.TB, d *db.DB) *story {
	s := &story{World: calltest.New(t, d), t: t}
	s.asha = s.Agent(t, "Asha")
	code, _, err := s.Devices.PairingCode(t.Context(), s.Org, s.asha.Agent)
	must(t, err)
	s.dev, _, err = s.Devices.Pair(t.Context(), code, device.PairRequest{InstallID: "phone", SIMs: []device.SIM{{Slot: 1, Number: "+919812300001"}}})
	must(t, err)
	return s
}

func (s *story) call(number string, ago time.Duration) ingest.SyncCall {
	start := s.Now().Add(-ago).UnixMilli()
	return ingest.SyncCall{Number: number, Start: ingest.Moment(fmt.Sprint(start)), Type: "1", Seconds: 61, ClientKey: fmt.Sprint(number, start)}
}

func (s *story) sync(calls ...ingest.SyncCall) []ingest.SyncAnswer {
	s.t.Helper()
	answers, err := s.Writer.Sync(s.t.Context(), s.Devices, s.Org, s.dev, ingest.Batch{Calls: calls})
	must(s.t, err)
	return answers
}

func (s *story) find(canonical string) number.ID {
	s.t.Helper()
	n, ok, err := s.Book.Find(s.t.Context(), s.DB, s.Org.ID, canonical)
	must(s.t, err)
	if !ok {
		s.t.Fatalf("%s is not in the book", canonical)
	}
	return n
}

func (s *story) erase(canonical string) []rights.Line {
	s.t.Helper()
	lines, err := s.Persons.Store().Erase(s.t.Context(), s.Org.ID, subject.OfNumber(int64(s.find(canonical))), rights.Decision{})
	must(s.t, err)
	return lines
}

// known makes Meera's calls, with all that can be said about her.
func (s *story) known() {
	s.t.Helper()
	named := s.call(meera, 90*time.Minute)
	named.Name, named.Note = "Meera Canary", "wants the blue canary"
	missed := s.call(meera, 30*time.Minute)
	missed.Type, missed.Seconds = "3", 0
	answers := s.sync(named, missed, s.call(meera, 26*time.Hour), s.call(other, time.Hour), s.call("", 2*time.Hour))
	must(s.t, s.Calls.SetTags(s.t.Context(), s.Org, answers[0].Key, []string{"canary tag"}))
	must(s.t, s.Callbacks.Handle(s.t.Context(), s.Accounts.Operator(s.Org), s.key(meera), "called the canary back"))
	must(s.t, s.Writer.Exclude(s.t.Context(), s.Org, number.Exclusion{Number: meera, Strength: number.Hidden, Label: "canary label", AddedAt: s.Now()}))
}

func (s *story) key(canonical string) number.Key {
	s.t.Helper()
	k, err := s.Book.Key(s.t.Context(), s.Org.ID, canonical)
	must(s.t, err)
	return k
}

func (s *story) calls(f call.Filter) int64 {
	s.t.Helper()
	today := civil.Today(s.Now(), s.Org.Location())
	r, err := s.Reporter.Report(s.t.Context(), s.Org, stats.Query{From: today - 400, To: today + 3, Filter: f}, 0)
	must(s.t, err)
	return r.Calls()
}

func counts(lines []rights.Line) string {
	var out []string
	for _, l := range lines {
		out = append(out, fmt.Sprintf("%d %s", l.Count, l.Name))
	}
	return strings.Join(out, ", ")
}

func TestErasingAPersonLeavesTheCallsAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.known()
		before := s.calls(call.Filter{Excluded: true})
		n := s.find(meera)
		plan, err := s.Persons.Store().Plan(t.Context(), s.Org.ID, subject.OfNumber(int64(n)))
		must(t, err)
		lines := s.erase(meera)
		want := "1 key of the person, 1 entries of the number index, 1 phone numbers, 1 names from phone books, 1 numbers kept out, which stay so without the number, 3 calls, which stay without the person, " +
			"1 call-backs, 1 notes, 1 tags, 1 phones that had calls with the person"
		if counts(plan) != want || counts(lines) != want {
			t.Errorf("planned: %s\nerased: %s\nwant: %s", counts(plan), counts(lines), want)
		}
		if after := s.calls(call.Filter{}); after != before || before != 5 {
			t.Errorf("%d calls are counted, %d were before", after, before)
		}
		erased := 0
		for _, r := range s.Rows(t) {
			if r.Number == n {
				t.Errorf("a call still has the number: %+v", r)
			}
			if r.Presentation == call.PresentationErased {
				erased++
				if r.Ref != 0 {
					t.Error("the phone's key of the call, which is made of the number, is still there")
				}
			}
		}
		if erased != 3 {
			t.Errorf("%d calls are marked as erased, want 3", erased)
		}
		for _, table := range []string{"numbers", "number_names", "call_notes", "call_note_words", "call_tags", "callbacks", "unsettled_numbers", "restricted_numbers", "erasing_numbers", "taking_numbers"} {
			var left int
			must(t, s.DB.Row(t.Context(), `SELECT count(*) FROM `+table+` WHERE org_id = $1 AND num = $2`, s.Org.ID, n).Scan(&left))
			if left > 0 {
				t.Errorf("%d rows are left in %s", left, table)
			}
		}
		if _, ok, err := s.Book.Find(t.Context(), s.DB, s.Org.ID, meera); err != nil || ok {
			t.Errorf("the number is still found (%v)", err)
		}
		if out, err := s.Book.Exclusions(t.Context(), s.DB, s.Org.ID); err != nil || len(out) != 1 || out[0].Number != "" || out[0].Label != "" {
			t.Errorf("kept out: %+v (%v)", out, err)
		}
		if again, err := s.Persons.Store().Erase(t.Context(), s.Org.ID, subject.OfNumber(int64(n)), rights.Decision{}); err != nil || len(again) > 0 {
			t.Errorf("erased once more: %v (%v)", again, err)
		}
		if plan, err := s.Persons.Store().Plan(t.Context(), s.Org.ID, subject.OfNumber(int64(n))); err != nil || len(plan) > 0 {
			t.Errorf("there is still something to erase: %v (%v)", plan, err)
		}
	})
}

func TestTheErasedDoNotComeBackWithTheNextSync(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.known()
		old := s.call(meera, 90*time.Minute)
		s.erase(meera)
		s.Clock.Advance(time.Hour)
		answers := s.sync(old, s.call(other, 2*time.Hour))
		if answers[0].State != ingest.Erased || answers[0].ID != "" || answers[0].Number != "" || answers[1].State != ingest.Known {
			t.Errorf("answers: %+v", answers)
		}
		file := "number,start,duration,type\n" + meera + "," + s.Now().Add(-3*time.Hour).Format(time.RFC3339) + ",5,incoming\n" +
			other + "," + s.Now().Add(-4*time.Hour).Format(time.RFC3339) + ",5,incoming\n"
		for _, dry := range []bool{true, false} {
			m, err := s.Imports.Run(t.Context(), s.Org, strings.NewReader(file), int64(len(file)), ingest.ImportSpec{Name: "calls.csv", Agent: s.asha.Agent, DryRun: dry}, nil)
			must(t, err)
			if m.Erased != 1 || m.New != 1 || m.Rows != 2 {
				t.Errorf("import (dry %v): %+v", dry, m)
			}
			kept, err := s.Imports.One(t.Context(), s.Org, m.ID)
			must(t, err)
			if kept.Erased != 1 {
				t.Errorf("the import remembers %d erased rows", kept.Erased)
			}
		}
		if _, ok, _ := s.Book.Find(t.Context(), s.DB, s.Org.ID, meera); ok {
			t.Error("the number came back")
		}
		if a := s.sync(s.call(meera, time.Minute)); a[0].State != ingest.New { // a call after the erasure is a new one
			t.Errorf("a later call was answered %v", a[0].State)
		}
		if a := s.sync(old); a[0].State != ingest.Erased { // and does not open the door for the old ones
			t.Errorf("an old call was answered %v", a[0].State)
		}
	})
}

func TestWhoIsKeptOutStaysSoWhenErased(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.known() // hidden
		s.sync(s.call(other, 3*time.Hour))
		must(t, s.Writer.Exclude(t.Context(), s.Org, number.Exclusion{Number: other, Strength: number.NeverStored, AddedAt: s.Now()}))
		s.erase(meera)
		s.erase(other)
		s.Clock.Advance(time.Hour)
		a := s.sync(s.call(meera, time.Minute), s.call(other, time.Minute))
		if a[0].State != ingest.New || a[1].State != ingest.Excluded {
			t.Errorf("later calls were answered %v and %v", a[0].State, a[1].State)
		}
		before := s.calls(call.Filter{})
		if with := s.calls(call.Filter{Excluded: true}); with != before+1 {
			t.Errorf("%d calls are counted without and %d with hidden numbers", before, with)
		}
		s.sync(s.call(meera, 2*time.Minute))
		if now := s.calls(call.Filter{}); now != before {
			t.Errorf("a call with a hidden number is counted: %d, before %d", now, before)
		}
		k := s.key(meera)
		must(t, s.Writer.Include(t.Context(), s.Org, k))
		if now := s.calls(call.Filter{}); now != before+2 {
			t.Errorf("%d calls are counted when the number is not kept out any more, want %d", now, before+2)
		}
	})
}

func TestADigestAfterAnErasureLacksNothing(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.known()
		s.erase(meera)
		line := s.dev.Lines[0].ID
		day := civil.Today(s.Now(), s.Org.Location())
		// What is left on the phone: the other caller and the withheld one.
		diffs, err := s.Devices.SetDigest(t.Context(), s.dev, []device.Digest{digest(line, day, []string{
			fmt.Sprintf("%d|1|1|61|\n", s.Now().Add(-2*time.Hour).UnixMilli()), fmt.Sprintf("%d|1|1|61|%s\n", s.Now().Add(-time.Hour).UnixMilli(), other)})})
		must(t, err)
		if len(diffs) > 0 {
			t.Errorf("the phone holds the same and was told: %+v", diffs)
		}
	})
}

func TestPhonesAreOrderedToForget(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.known()
		before, err := s.Devices.Config(t.Context(), s.dev)
		must(t, err)
		if len(before.Forget) > 0 {
			t.Fatalf("orders before any erasure: %+v", before.Forget)
		}
		s.erase(meera)
		c, err := s.Devices.Config(t.Context(), s.dev)
		must(t, err)
		if len(c.Forget) != 1 || c.Version == before.Version {
			t.Fatalf("the configuration has %d orders (version %s, before %s)", len(c.Forget), c.Version, before.Version)
		}
		order := c.Forget[0]
		if !marks(order, meera) || marks(order, other) {
			t.Error("the order means another number")
		}
		open, err := s.Devices.Ordered(t.Context(), s.Org.ID, "")
		must(t, err)
		if len(open) != 1 || open[0].DeviceID != s.dev.ID || !open[0].DoneAt.IsZero() || !open[0].Paired {
			t.Errorf("unanswered orders: %+v", open)
		}
		for range 2 {
			must(t, s.Devices.Forgotten(t.Context(), s.dev, []string{order.ID}))
		}
		if c, err = s.Devices.Config(t.Context(), s.dev); err != nil || len(c.Forget) > 0 {
			t.Errorf("the order is given again: %+v (%v)", c.Forget, err)
		}
		done, err := s.Devices.Ordered(t.Context(), s.Org.ID, order.ID)
		must(t, err)
		if len(done) != 1 || done[0].DoneAt.IsZero() {
			t.Errorf("the order's end: %+v", done)
		}
		var sealed []byte
		must(t, s.DB.Row(t.Context(), `SELECT sealed FROM forget_orders WHERE org_id = $1`, s.Org.ID).Scan(&sealed))
		if len(sealed) > 0 {
			t.Error("an answered order still tells by what the number was found")
		}
		if err := s.Devices.Forgotten(t.Context(), s.dev, []string{"fgt_none"}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("an order that nobody gave: %v", err)
		}
	})
}

func TestUnderAHoldNobodyIsErased(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.known()
		n := s.find(meera)
		_, err := s.Holds.Add(t.Context(), s.officer(), hold.Hold{Scope: hold.Person, Persons: []subject.Ref{subject.OfNumber(int64(n))}, Reason: "A claim", Owner: s.officer().Member.ID, Ends: s.Now().AddDate(0, 1, 0)})
		must(t, err)
		rows := s.Rows(t)
		_, err = s.Writer.Erase(t.Context(), s.Devices, s.Org, ingest.Erasure{Numbers: []number.ID{n}, First: func(ctx context.Context, tx *db.Tx) error {
			return s.Holds.Check(ctx, tx, s.Org.ID, hold.Deletion{Who: []subject.Ref{subject.OfNumber(int64(n))}, Path: hold.RightsErase})
		}})
		if fault.KindOf(err) != fault.Conflict {
			t.Fatalf("under a hold: %v", err)
		}
		if !slices.Equal(rows, s.Rows(t)) || s.find(meera) != n {
			t.Error("something was removed")
		}
		texts, err := s.Book.LoggedNames(t.Context(), s.DB, s.Org.ID, []number.ID{n})
		if err != nil || texts[n] != "Meera Canary" {
			t.Errorf("the name is %q (%v)", texts[n], err)
		}
	})
}

func (s *story) officer() *account.Actor {
	s.t.Helper()
	members, err := s.Accounts.Members(s.t.Context(), s.Org.ID)
	must(s.t, err)
	for _, m := range members {
		if m.Role == account.Owner {
			a, err := s.Accounts.As(s.t.Context(), s.Org.ID, m.ID)
			must(s.t, err)
			return a
		}
	}
	s.t.Fatal("nobody owns the organisation")
	return nil
}

// raw is the content of the data file and its write-ahead log as it would be without encryption.
func raw(t *testing.T, path string) []byte {
	t.Helper()
	c, err := xts.NewCipher(aes.NewCipher, bytes.Repeat([]byte{7}, db.KeyBytes)) // dbtest's key
	must(t, err)
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	must(t, err)
	const sector = 512
	for i := 0; i+sector <= len(b); i += sector {
		c.Decrypt(b[i:i+sector], b[i:i+sector], uint64(i/sector))
	}
	return b
}

func TestNoByteOfTheErasedIsLeft(t *testing.T) {
	s := newStory(t, dbtest.SQLite(t, calltest.Schemas()...))
	s.known()
	bad := "caller,callee,start,duration\n+91 98123 00101,+919812300777,2026-04-01T10:00:00Z,5\n" + other + ",+919812300777,2026-04-01T11:00:00Z,5\n" // no number is ours
	m, err := s.Imports.Run(t.Context(), s.Org, strings.NewReader(bad), int64(len(bad)), ingest.ImportSpec{Name: "calls.csv", Agent: s.asha.Agent}, nil)
	must(t, err)
	if m.Refused != 2 {
		t.Fatalf("the import refused %d rows", m.Refused)
	}
	n := s.find(meera)
	canaries := map[string][]byte{"label": []byte("canary label"), "tag": []byte("canary tag")}
	for _, q := range []string{
		`SELECT sealed FROM numbers WHERE org_id = $1 AND num = $2`,
		`SELECT sealed FROM number_names WHERE org_id = $1 AND num = $2`, `SELECT sealed FROM call_notes WHERE org_id = $1 AND num = $2`,
		`SELECT note_sealed FROM callbacks WHERE org_id = $1 AND num = $2`,
		`SELECT e.sealed FROM excluded_numbers e JOIN number_index i ON i.org_id = e.org_id AND i.idx = e.idx WHERE e.org_id = $1 AND i.num = $2`,
		`SELECT sealed FROM import_rejects WHERE org_id = $1 AND part = 1 AND $2 > 0`,
	} {
		var b []byte
		must(t, s.DB.Row(t.Context(), q, s.Org.ID, n).Scan(&b))
		canaries[q] = b
	}
	var index []byte // of somebody who is not kept out, since of her who is the index stays
	must(t, s.DB.Row(t.Context(), `SELECT idx FROM number_index WHERE org_id = $1 AND num = $2`, s.Org.ID, s.find(other)).Scan(&index))
	canaries["index"] = index
	for _, r := range s.Rows(t) {
		if r.Number == n {
			ref := r.Ref
			canaries[fmt.Sprint("phone's key ", ref)] = []byte{byte(ref >> 40), byte(ref >> 32), byte(ref >> 24), byte(ref >> 16), byte(ref >> 8), byte(ref)}
		}
	}
	must(t, s.DB.Checkpoint(t.Context()))
	held := raw(t, s.DB.Path())
	for name, canary := range canaries {
		if !bytes.Contains(held, canary) {
			t.Fatalf("the scan does not find the %s before the erasure", name)
		}
	}
	s.erase(other)
	s.erase(meera)
	for _, path := range []string{s.DB.Path(), s.DB.Path() + "-wal"} {
		held := raw(t, path)
		for name, canary := range canaries {
			if at := bytes.Index(held, canary); at >= 0 {
				t.Errorf("%s still has the %s, at %d", path, name, at)
			}
		}
	}
	var out bytes.Buffer
	must(t, s.Imports.Rejected(t.Context(), s.Org, m.ID, &out))
	if strings.Contains(out.String(), "00101") || strings.Contains(out.String(), "00202") || strings.Count(out.String(), "erased") != 2 {
		t.Errorf("the refused rows are\n%s", out.String())
	}
	k, err := s.Keys.Org(t.Context(), int64(s.Org.ID))
	must(t, err)
	if _, err := k.OpenOnce(t.Context(), int64(n), "number", canaries[`SELECT sealed FROM numbers WHERE org_id = $1 AND num = $2`]); fault.KindOf(err) != fault.Gone {
		t.Errorf("the key is still there: %v", err)
	}
}
