// Package contact keeps the people outside: who they are, how they are reached, and who looks after them. All that says
// something about a person is sealed under a key of the contact's own, so that destroying the key erases the person.
package contact

import (
	"context"
	"embed"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/crm/field"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
	"parley/trust/consent"
)

// Schema holds the package's tables, series "contact".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Categories of the privacy policy that contacts are data of.
const (
	Category     = "contact"
	CategoryNote = "lead.note"
)

// ID is a contact's public name, such as "con_06c1…".
type ID string

// Labelled is a number or an address with what the person uses it for ("work", "home").
type Labelled struct {
	Label string `json:"l,omitempty"`
	Text  string `json:"t"`
}

// Address is where somebody lives or works. Country is ISO 3166 alpha-2 where it is known.
type Address struct {
	Street   string `json:"s,omitempty"`
	City     string `json:"c,omitempty"`
	State    string `json:"r,omitempty"`
	Postcode string `json:"p,omitempty"`
	Country  string `json:"o,omitempty"`
}

// Person is what is known about somebody. Numbers are canonical once they are kept; Photo is an address on the web, which
// the server never asks for.
type Person struct {
	First    string            `json:"f,omitempty"`
	Last     string            `json:"l,omitempty"`
	Company  string            `json:"c,omitempty"`
	Title    string            `json:"t,omitempty"` // position in the company
	Numbers  []Labelled        `json:"n,omitempty"`
	Emails   []Labelled        `json:"e,omitempty"`
	Photo    string            `json:"p,omitempty"`
	Address  Address           `json:"a,omitzero"`
	Language string            `json:"g,omitempty"` // BCP 47, such as "hi"
	Custom   map[string]string `json:"u,omitempty"` // canonical, see field.Check
}

// Contact is a person as they are kept.
type Contact struct {
	ID         ID
	Subject    int64 // id of the key that everything about them is sealed under
	Rev        int64 // grows with every change
	Owner      account.MemberID
	Team       account.TeamID
	Person     Person
	Nums       []number.ID // of Person.Numbers in the number book
	Tags       []string
	Origin     string // "manual", "import", "call", "phone" or "api"
	Import     string // the import that brought them; "" = none
	MergedInto ID     // the contact that this one became part of; "" = none
	Restricted bool   // kept and not used, see CheckUse

	Made, Changed, Last time.Time        // Last: last activity
	MadeBy, ChangedBy   account.MemberID // "" = the operator or the program itself
}

// Name is what people call the contact: the names, else the company, else the first number, else the first address.
func (c *Contact) Name() string {
	p := &c.Person
	if name := strings.TrimSpace(p.First + " " + p.Last); name != "" {
		return name
	}
	switch {
	case p.Company != "":
		return p.Company
	case len(p.Numbers) > 0:
		return p.Numbers[0].Text
	case len(p.Emails) > 0:
		return p.Emails[0].Text
	default:
		return ""
	}
}

// Deps are what Contacts is made from. All are needed but Gate and Consents: without them nothing is held, and nobody was
// erased.
type Deps struct {
	DB       *db.DB
	Keys     *vault.Keys
	Accounts *account.Accounts
	Book     *number.Book
	Fields   *field.Fields
	Gate     call.Gate         // is asked before a person is deleted
	Consents *consent.Consents // knows who was erased and must not be brought back
	Now      func() time.Time
}

// Contacts keeps the contacts of all organisations.
type Contacts struct {
	d          Deps
	gone       []Gone
	renumbered []Renumbered
	alive      []Alive
	loose      Loose
}

// Renumbered is told, inside the transaction, which contacts have other numbers from now on, or became part of one another or
// stand for themselves again.
type Renumbered func(ctx context.Context, tx *db.Tx, org account.OrgID, contacts ...ID) error

// Gone is told, inside the transaction, which contacts are about to be deleted, so that whoever keeps rows about them
// removes those, too.
type Gone func(ctx context.Context, tx *db.Tx, org account.OrgID, contacts []ID) error

// NewContacts gives the contacts kept in d.DB.
func NewContacts(d Deps) *Contacts { return &Contacts{d: d} }

// OnGone says who is told of deletions. It is called at wiring, before anything is deleted.
func (s *Contacts) OnGone(g Gone) { s.gone = append(s.gone, g) }

// OnNumbers says who is told of contacts that have other numbers from now on. It is called at wiring.
func (s *Contacts) OnNumbers(r Renumbered) { s.renumbered = append(s.renumbered, r) }

// renumber tells of contacts that have other numbers from now on.
func (s *Contacts) renumber(ctx context.Context, tx *db.Tx, org account.OrgID, contacts ...ID) error {
	for _, r := range s.renumbered {
		if err := r(ctx, tx, org, contacts...); err != nil {
			return err
		}
	}
	return nil
}

// Sight says whose contacts and leads somebody sees, by their owners.
type Sight struct {
	All     bool
	Members []account.MemberID
	Unowned bool // those of nobody, too
}

// SightOf gives what a member sees: an agent their own; a manager those of their teams' members and those of nobody; whoever
// else reads them sees all.
func SightOf(ctx context.Context, accounts *account.Accounts, actor *account.Actor) (Sight, error) {
	me := actor.Member
	switch me.Role {
	case account.Agent:
		return Sight{Members: []account.MemberID{me.ID}}, nil
	case account.Manager:
		s := Sight{Members: []account.MemberID{me.ID}, Unowned: true}
		all, err := accounts.Members(ctx, actor.Org.ID)
		for _, m := range all {
			if m.ID != me.ID && slices.ContainsFunc(m.Teams, func(t account.TeamID) bool { return slices.Contains(me.Teams, t) }) {
				s.Members = append(s.Members, m.ID)
			}
		}
		return s, err
	default:
		return Sight{All: true}, nil
	}
}

// Sees tells whether what belongs to an owner is seen.
func (s Sight) Sees(owner account.MemberID) bool {
	return s.All || owner == "" && s.Unowned || owner != "" && slices.Contains(s.Members, owner)
}

// where adds the condition of a sight to a query, whose arguments are args.
func (s Sight) where(column string, args []any) (string, []any) {
	if s.All {
		return "", args
	}
	owners := slices.Clone(s.Members)
	if s.Unowned {
		owners = append(owners, "")
	}
	if len(owners) == 0 {
		return " AND 1 = 0", args
	}
	from := len(args) + 1
	for _, o := range owners {
		args = append(args, o)
	}
	return " AND " + column + " IN " + db.In(from, len(owners)), args
}

func errNone(id ID) error {
	return fault.New(fault.NotFound, "There is no contact %q here. They may have been erased, or belong to somebody whose contacts you do not see.", string(id))
}

// at is the time of Unix milliseconds; 0 is no time.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
