package datamap_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/trust/datamap"
)

const tables = `CREATE TABLE people (
  org_id BIGINT NOT NULL,
  num BIGINT NOT NULL,
  name TEXT NOT NULL, -- commas, and PRIMARY KEY in words
  sealed BLOB,
  PRIMARY KEY (org_id, num)
) WITHOUT ROWID;
CREATE UNIQUE INDEX people_sealed ON people (org_id, sealed);`

const versions = "schema_versions\tseries\t-\t-\tnone\nschema_versions\tversion\t-\t-\tnone\n"

const people = `# a comment

people	org_id	contact	-	none
people	num	contact	number(num)	clear
people	name	contact	number(num)	clear	the town's name for them
people	sealed	contact	number(num)	subject
`

func files(text string) fstest.MapFS {
	return fstest.MapFS{"schema/0001_people.sql": {Data: []byte(tables)}, "schema/data.tsv": {Data: []byte(text)}}
}

func read(t *testing.T, texts ...string) *datamap.Map {
	t.Helper()
	m, err := datamap.Read(files(strings.Join(texts, "")))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTheMapIsComparedWithTheTablesThatAreThere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := read(t, people, versions).CheckSchema(t.Context(), d); err != nil {
			t.Errorf("a map that fits was refused: %v", err)
		}
		lacking := strings.Replace(people, "people\tsealed\tcontact\tnumber(num)\tsubject\n", "", 1)
		err := read(t, lacking, versions, "people\tbirthday\tcontact\tnumber(num)\tsubject\n").CheckSchema(t.Context(), d)
		for _, want := range []string{"Nobody said what is in people.sealed.", "describes people.birthday,"} {
			if err == nil || !strings.Contains(fault.Sentence(err), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
		if _, err := d.Exec(t.Context(), `CREATE TABLE more (org_id BIGINT NOT NULL PRIMARY KEY)`); err != nil {
			t.Fatal(err)
		}
		err = read(t, people, versions).CheckSchema(t.Context(), d)
		if err == nil || !strings.Contains(fault.Sentence(err), "Nobody said what is in more.org_id.") {
			t.Errorf("a table that nobody described: %v", err)
		}
	}, dbtest.Schema{Series: "people", Files: files("")})
}

func TestWrongLinesAreRefused(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"people\tnum\tcontact\tnumber(num)", "it has 4 parts"},
		{"people\tnum\tcontact\tnumber(num)\tclear\tnote\tmore", "it has 7 parts"},
		{"people\tnum\tcontact\tnumber(num)\tsecret", `"secret" is no class`},
		{"people\tnum\tcontact\tperson(num)\tclear", `"person(num)" names no person`},
		{"people\tnum\tcontact\tnumber\tclear", `"number" names no person`},
		{"people\tnum\tcontact\tnumber(id)\tclear", "by id, which people does not have"},
		{"people\tnum\t-\tnumber(num)\tclear", "no category"},
		{"people\tnum\tcontact\t-\tsubject", "does not say whose"},
		{"people\tshort_name\tcontact\t-\tclear", "looks like a name"},
		{"people\tphone\tcontact\t-\tclear", "looks like a name"},
		{"people\tnum\tcontact\t-\tclear\npeople\tnum\tcontact\t-\tindex", "described twice"},
	} {
		_, err := datamap.Read(files(c.line + "\n"))
		if err == nil || !strings.Contains(fault.Sentence(err), c.want) {
			t.Errorf("%q: got %v, want %q", c.line, err, c.want)
		}
	}
	if _, err := datamap.Read(fstest.MapFS{}); err == nil {
		t.Error("a package without data.tsv was taken")
	}
}

func TestATableOfTwoDatabasesIsOneTable(t *testing.T) {
	m, err := datamap.Read(files(versions), files(people+versions))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Tables(); len(got) != 2 || got[0] != "people" || len(m.Columns("schema_versions")) != 2 {
		t.Errorf("got tables %v", got)
	}
}

func TestColumnsAreFoundByTableAndByCategory(t *testing.T) {
	m := read(t, people, "people\tagent\tcall.meta\tnumber(num),agent(agent)\tclear\n")
	if got := names(m.ByCategory("contact")); got != "num name sealed" {
		t.Errorf("columns of contacts: %s", got)
	}
	if got := strings.Join(m.Categories(), " "); got != "call.meta contact" {
		t.Errorf("categories: %s", got)
	}
	if got := m.Columns("people")[4].Subjects; len(got) != 2 || got[1] != (datamap.Link{Kind: datamap.Agent, Column: "agent"}) {
		t.Errorf("got %v", got)
	}
}

func TestTheMapIsComparedWithThePolicy(t *testing.T) {
	m := read(t, people, "people\tagent\tcall.meta\tnumber(num),agent(agent)\tclear\n")
	policy := map[string]datamap.Class{"contact": datamap.Subject, "call.meta": datamap.Clear}
	said := func(category string) (datamap.Class, bool) {
		class, ok := policy[category]
		return class, ok
	}
	if err := m.CheckCategories(said); err != nil {
		t.Errorf("a map that fits was refused: %v", err)
	}
	policy["call.meta"] = datamap.Subject
	if err := m.CheckCategories(said); err == nil || !strings.Contains(fault.Sentence(err), "no column of them is: call.meta (subject).") {
		t.Errorf("what lies open and is said to be sealed: %v", err)
	}
	delete(policy, "call.meta")
	if err := m.CheckCategories(said); err == nil || !strings.Contains(fault.Sentence(err), "call.meta (of people.agent)") {
		t.Errorf("a category that no policy has: %v", err)
	}
}

func names(columns []datamap.Column) string {
	var out []string
	for _, c := range columns {
		out = append(out, c.Name)
	}
	return strings.Join(out, " ")
}
