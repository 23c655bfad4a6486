package logfile_test

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"parley/calls/logfile"
	"parley/platform/fault"
)

func TestAMappingIsReadFromTheCommandLine(t *testing.T) {
	got, err := logfile.ParseMapping("caller=Call No,callee=Rec No, start=Start,duration=Dur (s), total,note=\"A, b\"")
	must(t, err)
	want := map[logfile.Field]string{"caller": "Call No", "callee": "Rec No", "start": "Start", "duration": "Dur (s), total", "note": "A, b"}
	if !maps.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
	for flag, word := range map[string]string{"": "names no field", "Call No": "names no field", "phone=Call No": "no field of a call", "number=": "has no column", "number=a,number=b": "twice"} {
		if _, err := logfile.ParseMapping(flag); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), word) {
			t.Errorf("%q gave %v", flag, err)
		}
	}
}

func TestTablesByMapping(t *testing.T) {
	cols := func(flag string) map[logfile.Field]string {
		m, err := logfile.ParseMapping(flag)
		must(t, err)
		return m
	}
	for _, c := range []struct {
		name, data string
		m          logfile.Mapping
		want       string
	}{
		{"the issue's line", "Call No,Rec No,Start,Dur (s)\n101,+919812300111,03/04/2026 10:11:12,80\n",
			logfile.Mapping{Columns: cols("caller=Call No,callee=Rec No,start=Start,duration=Dur (s)"), DateOrder: logfile.DayFirst},
			"2 2026-04-03T04:41:12.000Z 80s unknown unknown pbx caller=101 callee=+919812300111"},
		{"no header", "+919812300111|out|1775015400|5\n", logfile.Mapping{Columns: cols("number=1,direction=2,start=3,duration=4"), NoHeader: true},
			"1 2026-04-01T03:50:00.000Z 5s outgoing outgoing phone number=+919812300111"},
		{"end and duration", "who,ended,talked,way\n+919812300111,2026-03-02 10:11:12,0:12,in\n", logfile.Mapping{Columns: cols("number=who,end=ended,duration=talked,direction=way")},
			"2 2026-03-02T04:41:00.000Z 12s incoming incoming phone number=+919812300111"},
		{"titles above, other case", "Report\n\nWHO,When,Kind\n+919812300111,2026-03-02 10:11:12,missed\n", logfile.Mapping{Columns: cols("number=who,start=when,type=kind")},
			"4 2026-03-02T04:41:12.000Z 0s missed incoming phone number=+919812300111"},
		{"ringing is no talk", "Number,Direction,Status,Start time,Duration\n+919812300111,Outbound,No Answer,2026-03-02 10:11:12,32\n+919812300111,Inbound,Busy,2026-03-02 10:12:12,32\n", logfile.Mapping{},
			"2 2026-03-02T04:41:12.000Z 0s outgoing outgoing phone number=+919812300111\n3 2026-03-02T04:42:12.000Z 0s missed incoming phone number=+919812300111"},
		{"caller, callee and direction", "callid,startTime,duration,caller,callee,direction\nx1,2026-03-02 10:11:12,80,+919812300111,+919812300001,inbound\nx2,2026-03-02 10:12:12,80,+919812300001,+919812300111,outbound\n", logfile.Mapping{},
			"2 2026-03-02T04:41:12.000Z 80s incoming incoming pbx number=+919812300111 line=+919812300001 key=x1\n3 2026-03-02T04:42:12.000Z 80s outgoing outgoing pbx number=+919812300111 line=+919812300001 key=x2"},
		{"type unknown on purpose", "n,s\n+919812300111,2026-03-02 10:11:12\n", logfile.Mapping{Columns: cols("number=n,start=s")},
			"2 2026-03-02T04:41:12.000Z 0s unknown unknown phone number=+919812300111"},
		{"order given, columns guessed", "Number,Type,Start time\n+919812300111,Incoming,03/04/2026 10:11\n", logfile.Mapping{DateOrder: logfile.MonthFirst},
			"2 2026-03-04T04:41:00.000Z 0s incoming incoming phone number=+919812300111"},
		{"Android codes", "number,type,date,duration\n+919812300111,3,1775015400000,0\n+919812300111,42,1775015400000,0\n", logfile.Mapping{},
			"2 2026-04-01T03:50:00.000Z 0s missed incoming phone number=+919812300111\n3 2026-04-01T03:50:00.000Z 0s unknown unknown phone number=+919812300111"},
		{"missed outgoing", "Number,Type,Start time\n+919812300111,Missed Outgoing,2026-03-02 10:11:12\n", logfile.Mapping{},
			"2 2026-03-02T04:41:12.000Z 0s outgoing outgoing phone number=+919812300111"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := india(t)
			o.Mapping = &c.m
			r, err := openBytes(t, "x.csv", []byte(c.data), o)
			must(t, err)
			lines, err := readAll(t, r)
			must(t, err)
			if got := strings.Join(lines, "\n"); got != c.want {
				t.Errorf("read\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestAColumnThatIsNotThereIsNamedWithThoseThatAre(t *testing.T) {
	o := india(t)
	o.Mapping = &logfile.Mapping{Columns: map[logfile.Field]string{"number": "Mobile", "start": "Start"}}
	_, err := openBytes(t, "x.csv", []byte("Phone,Start\n1,2\n"), o)
	if got := fault.Sentence(err); !strings.Contains(got, `"Mobile"`) || !strings.Contains(got, "Phone, Start") {
		t.Errorf("got %q", got)
	}
	if f := fault.Fields(err); len(f) != 1 || f[0].Field != "columns" {
		t.Errorf("fields %v", f)
	}
}

func TestAGuessSaysWhatIsMissing(t *testing.T) {
	data := "Mobile No,Start\n+919812300111,03/04/2026 10:11\n"
	g, err := logfile.Detect(strings.NewReader(data), int64(len(data)), "x.csv")
	must(t, err)
	if len(g.Missing) != 2 || g.Missing[0] != logfile.FieldType || g.Missing[1] != logfile.FieldDateOrder {
		t.Errorf("missing %v, want type and date_order", g.Missing)
	}
	if len(g.Sample) != 1 || len(g.Columns) != 2 {
		t.Errorf("sample %v of columns %v", g.Sample, g.Columns)
	}
}

func TestTheOrderOfDatesIsFoundFarDown(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(head)
	for range 3000 {
		b.WriteString("+919812300111,Incoming,03/04/2026 10:11,5\n")
	}
	b.WriteString("+919812300111,Incoming,03/14/2026 10:11,5\n")
	g, err := logfile.Detect(bytes.NewReader(b.Bytes()), int64(b.Len()), "x.csv")
	must(t, err)
	if g.Mapping.DateOrder != logfile.MonthFirst || len(g.Missing) > 0 {
		t.Errorf("order %q, missing %v", g.Mapping.DateOrder, g.Missing)
	}
}
