package web

import (
	"context"
	"net/url"

	"parley/account"
	"parley/account/password"
	"parley/platform/fault"
	"parley/reach/mail"
	"parley/web/phrase"
	"parley/web/ui"
)

// signInRoutes lead people in and out.
func (s *site) signInRoutes() []route {
	return []route{
		{"GET /sign-in", Public, signInForm},
		{"POST /sign-in", Public, signIn},
		{"POST /sign-out", Public, signOut},
		{"GET /link/{secret}", Public, linkForm},
		{"POST /link/{secret}", Public, useLink},
		{"GET /forgot", Public, forgotForm},
		{"POST /forgot", Public, forgot},
		{"GET /reset/{secret}", Public, resetForm},
		{"POST /reset/{secret}", Public, reset},
		{"GET /terms", Public, terms},
	}
}

// LinkPath is the address under a site's base at which a one-time link's secret signs its member in.
func LinkPath(secret string) string { return "/link/" + url.PathEscape(secret) }

// InvitationPath is the address under a site's base at which an invitation's secret is accepted.
func InvitationPath(secret string) string { return "/invitation/" + url.PathEscape(secret) }

func resetPath(secret string) string { return "/reset/" + url.PathEscape(secret) }

// bare is the frame of pages for people who may not be signed in.
func (v *visit) bare(title string) ui.Frame {
	f := v.frame(title)
	f.Bare = true
	return f
}

// signInPage asks for address and password.
type signInPage struct {
	form
	SignUp bool
}

func (v *visit) signInPage(email, next string) *signInPage {
	p := &signInPage{form: form{Frame: v.bare(v.t("sign_in.title")), Submit: v.t("sign_in.submit")}, SignUp: v.SignUp}
	p.Sections = []section{{Fields: []ui.Field{
		{Name: "email", Label: v.t("sign_in.email"), Type: "email", Complete: "username", Value: email, Focus: email == ""},
		{Name: "password", Label: v.t("sign_in.password"), Type: "password", Focus: email != ""},
	}}}
	if next != "" {
		p.Hidden = []ui.Param{{Name: "next", Value: local(next)}}
	}
	return p
}

func signInForm(v *visit) error {
	next := v.query("next")
	if v.actor != nil {
		return v.to(local(next))
	}
	return v.render("sign-in", v.signInPage("", next))
}

func signIn(v *visit) error {
	_, secret, err := v.Accounts.SignIn(v.ctx(), v.form("email"), v.typed("password"), from(v.r))
	if err != nil {
		return v.again("sign-in", v.signInPage(v.form("email"), v.form("next")), err)
	}
	v.startSession(secret)
	return v.to(local(v.form("next")))
}

func signOut(v *visit) error {
	if c, err := v.r.Cookie(sessionCookie); err == nil {
		if err := v.Accounts.SignOut(v.ctx(), c.Value); err != nil {
			return err
		}
	}
	v.cookie(sessionCookie, "", -1)
	return v.to("/sign-in", v.good("sign_in.out"))
}

// buttonPage asks for one press of a button, since scanners of mail open every link in it.
type buttonPage struct {
	form
	Text string
}

// linkForm does not look whether the link still works: only its use tells, and uses it up.
func linkForm(v *visit) error {
	return v.render("button", &buttonPage{form: form{Frame: v.bare(v.t("link.title")), Submit: v.t("link.submit")}, Text: v.t("link.text")})
}

func useLink(v *visit) error {
	secret, err := v.Accounts.UseOneTimeLink(v.ctx(), v.r.PathValue("secret"), from(v.r))
	if err != nil {
		return err
	}
	v.startSession(secret)
	return v.to("/")
}

// sentPage says that a mail is on its way, whether or not there is anybody to get it.
type sentPage struct {
	ui.Frame
	Local bool // mail is kept here instead of sent
}

func (v *visit) forgotPage(email string) *form {
	return &form{Frame: v.bare(v.t("forgot.title")), Submit: v.t("forgot.submit"), Sections: []section{{Text: v.t("forgot.text"), Fields: []ui.Field{
		{Name: "email", Label: v.t("sign_in.email"), Type: "email", Complete: "username", Value: email, Focus: true},
	}}}}
}

func forgotForm(v *visit) error { return v.render("forgot", v.forgotPage(v.query("email"))) }

func forgot(v *visit) error {
	secret, found, err := v.Accounts.StartReset(v.ctx(), v.form("email"))
	if err != nil {
		return v.again("forgot", v.forgotPage(v.form("email")), err)
	}
	if found {
		to, base := v.form("email"), v.base(v.r)
		v.Background("mail with a link to set a password", func(ctx context.Context) error { return v.site.mailReset(ctx, to, base, secret) })
	}
	return v.render("forgot-sent", &sentPage{Frame: v.bare(v.t("forgot.sent")), Local: !v.Mail.Configured()})
}

// mailReset sends the link to set a password, in the words of the organisation that the person used last.
func (s *site) mailReset(ctx context.Context, to, base, secret string) error {
	in, err := s.Accounts.ResetFor(ctx, secret)
	if err != nil {
		return err
	}
	org, err := s.Accounts.Org(ctx, in.Org)
	if err != nil {
		return err
	}
	p := wordsOf(org)
	// The mail belongs to the person, not to the organisation, so that nobody else reads it in an outbox.
	return s.Mail.Send(ctx, mail.Message{To: to, Subject: p.T("mail.reset.subject"), Text: p.T("mail.reset.text", "Link", base+resetPath(secret))})
}

func (v *visit) resetPage() *form {
	return &form{Frame: v.bare(v.t("reset.title")), Submit: v.t("reset.submit"), Sections: []section{{Fields: []ui.Field{v.newPassword("password", "reset.password")}}}}
}

// newPassword asks for a password that is to be chosen.
func (v *visit) newPassword(name, label string) ui.Field {
	return ui.Field{Name: name, Label: v.t(label), Type: "new-password", Help: v.t("password.help", "Min", password.MinLength), Least: password.MinLength}
}

func resetForm(v *visit) error { return v.render("reset", v.resetPage()) }

func reset(v *visit) error {
	err := v.Accounts.UseReset(v.ctx(), v.r.PathValue("secret"), v.typed("password"))
	if fault.KindOf(err) == fault.Gone {
		return v.to("/forgot", ui.Flash{Kind: ui.Bad, Text: fault.Sentence(err)})
	}
	if err != nil {
		return v.again("reset", v.resetPage(), err)
	}
	v.cookie(sessionCookie, "", -1)
	return v.to("/sign-in", v.good("reset.done"))
}

// termsPage shows what people accept.
type termsPage struct {
	ui.Frame
	Version string
	Parts   []string // keys of its parts: each has a .title and a .text
}

func terms(v *visit) error {
	p := &termsPage{Frame: v.bare(v.t("terms.title")), Version: account.Terms, Parts: []string{"what", "duty", "data", "account", "warranty", "end", "change"}}
	p.Wide = true
	return v.render("terms", p)
}

// wordsOf are the words and formats of an organisation, for what is written to its people.
func wordsOf(org *account.Org) *phrase.Phrases {
	locale := org.Locale
	if len(locale) == 2 {
		locale += "-" + org.Country
	}
	return phrase.For(locale).In(org.Location())
}
