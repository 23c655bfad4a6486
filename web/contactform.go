package web

import (
	"strconv"
	"strings"

	"parley/account"
	"parley/calls/call"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/timeline"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/consent"
	"parley/web/ui"
)

// contactForm is the form of a new contact, or of one that is there.
func (d *desk) contactForm(c *contact.Contact) (*form, error) {
	p := &form{Frame: d.under(d.t("contact.new"), ui.Link{Title: d.t("nav.contacts"), Href: "/contacts"}), Submit: d.t("contact.new.submit")}
	who, tags := contact.Person{}, ""
	if c != nil {
		who, tags = c.Person, strings.Join(c.Tags, ", ")
		p.Frame = d.under(d.t("contact.edit"), ui.Link{Title: d.t("nav.contacts"), Href: "/contacts"}, ui.Link{Title: d.contactName(c), Href: contactPath(c.ID)})
		p.Submit = d.t("contact.edit.submit")
		p.Hidden = []ui.Param{{Name: "rev", Value: nonEmpty(d.form("rev"), strconv.FormatInt(c.Rev, 10))}}
	}
	fields := d.personFields(who, true)
	more := []ui.Field{
		{Name: "title", Label: d.t("contact.title"), Value: who.Title, Optional: true, Size: "medium"},
		{Name: "language", Label: d.t("contact.language"), Help: d.t("contact.language.help"), Value: who.Language, Optional: true, Size: "short"},
		{Name: "photo", Label: d.t("contact.photo"), Help: d.t("contact.photo.help"), Type: "url", Value: who.Photo, Optional: true},
		{Name: "tags", Label: d.t("lead.tags"), Help: d.t("lead.tags.help"), Value: tags, Optional: true},
	}
	if d.r.Method != "GET" {
		for i := range more {
			more[i].Value = d.typed(more[i].Name)
		}
	}
	p.Sections = []section{{Fields: append(fields, more...)}}
	part, err := d.customSection(field.OfContact, who.Custom)
	if len(part.Fields) > 0 {
		p.Sections = append(p.Sections, part)
	}
	return p, err
}

func newContact(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	p, err := d.contactForm(nil)
	if err != nil {
		return err
	}
	return v.render("form", p)
}

// typedPerson reads the whole form of a contact over what is known already.
func (d *desk) typedPerson(who contact.Person) (contact.Person, []string, error) {
	who = d.personOf(who)
	who.Title, who.Language, who.Photo = d.form("title"), d.form("language"), d.form("photo")
	custom, err := d.customOf(field.OfContact)
	who.Custom = custom
	return who, strings.Split(d.form("tags"), ","), err
}

func addContact(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	var c *contact.Contact
	who, tags, err := d.typedPerson(contact.Person{})
	if err == nil {
		c, err = d.addContact(who, tags)
	}
	if err != nil {
		p, formErr := d.contactForm(nil)
		if formErr != nil {
			return formErr
		}
		return v.again("form", p, err)
	}
	return v.to(contactPath(c.ID), v.good("contact.added"))
}

func (d *desk) addContact(who contact.Person, tags []string) (c *contact.Contact, err error) {
	var done func()
	err = d.DB.Tx(d.ctx(), func(tx *db.Tx) error {
		known, err := d.Contacts.Known(d.ctx(), tx, d.org(), d.sight, who)
		if err == nil && known != nil {
			err = fault.Field("number", "%s is in your contacts already, with this number or address. Open that contact and change it there.", d.contactName(known))
		}
		if err != nil {
			return err
		}
		c, done, err = d.Contacts.Add(d.ctx(), tx, d.org(), d.actor.Member.ID, contact.New{Person: who, Tags: tags, Owner: d.actor.Member.ID, Origin: "manual"})
		return err
	})
	if err == nil {
		done()
	}
	return c, err
}

func editContact(v *visit) error {
	d, c, err := v.theContact()
	if err != nil {
		return err
	}
	p, err := d.contactForm(c)
	if err != nil {
		return err
	}
	return v.render("form", p)
}

func changeContact(v *visit) error {
	d, c, err := v.theContact()
	if err != nil {
		return err
	}
	rev, err := strconv.ParseInt(v.form("rev"), 10, 64)
	if err != nil {
		return fault.New(fault.Invalid, "The form lacks the contact's version. Open the page again.")
	}
	who, tags, err := d.typedPerson(c.Person)
	if err == nil {
		err = v.settle(func(tx *db.Tx) (func(), error) {
			_, done, err := v.Contacts.Change(v.ctx(), tx, v.org(), v.actor.Member.ID, c.ID, rev, who, tags)
			return done, err
		})
	}
	if err != nil {
		p, formErr := d.contactForm(c)
		if formErr != nil {
			return formErr
		}
		return v.again("form", p, err)
	}
	return v.to(contactPath(c.ID), v.good("contact.changed"))
}

// settle runs a change in a transaction, and what follows it once that has committed.
func (v *visit) settle(do func(tx *db.Tx) (committed func(), err error)) error {
	var committed func()
	err := v.DB.Tx(v.ctx(), func(tx *db.Tx) (err error) {
		committed, err = do(tx)
		return err
	})
	if err == nil && committed != nil {
		committed()
	}
	return err
}

// otherContact is the contact that a form names beside the one of the address.
func (d *desk) otherContact() (*contact.Contact, error) {
	o, err := d.Contacts.Get(d.ctx(), d.DB, d.org().ID, d.sight, contact.ID(d.form("other")))
	if err == nil {
		d.concernContact(o)
	}
	return o, err
}

func mergeContact(v *visit) error {
	d, c, err := v.theContact()
	if err != nil {
		return err
	}
	o, err := d.otherContact()
	if err != nil {
		return err
	}
	err = v.settle(func(tx *db.Tx) (func(), error) {
		_, done, err := v.Contacts.Merge(v.ctx(), tx, v.org(), v.actor.Member.ID, c.ID, o.ID)
		return done, err
	})
	if err != nil {
		return err
	}
	return v.to(contactPath(c.ID), v.good("contact.merged"))
}

// splitContact takes a merge back. The address names the contact that was merged, which the reader sees as the other one.
func splitContact(v *visit) error {
	_, into, err := v.theContact()
	if err != nil {
		return err
	}
	var c *contact.Contact
	err = v.settle(func(tx *db.Tx) (done func(), err error) {
		c, done, err = v.Contacts.Split(v.ctx(), tx, v.org(), v.actor.Member.ID, contact.ID(v.r.PathValue("contact")))
		return done, err
	})
	if err != nil {
		return err
	}
	v.concernContact(c)
	return v.to(contactPath(into.ID), v.good("contact.split_done"))
}

func contactsApart(v *visit) error {
	d, c, err := v.theContact()
	if err != nil {
		return err
	}
	o, err := d.otherContact()
	if err != nil {
		return err
	}
	err = v.DB.Tx(v.ctx(), func(tx *db.Tx) error {
		return v.Contacts.Apart(v.ctx(), tx, v.org().ID, v.actor.Member.ID, c.ID, o.ID)
	})
	if err != nil {
		return err
	}
	return v.to(v.back(contactPath(c.ID)), v.good("contact.kept_apart"))
}

// twinsPage lists who may be in the contacts twice.
type twinsPage struct {
	ui.Frame
	Groups []twinGroup
	Older  string
	Empty  *ui.Empty
}

type twinGroup struct {
	Name, Href string
	Twins      []twinCard
}

func twins(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	groups, next, err := v.Contacts.Duplicates(v.ctx(), v.DB, v.org().ID, d.sight, v.query("after"), 30)
	if err != nil {
		return err
	}
	p := &twinsPage{Frame: v.under(v.t("contact.twins"), ui.Link{Title: v.t("nav.contacts"), Href: "/contacts"})}
	p.Lead = v.words.Rich("contact.twins.lead")
	for _, g := range groups {
		one := g.Contacts[0]
		group := twinGroup{Name: nonEmpty(v.contactName(one), v.t("contact.nameless")), Href: contactPath(one.ID)}
		for _, o := range g.Contacts[1:] {
			group.Twins = append(group.Twins, d.twinCard(one, o, []string{g.Why}))
			v.concernContact(o)
		}
		v.concernContact(one)
		p.Groups = append(p.Groups, group)
	}
	if next != "" {
		p.Older = "/contacts/twins?after=" + next
	}
	if len(p.Groups) == 0 {
		p.Empty = &ui.Empty{Icon: "check", Title: v.t("contact.twins.none"), Text: v.t("contact.twins.none.text")}
	}
	return v.render("contact-twins", p)
}

// timelineItem is one thing of a timeline as the page shows it.
type timelineItem struct {
	Icon, Title, Text, By, Href, Source string
	Time                                ui.Cell
	Tags                                []ui.Tag
	Drop                                *ui.Action
}

func (d *desk) timelineItem(i *timeline.Item, c *contact.Contact, agents names, defs []field.Def) timelineItem {
	out := timelineItem{Icon: timelineIcon(i.Kind), Title: d.t("timeline.kind." + string(i.Kind)), Href: i.Link, By: d.names[i.By], Time: ui.Cell{Time: i.At}, Source: i.Source}
	switch i.Kind {
	case timeline.Call:
		d.timelineCall(&out, i, agents)
	case timeline.Note:
		out.Text = i.Note.Text
		if i.Note.By == d.actor.Member.ID && d.actor.Can(account.WriteLeads) {
			out.Drop = &ui.Action{Title: d.t("contact.note_drop"), Href: contactPath(c.ID) + "/notes/" + string(i.Note.ID) + "/delete", Post: true, Icon: "trash", Confirm: d.t("contact.note_drop.confirm"), ConfirmText: d.t("contact.note_drop.text")}
		}
	case timeline.FollowUp:
		out.Title = d.t("timeline.follow_up." + i.Step)
		out.Text = i.FollowUp.Text
	case timeline.Change:
		d.timelineChange(&out, i, defs)
	case timeline.Consent:
		out.Title = d.t("timeline.consent." + string(i.Consent.State))
		out.Text = d.purposeTitle(i.Consent.Purpose)
		if i.Consent.State == consent.Withdrawn {
			out.Icon = "block"
		}
	case timeline.Message:
		out.Text = i.Message.Subject
	case timeline.Request:
		out.Text = d.t("request.kind." + string(i.Request.Kind))
	case timeline.Filed:
		out.Title, out.Text = d.t("timeline.file"), d.kilobytes(i.File.Size)
		out.Tags = append(out.Tags, ui.Tag{Text: i.File.Name})
	case timeline.Origin:
		out.Title = d.t("timeline.origin." + i.Origin)
	}
	return out
}

func timelineIcon(k timeline.Kind) string {
	switch k {
	case timeline.Call:
		return "call"
	case timeline.Note:
		return "note"
	case timeline.FollowUp:
		return "clock"
	case timeline.Consent:
		return "shield"
	case timeline.Message:
		return "mail"
	case timeline.Request:
		return "shield"
	case timeline.Filed:
		return "file"
	case timeline.Origin:
		return "import"
	default:
		return "edit"
	}
}

func (d *desk) timelineCall(out *timelineItem, i *timeline.Item, agents names) {
	c := i.Call
	out.By = agents.of(i.Agent)
	out.Title = d.t("timeline.call." + direction(c.Row.Direction))
	tag := d.outcomeTag(c.Outcome, c.Row.Direction)
	out.Tags = append(out.Tags, *tag)
	if c.Row.Seconds > 0 {
		out.Text = d.words.Duration(int64(c.Row.Seconds))
	}
	if c.Note != "" {
		out.Text = strings.TrimSpace(out.Text + " · " + c.Note)
	}
	for _, t := range c.Tags {
		out.Tags = append(out.Tags, ui.Tag{Text: t})
	}
}

func direction(dir call.Direction) string {
	if dir == call.Outgoing {
		return "out"
	}
	return "in"
}

func (d *desk) timelineChange(out *timelineItem, i *timeline.Item, defs []field.Def) {
	var lines []string
	for _, e := range i.Lead {
		lines = append(lines, d.eventText(e, defs))
		if e.Why != "" {
			lines = append(lines, "“"+e.Why+"”")
		}
	}
	if len(i.Lead) > 0 {
		out.Title = d.t("timeline.lead")
	}
	for _, e := range i.Contact {
		lines = append(lines, d.t("timeline.contact_field", "Field", d.contactField(e.Field)))
	}
	out.Text = strings.Join(lines, "; ")
}

// contactField names a field of a contact's history.
func (d *desk) contactField(name string) string {
	if key, ok := strings.CutPrefix(name, "custom."); ok {
		return key
	}
	return d.t("contact.field." + name)
}
