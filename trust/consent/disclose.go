package consent

import (
	"context"
	"slices"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
)

// Disclosure is data about a person that is about to go to a recipient.
type Disclosure struct {
	Who       Who // nobody in particular: what an administrator allowed for the organisation
	Purpose   string
	Recipient string
	Category  string
}

// Disclose is asked before data goes to a recipient for whom consent is needed, in the transaction that sends it: it
// refuses without an entry that names recipient, purpose and category, and uses up a consent that was for one disclosure.
func (s *Consents) Disclose(ctx context.Context, tx *db.Tx, org account.OrgID, d Disclosure) error {
	person := organisation
	if d.Who != (Who{}) {
		var err error
		if person, err = s.person(ctx, tx, org, d.Who); err != nil {
			return err
		}
	}
	var said *Entry
	if person != "" {
		all, err := s.entries(ctx, tx, org, person)
		if err != nil {
			return err
		}
		said = latest(all, d.Purpose, None, d.Recipient)
	}
	switch {
	case said == nil || said.State == Noticed || !slices.Contains(said.Categories, d.Category):
		return fault.New(fault.Denied, "There is no consent to give %s to %s for %s, so nothing was sent.", d.Category, d.Recipient, d.Purpose)
	case said.State == Used:
		return fault.New(fault.Denied, "The consent to give %s to %s was for one time, and that was used. Ask again.", d.Category, d.Recipient)
	case !said.Effective(s.Now()):
		return fault.New(fault.Denied, "The consent to give %s to %s was withdrawn or has run out, so nothing was sent.", d.Category, d.Recipient)
	case !said.Once:
		return nil
	}
	return s.insert(ctx, tx, org, person, &Change{Purposes: []string{d.Purpose}, State: Used, How: BySystem, Recipient: d.Recipient, Categories: said.Categories, Once: true}, []Scope{{d.Purpose, None}})
}

// AllowRecipient records that an administrator lets a recipient, such as an integration, get categories of the
// organisation's data for a purpose. It needs an end; RevokeRecipient ends it at once.
func (s *Consents) AllowRecipient(ctx context.Context, by *account.Actor, in Change) error {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return err
	}
	if in.Expires.IsZero() {
		return fault.Field("expires", "Say until when the recipient may get the data.")
	}
	in.Who, in.State, in.By, in.Channels = Who{}, Given, by.Member.ID, nil
	if in.Recipient == "" {
		return fault.Field("recipient", "Say who may get the data.")
	}
	return s.aboutOrganisation(ctx, by.Org.ID, in)
}

// RevokeRecipient takes back what AllowRecipient allowed.
func (s *Consents) RevokeRecipient(ctx context.Context, by *account.Actor, recipient string, purposes ...string) error {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return err
	}
	return s.aboutOrganisation(ctx, by.Org.ID, Change{Purposes: purposes, State: Withdrawn, How: ByWebForm, Recipient: recipient, By: by.Member.ID})
}

func (s *Consents) aboutOrganisation(ctx context.Context, org account.OrgID, in Change) error {
	if err := in.check(s.Now(), nil); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		if in.Wording, err = s.keepWording(ctx, tx, org, in.Wording); err != nil {
			return err
		}
		return s.insert(ctx, tx, org, organisation, &in, in.scopes(nil))
	})
}
