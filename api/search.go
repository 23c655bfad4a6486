package api

import (
	"context"
	"net/http"
	"strings"

	"parley/account"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/fault"
	"parley/platform/phone"
)

// Found is what a search found, as far as the caller sees it.
type Found struct {
	Contacts []Contact     `json:"contacts" doc:"By name, company, e-mail address or number"`
	Leads    []Lead        `json:"leads" doc:"Leads of these contacts, the newest first"`
	Notes    []FoundNote   `json:"notes" doc:"Notes about contacts that have all words, or words that begin so"`
	Noted    []Call        `json:"noted_calls" doc:"Calls whose notes have all words, or words that begin so, the newest first; with the scope read_calls"`
	Numbers  []FoundNumber `json:"numbers" doc:"Numbers with calls, by all digits or at least the last four, or by the name that a phone logged; with the scope read_calls"`
}

// FoundNote is a note with whom it is about.
type FoundNote struct {
	Contact contact.ID `json:"contact"`
	ContactNote
}

// FoundNumber is a number with its newest call.
type FoundNumber struct {
	ID     number.Key `json:"id"`
	Number string     `json:"number"`
	Name   string     `json:"name,omitempty" doc:"As phones logged it"`
	Last   Call       `json:"last"`
}

func (s *API) search() {
	handle(s, does(http.MethodGet, "/search", "search", account.ReadLeads, tagContacts, "Find people, leads, notes and calls").
		saying("By the beginnings of words of a name, a company, a note about somebody or of a call, an e-mail address, or a number: at most 20 of each. Of words that very many notes have, only some are looked at. Restricted and erased people are not found."), s.find)
}

func (s *API) find(ctx context.Context, in *struct {
	Text string `query:"q" required:"true" minLength:"2" maxLength:"200"`
}) (*body[Found], error) {
	const most = 20
	org := callerOf(ctx).org
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	text := strings.Join(strings.Fields(in.Text), " ")
	ids, err := s.Contacts.Find(ctx, s.DB, org.ID, sight, text, most)
	if err != nil {
		return nil, err
	}
	out := Found{Contacts: []Contact{}, Leads: []Lead{}, Notes: []FoundNote{}, Noted: []Call{}, Numbers: []FoundNumber{}}
	found, err := s.Contacts.Load(ctx, s.DB, org.ID, ids...)
	if err != nil {
		return nil, err
	}
	for _, x := range ids {
		concernContact(ctx, found[x])
		out.Contacts = append(out.Contacts, contactOf(org, found[x]))
	}
	if len(ids) > 0 {
		page, err := s.Leads.Table(ctx, s.DB, org.ID, sight, lead.Ask{Filter: lead.Filter{Contacts: ids}, Limit: most})
		if err != nil {
			return nil, err
		}
		out.Leads = leadsOf(ctx, page.Rows)
	}
	notes, err := s.Contacts.FindNotes(ctx, s.DB, org.ID, sight, text, most)
	if err != nil {
		return nil, err
	}
	about := make([]contact.ID, len(notes))
	for i := range notes {
		about[i] = notes[i].Contact
		out.Notes = append(out.Notes, FoundNote{notes[i].Contact, noteOf(org, &notes[i])})
	}
	if err := s.concernContacts(ctx, about...); err != nil {
		return nil, err
	}
	if err := s.withCallNotes(ctx, text, most, &out); err != nil {
		return nil, err
	}
	err = s.withNumbers(ctx, text, most, &out)
	return answerOf(out), err
}

// withCallNotes adds the calls that the caller sees whose notes have the words of a text.
func (s *API) withCallNotes(ctx context.Context, text string, most int, out *Found) error {
	if !actorOf(ctx).Can(account.ReadCalls) {
		return nil
	}
	agents, err := seen(ctx)
	if err != nil {
		return err
	}
	found, err := s.Calls.FindNotes(ctx, s.DB, callerOf(ctx).org, agents, text, most)
	if err != nil || len(found) == 0 {
		return err
	}
	d, err := s.dresser(ctx)
	if err != nil {
		return err
	}
	for i := range found {
		if err := s.concernCall(ctx, found[i].Row.Key); err != nil {
			return err
		}
		out.Noted = append(out.Noted, d.call(&found[i]))
	}
	return nil
}

// withNumbers adds the numbers of a text with calls that the caller sees.
func (s *API) withNumbers(ctx context.Context, text string, most int, out *Found) error {
	const fewest = 4 // digits: fewer would open too many
	org, actor := callerOf(ctx).org, actorOf(ctx)
	digits := phone.Digits(text)
	if !actor.Can(account.ReadCalls) {
		return nil
	}
	n, ok, err := s.Book.Seek(ctx, s.DB, org.ID, phone.Parse(text, org.Country).Canonical())
	if fault.KindOf(err) == fault.Denied {
		return nil // of somebody restricted nothing is said
	}
	if err != nil {
		return err
	}
	agents, err := seen(ctx)
	if err != nil {
		return err
	}
	d, err := s.dresser(ctx)
	if err != nil {
		return err
	}
	each := func(nums []number.ID) (bool, error) {
		for _, n := range nums {
			page, err := s.Reporter.CallsOf(ctx, org, agents, n, "", 1)
			if err != nil {
				return false, err
			}
			if len(page.Calls) == 0 { // of somebody whom the caller does not see, or of nobody any more
				continue
			}
			c := &page.Calls[0]
			concernNumber(ctx, n)
			if out.Numbers = append(out.Numbers, FoundNumber{c.NumberKey, c.Number, c.Name, d.call(c)}); len(out.Numbers) == most {
				return false, nil
			}
		}
		return true, nil
	}
	if ok {
		_, err := each([]number.ID{n})
		return err
	}
	if len(digits) < fewest {
		return s.Book.Named(ctx, s.DB, org.ID, text, each)
	}
	return s.Book.Endings(ctx, s.DB, org.ID, digits, each)
}
