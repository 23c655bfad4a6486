package policy

import (
	"embed"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

//go:embed phrase/*.json
var phraseFiles embed.FS

// speaker writes sentences in one language about one document.
type speaker struct {
	d       *Document
	lang    string
	phrases map[string]string
	regions display.Namer
}

// speak gives a speaker; a language without phrases is spoken as English.
func speak(d *Document, lang string) *speaker {
	if !slices.Contains(Languages(), lang) {
		lang = "en"
	}
	s := &speaker{d: d, lang: lang, regions: display.Regions(language.Make(lang))}
	text, err := phraseFiles.ReadFile("phrase/" + lang + ".json")
	if err == nil {
		err = json.Unmarshal(text, &s.phrases)
	}
	if err != nil {
		s.phrases = map[string]string{} // a test shows that every key is there
	}
	return s
}

// t writes a phrase with names and values in pairs. A key without a phrase is written as it is.
func (s *speaker) t(key string, pairs ...string) string {
	text, ok := s.phrases[key]
	if !ok {
		return key
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// in gives a passage of the document.
func (s *speaker) in(t Text) string { return t.In(s.lang, s.d.Languages) }

func (s *speaker) place(code string) string {
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	if name := s.regions.Name(region); name != "" {
		return name
	}
	return code
}

func (s *speaker) places(codes []string) string {
	out := make([]string, len(codes))
	for i, c := range codes {
		out[i] = s.place(c)
	}
	return s.list(out)
}

// list joins the last two with "and".
func (s *speaker) list(all []string) string {
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + s.t("and") + all[len(all)-1]
}

func (s *speaker) period(p Period) string {
	key := map[Unit]string{Days: "days", BusinessDays: "business_days", Months: "months"}[p.Unit]
	switch {
	case !p.Said():
		return s.t("none")
	case p.N == 0:
		return s.t("days.0")
	case p.N == 1 && p.Unit != BusinessDays:
		return s.t(key + ".one")
	}
	return s.t(key, "n", strconv.Itoa(p.N))
}

func (s *speaker) date(t time.Time) string {
	return s.t("date", "day", strconv.Itoa(t.Day()), "month", s.t("month."+strconv.Itoa(int(t.Month()))), "year", strconv.Itoa(t.Year()))
}

func (s *speaker) category(key string) string {
	if c := s.d.Categories[key]; c != nil {
		return s.in(c.Title)
	}
	return key
}

func (s *speaker) purpose(key string) string {
	if p := s.d.Purposes[key]; p != nil {
		return s.in(p.Title)
	}
	return key
}

func (s *speaker) basis(p *Purpose) string {
	return s.t("basis."+string(p.Basis), "interest", s.in(p.Interest))
}

func (s *speaker) subjects(all []Subject) string {
	out := make([]string, len(all))
	for i, x := range all {
		out[i] = s.t("subject." + string(x))
	}
	return s.list(out)
}

func (s *speaker) recipients(c *Category) string {
	var out []string
	for _, key := range c.Recipients {
		if r := s.d.Recipients[key]; r != nil {
			out = append(out, r.LegalName)
		}
	}
	return s.list(out)
}

// Say writes what changed for readers of a language. was and is are the documents that were compared.
func Say(c Change, was, is *Document, lang string) string {
	s := speak(is, lang)
	old := &speaker{d: was, lang: s.lang, phrases: s.phrases, regions: s.regions}
	kind, _, _ := strings.Cut(c.Path, ".")
	name := func(key string) string {
		for _, x := range []*speaker{s, old} {
			switch {
			case kind == "categories" && x.d.Categories[key] != nil:
				return x.category(key)
			case kind == "purposes" && x.d.Purposes[key] != nil:
				return x.purpose(key)
			case kind == "recipients" && x.d.Recipients[key] != nil:
				return x.d.Recipients[key].LegalName
			}
		}
		if kind == "deadlines" || kind == "notice" {
			return s.t("deadline." + key)
		}
		return key
	}
	return s.t("change."+c.Kind, "of", name(c.Of), "to", s.value(c, c.To, old), "was", s.value(c, c.Was, old), "is", s.value(c, c.Is, old))
}

// value writes one side of a change in words.
func (s *speaker) value(c Change, v string, old *speaker) string {
	if p, err := ParsePeriod(v); err == nil && c.Kind != "age_changed" {
		return s.period(p)
	}
	if v == "" {
		return s.t("none")
	}
	kind, _, _ := strings.Cut(c.Kind, "_")
	switch {
	case c.Kind == "purpose_added" || kind == "basis":
		for _, x := range []*speaker{s, old} {
			if p := x.d.Purposes[c.Of]; p != nil && string(p.Basis) == v {
				return x.basis(p)
			}
		}
		return v
	case c.Kind == "consent_point_changed":
		return s.t("act." + v)
	case kind == "use" || c.Kind == "recipient_gets_more" && s.d.Purposes[v] != nil:
		return s.either(old, v, (*speaker).purpose)
	case kind == "recipient" && s.d.Categories[v] != nil:
		return s.category(v)
	case kind == "subject":
		return s.t("subject." + v)
	case kind == "right":
		return s.t("right." + v)
	case kind == "collection":
		return s.t("switch.word." + v)
	case kind == "store":
		return s.t("store." + v)
	case c.Kind == "retention_event":
		return s.t("event." + v)
	case kind == "floor" || kind == "law" || c.Kind == "region_added" || c.Kind == "region_removed":
		return s.place(v)
	case kind == "field":
		return s.field(old, c.Of, v)
	}
	return v
}

func (s *speaker) either(old *speaker, key string, name func(*speaker, string) string) string {
	if n := name(s, key); n != key {
		return n
	}
	return name(old, key)
}

func (s *speaker) field(old *speaker, category, field string) string {
	for _, x := range []*speaker{s, old} {
		if c := x.d.Categories[category]; c != nil && c.Fields[field] != nil {
			return x.in(c.Fields[field].Title)
		}
	}
	return field
}
