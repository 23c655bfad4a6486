package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/db"
)

// OtherContact names a contact beside the one of the address.
type OtherContact struct {
	Other contact.ID `json:"other" minLength:"1"`
}

// Twin is somebody who may be the same person.
type Twin struct {
	Contact Contact  `json:"contact"`
	Why     []string `json:"why" doc:"What both have: number, email, name"`
}

// TwinGroup is contacts that may be one person.
type TwinGroup struct {
	Why      string    `json:"why" enum:"number,email,name" doc:"What they have in common"`
	Contacts []Contact `json:"contacts" doc:"Two at least, and at most 20"`
}

// ContactNote is what somebody wrote down about a contact.
type ContactNote struct {
	ID        contact.NoteID   `json:"id"`
	Text      string           `json:"text"`
	By        account.MemberID `json:"by,omitempty"`
	At        *time.Time       `json:"at"`
	ChangedAt *time.Time       `json:"changed_at,omitempty"`
}

// NoteText is a note to be written.
type NoteText struct {
	Text string `json:"text" minLength:"1" maxLength:"10000" doc:"What holds numbers of cards or of identities is refused"`
}

// NotePath names a note.
type NotePath struct {
	ContactPath
	Note contact.NoteID `path:"note"`
}

// TagUse is a tag and how many have it.
type TagUse struct {
	Tag   string `json:"tag"`
	Count int    `json:"count"`
}

// contactWork are the operations on several contacts, and what is written about one.
func (s *API) contactWork() {
	handle(s, does(http.MethodGet, "/contact-twins", "list-contact-twins", account.WriteLeads, tagContacts, "Who may be in the contacts twice").
		saying("Those who share a number come first. Those that somebody called two persons are left out."), s.listTwins)
	handle(s, does(http.MethodGet, "/contacts/{contact}/twins", "get-contact-twins", account.WriteLeads, tagContacts, "Who may be the same person as a contact"), s.twinsOf)
	handle(s, does(http.MethodPost, "/contacts/{contact}/merge", "merge-contact", account.WriteLeads, tagContacts, "Make two contacts one").
		saying("The contact of the address stays and gets the numbers, addresses, tags and empty fields of the other one. It can be split again."), s.mergeContact)
	handle(s, does(http.MethodPost, "/contacts/{contact}/split", "split-contact", account.WriteLeads, tagContacts, "Take a merge back").
		saying("The address names the contact that was merged into another one. It stands for itself again, and the other one loses what came in with it and has not changed since."), s.splitContact)
	handle(s, does(http.MethodPost, "/contacts/{contact}/apart", "part-contacts", account.WriteLeads, tagContacts, "Say that two contacts are two persons").giving(http.StatusNoContent), s.partContacts)
	handle(s, does(http.MethodGet, "/contacts/{contact}/notes", "list-contact-notes", account.ReadLeads, tagContacts, "Notes about a contact").saying("The newest first, at most 200."), s.listNotes)
	handle(s, does(http.MethodPost, "/contacts/{contact}/notes", "add-contact-note", account.WriteLeads, tagContacts, "Write a note about a contact").giving(http.StatusCreated), s.addNote)
	handle(s, does(http.MethodPut, "/contacts/{contact}/notes/{note}", "change-contact-note", account.WriteLeads, tagContacts, "Rewrite a note of one's own").giving(http.StatusNoContent),
		func(ctx context.Context, in *struct {
			NotePath
			Body NoteText
		}) (*struct{}, error) {
			return nil, s.withContact(ctx, in.Contact, func(tx *db.Tx, c *contact.Contact) error {
				return s.Contacts.ChangeNote(ctx, tx, callerOf(ctx).org.ID, actorOf(ctx).Member.ID, c.ID, in.Note, in.Body.Text)
			})
		})
	handle(s, does(http.MethodDelete, "/contacts/{contact}/notes/{note}", "delete-contact-note", account.WriteLeads, tagContacts, "Delete a note of one's own").
		saying("A legal hold stops it.").giving(http.StatusNoContent),
		func(ctx context.Context, in *NotePath) (*struct{}, error) {
			return nil, s.withContact(ctx, in.Contact, func(tx *db.Tx, c *contact.Contact) error {
				return s.Contacts.DropNote(ctx, tx, callerOf(ctx).org.ID, actorOf(ctx).Member.ID, c.ID, in.Note)
			})
		})
	handle(s, does(http.MethodGet, "/contact-tags", "list-contact-tags", account.ReadLeads, tagContacts, "Tags of contacts in use"),
		func(ctx context.Context, _ *struct{}) (*body[Page[TagUse]], error) {
			all, err := s.Contacts.Tags(ctx, s.DB, callerOf(ctx).org.ID)
			out := Page[TagUse]{Items: []TagUse{}}
			for _, t := range all {
				out.Items = append(out.Items, TagUse{t.Tag, t.Contacts})
			}
			return answerOf(out), err
		})
}

// withContact does something with a contact in sight, in a transaction.
func (s *API) withContact(ctx context.Context, x contact.ID, do func(tx *db.Tx, c *contact.Contact) error) error {
	c, err := s.theContact(ctx, x)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error { return do(tx, c) })
}

func (s *API) listTwins(ctx context.Context, in *Paging) (*body[Page[TwinGroup]], error) {
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	groups, next, err := s.Contacts.Duplicates(ctx, s.DB, callerOf(ctx).org.ID, sight, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	out := Page[TwinGroup]{Items: []TwinGroup{}, Next: next}
	for _, g := range groups {
		one := TwinGroup{Why: g.Why}
		for _, c := range g.Contacts {
			concernContact(ctx, c)
			one.Contacts = append(one.Contacts, contactOf(callerOf(ctx).org, c))
		}
		out.Items = append(out.Items, one)
	}
	return answerOf(out), nil
}

func (s *API) twinsOf(ctx context.Context, in *ContactPath) (*body[Page[Twin]], error) {
	c, err := s.theContact(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.Contacts.Twins(ctx, s.DB, callerOf(ctx).org.ID, sight, c)
	out := Page[Twin]{Items: []Twin{}}
	for _, t := range all {
		concernContact(ctx, t.Contact)
		out.Items = append(out.Items, Twin{contactOf(callerOf(ctx).org, t.Contact), t.Why})
	}
	return answerOf(out), err
}

func (s *API) mergeContact(ctx context.Context, in *struct {
	ContactPath
	Body OtherContact
}) (*body[Contact], error) {
	c, err := s.theContact(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	o, err := s.theContact(ctx, in.Body.Other)
	if err != nil {
		return nil, err
	}
	err = s.settle(ctx, func(tx *db.Tx) (done func(), err error) {
		c, done, err = s.Contacts.Merge(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, c.ID, o.ID)
		return done, err
	})
	return s.contactAnswer(ctx, c, err)
}

func (s *API) splitContact(ctx context.Context, in *ContactPath) (*body[Contact], error) {
	c, err := s.theContact(ctx, in.Contact) // the one that it became part of, which the caller must see
	if err != nil {
		return nil, err
	}
	err = s.settle(ctx, func(tx *db.Tx) (done func(), err error) {
		c, done, err = s.Contacts.Split(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, in.Contact)
		return done, err
	})
	return s.contactAnswer(ctx, c, err)
}

func (s *API) partContacts(ctx context.Context, in *struct {
	ContactPath
	Body OtherContact
}) (*struct{}, error) {
	o, err := s.theContact(ctx, in.Body.Other)
	if err != nil {
		return nil, err
	}
	return nil, s.withContact(ctx, in.Contact, func(tx *db.Tx, c *contact.Contact) error {
		return s.Contacts.Apart(ctx, tx, callerOf(ctx).org.ID, actorOf(ctx).Member.ID, c.ID, o.ID)
	})
}

// mostNotes is how many notes one answer gives.
const mostNotes = 200

func (s *API) listNotes(ctx context.Context, in *ContactPath) (*body[Page[ContactNote]], error) {
	c, err := s.theContact(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	all, err := s.Contacts.Notes(ctx, s.DB, callerOf(ctx).org.ID, c.ID, time.Time{}, mostNotes)
	out := Page[ContactNote]{Items: []ContactNote{}}
	for i := range all {
		out.Items = append(out.Items, noteOf(callerOf(ctx).org, &all[i]))
	}
	return answerOf(out), err
}

func noteOf(org *account.Org, n *contact.Note) ContactNote {
	return ContactNote{ID: n.ID, Text: n.Text, By: n.By, At: at(org, n.At), ChangedAt: at(org, n.Changed)}
}

func (s *API) addNote(ctx context.Context, in *struct {
	ContactPath
	Body NoteText
}) (*body[ContactNote], error) {
	var n *contact.Note
	err := s.withContact(ctx, in.Contact, func(tx *db.Tx, c *contact.Contact) (err error) {
		n, err = s.Contacts.AddNote(ctx, tx, callerOf(ctx).org.ID, actorOf(ctx).Member.ID, c.ID, in.Body.Text)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answerOf(noteOf(callerOf(ctx).org, n)), nil
}
