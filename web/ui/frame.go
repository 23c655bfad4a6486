package ui

import (
	"html/template"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/platform/fault"
	"parley/web/phrase"
)

// Page is a page's struct: it embeds Frame and is handed to Render as a pointer.
type Page interface{ Chrome() *Frame }

// Frame is what stands around and above the content of a page.
type Frame struct {
	Title   string             // of the page: its h1 and the window's name
	Lead    template.HTML      // the answer in a sentence, under the title; from Phrases.Rich
	Crumbs  []Link             // the way here, without the page itself
	Phrases *phrase.Phrases    // the reader's words, in the organisation's zone; English in UTC when nil
	Org     *Org               // nil outside an organisation
	Me      *Me                // nil when nobody is signed in
	Nav     []NavGroup         // see NavItem
	Range   *Range             // the days shown, at the right of the title; nil where a page has none
	Tabs    []Link             // under the title
	Flashes []Flash            // what just happened
	Errors  []fault.FieldError // what is wrong with the form, from fault.Fields
	Demo    bool               // show that this is a demo, with the button that removes it
	Bare    bool               // no navigation: sign-in, sign-up, invitations
	Wide    bool               // of a bare page: room for a longer form
	Notice  *Link              // what every member is told above each page; nil for nothing
	// Languages are links to this page in other languages, in place of forms that remember the choice in a cookie.
	Languages []Link
	Path      string // path and query of this page, to come back to after a change of language
}

// Chrome makes any struct that embeds a Frame a Page.
func (f *Frame) Chrome() *Frame { return f }

func (f *Frame) phrases() *phrase.Phrases {
	if f.Phrases == nil {
		f.Phrases = phrase.For("en").In(time.UTC)
	}
	return f.Phrases
}

// Dock is the navigation at the foot of a phone.
func (f *Frame) Dock() []NavItem {
	var out []NavItem
	for _, g := range f.Nav {
		for _, item := range g.Items {
			if item.Dock && len(out) < 4 {
				out = append(out, item)
			}
		}
	}
	return out
}

// Keys lists the pages that a key leads to.
func (f *Frame) Keys() []NavItem {
	var out []NavItem
	for _, g := range f.Nav {
		for _, item := range g.Items {
			if item.Key != "" {
				out = append(out, item)
			}
		}
	}
	return out
}

// Wrong is the sentence about a field, "" when it is right.
func (f *Frame) Wrong(field string) string { return wrong(f.Errors, field) }

func wrong(errs []fault.FieldError, field string) string {
	for _, e := range errs {
		if e.Field == field {
			return e.Sentence
		}
	}
	return ""
}

// Org is the organisation whose page this is.
type Org struct {
	Name   string
	Logo   string // address of its logo, "" for Parley's mark
	Others []Link // organisations one can switch to; posted to /organisation as "org" from Href
}

// Me is who reads the page.
type Me struct {
	Name string
	Role string // in words
	Href string // their own page
}

// Initials of a name, for the round mark beside it.
func (m *Me) Initials() string { return Initials(m.Name) }

// Initials are the first letters of the first and last word of a name. A letter of an Indian script keeps its marks.
func Initials(name string) string {
	words := strings.Fields(name)
	if len(words) == 0 {
		return "?"
	}
	out := letter(words[0])
	if len(words) > 1 {
		out += letter(words[len(words)-1])
	}
	return out
}

func letter(word string) string {
	r, size := utf8.DecodeRuneInString(word)
	var out strings.Builder
	out.WriteString(string(unicode.ToUpper(r)))
	for _, mark := range word[size:] {
		if !unicode.Is(unicode.M, mark) {
			break
		}
		out.WriteString(string(mark))
	}
	return out.String()
}

// NavGroup is a part of the navigation.
type NavGroup struct {
	Title string // "" for the first
	Items []NavItem
}

// NavItem is one page in the navigation.
type NavItem struct {
	Title   string
	Href    string
	Icon    string // a name of web/assets/src/icons.mjs
	Count   int64  // shown when not 0
	Hot     bool   // the count asks for attention
	Key     string // one letter: pressed after g it leads here
	Dock    bool   // one of at most four at the foot of a phone
	Short   string // the title there, when Title is long
	Current bool
}

// Name is the title for the foot of a phone.
func (n NavItem) Name() string {
	if n.Short != "" {
		return n.Short
	}
	return n.Title
}

// Flash is a message about what just happened.
type Flash struct {
	Kind Kind
	Text string
	Undo string // path that takes it back when posted to; "" where nothing does
}

// Kind colours a message, a tag or a state by what it means. The words say it too.
type Kind string

// The kinds.
const (
	Plain Kind = ""
	Good  Kind = "good"
	Warn  Kind = "warn"
	Bad   Kind = "bad"
	Info  Kind = "info"
	Off   Kind = "off" // of a state: switched off
)

// Icon is the icon that goes with a message of this kind.
func (k Kind) Icon() string {
	switch k {
	case Good:
		return "check"
	case Warn, Bad:
		return "alert"
	default:
		return "info"
	}
}
