package law

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"parley/platform/civil"
	"parley/platform/fault"
)

// checked is the day the tables were last looked at; later a law of India begins.
func checked() civil.Day { return civil.Date(2026, 11, 22) }

func load(t *testing.T) *Tables {
	t.Helper()
	tables, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

func place(t *testing.T, text string) Place {
	t.Helper()
	p, err := ParsePlace(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	out, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryRowSaysWhereItComesFrom(t *testing.T) {
	tables := load(t)
	byTopic := map[Topic]int{}
	for _, r := range tables.Rows() {
		byTopic[r.Topic]++
		if r.CheckedOn != checked() {
			t.Errorf("%s was checked on %s", r, r.CheckedOn)
		}
		if (r.Source == "") != (r.Confidence == Unverified) {
			t.Errorf("%s: source and confidence do not fit", r)
		}
		if !strings.Contains(r.String(), "No legal advice.") || !strings.Contains(r.String(), "2026-11-22") {
			t.Errorf("a row is shown as %q", r)
		}
		for _, s := range tables.Sources(r) {
			if s == "" {
				t.Errorf("%s has a source that nobody explains", r)
			}
		}
	}
	// 52 rows of the United States, 11 other countries, 7 without a source in Europe, Canada, Australia, the Philippines, all others.
	for topic, want := range map[Topic]int{recordingTopic: 52 + 10 + 7 + 4, hoursTopic: 24 + 9, requestTopic: 10, breachTopic: 9, floorTopic: 4, noticeTopic: 1} {
		if byTopic[topic] != want {
			t.Errorf("%d rows about %s, want %d", byTopic[topic], topic, want)
		}
	}
}

func TestRowsThatBreakTheRulesAreRefused(t *testing.T) {
	const good = "IN\trecording\tone\tsome condition\tKnown\tsecondary\t2026-11-22\tsecondary\t"
	broken := func(name, old, by string) struct{ name, row string } {
		row := strings.Replace(good, old, by, 1)
		if row == good {
			t.Fatalf("%s changes nothing", name)
		}
		return struct{ name, row string }{name, row}
	}
	for _, c := range []struct{ name, row string }{
		broken("it has no source", "Known\tsecondary", "\t"),
		broken("not in sources.tsv", "Known", "Unknown"),
		broken("on which day it was checked", "2026-11-22", ""),
		broken("is not a day", "2026-11-22", "22.11.2026"),
		broken("is no confidence", "2026-11-22\tsecondary", "2026-11-22\tsure"),
		broken("is no kind of source", "Known\tsecondary", "Known\tblog"),
		broken("only one value is reported", "2026-11-22\tsecondary", "2026-11-22\tconflict"),
		broken("its confidence is conflict", "one\t", "one | all\t"),
		broken("is no rule for recordings", "one\t", "some\t"),
		broken("needs a jurisdiction", "IN\t", "\t"),
		broken("it has 8 columns", "IN\t", ""),
		broken("is no time of a day", "recording\tone", "hours\tdaily 09:00-09:00"),
		broken("on every day of the week", "recording\tone", "hours\tweekdays 09:00-10:00"),
		broken("nothing is known", "recording\tone", "hours\t?"),
		broken("nothing is known", "recording\tone", "breach\t?"),
		broken("is no clock", "recording\tone", "request\treply 1mo"),
		broken("is no time", "recording\tone", "request\tanswer 1y"),
		broken("is no duty to tell", "recording\tone", "breach\tpeople now"),
		broken("is no floor", "recording\tone", "floor\t365d"),
	} {
		_, err := read(withRow(c.row))
		if err == nil || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%q: got %v, want %q", c.row, err, c.name)
		}
	}
	if _, err := read(withRow(good)); err != nil {
		t.Errorf("a good row was refused: %v", err)
	}
	if _, err := read(withRow("IN\trecording\tone\t\t\t\t2026-11-22\tunverified\t")); err != nil {
		t.Errorf("an unverified row was refused: %v", err)
	}
}

func withRow(row string) fs.FS {
	return fstest.MapFS{
		"sources.tsv": {Data: []byte("Known\ta source\n")}, "groups.tsv": {Data: []byte("EU\tDE\n")}, "zones.tsv": {},
		"some.tsv": {Data: []byte("# about\n" + header + "\n" + row + "\n")},
	}
}

func TestPlacesAreReadStrictly(t *testing.T) {
	for _, good := range []string{"", "IN", "US-CA", "AU-NSW"} {
		if p, err := ParsePlace(good); err != nil || p.String() != good {
			t.Errorf("%q became %q, %v", good, p, err)
		}
	}
	for _, bad := range []string{"in", "IND", "US-", "US-ca", "-CA", "US-CALI", "US-CA-1", "Ü"} {
		if p, err := ParsePlace(bad); err == nil {
			t.Errorf("%q was taken as %q", bad, p)
		}
	}
}

// TestWhatAnUnknownPlaceGets holds the strictest values to section "What strictest means" of the law tables.
func TestWhatAnUnknownPlaceGets(t *testing.T) {
	tables := load(t)
	for _, p := range []Place{{}, place(t, "ZZ"), place(t, "US-NY")} {
		c := tables.RequestClocks(checked(), p)
		if c.Answer != (Span{15, Days}) || c.Extension.Set() || c.Confirm != (Span{10, BusinessDays}) || c.Complaint != (Span{30, Days}) ||
			c.Grievance != (Span{90, Days}) || c.OptOut != (Span{15, BusinessDays}) || c.Pause || !c.Guessed {
			t.Errorf("%q: clocks of requests are %+v", p, c)
		}
		b := tables.BreachClocks(checked(), p)
		if len(b) != 2 || b[0].Whom != People || b[0].Within.String() != "without delay" || b[1].Whom != Authority || b[1].Within != (Span{6, Hours}) || !b[1].Guessed {
			t.Errorf("%q: clocks of a breach are %+v", p, b)
		}
		if f := tables.RetentionFloors(p, "call.meta"); len(f) > 0 {
			t.Errorf("%q has a floor: %+v", p, f)
		}
	}
	for _, p := range []Place{{}, place(t, "ZZ"), place(t, "US")} {
		if r := tables.Recording(checked(), p); r.Consent != All || !r.Notice || !r.Guessed {
			t.Errorf("%q: recordings need %+v", p, r)
		}
	}
}

func TestRelaxingARuleNeedsAReasonAndACitation(t *testing.T) {
	tables := load(t)
	good := Relaxation{Place: place(t, "RO"), Topic: "recording", Value: "one+notice", Reason: "counsel's letter", Citation: "Art. 302", On: checked()}
	relaxed, err := tables.Relaxed(good)
	if err != nil {
		t.Fatal(err)
	}
	if r := relaxed.Recording(checked(), good.Place); r.Consent != One || !r.Notice || r.Guessed || len(r.Rows) != 1 || r.Rows[0].Confidence != Relaxed {
		t.Errorf("after relaxing: %+v", r)
	}
	if r := tables.Recording(checked(), good.Place); r.Consent != All {
		t.Error("the tables themselves were changed")
	}
	if r := relaxed.Recording(checked(), place(t, "ZZ")); r.Consent != All {
		t.Error("another place was relaxed, too")
	}
	for field, change := range map[string]func(*Relaxation){
		"place": func(x *Relaxation) { x.Place = Place{} }, "reason": func(x *Relaxation) { x.Reason = "" },
		"citation": func(x *Relaxation) { x.Citation = "" }, "on": func(x *Relaxation) { x.On = 0 },
		"topic": func(x *Relaxation) { x.Topic = "floor" }, "value": func(x *Relaxation) { x.Value = "none" },
	} {
		bad := good
		change(&bad)
		if _, err := tables.Relaxed(bad); err == nil || len(fault.Fields(err)) != 1 || fault.Fields(err)[0].Field != field {
			t.Errorf("without a right %s: %v", field, err)
		}
	}
}

func TestFacts(t *testing.T) {
	tables := load(t)
	if f := tables.Facts(place(t, "IN"), "preference.bands"); len(f) != 2 || f[1].Confidence != Unverified {
		t.Errorf("got %v", f)
	}
	if f := tables.Facts(place(t, "US-TX"), "optout.internal"); len(f) != 1 || f[0].Value != "10bd" {
		t.Errorf("got %v", f)
	}
	if f := tables.Facts(Place{}, ""); len(f) > 0 {
		t.Errorf("an unknown place has facts: %v", f)
	}
}

// TestWhatHasNoSourceDoesNotCount makes tables in which a row without a source reports a mild value.
func TestWhatHasNoSourceDoesNotCount(t *testing.T) {
	tables, err := read(withRow("IN\trecording\tall+notice\t\tKnown\tsecondary\t2026-11-22\tsecondary\t\n" +
		"DE\trecording\tone\t\t\t\t2026-11-22\tunverified\t\n" +
		"IN\thours\tdaily 10:00-12:00; cap 2/24h\t\tKnown\tsecondary\t2026-11-22\tsecondary\t\n" +
		"DE\thours\tdaily 00:00-24:00\t\t\t\t2026-11-22\tunverified\t\n" +
		"IN\trequest\tanswer 7d\t\tKnown\tsecondary\t2026-11-22\tsecondary\t\n" +
		"DE\trequest\tanswer 1d; extend 9mo\t\t\t\t2026-11-22\tunverified\t\n" +
		"DE\tfloor\t365d *\t\t\t\t2026-11-22\tunverified\t"))
	if err != nil {
		t.Fatal(err)
	}
	de := place(t, "DE")
	if r := tables.Recording(checked(), de); r.text() != "all+notice" || !r.Guessed {
		t.Errorf("recordings need %+v", r)
	}
	if h := tables.Hours(de, moment(t, "2026-03-11T12:00:00Z"), Promotion); h.Allowed || !h.Guessed || len(h.Caps) != 1 || h.Caps[0].Calls != 2 {
		t.Errorf("hours are %+v", h)
	}
	if c := tables.RequestClocks(checked(), de); c.Answer != (Span{7, Days}) || c.Extension.Set() || !c.Guessed {
		t.Errorf("clocks are %+v", c)
	}
	if f := tables.RetentionFloors(de, "call.meta"); len(f) > 0 {
		t.Errorf("floors are %+v", f)
	}
}
