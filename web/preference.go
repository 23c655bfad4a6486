package web

import (
	"net/http"
	"slices"
	"strings"

	"parley/account"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/trust/consent"
	"parley/web/ui"
)

// preferenceRoutes let people say, by a link and without an account, what they want to be contacted about. They set no
// cookie.
func (s *site) preferenceRoutes() []route {
	return []route{
		{"GET /preferences/{link}", Public, preferences},
		{"POST /preferences/{link}", Public, savePreferences},
		{"POST /preferences/{link}/stop", Public, stopAll},
		{"GET /preferences/{link}/unsubscribe/{purpose}", Public, unsubscribeForm},
		{"POST /preferences/{link}/unsubscribe/{purpose}", Public, unsubscribe},
	}
}

// preferencePage is what a person wants, purpose by purpose and channel by channel.
type preferencePage struct {
	form
	Note *ui.Note // what just happened
	Stop ui.Action
}

// wantField is the name of the boxes of a purpose.
func wantField(purpose string) string { return "want." + purpose }

// preferer opens the link of the address. Links that were not made here are counted against whoever tries them.
func (v *visit) preferer() (*account.Org, consent.Who, error) {
	if err := v.guessed.check(v.r, v.Now()); err != nil {
		return nil, consent.Who{}, err
	}
	org, who, err := v.Consents.OpenLink(v.ctx(), v.r.PathValue("link"))
	if fault.KindOf(err) == fault.NotFound {
		v.guessed.miss(v.r)
	}
	return org, who, err
}

// maskedName shows a person enough of their number or address to know it again, and others not enough to use it.
func maskedName(who consent.Who) string {
	if who.Number != "" {
		d := phone.Digits(who.Number)
		return "••• " + d[max(0, len(d)-4):]
	}
	name, domain, _ := strings.Cut(who.Email, "@")
	r := []rune(name)
	return string(r[:min(1, len(r))]) + "•••@" + domain
}

func (v *visit) preferencePage(org *account.Org, who consent.Who) (*preferencePage, error) {
	choices, err := v.Consents.Preferences(v.ctx(), org.ID, who)
	if err != nil {
		return nil, err
	}
	purposes, err := v.Consents.Purposes(v.ctx(), org.ID)
	if err != nil {
		return nil, err
	}
	path := "/preferences/" + v.r.PathValue("link")
	p := &preferencePage{form: form{Frame: v.bare(v.t("preference.title", "Org", org.Name)), Action: path, Submit: v.t("preference.save")}}
	p.Org, p.Wide = &ui.Org{Name: org.Name}, true
	p.Lead = v.words.Rich("preference.lead", "Who", maskedName(who))
	for _, purpose := range purposes {
		f := ui.Field{Name: wantField(purpose.Key), Type: "checks", Row: true}
		for _, c := range choices {
			if c.Purpose != purpose.Key {
				continue
			}
			value := nonEmpty(string(c.Channel), "yes")
			f.Options = append(f.Options, ui.Option{Value: value, Title: v.channel(c.Channel)})
			if c.On {
				f.Values = append(f.Values, value)
			}
		}
		f.Label, f.Help = v.purpose(purpose), v.promiseOf(org, purpose)
		p.Sections = append(p.Sections, section{Fields: []ui.Field{f}})
	}
	p.Stop = ui.Action{Title: v.t("preference.stop"), Post: true, Danger: true, Icon: "block", Href: path + "/stop"}
	switch p.Note = v.signalNote(); v.query("done") {
	case "saved":
		p.Note = &ui.Note{Kind: ui.Good, Text: v.t("preference.saved")}
	case "stopped":
		p.Note = &ui.Note{Kind: ui.Good, Text: v.t("preference.stopped", "Org", org.Name)}
	}
	return p, nil
}

// purpose is a purpose's title in the reader's words.
func (v *visit) purpose(p consent.Purpose) string {
	return nonEmpty(p.Title[v.words.Lang()], nonEmpty(p.Title["en"], p.Key))
}

func (v *visit) channel(c consent.Channel) string {
	if c == consent.None {
		return v.t("channel.none")
	}
	return v.t("channel." + string(c))
}

// promiseOf is the sentence that stands over the boxes of a purpose: what is agreed to by ticking one.
func (v *visit) promiseOf(org *account.Org, p consent.Purpose) string {
	switch {
	case p.Plain:
		return v.t("preference.wording.plain", "Org", org.Name, "Purpose", v.purpose(p))
	case p.Basis == consent.ByConsent:
		return v.t("preference.wording", "Org", org.Name, "Purpose", v.purpose(p))
	default:
		return v.t("preference.wording.service", "Org", org.Name, "Purpose", v.purpose(p))
	}
}

func preferences(v *visit) error {
	org, who, err := v.preferer()
	if err != nil {
		return err
	}
	p, err := v.preferencePage(org, who)
	if err != nil {
		return err
	}
	return v.render("preference", p)
}

// savePreferences makes the ticked boxes what the person wants, and every other one what they do not.
func savePreferences(v *visit) error {
	org, who, err := v.preferer()
	if err != nil {
		return err
	}
	purposes, err := v.Consents.Purposes(v.ctx(), org.ID)
	if err != nil {
		return err
	}
	_ = v.form("") // reads the form
	on := func(purpose string, c consent.Channel) bool {
		return slices.Contains(v.r.PostForm[wantField(purpose)], nonEmpty(string(c), "yes"))
	}
	wording := func(purpose string, c consent.Channel) consent.Wording {
		i := slices.IndexFunc(purposes, func(p consent.Purpose) bool { return p.Key == purpose })
		return consent.Wording{Language: v.words.Lang(), Text: v.promiseOf(org, purposes[i]) + " " + v.channel(c)}
	}
	if err := v.Consents.SetPreferences(v.ctx(), org.ID, who, on, wording, consent.ByWebForm); err != nil {
		return err
	}
	return v.to("/preferences/" + v.r.PathValue("link") + "?done=saved")
}

func stopAll(v *visit) error {
	org, who, err := v.preferer()
	if err != nil {
		return err
	}
	if err := v.Consents.Stop(v.ctx(), org.ID, who, consent.None, consent.ByWebForm, ""); err != nil {
		return err
	}
	return v.to("/preferences/" + v.r.PathValue("link") + "?done=stopped")
}

// unsubscribeForm is for people who open the address that mail programs post to: looking alone changes nothing.
func unsubscribeForm(v *visit) error {
	return v.to("/preferences/" + v.r.PathValue("link"))
}

// unsubscribe is the one-click unsubscription of RFC 8058: a mail program posts, with no cookie and nobody watching, and
// the mails of that purpose end.
func unsubscribe(v *visit) error {
	org, who, err := v.preferer()
	if err != nil {
		return err
	}
	if !v.multipart() && v.form("List-Unsubscribe") != "One-Click" || v.multipart() && !v.oneClickPart() {
		return fault.New(fault.Invalid, "An unsubscription by one click sends List-Unsubscribe=One-Click. Open the link in the mail to choose by hand.")
	}
	purposes, err := v.Consents.Purposes(v.ctx(), org.ID)
	if err != nil {
		return err
	}
	purpose := v.r.PathValue("purpose")
	if !slices.ContainsFunc(purposes, func(p consent.Purpose) bool { return p.Key == purpose && !p.Plain }) {
		return nothingHere(v)
	}
	in := consent.Change{Who: who, Purposes: []string{purpose}, Channels: []consent.Channel{consent.Email}, State: consent.Withdrawn, How: consent.ByOneTap}
	if err := v.Consents.Record(v.ctx(), org.ID, in); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	v.w.WriteHeader(http.StatusOK)
	return nil
}

// oneClickPart reads the field where it was sent as multipart/form-data, which RFC 8058 allows too.
func (v *visit) oneClickPart() bool {
	return v.readFiles(0) == nil && v.form("List-Unsubscribe") == "One-Click"
}
