// Package timeline puts everything that happened with one person in one order: calls with what they came to, notes,
// follow-ups, files, changes of the contact and its leads, consents, messages, requests, and how they came here. Each source keeps
// its own rows; a page takes a few of each and merges them, so it costs the same however long the history is.
package timeline

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/stats"
	"parley/crm/contact"
	"parley/crm/file"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/consent"
	"parley/trust/rights"
	"parley/trust/subject"
)

// Kind is what an item is.
type Kind string

// The kinds.
const (
	Call     Kind = "call"
	Note     Kind = "note"
	FollowUp Kind = "follow_up"
	Change   Kind = "change" // of the contact, or of one of its leads: stage, owner, value, …
	Consent  Kind = "consent"
	Message  Kind = "message"
	Request  Kind = "request" // under a law; for those who may see requests
	Filed    Kind = "file"    // kept about the contact
	Origin   Kind = "origin"  // how the contact came here
)

// Kinds lists the kinds.
func Kinds() []Kind {
	return []Kind{Call, Note, FollowUp, Change, Consent, Message, Request, Filed, Origin}
}

// Item is one thing that happened. Of the fields behind Source the one of its kind is set.
type Item struct {
	Kind   Kind
	At     time.Time
	ID     string           // of the call, note, follow-up, lead, contact, consent, mail, request or file
	By     account.MemberID // who did it; "" = the person, the program or, of a call, its agent
	Agent  account.AgentNo  // whose call it was
	Source string           // where it is known from: phone, pbx, …, "notes", "follow-ups", "contact", "lead", "ledger", "suppression", "mail", "request", "files", "import"
	Link   string           // the page that shows it; "" = none

	Call     *call.Call
	Note     *contact.Note
	FollowUp *followup.FollowUp
	Step     string          // what was done with the follow-up
	Contact  []contact.Event // fields of the contact that one change changed
	Lead     []lead.Event    // fields of a lead that one change changed
	Consent  *consent.Entry
	Message  *Letter
	Request  *rights.Request
	File     *file.File
	Origin   string // of the contact: manual, import, call, phone or api
	Import   string // the import that brought it

	at  place
	row call.Row
}

// Letter is a message that went, or is to go, to the person.
type Letter struct {
	ID, To, Subject, State string
	At                     time.Time
}

// Letters gives the messages to an address from before a moment, or from its millisecond with an id below one, newest first and
// at most limit.
type Letters func(ctx context.Context, c db.Conn, org account.OrgID, address string, at time.Time, below string, limit int) ([]Letter, error)

// Deps are what Timelines is made from. Letters may be nil: no messages are shown then.
type Deps struct {
	DB        *db.DB
	Accounts  *account.Accounts
	Book      *number.Book
	Calls     *call.Store
	Reporter  *stats.Reporter
	Contacts  *contact.Contacts
	Leads     *lead.Leads
	FollowUps *followup.FollowUps
	Files     *file.Files
	Consents  *consent.Consents
	Rights    *rights.Rights
	Letters   Letters
	Now       func() time.Time
}

// Timelines gives the timelines of all organisations.
type Timelines struct{ d Deps }

// New gives Timelines.
func New(d Deps) *Timelines { return &Timelines{d: d} }

// Query asks for a page. Of Contact and Number one is given.
type Query struct {
	Contact contact.ID
	Number  number.Key // of somebody who is no contact
	Kinds   []Kind     // only these; none = all
	After   string     // Page.Next of the page before
	Limit   int        // 1 to 200
}

// Page is a part of a timeline, newest first.
type Page struct {
	Items []Item
	Next  string // "" = this is the last
	// Hidden is how many calls of colleagues whose calls the actor does not see took place within the span of the page.
	Hidden int
}

const maxLimit = 200

// Timeline gives a page of what happened with somebody. The actor needs read_leads for a contact, and must see its owner; for a
// number alone read_calls. Calls are those of the agents whom the actor sees; how many others there were is told.
func (t *Timelines) Timeline(ctx context.Context, actor *account.Actor, q Query) (*Page, error) {
	if q.Limit < 1 || q.Limit > maxLimit {
		return nil, fault.Field("limit", "A page holds 1 to %d items; %d were asked for.", maxLimit, q.Limit)
	}
	for _, k := range q.Kinds {
		if !slices.Contains(Kinds(), k) {
			return nil, fault.Field("kind", "%q is no kind of item. Choose call, note, follow_up, change, consent, message, request, file or origin.", string(k))
		}
	}
	after, err := parseCursor(q.After, t.d.Now())
	if err != nil {
		return nil, err
	}
	page := &Page{}
	err = t.d.DB.Read(ctx, func(tx *db.Tx) error {
		who, err := t.person(ctx, tx, actor, &q)
		if err != nil {
			return err
		}
		sources, err := t.sources(ctx, tx, actor, who, q.Kinds)
		if err != nil {
			return err
		}
		items, next, hidden, err := merge(ctx, tx, sources, after, q.Limit)
		if err != nil {
			return err
		}
		page.Items, page.Hidden = items, hidden
		if next != nil {
			page.Next = next.cursor()
		}
		return t.dress(ctx, tx, actor.Org, items)
	})
	return page, err
}

// person is whom a timeline is about.
type person struct {
	contact *contact.Contact // nil = a number alone
	family  []*contact.Contact
	nums    []number.ID
	leads   []*lead.Lead
}

// person finds whom a query is about, as far as the actor may see them.
func (t *Timelines) person(ctx context.Context, tx *db.Tx, actor *account.Actor, q *Query) (*person, error) {
	org := actor.Org.ID
	if q.Contact == "" {
		if err := actor.Require(account.ReadCalls); err != nil {
			return nil, err
		}
		n, err := t.d.Book.ByKey(ctx, tx, org, q.Number)
		return &person{nums: []number.ID{n}}, err
	}
	if err := actor.Require(account.ReadLeads); err != nil {
		return nil, err
	}
	sight, err := contact.SightOf(ctx, t.d.Accounts, actor)
	if err != nil {
		return nil, err
	}
	p := &person{}
	if p.contact, err = t.d.Contacts.Get(ctx, tx, org, sight, q.Contact); err != nil {
		return nil, err
	}
	if err := t.d.Contacts.CheckUse(ctx, tx, org, p.contact); err != nil {
		return nil, err
	}
	p.nums = p.contact.Nums
	if p.family, err = t.d.Contacts.Kin(ctx, tx, org, p.contact.ID); err != nil {
		return nil, err
	}
	leads, err := t.d.Leads.OfContacts(ctx, tx, org, p.contact.ID)
	p.leads = slices.DeleteFunc(leads, func(l *lead.Lead) bool { return !sight.Sees(l.Owner) })
	return p, err
}

// refs are the names under which consents and requests know a person.
func (p *person) refs() (out []consent.Who) {
	for _, n := range p.nums {
		out = append(out, consent.Who{Ref: subject.OfNumber(int64(n))})
	}
	if p.contact == nil {
		return out
	}
	for _, c := range p.family {
		out = append(out, consent.Who{Ref: subject.OfContact(c.Subject)})
	}
	for _, e := range p.contact.Person.Emails {
		out = append(out, consent.Who{Email: e.Text})
	}
	return out
}

// sources are where the items of a person come from. Their order must stay the same from page to page.
func (t *Timelines) sources(ctx context.Context, tx *db.Tx, actor *account.Actor, p *person, kinds []Kind) ([]source, error) {
	org := actor.Org
	var out []source
	add := func(k Kind, s source) {
		if len(kinds) == 0 || slices.Contains(kinds, k) {
			out = append(out, s)
		}
	}
	if actor.Can(account.ReadCalls) {
		agents, err := actor.Agents(ctx)
		if err != nil {
			return nil, err
		}
		add(Call, t.calls(org, agents, p.nums))
	}
	for _, c := range p.family {
		add(Note, t.notes(org.ID, c.ID))
		add(FollowUp, t.followUps(org.ID, c.Subject))
		add(Filed, t.files(org.ID, c.ID))
		add(Change, t.contactChanges(org.ID, c.ID))
		add(Origin, origin(c))
	}
	for _, l := range p.leads {
		add(Change, t.leadChanges(org.ID, l.ID))
	}
	for _, who := range p.refs() {
		add(Consent, t.consents(org.ID, who))
	}
	if p.contact != nil && t.d.Letters != nil {
		for _, e := range p.contact.Person.Emails {
			add(Message, t.letters(org.ID, e.Text))
		}
	}
	if actor.Can(account.AnswerRequests) {
		for _, who := range p.refs() {
			if who.Ref != (subject.Ref{}) {
				add(Request, t.requests(org.ID, who.Ref))
			}
		}
	}
	return out, nil
}
