package policy

import (
	"iter"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// trap is a passage that policies contain and must not.
type trap struct {
	rule, promise string
	form          *regexp.Regexp
	reason, mend  string
}

var masked = regexp.MustCompile(`(?i)\bx{3,}\b|\d[\s-]?x{3,}|x{3,}[\s-]?\d|\*{2,}|[•●]{2,}`)

var traps = []trap{
	{
		"placeholder", "P151",
		regexp.MustCompile(`(?i)\[[^\]]*\b(insert|your|company|name|date|time|timeframe|period|address|e-?mail|phone|number|fill|tbd|link)\b[^\]]*\]|\b(TODO|TBD|TBC|FIXME)\b|lorem ipsum|<[a-z][a-z _-]*>|\{\{|\$\{|_{3,}|\?{3,}|\byour company\b`),
		"%s still holds a placeholder: %q.", "Write what is meant.",
	},
	{"masked", "P152", masked, "%s is masked: %q. Nobody can reach that.", "Write it out."},
	{"weak_hash", "P53", regexp.MustCompile(`(?i)\bmd-?5\b|\bsha-?1\b`), "%s names %q, which protects nothing.", "Passwords are kept by argon2id; write that."},
	{
		"no_notice", "P144",
		regexp.MustCompile(`(?i)without\s+(any\s+)?(prior\s+|advance\s+|further\s+|giving\s+)?(notice|notification|notifying)|बिना\s+(किसी\s+)?(पूर्व\s+)?सूचना`),
		"%s reserves changes without notice: %q.", "Take it out: notice is always given.",
	},
	{
		"use_as_acceptance", "P143", regexp.MustCompile(`(?i)\bcontinu(ed|ing|e)\s+(to\s+)?(us(e|ing|age)|access)\b|उपयोग\s+जारी\s+रख`),
		"%s takes further use for acceptance: %q.", "Take it out: a material change needs an act.",
	},
	{
		"consent_without_act", "P153",
		regexp.MustCompile(`(?i)\b(by|through|mere)\s+(the\s+)?(using|use\s+of|visiting|accessing|browsing|entering|installing|downloading)\b[^.;]{0,120}\b(consent|agree|accept)`),
		"%s takes the mere use for consent: %q.", "Say where people give consent, by an act.",
	},
	{
		"tracking_from_installation", "P154",
		regexp.MustCompile(`(?i)\b(as\s+soon\s+as|once|the\s+moment|immediately\s+(after|upon|on))\b[^.;]{0,80}\binstall(ed|ation|s|ing)?\b`),
		"%s begins to collect with the installation: %q.", "Nothing is collected before the employee pairs the phone and sees what is switched on; say that.",
	},
	{"sale", "P122", regexp.MustCompile(`(?i)\bwe\s+(may|can|will|do)\s+(also\s+)?sell\b`), "%s announces a sale of data: %q.", "Take it out."},
	{
		"vague_period", "P76", regexp.MustCompile(`(?i)\bas\s+long\s+as\s+(it\s+)?(is\s+)?(necessary|needed|required|we\s+(need|deem|see\s+fit))\b|\bindefinitely\b`),
		"%s keeps data without an end: %q.", "Periods stand with the categories; take it out here.",
	},
}

// texts looks for traps in everything that is written in words.
func (l *linter) texts() {
	for path, s := range l.d.strings() {
		for _, t := range traps {
			if hit := t.form.FindString(s); hit != "" {
				l.add(path, t.rule, t.promise, sentence(t.reason, path, hit), t.mend)
			}
		}
	}
}

// strings walks over every word and passage of the document, with its path.
func (d *Document) strings() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) { walk(reflect.ValueOf(d).Elem(), "", yield) }
}

func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return key
}

// walk visits the strings of a value; it tells whether to go on.
func walk(v reflect.Value, path string, yield func(string, string) bool) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return v.IsNil() || walk(v.Elem(), path, yield)
	case reflect.String:
		return v.Len() == 0 || yield(path, v.String())
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("yaml") != "" && !walk(v.Field(i), join(path, keyOf(f)), yield) {
				return false
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if !walk(v.MapIndex(k), join(path, k.String()), yield) {
				return false
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if !walk(v.Index(i), join(path, strconv.Itoa(i)), yield) {
				return false
			}
		}
	}
	return true
}

// passages walks over everything that is written in each language.
func (d *Document) passages() iter.Seq2[string, Text] {
	return func(yield func(string, Text) bool) {
		each(reflect.ValueOf(d).Elem(), "", func(path string, v reflect.Value) bool {
			t, ok := v.Interface().(Text)
			return !ok || len(t) == 0 || yield(path, t)
		})
	}
}

// each visits every value down to the maps of texts.
func each(v reflect.Value, path string, yield func(string, reflect.Value) bool) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return v.IsNil() || each(v.Elem(), path, yield)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("yaml") != "" && !each(v.Field(i), join(path, keyOf(f)), yield) {
				return false
			}
		}
	case reflect.Map:
		if v.Type() == reflect.TypeFor[Text]() {
			return yield(path, v)
		}
		for _, k := range v.MapKeys() {
			if !each(v.MapIndex(k), join(path, k.String()), yield) {
				return false
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if !each(v.Index(i), join(path, strconv.Itoa(i)), yield) {
				return false
			}
		}
	}
	return true
}

// does is what this program does of security: a page that says something else would be untrue.
var does = map[string][]string{
	"tls_min": {"1.2", "1.3"}, "password": {"argon2id"}, "at_rest": {"aes-256-xts", "aes-256"}, "fields": {"aes-256-gcm"},
	"recordings": {"aes-256-gcm-stream"}, "backups": {"aes-256-gcm-stream"},
}

func (l *linter) security() {
	s := l.d.Security
	for _, v := range []struct{ key, value, promise string }{
		{"tls_min", s.TLSMin, "P41"}, {"password", s.Password, "P53"}, {"at_rest", s.AtRest, "P42"}, {"fields", s.Fields, "P42"},
		{"recordings", s.Recordings, "P42"}, {"backups", s.Backups, "P54"},
	} {
		path := "security." + v.key
		if slices.Contains(does[v.key], v.value) || weakHash(v.value) {
			continue
		}
		l.add(path, "not_what_is_done", v.promise, sentence("%s says %q, and that is not what the program does.", path, v.value), sentence("Write one of %s.", quoted(does[v.key])))
	}
}

func weakHash(s string) bool {
	return slices.ContainsFunc(traps, func(t trap) bool { return t.rule == "weak_hash" && t.form.MatchString(s) })
}

// maxResidue is how long backups can be opened at most: their keys are destroyed then.
const maxResidue = 30

func (l *linter) deadlines() {
	d := l.d.Deadlines
	for _, p := range []struct {
		key, promise string
		period       Period
		most         int // days
	}{
		{"backup_residue", "P77", d.BackupResidue, maxResidue}, {"erase_account", "P79", d.EraseAccount, 30}, {"erase_live", "P80", d.EraseLive, 30},
		{"answer", "P97", d.Answer, 45}, {"grievance", "P99", d.Grievance, 90}, {"mask_web_log", "P17", d.MaskWebLog, 90}, {"erase_minor", "P85", d.EraseMinor, 0},
		{"review_archive", "P75", d.ReviewArchive, 90},
	} {
		if p.period.Most() > p.most {
			l.add("deadlines."+p.key, "deadline", p.promise, sentence("deadlines.%s is %s; it may be %d days at most.", p.key, p.period, p.most), "Shorten it.")
		}
	}
	if d.EraseNotice.least() < 2 {
		l.add("deadlines.erase_notice", "deadline", "P72", sentence("People are told %s before retention erases; that must be 2 days or more.", d.EraseNotice), "Write 2d or more.")
	}
}

func (l *linter) devices() {
	d := l.d.Devices
	if d.Start != "pairing" {
		l.add("devices.start", "tracking_from_installation", "P154", sentence("Phones would be read from %q on.", d.Start), "Write start: pairing.")
	}
	if d.ShowTo != "employee" {
		l.add("devices.shown_to", "device_hidden", "P154", sentence("What is collected is shown to %q, and not to whoever carries the phone.", d.ShowTo), "Write shown_to: employee.")
	}
}

// Cookies names the cookies that pages set, essential ones only.
func Cookies() []string { return []string{"parley_session", "parley_flash", "parley_locale"} }

func (l *linter) cookies() {
	for _, name := range Cookies() {
		if c := l.d.Cookies[name]; c == nil {
			l.add("cookies", "cookie_missing", "P117", sentence("The program sets the cookie %q, and the register does not name it.", name), "Add it under cookies.")
		} else if !c.Essential {
			l.add("cookies."+name, "cookie_missing", "P117", sentence("The cookie %q is needed to sign in or to read a page.", name), "Write essential: true.")
		}
	}
}

func (l *linter) regions() {
	r := l.d.Regions
	for _, v := range []struct{ path, place string }{{"regions.storage", r.Storage}, {"regions.backup", r.Backup}} {
		if !IsPlace(v.place) || !slices.Contains(r.Allowed, v.place) {
			l.add(v.path, "region", "P137", sentence("%s is %q, which is not among the regions that are allowed.", v.path, v.place), "Add it to regions.allowed, or move the data.")
		}
	}
}

func (l *linter) rights() {
	for key, c := range l.d.Categories {
		if !slices.Contains(c.Rights, Access) {
			l.add("categories."+key+".rights", "right_missing", "P89", sentence("People cannot ask what %q says about them.", key), "Add access to its rights.")
		}
		for _, p := range l.d.Live(key) {
			if l.d.Purposes[p].Basis == Consent && !slices.Contains(c.Rights, Withdraw) {
				l.add("categories."+key+".rights", "right_missing", "P94", sentence("%q is used by consent for %q, and consent cannot be withdrawn.", key, p), "Add withdraw to its rights.")
			}
		}
	}
	if !slices.Contains(l.d.Rights.Channels, "page") {
		l.add("rights.channels", "right_missing", "P102", "People without an account have no page to ask on.", "Add page to rights.channels.")
	}
	if len(l.d.Rights.Identity) == 0 {
		l.add("rights.identity", "right_missing", "P95", "Nothing says how it is checked who asks.", "Write for example [session, code, review].")
	}
}

func (l *linter) vocabulary() {
	for key, p := range l.d.Purposes {
		l.known("purposes."+key+".fides", p.Fides, fidesUses())
		l.known("purposes."+key+".dpv", p.DPV, dpvTerms())
	}
	for key, c := range l.d.Categories {
		for _, f := range c.Fides {
			l.known("categories."+key+".fides", f, fidesCategories())
		}
		for _, f := range c.DPV {
			l.known("categories."+key+".dpv", f, dpvTerms())
		}
	}
}

func (l *linter) known(path, key string, list []string) {
	if key != "" && !slices.Contains(list, key) {
		l.add(path, "vocabulary", "P26", sentence("%q is no word of that vocabulary.", key), "Take it from the list of the vocabulary, or leave it out.")
	}
}
