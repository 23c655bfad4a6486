package web

import (
	"net/http"
	"net/url"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/file"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/web/ui"
)

// fileList is what is filed about a contact.
type fileList struct {
	Send  string // where a file is sent; "" for who may not file any
	Back  string // the page to come back to
	Files []fileCard
}

// fileCard is one file.
type fileCard struct {
	Name, Href, About string
	Time              ui.Cell
	Drop              *ui.Action
}

// filesOf lists the files about a contact; nil where there are none and the reader may file none.
func (d *desk) filesOf(c *contact.Contact, back string) (*fileList, error) {
	all, err := d.Files.Of(d.ctx(), d.DB, d.org().ID, c.ID)
	if err != nil {
		return nil, err
	}
	out := &fileList{Back: back}
	if d.actor.Can(account.WriteLeads) {
		out.Send = contactPath(c.ID) + "/files"
	}
	for i := range all {
		f := &all[i]
		card := fileCard{Name: f.Name, Href: file.Link(c.ID, f.ID), About: d.kilobytes(f.Size), Time: ui.Cell{Time: f.At}}
		if by := d.names[f.By]; by != "" {
			card.About += " · " + by
		}
		if f.By == d.actor.Member.ID && d.actor.Can(account.WriteLeads) || d.actor.Can(account.DeleteLeads) {
			card.Drop = &ui.Action{Title: d.t("contact.file.drop"), Href: card.Href + "/delete", Post: true, Icon: "trash", Fields: []ui.Param{{Name: "back", Value: back}},
				Confirm: d.t("contact.file.drop.confirm", "Name", f.Name), ConfirmText: d.t("contact.file.drop.text")}
		}
		out.Files = append(out.Files, card)
	}
	if out.Send == "" && len(out.Files) == 0 {
		return nil, nil
	}
	return out, nil
}

func addContactFile(v *visit) error {
	_, c, err := v.theContact()
	if err != nil {
		return err
	}
	fields := url.Values{}
	up, err := v.upload("Choose a file first.", file.MaxSize, fault.New(fault.TooLarge, "The file is larger than the %d MB that are kept. Make it smaller, or keep it elsewhere and write down where.", file.MaxSize>>20), fields)
	back := contactPath(c.ID)
	if b := fields.Get("back"); b != "" {
		back = local(b)
	}
	if err != nil {
		return v.refuse(back, err)
	}
	defer func() { _ = up.file.Close() }()
	var f *file.File
	err = v.DB.Tx(v.ctx(), func(tx *db.Tx) (err error) {
		f, err = v.Files.Add(v.ctx(), tx, v.org().ID, v.actor.Member.ID, file.NewFile{Contact: c.ID, Name: up.name, Content: up.file, Size: up.size})
		return err
	})
	if err != nil {
		return v.refuse(back, err)
	}
	return v.to(back, v.good("contact.filed", "Name", f.Name))
}

// refuse goes back to the page of a form with what is wrong with the file that it brought. Other errors are told as ever.
func (v *visit) refuse(back string, err error) error {
	if k := fault.KindOf(err); k != fault.Invalid && k != fault.TooLarge && k != fault.Conflict {
		return err
	}
	return v.to(back, ui.Flash{Kind: ui.Bad, Text: fault.Sentence(err)})
}

// contactFile gives a file to be kept: it is never shown in place, since what is in it came from outside.
func contactFile(v *visit) error {
	_, c, err := v.theContact()
	if err != nil {
		return err
	}
	if err := v.Contacts.CheckUse(v.ctx(), v.DB, v.org().ID, c); err != nil {
		return err
	}
	f, err := v.Files.Get(v.ctx(), v.DB, v.org().ID, c.ID, file.ID(v.r.PathValue("file")))
	if err != nil {
		return err
	}
	content, err := v.Files.Open(v.ctx(), v.DB, v.org().ID, f)
	if err != nil {
		return err
	}
	d := &download{w: v.w, kind: f.Type, name: f.Name}
	d.headers()
	http.ServeContent(v.w, v.r, "", time.Time{}, content)
	return nil
}

func dropContactFile(v *visit) error {
	_, c, err := v.theContact()
	if err != nil {
		return err
	}
	var f *file.File
	err = v.DB.Tx(v.ctx(), func(tx *db.Tx) (err error) {
		f, err = v.Files.Drop(v.ctx(), tx, v.org().ID, v.actor.Member.ID, v.actor.Can(account.DeleteLeads), c.ID, file.ID(v.r.PathValue("file")))
		return err
	})
	if err != nil {
		return err
	}
	return v.to(v.back(contactPath(c.ID)), v.good("contact.file_dropped", "Name", f.Name))
}
