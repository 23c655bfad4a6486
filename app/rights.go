package app

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/calls/person"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/reach/mail"
	"parley/trust/consent"
	"parley/trust/law"
	"parley/trust/rights"
	"parley/trust/subject"
	"parley/web/phrase"
)

const packageDir = "packages"

// requests makes the desk of people's requests over everybody who keeps data about people.
func (p *Parley) requests() (*rights.Rights, error) {
	tables, err := law.Load()
	if err != nil {
		return nil, err
	}
	r := rights.New(rights.Deps{
		DB: p.DB, Keys: p.Keys, Accounts: p.Accounts, Holds: p.Holds, Log: p.Audit, Now: p.Now, Dir: filepath.Join(p.Config.Data, packageDir),
		Find: p.findPerson,
		Clock: func(ctx context.Context, org *account.Org, q rights.Question) (rights.Clock, error) {
			doc, err := p.policyOf(ctx, org.ID)
			if err != nil {
				return rights.Clock{}, err
			}
			return rights.ClockOf(tables, doc, org, q)
		},
		Policy: func(ctx context.Context, org account.OrgID) (rights.Policy, error) {
			v, err := p.Policies.At(ctx, org, p.Now())
			if err != nil {
				return rights.Policy{}, err
			}
			return rights.PolicyOf(v)
		},
		Floor: func(ctx context.Context, org account.OrgID, category string, newest time.Time) (rights.Lock, bool, error) {
			doc, err := p.policyOf(ctx, org)
			if err != nil {
				return rights.Lock{}, false, err
			}
			lock, ok := rights.FloorOf(doc, category, newest, p.Now())
			return lock, ok, nil
		},
		Write: p.writeLetter, Tell: tellRecipient, Withdraw: p.withdrawFor, Child: p.markChild, Restrict: p.heed, Settle: p.settleErasure, Names: p.Contacts.Names,
	})
	r.Stores = []rights.Store{p.consentStore(), p.policyStore(), p.mailStore(), p.auditStore(), p.accountStore(), p.archiveStore(), p.securityStore(), p.attestStore(), r.Own(), p.Attach.Store(), p.Intake.Store(), p.FollowUps.Store(), p.Files.Store(), p.Assign.Store(), p.Leads.Store(), p.Persons.Store(), p.Contacts.Store()}
	return r, nil
}

// settleErasure leaves no copy of what was deleted in the database's own files, and carries the erasure to where backups
// are. A place that cannot be reached now is told by the server's duty, and the alarm of backups says so meanwhile.
func (p *Parley) settleErasure(ctx context.Context) error {
	if err := p.DB.Checkpoint(ctx); err != nil {
		return err
	}
	if err := p.Backups.Sync(ctx); err != nil {
		p.Log.Warn("places of backups not told of an erasure yet", "err", err)
	}
	return nil
}

// findPerson tells who is meant by a contact: the member or the newest contact with an e-mail address, the person behind a number.
func (p *Parley) findPerson(ctx context.Context, org *account.Org, c rights.Contact) (subject.Ref, bool, error) {
	if c.Number != "" {
		return person.InBook(p.Book).Find(ctx, p.DB, org.ID, c.Number)
	}
	members, err := p.Accounts.Members(ctx, org.ID)
	if err != nil {
		return subject.Ref{}, false, err
	}
	for _, m := range members {
		if m.Email != "" && strings.EqualFold(m.Email, c.Email) {
			return subject.OfMember(string(m.ID)), true, nil
		}
	}
	contacts, err := p.Contacts.ByEmail(ctx, p.DB, org.ID, c.Email)
	if err != nil || len(contacts) == 0 {
		return subject.Ref{}, false, err
	}
	found, err := p.Contacts.Load(ctx, p.DB, org.ID, contacts[0])
	if err != nil || found[contacts[0]] == nil {
		return subject.Ref{}, false, err
	}
	return subject.OfContact(found[contacts[0]].Subject), true, nil
}

// withdrawFor ends consents, and enters the person in the suppression list. Whoever objects to reports is hidden from them.
func (p *Parley) withdrawFor(ctx context.Context, org account.OrgID, who subject.Ref, c rights.Contact, purposes []string, request string) error {
	if slices.Contains(purposes, "reports") && c.Number != "" { // their calls are kept, and left out of every figure
		o, err := p.Accounts.Org(ctx, org)
		if err != nil {
			return err
		}
		if err := p.Writer.Exclude(ctx, o, number.Exclusion{Number: c.Number, Strength: number.Hidden, Label: request, AddedAt: p.Now()}); err != nil && fault.KindOf(err) != fault.Conflict {
			return err
		}
	}
	known, err := p.contactPurposes(ctx, org)
	if err != nil {
		return err
	}
	var of []string
	for _, purpose := range purposes {
		for _, k := range known {
			if k.Key == purpose {
				of = append(of, purpose)
			}
		}
	}
	if len(of) == 0 || who == (subject.Ref{}) && c.IsZero() {
		return nil
	}
	return p.Consents.Record(ctx, org, consent.Change{Who: consent.Who{Ref: who, Number: c.Number, Email: c.Email}, Purposes: of, Channels: consent.Channels(),
		State: consent.Objected, How: consent.ByRequest, Evidence: request})
}

// markChild keeps in mind that a person is under age, also when their data is erased.
func (p *Parley) markChild(ctx context.Context, org account.OrgID, who subject.Ref, c rights.Contact, request string) error {
	if who.Num() == 0 && c.IsZero() {
		return nil
	}
	return p.Consents.SetMinor(ctx, org, consent.Who{Ref: who, Number: c.Number, Email: c.Email}, true, request, "")
}

// heed lets calls and reports know whose data is restricted now.
func (p *Parley) heed(ctx context.Context, org account.OrgID, _ subject.Ref, _ bool) error {
	o, err := p.Accounts.Org(ctx, org)
	if err != nil {
		return err
	}
	restricted, err := p.Rights.Restricted(ctx, p.DB, org)
	if err != nil {
		return err
	}
	if err := p.Contacts.Heed(ctx, org, restricted); err != nil {
		return err
	}
	return p.Persons.Heed(ctx, o, restricted)
}

// tellRecipient says that a recipient has to be told by hand: no recipient of the policy is connected to this server.
func tellRecipient(_ context.Context, o rights.Order) (rights.Answer, error) {
	return rights.NoAnswer, fault.New(fault.Unavailable, "There is no connection to the recipient %s. Tell them, and note what they answered.", o.Recipient)
}

// writeLetter mails a person or an officer about a request, in their language.
func (p *Parley) writeLetter(ctx context.Context, l rights.Letter) error {
	org, err := p.Accounts.Org(ctx, l.Org)
	if err != nil {
		return err
	}
	words := phrase.For(nonEmpty(l.Locale, org.Locale)).In(org.Location())
	note := l.Note
	if l.Kind == rights.LetterRefused && note == "" {
		note = words.T("request.reason." + string(l.Reason))
	}
	link := p.Config.base() + "/trust/requests/" + l.Request
	if l.Secret != "" {
		link = p.Config.base() + "/privacy/" + p.publicName(ctx, org.ID) + "/request/" + l.Secret
	}
	key := "mail.request." + string(l.Kind)
	args := []any{"Organisation", org.Name, "Request", l.Request, "What", words.T("request.kind." + string(l.About)), "Code", l.Code, "Day", words.Date(civil.DayOf(l.Due.Add(-time.Second), org.Location())), "Note", note, "Link", link}
	return p.Mail.Send(ctx, mail.Message{Org: l.Org, To: l.To, Subject: words.T(key+".subject", args...), Text: words.T(key+".text", args...)})
}

// publicName is how an organisation stands in public addresses.
func (p *Parley) publicName(ctx context.Context, org account.OrgID) string {
	if name, err := p.Policies.Name(ctx, org); err == nil && name != "" {
		return name
	}
	return strconv.FormatInt(int64(org), 10)
}

func nonEmpty(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// checkRequests is the alarm of requests that were not answered in time.
func checkRequests(ctx context.Context, r *Run) finding {
	const check = "requests"
	late, err := r.p.Rights.Overdue(ctx)
	switch {
	case err != nil:
		return failed(check, err)
	case late > 0:
		return failed(check, fault.New(fault.Unavailable, "%d requests of people were not answered in time. See \"parley rights list --overdue\".", late))
	default:
		return ok(check, "no request of a person is overdue")
	}
}
