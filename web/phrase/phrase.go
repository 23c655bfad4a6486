// Package phrase holds the words of the pages in every language, and writes numbers, durations, days and times the way
// their readers do. Words live in catalogue/, one file a language with the same keys.
package phrase

import (
	"embed"
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"strings"
	"sync"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed catalogue/*.json
var files embed.FS

// Language is a language that the pages can be read in.
type Language struct {
	Code string // "en"
	Name string // in its own words: "English"
}

// Languages lists the languages of the catalogue, the fallback first.
func Languages() []Language {
	return []Language{{"en", "English"}, {"hi", "हिन्दी"}}
}

var bundle = sync.OnceValue(func() *i18n.Bundle {
	b := i18n.NewBundle(language.English)
	b.RegisterUnmarshalFunc("json", json.Unmarshal)
	for _, l := range Languages() {
		if _, err := b.LoadMessageFileFS(files, "catalogue/"+l.Code+".json"); err != nil {
			panic("phrase: the embedded catalogue does not parse: " + err.Error())
		}
	}
	return b
})

// Phrases speaks one language in the formats of one region and one time zone. It is safe for concurrent use.
type Phrases struct {
	lang   string
	region string
	zone   *time.Location
	words  *i18n.Localizer
}

// For speaks the locale ("en", "en-IN", "hi", "hi-IN", "en-US"); a language that the catalogue lacks becomes English.
// A locale without a region takes India's formats for Hindi and international ones for English. The zone is UTC until
// In sets another.
func For(locale string) *Phrases {
	tag, err := language.Parse(locale)
	if err != nil {
		tag = language.English
	}
	base, _ := tag.Base()
	p := &Phrases{lang: "en", zone: time.UTC}
	for _, l := range Languages() {
		if l.Code == base.String() {
			p.lang = l.Code
		}
	}
	if region, sure := tag.Region(); sure == language.Exact {
		p.region = region.String()
	} else if p.lang == "hi" {
		p.region = "IN"
	}
	p.words = i18n.NewLocalizer(bundle(), p.lang)
	return p
}

// In is p with times written in zone.
func (p *Phrases) In(zone *time.Location) *Phrases {
	q := *p
	if q.zone = zone; zone == nil {
		q.zone = time.UTC
	}
	return &q
}

// Lang is the language's code, for the lang attribute of a page.
func (p *Phrases) Lang() string { return p.lang }

// Locale is language and region, such as "en-IN".
func (p *Phrases) Locale() string {
	if p.region == "" {
		return p.lang
	}
	return p.lang + "-" + p.region
}

// Zone is the time zone in which times are written.
func (p *Phrases) Zone() *time.Location { return p.zone }

// T is the message of key with the named values in it: T("missed.lead", "Count", 14, "Name", "Asha"). Whole numbers are
// written in the locale's way; the one named Count also picks the plural form. A key that the catalogue lacks comes back
// as it is, which the tests of this package find.
func (p *Phrases) T(key string, args ...any) string {
	c := &i18n.LocalizeConfig{MessageID: key}
	if len(args) > 0 {
		values := make(map[string]any, len(args)/2)
		for i := 0; i+1 < len(args); i += 2 {
			name := fmt.Sprint(args[i])
			values[name] = args[i+1]
			if n, ok := whole(args[i+1]); ok {
				values[name] = p.Number(n)
				if name == "Count" {
					c.PluralCount = n
				}
			}
		}
		c.TemplateData = values
	}
	if c.PluralCount == nil {
		c.PluralCount = 2 // a message with plural forms that is used without a count reads as the many
	}
	s, err := p.words.Localize(c)
	if s == "" && err != nil {
		return key
	}
	return s
}

// Has tells whether the catalogue knows key.
func (p *Phrases) Has(key string) bool { return p.T(key) != key }

// Rich is T where **words** of the message are shown strong. Values are escaped.
func (p *Phrases) Rich(key string, args ...any) template.HTML {
	s := html.EscapeString(p.T(key, args...))
	var out strings.Builder
	for i, part := range strings.Split(s, "**") {
		switch {
		case i%2 == 1:
			out.WriteString("<strong>" + part + "</strong>")
		default:
			out.WriteString(part)
		}
	}
	return template.HTML(out.String())
}
