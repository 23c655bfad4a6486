// Package ui turns page structs into HTML: it loads the templates, gives them the words and formats of the reader, puts
// the frame around them, and serves the styles and scripts. It knows nothing of what the pages are about.
package ui

import (
	"bytes"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley/platform/fault"
	"parley/web/phrase"
)

// Options are what a UI is made of.
type Options struct {
	Templates fs.FS            // template.Files
	Assets    fs.FS            // assets.Built()
	Now       func() time.Time // for "5 minutes ago"; time.Now when nil
	Log       *slog.Logger     // slog.Default() when nil
}

// UI renders pages. It is safe for concurrent use.
type UI struct {
	built *built
	now   func() time.Time
	log   *slog.Logger
	pages map[string]*template.Template // parsed and never executed, so that they can be cloned

	mu    sync.Mutex
	bound map[binding]*template.Template
}

// binding is a page in the words of one locale and the time zone of one organisation.
type binding struct{ page, locale, zone string }

// mostBound keeps the memory of bound pages to some tens of megabytes however many zones there are.
const mostBound = 512

// New parses all templates.
func New(o Options) (*UI, error) {
	u := &UI{now: o.Now, log: o.Log, pages: map[string]*template.Template{}, bound: map[binding]*template.Template{}}
	if u.now == nil {
		u.now = time.Now
	}
	if u.log == nil {
		u.log = slog.Default()
	}
	var err error
	if u.built, err = openBuilt(o.Assets); err != nil {
		return nil, err
	}
	base, err := template.New("").Funcs(u.funcs(phrase.For("en"))).ParseFS(o.Templates, "layout.html", "partial/*.html")
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(o.Templates, "pages/*.html")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		set, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if _, err := set.ParseFS(o.Templates, file); err != nil {
			return nil, err
		}
		u.pages[strings.TrimSuffix(path.Base(file), ".html")] = set
	}
	return u, nil
}

func (u *UI) page(name string, p *phrase.Phrases) (*template.Template, error) {
	key := binding{name, p.Locale(), p.Zone().String()}
	u.mu.Lock()
	defer u.mu.Unlock()
	if t, ok := u.bound[key]; ok {
		return t, nil
	}
	parsed, ok := u.pages[name]
	if !ok {
		return nil, errors.New("there is no page template " + strconv.Quote(name))
	}
	t, err := parsed.Clone()
	if err != nil {
		return nil, err
	}
	t.Funcs(u.funcs(p))
	if len(u.bound) >= mostBound {
		clear(u.bound)
	}
	u.bound[key] = t
	return t, nil
}

// Render writes the page of that name (pages/name.html) with its frame. v embeds a Frame and is handed over as a pointer.
func (u *UI) Render(w http.ResponseWriter, status int, name string, v Page) {
	layout := "layout"
	if v.Chrome().Bare {
		layout = "bare"
	}
	u.execute(w, status, name, layout, v.Chrome().phrases(), v)
}

// Fragment writes one named block of a page's template, for htmx and the palette.
func (u *UI) Fragment(w http.ResponseWriter, status int, page, block string, p *phrase.Phrases, v any) {
	u.execute(w, status, page, block, p, v)
}

func (u *UI) execute(w http.ResponseWriter, status int, page, block string, p *phrase.Phrases, v any) {
	var out bytes.Buffer
	t, err := u.page(page, p)
	if err == nil {
		err = t.ExecuteTemplate(&out, block, v)
	}
	if err != nil {
		u.log.Error("page not rendered", "page", page, "block", block, "err", err)
		http.Error(w, fault.Sentence(err), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "private, no-store")
	h.Add("Vary", "HX-Request")
	h.Set("Content-Length", strconv.Itoa(out.Len()))
	w.WriteHeader(status)
	if _, err := w.Write(out.Bytes()); err != nil {
		u.log.Debug("page not delivered", "page", page, "err", err)
	}
}

// Fault writes the page that explains err, with the status of its kind. Strangers' errors are logged.
func (u *UI) Fault(w http.ResponseWriter, f Frame, err error) {
	kind := fault.KindOf(err)
	if kind == fault.Internal {
		u.log.Error("request failed", "err", err)
	}
	p := f.phrases()
	switch kind {
	case fault.NotFound:
		f.Title = p.T("error.not_found")
	case fault.Denied:
		f.Title = p.T("error.denied")
	case fault.Unauthenticated:
		f.Title = p.T("error.signed_out")
	default:
		f.Title = p.T("error.general")
	}
	f.Bare = f.Bare || f.Me == nil
	u.Render(w, kind.Status(), "fault", &FaultPage{Frame: f, Sentence: fault.Sentence(err)})
}

// FaultPage explains what went wrong.
type FaultPage struct {
	Frame
	Sentence string
}

// IsFragment tells whether a request wants a part of a page rather than the whole.
func IsFragment(r *http.Request) bool {
	return r.Header.Get("HX-Request") == "true" && r.Header.Get("HX-Boosted") != "true"
}
