package intake

import (
	"strings"

	"parley/crm/field"
	"parley/platform/fault"
)

// Field is what a column of a table can mean.
type Field string

// The fields. Own fields are "contact." and "lead." with their key.
const (
	FieldName      Field = "name" // the whole name
	FieldFirst     Field = "first"
	FieldMiddle    Field = "middle"
	FieldLast      Field = "last"
	FieldCompany   Field = "company"
	FieldTitle     Field = "title"
	FieldNumber    Field = "number"       // as often as there are numbers
	FieldCode      Field = "country_code" // of the numbers that have none
	FieldEmail     Field = "email"        // as often as there are addresses
	FieldStreet    Field = "street"       // several are put together
	FieldCity      Field = "city"
	FieldState     Field = "state"
	FieldPostcode  Field = "postcode"
	FieldCountry   Field = "country"
	FieldPhoto     Field = "photo"
	FieldLanguage  Field = "language"
	FieldTags      Field = "tags" // as often as there are columns
	FieldNote      Field = "note" // several become one note each
	FieldOwner     Field = "owner"
	FieldValue     Field = "value"
	FieldCurrency  Field = "currency"
	FieldSource    Field = "source"
	FieldSourceDay Field = "source_day"
	FieldStage     Field = "stage"
	FieldDue       Field = "due"

	// FieldDateOrder is no column: it stands in Guess.Missing when the order of day and month must be asked for.
	FieldDateOrder Field = "date_order"

	ownContact = "contact."
	ownLead    = "lead."
)

// Fields lists the fields that a column can be mapped to, own fields last.
func Fields(kind Kind, contacts, leads []field.Def) []Field {
	out := []Field{FieldName, FieldFirst, FieldMiddle, FieldLast, FieldCompany, FieldTitle, FieldNumber, FieldCode, FieldEmail, FieldStreet, FieldCity, FieldState,
		FieldPostcode, FieldCountry, FieldPhoto, FieldLanguage, FieldTags, FieldNote, FieldOwner}
	for _, d := range contacts {
		out = append(out, Field(ownContact+d.Key))
	}
	if kind == Leads {
		out = append(out, FieldValue, FieldCurrency, FieldSource, FieldSourceDay, FieldStage, FieldDue)
		for _, d := range leads {
			out = append(out, Field(ownLead+d.Key))
		}
	}
	return out
}

// repeats tells whether several columns may hold a field.
func (f Field) repeats() bool {
	switch f {
	case FieldNumber, FieldEmail, FieldStreet, FieldTags, FieldNote:
		return true
	}
	return false
}

// own is the key of an own field of what.
func (f Field) own(what string) (string, bool) { return strings.CutPrefix(string(f), what) }

// defOf finds an own field.
func defOf(f Field, contacts, leads []field.Def) (field.Def, bool) {
	for prefix, defs := range map[string][]field.Def{ownContact: contacts, ownLead: leads} {
		key, ok := f.own(prefix)
		if !ok {
			continue
		}
		for _, d := range defs {
			if d.Key == key {
				return d, true
			}
		}
	}
	return field.Def{}, false
}

// dated tells whether a field holds days.
func dated(f Field, contacts, leads []field.Def) bool {
	if f == FieldSourceDay || f == FieldDue {
		return true
	}
	d, ok := defOf(f, contacts, leads)
	return ok && d.Kind == field.Date
}

func noField(word string) error {
	return fault.Field("mapping", "%q is no field that a column can hold.", word)
}
