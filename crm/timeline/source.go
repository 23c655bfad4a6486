package timeline

import (
	"context"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/file"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/trust/consent"
	"parley/trust/subject"
)

// maxHidden is how many calls of colleagues a page looks through, at most, for those that the actor sees.
const maxHidden = 1000

// calls gives the calls with some numbers. agents are those whose calls the actor sees; nil is everybody's.
func (t *Timelines) calls(org *account.Org, agents []account.AgentNo, nums []number.ID) source {
	sees := map[account.AgentNo]bool{}
	for _, a := range agents {
		sees[a] = true
	}
	return func(ctx context.Context, tx *db.Tx, after place, n int) (b batch, err error) {
		from := after.sub
		if from == "" { // before the first call of the millisecond
			at := time.UnixMilli(after.ms)
			from = call.Key{Day: civil.DayOf(at, org.Location()), Start: after.ms}.ID(org.ID)
		}
		for {
			rows, next, err := t.d.Reporter.NewestOf(ctx, tx, org, nil, nums, from, n)
			if err != nil {
				return b, err
			}
			for i := range rows {
				r := &rows[i]
				at := place{ms: r.Start, sub: r.ID(org.ID)}
				if agents != nil && !sees[r.Agent] {
					b.hidden = append(b.hidden, at)
					continue
				}
				b.items = append(b.items, Item{Kind: Call, At: r.At(), ID: at.sub, Agent: r.Agent, Source: r.Source.String(), Link: "/calls/" + at.sub, at: at, row: *r})
			}
			if next == "" || len(b.items) >= n {
				return b, nil
			}
			if from = next; len(b.hidden) >= maxHidden {
				last := &rows[len(rows)-1]
				b.looked = &place{ms: last.Start, sub: next}
				return b, nil
			}
		}
	}
}

// notes gives what was written about a contact.
func (t *Timelines) notes(org account.OrgID, of contact.ID) source {
	return func(ctx context.Context, tx *db.Tx, after place, n int) (b batch, err error) {
		all, err := t.d.Contacts.PastNotes(ctx, tx, org, of, time.UnixMilli(after.ms), contact.NoteID(after.sub), n)
		for i := range all {
			x := &all[i]
			b.items = append(b.items, Item{Kind: Note, At: x.At, ID: string(x.ID), By: x.By, Source: "notes", Note: x, at: place{ms: x.At.UnixMilli(), sub: string(x.ID)}})
		}
		return b, err
	}
}

// followUps gives what was done with the follow-ups that a key seals.
func (t *Timelines) followUps(org account.OrgID, of int64) source {
	return func(ctx context.Context, tx *db.Tx, after place, n int) (b batch, err error) {
		below, rev, _ := strings.Cut(after.sub, "/")
		all, err := t.d.FollowUps.Past(ctx, tx, org, of, time.UnixMilli(after.ms), followup.ID(below), count(rev), n)
		for _, e := range all {
			b.items = append(b.items, Item{Kind: FollowUp, At: e.At, ID: string(e.FollowUp), By: e.By, Source: "follow-ups", Step: e.What,
				at: place{ms: e.At.UnixMilli(), sub: string(e.FollowUp) + "/" + strconv.FormatInt(e.Rev, 10)}})
		}
		return b, err
	}
}

// files gives what was filed about a contact.
func (t *Timelines) files(org account.OrgID, of contact.ID) source {
	return func(ctx context.Context, tx *db.Tx, after place, n int) (b batch, err error) {
		all, err := t.d.Files.Past(ctx, tx, org, of, time.UnixMilli(after.ms), file.ID(after.sub), n)
		for i := range all {
			x := &all[i]
			b.items = append(b.items, Item{Kind: Filed, At: x.At, ID: string(x.ID), By: x.By, Source: "files", Link: file.Link(of, x.ID), File: x, at: place{ms: x.At.UnixMilli(), sub: string(x.ID)}})
		}
		return b, err
	}
}

// count reads a number of a place; "" is 0.
func count(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64) // of a place that somebody made up: it gives another page, and no more
	return n
}

// fields is how many more rows are read than items are wanted, where one item has a row for each field that was changed.
const fields = 100

// contactChanges gives what was changed of a contact.
func (t *Timelines) contactChanges(org account.OrgID, of contact.ID) source {
	return func(ctx context.Context, tx *db.Tx, after place, n int) (batch, error) {
		all, err := t.d.Contacts.Past(ctx, tx, org, of, time.UnixMilli(after.ms), count(after.sub), 2*n+fields)
		return grouped(all, 2*n+fields, n, func(e contact.Event) int64 { return e.Rev }, func(es []contact.Event) Item {
			return Item{Kind: Change, At: es[0].At, ID: string(of), By: es[0].By, Source: "contact", Link: "/contacts/" + string(of), Contact: es}
		}), err
	}
}

// leadChanges gives what happened to a lead.
func (t *Timelines) leadChanges(org account.OrgID, of lead.ID) source {
	return func(ctx context.Context, tx *db.Tx, after place, n int) (batch, error) {
		all, err := t.d.Leads.Past(ctx, tx, org, of, time.UnixMilli(after.ms), count(after.sub), 2*n+fields)
		return grouped(all, 2*n+fields, n, func(e lead.Event) int64 { return e.Rev }, func(es []lead.Event) Item {
			return Item{Kind: Change, At: es[0].At, ID: string(of), By: es[0].By, Source: "lead", Link: "/leads/" + string(of), Lead: es}
		}), err
	}
}

// grouped makes one item of the rows of each change, newest first. Of asked rows that all came the last change may not be there
// as a whole, so it is left for the next page.
func grouped[E any](all []E, asked, n int, rev func(E) int64, item func([]E) Item) (b batch) {
	for from := 0; from < len(all) && len(b.items) < n; {
		to := from + 1
		for to < len(all) && rev(all[to]) == rev(all[from]) {
			to++
		}
		if to == len(all) && len(all) == asked && from > 0 {
			break
		}
		x := item(all[from:to])
		x.at = place{ms: x.At.UnixMilli(), sub: strconv.FormatInt(rev(all[from]), 10)}
		b.items = append(b.items, x)
		from = to
	}
	if len(all) == asked && len(b.items) > 0 && len(b.items) < n {
		last := b.items[len(b.items)-1].at
		b.looked = &last
	}
	return b
}

// origin tells how a contact came here.
func origin(c *contact.Contact) source {
	return func(_ context.Context, _ *db.Tx, after place, _ int) (b batch, err error) {
		at := place{ms: c.Made.UnixMilli()}
		if at.ms >= after.ms {
			return b, nil
		}
		x := Item{Kind: Origin, At: c.Made, ID: string(c.ID), By: c.MadeBy, Source: "contact", Origin: c.Origin, Import: c.Import, at: at}
		if c.Import != "" {
			x.Source, x.Link = "import", "/leads/imports/"+c.Import
		}
		b.items = append(b.items, x)
		return b, nil
	}
}

// consents gives what a person said under one of their names.
func (t *Timelines) consents(org account.OrgID, who consent.Who) source {
	return func(ctx context.Context, tx *db.Tx, after place, n int) (b batch, err error) {
		all, err := t.d.Consents.Past(ctx, tx, org, who, time.UnixMilli(after.ms), count(after.sub), n)
		for i := range all {
			e := &all[i]
			b.items = append(b.items, Item{Kind: Consent, At: e.At, ID: e.ID, By: e.By, Source: "ledger", Consent: e, at: place{ms: e.At.UnixMilli(), sub: strconv.FormatInt(e.N, 10)}})
		}
		return b, err
	}
}

// letters gives the messages to an address.
func (t *Timelines) letters(org account.OrgID, address string) source {
	return func(ctx context.Context, tx *db.Tx, after place, n int) (b batch, err error) {
		all, err := t.d.Letters(ctx, tx, org, address, time.UnixMilli(after.ms), after.sub, n)
		for i := range all {
			x := &all[i]
			b.items = append(b.items, Item{Kind: Message, At: x.At, ID: x.ID, Source: "mail", Message: x, at: place{ms: x.At.UnixMilli(), sub: x.ID}})
		}
		return b, err
	}
}

// requests gives what a person asked for under a law.
func (t *Timelines) requests(org account.OrgID, who subject.Ref) source {
	return func(ctx context.Context, tx *db.Tx, after place, n int) (b batch, err error) {
		all, err := t.d.Rights.Past(ctx, tx, org, who, time.UnixMilli(after.ms), after.sub, n)
		for _, q := range all {
			b.items = append(b.items, Item{Kind: Request, At: q.Received, ID: q.ID, Source: "request", Link: "/trust/requests/" + q.ID, Request: q,
				at: place{ms: q.Received.UnixMilli(), sub: q.ID}})
		}
		return b, err
	}
}

// dress adds to the items of a page what is opened for them alone: numbers, names and notes of calls, and follow-ups.
func (t *Timelines) dress(ctx context.Context, tx *db.Tx, org *account.Org, items []Item) error {
	var rows []call.Row
	var ids []followup.ID
	for i := range items {
		switch items[i].Kind {
		case Call:
			rows = append(rows, items[i].row)
		case FollowUp:
			ids = append(ids, followup.ID(items[i].ID))
		}
	}
	calls, err := t.d.Calls.Dress(ctx, tx, org, rows)
	if err != nil {
		return err
	}
	follow, err := t.d.FollowUps.Load(ctx, tx, org.ID, ids...)
	if err != nil {
		return err
	}
	next := 0
	for i := range items {
		switch x := &items[i]; x.Kind {
		case Call:
			x.Call = &calls[next]
			next++
		case FollowUp:
			x.FollowUp = follow[followup.ID(x.ID)]
		}
	}
	return nil
}
