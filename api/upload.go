package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/intake"
)

// ContactGroups are the groups of phones' address books that an organisation collects.
type ContactGroups struct {
	Rev       int64            `json:"rev" doc:"The one that you saw; 0: nothing was ever said, and no phone sends anything"`
	Names     []string         `json:"names" nullable:"false" maxItems:"50" doc:"None stops all uploads"`
	ChangedAt *time.Time       `json:"changed_at,omitempty"`
	ChangedBy account.MemberID `json:"changed_by,omitempty"`
}

// PhoneGroups is what the organisation collects, and what the carrier of a phone lets it send.
type PhoneGroups struct {
	Collected []string   `json:"collected" doc:"Groups that the organisation asks for"`
	Accepted  []string   `json:"accepted" doc:"Those that the carrier of the phone lets it send"`
	At        *time.Time `json:"accepted_at,omitempty"`
}

// AcceptedGroups are the groups that the carrier of a phone chose there.
type AcceptedGroups struct {
	Accepted []string `json:"accepted" nullable:"false" maxItems:"50" doc:"None takes it back"`
}

// PhoneContacts are contacts of one group of a phone's address book.
type PhoneContacts struct {
	Group    string         `json:"group" minLength:"1" maxLength:"200"`
	Contacts []PhoneContact `json:"contacts" nullable:"false" maxItems:"200"`
}

// PhoneContact is one contact of a phone's address book.
type PhoneContact struct {
	FirstName string     `json:"first_name,omitempty" maxLength:"200"`
	LastName  string     `json:"last_name,omitempty" maxLength:"200"`
	Company   string     `json:"company,omitempty" maxLength:"200"`
	Title     string     `json:"title,omitempty" maxLength:"200"`
	Numbers   []Labelled `json:"numbers,omitempty" maxItems:"50"`
	Emails    []Labelled `json:"emails,omitempty" maxItems:"50"`
}

// PhoneUpload is what became of contacts that a phone sent.
type PhoneUpload struct {
	New     int              `json:"new"`
	Updated int              `json:"updated" doc:"Somebody was known by a number; what was empty is filled now, and nothing changed"`
	Same    int              `json:"same"`
	Left    int              `json:"left" doc:"Not taken; the phone is not told which and why"`
	Refused []RefusedContact `json:"refused"`
}

// RefusedContact is one that cannot be kept as it is.
type RefusedContact struct {
	Place  int    `json:"place" doc:"In the upload, from 0"`
	Reason string `json:"reason"`
}

func (s *API) addressBooks() {
	handle(s, does(http.MethodGet, "/contact-groups", "get-contact-groups", account.ReadLeads, tagContacts, "Groups of phones' address books that are collected"),
		func(ctx context.Context, _ *struct{}) (*body[ContactGroups], error) {
			return s.groupsAnswer(ctx)(s.Intake.Groups(ctx, s.DB, callerOf(ctx).org.ID))
		})
	handle(s, does(http.MethodPut, "/contact-groups", "set-contact-groups", account.ManagePipelines, tagContacts, "Say which groups are collected").
		saying("Never a whole address book: names that stand for one are refused. Each phone sends what its carrier accepted there, and nothing else."),
		func(ctx context.Context, in *struct{ Body ContactGroups }) (*body[ContactGroups], error) {
			return s.groupsAnswer(ctx)(s.Intake.SetGroups(ctx, actorOf(ctx), in.Body.Rev, in.Body.Names))
		})
	handle(s, forDevice(http.MethodGet, "/contact-groups", "get-phone-groups", "Groups that may be sent").
		saying("What the organisation collects, and what the carrier of this phone accepted."),
		func(ctx context.Context, _ *struct{}) (*body[PhoneGroups], error) { return s.phoneGroups(ctx) })
	handle(s, forDevice(http.MethodPut, "/contact-groups", "accept-phone-groups", "Say which groups the carrier accepts").
		saying("After they chose on the phone. What was sent before stays."),
		func(ctx context.Context, in *struct{ Body AcceptedGroups }) (*body[PhoneGroups], error) {
			c := callerOf(ctx)
			if err := s.Intake.AcceptGroups(ctx, c.org, c.device, in.Body.Accepted); err != nil {
				return nil, err
			}
			return s.phoneGroups(ctx)
		})
	handle(s, forDevice(http.MethodPost, "/contacts", "send-contacts", "Send contacts of a group").
		saying("At most 200 at once, as often as needed: what is known adds nothing."), s.phoneContacts)
}

func (s *API) groupsAnswer(ctx context.Context) func(g intake.Groups, err error) (*body[ContactGroups], error) {
	return func(g intake.Groups, err error) (*body[ContactGroups], error) {
		if err != nil {
			return nil, err
		}
		return answerOf(ContactGroups{Rev: g.Rev, Names: listed(g.Names), ChangedAt: at(callerOf(ctx).org, g.Changed), ChangedBy: g.By}), nil
	}
}

func (s *API) phoneGroups(ctx context.Context) (*body[PhoneGroups], error) {
	c := callerOf(ctx)
	g, err := s.Intake.Groups(ctx, s.DB, c.org.ID)
	if err != nil {
		return nil, err
	}
	yes, err := s.Intake.Accepted(ctx, s.DB, c.org.ID, c.device)
	return answerOf(PhoneGroups{Collected: listed(g.Names), Accepted: listed(yes.Names), At: at(c.org, yes.At)}), err
}

func (s *API) phoneContacts(ctx context.Context, in *struct{ Body PhoneContacts }) (*body[PhoneUpload], error) {
	u := intake.Upload{Group: in.Body.Group}
	for _, x := range in.Body.Contacts {
		text := ContactText{FirstName: &x.FirstName, LastName: &x.LastName, Company: &x.Company, Title: &x.Title, Numbers: &x.Numbers, Emails: &x.Emails}
		who, _ := text.over(contact.Person{}, nil)
		u.Persons = append(u.Persons, who)
	}
	c := callerOf(ctx)
	done, err := s.Intake.ContactUpload(ctx, c.org, c.device, u)
	if err != nil {
		return nil, err
	}
	out := PhoneUpload{New: done.New, Updated: done.Updated, Same: done.Same, Left: done.Left, Refused: []RefusedContact{}}
	for _, r := range done.Refused {
		out.Refused = append(out.Refused, RefusedContact(r))
	}
	return answerOf(out), nil
}
