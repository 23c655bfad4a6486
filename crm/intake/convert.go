package intake

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/lead"
	"parley/crm/vcard"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/sheet"
)

// draft is one row as it is to be taken.
type draft struct {
	row    int
	person contact.Person
	tags   []string
	notes  []string
	owner  account.MemberID
	lead   lead.New // of Leads
	// said are the fields of the lead that the row fills: an update leaves the others as they are.
	said map[Field]bool
}

// converter makes drafts of the rows of one file.
type converter struct {
	org             *account.Org
	spec            *Spec
	plan            *plan
	clock           sheet.Clock
	members         map[string]account.MemberID // by address and by name, folded; "" where several have the name
	stages          map[string]string           // key by title, folded, and by key
	currency        string
	contacts, leads []field.Def
}

// absent turns the words that exports write for nothing into "".
func absent(s string) string {
	switch t := strings.TrimSpace(s); strings.ToLower(t) {
	case "null", "(null)", "none", "nil", "-", "–", "n/a", "#n/a", "(blank)", "undefined":
		return ""
	default:
		return t
	}
}

// cell is the text of a field's n-th column in a row.
func (k *converter) cell(cells []string, column int) string {
	if column >= len(cells) {
		return ""
	}
	return absent(sheet.PlainText(strings.TrimSpace(cells[column])))
}

func (k *converter) one(cells []string, f Field) string {
	if at := k.plan.at[f]; len(at) > 0 {
		return k.cell(cells, at[0])
	}
	return ""
}

// wrong refuses a field of a row, by its header.
func (k *converter) wrong(f Field, value, format string, a ...any) *sheet.RowError {
	return sheet.Refuse(k.header(f), value, format, a...)
}

// header is the header of a field's first column; of a card the field itself.
func (k *converter) header(f Field) string {
	if k.plan == nil {
		return string(f)
	}
	if at := k.plan.at[f]; len(at) > 0 {
		return k.plan.heads[at[0]].Header
	}
	return ""
}

// row makes a draft of a row of a table.
func (k *converter) row(cells []string) (*draft, *sheet.RowError) {
	if w := k.plan.width; w > 0 && len(cells) > w && !sheet.Blank(cells[w:]) {
		return nil, sheet.Refuse("", strings.Join(cells, " | "), "The row has %d cells where the header has %d, so its columns have shifted. Put texts that hold the delimiter in quotation marks.", len(cells), w)
	}
	d := k.draft()
	p := &d.person
	p.First, p.Last = k.name(cells)
	p.Company, p.Title, p.Photo = k.one(cells, FieldCompany), k.one(cells, FieldTitle), k.one(cells, FieldPhoto)
	p.Language = languageCode(k.one(cells, FieldLanguage))
	p.Address = contact.Address{City: k.one(cells, FieldCity), State: k.one(cells, FieldState), Postcode: k.one(cells, FieldPostcode), Country: countryCode(k.one(cells, FieldCountry))}
	var street []string
	for _, i := range k.plan.at[FieldStreet] {
		if t := k.cell(cells, i); t != "" {
			street = append(street, t)
		}
	}
	p.Address.Street = strings.Join(street, ", ")
	for _, i := range k.plan.at[FieldTags] {
		d.tags = append(d.tags, tagsOf(k.cell(cells, i))...)
	}
	for _, i := range k.plan.at[FieldNote] {
		if t := k.cell(cells, i); t != "" {
			d.notes = append(d.notes, t)
		}
	}
	for _, take := range []func([]string, *draft) *sheet.RowError{k.numbers, k.emails, k.owned, k.own, k.chance} {
		if bad := take(cells, d); bad != nil {
			return nil, bad
		}
	}
	return d, nil
}

// draft is an empty draft with what is said of all rows.
func (k *converter) draft() *draft {
	d := &draft{said: map[Field]bool{}}
	d.person.Custom = map[string]string{}
	if k.spec.Kind == Leads {
		d.lead = lead.New{Pipeline: k.spec.Pipeline, Stage: k.spec.Stage, Source: k.spec.Source, SourceDay: k.spec.SourceDay, Custom: map[string]string{}}
	}
	return d
}

// name is the first and the last name; a whole name is cut at its last blank.
func (k *converter) name(cells []string) (first, last string) {
	first, last = k.one(cells, FieldFirst), k.one(cells, FieldLast)
	if middle := k.one(cells, FieldMiddle); middle != "" {
		first = strings.TrimSpace(first + " " + middle)
	}
	if first == "" && last == "" {
		return halves(k.one(cells, FieldName))
	}
	return first, last
}

// halves cuts a whole name at its last blank, so that both halves together are the name again.
func halves(name string) (first, last string) {
	name = strings.Join(strings.Fields(name), " ")
	if i := strings.LastIndexByte(name, ' '); i > 0 {
		return name[:i], name[i+1:]
	}
	return name, ""
}

func (k *converter) numbers(cells []string, d *draft) *sheet.RowError {
	code := strings.TrimLeft(k.one(cells, FieldCode), "+0")
	for _, i := range k.plan.at[FieldNumber] {
		text := k.cell(cells, i)
		for _, one := range pieces(text, likeContact) {
			n, bad := numberText(one)
			if bad != "" {
				return sheet.Refuse(k.plan.heads[i].Header, text, "%s", bad)
			}
			if code != "" && n != "" && n[0] != '+' && sheet.Digits(code) && len(code) <= 3 {
				n = "+" + code + strings.TrimLeft(n, "0 ")
			}
			if n != "" {
				d.person.Numbers = append(d.person.Numbers, contact.Labelled{Label: k.label(cells, i), Text: n})
			}
		}
	}
	return nil
}

func (k *converter) emails(cells []string, d *draft) *sheet.RowError {
	for _, i := range k.plan.at[FieldEmail] {
		for _, one := range pieces(k.cell(cells, i), func(s string) bool { return strings.Contains(s, "@") }) {
			if absent(one) != "" && !strings.EqualFold(one, "na") {
				d.person.Emails = append(d.person.Emails, contact.Labelled{Label: k.label(cells, i), Text: strings.TrimPrefix(one, "mailto:")})
			}
		}
	}
	return nil
}

// label is what a number or an address is for: as the column beside it says, else as its header says.
func (k *converter) label(cells []string, column int) string {
	if j, ok := k.plan.labels[column]; ok {
		text := strings.TrimPrefix(k.cell(cells, j), "* ")
		if lower := strings.ToLower(text); slices.Contains([]string{"mobile", "work", "home", "fax", "pager", "other", "main"}, lower) {
			return lower
		}
		return text
	}
	return labelOf(k.plan.heads[column].Header)
}

// pieces cuts a cell with several numbers or addresses: at the marks of Google Contacts, and at others where each piece is one.
func pieces(text string, is func(string) bool) []string {
	var out []string
	for part := range strings.SplitSeq(text, ":::") {
		all := strings.FieldsFunc(part, func(r rune) bool { return strings.ContainsRune(";,|/\n", r) })
		for n := range all {
			all[n] = strings.TrimSpace(all[n])
		}
		if slices.ContainsFunc(all, func(p string) bool { return !is(p) }) {
			all = []string{strings.TrimSpace(part)}
		}
		out = append(out, all...)
	}
	return out
}

// numberText takes away what spreadsheets put around a number, and gives a sentence where they lost digits of it.
func numberText(text string) (number, sentence string) {
	if inner, ok := strings.CutPrefix(text, `="`); ok && strings.HasSuffix(inner, `"`) {
		text = strings.TrimSpace(strings.TrimSuffix(inner, `"`))
	}
	text = strings.TrimPrefix(strings.TrimPrefix(text, "'"), "tel:")
	if text == "" || strings.EqualFold(text, "na") {
		return "", ""
	}
	if utf8.RuneCountInString(text) > 128 {
		return "", "It is longer than any phone number. Check that the right column is mapped."
	}
	if text[0] >= '0' && text[0] <= '9' && strings.ContainsAny(text, "eE.,") {
		if text, sentence = sheet.WholeNumber(text); sentence != "" {
			return "", sentence
		}
	}
	const lost = "00000000"
	if len(text) > 10 && sheet.Digits(text) && strings.HasSuffix(text, lost) {
		return "", "A spreadsheet rounded this number, so that it ends in zeros and its last digits are lost. Format the column as text in the original file, enter the numbers again and export it."
	}
	return text, ""
}

// owned reads who is to have the row.
func (k *converter) owned(cells []string, d *draft) *sheet.RowError {
	text := k.one(cells, FieldOwner)
	if text == "" {
		return nil
	}
	m, ok := k.members[strings.ToLower(text)]
	switch {
	case !ok:
		return k.wrong(FieldOwner, text, "There is no member with this name or e-mail address. Write the address that they sign in with, or leave the column out.")
	case m == "":
		return k.wrong(FieldOwner, text, "Several members have this name. Write the e-mail address of the one that is meant.")
	}
	d.owner = m
	return nil
}

// own reads the fields that the organisation added.
func (k *converter) own(cells []string, d *draft) *sheet.RowError {
	for f, at := range k.plan.at {
		def, ok := defOf(f, k.contacts, k.leads)
		if !ok {
			continue
		}
		text := k.cell(cells, at[0])
		if text != "" && def.Kind == field.Date {
			day, bad := k.day(f, text)
			if bad != nil {
				return bad
			}
			text = day.String()
		}
		if text == "" {
			continue
		}
		if def.Of == field.OfLead {
			d.lead.Custom[def.Key], d.said[f] = text, true
		} else {
			d.person.Custom[def.Key] = text
		}
	}
	return nil
}

func (k *converter) day(f Field, text string) (civil.Day, *sheet.RowError) {
	y, m, day, err := k.clock.Day(text)
	if err != nil {
		return 0, k.wrong(f, text, "%s", err)
	}
	return civil.Date(y, time.Month(m), day), nil
}

// chance reads what is about the lead alone.
func (k *converter) chance(cells []string, d *draft) *sheet.RowError {
	if k.spec.Kind != Leads {
		return nil
	}
	l := &d.lead
	if text := k.one(cells, FieldSource); text != "" {
		l.Source, d.said[FieldSource] = text, true
	}
	if text := k.one(cells, FieldSourceDay); text != "" {
		day, bad := k.day(FieldSourceDay, text)
		if bad != nil {
			return bad
		}
		l.SourceDay, d.said[FieldSourceDay] = day, true
	}
	if text := k.one(cells, FieldDue); text != "" {
		day, bad := k.day(FieldDue, text)
		if bad != nil {
			return bad
		}
		l.Due, d.said[FieldDue] = day.Start(k.org.Location()).Add(10*time.Hour), true
	}
	if text := k.one(cells, FieldStage); text != "" {
		key, ok := k.stages[strings.ToLower(text)]
		if !ok {
			return k.wrong(FieldStage, text, "The pipeline has no such stage. Write a stage's name as the pipeline has it, or leave the column out.")
		}
		l.Stage = key
	}
	l.Currency = strings.ToUpper(k.one(cells, FieldCurrency))
	if text := k.one(cells, FieldValue); text != "" {
		value, code, sentence := money(text, or(l.Currency, k.currency))
		if sentence != "" {
			return k.wrong(FieldValue, text, "%s", sentence)
		}
		l.Value, l.Currency, d.said[FieldValue] = value, or(l.Currency, code), true
	}
	return nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// tagsOf splits labels at commas, semicolons, bars and the marks of Google Contacts, whose own groups are left out.
func tagsOf(s string) []string {
	var out []string
	for t := range strings.FieldsFuncSeq(strings.ReplaceAll(s, ":::", ";"), func(r rune) bool { return strings.ContainsRune(",;|", r) }) {
		t = strings.TrimSpace(t)
		if t != "" && !strings.HasPrefix(t, "* ") && !strings.EqualFold(t, "myContacts") {
			out = append(out, t)
		}
	}
	return out
}

// card makes a draft of a card.
func (k *converter) card(c *vcard.Card) (*draft, *sheet.RowError) {
	d := k.draft()
	p := &d.person
	p.First, p.Last = strings.TrimSpace(c.First+" "+c.Middle), c.Last
	p.Company, p.Title, p.Photo = c.Company, c.Title, c.Photo
	if p.First == "" && p.Last == "" && c.Formatted != c.Company {
		p.First, p.Last = halves(c.Formatted)
	}
	if !strings.HasPrefix(p.Photo, "https://") {
		p.Photo = ""
	}
	p.Language = languageCode(c.Language)
	for _, n := range c.Phones {
		if text, bad := numberText(n.Text); bad != "" {
			return nil, k.wrong(FieldNumber, n.Text, "%s", bad)
		} else if text != "" {
			p.Numbers = append(p.Numbers, contact.Labelled{Label: n.Label, Text: text})
		}
	}
	for _, e := range c.Emails {
		p.Emails = append(p.Emails, contact.Labelled{Label: e.Label, Text: e.Text})
	}
	if len(c.Addresses) > 0 {
		a := c.Addresses[0]
		p.Address = contact.Address{Street: a.Street, City: a.City, State: a.State, Postcode: a.Postcode, Country: countryCode(a.Country)}
	}
	for _, t := range c.Categories {
		d.tags = append(d.tags, tagsOf(t)...)
	}
	d.notes = c.Notes
	for _, x := range c.Extra {
		for _, def := range k.contacts {
			if x.Name == ownProperty(def.Key) {
				p.Custom[def.Key] = x.Text
			}
		}
	}
	return d, nil
}

// ownProperty is the name of a card's property for an own field.
func ownProperty(key string) string {
	return "X-PARLEY-" + strings.ToUpper(strings.ReplaceAll(key, "_", "-"))
}

// refused turns what a check found into a row that was not taken, by the header of the field.
func (k *converter) refused(err error) *sheet.RowError {
	bad := &sheet.RowError{Sentence: fault.Sentence(err)}
	for _, f := range fault.Fields(err) {
		bad.Column, bad.Sentence = k.header(fieldOf(f.Field)), f.Sentence
		break
	}
	return bad
}

// fieldOf is the field that a fault is about.
func fieldOf(name string) Field {
	if key, ok := strings.CutPrefix(name, "custom."); ok {
		return Field(ownContact + key)
	}
	return Field(name)
}
