package web

import (
	"time"

	"parley/account"
	"parley/web/ui"
)

// tokenRoutes make and revoke tokens for programs.
func (s *site) tokenRoutes() []route {
	return []route{
		{"GET /settings/tokens", account.ManageTokens, tokens},
		{"GET /settings/tokens/new", account.ManageTokens, tokenForm},
		{"POST /settings/tokens/new", account.ManageTokens, makeToken},
		{"POST /settings/tokens/{token}/revoke", account.ManageTokens, revokeToken},
	}
}

func tokens(v *visit) error {
	all, err := v.Accounts.Tokens(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	members, err := v.Accounts.Members(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	names := map[account.MemberID]string{}
	for _, m := range members {
		names[m.ID] = m.Name
	}
	p := &tablePage{Frame: v.settingsFrame("settings.tokens"), Add: &ui.Action{Title: v.t("token.make"), Href: "/settings/tokens/new", Icon: "plus", Primary: true}}
	p.Lead = v.words.Rich("token.lead", "Count", len(all))
	p.Table = ui.Table{Title: v.t("settings.tokens"), Columns: []ui.Column{{Title: v.t("token.name")}, {Title: v.t("token.scopes")}, {Title: v.t("token.by")}, {Title: v.t("token.expires")}, {Title: v.t("token.used")}, {Title: v.t("table.actions"), Acts: true}}}
	for _, t := range all {
		p.Table.Rows = append(p.Table.Rows, ui.Row{Cells: v.tokenCells(t, names[t.Member])})
	}
	p.Table.Empty = &ui.Empty{Icon: "link", Title: v.t("token.none"), Text: v.t("token.none.text"), Action: p.Add}
	return v.render("table", p)
}

func (v *visit) tokenCells(t *account.Token, maker string) []ui.Cell {
	var scopes ui.Cell
	for _, s := range t.Scopes {
		scopes.Tags = append(scopes.Tags, ui.Tag{Text: v.t("scope." + string(s))})
	}
	expires := ui.Cell{Text: v.t("token.never"), Muted: true}
	switch {
	case t.ExpiresAt.IsZero():
	case t.ExpiresAt.After(v.Now()):
		expires = ui.Cell{Time: t.ExpiresAt}
	default:
		expires = ui.Cell{Tag: &ui.Tag{Text: v.t("invitation.expired"), Kind: ui.Warn}}
	}
	used := ui.Cell{Text: v.t("token.unused"), Muted: true}
	if !t.UsedAt.IsZero() {
		used = ui.Cell{Ago: t.UsedAt}
	}
	return []ui.Cell{{Text: t.Name, Strong: true}, scopes, {Text: nonEmpty(maker, "–")}, expires, used,
		{Acts: []ui.Action{{Title: v.t("token.revoke"), Post: true, Danger: true, Href: "/settings/tokens/" + t.ID + "/revoke", Confirm: v.t("token.revoke.title", "Name", t.Name), ConfirmText: v.t("token.revoke.text")}}}}
}

// lives are how long a token may be made for, in days; 0 is for ever.
func lives() []struct {
	word string
	days int
} {
	return []struct {
		word string
		days int
	}{{"30", 30}, {"90", 90}, {"365", 365}, {"never", 0}}
}

func (v *visit) tokenPage(n account.NewToken, life string) *form {
	p := &form{Frame: v.under(v.t("token.make"), ui.Link{Title: v.t("nav.settings"), Href: "/settings"}, ui.Link{Title: v.t("settings.tokens"), Href: "/settings/tokens"}), Submit: v.t("token.make")}
	p.Lead = v.words.Rich("token.form.lead")
	scopes := ui.Field{Name: "scopes", Label: v.t("token.scopes"), Help: v.t("token.scopes.help"), Type: "checks"}
	for _, s := range account.Permissions() {
		if v.actor.Can(s) {
			scopes.Options = append(scopes.Options, ui.Option{Value: string(s), Title: v.t("scope." + string(s)), Help: v.t("scope." + string(s) + ".text")})
		}
	}
	for _, s := range n.Scopes {
		scopes.Values = append(scopes.Values, string(s))
	}
	expires := ui.Field{Name: "expires", Label: v.t("token.expires"), Type: "select", Size: "medium", Value: life}
	for _, l := range lives() {
		expires.Options = append(expires.Options, ui.Option{Value: l.word, Title: v.t("token.life." + l.word)})
	}
	p.Sections = []section{{Fields: []ui.Field{{Name: "name", Label: v.t("token.name"), Help: v.t("token.name.help"), Value: n.Name, Complete: "off", Focus: true}, scopes, expires}}}
	return p
}

func tokenForm(v *visit) error { return v.render("form", v.tokenPage(account.NewToken{}, "90")) }

// tokenMadePage shows a token's secret, this once.
type tokenMadePage struct {
	ui.Frame
	Secret  string
	Example string
}

func makeToken(v *visit) error {
	n, life := account.NewToken{Name: v.form("name")}, v.form("expires")
	for _, s := range v.r.PostForm["scopes"] {
		n.Scopes = append(n.Scopes, account.Permission(s))
	}
	for _, l := range lives() {
		if l.word == life && l.days > 0 {
			until := v.Now().Add(time.Duration(l.days) * 24 * time.Hour)
			n.Expires = &until
		}
	}
	secret, t, err := v.Accounts.CreateToken(v.ctx(), v.actor, n)
	if err != nil {
		return v.again("form", v.tokenPage(n, life), err)
	}
	p := &tokenMadePage{Frame: v.under(v.t("token.made", "Name", t.Name), ui.Link{Title: v.t("nav.settings"), Href: "/settings"}, ui.Link{Title: v.t("settings.tokens"), Href: "/settings/tokens"}), Secret: secret}
	p.Example = `curl -H "Authorization: Bearer $TOKEN" ` + v.base(v.r) + "/api/v1/organisation"
	return v.render("token-made", p)
}

func revokeToken(v *visit) error {
	if err := v.Accounts.RevokeToken(v.ctx(), v.actor, v.r.PathValue("token")); err != nil {
		return err
	}
	return v.to("/settings/tokens", v.good("token.revoked"))
}
