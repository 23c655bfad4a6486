package policy_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"parley/trust/policy"
)

// edited is the sound document with one passage replaced.
func edited(t *testing.T, old, with string) []byte {
	t.Helper()
	text := policy.DefaultText(facts())
	if !strings.Contains(text, old) {
		t.Fatalf("the document does not contain %q", old)
	}
	return []byte(strings.Replace(text, old, with, 1))
}

func TestWhatCannotBeReadIsRefusedWithItsLine(t *testing.T) {
	version := "version: 1\n"
	for name, c := range map[string]struct {
		text     string
		rule     string
		line     int
		sentence string
	}{
		"empty":            {"", "syntax", 1, "empty"},
		"a list":           {"[1]", "syntax", 1, "no mapping"},
		"not text":         {"\xff\xfe", "syntax", 1, "UTF-8"},
		"not YAML":         {"version: 1\nlaws: [", "syntax", 2, "not YAML"},
		"tabs":             {"version: 1\nage:\n\tminimum: 18", "syntax", 3, "not YAML"},
		"two documents":    {version + "---\nversion: 2\n", "documents", 2, "second document"},
		"an anchor":        {"version: &v 1\n", "alias", 1, "&v"},
		"an alias":         {"version: 1\nlaws: &l [\"IN\"]\nlanguages: *l\n", "alias", 3, "*l"},
		"a tag":            {"version: !!int 1\n", "tag", 1, "!!int"},
		"an unknown key":   {version + "langauges: [en]\n", "unknown_key", 2, `mean "languages"`},
		"a key twice":      {version + version, "duplicate_key", 2, "first on line 1"},
		"a word for digit": {"version: one\n", "kind", 1, "whole number"},
		"country Norway":   {version + "laws: [NO]\n", "unquoted", 2, `Write "NO"`},
		"off":              {version + "categories:\n  a:\n    default: off\n", "unquoted", 4, `Write "off"`},
		"a key no":         {version + "purposes:\n  no: {}\n", "unquoted", 3, `Write "no"`},
		"a phone":          {version + "controller:\n  phone: +911234\n", "unquoted", 3, `Write "+911234"`},
		"no value":         {version + "laws:\n  -\n", "empty", 3, "no value"},
		"an unknown word":  {version + "purposes:\n  a: {basis: hope}\n", "unknown_word", 3, "legal_obligation"},
		"a year":           {version + "deadlines: {answer: 1y}\n", "period", 2, "60mo"},
		"a wild date":      {version + "recipients:\n  a: {contract: 31.12.2026}\n", "date", 3, "2026-12-31"},
		"too deep":         {version + "laws: " + strings.Repeat("[", 30) + strings.Repeat("]", 30) + "\n", "depth", 2, "20 deep"},
		"too many":         {version + "laws: [" + strings.Repeat("\"IN\", ", 600) + "]\n", "size", 2, "500 entries"},
		"too large":        {version + "# " + strings.Repeat("x", 300<<10), "size", 1, "256"},
		"quotes for true":  {version + "cookies:\n  a: {essential: yes}\n", "kind", 3, "true or false"},
		"half":             {version, "missing_key", 1, "languages"},
		"a strange key":    {version + "purposes:\n  \"../x\": {}\n", "key", 3, "cannot be a key"},
	} {
		_, err := policy.Parse([]byte(c.text))
		found, ok := errors.AsType[policy.Findings](err)
		if !ok {
			t.Errorf("%s: read without findings: %v", name, err)
			continue
		}
		hit := false
		for _, f := range found {
			hit = hit || f.Rule == c.rule && f.Line == c.line && strings.Contains(f.String(), c.sentence)
		}
		if !hit {
			t.Errorf("%s: no %s on line %d that says %q among:\n%v", name, c.rule, c.line, c.sentence, found)
		}
	}
}

func TestABombIsRefusedBeforeItGoesOff(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 1\na0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 30; i++ {
		n := string(rune('a' + i))
		b.WriteString(n + ": &" + n + " [*a0, *a0, *a0, *a0, *a0, *a0, *a0, *a0, *a0]\n")
	}
	began := time.Now()
	if found := policy.Check([]byte(b.String())); len(found) == 0 || time.Since(began) > time.Second {
		t.Errorf("%d findings after %s", len(found), time.Since(began))
	}
}

func TestEveryRuleFindsWhatItIsFor(t *testing.T) {
	for rule, c := range map[string]struct{ old, with string }{
		"contact_missing":           {`contact: "privacy@asha.example"`, `contact: ""`},
		"contact_invalid":           {`contact: "privacy@asha.example"`, `contact: "privacy at asha"`},
		"contact_invalid, cut":      {`contact: "privacy@asha.example"`, `contact: "privacy@…"`},
		"placeholder":               {`address: "12 Ring Road, Pune"`, `address: "[your address]"`},
		"language_unknown":          {"languages: [en, hi]", "languages: [en, hi, fr]"},
		"translation_missing":       {`en: "Reports about the organisation's own calls", hi: "संगठन की अपनी कॉल की रिपोर्ट"`, `en: Reports`},
		"language_missing":          {"languages: [en, hi]", "languages: []"},
		"age":                       {"minimum: 18", "minimum: 13"},
		"law_missing":               {`laws: ["IN"]`, `laws: ["India"]`},
		"purpose_missing":           {"purposes: [call_ops, rights]\n    default: \"ask\"", "purposes: []\n    default: \"ask\""},
		"device_hidden":             {"shown_to: employee", "shown_to: nobody"},
		"not_what_is_done":          {"at_rest: aes-256-xts", "at_rest: rot13"},
		"deadline":                  {"erase_account: 30d", "erase_account: 60d"},
		"ceiling":                   {"ceiling: 60mo", "ceiling: 61mo"},
		"cookie_missing":            {"  parley_flash:", "  somebody_else:"},
		"region":                    {`backup: "IN"`, `backup: "US"`},
		"right_missing":             {"channels: [page, email", "channels: [email"},
		"vocabulary":                {"fides: analytics.reporting", "fides: analytics.gossip"},
		"recipient_category":        {"    never_share: true\n    fides: [user.telemetry]", "    recipients: [nobody]"},
		"no_notice":                 {"material_change_days: 30", "material_change_days: 6"},
		"subject_missing":           {"    subjects: [contact]\n", "    subjects: []\n"},
		"ceiling_below_floor":       {"max: 180d", "max: 179d"},
		"marketing_without_consent": {"cookies:", "recipients:\n  x: {legal_name: X, kind: marketing, country: \"IN\", contract: 2026-01-01, policy_url: https://x.example/, purposes: [call_ops], categories: [], fields: [], hosts: [x.example]}\ncookies:"},
	} {
		hit := false
		found := policy.Check(edited(t, c.old, c.with))
		for _, f := range found {
			hit = hit || f.Rule == strings.TrimSuffix(rule, ", cut")
		}
		if !hit {
			t.Errorf("%q was not found after %q; found:\n%v", rule, c.with, found)
		}
	}
}

func TestPeriods(t *testing.T) {
	at := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC) // a Sunday
	republic := func(d time.Time) bool { return d.Month() == time.February && d.Day() == 2 }
	for text, want := range map[string]string{"0d": "2027-01-31", "30d": "2027-03-02", "1mo": "2027-02-28", "13mo": "2028-02-29", "7bd": "2027-02-10", "1bd": "2027-02-01"} {
		p, err := policy.ParsePeriod(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.After(at, republic).Format(time.DateOnly); got != want || p.String() != text {
			t.Errorf("%s after Sunday, 31 January 2027 is %s, want %s", p, got, want)
		}
	}
	for _, bad := range []string{"", "d", "-1d", "1.5d", "1y", "99999d", "365", "٣d", "1d "} {
		if p, err := policy.ParsePeriod(bad); err == nil {
			t.Errorf("%q was read as %s", bad, p)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte(policy.DefaultText(facts())))
	for _, s := range []string{"a: &a [*a]", "version: 1\n<<: {a: 1}", "? [a]\n: b", "{", "\xef\xbb\xbfversion: 1", "a: !!binary x", "%YAML 1.1\n---\na: no"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, x := range policy.Check(text) {
			if x.Line < 1 || x.Reason == "" || x.Mend == "" {
				t.Errorf("half a finding: %+v", x)
			}
		}
	})
}
