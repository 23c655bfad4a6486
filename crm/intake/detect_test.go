package intake_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"parley/crm/field"
	"parley/crm/intake"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/platform/sheet"
)

// look gives what a list is taken for, as "Header=field".
func (s *story) look(t testing.TB, data string, spec intake.Spec) (*intake.Guess, string) {
	t.Helper()
	if spec.Kind == "" {
		spec.Kind = intake.Leads
	}
	g, err := s.imports.Detect(t.Context(), s.owner, strings.NewReader(data), int64(len(data)), spec)
	must(t, err)
	var out []string
	for _, c := range g.Mapping.Columns {
		out = append(out, c.Header+"="+string(c.Field))
	}
	return g, strings.Join(out, ", ")
}

// TestTheExportsOfOthersAreKnown: headers as HubSpot, Zoho CRM, Salesforce, Google Contacts and Outlook write them, and lists in Hindi.
func TestTheExportsOfOthersAreKnown(t *testing.T) {
	s := newStory(t, dbtest.SQLite(t, schemas()...))
	for name, c := range map[string]struct{ file, want string }{
		"HubSpot": {"Record ID,First Name,Last Name,Email,Phone Number,Mobile Phone Number,Contact owner,Lead Status,Create Date,Company name,Job Title,Street Address,City,State/Region,Postal Code,Country/Region\n" +
			"101,Meera,Sharma,m@example.com,022 66200101,+91 98123 00001,owner@example.com,New,2026-03-13 10:00,Sharma Textiles,Head,1 MG Road,Mumbai,MH,400001,India\n",
			"First Name=first, Last Name=last, Email=email, Phone Number=number, Mobile Phone Number=number, Contact owner=owner, Lead Status=stage, Create Date=source_day, Company name=company, Job Title=title, Street Address=street, City=city, State/Region=state, Postal Code=postcode, Country/Region=country"},
		"Zoho": {"Record Id,Lead Owner,Company,First Name,Last Name,Title,Email,Phone,Fax,Mobile,Website,Lead Source,Lead Status,Annual Revenue,Street,City,State,Zip Code,Country,Description,Tag\n" +
			"zcrm_1,Nobody Here,Acme,Ravi,Rao,CEO,r@example.com,,,9812300002,acme.example,Web,Junk Lead,1000,1 Road,Pune,MH,411001,India,hello,a;b\n",
			"Company=company, First Name=first, Last Name=last, Title=title, Email=email, Phone=number, Mobile=number, Lead Source=source, Street=street, City=city, State=state, Zip Code=postcode, Country=country, Description=note, Tag=tags"},
		"Salesforce": {"Salutation,First Name,Last Name,Title,Account Name,Mailing Street,Mailing City,Mailing State/Province,Mailing Zip/Postal Code,Mailing Country,Phone,Mobile,Email\n" +
			"Ms.,Meera,Sharma,Head,Acme,1 Road,Pune,MH,411001,India,02266200101,9812300001,m@example.com\n",
			"First Name=first, Last Name=last, Title=title, Account Name=company, Mailing Street=street, Mailing City=city, Mailing State/Province=state, Mailing Zip/Postal Code=postcode, Mailing Country=country, Phone=number, Mobile=number, Email=email"},
		"Google": {"First Name,Middle Name,Last Name,Organization Name,Organization Title,Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,Address 1 - Street,Address 1 - City,Address 1 - Country\n" +
			"Meera,K,Sharma,Acme,Head,hi,https://example.com/p.jpg,* myContacts ::: Clients,* Work,m@example.com,Mobile,9812300001 ::: 022 66200101,1 Road,Pune,India\n",
			"First Name=first, Middle Name=middle, Last Name=last, Organization Name=company, Organization Title=title, Notes=note, Photo=photo, Labels=tags, E-mail 1 - Value=email, Phone 1 - Value=number, Address 1 - Street=street, Address 1 - City=city, Address 1 - Country=country"},
		"Outlook": {"Title,First Name,Last Name,Company,Job Title,Business Street,Business City,Business State,Business Postal Code,Business Country/Region,Business Phone,Home Phone,Mobile Phone,Categories,E-mail Address,E-mail 2 Address,Notes\n" +
			"Ms,Meera,Sharma,Acme,Head,1 Road,Pune,MH,411001,India,02266200101,,9812300001,VIP,m@example.com,n@example.com,x\n",
			"First Name=first, Last Name=last, Company=company, Job Title=title, Business Street=street, Business City=city, Business State=state, Business Postal Code=postcode, Business Country/Region=country, Business Phone=number, Home Phone=number, Mobile Phone=number, Categories=tags, E-mail Address=email, E-mail 2 Address=email, Notes=note"},
		"Hindi":     {"नाम;मोबाइल नंबर;ईमेल;शहर;टिप्पणी\nमीरा;९८१२३;m@example.com;मुंबई;अच्छा\n", "नाम=name, ईमेल=email, शहर=city, टिप्पणी=note"},
		"no header": {"Meera Sharma\t9812300001\tm@example.com\n", "2=number, 3=email"},
	} {
		if _, got := s.look(t, c.file, intake.Spec{}); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

func TestGoogleContactsComeInWithTheirLabels(t *testing.T) {
	s := newStory(t, dbtest.SQLite(t, schemas()...))
	s.csv(t, "First Name,Middle Name,Last Name,Labels,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value\nMeera,K,Sharma,* myContacts ::: Clients,Mobile,9812300001 ::: 022 66200101,Site,9812300002\n", intake.Spec{Kind: intake.Contacts})
	one := s.person(t, "Meera K Sharma")
	if got := fmt.Sprint(one.Person.Numbers, one.Tags); got != "[{mobile +919812300001} {mobile +912266200101} {Site +919812300002}] [Clients]" {
		t.Error(got)
	}
}

func TestAMappingIsRememberedByItsHeaders(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		const file = "Who,Ring,Ring,Name\nMeera,9812300001,9812300002,x\n"
		g, proposed := s.look(t, file, intake.Spec{})
		if g.Remembered || proposed != "Ring=number, Name=name" && proposed != "Name=name" {
			t.Fatalf("%v %s", g.Remembered, proposed)
		}
		m := &intake.Mapping{Columns: []intake.Column{{Header: "Who", Field: intake.FieldName}, {Header: "Ring", Field: intake.FieldNumber}, {Header: "Ring", Nth: 1, Field: intake.FieldNumber}}}
		s.csv(t, file, intake.Spec{Mapping: m, DryRun: true})
		if g, _ := s.look(t, file, intake.Spec{}); g.Remembered {
			t.Error("a dry run is remembered")
		}
		s.csv(t, file, intake.Spec{Mapping: m})
		if one := s.person(t, "Meera"); len(one.Person.Numbers) != 2 {
			t.Errorf("headers twice: %+v", one.Person)
		}
		if g, _ := s.look(t, "WHO, Ring ,ring,Name\nRavi,9812300003,,\n", intake.Spec{}); !g.Remembered || g.Heads[2].Field != intake.FieldNumber {
			t.Errorf("other capitals: %+v", g)
		}
		if g, got := s.look(t, file, intake.Spec{}); !g.Remembered || got != "Who=name, Ring=number, Ring=number" {
			t.Errorf("%v %s", g.Remembered, got)
		}
		if g, _ := s.look(t, file, intake.Spec{Kind: intake.Contacts}); g.Remembered {
			t.Error("a mapping of leads is remembered for contacts")
		}
		m.Columns[1].Field = intake.FieldName
		_, err := s.imports.Run(t.Context(), s.owner, strings.NewReader(file), int64(len(file)), intake.Spec{Kind: intake.Leads, Mapping: m}, nil)
		refused(t, err, fault.Invalid, "only one fits")
		m.Columns[1] = intake.Column{Header: "Gone", Field: intake.FieldNumber}
		_, err = s.imports.Run(t.Context(), s.owner, strings.NewReader(file), int64(len(file)), intake.Spec{Kind: intake.Leads, Mapping: m}, nil)
		refused(t, err, fault.Invalid, "no column \"Gone\"")
	}, schemas()...)
}

// TestAWorkbookAsPeopleKeepIt: merged cells, blank columns, a second sheet, numbers as spreadsheets keep and lose them.
func TestAWorkbookAsPeopleKeepIt(t *testing.T) {
	x := excelize.NewFile()
	defer x.Close()
	must(t, x.SetSheetName("Sheet1", "Cover"))
	_, err := x.NewSheet("List")
	must(t, err)
	for i, row := range [][]any{
		{"Hot leads"}, nil, {"Company", nil, "Name", "Phone", nil, "Date"},
		{"Acme", nil, "Asha", 919812300001.0, nil, 46082}, {nil, nil, "Bina", "+91 98123 00002"}, {nil, nil, nil, nil, nil, nil},
		{"Beta", nil, "Chand", 9812300003.0}, {nil, nil, "Dev", "9.1E+11"}, {"Gamma", nil, "Esha", 919800000000.0},
	} {
		must(t, x.SetSheetRow("List", fmt.Sprintf("A%d", i+1), &row))
	}
	must(t, x.MergeCell("List", "A1", "F1"))
	must(t, x.MergeCell("List", "A4", "A5"))
	data, err := x.WriteToBuffer()
	must(t, err)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		m := s.run(t, data.Bytes(), intake.Spec{Kind: intake.Leads, Name: "list.xlsx"})
		if m.Counts.New != 3 || m.Counts.Refused != 2 || m.Spec.Mapping.Sheet != "List" || strings.Count(s.problems(t, m), "Format the column as text") != 2 {
			t.Fatalf("%+v\n%s", m.Counts, s.problems(t, m))
		}
		var got []string
		for _, c := range s.people(t) {
			got = append(got, c.Person.First+" "+c.Person.Company+" "+c.Person.Numbers[0].Text)
		}
		slices.Sort(got)
		if want := []string{"Asha Acme +919812300001", "Bina Acme +919812300002", "Chand Beta +919812300003"}; !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		_, err := s.imports.Run(t.Context(), s.owner, bytes.NewReader(data.Bytes()), int64(data.Len()), intake.Spec{Kind: intake.Leads, Mapping: &intake.Mapping{Sheet: "Nowhere"}}, nil)
		refused(t, err, fault.Invalid, "Cover, List")
	}, schemas()...)
}

func TestDatesWhoseOrderIsOpenAreAskedFor(t *testing.T) {
	s := newStory(t, dbtest.SQLite(t, schemas()...))
	const file = "Name,Enquiry date\nMeera,03/04/2026\n"
	if g, _ := s.look(t, file, intake.Spec{}); !slices.Contains(g.Missing, intake.FieldDateOrder) {
		t.Errorf("%+v", g.Missing)
	}
	_, err := s.imports.Run(t.Context(), s.owner, strings.NewReader(file), int64(len(file)), intake.Spec{Kind: intake.Leads}, nil)
	refused(t, err, fault.Invalid, "day-first or month-first")
	s.csv(t, file, intake.Spec{Mapping: &intake.Mapping{DateOrder: sheet.MonthFirst}})
	if l := s.leads(t)[0]; l.SourceDay.String() != "2026-03-04" {
		t.Error(l.SourceDay)
	}
	far := "Name,Enquiry date\n" + strings.Repeat("Meera,03/04/2026\n", 300) + "Ravi,13/04/2026\n"
	if g, _ := s.look(t, far, intake.Spec{}); g.Mapping.DateOrder != sheet.DayFirst || len(g.Missing) > 0 {
		t.Errorf("%+v %v", g.Mapping, g.Missing)
	}
	_, err = s.imports.Run(t.Context(), s.owner, strings.NewReader("Colour\nred\n"), 11, intake.Spec{Kind: intake.Leads}, nil)
	refused(t, err, fault.Invalid, "who somebody is")
	_, err = s.imports.Run(t.Context(), s.owner, strings.NewReader("%PDF-1.7 ..."), 12, intake.Spec{Kind: intake.Leads}, nil)
	refused(t, err, fault.Unsupported, "is a PDF")
}

func TestOwnersStagesAndOwnFieldsOfAList(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		s.field(t, field.OfLead, "Interest", field.YesNo)
		s.Tx(t, func(tx *db.Tx) error {
			_, err := s.Fields.Save(t.Context(), tx, s.Org.ID, field.Def{Of: field.OfContact, Title: "Branch", Kind: field.Choice, Choices: []string{"North", "South"}, Required: true})
			return err
		})
		m := s.csv(t, "Name,Mobile,Owner,Stage,Interest,Branch\nMeera,9812300001,Asha,Proposal,हाँ,north\nRavi,9812300002,Asha,Proposal,perhaps,North\nDev,9812300003,Asha,Elsewhere,yes,North\nEsha,9812300004,Nobody,,,South\nNone,9812300005,,,,\nUdo,9812300006,,,,West\n",
			intake.Spec{Give: intake.Fixed, Member: s.bina})
		problems := s.problems(t, m)
		for _, words := range []string{"Interest: ", "Stage: The pipeline has no such stage", "Owner: There is no member", "Branch: Branch is missing", "Branch: \"West\""} {
			if !strings.Contains(problems, words) {
				t.Errorf("nothing says %q:\n%s", words, problems)
			}
		}
		if m.Counts.New != 1 || m.Counts.Refused != 5 || m.Counts.Owners[s.asha] != 1 {
			t.Errorf("%+v\n%s", m.Counts, problems)
		}
		if l := s.leads(t)[0]; l.Owner != s.asha || l.Stage != "proposal" || l.Custom["interest"] != "yes" || l.Who.Person.Custom["branch"] != "North" || l.Who.Owner != s.asha {
			t.Errorf("%+v %+v", l.Lead, l.Who)
		}
		_, err := s.imports.Run(t.Context(), s.owner, strings.NewReader("Name\nx\n"), 7, intake.Spec{Kind: intake.Leads, Give: intake.Fixed, Member: "mem_gone"}, nil)
		refused(t, err, fault.NotFound, "")
	}, schemas()...)
}
