package web

import (
	"strconv"
	"strings"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/web/region"
	"parley/web/ui"
)

// leadForm makes a lead, or changes one.
type leadForm struct{ form }

func newLead(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	p, err := d.leadForm(nil, nil)
	if err != nil {
		return err
	}
	return v.render("form", p)
}

// leadForm is the form of a new lead, or of one that is there with its contact.
func (d *desk) leadForm(l *lead.Lead, who *contact.Contact) (*leadForm, error) {
	p := &leadForm{}
	if l == nil {
		p.Frame = d.under(d.t("lead.new"), ui.Link{Title: d.t("nav.leads"), Href: "/leads"})
		p.Submit = d.t("lead.new.submit")
		part, err := d.newPerson(p)
		if err != nil {
			return nil, err
		}
		p.Sections = append(p.Sections, part)
	} else {
		p.Frame = d.under(d.t("lead.edit"), ui.Link{Title: d.t("nav.leads"), Href: "/leads"}, ui.Link{Title: d.who(lead.Row{Lead: l, Who: who}), Href: "/leads/" + string(l.ID)})
		p.Submit = d.t("lead.edit.submit")
		p.Hidden = append(p.Hidden, ui.Param{Name: "rev", Value: strconv.FormatInt(l.Rev, 10)})
	}
	part, err := d.leadSection(l)
	if err != nil {
		return nil, err
	}
	p.Sections = append(p.Sections, part)
	var own map[string]string
	if l != nil {
		own = l.Custom
	}
	if part, err = d.customSection("lead", own); err != nil || len(part.Fields) > 0 {
		p.Sections = append(p.Sections, part)
	}
	return p, err
}

// newPerson asks whom a new lead is about: somebody who is known, or somebody new.
func (d *desk) newPerson(p *leadForm) (section, error) {
	id := nonEmpty(d.query("contact"), d.form("contact"))
	if id != "" {
		c, err := d.Contacts.Get(d.ctx(), d.DB, d.org().ID, d.sight, contact.ID(id))
		if err != nil {
			return section{}, err
		}
		p.Hidden = append(p.Hidden, ui.Param{Name: "contact", Value: id})
		return section{Title: d.t("lead.contact"), Text: d.t("lead.new.about", "Name", d.contactName(c))}, nil
	}
	return section{Title: d.t("lead.contact"), Fields: d.personFields(contact.Person{}, true)}, nil
}

// personFields ask for a person; short ones are those that a new lead begins with.
func (v *visit) personFields(who contact.Person, short bool) []ui.Field {
	second := func(all []contact.Labelled, i int) string {
		if i < len(all) {
			return all[i].Text
		}
		return ""
	}
	out := []ui.Field{
		{Name: "first", Label: v.t("contact.first"), Value: who.First, Complete: "off", Optional: true, Size: "medium"},
		{Name: "last", Label: v.t("contact.last"), Value: who.Last, Complete: "off", Optional: true, Size: "medium"},
		{Name: "company", Label: v.t("contact.company"), Value: who.Company, Complete: "off", Optional: true, Size: "medium"},
		{Name: "number", Label: v.t("contact.number"), Help: v.t("contact.number.help"), Type: "tel", Value: second(who.Numbers, 0), Complete: "off", Optional: true, Size: "medium"},
		{Name: "number2", Label: v.t("contact.number2"), Type: "tel", Value: second(who.Numbers, 1), Complete: "off", Optional: true, Size: "medium"},
		{Name: "email", Label: v.t("contact.email"), Type: "email", Value: second(who.Emails, 0), Complete: "off", Optional: true, Size: "medium"},
		{Name: "street", Label: v.t("contact.street"), Value: who.Address.Street, Complete: "off", Optional: true},
		{Name: "city", Label: v.t("contact.city"), Value: who.Address.City, Complete: "off", Optional: true, Size: "medium"},
		{Name: "state_name", Label: v.t("contact.state"), Value: who.Address.State, Complete: "off", Optional: true, Size: "medium"},
		{Name: "postcode", Label: v.t("contact.postcode"), Value: who.Address.Postcode, Complete: "off", Optional: true, Size: "short"},
		{Name: "country", Label: v.t("contact.country"), Type: "select", Value: nonEmpty(who.Address.Country, v.org().Country), Options: v.countryChoices(), Size: "medium"},
	}
	for i := range out {
		if posted := v.typed(out[i].Name); posted != "" {
			out[i].Value = posted
		}
	}
	out[0].Focus = short
	return out
}

// countryChoices are the choices of a country, with none first.
func (v *visit) countryChoices() []ui.Option {
	out := []ui.Option{{Title: "–"}}
	for _, c := range region.Countries(v.words.Lang()) {
		out = append(out, ui.Option{Value: c.Code, Title: c.Name})
	}
	return out
}

// personOf reads the fields of personFields over what is known already.
func (v *visit) personOf(who contact.Person) contact.Person {
	who.First, who.Last, who.Company = v.form("first"), v.form("last"), v.form("company")
	put := func(all []contact.Labelled, names ...string) []contact.Labelled {
		var out []contact.Labelled
		for i, name := range names {
			text := v.form(name)
			if text == "" {
				continue
			}
			label := ""
			if i < len(all) {
				label = all[i].Label
			}
			out = append(out, contact.Labelled{Label: label, Text: text})
		}
		if len(all) > len(names) {
			out = append(out, all[len(names):]...)
		}
		return out
	}
	who.Numbers = put(who.Numbers, "number", "number2")
	who.Emails = put(who.Emails, "email")
	who.Address = contact.Address{Street: v.form("street"), City: v.form("city"), State: v.form("state_name"), Postcode: v.form("postcode"), Country: v.form("country")}
	return who
}

// leadSection asks what the lead itself is.
func (d *desk) leadSection(l *lead.Lead) (section, error) {
	s := section{Title: d.t("lead.about")}
	value, currency, source, day, due, tags := "", "", "", "", "", ""
	if l != nil {
		if l.Value != 0 {
			value = plainAmount(l.Value, lead.MinorDigits(l.Currency))
		}
		currency, source, tags = l.Currency, l.Source, strings.Join(l.Tags, ", ")
		if l.SourceDay != 0 {
			day = l.SourceDay.String()
		}
		if !l.Due.IsZero() {
			due = l.Due.In(d.org().Location()).Format("2006-01-02T15:04")
		}
	} else {
		var stages []ui.Option
		for _, p := range d.pipelines {
			if p.Archived {
				continue
			}
			for _, st := range p.Active() {
				title := st.Title
				if len(d.pipelines) > 1 {
					title = p.Title + ": " + st.Title
				}
				stages = append(stages, ui.Option{Value: p.Key + "/" + st.Key, Title: title})
			}
		}
		s.Fields = append(s.Fields, ui.Field{Name: "stage", Label: d.t("lead.stage"), Type: "select", Value: d.typed("stage"), Options: stages, Size: "medium"})
		owner := ui.Field{Name: "owner", Label: d.t("lead.owner"), Type: "select", Value: nonEmpty(d.typed("owner"), string(d.actor.Member.ID)), Options: d.owners(), Size: "medium"}
		if d.actor.Can(account.AssignLeads) {
			if d.AssignLead != nil {
				owner.Options = append([]ui.Option{{Value: "rules", Title: d.t("lead.owner.rules")}}, owner.Options...)
			}
			s.Fields = append(s.Fields, owner)
		}
	}
	s.Fields = append(s.Fields,
		ui.Field{Name: "value", Label: d.t("lead.worth"), Mode: "decimal", Value: value, Optional: true, Size: "short"},
		ui.Field{Name: "currency", Label: d.t("lead.currency"), Help: d.t("lead.currency.help"), Value: currency, Optional: true, Size: "short"},
		ui.Field{Name: "source", Label: d.t("lead.source"), Help: d.t("lead.source.help"), Value: source, Optional: true, Size: "medium"},
		ui.Field{Name: "source_day", Label: d.t("lead.source_day"), Type: "date", Value: day, Optional: true, Size: "short"},
		ui.Field{Name: "due", Label: d.t("lead.due"), Type: "datetime-local", Value: due, Optional: true, Size: "medium"},
		ui.Field{Name: "tags", Label: d.t("lead.tags"), Help: d.t("lead.tags.help"), Value: tags, Optional: true},
	)
	for i, f := range s.Fields {
		if d.r.Method != "GET" && f.Type != "select" {
			s.Fields[i].Value = d.typed(f.Name)
		}
	}
	return s, nil
}

// plainAmount writes an amount as a form takes it: 1250.50.
func plainAmount(amount int64, digits int) string {
	text := strconv.FormatInt(amount, 10)
	sign := ""
	if text[0] == '-' {
		sign, text = "-", text[1:]
	}
	if digits == 0 {
		return sign + text
	}
	for len(text) <= digits {
		text = "0" + text
	}
	whole, rest := text[:len(text)-digits], text[len(text)-digits:]
	if strings.Trim(rest, "0") == "" {
		return sign + whole
	}
	return sign + whole + "." + rest
}

// amount reads an amount in the minor unit of a currency. Digits may be grouped by commas or spaces.
func (v *visit) amount(name string, digits int) (int64, error) {
	text := strings.NewReplacer(",", "", " ", "", "\u00a0", "", "\u202f", "").Replace(v.form(name))
	if text == "" {
		return 0, nil
	}
	whole, rest, _ := strings.Cut(text, ".")
	if len(rest) > digits && strings.Trim(rest[digits:], "0") != "" {
		return 0, fault.Field(name, "%q has more than %d places after the point.", v.form(name), digits)
	}
	rest = (rest + strings.Repeat("0", digits))[:digits]
	n, err := strconv.ParseInt(whole+rest, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.Field(name, "%q is not an amount. Write digits, with a point before the smaller unit: 1250.50.", v.form(name))
	}
	return n, nil
}

// customSection asks for the organisation's own fields.
func (v *visit) customSection(of string, values map[string]string) (section, error) {
	defs, err := v.Fields.Of(v.ctx(), v.DB, v.org().ID, of)
	s := section{Title: v.t("field.own")}
	for _, def := range defs {
		f := ui.Field{Name: "custom." + def.Key, Label: def.Title, Value: values[def.Key], Optional: !def.Required, Size: "medium"}
		switch def.Kind {
		case field.Number:
			f.Mode = "decimal"
		case field.Date:
			f.Type = "date"
		case field.Choice:
			f.Type, f.Options = "select", []ui.Option{{Title: "–"}}
			for _, c := range def.Choices {
				f.Options = append(f.Options, ui.Option{Value: c, Title: c})
			}
		case field.YesNo:
			f.Type, f.Options = "select", []ui.Option{{Title: "–"}, {Value: "yes", Title: v.t("field.yes")}, {Value: "no", Title: v.t("field.no")}}
		}
		if v.r.Method != "GET" {
			f.Value = v.typed(f.Name)
		}
		s.Fields = append(s.Fields, f)
	}
	return s, err
}

// customOf reads the organisation's own fields.
func (v *visit) customOf(of string) (map[string]string, error) {
	defs, err := v.Fields.Of(v.ctx(), v.DB, v.org().ID, of)
	out := map[string]string{}
	for _, def := range defs {
		out[def.Key] = v.form("custom." + def.Key)
	}
	return out, err
}

func addLead(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	l, err := d.addLead()
	if err != nil {
		p, formErr := d.leadForm(nil, nil)
		if formErr != nil {
			return formErr
		}
		return v.again("form", p, err)
	}
	return v.to("/leads/"+string(l.ID), v.good("lead.made_now"))
}

// addLead makes the lead of the form, and its contact where that is new.
func (d *desk) addLead() (*lead.Lead, error) {
	n := lead.New{Source: d.form("source"), Tags: strings.Split(d.form("tags"), ","), Currency: strings.ToUpper(d.form("currency"))}
	n.Pipeline, n.Stage, _ = strings.Cut(d.form("stage"), "/")
	var err error
	if n.Value, err = d.leadAmount(n.Currency, n.Pipeline); err != nil {
		return nil, err
	}
	if n.SourceDay, err = d.dayField("source_day"); err != nil {
		return nil, err
	}
	if n.Due, err = d.moment("due"); err != nil {
		return nil, err
	}
	if n.Custom, err = d.customOf("lead"); err != nil {
		return nil, err
	}
	n.Owner = d.actor.Member.ID
	if d.actor.Can(account.AssignLeads) {
		n.Owner = account.MemberID(d.form("owner"))
	}
	byRules := n.Owner == "rules" && d.AssignLead != nil
	if byRules {
		n.Owner = ""
	}
	if n.Owner != "" && !d.sight.Sees(n.Owner) {
		return nil, fault.Field("owner", "There is nobody of that kind in your teams. Choose another owner.")
	}
	var l *lead.Lead
	var done func()
	err = d.DB.Tx(d.ctx(), func(tx *db.Tx) (err error) {
		if n.Contact, done, err = d.contactFor(tx, n.Owner); err != nil {
			return err
		}
		if l, err = d.Leads.Add(d.ctx(), tx, d.org(), d.actor.Member.ID, n); err != nil || !byRules {
			return err
		}
		return d.AssignLead(d.ctx(), tx, d.org(), l)
	})
	if err == nil && done != nil {
		done()
	}
	return l, err
}

// contactFor is the contact of a new lead: the one that was chosen, the one whose number or address it is, or a new one.
func (d *desk) contactFor(tx *db.Tx, owner account.MemberID) (contact.ID, func(), error) {
	if id := d.form("contact"); id != "" {
		c, err := d.Contacts.Get(d.ctx(), tx, d.org().ID, d.sight, contact.ID(id))
		if err != nil {
			return "", nil, err
		}
		return c.ID, nil, nil
	}
	who := d.personOf(contact.Person{})
	if known, err := d.Contacts.Known(d.ctx(), tx, d.org(), d.sight, who); err != nil || known != nil {
		if err == nil {
			err = fault.Field("number", "%s is in your contacts already, with this number or address. Open that contact and add the lead there.", d.contactName(known))
		}
		return "", nil, err
	}
	c, done, err := d.Contacts.Add(d.ctx(), tx, d.org(), d.actor.Member.ID, contact.New{Person: who, Owner: owner, Origin: "manual"})
	if err != nil {
		return "", nil, err
	}
	return c.ID, done, nil
}

// leadAmount reads the value of the form in the currency that the lead will have.
func (d *desk) leadAmount(currency, pipeline string) (int64, error) {
	if currency == "" {
		currency = d.Leads.CurrencyOf(d.pipelineOr(pipeline), d.org())
	}
	return d.amount("value", lead.MinorDigits(currency))
}

// dayField reads a field with a day; 0 when it is empty.
func (v *visit) dayField(name string) (civil.Day, error) {
	if v.form(name) == "" {
		return 0, nil
	}
	day, err := civil.Parse(v.form(name))
	if err != nil {
		return 0, fault.Field(name, "%s", fault.Sentence(err))
	}
	return day, nil
}

func editLead(v *visit) error {
	d, l, err := v.theLead()
	if err != nil {
		return err
	}
	p, err := d.editForm(l)
	if err != nil {
		return err
	}
	return v.render("form", p)
}

func (d *desk) editForm(l *lead.Lead) (*leadForm, error) {
	found, err := d.Contacts.Load(d.ctx(), d.DB, d.org().ID, l.Contact)
	if err != nil {
		return nil, err
	}
	return d.leadForm(l, found[l.Contact])
}

func changeLead(v *visit) error {
	d, l, err := v.theLead()
	if err != nil {
		return err
	}
	ch, err := d.leadChange(l)
	if err == nil {
		_, err = v.carriedLead(func(tx *db.Tx, l *lead.Lead, rev int64) (*lead.Lead, error) {
			return v.Leads.Change(v.ctx(), tx, v.org(), v.actor.Member.ID, l.ID, rev, ch)
		})
	}
	if err != nil {
		p, formErr := d.editForm(l)
		if formErr != nil {
			return formErr
		}
		return v.again("form", p, err)
	}
	return v.to("/leads/"+string(l.ID), v.good("lead.changed"))
}

// leadChange reads what the form changes.
func (d *desk) leadChange(l *lead.Lead) (lead.Change, error) {
	currency := strings.ToUpper(nonEmpty(d.form("currency"), l.Currency))
	source, tags := d.form("source"), strings.Split(d.form("tags"), ",")
	ch := lead.Change{Currency: &currency, Source: &source, Tags: &tags}
	value, err := d.amount("value", lead.MinorDigits(currency))
	if err != nil {
		return ch, err
	}
	day, err := d.dayField("source_day")
	if err != nil {
		return ch, err
	}
	due, err := d.moment("due")
	if err != nil {
		return ch, err
	}
	ch.Value, ch.SourceDay, ch.Due = &value, &day, &due
	ch.Custom, err = d.customOf("lead")
	return ch, err
}
