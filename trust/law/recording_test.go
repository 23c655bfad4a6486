package law

import (
	"strings"
	"testing"
)

// truth is the rule of every place: what the engine must do.
func truth() map[string]string {
	out := map[string]string{
		"IN": "all+notice", "GB": "one+notice", "DE": "all", "FR": "all+notice", "DK": "all", "IT": "one+notice", "NL": "one+notice",
		"SE": "one+notice", "FI": "one+notice", "NO": "one+notice", "AT": "all+notice", "BE": "all+notice", "ES": "all+notice",
		"PT": "all+notice", "PL": "all+notice", "IE": "all+notice", "CA": "one+notice", "AU": "all+notice", "PH": "all",
		// No row: other countries of the European Union, Iceland, anywhere else, a state that does not exist, nowhere.
		"RO": "all+notice", "HU": "all+notice", "IS": "all+notice", "CH": "all+notice", "BR": "all+notice", "US": "all+notice", "US-ZZ": "all+notice", "": "all+notice",
	}
	for s := range strings.FieldsSeq("CA CT DE FL IL MD MA MI MT NV NH PA WA VT") { // the 13, and Vermont, which nobody is sure of
		out["US-"+s] = "all"
	}
	for s := range strings.FieldsSeq("AL AK AZ AR CO DC GA HI ID IN IA KS KY LA ME MN MS MO NE NJ NM NY NC ND OH OK OR RI SC SD TN TX UT VA WV WI WY") {
		out["US-"+s] = "one"
	}
	return out
}

func (r Rule) text() string {
	if r.Notice {
		return string(r.Consent) + "+notice"
	}
	return string(r.Consent)
}

func TestRecordingInEveryPlace(t *testing.T) {
	tables := load(t)
	want := truth()
	if len(want) != 51+27 {
		t.Fatalf("the test knows %d places", len(want))
	}
	for text, want := range want {
		if got := tables.Recording(checked(), place(t, text)); got.text() != want {
			t.Errorf("%q: recordings need %s, want %s", text, got.text(), want)
		}
	}
	for _, r := range tables.Rows() {
		if _, ok := want[r.Jurisdiction]; r.Topic == recordingTopic && !ok && r.Jurisdiction != "EU" && r.Jurisdiction != "*" {
			t.Errorf("the test does not know %s", r.Jurisdiction)
		}
	}
}

func TestBetweenTwoPlacesTheStricterRuleApplies(t *testing.T) {
	tables, all := load(t), truth()
	for a, ruleA := range all {
		for b, ruleB := range all {
			want := "one"
			if strings.HasPrefix(ruleA, "all") || strings.HasPrefix(ruleB, "all") {
				want = "all"
			}
			if strings.HasSuffix(ruleA, "+notice") || strings.HasSuffix(ruleB, "+notice") {
				want += "+notice"
			}
			if got := tables.Recording(checked(), place(t, a), place(t, b)); got.text() != want {
				t.Errorf("between %q and %q recordings need %s, want %s", a, b, got.text(), want)
			}
		}
	}
	if got := tables.Recording(checked()); got.text() != "all+notice" || !got.Guessed {
		t.Errorf("between nobody knows whom recordings need %+v", got)
	}
	if got := tables.Recording(checked(), place(t, "US-TX"), place(t, "US-CA"), place(t, "US-NY")); got.text() != "all" || len(got.Rows) != 6 {
		t.Errorf("between three: %+v", got)
	}
}
