// Package datamap knows what every column of every table is: the category of the policy it belongs to, whose data it is
// and how it is kept from reading. Each package says so of its own tables in a file data.tsv beside its SQL. The map is
// compared with the tables that are really there, so a column that nobody described is found before it ships.
package datamap

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"parley/platform/fault"
)

// Class is how a value is kept from reading, beyond the encryption of the whole database.
type Class string

// The classes.
const (
	Clear   Class = "clear"   // readable with the database key
	Org     Class = "org"     // sealed under the organisation's key
	Subject Class = "subject" // sealed under the person's own key
	Index   Class = "index"   // a keyed hash, to find a value by
	Hash    Class = "hash"    // a hash that cannot be turned back
	None    Class = "none"    // no personal data
)

// Kind says how a column finds the person.
type Kind string

// The kinds.
const (
	Number    Kind = "number"     // id in the number book
	Indexed   Kind = "indexed"    // keyed index of a phone number
	Contact   Kind = "contact"    // id of a contact's key
	ContactID Kind = "contact_id" // a contact's public id
	Member    Kind = "member"     // a member's id
	Agent     Kind = "agent"      // a member's agent number
	Address   Kind = "address"    // keyed index of an e-mail address
	Ref       Kind = "ref"        // text of a subject.Ref: number/17 or member/mem_…
)

// Link is one way from a row to a person.
type Link struct {
	Kind   Kind
	Column string // of the same table
}

// Column is one column and what it is.
type Column struct {
	Table, Name string
	Category    string // of the policy; "" for what belongs to nobody
	Subjects    []Link // whose data it is; empty when it is nobody's, or when only its sealed content tells
	Class       Class
	Note        string // why it is as it is; needed where a name or number is not sealed
}

// Map is every column, sorted by table and in the order of each file.
type Map struct{ columns []Column }

// file is where a package describes its tables.
const file = "data.tsv"

// Read puts the map together from the packages' files, each holding schema/data.tsv. It refuses a file that is not there,
// a line that is not right and a column that is described twice in different words.
func Read(from ...fs.FS) (*Map, error) {
	m := &Map{}
	for _, f := range from {
		text, err := fs.ReadFile(f, "schema/"+file)
		if err != nil {
			return nil, fault.Wrap(fault.Internal, err, "A package has tables and no schema/%s that says what is in them.", file)
		}
		if err := m.add(text); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(m.columns, func(a, b Column) int { return cmp.Compare(a.Table, b.Table) })
	return m, m.check()
}

func (m *Map) add(text []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		c, err := parse(line)
		if err != nil {
			return fault.Wrap(fault.Internal, err, "Line %d of a %s is not right: %s", n, file, fault.Sentence(err))
		}
		if old, ok := m.Column(c.Table, c.Name); ok {
			if old.line() != c.line() {
				return fault.New(fault.Internal, "The column %s.%s is described twice, as %q and as %q. Keep one.", c.Table, c.Name, old.line(), c.line())
			}
			continue // a table that several databases have
		}
		m.columns = append(m.columns, c)
	}
	return lines.Err()
}

// parse reads table, column, category, subject, class and, where there is one, a note, with tabs between.
func parse(line string) (Column, error) {
	parts := strings.Split(line, "\t")
	if len(parts) < 5 || len(parts) > 6 {
		return Column{}, fault.New(fault.Internal, "it has %d parts. Write table, column, category, subject, class and, if you like, a note, with tabs between.", len(parts))
	}
	c := Column{Table: parts[0], Name: parts[1], Category: dash(parts[2]), Class: Class(parts[4])}
	if len(parts) == 6 {
		c.Note = parts[5]
	}
	if !slices.Contains([]Class{Clear, Org, Subject, Index, Hash, None}, c.Class) {
		return c, fault.New(fault.Internal, "%q is no class. Choose clear, org, subject, index, hash or none.", parts[4])
	}
	if dash(parts[3]) == "" {
		return c, nil
	}
	for one := range strings.SplitSeq(parts[3], ",") {
		kind, column, ok := strings.Cut(strings.TrimSuffix(one, ")"), "(")
		if !ok || !slices.Contains([]Kind{Number, Indexed, Contact, ContactID, Member, Agent, Address, Ref}, Kind(kind)) {
			return c, fault.New(fault.Internal, "%q names no person. Write it like number(num), contact(subject), contact_id(contact), member(member_id), agent(agent), address(email_key), indexed(idx) or ref(person).", one)
		}
		c.Subjects = append(c.Subjects, Link{Kind(kind), column})
	}
	return c, nil
}

func dash(s string) string {
	if s == "-" {
		return ""
	}
	return s
}

// line is the form that parse reads, without the note.
func (c *Column) line() string {
	return fmt.Sprint(c.Table, c.Name, c.Category, c.Subjects, c.Class)
}

// check finds contradictions within the map.
func (m *Map) check() error {
	var errs []error
	for i := range m.columns {
		c := &m.columns[i]
		at := c.Table + "." + c.Name
		if c.Class != None && c.Category == "" {
			errs = append(errs, fault.New(fault.Internal, "The column %s holds personal data (%s) and has no category of the policy.", at, c.Class))
		}
		if c.Class == Subject && len(c.Subjects) == 0 {
			errs = append(errs, fault.New(fault.Internal, "The column %s is sealed under a person's key and does not say whose.", at))
		}
		if c.Class == Clear && c.Note == "" && tells(c.Name) {
			errs = append(errs, fault.New(fault.Internal, "The column %s looks like a name, a number or a text about somebody and is not sealed. Seal it, or say in its note why it need not be.", at))
		}
		for _, link := range c.Subjects {
			if _, ok := m.Column(c.Table, link.Column); !ok {
				errs = append(errs, fault.New(fault.Internal, "The column %s is said to find its person by %s, which %s does not have.", at, link.Column, c.Table))
			}
		}
	}
	return fault.Join(errs...)
}

// tells says of a column's name whether its content may name a person or tell something about one in words.
func tells(column string) bool {
	return slices.ContainsFunc(strings.Split(column, "_"), func(word string) bool {
		return slices.Contains([]string{"name", "phone", "number", "email", "mail", "address", "ip", "label", "note", "text", "title",
			"reason", "sentence", "transcript", "comment", "message", "folded", "contact", "birthday", "place", "location"}, word)
	})
}

// Tables lists the tables, sorted.
func (m *Map) Tables() []string {
	var out []string
	for _, c := range m.columns {
		if len(out) == 0 || out[len(out)-1] != c.Table {
			out = append(out, c.Table)
		}
	}
	return out
}

// Columns lists a table's columns; none for a table that the map does not have.
func (m *Map) Columns(table string) []Column {
	return m.where(func(c Column) bool { return c.Table == table })
}

// Column gives one column.
func (m *Map) Column(table, name string) (Column, bool) {
	i := slices.IndexFunc(m.columns, func(c Column) bool { return c.Table == table && c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return m.columns[i], true
}

// ByCategory lists the columns that hold personal data of a category of the policy.
func (m *Map) ByCategory(category string) []Column {
	return m.where(func(c Column) bool { return c.Class != None && c.Category == category })
}

// Categories lists the categories of the policy that the map names, sorted.
func (m *Map) Categories() []string {
	var out []string
	for _, c := range m.columns {
		if c.Category != "" {
			out = append(out, c.Category)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (m *Map) where(keep func(Column) bool) []Column {
	var out []Column
	for _, c := range m.columns {
		if keep(c) {
			out = append(out, c)
		}
	}
	return out
}
