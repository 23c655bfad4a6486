package intake

import (
	"context"
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/lead"
	"parley/crm/vcard"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/sheet"
)

// Format is what contacts and leads are given out as.
type Format string

// The formats. Cards are of contacts alone.
const (
	CSV    Format = "csv"
	XLSX   Format = "xlsx"
	VCard3 Format = "vcard3"
	VCard4 Format = "vcard4"
)

const (
	pageRows  = 500
	maxPhones = 4 // columns; further ones stand in the last, as Google Contacts writes them
	maxMails  = 3
	between   = " ::: "
)

// ExportContacts writes the contacts that the actor sees, as they are asked for, so that they can be brought in again. Those of
// whom nothing may be used are left out, as are notes.
func (i *Imports) ExportContacts(ctx context.Context, actor *account.Actor, a contact.Ask, f Format, w io.Writer) error {
	if err := actor.Require(account.ExportLeads); err != nil {
		return err
	}
	sight, err := contact.SightOf(ctx, i.d.Accounts, actor)
	if err != nil {
		return err
	}
	defs, err := i.d.Fields.Of(ctx, i.d.DB, actor.Org.ID, field.OfContact)
	if err != nil {
		return err
	}
	owners, err := i.owners(ctx, actor.Org.ID)
	if err != nil {
		return err
	}
	each := func(visit func(*contact.Contact) error) error {
		return i.eachContact(ctx, actor.Org.ID, sight, a, visit)
	}
	if f == VCard3 || f == VCard4 {
		version := vcard.V4
		if f == VCard3 {
			version = vcard.V3
		}
		out := vcard.NewWriter(w, version)
		if err := each(func(c *contact.Contact) error { return out.Write(cardOf(c, defs)) }); err != nil {
			return err
		}
		return out.Flush()
	}
	return write(w, f, "Contacts", append(personHeaders(), ownHeaders(defs, personHeaders())...), func(row func(...cell) error) error {
		return each(func(c *contact.Contact) error {
			return row(append(personCells(c, owners[c.Owner], c.Tags), ownCells(defs, c.Person.Custom)...)...)
		})
	})
}

// eachContact visits contacts page by page.
func (i *Imports) eachContact(ctx context.Context, org account.OrgID, sight contact.Sight, a contact.Ask, visit func(*contact.Contact) error) error {
	a.Cursor, a.Limit, a.Count = "", pageRows, false
	for {
		var page *contact.Page
		if err := i.d.DB.Read(ctx, func(tx *db.Tx) (err error) {
			if page, err = i.d.Contacts.List(ctx, tx, org, sight, a); err != nil {
				return err
			}
			page.Contacts, err = i.usable(ctx, tx, org, page.Contacts)
			return err
		}); err != nil {
			return err
		}
		for _, c := range page.Contacts {
			if err := visit(c); err != nil {
				return err
			}
		}
		if a.Cursor = page.Cursor; a.Cursor == "" {
			return nil
		}
	}
}

// usable leaves out of whom nothing may be used.
func (i *Imports) usable(ctx context.Context, c db.Conn, org account.OrgID, all []*contact.Contact) ([]*contact.Contact, error) {
	restricted, err := i.d.Book.Restricted(ctx, c, org)
	return slices.DeleteFunc(all, func(x *contact.Contact) bool { return locked(x, restricted) }), err
}

// owners are the addresses of the members.
func (i *Imports) owners(ctx context.Context, org account.OrgID) (map[account.MemberID]string, error) {
	all, err := i.d.Accounts.Members(ctx, org)
	out := map[account.MemberID]string{}
	for _, m := range all {
		out[m.ID] = or(m.Email, m.Name)
	}
	return out, err
}

// ExportLeads writes the leads that the actor sees, as they are filtered, so that they can be brought in again. Leads whose
// contact may not be used, or was erased, are left out.
func (i *Imports) ExportLeads(ctx context.Context, actor *account.Actor, filter lead.Filter, f Format, w io.Writer) error {
	if err := actor.Require(account.ExportLeads); err != nil {
		return err
	}
	if f != CSV && f != XLSX {
		return fault.Field("format", "Leads are given out as csv or xlsx. Cards are of contacts alone.")
	}
	org := actor.Org
	x := leadSheet{zone: org.Location()}
	sight, err := contact.SightOf(ctx, i.d.Accounts, actor)
	if err != nil {
		return err
	}
	if x.owners, err = i.owners(ctx, org.ID); err != nil {
		return err
	}
	if x.pipelines, err = i.d.Leads.Pipelines(ctx, i.d.DB, org.ID); err != nil {
		return err
	}
	if x.reasons, err = i.d.Leads.Reasons(ctx, i.d.DB, org.ID); err != nil {
		return err
	}
	contacts, err := i.d.Fields.Of(ctx, i.d.DB, org.ID, field.OfContact)
	if err != nil {
		return err
	}
	leads, err := i.d.Fields.Of(ctx, i.d.DB, org.ID, field.OfLead)
	if err != nil {
		return err
	}
	x.own = slices.Concat(contacts, leads)
	header := append(personHeaders(), leadHeaders()...)
	header = append(header, ownHeaders(x.own, header)...)
	return write(w, f, "Leads", header, func(row func(...cell) error) error {
		a := lead.Ask{Filter: filter, Sort: "-" + lead.ByMade, Limit: pageRows}
		for {
			page, err := i.leadPage(ctx, org.ID, sight, a)
			if err != nil {
				return err
			}
			for _, r := range page.Rows {
				if err := row(x.cells(r)...); err != nil {
					return err
				}
			}
			if a.Cursor = page.Cursor; a.Cursor == "" {
				return nil
			}
		}
	})
}

func (i *Imports) leadPage(ctx context.Context, org account.OrgID, sight contact.Sight, a lead.Ask) (page *lead.Page, err error) {
	return page, i.d.DB.Read(ctx, func(tx *db.Tx) error {
		if page, err = i.d.Leads.Table(ctx, tx, org, sight, a); err != nil {
			return err
		}
		var who []*contact.Contact
		for _, r := range page.Rows {
			if r.Who != nil {
				who = append(who, r.Who)
			}
		}
		who, err = i.usable(ctx, tx, org, who)
		page.Rows = slices.DeleteFunc(page.Rows, func(r lead.Row) bool { return r.Who == nil || !slices.Contains(who, r.Who) })
		return err
	})
}

// cell is a text of an exported table.
type cell struct {
	text  string
	phone bool
}

func texts(all ...string) []cell {
	out := make([]cell, len(all))
	for n, t := range all {
		out[n].text = t
	}
	return out
}

// personHeaders are the columns about a contact, by names that an import knows again.
func personHeaders() []string {
	out := []string{"First name", "Last name", "Company", "Job title"}
	for n := range maxPhones {
		out = append(out, "Phone "+strconv.Itoa(n+1)+" - Label", "Phone "+strconv.Itoa(n+1)+" - Value")
	}
	for n := range maxMails {
		out = append(out, "E-mail "+strconv.Itoa(n+1)+" - Label", "E-mail "+strconv.Itoa(n+1)+" - Value")
	}
	return append(out, "Street", "City", "State", "Postcode", "Country", "Photo", "Language", "Tags", "Owner")
}

func personCells(c *contact.Contact, owner string, tags []string) []cell {
	p := &c.Person
	out := texts(p.First, p.Last, p.Company, p.Title)
	labelled := func(all []contact.Labelled, columns int, phone bool) {
		for n := range columns {
			var label string
			var values []string
			for j, x := range all {
				if j == n || j > n && n == columns-1 {
					label = or(label, x.Label)
					values = append(values, x.Text)
				}
			}
			out = append(out, cell{text: label}, cell{text: strings.Join(values, between), phone: phone})
		}
	}
	labelled(p.Numbers, maxPhones, true)
	labelled(p.Emails, maxMails, false)
	a := p.Address
	return append(out, texts(a.Street, a.City, a.State, a.Postcode, a.Country, p.Photo, p.Language, strings.Join(tags, ", "), owner)...)
}

// ownTitle is the header of an own field whose name says something else to an import, or is that of another column.
func ownTitle(d field.Def) string {
	if d.Of == field.OfLead {
		return "Lead field: " + d.Title
	}
	return "Contact field: " + d.Title
}

// ownHeaders are the headers of own fields, none of which an import takes for something else.
func ownHeaders(defs []field.Def, others []string) []string {
	out := make([]string, len(defs))
	for n, d := range defs {
		same := func(h string) bool { return plain(h) == plain(d.Title) }
		if out[n] = d.Title; slices.ContainsFunc(others, same) || slices.ContainsFunc(out[:n], same) || known(d.Title) {
			out[n] = ownTitle(d)
		}
	}
	return out
}

// known tells whether an import takes a header for something else than an own field.
func known(title string) bool {
	for _, s := range synonyms() {
		for w := range strings.SplitSeq(s.words, ",") {
			if plain(w) == plain(title) {
				return true
			}
		}
	}
	return false
}

func ownCells(own []field.Def, values map[string]string) []cell {
	out := make([]cell, len(own))
	for n, d := range own {
		out[n].text = values[d.Key]
	}
	return out
}

// cardOf is a contact as a card.
func cardOf(c *contact.Contact, defs []field.Def) *vcard.Card {
	p := &c.Person
	out := &vcard.Card{First: p.First, Last: p.Last, Company: p.Company, Title: p.Title, Photo: p.Photo, Language: p.Language, Categories: c.Tags}
	out.Formatted = strings.TrimSpace(p.First + " " + p.Last)
	for _, n := range p.Numbers {
		out.Phones = append(out.Phones, vcard.Typed{Label: n.Label, Text: n.Text})
	}
	for _, e := range p.Emails {
		out.Emails = append(out.Emails, vcard.Typed{Label: e.Label, Text: e.Text})
	}
	if a := p.Address; a != (contact.Address{}) {
		out.Addresses = []vcard.Address{{Street: a.Street, City: a.City, State: a.State, Postcode: a.Postcode, Country: a.Country}}
	}
	for _, d := range defs {
		if v := p.Custom[d.Key]; v != "" {
			out.Extra = append(out.Extra, vcard.Property{Name: ownProperty(d.Key), Text: v})
		}
	}
	return out
}

// write writes a table row by row, in a form that no spreadsheet takes for formulas.
func write(w io.Writer, f Format, title string, header []string, rows func(row func(...cell) error) error) error {
	if f == XLSX {
		return writeXLSX(w, title, header, rows)
	}
	if _, err := io.WriteString(w, "\ufeff"); err != nil { // without which Excel takes the file for Latin-1
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	line := make([]string, len(header))
	for n, h := range header {
		line[n] = sheet.SafeText(h, false)
	}
	if err := out.Write(line); err != nil {
		return err
	}
	if err := rows(func(cells ...cell) error {
		for n, c := range cells {
			line[n] = sheet.SafeText(c.text, c.phone)
		}
		return out.Write(line)
	}); err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

func writeXLSX(w io.Writer, title string, header []string, rows func(row func(...cell) error) error) error {
	b := sheet.NewWorkbook(w)
	widths := make([]int, len(header))
	for n, h := range header {
		widths[n] = max(12, min(len(h)+2, 40))
	}
	begin := func() {
		name := title
		if n := b.Sheets(); n > 0 {
			name += " " + strconv.Itoa(n+1)
		}
		b.Begin(name, widths)
		b.Row()
		for _, h := range header {
			b.Text(h, sheet.StyleHead)
		}
	}
	begin()
	if err := rows(func(cells ...cell) error {
		if b.Rows() == sheet.MaxRows {
			b.End()
			begin()
		}
		b.Row()
		for _, c := range cells {
			if c.text == "" {
				b.Skip()
				continue
			}
			b.Text(c.text, sheet.StyleText)
		}
		return b.Err()
	}); err != nil {
		return err
	}
	b.End()
	return b.Close()
}
