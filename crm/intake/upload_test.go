package intake_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"parley/account"
	"parley/calls/device"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/intake"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

// collecting lets the policy take contacts in, or not.
func (s *story) collecting(yes bool) {
	s.deps.Collects = func(_ context.Context, _ account.OrgID, category string) (bool, error) {
		return yes && category == contact.Category, nil
	}
	s.imports = intake.New(s.deps)
}

func refused(t testing.TB, err error, kind fault.Kind, words string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind || !strings.Contains(fault.Sentence(err), words) {
		t.Errorf("got %v, want kind %d with %q", err, kind, words)
	}
}

func TestAPhoneSendsGroupsThatBothSidesChose(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx, phone := t.Context(), &device.Device{ID: "dev_1", Agent: 1}
		send := func(group string, persons ...contact.Person) (*intake.Uploaded, error) {
			return s.imports.ContactUpload(ctx, s.Org, phone, intake.Upload{Group: group, Persons: persons})
		}
		one := contact.Person{First: "Meera", Numbers: []contact.Labelled{{Text: "98123 00001"}}}
		_, err := send("Clients", one)
		refused(t, err, fault.Denied, "policy")
		s.collecting(true)
		_, err = send("", one)
		refused(t, err, fault.Invalid, "names no group")
		_, err = send("Clients", one)
		refused(t, err, fault.Denied, "not one")
		refused(t, s.imports.AcceptGroups(ctx, s.Org, phone, []string{"Clients"}), fault.Invalid, "does not collect")
		_, err = s.imports.SetGroups(ctx, s.owner, 0, []string{"All contacts"})
		refused(t, err, fault.Invalid, "whole address book")
		_, err = s.imports.SetGroups(ctx, s.owner, 0, []string{"Clients", "Suppliers"})
		must(t, err)
		_, err = s.imports.SetGroups(ctx, s.owner, 0, nil)
		refused(t, err, fault.Conflict, "Somebody else")
		_, err = send("Clients", one)
		refused(t, err, fault.Denied, "not one")
		must(t, s.imports.AcceptGroups(ctx, s.Org, phone, []string{"Clients"}))
		_, err = send("Suppliers", one)
		refused(t, err, fault.Denied, "not one")
		if c, _ := s.counts(t); c != 0 {
			t.Fatalf("%d contacts came in", c)
		}
		got, err := send("Clients", one)
		if err != nil || got.New != 1 {
			t.Fatalf("%+v %v", got, err)
		}
		meera := s.person(t, "Meera")
		if agent, err := s.Accounts.AgentByNo(ctx, s.Org.ID, 1); err != nil || meera.Owner != agent.ID || meera.Origin != "phone" {
			t.Errorf("%+v %v", meera, err)
		}
		other := &device.Device{ID: "dev_1", Agent: 2} // carried by somebody else since
		if c, err := s.imports.Accepted(ctx, d, s.Org.ID, other); err != nil || len(c.Names) != 0 {
			t.Errorf("%+v %v", c, err)
		}
		_, err = s.imports.SetGroups(ctx, s.owner, 1, []string{"Suppliers"})
		must(t, err)
		_, err = send("Clients", one)
		refused(t, err, fault.Denied, "not one")
	}, schemas()...)
}

func TestAPhoneFillsWhatIsEmptyAndChangesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		s.collecting(true)
		ctx, phone := t.Context(), &device.Device{ID: "dev_1", Agent: 1}
		_, err := s.imports.SetGroups(ctx, s.owner, 0, []string{"Clients"})
		must(t, err)
		must(t, s.imports.AcceptGroups(ctx, s.Org, phone, []string{"Clients"}))
		s.Contact(t, "Meera", "Sharma", "+919812300001")
		restricted := s.Contact(t, "Quiet", "", "+919812300002")
		_, err = s.Devices.AddLine(ctx, s.Org, device.NewLine{Agent: 1, Number: "+919999900000"})
		must(t, err)
		s.Tx(t, func(tx *db.Tx) error {
			if _, err := s.Book.Restrict(ctx, tx, s.Org.ID, restricted.Nums[0], true, 0); err != nil {
				return err
			}
			if err := s.Consents.Bury(ctx, tx, s.Org.ID, "+919812300003"); err != nil {
				return err
			}
			return s.Book.Exclude(ctx, tx, s.Org.ID, number.Exclusion{Number: "+919812300004", Strength: number.NeverStored})
		})
		person := func(first, company, num string) contact.Person {
			return contact.Person{First: first, Company: company, Numbers: []contact.Labelled{{Text: num}}}
		}
		got, err := s.imports.ContactUpload(ctx, s.Org, phone, intake.Upload{Group: "Clients", Persons: []contact.Person{
			person("Mimi", "Sharma Textiles", "9812300001"), person("Mimi", "", "9812300001"), person("Quiet", "Secret Ltd", "9812300002"), person("Erased", "", "9812300003"),
			person("Out", "", "9812300004"), person("Own", "", "9999900000"), person("Bad", "", "1"), person("Card 4111 1111 1111 1111", "", "9812300009"),
		}})
		if err != nil || got.New != 0 || got.Updated != 1 || got.Same != 1 || got.Left != 4 || len(got.Refused) != 2 || got.Refused[0].Place != 6 {
			t.Fatalf("%+v %v", got, err)
		}
		if meera := s.person(t, "Meera Sharma"); meera.Person.Company != "Sharma Textiles" {
			t.Errorf("%+v", meera)
		}
		if all := s.people(t); slices.ContainsFunc(all, func(c *contact.Contact) bool { return c.Person.Company == "Secret Ltd" || c.Person.First == "Erased" }) {
			t.Errorf("%+v", all)
		}
	}, schemas()...)
}
