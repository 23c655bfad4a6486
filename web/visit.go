package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/web/phrase"
	"parley/web/ui"
)

// The cookies.
const (
	sessionCookie = "parley_session"
	flashCookie   = "parley_flash"
	localeCookie  = "parley_locale"
)

// Cookies names every cookie that pages set.
func Cookies() []string { return []string{sessionCookie, flashCookie, localeCookie} }

// maxForm bounds forms without files.
const maxForm = 1 << 20

// visit is one request to a page: who asks, in which words, and what is answered.
type visit struct {
	*site
	w     http.ResponseWriter
	r     *http.Request
	actor *account.Actor // nil when nobody is signed in
	words *phrase.Phrases
	trail trail // what belongs in the audit log
}

// serve finds out who visits, lets them in or not, and turns an error into its page.
func (s *site) serve(r route) http.HandlerFunc {
	leaves := traceOf(r)
	return func(w http.ResponseWriter, req *http.Request) {
		v := &visit{site: s, w: w, r: req}
		v.w = v.logged(leaves)
		err := v.enter()
		if err == nil {
			err = r.allowed(v.actor)
		}
		if err == nil && req.Body != nil && !v.multipart() {
			req.Body = http.MaxBytesReader(w, req.Body, maxForm)
		}
		if err == nil {
			err = r.handle(v)
		}
		if err != nil {
			v.fail(err)
		}
	}
}

// enter reads the session and chooses the words. A session that has ended leaves nobody signed in.
func (v *visit) enter() error {
	v.words = phrase.For(v.locale(nil)).In(time.UTC)
	c, err := v.r.Cookie(sessionCookie)
	if err != nil {
		return nil //nolint:nilerr // no cookie is no session
	}
	actor, err := v.Accounts.Session(v.ctx(), c.Value)
	if fault.KindOf(err) == fault.Unauthenticated {
		return nil
	}
	if err != nil {
		return err
	}
	v.actor = actor
	v.words = phrase.For(v.locale(actor.Org)).In(actor.Org.Location())
	return nil
}

// locale is what the reader chose, else the organisation's, else what the browser prefers.
func (v *visit) locale(org *account.Org) string {
	region := ""
	if org != nil {
		region = "-" + org.Country
	}
	if c, err := v.r.Cookie(localeCookie); err == nil {
		for _, l := range phrase.Languages() {
			if l.Code == c.Value {
				return l.Code + region
			}
		}
	}
	if org != nil {
		if strings.Contains(org.Locale, "-") {
			return org.Locale
		}
		return org.Locale + region
	}
	first, _, _ := strings.Cut(v.r.Header.Get("Accept-Language"), ",")
	tag, _, _ := strings.Cut(first, ";")
	return strings.TrimSpace(tag)
}

func (v *visit) ctx() context.Context { return v.r.Context() }

// t writes a phrase.
func (v *visit) t(key string, args ...any) string { return v.words.T(key, args...) }

// org is the organisation of whoever is signed in.
func (v *visit) org() *account.Org { return v.actor.Org }

// today is the organisation's local day.
func (v *visit) today() civil.Day { return civil.Today(v.Now(), v.org().Location()) }

// query is a parameter of the address.
func (v *visit) query(name string) string { return v.r.URL.Query().Get(name) }

// form is a field of the form that was sent, trimmed.
func (v *visit) form(name string) string { return strings.TrimSpace(v.typed(name)) }

// typed is a field of the form as it was typed. A form of several parts has no fields until readFiles has read it within
// its bounds; the standard library would read it without any.
func (v *visit) typed(name string) string {
	if v.multipart() && v.r.MultipartForm == nil {
		return ""
	}
	return v.r.PostFormValue(name)
}

func (v *visit) multipart() bool {
	return strings.HasPrefix(v.r.Header.Get("Content-Type"), "multipart/form-data")
}

// checked tells whether a box of the form was ticked.
func (v *visit) checked(name string) bool { return v.typed(name) != "" }

// frame is what stands around a page; title is written out already.
func (v *visit) frame(title string) ui.Frame {
	f := ui.Frame{Title: title, Phrases: v.words, Path: v.r.URL.RequestURI(), Flashes: v.flashes()}
	if v.r.Method != http.MethodGet {
		f.Path = v.r.URL.Path
	}
	if v.actor == nil {
		f.Bare = true
		return f
	}
	v.signedIn(&f)
	return f
}

// render writes a page. One that tells of errors in its address is not what was asked for, and its status says so.
func (v *visit) render(name string, p ui.Page) error {
	status := http.StatusOK
	if len(p.Chrome().Errors) > 0 {
		status = http.StatusUnprocessableEntity
	}
	v.ui.Render(v.w, status, name, p)
	return nil
}

// again writes a form that came back with something wrong in it. An error that is not about the form is handed back,
// for its own page.
func (v *visit) again(name string, p ui.Page, err error) error {
	switch kind := fault.KindOf(err); kind {
	case fault.Invalid, fault.Conflict, fault.TooMany, fault.TooLarge, fault.Unauthenticated, fault.Gone, fault.Unsupported:
		f := p.Chrome()
		if f.Errors = fault.Fields(err); len(f.Errors) == 0 {
			f.Errors = []fault.FieldError{{Sentence: fault.Sentence(err)}}
		}
		if m, ok := p.(marker); ok {
			m.mark()
		}
		v.ui.Render(v.w, kind.Status(), name, p)
		return nil
	default:
		return err
	}
}

// fragment writes one block of a page, for htmx.
func (v *visit) fragment(page, block string, data any) error {
	v.ui.Fragment(v.w, http.StatusOK, page, block, v.words, data)
	return nil
}

// to leads to another page after a form was carried out, with what to say there.
func (v *visit) to(path string, flashes ...ui.Flash) error {
	v.keep(flashes)
	if ui.IsFragment(v.r) {
		v.w.Header().Set("HX-Redirect", path)
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
	return nil
}

// back is the page that a form came from, when it is one of ours; else the given one.
func (v *visit) back(otherwise string) string {
	if b := v.form("back"); b != "" {
		return local(b)
	}
	return otherwise
}

// good is a message that something worked.
func (v *visit) good(key string, args ...any) ui.Flash {
	return ui.Flash{Kind: ui.Good, Text: v.t(key, args...)}
}

// keep stores messages in a cookie for the next page.
func (v *visit) keep(flashes []ui.Flash) {
	if len(flashes) == 0 {
		return
	}
	raw, err := json.Marshal(flashes)
	if err != nil {
		v.Log.Error("message not kept", "err", err)
		return
	}
	v.cookie(flashCookie, base64.RawURLEncoding.EncodeToString(raw), 60)
}

// flashes takes the messages that the page before left.
func (v *visit) flashes() []ui.Flash {
	c, err := v.r.Cookie(flashCookie)
	if err != nil {
		return nil
	}
	v.cookie(flashCookie, "", -1)
	raw, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return nil
	}
	var out []ui.Flash
	if json.Unmarshal(raw, &out) != nil {
		return nil
	}
	return out
}

// cookie sets a cookie that scripts cannot read; age is in seconds, negative to remove it.
func (v *visit) cookie(name, value string, age int) {
	http.SetCookie(v.w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: v.secure(v.r)})
}

// fail writes the page for an error; who is not signed in is led to the sign-in page and back afterwards.
func (v *visit) fail(err error) {
	if fault.KindOf(err) == fault.Unauthenticated && v.actor == nil && v.r.URL.Path != "/sign-in" {
		path := "/sign-in"
		if v.r.Method == http.MethodGet && v.r.URL.Path != "/" {
			path += "?next=" + url.QueryEscape(v.r.URL.RequestURI())
		}
		if err := v.to(path); err != nil {
			v.Log.Error("not redirected", "err", err)
		}
		return
	}
	if v.words == nil {
		v.words = phrase.For("en")
	}
	v.ui.Fault(v.w, v.frame(""), err)
}
