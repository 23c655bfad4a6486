package web

import (
	"parley/account"
	"parley/reach/mail"
	"parley/web/ui"
)

// developerRoutes help programmers.
func (s *site) developerRoutes() []route {
	return []route{
		{"GET /developer", account.Developer, developer},
		{"GET /developer/outbox", account.Developer, outbox},
	}
}

// developerPage leads to what programmers need.
type developerPage struct {
	ui.Frame
	Doors []step
}

func developer(v *visit) error {
	p := &developerPage{Frame: v.settingsFrame("settings.developer")}
	p.Lead = v.words.Rich("developer.lead")
	for _, d := range []struct{ key, path, icon string }{
		{"reference", "/api/docs", "file"}, {"openapi", "/api/openapi.json", "download"}, {"tokens", "/settings/tokens", "link"}, {"outbox", "/developer/outbox", "mail"},
	} {
		p.Doors = append(p.Doors, step{Title: v.t("developer." + d.key), Text: v.t("developer." + d.key + ".text"),
			Action: ui.Action{Title: v.t("developer.open"), Href: d.path, Icon: d.icon, Primary: len(p.Doors) == 0}})
	}
	return v.render("developer", p)
}

// outboxPage lists the last mails. What a mail says is shown only where it stays here for want of a mail server: a link in
// it lets in whoever has it.
type outboxPage struct {
	ui.Frame
	Table ui.Table
	Mails []mail.Sent // those that can be read here
}

// mostMails is how many mails the page shows.
const mostMails = 50

func outbox(v *visit) error {
	mails, err := v.Mail.Recent(v.ctx(), v.org().ID, mostMails)
	if err != nil {
		return err
	}
	if v.Dev { // those about passwords belong to people, in whatever organisation
		personal, err := v.Mail.Recent(v.ctx(), 0, mostMails)
		if err != nil {
			return err
		}
		mails = append(personal, mails...)
	}
	p := &outboxPage{Frame: v.under(v.t("developer.outbox"), ui.Link{Title: v.t("settings.developer"), Href: "/developer"})}
	if v.Mail.Configured() {
		p.Lead = v.words.Rich("outbox.lead.sent", "Count", len(mails))
	} else {
		p.Lead = v.words.Rich("outbox.lead.local", "Count", len(mails))
	}
	readable := v.Dev || v.actor.Can(account.ManageOrg)
	p.Table = ui.Table{Title: v.t("developer.outbox"), Columns: []ui.Column{{Title: v.t("outbox.subject")}, {Title: v.t("outbox.to")}, {Title: v.t("outbox.when")}, {Title: v.t("invitation.state")}}}
	for _, m := range mails {
		state := &ui.Tag{Text: v.t("outbox." + string(m.State)), Kind: mailKind(m.State)}
		row := ui.Row{Cells: []ui.Cell{{Text: m.Subject, Strong: true}, {Text: m.To}, {Ago: m.CreatedAt}, {Tag: state, Sub: m.Sentence}}}
		if m.State == mail.Local && readable {
			row.Cells[0].Href = "#" + m.ID
			p.Mails = append(p.Mails, m)
		}
		p.Table.Rows = append(p.Table.Rows, row)
	}
	p.Table.Empty = &ui.Empty{Icon: "mail", Title: v.t("outbox.none"), Text: v.t("outbox.none.text")}
	return v.render("outbox", p)
}

func mailKind(s mail.State) ui.Kind {
	switch s {
	case mail.Done:
		return ui.Good
	case mail.Failed:
		return ui.Bad
	case mail.Waiting:
		return ui.Info
	default:
		return ui.Plain
	}
}
