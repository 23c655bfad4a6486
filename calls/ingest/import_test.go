package ingest_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/calls/logfile"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

// file is an opened file that gives these records and errors, then end (nil = io.EOF).
type file struct {
	rows []any // *logfile.Record or error
	end  error
	at   int
	next func(at int) // called before each row
}

func (f *file) Next() (*logfile.Record, error) {
	if f.next != nil {
		f.next(f.at)
	}
	if f.at == len(f.rows) {
		if f.end != nil {
			return nil, f.end
		}
		return nil, io.EOF
	}
	f.at++
	switch r := f.rows[f.at-1].(type) {
	case *logfile.Record:
		c := *r
		c.Row = f.at
		return &c, nil
	default:
		return nil, r.(error)
	}
}

func (f *file) Close() error { return nil }

func fileOf(rows ...any) *file { return &file{rows: rows} }

// desk is a World with the agent Asha, who has a line, and files to import.
type desk struct {
	*calltest.World
	t    *testing.T
	asha account.AgentNo
	line *device.Line
}

const ashasNumber = "+919812300001"

func eachDesk(t *testing.T, story func(t *testing.T, d *desk)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, b *db.DB) {
		w := calltest.New(t, b)
		d := &desk{World: w, t: t, asha: w.Agent(t, "Asha").Agent}
		d.line = d.addLine(d.asha, ashasNumber)
		story(t, d)
	}, calltest.Schemas()...)
}

func (d *desk) addLine(agent account.AgentNo, number string) *device.Line {
	d.t.Helper()
	l, err := d.Devices.AddLine(d.t.Context(), d.Org, device.NewLine{Agent: agent, Number: number})
	if err != nil {
		d.t.Fatal(err)
	}
	return l
}

func (d *desk) run(f *file, spec ingest.ImportSpec) *ingest.Import {
	d.t.Helper()
	m, err := d.Imports.RunRecords(d.t.Context(), d.Org, f, spec, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return m
}

// want compares new, known, excluded, refused and skipped.
func (d *desk) want(m *ingest.Import, counts ...int64) {
	d.t.Helper()
	got := []int64{m.New, m.Known, m.Excluded, m.Refused, m.Skipped}
	if !slices.Equal(got, counts) || m.Rows != m.New+m.Known+m.Changed+m.Excluded+m.Refused+m.Skipped {
		d.t.Fatalf("%d rows were counted as %v new, known, excluded, refused and skipped; want %v", m.Rows, got, counts)
	}
}

func (d *desk) rejected(m *ingest.Import) [][]string {
	d.t.Helper()
	var b bytes.Buffer
	if err := d.Imports.Rejected(d.t.Context(), d.Org, m.ID, &b); err != nil {
		d.t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		d.t.Fatal(err)
	}
	return rows[1:]
}

// heard is a call of n minutes before the World's noon, as a phone's file tells it.
func heard(n int) *logfile.Record {
	return &logfile.Record{Start: calltest.Start().Add(-time.Duration(n) * time.Minute), Seconds: 30 + n, Type: call.TypeIncoming,
		Direction: call.Incoming, Number: fmt.Sprintf("98999%05d", n)}
}

// between is a call as a telephone system's file tells it.
func between(n int, caller, callee string) *logfile.Record {
	return &logfile.Record{Start: calltest.Start().Add(-time.Duration(n) * time.Minute), Seconds: 30 + n, Caller: caller, Callee: callee, Source: call.SourcePBX}
}

func TestTheSameFileTwiceAddsNothing(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		rows := []any{heard(1), heard(2), heard(2), heard(3)}
		first := d.run(fileOf(rows...), ingest.ImportSpec{Name: "calls.xml", Agent: d.asha})
		d.want(first, 3, 1, 0, 0, 0)
		second := d.run(fileOf(rows...), ingest.ImportSpec{Name: "calls.xml", Agent: d.asha})
		d.want(second, 0, 4, 0, 0, 0)
		if got := d.Rows(t); len(got) != 3 || got[0].Line != d.line.No || got[0].Ref != -first.No {
			t.Errorf("the rows are %+v, want three of the first import on Asha's line", got)
		}
		if !first.From.Equal(heard(3).Start) || !first.To.Equal(heard(1).Start) || !second.From.IsZero() {
			t.Errorf("the imports span %s to %s and from %s, want their own calls alone", first.From, first.To, second.From)
		}
		all, err := d.Imports.List(t.Context(), d.Org, 10)
		if err != nil || len(all) != 2 || all[0].ID != second.ID || all[1].Name != "calls.xml" || all[1].State != ingest.ImportDone {
			t.Errorf("the imports are %+v (%v)", all, err)
		}
	})
}

func TestDistinctCallsOfOneFileStayDistinct(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		redial := func(after time.Duration) *logfile.Record {
			r := heard(10)
			r.Seconds, r.Start = 0, r.Start.Add(after)
			return r
		}
		m := d.run(fileOf(redial(0), redial(time.Second), redial(3*time.Second)), ingest.ImportSpec{Agent: d.asha})
		d.want(m, 3, 0, 0, 0, 0)
		shifted := func(r *logfile.Record) *logfile.Record { r.Start = r.Start.Add(400 * time.Millisecond); return r }
		rows := []any{shifted(redial(0)), shifted(redial(time.Second)), shifted(redial(3 * time.Second))}
		d.want(d.run(fileOf(rows...), ingest.ImportSpec{Agent: d.asha}), 0, 3, 0, 0, 0)
		fourth := redial(1900 * time.Millisecond) // near to calls that the three rows before it were found to be
		d.want(d.run(fileOf(append(rows, fourth)...), ingest.ImportSpec{Agent: d.asha}), 1, 3, 0, 0, 0)
	})
}

func TestAFileThatOverlapsLiveCallsMerges(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		live := func(r *logfile.Record, off time.Duration, ref int64) ingest.Item {
			return ingest.Item{Agent: d.asha, Line: d.line.No, Start: r.Start.Add(off), Number: "+91" + r.Number, Direction: r.Direction, Type: r.Type, Seconds: r.Seconds, Ref: ref}
		}
		midnight := heard(0) // of the organisation's zone
		midnight.Start = time.Date(2026, 4, 14, 18, 30, 0, 0, time.UTC)
		before := heard(5000)
		before.Start, before.Number = time.Date(2026, 4, 13, 18, 29, 59, 0, time.UTC), "9899977777"
		d.Put(t, live(heard(1), 1500*time.Millisecond, 11), live(heard(2), 2500*time.Millisecond, 12), live(midnight, -1200*time.Millisecond, 13), live(before, time.Second, 14))
		m := d.run(fileOf(heard(1), heard(2), midnight, before), ingest.ImportSpec{Agent: d.asha})
		d.want(m, 1, 3, 0, 0, 0) // more than two seconds are another call

		late := heard(7)
		late.Start = time.Date(2026, 4, 12, 18, 30, 0, 500e6, time.UTC)
		d.want(d.run(fileOf(late), ingest.ImportSpec{Agent: d.asha}), 1, 0, 0, 0, 0)
		a := d.Put(t, live(late, -time.Second, 15))[0] // its phone confirms it, on the day before
		if rows := d.Rows(t); a.State != ingest.Changed || len(rows) != 6 || rows[0].Ref != 15 {
			t.Errorf("the phone's call is %s and the rows are %+v, want it in the place of the file's", a.State, rows)
		}
	})
}

func TestCallerAndCalleeOfOurLines(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		ravi := d.Agent(t, "Ravi")
		l := d.addLine(ravi.Agent, "9812300002")
		if _, err := d.Devices.MoveLine(t.Context(), d.Org, l.ID, d.asha, d.Now().Add(-5*time.Minute)); err != nil {
			t.Fatal(err)
		}
		missed := between(9, "9899900001", "9812300002")
		missed.Unanswered, missed.Seconds = true, 22
		unanswered := between(8, "98123 00001", "9899900001")
		unanswered.Unanswered = true
		f := fileOf(between(1, "98123 00002", "9899900001"), between(7, "anonymous", ashasNumber), unanswered, missed,
			between(3, ashasNumber, "9812300002"), between(4, "9899900001", "9899900002"))
		m := d.run(f, ingest.ImportSpec{Ours: ingest.OursAgents})
		d.want(m, 4, 0, 0, 1, 1)
		rows := d.Rows(t) // Asha's three by time, then Ravi's
		slices.SortFunc(rows, func(a, b call.Row) int { return int(a.Start - b.Start) })
		type seen struct {
			agent   account.AgentNo
			dir     call.Direction
			typ     call.Type
			seconds int
			line    call.LineNo
		}
		var got []seen
		for _, r := range rows {
			got = append(got, seen{r.Agent, r.Direction, r.Type, r.Seconds, r.Line})
		}
		want := []seen{{ravi.Agent, call.Incoming, call.TypeMissed, 0, l.No}, {d.asha, call.Outgoing, call.TypeOutgoing, 0, d.line.No},
			{d.asha, call.Incoming, call.TypeIncoming, 37, d.line.No}, {d.asha, call.Outgoing, call.TypeOutgoing, 31, l.No}}
		if !slices.Equal(got, want) {
			t.Errorf("the calls are %+v, want %+v", got, want)
		}
		if rows[2].Number != number.Withheld || rows[2].Presentation != call.PresentationRestricted || rows[0].Source != call.SourcePBX {
			t.Errorf("the withheld call is %+v", rows[2])
		}
		rejects := d.rejected(m)
		if len(rejects) != 2 || rejects[0][0] != "6" && rejects[1][0] != "6" {
			t.Fatalf("the rejected rows are %v", rejects)
		}
		text := fmt.Sprint(rejects)
		if !strings.Contains(text, "Neither +919899900001 nor +919899900002 is a number of yours") || !strings.Contains(text, "colleagues") {
			t.Errorf("the rejected rows are %v", rejects)
		}
	})
}

func TestCallerAndCalleeWithAListOrAllOfOurs(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		rows := []any{between(1, "9899900001", "9899900002"), between(2, "9899900002", "9899900001"), between(3, "9899900001", ashasNumber), between(4, "", "9899900003")}
		list := ingest.ImportSpec{OurNumbers: []string{"98999 00001"}}
		d.want(d.run(fileOf(rows...), list), 0, 0, 0, 4, 0) // the number is no line, and no agent is named
		list.Agent = d.asha
		m := d.run(fileOf(rows...), list)
		d.want(m, 3, 0, 0, 1, 0)
		if _, err := d.Imports.Undo(t.Context(), d.Org, m.ID, ""); err != nil {
			t.Fatal(err)
		}
		all := ingest.ImportSpec{Ours: ingest.OursAll, DryRun: true}
		d.want(d.run(fileOf(rows...), all), 4, 0, 0, 0, 0)
		if agents, err := d.Accounts.Agents(t.Context(), d.Org.ID); err != nil || len(agents) != 1 {
			t.Errorf("after a dry run there are %d agents (%v), want Asha alone", len(agents), err)
		}
		all.DryRun = false
		d.want(d.run(fileOf(rows...), all), 4, 0, 0, 0, 0)
		agents, err := d.Accounts.Agents(t.Context(), d.Org.ID)
		if err != nil || len(agents) != 4 || agents[1].Name != "+919899900001" {
			t.Errorf("the agents are %+v (%v), want three more", agents, err)
		}
		d.want(d.run(fileOf(rows...), all), 0, 4, 0, 0, 0)
		_, err = d.Imports.RunRecords(t.Context(), d.Org, fileOf(), ingest.ImportSpec{Ours: ingest.OursList}, nil)
		wantKind(t, err, fault.Invalid, "List at least one")
		_, err = d.Imports.RunRecords(t.Context(), d.Org, fileOf(), ingest.ImportSpec{OurNumbers: []string{"x"}}, nil)
		wantKind(t, err, fault.Invalid, "no phone number")
	})
}

func TestColumnsNameAgentsAndLines(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		ravi := d.Agent(t, "Ravi")
		desk2, err := d.Devices.AddLine(t.Context(), d.Org, device.NewLine{Agent: ravi.Agent, Label: "Desk 2"})
		if err != nil {
			t.Fatal(err)
		}
		d.Agent(t, "Twin")
		d.Agent(t, "twin")
		by := func(n int, agent, line string) *logfile.Record {
			r := heard(n)
			r.Agent, r.Line = agent, line
			return r
		}
		m := d.run(fileOf(by(1, " asha ", ""), by(2, "", "98123 00001"), by(3, "", "desk 2"), by(4, ashasNumber, ""), by(5, string(ravi.ID), "Desk 2"),
			by(6, "Nobody", ""), by(7, "", "Desk 3"), by(8, "Twin", ""), by(9, "", "")), ingest.ImportSpec{})
		d.want(m, 5, 0, 0, 4, 0)
		var lines []call.LineNo
		for _, r := range d.Rows(t) {
			lines = append(lines, r.Line)
		}
		if want := []call.LineNo{d.line.No, d.line.No, d.line.No, desk2.No, desk2.No}; !slices.Equal(lines, want) {
			t.Errorf("the calls are on lines %v, want %v", lines, want)
		}
		for i, says := range []string{"no agent of this name", "no line with this", "Several agents", "does not say whose"} {
			if r := d.rejected(m)[i]; !strings.Contains(r[2], says) {
				t.Errorf("row %s is refused because %q, want %q", r[0], r[2], says)
			}
		}
	})
}

func TestRejectedRowsAreAFile(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		old := heard(1)
		old.Start = time.Unix(0, 0)
		long := heard(2)
		long.Note = strings.Repeat("n", 10_001)
		m := d.run(fileOf(&logfile.RowError{Row: 1, Column: "Start", Value: "=cmd()", Sentence: "This is no time."}, old, long, heard(3)), ingest.ImportSpec{Agent: d.asha})
		d.want(m, 1, 0, 0, 3, 0)
		got := d.rejected(m)
		if len(got) != 3 || !slices.Equal(got[0], []string{"1", "Start", "This is no time.", "'=cmd()", ""}) {
			t.Fatalf("the rejected rows are %q", got)
		}
		if !strings.Contains(fmt.Sprint(got[1:]), "before the year 2000") || !strings.Contains(fmt.Sprint(got[1:]), "10001 characters") {
			t.Errorf("the rejected rows are %q", got)
		}
		bad := make([]any, 10_100)
		for i := range bad {
			bad[i] = &logfile.RowError{Row: i + 1, Sentence: "This is no call."}
		}
		m = d.run(fileOf(bad...), ingest.ImportSpec{Agent: d.asha})
		d.want(m, 0, 0, 0, 10_100, 0)
		if got := d.rejected(m); len(got) != 10_001 || !strings.HasPrefix(got[10_000][2], "100 more rows") {
			t.Errorf("%d rows are listed, the last is %q", len(got), got[len(got)-1])
		}
		other := d.NewOrg(t, "Another")
		wantKind(t, d.Imports.Rejected(t.Context(), other, m.ID, io.Discard), fault.NotFound, "no import")
		_, err := d.Imports.Undo(t.Context(), other, m.ID, "")
		wantKind(t, err, fault.NotFound, "no import")
	})
}

func TestADryRunAnswersAsTheRealOne(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		if err := d.Writer.Exclude(t.Context(), d.Org, number.Exclusion{Number: "+919899900009", Strength: number.NeverStored, AddedAt: d.Now()}); err != nil {
			t.Fatal(err)
		}
		d.run(fileOf(heard(1), heard(2)), ingest.ImportSpec{Agent: d.asha})
		var rows []any
		for n := range 2500 { // two batches, and repeats of the first one in the second
			rows = append(rows, heard(n))
		}
		rows = append(rows, heard(7), heard(8), heard(3000), &logfile.RowError{Row: 9, Sentence: "This is no call."})
		spec := ingest.ImportSpec{Agent: d.asha, DryRun: true}
		dry := d.run(fileOf(rows...), spec)
		if n := len(d.Rows(t)); n != 2 {
			t.Fatalf("a dry run left %d calls, want the 2 there were", n)
		}
		if _, ok, err := d.Book.Find(t.Context(), d.DB, d.Org.ID, "+919899903000"); ok || err != nil {
			t.Errorf("a dry run put a number in the book (%v)", err)
		}
		spec.DryRun = false
		real := d.run(fileOf(rows...), spec)
		d.want(real, 2498, 4, 1, 1, 0)
		d.want(dry, 2498, 4, 1, 1, 0)
		if dry.State != ingest.ImportDry || !dry.From.Equal(real.From) || !dry.To.Equal(real.To) {
			t.Errorf("the dry run is %+v, the real one %+v", dry, real)
		}
		_, err := d.Imports.Undo(t.Context(), d.Org, dry.ID, "")
		wantKind(t, err, fault.Conflict, "dry run")
	})
}

func TestUndoRemovesWhatAnImportAdded(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		d.run(fileOf(heard(1)), ingest.ImportSpec{Agent: d.asha})
		m := d.run(fileOf(heard(1), heard(2), heard(3), heard(3000)), ingest.ImportSpec{Agent: d.asha})
		d.Put(t, ingest.Item{Agent: d.asha, Line: d.line.No, Start: heard(2).Start.Add(time.Second), Number: "+919899900002", Direction: call.Incoming, Type: call.TypeIncoming, Seconds: 32, Ref: 5})
		n, err := d.Imports.Undo(t.Context(), d.Org, m.ID, "mem_x")
		if err != nil || n != 2 {
			t.Fatalf("%d calls were removed (%v), want 2", n, err)
		}
		if rows := d.Rows(t); len(rows) != 2 || rows[0].Ref != 5 || rows[1].Ref != -1 {
			t.Errorf("the rows are %+v, want the first import's and the confirmed one", rows)
		}
		after, err := d.Imports.One(t.Context(), d.Org, m.ID)
		if err != nil || after.State != ingest.ImportUndone || !strings.Contains(after.Sentence, "2 calls") {
			t.Errorf("the import is %+v (%v)", after, err)
		}
		_, err = d.Imports.Undo(t.Context(), d.Org, m.ID, "mem_x")
		wantKind(t, err, fault.Conflict, "already")
	})
}

func TestAMappingIsRememberedByItsHeaders(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		m := &logfile.Mapping{Columns: map[logfile.Field]string{logfile.FieldNumber: "Call No"}, DateOrder: logfile.DayFirst}
		spec := ingest.ImportSpec{Agent: d.asha, Mapping: m, Zone: "Asia/Dubai", DryRun: true}
		d.run(fileOf(heard(1)), spec)
		if _, ok, err := d.Imports.Remembered(t.Context(), d.Org, []string{"Call No"}); ok || err != nil {
			t.Errorf("a dry run is remembered (%v)", err)
		}
		spec.DryRun = false
		d.run(fileOf(heard(1)), spec)
		got, ok, err := d.Imports.Remembered(t.Context(), d.Org, []string{" call  no"})
		if err != nil || !ok || got.Mapping.Columns[logfile.FieldNumber] != "Call No" || got.Mapping.DateOrder != logfile.DayFirst || got.Zone != "Asia/Dubai" || got.Agent != d.asha {
			t.Errorf("remembered is %+v, %t (%v)", got, ok, err)
		}
		for _, other := range []struct {
			org     *account.Org
			columns []string
		}{{d.Org, []string{"Call No", "Start"}}, {d.NewOrg(t, "Another"), []string{"Call No"}}} {
			if _, ok, err := d.Imports.Remembered(t.Context(), other.org, other.columns); ok || err != nil {
				t.Errorf("%s remembers %v (%v)", other.org.Name, other.columns, err)
			}
		}
	})
}

func TestAFileThatBreaksOffIsTakenBack(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		d.run(fileOf(heard(1)), ingest.ImportSpec{Agent: d.asha})
		var rows []any
		for n := range 2100 {
			rows = append(rows, heard(n))
		}
		f := fileOf(rows...)
		f.end = fault.New(fault.Invalid, "The file ends in the middle of row 2101.")
		m, err := d.Imports.RunRecords(t.Context(), d.Org, f, ingest.ImportSpec{Agent: d.asha}, nil)
		wantKind(t, err, fault.Invalid, "row 2101")
		stored, oneErr := d.Imports.One(t.Context(), d.Org, m.ID)
		if oneErr != nil || stored.State != ingest.ImportFailed || stored.New != 0 || !strings.HasSuffix(stored.Sentence, "Nothing of the file was kept.") {
			t.Errorf("the import is %+v (%v)", stored, oneErr)
		}
		if rows := d.Rows(t); len(rows) != 1 {
			t.Errorf("%d calls are left, want the one from before", len(rows))
		}
	})
}

func TestAStoppedImportKeepsWhatItCommitted(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		ctx, stop := context.WithCancel(t.Context())
		var rows []any
		for n := range 6000 {
			rows = append(rows, heard(n))
		}
		var told []ingest.Import
		f := fileOf(rows...)
		m, err := d.Imports.RunRecords(ctx, d.Org, f, ingest.ImportSpec{Agent: d.asha}, func(m ingest.Import) {
			told = append(told, m)
			if m.Rows >= 2000 && m.Rows < 6000 {
				stop()
			}
		})
		stop()
		if m == nil || (err == nil) != (m.State == ingest.ImportDone) {
			t.Fatalf("the import is %+v with %v", m, err)
		}
		if err != nil && (!errors.Is(err, context.Canceled) || !strings.Contains(m.Sentence, "stopped")) {
			t.Errorf("the error is %v and the sentence %q", err, m.Sentence)
		}
		if n := int64(len(d.Rows(t))); n != m.New || n == 0 {
			t.Errorf("%d calls are kept and %d counted", n, m.New)
		}
		if told[0].ID != m.ID || told[0].Rows != 0 || told[len(told)-1].State != m.State {
			t.Errorf("progress told %+v", told)
		}
		d.want(d.run(fileOf(rows...), ingest.ImportSpec{Agent: d.asha}), 6000-m.New, m.New, 0, 0, 0)
	})
}

func TestAnInterruptedImportIsMarked(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		m := d.run(fileOf(heard(1)), ingest.ImportSpec{Agent: d.asha})
		if _, err := d.DB.Exec(t.Context(), `UPDATE imports SET state = 'running' WHERE org_id = $1`, d.Org.ID); err != nil {
			t.Fatal(err)
		}
		_, err := d.Imports.Undo(t.Context(), d.Org, m.ID, "")
		wantKind(t, err, fault.Conflict, "still running")
		if err := d.Imports.Interrupted(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := d.Imports.One(t.Context(), d.Org, m.ID)
		if err != nil || got.State != ingest.ImportFailed || !strings.HasPrefix(got.Sentence, "The server stopped during this import") {
			t.Errorf("the import is %+v (%v)", got, err)
		}
	})
}

func TestImportsOfOneOrganisationWaitForEachOther(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		inside, goOn := make(chan struct{}), make(chan struct{})
		slow := fileOf(heard(1))
		slow.next = func(at int) {
			if at == 0 {
				close(inside)
				<-goOn
			}
		}
		done := make(chan error, 1)
		go func() {
			_, err := d.Imports.RunRecords(t.Context(), d.Org, slow, ingest.ImportSpec{Agent: d.asha}, nil)
			done <- err
		}()
		<-inside
		ctx, stop := context.WithCancel(t.Context())
		stop()
		_, err := d.Imports.RunRecords(ctx, d.Org, fileOf(heard(2)), ingest.ImportSpec{Agent: d.asha}, nil)
		wantKind(t, err, fault.Unavailable, "still running")
		close(goOn)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		d.want(d.run(fileOf(heard(1)), ingest.ImportSpec{Agent: d.asha}), 0, 1, 0, 0, 0)
	})
}

func TestDeletingAnOrganisationRemovesItsImports(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		d.run(fileOf(heard(1), &logfile.RowError{Row: 2, Sentence: "This is no call."}), ingest.ImportSpec{Agent: d.asha})
		if err := d.DB.Tx(t.Context(), func(tx *db.Tx) error { return ingest.Delete(t.Context(), tx, d.Org.ID) }); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"imports", "import_rejects", "import_counters", "import_mappings", "rebuilds", "unsettled_numbers"} {
			var n int
			if err := d.DB.Row(t.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s has %d rows left (%v)", table, n, err)
			}
		}
	})
}
