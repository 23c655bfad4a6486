package web

import (
	"time"

	"parley/account"
	"parley/trust/rights"
	"parley/web/ui"
)

// myDataRoutes let everybody take what is kept about them, and leave.
func (s *site) myDataRoutes() []route {
	return []route{
		{"POST /me/data", SignedIn, takeMyData},
		{"GET /me/data/{request}", SignedIn, fetchMyData},
		{"POST /me/leave", SignedIn, leave},
		{"POST /me/stay", SignedIn, stay},
	}
}

// myData is the part of one's own page about one's rights.
type myData struct {
	Take     ui.Action
	Packages []ui.Link // that wait to be fetched; Count is when they were made
	Leaving  *ui.Note  // nil while the account stays
	Leave    *ui.Action
	Text     string  // what leaving means
	Others   ui.Link // to other requests
}

func (v *visit) myData() (*myData, error) {
	name, err := v.Policies.Name(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	p := &myData{Take: ui.Action{Title: v.t("me.data.take"), Href: "/me/data", Post: true, Icon: "download"}, Others: ui.Link{Title: v.t("me.requests"), Href: "/privacy/" + name + "/request"}}
	all, err := v.Rights.Mine(v.ctx(), v.actor)
	if err != nil {
		return nil, err
	}
	for _, q := range all {
		until, _, err := v.Rights.Ready(v.ctx(), q.Org, q.ID)
		if err != nil {
			return nil, err
		}
		if !until.IsZero() {
			p.Packages = append(p.Packages, ui.Link{Title: v.t("me.data.get"), Href: "/me/data/" + q.ID, Count: v.t("me.data.ready", "Day", v.words.DateTime(q.Received), "Until", v.day(until))})
		}
	}
	leaving, err := v.Rights.Leaving(v.ctx(), v.actor)
	if err != nil {
		return nil, err
	}
	undo, err := v.undoWindow()
	if err != nil {
		return nil, err
	}
	if leaving != nil {
		p.Leaving = &ui.Note{Kind: ui.Warn, Text: v.t("me.leaving", "Day", v.day(leaving.RunAfter)), Action: &ui.Action{Title: v.t("me.leaving.undo"), Href: "/me/stay", Post: true, Primary: true}}
		return p, nil
	}
	p.Text = v.t("me.leave.text", "Days", int(undo.Hours()/24))
	p.Leave = &ui.Action{Title: v.t("me.leave"), Href: "/me/leave", Post: true, Danger: true, Confirm: v.t("me.leave.confirm"), ConfirmText: p.Text}
	return p, nil
}

// undoWindow is how long leaving can be taken back, as the policy promises.
func (v *visit) undoWindow() (time.Duration, error) {
	doc, err := v.Policies.Current(v.ctx(), v.org().ID)
	if err != nil {
		return 0, err
	}
	if !doc.Deadlines.Undo.Said() {
		return account.UsualUndo, nil
	}
	now := v.Now()
	return doc.Deadlines.Undo.After(now, nil).Sub(now), nil
}

func takeMyData(v *visit) error {
	if _, err := v.Rights.Self(v.ctx(), v.actor, rights.Ask{Kind: rights.Access, Locale: v.words.Lang()}); err != nil {
		return err
	}
	return v.to("/me#data", v.good("me.data.made"))
}

func fetchMyData(v *visit) error {
	from, q, err := v.Rights.FetchMine(v.ctx(), v.actor, v.r.PathValue("request"))
	if err != nil {
		return err
	}
	return v.sendFile(rights.PackageName(q.ID), "application/zip", from)
}

func leave(v *visit) error {
	undo, err := v.undoWindow()
	if err != nil {
		return err
	}
	if _, err := v.Rights.DeleteAccount(v.ctx(), v.actor, undo); err != nil {
		return err
	}
	return v.to("/me#data")
}

func stay(v *visit) error {
	if err := v.Rights.Undo(v.ctx(), v.actor); err != nil {
		return err
	}
	return v.to("/me#data", v.good("me.leaving.undone"))
}
