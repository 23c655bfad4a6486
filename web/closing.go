package web

import (
	"strings"
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/web/ui"
)

// closingRoutes close the organisation, and take it back.
func (s *site) closingRoutes() []route {
	return []route{
		{"GET /settings/close", account.CloseOrg, closing},
		{"POST /settings/close", account.CloseOrg, closeOrganisation},
		{"POST /settings/close/undo", account.CloseOrg, reopenOrganisation},
	}
}

// closingPage closes the organisation, or says when it will be gone.
type closingPage struct {
	ui.Frame
	Close *form // nil while it is being closed
	Undo  *ui.Action
	Facts []ui.Fact
}

func (p *closingPage) mark() {
	if p.Close != nil {
		p.Close.Errors = p.Errors
		p.Close.mark()
	}
}

func (v *visit) closingPage() (*closingPage, error) {
	p := &closingPage{Frame: v.settingsFrame("close.title")}
	org := v.org()
	if org.Closing() {
		names, err := v.namesOfMembers()
		if err != nil {
			return nil, err
		}
		p.Lead = v.words.Rich("close.lead.closing", "Day", v.words.DateTime(org.ClosesAt))
		p.Facts = []ui.Fact{{Title: v.t("close.asked"), Cell: ui.Cell{Text: v.words.DateTime(org.ClosingAt)}}, {Title: v.t("close.by"), Cell: ui.Cell{Text: nonEmpty(names[org.ClosingBy], "–")}}}
		p.Undo = &ui.Action{Title: v.t("close.undo"), Post: true, Primary: true, Href: "/settings/close/undo"}
		return p, nil
	}
	p.Lead = v.words.Rich("close.lead", "Name", org.Name)
	p.Close = &form{Action: "/settings/close", Submit: v.t("close.submit"), Danger: true, Sections: []section{{Fields: []ui.Field{
		{Name: "days", Label: v.t("close.days"), Help: v.t("close.days.help"), Type: "number", Size: "short", Mode: "numeric", Min: "1", Max: "30", Value: nonEmpty(v.form("days"), "7")},
		{Name: "name", Label: v.t("close.name", "Name", org.Name), Value: v.form("name"), Size: "medium", Complete: "off"},
	}}}}
	return p, nil
}

func closing(v *visit) error {
	p, err := v.closingPage()
	if err != nil {
		return err
	}
	return v.render("closing", p)
}

func closeOrganisation(v *visit) error {
	days, err := v.whole("days")
	switch {
	case !strings.EqualFold(v.form("name"), v.org().Name):
		err = fault.Field("name", "This is not the organisation's name, so nothing was closed. Type %q to close it.", v.org().Name)
	case err != nil:
	case days < 1:
		err = fault.Field("days", "Leave at least one day to change your mind.")
	default:
		var org *account.Org
		if org, err = v.Accounts.CloseOrg(v.ctx(), v.actor, time.Duration(days)*24*time.Hour); err == nil {
			return v.to("/settings/close", v.good("close.begun", "Day", v.words.Date(civil.DayOf(org.ClosesAt, org.Location()))))
		}
	}
	p, pageErr := v.closingPage()
	if pageErr != nil {
		return pageErr
	}
	return v.again("closing", p, err)
}

func reopenOrganisation(v *visit) error {
	if _, err := v.Accounts.ReopenOrg(v.ctx(), v.actor); err != nil {
		return err
	}
	return v.to("/settings", v.good("close.undone"))
}

// closingNotice tells on every page that the organisation is being closed, and leads whoever can take that back there.
func (v *visit) closingNotice() *ui.Link {
	org := v.org()
	if !org.Closing() {
		return nil
	}
	out := &ui.Link{Title: v.t("close.notice", "Day", v.words.DateTime(org.ClosesAt))}
	if v.actor.Can(account.CloseOrg) {
		out.Title, out.Href = v.t("close.notice.undo", "Day", v.words.DateTime(org.ClosesAt)), "/settings/close"
	}
	return out
}
