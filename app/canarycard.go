package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"parley/crm/contact"
	"parley/crm/file"
	"parley/platform/db"
	"parley/platform/fault"
)

// carded makes the canary a contact with an e-mail address, a second number, a note and a file, and looks for it by all of them.
func (c *canary) carded(ctx context.Context) error {
	card, err := c.newCard(ctx, "manual")
	if err != nil {
		return err
	}
	c.card = card
	if err := c.p.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := c.p.Contacts.AddNote(ctx, tx, c.org.ID, c.op.Member.ID, card.ID, c.remark); err != nil {
			return err
		}
		_, err := c.p.Files.Add(ctx, tx, c.org.ID, c.op.Member.ID, file.NewFile{Contact: card.ID, Name: c.remark + ".txt", Content: strings.NewReader(c.remark), Size: int64(len(c.remark))})
		return err
	}); err != nil {
		return err
	}
	for what, text := range map[string]string{"name": c.name, "beginning of the name": c.name[:10], "e-mail address": c.email, "number": c.second, "last four digits": c.second[len(c.second)-4:]} {
		ids, err := c.p.Contacts.Search(ctx, c.p.DB, c.org.ID, text, 5)
		if err != nil {
			return err
		}
		if !slices.Equal(ids, []contact.ID{card.ID}) {
			c.broke("P43", "A sealed contact is not found by its %s.", what)
		}
	}
	c.tell("As a contact the person was found by name, e-mail address and number, all of them sealed.")
	return nil
}

func (c *canary) newCard(ctx context.Context, origin string) (card *contact.Contact, err error) {
	var done func()
	if err := c.p.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		card, done, err = c.p.Contacts.Add(ctx, tx, c.org, c.op.Member.ID, contact.New{Origin: origin, Tags: []string{"proof"}, Person: contact.Person{First: c.name,
			Numbers: []contact.Labelled{{Text: c.number}, {Text: c.second}}, Emails: []contact.Labelled{{Text: c.email}}}})
		return err
	}); err != nil {
		return nil, err
	}
	done()
	return card, nil
}

// cardRestricted checks that a restriction by the number covers the contact.
func (c *canary) cardRestricted(ctx context.Context) error {
	if _, err := c.p.Contacts.Get(ctx, c.p.DB, c.org.ID, contact.Sight{All: true}, c.card.ID); fault.KindOf(err) != fault.Denied {
		c.broke("P93", "The contact of a restricted person is still shown.")
	}
	ids, err := c.p.Contacts.Search(ctx, c.p.DB, c.org.ID, c.email, 5)
	if err != nil {
		return err
	}
	if len(ids) > 0 {
		c.broke("P93", "A restricted person is still found among the contacts.")
	}
	return nil
}

// cardGone looks for the contact after the erasure, which was asked for by one of its numbers.
func (c *canary) cardGone(ctx context.Context) error {
	found, err := c.p.Contacts.Load(ctx, c.p.DB, c.org.ID, c.card.ID)
	if err != nil {
		return err
	}
	_, second, err := c.p.Book.Find(ctx, c.p.DB, c.org.ID, c.second)
	if err != nil {
		return err
	}
	var filed int
	if err := c.p.DB.Row(ctx, `SELECT count(*) FROM contact_files WHERE org_id = $1 AND contact = $2`, c.org.ID, c.card.ID).Scan(&filed); err != nil {
		return err
	}
	if filed > 0 {
		c.broke("P92", "A file about an erased person is still there.")
	}
	if len(found) > 0 || second {
		c.broke("P92", "The contact of an erased person is still there, or another number of theirs.")
	}
	keys, err := c.p.Keys.Org(ctx, int64(c.org.ID))
	if err != nil {
		return err
	}
	if _, err := keys.SealSubject(ctx, c.card.Subject, "proof", []byte("x")); fault.KindOf(err) != fault.Gone {
		c.broke("P92", "The key of an erased person's contact still works.")
	}
	return nil
}

// cardNotBack checks that no list brings the contact back.
func (c *canary) cardNotBack(ctx context.Context) error {
	if _, err := c.newCard(ctx, "import"); fault.KindOf(err) != fault.Gone {
		c.broke("P87", "A list brought an erased person back among the contacts: %s", fmt.Sprint(err))
	}
	return nil
}
