package policy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/trust/policy"
)

func version(d *policy.Document) *policy.Version {
	at := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	return &policy.Version{Number: 1, Hash: policy.Hash(d.Source()), Published: at, Effective: at, Document: d}
}

// example is the short sound document, with a recipient.
func example(t *testing.T) *policy.Document {
	t.Helper()
	text, err := os.ReadFile("example/sound.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheTextsAreAsTheyShouldBe(t *testing.T) {
	full, short := sound(t), example(t)
	pages := map[string]*policy.Page{
		"register.en": full.Register("en", version(full)), "annex.en": short.Annex("en", version(short), "Customer Ltd"), "recipients.hi": short.Subprocessors("hi", version(short)),
	}
	for _, lang := range policy.Languages() {
		pages["page."+lang] = full.PublicPage(lang, policy.PageFacts{
			Version: version(full), Request: "/privacy/asha-traders/ask", Preferences: "/privacy/asha-traders/choose",
			All: []policy.VersionLink{{Number: 1, Effective: version(full).Effective, Hash: version(full).Hash, Href: "/privacy/asha-traders/v/1"}},
		})
		pages["sound."+lang] = short.PublicPage(lang, policy.PageFacts{Version: version(short), Proof: &policy.PageProof{
			At: version(short).Effective, Broken: 1, Href: "/privacy/asha-traders/proof", Promises: []policy.ProvedPromise{
				{ID: "P65", Title: "Keys rotate without rewriting content", Broken: true}, {ID: "P64", Title: "The log shows every change made to it", Since: version(short).Effective}},
		}})
	}
	for name, p := range pages {
		golden(t, filepath.Join("testdata", name+".md"), strings.TrimRight(p.Text(), "\n"))
		if left := regexp.MustCompile(`\{[a-z]+\}|(^|[ :])(page|keep|data|right|event|col|days|change|act|basis|store)\.[a-z_.]+`).FindString(p.Text()); left != "" {
			t.Errorf("%s: %q is no text for people", name, left)
		}
	}
}

// What the page says and what the program does are read from the same values.
func TestTheSumOnThePageIsTheOneThatIsReckoned(t *testing.T) {
	d := sound(t)
	if got := d.Longest("call.meta"); got != 365+90+30 {
		t.Errorf("calls can be found for %d days", got)
	}
	text := d.PublicPage("en", policy.PageFacts{Version: version(d)}).Text()
	for name, c := range d.Categories {
		if said := strings.Contains(text, "### "+c.Title["en"]+"\n"); said != (c.Default != policy.Off) {
			t.Errorf("%s (%s) stands on the page: %v", name, c.Default, said)
		}
	}
	for _, want := range []string{"Together that is 485 days at most", "Full network addresses are masked after 7 days", "within 15 days", "within 7 business days", "DPDP Rules 2025, r. 8(3)",
		"Two keyed hashes", "Data Protection Board of India", "Asha Verma, grievance@asha.example", policy.Hash(d.Source())} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestEveryPhraseIsThereInEveryLanguage(t *testing.T) {
	read := func(lang string) map[string]string {
		text, err := os.ReadFile("phrase/" + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var out map[string]string
		if err := json.Unmarshal(text, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	holes := regexp.MustCompile(`\{[a-z]+\}`)
	first := read("en")
	for _, lang := range policy.Languages()[1:] {
		other := read(lang)
		if len(other) != len(first) {
			t.Errorf("%d phrases in %s, %d in en", len(other), lang, len(first))
		}
		for key, text := range first {
			a, b := holes.FindAllString(text, -1), holes.FindAllString(other[key], -1)
			slices.Sort(a)
			slices.Sort(b)
			if !slices.Equal(a, b) {
				t.Errorf("%s: %q in en, %q in %s", key, text, other[key], lang)
			}
		}
	}
}

func TestExportsUseKnownKeysOnly(t *testing.T) {
	known := map[string]bool{}
	for _, list := range []string{"fideslang_categories", "fideslang_uses", "dpv"} {
		text, err := os.ReadFile("vocabulary/" + list + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			known[strings.TrimSpace(line)] = true
		}
	}
	d := example(t)
	full := sound(t)
	for _, one := range []*policy.Document{d, full} {
		text, err := one.Fideslang()
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			System []struct {
				Declarations []struct {
					Categories []string `json:"data_categories"`
					Use        string   `json:"data_use"`
				} `json:"privacy_declarations"`
			} `json:"system"`
		}
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		for _, x := range m.System[0].Declarations {
			for _, key := range append(x.Categories, x.Use) {
				if !known[key] {
					t.Errorf("%q is no key of fideslang", key)
				}
			}
		}
		if n := len(m.System[0].Declarations); one == full && n < 50 {
			t.Errorf("only %d declarations", n)
		}
		text, err = one.DPV()
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(text) || !strings.Contains(string(text), "CC BY 4.0") {
			t.Error("the export is no JSON, or names no source")
		}
		for _, key := range regexp.MustCompile(`"pd:[A-Za-z]+"`).FindAllString(string(text), -1) {
			if !known[strings.Trim(key, `"`)] {
				t.Errorf("%s is no term", key)
			}
		}
	}
}

func TestWhatChangedIsToldInWords(t *testing.T) {
	was := sound(t)
	is, err := policy.Parse(edited(t, "max: 365d\n      archive: 90d\n      ceiling: 60mo", "max: 400d\n      archive: 30d"))
	if err != nil {
		t.Fatal(err)
	}
	changes := policy.Diff(was, is)
	var said []string
	for _, c := range changes {
		said = append(said, policy.Say(c, was, is, "en"))
	}
	want := []string{
		"Calls: the longest time of all, 60 months, is gone.", "Calls: kept longer, 400 days instead of 365 days.",
		"Calls: in the archive for a shorter time, 30 days instead of 90 days.",
	}
	if !slices.Equal(said, want) || !changes[0].Material || !changes[1].Material || changes[2].Material {
		t.Errorf("said %q of %+v", said, changes)
	}
	for _, lang := range policy.Languages() {
		for _, c := range allChanges(t) {
			if text := policy.Say(c.Change, c.was, c.is, lang); strings.Contains(text, "change.") || strings.ContainsAny(text, "{}") {
				t.Errorf("%s in %s: %q", c.Kind, lang, text)
			}
		}
	}
}

type told struct {
	policy.Change
	was, is *policy.Document
}

// allChanges turns the shipped document into the short example and back: nearly every kind of change there is.
func allChanges(t *testing.T) []told {
	t.Helper()
	a, b := sound(t), example(t)
	var out []told
	kinds := map[string]bool{}
	for _, pair := range [][2]*policy.Document{{a, b}, {b, a}} {
		for _, c := range policy.Diff(pair[0], pair[1]) {
			out = append(out, told{c, pair[0], pair[1]})
			kinds[c.Kind] = true
		}
	}
	if len(kinds) < 18 {
		t.Errorf("only %d kinds of change", len(kinds))
	}
	return out
}

// Whatever lets more be done with people's data is material; the way back is not.
func TestWhatIsMaterial(t *testing.T) {
	for name, c := range map[string]struct {
		old, with string
		material  bool
		back      bool
	}{
		"a title":              {`en: "Calls", hi`, `en: "Calls made", hi`, false, false},
		"a longer period":      {"max: 1d}", "max: 2d}", true, false},
		"months for days":      {"retention: {from: received, max: 7d}", "retention: {from: received, max: 1mo}", true, false},
		"a longer archive":     {"archive: 90d", "archive: 91d", true, false},
		"a use":                {"purposes: [security, rights, legal]", "purposes: [security, rights, legal, marketing]", true, false},
		"a right less":         {"[access, export, correct, erase, restrict, complain]", "[access, export, correct, erase, complain]", true, false},
		"a switch":             {`default: "ask"`, `default: "on"`, true, false},
		"an event":             {"from: last_activity", "from: created", true, true},
		"a basis":              {"basis: contract", "basis: consent\n    consent_point: form", true, true},
		"an answer":            {"answer: 15d", "answer: 20d", true, false},
		"notice of an erasure": {"erase_notice: 2d", "erase_notice: 5d", false, true},
		"a cookie":             {"lifetime: 90d", "lifetime: 91d", true, false},
		"a region":             {`allowed: ["IN"]`, `allowed: ["IN", "US"]`, true, false},
		"less protection":      {"{class: subject, cipher: aes-256-gcm, key: subject}", "{class: clear}", true, false},
		"a field":              {"      battery: {title", "      heat: {title: {en: Heat, hi: ताप}, required: false}\n      battery: {title", true, false},
		"an officer":           {"name: \"Asha Verma\"", "name: \"Meera Joshi\"", false, false},
		"the controller":       {"  name: \"Asha Traders\"", "  name: \"Other Traders\"", true, true},
		"shared after all":     {"    never_share: true\n", "", true, false},
		"a clause":             {"devices:", "clauses:\n  - {title: {en: More, hi: और}, text: {en: Text, hi: पाठ}}\ndevices:", true, true},
		"weaker notice":        {"material_change_days: 30", "material_change_days: 10", true, false},
	} {
		was := sound(t)
		is, err := policy.Parse(edited(t, c.old, c.with))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		there, back := policy.Diff(was, is), policy.Diff(is, was)
		if len(there) == 0 || policy.Material(there) != c.material || policy.Material(back) != c.back {
			t.Errorf("%s: material %v (%+v), and on the way back %v", name, policy.Material(there), there, policy.Material(back))
		}
	}
	if same := policy.Diff(sound(t), sound(t)); len(same) > 0 {
		t.Errorf("a document differs from itself: %+v", same)
	}
}
