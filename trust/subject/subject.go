// Package subject names the persons whose data is kept.
package subject

import (
	"strconv"
	"strings"

	"parley/platform/fault"
)

// Kind is what a person is to the organisation.
type Kind string

// The kinds. A person outside is known by their number in the number book, or by their contact, which may have several
// numbers or none: its id is the one of the key that the contact is sealed under. A person inside is known by their member id.
const (
	Number  Kind = "number"
	Contact Kind = "contact"
	Member  Kind = "member"
)

// Ref names one person within an organisation.
type Ref struct {
	Kind Kind
	ID   string
}

// OfNumber is the person behind a number of the number book.
func OfNumber(num int64) Ref { return Ref{Number, strconv.FormatInt(num, 10)} }

// OfContact is the person of a contact, by the id of the contact's key.
func OfContact(key int64) Ref { return Ref{Contact, strconv.FormatInt(key, 10)} }

// OfMember is a person who can sign in, or whose calls are kept.
func OfMember(id string) Ref { return Ref{Member, id} }

// Num is the number-book id of a person outside, and 0 for anybody else.
func (r Ref) Num() int64 { return r.dense(Number) }

// Con is the id of a contact's key, and 0 for anybody else.
func (r Ref) Con() int64 { return r.dense(Contact) }

func (r Ref) dense(kind Kind) int64 {
	if r.Kind != kind {
		return 0
	}
	n, err := strconv.ParseInt(r.ID, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// String is the form that Parse reads, such as "number/17".
func (r Ref) String() string { return string(r.Kind) + "/" + r.ID }

// Parse reads what String wrote.
func Parse(text string) (Ref, error) {
	kind, id, ok := strings.Cut(text, "/")
	r := Ref{Kind(kind), id}
	if !ok || id == "" || r.Kind != Number && r.Kind != Contact && r.Kind != Member || r.Kind == Number && r.Num() <= 0 || r.Kind == Contact && r.Con() <= 0 {
		return Ref{}, fault.New(fault.Invalid, "%q names no person: write number/ID, contact/ID or member/ID.", text)
	}
	return r, nil
}
