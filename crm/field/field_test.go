package field_test

import (
	"maps"
	"strings"
	"testing"

	"parley/account"
	"parley/crm/field"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

func save(t *testing.T, f *field.Fields, d *db.DB, org account.OrgID, def field.Def) (field.Def, error) {
	t.Helper()
	err := d.Tx(t.Context(), func(tx *db.Tx) (err error) {
		def, err = f.Save(t.Context(), tx, org, def)
		return err
	})
	return def, err
}

func TestFieldsKeepTheirKeysAndKinds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := field.New(d)
		budget, err := save(t, f, d, 1, field.Def{Of: field.OfLead, Title: "Budget (₹)", Kind: field.Number})
		if err != nil || budget.Key != "budget" {
			t.Fatalf("%+v %v", budget, err)
		}
		again, err := save(t, f, d, 1, field.Def{Of: field.OfLead, Title: "बजट", Kind: field.Text})
		if err != nil || again.Key != "field" {
			t.Fatalf("%+v %v", again, err)
		}
		if _, err := save(t, f, d, 1, field.Def{Of: field.OfLead, Title: "budget (₹)", Kind: field.Text}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("the same name twice: %v", err)
		}
		budget.Kind = field.Text
		if _, err := save(t, f, d, 1, budget); fault.KindOf(err) != fault.Invalid {
			t.Errorf("another kind: %v", err)
		}
		budget.Kind, budget.Title, budget.Gone = field.Number, "Money", true
		if _, err := save(t, f, d, 1, budget); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Of(t.Context(), d, 1, field.OfLead); err != nil || len(got) != 1 || got[0].Key != "field" {
			t.Errorf("%+v %v", got, err)
		}
		if got, err := f.Of(t.Context(), d, 2, field.OfLead); err != nil || len(got) != 0 {
			t.Errorf("another organisation sees %+v %v", got, err)
		}
	}, dbtest.Schema{Series: "field", Files: field.Schema})
}

func TestValuesAreCheckedByKind(t *testing.T) {
	defs := []field.Def{
		{Key: "n", Title: "N", Kind: field.Number}, {Key: "d", Title: "D", Kind: field.Date}, {Key: "c", Title: "C", Kind: field.Choice, Choices: []string{"Red", "Blue"}},
		{Key: "y", Title: "Y", Kind: field.YesNo}, {Key: "t", Title: "T", Kind: field.Text},
	}
	got, err := field.Check(defs, map[string]string{"n": "1,25,000.50", "d": "2026-03-02", "c": "red", "y": "हाँ", "t": " नमस्ते "})
	want := map[string]string{"n": "125000.5", "d": "2026-03-02", "c": "Red", "y": "yes", "t": "नमस्ते"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%v %v", got, err)
	}
	for key, bad := range map[string]string{"n": "many", "d": "2.3.26", "c": "green", "y": "perhaps", "t": strings.Repeat("x", 2001), "other": "x"} {
		if _, err := field.Check(defs, map[string]string{key: bad}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s %q: %v", key, bad[:min(len(bad), 9)], err)
		}
	}
	if _, err := field.Check(defs, map[string]string{"t": "my card is 4111 1111 1111 1111"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a card number was taken: %v", err)
	}
	defs[4].Required = true
	if _, err := field.Check(defs, nil); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a required field was left out: %v", err)
	}
}
