package api

import (
	"context"
	"maps"
	"net/http"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/fault"
)

const tagContacts = "Contacts"

// Labelled is a number or an address with what it is used for.
type Labelled struct {
	Label string `json:"label,omitempty" maxLength:"100" doc:"Such as work or home"`
	Text  string `json:"text" minLength:"1" maxLength:"254"`
}

// PostalAddress is where somebody lives or works.
type PostalAddress struct {
	Street   string `json:"street,omitempty" maxLength:"500"`
	City     string `json:"city,omitempty" maxLength:"200"`
	State    string `json:"state,omitempty" maxLength:"200"`
	Postcode string `json:"postcode,omitempty" maxLength:"40"`
	Country  string `json:"country,omitempty" maxLength:"60" doc:"ISO 3166 alpha-2, such as IN"`
}

// Contact is a person outside.
type Contact struct {
	ID        contact.ID       `json:"id"`
	Rev       int64            `json:"rev" doc:"Grows with every change; send it along with yours"`
	Name      string           `json:"name" doc:"What people call them: the names, else the company, else a number or an address"`
	FirstName string           `json:"first_name,omitempty"`
	LastName  string           `json:"last_name,omitempty"`
	Company   string           `json:"company,omitempty"`
	Title     string           `json:"title,omitempty" doc:"Position in the company"`
	Numbers   []Labelled       `json:"numbers" doc:"Canonical: E.164 where they can be"`
	Emails    []Labelled       `json:"emails"`
	PhotoURL  string           `json:"photo_url,omitempty" doc:"Never fetched by the server"`
	Address   *PostalAddress   `json:"address,omitempty"`
	Language  string           `json:"language,omitempty" doc:"BCP 47, such as hi"`
	Custom    []FieldValue     `json:"custom" doc:"The organisation's own fields"`
	Tags      []string         `json:"tags"`
	Owner     account.MemberID `json:"owner,omitempty" doc:"Absent: nobody's"`
	Team      account.TeamID   `json:"team,omitempty"`
	Origin    string           `json:"origin" enum:"manual,import,call,phone,api"`
	Import    string           `json:"import,omitempty" doc:"The import that brought them"`
	CreatedAt *time.Time       `json:"created_at"`
	CreatedBy account.MemberID `json:"created_by,omitempty" doc:"Absent: the program, or the operator"`
	ChangedAt *time.Time       `json:"changed_at"`
	LastAt    *time.Time       `json:"last_at,omitempty" doc:"Of the last activity with them"`
}

// ContactText is what is said about a person. What is left out of a change stays; empty text removes.
type ContactText struct {
	FirstName *string        `json:"first_name,omitempty" maxLength:"200"`
	LastName  *string        `json:"last_name,omitempty" maxLength:"200"`
	Company   *string        `json:"company,omitempty" maxLength:"200"`
	Title     *string        `json:"title,omitempty" maxLength:"200"`
	Numbers   *[]Labelled    `json:"numbers,omitempty" maxItems:"50" doc:"All numbers that they are to have, as people write them"`
	Emails    *[]Labelled    `json:"emails,omitempty" maxItems:"50" doc:"All addresses that they are to have"`
	PhotoURL  *string        `json:"photo_url,omitempty" maxLength:"2000"`
	Address   *PostalAddress `json:"address,omitempty" doc:"The whole address"`
	Language  *string        `json:"language,omitempty" maxLength:"35"`
	Custom    []FieldValue   `json:"custom,omitempty" maxItems:"200" doc:"Own fields; those that are left out stay"`
	Tags      *[]string      `json:"tags,omitempty" maxItems:"100" doc:"All tags that they are to have"`
}

// NewContact is a contact to be made.
type NewContact struct {
	ContactText
	Owner account.MemberID `json:"owner,omitempty" doc:"Left out: nobody's, for whoever may assign; else the caller's"`
}

// ContactChange changes a contact.
type ContactChange struct {
	ContactText
	Rev int64 `json:"rev" minimum:"0" doc:"The rev that you saw. When somebody changed the same field since, nothing is changed and the answer says who. 0 changes the contact as it is"`
}

// ContactPath names a contact.
type ContactPath struct {
	Contact contact.ID `path:"contact" doc:"Of one that was merged: the contact that it became part of is meant"`
}

// OwnerChange gives something to a member.
type OwnerChange struct {
	Owner account.MemberID `json:"owner" doc:"Empty: to nobody"`
}

// ContactAsk is which contacts are listed.
type ContactAsk struct {
	Text   string           `query:"q" maxLength:"200" doc:"Words that a name or the company has or begins with, an e-mail address, or a number (at least its last four digits)"`
	Tag    string           `query:"tag" maxLength:"200"`
	Owner  account.MemberID `query:"owner" doc:"A member's id, me, or none for those of nobody"`
	Import string           `query:"import" maxLength:"100" doc:"Those that this import brought"`
	Paging
}

func (s *API) contacts() {
	handle(s, does(http.MethodGet, "/contacts", "list-contacts", account.ReadLeads, tagContacts, "List or find contacts").
		saying("Those with the latest activity first. An agent sees their own, a manager those of their teams and of nobody."), s.listContacts)
	handle(s, does(http.MethodPost, "/contacts", "add-contact", account.WriteLeads, tagContacts, "Make a contact").
		saying("Somebody whose number or address is known is a conflict that names the contact, unless they are out of your sight.").giving(http.StatusCreated), s.addContact)
	handle(s, does(http.MethodGet, "/contacts/{contact}", "get-contact", account.ReadLeads, tagContacts, "One contact"),
		func(ctx context.Context, in *ContactPath) (*body[Contact], error) {
			c, err := s.theContact(ctx, in.Contact)
			return s.contactAnswer(ctx, c, err)
		})
	handle(s, does(http.MethodPatch, "/contacts/{contact}", "change-contact", account.WriteLeads, tagContacts, "Change a contact"), s.changeContact)
	handle(s, does(http.MethodPost, "/contacts/{contact}/owner", "give-contact", account.AssignLeads, tagContacts, "Give a contact to somebody"), s.giveContact)
	handle(s, does(http.MethodDelete, "/contacts/{contact}", "delete-contact", account.DeleteLeads, tagContacts, "Delete a contact for good").
		saying("With their leads and follow-ups and everything that was merged into them. Their calls stay. A legal hold stops it.").giving(http.StatusNoContent), s.deleteContact)
	s.contactWork()
	s.contactFiles()
}

// sight is whose contacts, leads and follow-ups the caller sees.
func (s *API) sight(ctx context.Context) (contact.Sight, error) {
	return contact.SightOf(ctx, s.Accounts, actorOf(ctx))
}

// theContact is a contact that the caller sees. Whoever was merged is the one that they became part of.
func (s *API) theContact(ctx context.Context, x contact.ID) (*contact.Contact, error) {
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.Contacts.Get(ctx, s.DB, callerOf(ctx).org.ID, sight, x)
	if err != nil {
		return nil, err
	}
	concernContact(ctx, c)
	return c, s.Contacts.CheckUse(ctx, s.DB, callerOf(ctx).org.ID, c)
}

// concernContact notes that the running operation is about a contact.
func concernContact(ctx context.Context, c *contact.Contact) {
	for _, who := range c.Refs() {
		concern(ctx, who)
	}
}

func (s *API) contactAnswer(ctx context.Context, c *contact.Contact, err error) (*body[Contact], error) {
	if err != nil {
		return nil, err
	}
	return answerOf(contactOf(callerOf(ctx).org, c)), nil
}

// contactOf is a contact as answers give it.
func contactOf(org *account.Org, c *contact.Contact) Contact {
	who := c.Person
	out := Contact{ID: c.ID, Rev: c.Rev, Name: c.Name(), FirstName: who.First, LastName: who.Last, Company: who.Company, Title: who.Title, Numbers: labelled(who.Numbers), Emails: labelled(who.Emails),
		PhotoURL: who.Photo, Language: who.Language, Custom: fieldValues(who.Custom), Tags: listed(c.Tags), Owner: c.Owner, Team: c.Team, Origin: c.Origin, Import: c.Import,
		CreatedAt: at(org, c.Made), CreatedBy: c.MadeBy, ChangedAt: at(org, c.Changed), LastAt: at(org, c.Last)}
	if who.Address != (contact.Address{}) {
		out.Address = &PostalAddress{Street: who.Address.Street, City: who.Address.City, State: who.Address.State, Postcode: who.Address.Postcode, Country: who.Address.Country}
	}
	return out
}

func labelled(all []contact.Labelled) []Labelled {
	out := make([]Labelled, len(all))
	for i, x := range all {
		out[i] = Labelled{Label: x.Label, Text: x.Text}
	}
	return out
}

// listed is a list that is never null.
func listed[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

// over puts what is said about a person over what is known.
func (t *ContactText) over(who contact.Person, tags []string) (contact.Person, []string) {
	set := func(to *string, text *string) {
		if text != nil {
			*to = *text
		}
	}
	set(&who.First, t.FirstName)
	set(&who.Last, t.LastName)
	set(&who.Company, t.Company)
	set(&who.Title, t.Title)
	set(&who.Photo, t.PhotoURL)
	set(&who.Language, t.Language)
	for _, list := range []struct {
		to   *[]contact.Labelled
		from *[]Labelled
	}{{&who.Numbers, t.Numbers}, {&who.Emails, t.Emails}} {
		if list.from == nil {
			continue
		}
		*list.to = nil
		for _, x := range *list.from {
			*list.to = append(*list.to, contact.Labelled{Label: x.Label, Text: x.Text})
		}
	}
	if a := t.Address; a != nil {
		who.Address = contact.Address{Street: a.Street, City: a.City, State: a.State, Postcode: a.Postcode, Country: a.Country}
	}
	if len(t.Custom) > 0 {
		custom := maps.Clone(who.Custom)
		if custom == nil {
			custom = map[string]string{}
		}
		maps.Copy(custom, customOf(t.Custom))
		who.Custom = custom
	}
	if t.Tags != nil {
		tags = *t.Tags
	}
	return who, tags
}

func (s *API) listContacts(ctx context.Context, in *ContactAsk) (*body[Page[Contact]], error) {
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	ask := contact.Ask{Text: in.Text, Tag: in.Tag, Import: in.Import, Cursor: in.Cursor, Limit: in.Limit}
	if in.Owner != "" {
		ask.Owner = new(ownerOf(ctx, in.Owner))
	}
	page, err := s.Contacts.List(ctx, s.DB, callerOf(ctx).org.ID, sight, ask)
	if err != nil {
		return nil, err
	}
	out := Page[Contact]{Items: []Contact{}, Next: page.Cursor}
	for _, c := range page.Contacts {
		concernContact(ctx, c)
		out.Items = append(out.Items, contactOf(callerOf(ctx).org, c))
	}
	return answerOf(out), nil
}

// ownerOf reads the owner that a filter names.
func ownerOf(ctx context.Context, word account.MemberID) account.MemberID {
	switch word {
	case "me":
		return actorOf(ctx).Member.ID
	case "none":
		return ""
	default:
		return word
	}
}

// ownerFor settles whose something new is to be: the caller's own, unless they may assign and say otherwise.
func (s *API) ownerFor(ctx context.Context, sight contact.Sight, owner account.MemberID) (account.MemberID, error) {
	a := actorOf(ctx)
	switch {
	case owner == "" && !a.Can(account.AssignLeads):
		return a.Member.ID, nil
	case owner == "" || owner == a.Member.ID:
		return owner, nil
	}
	if err := a.Require(account.AssignLeads); err != nil {
		return "", err
	}
	if !sight.Sees(owner) {
		return "", fault.Field("owner", "There is no member %.80q in your teams. Choose another owner.", owner)
	}
	return owner, nil
}

func (s *API) addContact(ctx context.Context, in *struct{ Body NewContact }) (*body[Contact], error) {
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	n := contact.New{Origin: "api"}
	if n.Owner, err = s.ownerFor(ctx, sight, in.Body.Owner); err != nil {
		return nil, err
	}
	n.Person, n.Tags = in.Body.over(contact.Person{}, nil)
	var c *contact.Contact
	err = s.settle(ctx, func(tx *db.Tx) (done func(), err error) {
		known, err := s.Contacts.Known(ctx, tx, callerOf(ctx).org, sight, n.Person)
		if err == nil && known != nil {
			err = fault.New(fault.Conflict, "The contact %s has this number or address already. Change that one, or leave the number out.", known.ID)
		}
		if err != nil {
			return nil, err
		}
		c, done, err = s.Contacts.Add(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, n)
		return done, err
	})
	if err == nil {
		concernContact(ctx, c)
	}
	return s.contactAnswer(ctx, c, err)
}

// settle runs a change in a transaction, and what follows it once that has committed.
func (s *API) settle(ctx context.Context, do func(tx *db.Tx) (committed func(), err error)) error {
	var committed func()
	err := s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		committed, err = do(tx)
		return err
	})
	if err == nil && committed != nil {
		committed()
	}
	return err
}

func (s *API) changeContact(ctx context.Context, in *struct {
	ContactPath
	Body ContactChange
}) (*body[Contact], error) {
	c, err := s.theContact(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	who, tags := in.Body.over(c.Person, c.Tags)
	err = s.settle(ctx, func(tx *db.Tx) (done func(), err error) {
		c, done, err = s.Contacts.Change(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, c.ID, in.Body.Rev, who, tags)
		return done, err
	})
	return s.contactAnswer(ctx, c, err)
}

func (s *API) giveContact(ctx context.Context, in *struct {
	ContactPath
	Body OwnerChange
}) (*body[Contact], error) {
	c, err := s.theContact(ctx, in.Contact)
	if err == nil && in.Body.Owner != "" {
		var sight contact.Sight
		if sight, err = s.sight(ctx); err == nil {
			_, err = s.ownerFor(ctx, sight, in.Body.Owner)
		}
	}
	if err != nil {
		return nil, err
	}
	if err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		return s.Contacts.SetOwner(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, c.ID, in.Body.Owner)
	}); err != nil {
		return nil, err
	}
	found, err := s.Contacts.Load(ctx, s.DB, callerOf(ctx).org.ID, c.ID)
	return s.contactAnswer(ctx, found[c.ID], err)
}

func (s *API) deleteContact(ctx context.Context, in *ContactPath) (*struct{}, error) {
	c, err := s.theContact(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	var committed func(context.Context) error
	err = s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		committed, err = s.Contacts.Delete(ctx, tx, callerOf(ctx).org.ID, c.ID)
		return err
	})
	if err == nil {
		err = committed(context.WithoutCancel(ctx))
	}
	return nil, err
}
