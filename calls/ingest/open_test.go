package ingest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/calls/logfile"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

func (d *desk) open(text string, spec ingest.ImportSpec) (*ingest.Import, error) {
	return d.Imports.Run(d.t.Context(), d.Org, strings.NewReader(text), int64(len(text)), spec, nil)
}

const backup = `<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>
<calls count="3" backup_set="a" backup_date="1776236400000">
  <call number="098999 00001" duration="65" date="1776220000000" type="1" presentation="1" contact_name="Meera" />
  <call number="-1" duration="0" date="1776221000000" type="3" presentation="2" contact_name="(Unknown)" />
  <call number="+919899900002" duration="0" date="1776222000000" type="2" presentation="1" contact_name="null" />
</calls>`

func TestAPhonesBackupIsImported(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		m, err := d.open(backup, ingest.ImportSpec{Name: "calls-20260415.xml", Agent: d.asha})
		if err != nil {
			t.Fatal(err)
		}
		d.want(m, 3, 0, 0, 0, 0)
		if m.Format != string(logfile.SMSBackup) || m.Bytes != int64(len(backup)) || m.BytesDone != m.Bytes {
			t.Errorf("the import is %+v", m)
		}
		page, err := d.Calls.History(t.Context(), d.Org, call.HistoryQuery{From: 20000, To: 21000, Limit: 10})
		if err != nil || len(page.Calls) != 3 {
			t.Fatalf("the calls are %+v (%v)", page, err)
		}
		if c := page.Calls[2]; c.Number != "+919899900001" || c.Name != "Meera" || c.Outcome != call.OutcomeConnected {
			t.Errorf("the first call is %+v", c)
		}
		if c := page.Calls[1]; c.Number != "" || c.Presentation != call.PresentationRestricted || c.Name != "" {
			t.Errorf("the withheld call is %+v", c)
		}
		broken, err := d.open(backup[:len(backup)-60], ingest.ImportSpec{Name: "calls.xml", Agent: d.asha})
		if err == nil || broken.State != ingest.ImportFailed || len(d.Rows(t)) != 3 {
			t.Errorf("a backup that breaks off is %+v (%v)", broken, err)
		}
		_, err = d.open("%PDF-1.7 \x00\x01\x02\x03\x04\x05", ingest.ImportSpec{Name: "a.pdf", Agent: d.asha})
		wantKind(t, err, fault.Unsupported, "a PDF")
		_, err = d.open(backup, ingest.ImportSpec{Agent: d.asha, Zone: "Mars/Olympus"})
		wantKind(t, err, fault.Invalid, "not a time zone")
		_, err = d.open(backup, ingest.ImportSpec{Agent: 99})
		wantKind(t, err, fault.NotFound, "no agent number 99")
	})
}

func TestATableIsReadAsItWasTheLastTime(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		const cdr = "Call No,Rec No,Start,Dur (s)\n9812300001,9899900001,03/04/2026 10:00:00,61\n9899900002,9812300001,04/04/2026 11:00:00,0\n"
		columns, err := logfile.ParseMapping("caller=Call No,callee=Rec No,start=Start,duration=Dur (s)")
		if err != nil {
			t.Fatal(err)
		}
		m, err := d.open(cdr, ingest.ImportSpec{Name: "cdr.csv", Mapping: &logfile.Mapping{Columns: columns, DateOrder: logfile.DayFirst}, Zone: "Asia/Kolkata", Ours: ingest.OursAgents})
		if err != nil {
			t.Fatal(err)
		}
		d.want(m, 2, 0, 0, 0, 0)
		rows := d.Rows(t)
		if got := rows[0].At().In(d.Org.Location()).Format("2006-01-02 15:04:05"); got != "2026-04-03 10:00:00" || rows[0].Direction != call.Outgoing {
			t.Errorf("the first call is %+v at %s", rows[0], got)
		}
		again, err := d.open(strings.ReplaceAll(cdr, "03/04", "05/04"), ingest.ImportSpec{Name: "cdr.csv"})
		if err != nil {
			t.Fatal(err)
		}
		d.want(again, 1, 1, 0, 0, 0)
		days := []string{}
		for _, r := range d.Rows(t) {
			days = append(days, r.Day.String())
		}
		if want := []string{"2026-04-03", "2026-04-04", "2026-04-05"}; !slices.Equal(days, want) {
			t.Errorf("the calls are of %v, want %v", days, want)
		}
	})
}

// BenchmarkImport is a CSV of 100,000 calls from the file on: reading, parsing of numbers, merging, storing.
func BenchmarkImport(b *testing.B) {
	w := calltest.New(b, dbtest.SQLite(b, calltest.Schemas()...))
	for n := range 50 {
		w.Agent(b, fmt.Sprint("Agent ", n))
	}
	agents, err := w.Accounts.Agents(b.Context(), w.Org.ID)
	if err != nil {
		b.Fatal(err)
	}
	const rows = 100_000
	s := newStream()
	calls := 0
	for b.Loop() {
		b.StopTimer()
		var text strings.Builder
		text.WriteString("number,start,duration,type,agent\n")
		for _, it := range s.batch(rows) {
			fmt.Fprintf(&text, "%s,%s,%d,outgoing,%s\n", it.Number, it.Start.In(w.Org.Location()).Format("2006-01-02 15:04:05"), it.Seconds, agents[it.Agent-1].ID)
		}
		b.StartTimer()
		m, err := w.Imports.Run(b.Context(), w.Org, strings.NewReader(text.String()), int64(text.Len()), ingest.ImportSpec{Name: "calls.csv"}, nil)
		if err != nil || m.New+m.Known != rows {
			b.Fatalf("%+v: %v", m, err)
		}
		calls += rows
	}
	b.ReportMetric(float64(calls)/b.Elapsed().Seconds(), "calls/s")
}
