package policy

import (
	_ "embed" // for authorities
	"slices"
	"strconv"
	"strings"
)

func (w *writer) gets() {
	w.section("recipients", 2, w.t("gets.title"))
	if len(w.d.Recipients) == 0 {
		w.say(w.t("gets.none", "controller", w.d.Controller.Name))
	} else {
		w.say(w.t("gets.lead"))
		w.add(Block{Table: w.register()})
	}
	if w.f.MailServer != "" {
		w.say(w.t("gets.mail", "host", w.f.MailServer))
	}
	w.say(w.t("short.sale"))
	w.say(w.t("gets.authority"))
	w.say(w.t("gets.merger", "controller", w.d.Controller.Name))
}

// register is the table of recipients.
func (s *speaker) register() *Table {
	t := &Table{Columns: []string{s.t("col.recipient"), s.t("col.kind"), s.t("col.country"), s.t("col.for"), s.t("col.what"), s.t("col.safeguard"), s.t("col.policy")}}
	for _, key := range ordered(s.d, "recipients", s.d.Recipients) {
		r := s.d.Recipients[key]
		var purposes, fields []string
		for _, p := range r.Purposes {
			purposes = append(purposes, s.purpose(p))
		}
		for _, f := range r.Fields {
			category, field, _ := strings.Cut(f, "/")
			fields = append(fields, s.category(category)+": "+s.field(s, category, field))
		}
		safeguard := r.Contract.String()
		if r.Mechanism != "" {
			safeguard += ", " + s.t("mechanism."+r.Mechanism)
		}
		t.Rows = append(t.Rows, []string{r.LegalName, s.t("kind." + string(r.Kind)), s.place(r.Country), s.list(purposes), strings.Join(fields, "; "), safeguard, r.PolicyURL})
	}
	return t
}

func (w *writer) lies() {
	r := w.d.Regions
	w.section("place", 2, w.t("place.title"))
	w.say(w.t("place.storage", "storage", w.place(r.Storage), "backup", w.place(r.Backup), "allowed", w.places(r.Allowed)))
}

func (w *writer) rights() {
	d := w.d.Deadlines
	w.section("rights", 2, w.t("rights.title"))
	all := map[Right]bool{}
	for _, key := range w.d.kept(On, Ask) {
		for _, r := range w.d.Categories[key].Rights {
			all[r] = true
		}
	}
	var granted []string
	for _, r := range (Right("")).words() {
		if all[Right(r)] {
			granted = append(granted, w.t("right."+r))
		}
	}
	w.add(Block{Terms: []Term{{w.t("data.rights"), granted}}})
	w.add(Block{Terms: []Term{{w.t("rights.how"), nil}}, List: w.channels()})
	var checks []string
	for _, i := range w.d.Rights.Identity {
		checks = append(checks, w.t("identity."+i))
	}
	w.say(w.t("rights.identity", "how", strings.Join(checks, "; ")))
	w.items(w.t("rights.answer", "answer", w.period(d.Answer)),
		w.t("rights.erase", "live", w.period(d.EraseLive), "backup", w.period(d.BackupResidue)),
		w.t("rights.account", "undo", w.period(d.Undo), "account", w.period(d.EraseAccount)),
		w.t("rights.minor", "age", strconv.Itoa(w.d.Age.Minimum)), w.t("rights.withdraw"))
	if w.f.Preferences != "" {
		w.add(Block{Line: &Line{w.t("rights.preferences"), w.f.Preferences}})
	}
}

func (w *writer) channels() []Line {
	c := w.d.Controller
	var out []Line
	for _, channel := range w.d.Rights.Channels {
		key, href := "channel."+channel, ""
		switch {
		case channel == "page" && w.f.Request != "":
			href = w.f.Request
		case channel == "page":
			key += ".plain"
		case channel == "phone" && c.Phone != "":
			key += ".number"
		}
		out = append(out, Line{w.t(key, "contact", c.Contact, "phone", c.Phone), href})
	}
	return out
}

//go:embed authorities.tsv
var authorities string

// authority gives whom people of a place can complain to.
func authority(place string) (name, href string, ok bool) {
	for line := range strings.Lines(authorities) {
		if parts := strings.Split(strings.TrimSpace(line), "\t"); len(parts) == 3 && parts[0] == place {
			return parts[1], parts[2], true
		}
	}
	return "", "", false
}

func (w *writer) complain() {
	w.section("complaints", 3, w.t("complaints.title"))
	w.say(w.t("rights.complain", "grievance", w.period(w.d.Deadlines.Grievance)))
	var lines []Line
	for _, place := range w.d.Laws {
		name, href, ok := authority(place)
		if !ok {
			name = w.t("rights.authority.other", "place", w.place(place))
		}
		lines = append(lines, Line{w.place(place) + ": " + name, href})
	}
	w.add(Block{List: lines})
}

func (w *writer) phones() {
	w.section("phones", 2, w.t("phones.title"))
	lines := []string{w.t("phones.start"), w.t("phones.personal")}
	if c := w.d.Categories["device"]; c != nil {
		var fields []string
		for _, f := range ordered(w.d, "categories.device.fields", c.Fields) {
			fields = append(fields, w.in(c.Fields[f].Title))
		}
		lines = append(lines, w.t("phones.on", "list", w.list(fields)))
	}
	for _, s := range []Switch{Ask, Off} {
		if keys := slices.DeleteFunc(w.d.kept(s), func(k string) bool { return !isDevice(k) }); len(keys) > 0 {
			lines = append(lines, w.t("phones."+string(s), "list", w.titles(keys)))
		}
	}
	w.items(append(lines, w.t("phones.equal"))...)
}

func (w *writer) cookies() {
	w.section("cookies", 2, w.t("cookies.title"))
	w.say(w.t("cookies.lead"))
	t := &Table{Columns: []string{w.t("col.cookie"), w.t("col.for"), w.t("col.lifetime"), w.t("col.kind")}}
	for _, name := range ordered(w.d, "cookies", w.d.Cookies) {
		c := w.d.Cookies[name]
		lasts, kind := w.period(c.Lifetime), w.t("cookies.optional")
		if c.Lifetime.N == 0 {
			lasts = w.t("cookies.session")
		}
		if c.Essential {
			kind = w.t("cookies.essential")
		}
		t.Rows = append(t.Rows, []string{name, w.in(c.Title), lasts, kind})
	}
	w.add(Block{Table: t})
}

// measures are the sentences about security, from the values of the document.
func (s *speaker) measures() []string {
	return []string{s.t("security.tls", "tls", s.d.Security.TLSMin), s.t("security.rest"), s.t("security.password"), s.t("security.roles"), s.t("security.breach")}
}

func (w *writer) security() {
	w.section("security", 2, w.t("security.title"))
	w.items(w.measures()...)
}

func (w *writer) young() {
	w.section("age", 2, w.t("age.title"))
	age := strconv.Itoa(w.d.Age.Minimum)
	w.say(w.t("age.text", "age", age) + " " + w.t("rights.minor", "age", age))
}

func (w *writer) stays() {
	w.section("stays", 2, w.t("stays.title"))
	w.items(w.t("stays.hashes"), w.t("stays.log"))
	w.section("people", 2, w.t("trust.title"))
	w.say(w.t("trust.lead"))
	w.items(w.t("trust.flash"), w.t("trust.root"), w.t("trust.recipients"), w.t("trust.carriers"), w.t("trust.basis"))
}

func (w *writer) clauses() {
	for i, c := range w.d.Clauses {
		if i == 0 {
			w.section("clauses", 2, w.t("clauses.title"))
		}
		w.section("clause-"+strconv.Itoa(i+1), 3, w.in(c.Title))
		w.say(w.in(c.Text))
	}
}

// proof says of each promise that the last run tried when it was found kept, and plainly which are broken.
func (w *writer) proof() {
	p := w.f.Proof
	if p == nil {
		return
	}
	w.section("proof", 2, w.t("proof.title"))
	if p.At.IsZero() {
		w.say(w.t("proof.none"))
		return
	}
	lead := w.t("proof.kept", "date", w.date(p.At), "count", strconv.Itoa(len(p.Promises)))
	if p.Broken > 0 {
		lead = w.t("proof.broken", "date", w.date(p.At), "count", strconv.Itoa(len(p.Promises)), "broken", strconv.Itoa(p.Broken))
	}
	w.say(lead)
	t := &Table{Columns: []string{w.t("col.promise"), w.t("col.state"), w.t("col.proved")}}
	for _, x := range p.Promises {
		state, since := w.t("proof.is_kept"), "–"
		if x.Broken {
			state = w.t("proof.is_broken")
		}
		if !x.Since.IsZero() {
			since = w.date(x.Since)
		}
		t.Rows = append(t.Rows, []string{x.Title, state, since})
	}
	w.add(Block{Table: t})
	w.add(Block{Line: &Line{Text: w.t("proof.more"), Href: p.Href}})
}

func (w *writer) changes() {
	v := w.f.Version
	w.section("changes", 2, w.t("changes.title"))
	w.say(w.t("changes.notice", "days", w.period(Period{w.d.Notice.MaterialChangeDays, Days})))
	w.say(w.t("changes.version", "version", strconv.Itoa(v.Number), "published", w.date(v.Published), "effective", w.date(v.Effective), "hash", v.Hash))
	if len(w.f.All) > 0 {
		w.say(w.t("changes.all"))
		var lines []Line
		for _, l := range w.f.All {
			lines = append(lines, Line{w.t("col.version") + " " + strconv.Itoa(l.Number) + ", " + w.date(l.Effective) + ":", l.Href})
		}
		w.add(Block{List: lines})
	}
	w.say(w.t("changes.advice"))
}
