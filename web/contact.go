package web

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/crm/timeline"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/web/ui"
)

// contactRoutes show the people outside, and change what is known of them.
func (s *site) contactRoutes() []route {
	return []route{
		{"GET /contacts", account.ReadLeads, contacts},
		{"GET /contacts/twins", account.WriteLeads, twins},
		{"GET /contacts/new", account.WriteLeads, newContact},
		{"POST /contacts/new", account.WriteLeads, addContact},
		{"GET /contacts/{contact}", account.ReadLeads, contactPage},
		{"GET /contacts/{contact}/edit", account.WriteLeads, editContact},
		{"POST /contacts/{contact}/edit", account.WriteLeads, changeContact},
		{"POST /contacts/{contact}/notes", account.WriteLeads, addContactNote},
		{"POST /contacts/{contact}/notes/{note}/delete", account.WriteLeads, dropContactNote},
		{"POST /contacts/{contact}/files", account.WriteLeads, addContactFile},
		{"GET /contacts/{contact}/files/{file}", account.ReadLeads, contactFile},
		{"POST /contacts/{contact}/files/{file}/delete", account.WriteLeads, dropContactFile},
		{"POST /contacts/{contact}/owner", account.AssignLeads, giveContact},
		{"POST /contacts/{contact}/merge", account.WriteLeads, mergeContact},
		{"POST /contacts/{contact}/split", account.WriteLeads, splitContact},
		{"POST /contacts/{contact}/apart", account.WriteLeads, contactsApart},
		{"POST /contacts/{contact}/delete", account.DeleteLeads, deleteContact},
	}
}

// contactsPage is the list of contacts.
type contactsPage struct {
	ui.Frame
	Add     *ui.Action
	More    []ui.Action
	Filters *leadFilterForm
	Table   ui.Table
}

func contacts(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	page, err := v.Contacts.List(v.ctx(), v.DB, v.org().ID, d.sight, v.contactAsk())
	if err != nil {
		return err
	}
	p := &contactsPage{Frame: v.frame(v.t("nav.contacts"))}
	p.Lead = v.words.Rich("contact.lead", "Count", page.Count)
	if v.actor.Can(account.WriteLeads) {
		p.Add = &ui.Action{Title: v.t("contact.add"), Href: "/contacts/new", Icon: "plus", Primary: true}
		p.More = []ui.Action{{Title: v.t("contact.twins"), Href: "/contacts/twins", Icon: "people"}}
	}
	if v.actor.Can(account.ImportLeads) {
		p.More = append(p.More, ui.Action{Title: v.t("intake.contacts.import"), Href: "/leads/imports/new?kind=contacts", Icon: "import"})
	}
	if p.Filters, err = d.contactFilters(); err != nil {
		return err
	}
	p.Table = d.contactTable(page)
	p.Table.Exports = v.exports("/contacts/export", "csv", "xlsx", "vcf")
	if page.Count == 0 && !p.Filters.Narrowed {
		p.Table.Empty = &ui.Empty{Icon: "people", Title: v.t("contact.none"), Text: v.t("contact.none.text"), Action: p.Add}
	}
	return v.render("contacts", p)
}

func (d *desk) contactFilters() (*leadFilterForm, error) {
	f := &leadFilterForm{Action: "/contacts", Clear: "/contacts"}
	f.Fields = append(f.Fields, ui.Field{Name: "q", Label: d.t("lead.find"), Type: "search", Value: d.query("q")})
	if d.actor.Member.Role != account.Agent {
		owners := []ui.Option{{Title: d.t("lead.any_owner")}, {Value: "me", Title: d.t("lead.mine")}, {Value: "none", Title: d.t("lead.unowned")}}
		f.Fields = append(f.Fields, ui.Field{Name: "owner", Label: d.t("lead.owner"), Type: "select", Value: d.query("owner"), Options: append(owners, d.owners()[1:]...)})
	}
	tags, err := d.Contacts.Tags(d.ctx(), d.DB, d.org().ID)
	if len(tags) > 0 {
		all := []ui.Option{{Title: d.t("lead.any_tag")}}
		for _, t := range tags {
			all = append(all, ui.Option{Value: t.Tag, Title: t.Tag + " (" + d.words.Number(int64(t.Contacts)) + ")"})
		}
		f.Fields = append(f.Fields, ui.Field{Name: "tag", Label: d.t("lead.tag"), Type: "select", Value: d.query("tag"), Options: all})
	}
	f.Narrowed = d.query("q") != "" || d.query("owner") != "" || d.query("tag") != ""
	return f, err
}

func (d *desk) contactTable(page *contact.Page) ui.Table {
	t := ui.Table{Title: d.t("nav.contacts"), Note: d.words.Number(page.Count), Columns: []ui.Column{
		{Title: d.t("contact.name")}, {Title: d.t("contact.number")}, {Title: d.t("contact.email")}, {Title: d.t("lead.owner")}, {Title: d.t("contact.last_activity")},
	}}
	for _, c := range page.Contacts {
		t.Rows = append(t.Rows, d.contactRow(c))
	}
	q := d.r.URL.Query()
	if page.Cursor != "" || d.query("after") != "" {
		t.Pager = &ui.Pager{}
		if d.query("after") != "" {
			q.Del("after")
			t.Pager.First = "/contacts?" + q.Encode()
		}
		if page.Cursor != "" {
			q.Set("after", page.Cursor)
			t.Pager.Older = "/contacts?" + q.Encode()
		}
	}
	t.Empty = &ui.Empty{Icon: "search", Title: d.t("contact.none_found"), Text: d.t("contact.none_found.text")}
	return t
}

func (d *desk) contactRow(c *contact.Contact) ui.Row {
	name := ui.Cell{Text: nonEmpty(d.contactName(c), d.t("contact.nameless")), Href: contactPath(c.ID), Strong: true}
	if c.Person.Company != name.Text {
		name.Sub = c.Person.Company
	}
	for _, t := range c.Tags {
		name.Tags = append(name.Tags, ui.Tag{Text: t})
	}
	var number, email ui.Cell
	if n := c.Person.Numbers; len(n) > 0 {
		number.Text = d.phone(n[0].Text)
		if len(n) > 1 {
			number.Sub = d.t("contact.more_numbers", "Count", len(n)-1)
		}
	}
	if e := c.Person.Emails; len(e) > 0 {
		email.Text = e[0].Text
	}
	return ui.Row{Cells: []ui.Cell{name, number, email, {Text: d.ownerName(c.Owner), Muted: c.Owner == ""}, {Ago: c.Last}}}
}

// contactPageStruct is one contact with everything that happened.
type contactPageStruct struct {
	ui.Frame
	Warns  []ui.Note
	Acts   []ui.Action
	Facts  []ui.Fact
	Leads  ui.Table
	Plan   *followUpList
	Give   *leadGive
	Rev    int64
	Note   string // where a note is sent; "" for who may not write any
	Files  *fileList
	Kinds  []ui.Link
	Events []timelineItem
	Hidden string
	Older  string
	Twins  []twinCard
	Merged []mergedCard
	Danger []ui.Action
}

// twinCard is somebody who may be the same person.
type twinCard struct {
	Name, Href, Why string
	Merge, Apart    ui.Action
}

// mergedCard is a contact that became part of this one.
type mergedCard struct {
	Name  string
	Split ui.Action
}

// theContact is the contact of the address, if the reader sees them.
func (v *visit) theContact() (*desk, *contact.Contact, error) {
	d, err := v.desk()
	if err != nil {
		return nil, nil, err
	}
	c, err := v.Contacts.Get(v.ctx(), v.DB, v.org().ID, d.sight, contact.ID(v.r.PathValue("contact")))
	if err != nil {
		return nil, nil, err
	}
	v.concernContact(c)
	return d, c, nil
}

func contactPage(v *visit) error {
	d, c, err := v.theContact()
	if err != nil {
		return err
	}
	if string(c.ID) != v.r.PathValue("contact") { // merged since the link was made
		return v.to(contactPath(c.ID))
	}
	if err := v.Contacts.CheckUse(v.ctx(), v.DB, v.org().ID, c); err != nil {
		return err
	}
	p := &contactPageStruct{Frame: v.frame(nonEmpty(v.contactName(c), v.t("contact.nameless"))), Rev: c.Rev}
	p.Crumbs = []ui.Link{{Title: v.t("nav.contacts"), Href: "/contacts"}}
	p.Acts = v.dials(c)
	p.Facts = v.contactFacts(c)[1:]
	if p.Warns, err = d.talkNotes(c.Nums); err != nil {
		return err
	}
	if err := d.ownContactFacts(p, c); err != nil {
		return err
	}
	if v.actor.Can(account.WriteLeads) {
		p.Acts = append(p.Acts, ui.Action{Title: v.t("contact.edit"), Href: contactPath(c.ID) + "/edit", Icon: "edit"}, ui.Action{Title: v.t("lead.add"), Href: "/leads/new?contact=" + string(c.ID), Icon: "plus"})
		p.Note = contactPath(c.ID) + "/notes"
		if err := d.contactTwins(p, c); err != nil {
			return err
		}
	}
	if v.actor.Can(account.AssignLeads) {
		p.Give = &leadGive{Action: contactPath(c.ID) + "/owner", Owner: ui.Field{Name: "owner", Label: v.t("lead.give"), Type: "select", Value: string(c.Owner), Options: d.owners(), Size: "medium"}}
	}
	if v.actor.Can(account.DeleteLeads) {
		p.Danger = []ui.Action{{Title: v.t("contact.delete"), Href: contactPath(c.ID) + "/delete", Post: true, Danger: true, Icon: "trash", Confirm: v.t("contact.delete.confirm"), ConfirmText: v.t("contact.delete.text")}}
	}
	if p.Plan, err = d.followUpsOf(followup.Filter{Contact: c.ID}, ui.Param{Name: "contact", Value: string(c.ID)}, v.actor.Member.ID, contactPath(c.ID)); err != nil {
		return err
	}
	if p.Files, err = d.filesOf(c, contactPath(c.ID)); err != nil {
		return err
	}
	if err := d.contactLeads(p, c); err != nil {
		return err
	}
	if err := d.contactTimeline(p, c); err != nil {
		return err
	}
	return v.render("contact", p)
}

func (d *desk) ownContactFacts(p *contactPageStruct, c *contact.Contact) error {
	defs, err := d.Fields.Of(d.ctx(), d.DB, d.org().ID, field.OfContact)
	for _, def := range defs {
		if value := c.Person.Custom[def.Key]; value != "" {
			p.Facts = append(p.Facts, ui.Fact{Title: def.Title, Cell: ui.Cell{Text: d.customText(def, value)}})
		}
	}
	if len(c.Tags) > 0 {
		cell := ui.Cell{}
		for _, t := range c.Tags {
			cell.Tags = append(cell.Tags, ui.Tag{Text: t, Href: "/contacts?" + url.Values{"tag": {t}}.Encode()})
		}
		p.Facts = append(p.Facts, ui.Fact{Title: d.t("lead.tags"), Cell: cell})
	}
	p.Facts = append(p.Facts, ui.Fact{Title: d.t("lead.owner"), Cell: ui.Cell{Text: d.ownerName(c.Owner), Muted: c.Owner == ""}},
		ui.Fact{Title: d.t("contact.since"), Cell: ui.Cell{Time: c.Made, Sub: d.names[c.MadeBy]}})
	return err
}

func (d *desk) contactLeads(p *contactPageStruct, c *contact.Contact) error {
	all, err := d.Leads.OfContacts(d.ctx(), d.DB, d.org().ID, c.ID)
	if err != nil {
		return err
	}
	p.Leads = ui.Table{Title: d.t("nav.leads"), Columns: []ui.Column{{Title: d.t("lead.stage")}, {Title: d.t("lead.worth"), Numeric: true}, {Title: d.t("lead.due")}}}
	for _, l := range all {
		if !d.sight.Sees(l.Owner) {
			continue
		}
		stage := ui.Cell{Text: d.stageTitle(l.Pipeline, l.Stage), Href: "/leads/" + string(l.ID), Strong: true, Sub: d.ownerName(l.Owner)}
		if l.State != lead.Open {
			stage.Sub = d.t("lead.state."+l.State.String()) + ", " + stage.Sub
		}
		p.Leads.Rows = append(p.Leads.Rows, ui.Row{Muted: l.State != lead.Open, Cells: []ui.Cell{stage, {Text: d.money(l.Value, l.Currency)}, {Time: l.Due}}})
	}
	return nil
}

// contactTwins shows who may be the same person, and who became part of the contact.
func (d *desk) contactTwins(p *contactPageStruct, c *contact.Contact) error {
	all, err := d.Contacts.Twins(d.ctx(), d.DB, d.org().ID, d.sight, c)
	if err != nil {
		return err
	}
	for _, t := range all[:min(len(all), 5)] {
		p.Twins = append(p.Twins, d.twinCard(c, t.Contact, t.Why))
	}
	kin, err := d.Contacts.Kin(d.ctx(), d.DB, d.org().ID, c.ID)
	for _, k := range kin {
		if k.ID != c.ID {
			p.Merged = append(p.Merged, mergedCard{Name: nonEmpty(d.contactName(k), d.t("contact.nameless")), Split: ui.Action{Title: d.t("contact.split"), Href: contactPath(k.ID) + "/split", Post: true, Icon: "history"}})
		}
	}
	return err
}

func (d *desk) twinCard(c, o *contact.Contact, why []string) twinCard {
	var words []string
	for _, w := range why {
		words = append(words, d.t("contact.twin."+w))
	}
	other := []ui.Param{{Name: "other", Value: string(o.ID)}}
	name := nonEmpty(d.contactName(o), d.t("contact.nameless"))
	return twinCard{Name: name, Href: contactPath(o.ID), Why: strings.Join(words, ", "),
		Merge: ui.Action{Title: d.t("contact.merge"), Href: contactPath(c.ID) + "/merge", Post: true, Fields: other, Confirm: d.t("contact.merge.confirm", "Name", name), ConfirmText: d.t("contact.merge.text")},
		Apart: ui.Action{Title: d.t("contact.apart"), Href: contactPath(c.ID) + "/apart", Post: true, Fields: other}}
}

// contactTimeline shows what happened with a contact.
func (d *desk) contactTimeline(p *contactPageStruct, c *contact.Contact) error {
	q := timeline.Query{Contact: c.ID, After: d.query("after"), Limit: pageRows}
	kind := timeline.Kind(d.query("kind"))
	if slices.Contains(timeline.Kinds(), kind) {
		q.Kinds = []timeline.Kind{kind}
	}
	page, err := d.Timelines.Timeline(d.ctx(), d.actor, q)
	if err != nil {
		return err
	}
	p.Kinds = append(p.Kinds, ui.Link{Title: d.t("timeline.all"), Href: contactPath(c.ID), Current: len(q.Kinds) == 0})
	for _, k := range timeline.Kinds() {
		p.Kinds = append(p.Kinds, ui.Link{Title: d.t("timeline.kind." + string(k)), Href: contactPath(c.ID) + "?kind=" + string(k), Current: k == kind})
	}
	defs, err := d.Fields.Of(d.ctx(), d.DB, d.org().ID, field.OfLead)
	if err != nil {
		return err
	}
	agents, err := d.visit.names()
	if err != nil {
		return err
	}
	for i := range page.Items {
		p.Events = append(p.Events, d.timelineItem(&page.Items[i], c, agents, defs))
	}
	if page.Hidden > 0 {
		p.Hidden = d.t("timeline.hidden", "Count", page.Hidden)
	}
	if page.Next != "" {
		next := url.Values{"after": {page.Next}}
		if len(q.Kinds) > 0 {
			next.Set("kind", string(kind))
		}
		p.Older = contactPath(c.ID) + "?" + next.Encode()
	}
	return nil
}

func addContactNote(v *visit) error {
	_, c, err := v.theContact()
	if err != nil {
		return err
	}
	err = v.DB.Tx(v.ctx(), func(tx *db.Tx) error {
		_, err := v.Contacts.AddNote(v.ctx(), tx, v.org().ID, v.actor.Member.ID, c.ID, v.typed("note"))
		return err
	})
	if err != nil {
		return err
	}
	return v.to(v.back(contactPath(c.ID)), v.good("contact.noted"))
}

func dropContactNote(v *visit) error {
	_, c, err := v.theContact()
	if err != nil {
		return err
	}
	err = v.DB.Tx(v.ctx(), func(tx *db.Tx) error {
		return v.Contacts.DropNote(v.ctx(), tx, v.org().ID, v.actor.Member.ID, c.ID, contact.NoteID(v.r.PathValue("note")))
	})
	if err != nil {
		return err
	}
	return v.to(contactPath(c.ID), v.good("contact.note_dropped"))
}

func giveContact(v *visit) error {
	d, c, err := v.theContact()
	if err != nil {
		return err
	}
	to := account.MemberID(v.form("owner"))
	if to != "" && !d.sight.Sees(to) {
		return fault.Field("owner", "There is nobody of that kind in your teams. Choose another owner.")
	}
	err = v.DB.Tx(v.ctx(), func(tx *db.Tx) error {
		return v.Contacts.SetOwner(v.ctx(), tx, v.org(), v.actor.Member.ID, c.ID, to)
	})
	if err != nil {
		return err
	}
	return v.to(contactPath(c.ID), v.good("contact.given"))
}

func deleteContact(v *visit) error {
	_, c, err := v.theContact()
	if err != nil {
		return err
	}
	var destroy func(context.Context) error
	err = v.DB.Tx(v.ctx(), func(tx *db.Tx) (err error) {
		destroy, err = v.Contacts.Delete(v.ctx(), tx, v.org().ID, c.ID)
		return err
	})
	if err != nil {
		return err
	}
	if err := destroy(v.ctx()); err != nil {
		return err
	}
	return v.to("/contacts", v.good("contact.deleted"))
}
