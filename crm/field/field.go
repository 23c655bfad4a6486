// Package field keeps the fields that an organisation adds to its contacts and leads, and checks what is written into them.
package field

import (
	"context"
	"embed"
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/freetext"
)

// Schema holds the package's tables, series "field".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Kind says what a field holds.
type Kind string

// The kinds. Dates are written 2026-03-02, numbers with a point, yes and no as these words.
const (
	Text   Kind = "text"
	Number Kind = "number"
	Date   Kind = "date"
	Choice Kind = "choice"
	YesNo  Kind = "yesno"
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{Text, Number, Date, Choice, YesNo} }

// What has fields of its own.
const (
	OfContact = "contact"
	OfLead    = "lead"
)

// Def is one field.
type Def struct {
	Key      string // made from the first title; never changes
	Title    string
	Kind     Kind
	Choices  []string // of a Choice
	Of       string   // OfContact or OfLead
	Required bool     // asked for by forms and imports
	Place    int
	Gone     bool // taken out: values stay, and are neither shown nor asked for
}

const (
	maxFields  = 50
	maxTitle   = 60
	maxChoices = 100
	maxText    = 2000 // characters of a value
)

// Fields keeps the fields of all organisations.
type Fields struct{ db *db.DB }

// New gives the fields kept in d.
func New(d *db.DB) *Fields { return &Fields{d} }

// Of lists the fields of contacts or of leads in their order, without those that were taken out.
func (f *Fields) Of(ctx context.Context, c db.Conn, org account.OrgID, of string) ([]Def, error) {
	all, err := f.All(ctx, c, org, of)
	return slices.DeleteFunc(all, func(d Def) bool { return d.Gone }), err
}

// All is Of with the fields that were taken out.
func (f *Fields) All(ctx context.Context, c db.Conn, org account.OrgID, of string) ([]Def, error) {
	return db.Select(ctx, c, func(r db.Scanner) (Def, error) {
		d := Def{Of: of}
		var choices string
		var required, gone int
		if err := r.Scan(&d.Key, &d.Title, &d.Kind, &choices, &required, &d.Place, &gone); err != nil {
			return d, err
		}
		d.Required, d.Gone = required == 1, gone == 1
		return d, json.Unmarshal([]byte(choices), &d.Choices)
	}, `SELECT key, title, kind, choices, required, place, gone FROM crm_fields WHERE org_id = $1 AND kind_of = $2 ORDER BY gone, place, key`, org, of)
}

// Save adds a field when its key is empty, and changes the one of its key otherwise. The kind of a field that is there cannot
// change, because its values would not fit; taking it out and adding another one can.
func (f *Fields) Save(ctx context.Context, tx *db.Tx, org account.OrgID, d Def) (Def, error) {
	if err := check(&d); err != nil {
		return d, err
	}
	all, err := f.All(ctx, tx, org, d.Of)
	if err != nil {
		return d, err
	}
	if slices.ContainsFunc(all, func(o Def) bool { return !o.Gone && o.Key != d.Key && strings.EqualFold(o.Title, d.Title) }) {
		return d, fault.Field("title", "There is a field %q already. Choose another name.", d.Title)
	}
	i := slices.IndexFunc(all, func(o Def) bool { return o.Key == d.Key })
	switch {
	case d.Key == "" && len(all) >= maxFields:
		return d, fault.New(fault.Invalid, "There are %d fields, and no more fit. Use one of those that were taken out.", maxFields)
	case d.Key == "":
		d.Key = keyFor(d.Title, all)
		if d.Place == 0 {
			d.Place = len(all) + 1
		}
	case i < 0:
		return d, fault.New(fault.NotFound, "There is no field %q.", d.Key)
	case all[i].Kind != d.Kind:
		return d, fault.Field("kind", "The field %q holds values of another kind already. Take it out, and add a new one.", d.Title)
	case d.Place == 0:
		d.Place = all[i].Place
	}
	choices, err := json.Marshal(d.Choices)
	if err != nil {
		return d, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO crm_fields (org_id, kind_of, key, title, kind, choices, required, place, gone) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (org_id, kind_of, key) DO UPDATE SET title = excluded.title, choices = excluded.choices, required = excluded.required, place = excluded.place, gone = excluded.gone`,
		org, d.Of, d.Key, d.Title, d.Kind, string(choices), flag(d.Required), d.Place, flag(d.Gone))
	return d, err
}

// Delete removes the fields of an organisation inside a running transaction.
func Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	_, err := tx.Exec(ctx, `DELETE FROM crm_fields WHERE org_id = $1`, org)
	return err
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// check puts a definition into its canonical form.
func check(d *Def) error {
	if d.Of != OfContact && d.Of != OfLead {
		return fault.Field("of", "%q has no fields of its own. Write contact or lead.", d.Of)
	}
	if !slices.Contains(Kinds(), d.Kind) {
		return fault.Field("kind", "%q is no kind of field. Choose text, number, date, choice or yesno.", string(d.Kind))
	}
	d.Title = strings.Join(strings.Fields(strings.ToValidUTF8(d.Title, "")), " ")
	if n := utf8.RuneCountInString(d.Title); n == 0 || n > maxTitle {
		return fault.Field("title", "Give the field a name of 1 to %d characters.", maxTitle)
	}
	var choices []string
	for _, c := range d.Choices {
		c = strings.Join(strings.Fields(strings.ToValidUTF8(c, "")), " ")
		if c == "" || slices.Contains(choices, c) {
			continue
		}
		if utf8.RuneCountInString(c) > maxTitle {
			return fault.Field("choices", "%q is too long; a choice has at most %d characters.", c, maxTitle)
		}
		choices = append(choices, c)
	}
	d.Choices = choices
	if d.Kind == Choice && (len(choices) < 2 || len(choices) > maxChoices) {
		return fault.Field("choices", "A field to choose from needs 2 to %d choices.", maxChoices)
	}
	if d.Kind != Choice {
		d.Choices = nil
	}
	return nil
}

// keyFor makes a key from a title: its letters and digits of the Latin script, or "field" where it has none.
func keyFor(title string, all []Def) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	base := strings.Trim(b.String(), "_")
	if base == "" {
		base = "field"
	}
	base = base[:min(len(base), 40)]
	key := base
	for n := 2; slices.ContainsFunc(all, func(d Def) bool { return d.Key == key }); n++ {
		key = base + "_" + digits(n)
	}
	return key
}

// refuse is the sentence about a value that does not fit.
func refuse(d Def, sentence string, args ...any) error {
	return fault.Field("custom."+d.Key, sentence, args...)
}

// longest refuses a text that is too long or has numbers of cards in it.
func longest(d Def, value string) error {
	if n := utf8.RuneCountInString(value); n > maxText {
		return refuse(d, "%s has %d characters; at most %d fit.", d.Title, n, maxText)
	}
	return freetext.Check("custom."+d.Key, value)
}
