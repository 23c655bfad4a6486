package intake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"parley/account"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/sheet"
)

// fate is what becomes of a row.
type fate int8

const (
	fateNew fate = iota
	fateUpdated
	fateSame
	fateSkipped
	fateLeft
	fateErased
	fateRefused
)

// verdict is the fate of one row, with the reason where it was not taken.
type verdict struct {
	fate fate
	bad  *sheet.RowError
}

// someone is a person as the rows of a batch see and change them.
type someone struct {
	was    *contact.Contact // as kept; nil for a new one
	key    string           // the contact's id, or a name of a person whom a dry run would have made
	Person contact.Person
	Tags   []string
	Owner  account.MemberID
	Leads  []*chance // the newest first
	Row    int       // that made them; 0 for those who are kept
	fresh  bool      // made by this batch
	dirty  bool      // kept, and changed by this batch
	notes  []string
}

// chance is a lead as the rows of a batch see and change it.
type chance struct {
	Lead  lead.New
	Open  bool
	Was   lead.ID // "" = a new one
	was   *lead.Lead
	fresh bool // made by this batch
	dirty bool // kept, and changed by this batch
	asked bool // the rules decided who gets it
	row   int
}

// memory is what a dry run knows besides the database: what it would have written by then.
type memory interface {
	// recall gives persons by the names of their numbers and addresses, and by their keys.
	recall(ctx context.Context, names []string) (map[string]*someone, error)
	remember(ctx context.Context, people []*someone) error
}

// batch is some rows of a file that are settled together.
type batch struct {
	*running
	c        db.Conn
	people   []*someone // who is touched, in order
	named    map[string]*someone
	byID     map[contact.ID]*someone
	excluded number.Excluded
	verdicts []verdict
}

// Names of numbers and addresses.
func numberName(canonical string) string { return "n:" + canonical }
func emailName(email string) string      { return "e:" + strings.ToLower(strings.TrimSpace(email)) }

// names are all by which a person is known again.
func names(p *contact.Person) []string {
	var out []string
	for _, n := range p.Numbers {
		out = append(out, numberName(n.Text))
	}
	for _, e := range p.Emails {
		out = append(out, emailName(e.Text))
	}
	return out
}

// settle decides what becomes of each row, without writing anything.
func (r *running) settle(ctx context.Context, c db.Conn, drafts []*draft) (*batch, error) {
	b := &batch{running: r, c: c, named: map[string]*someone{}, byID: map[contact.ID]*someone{}, verdicts: make([]verdict, len(drafts))}
	var err error
	if b.excluded, err = r.i.d.Book.Excluded(ctx, c, r.org.ID); err != nil {
		return nil, err
	}
	ready := make([]bool, len(drafts))
	for n, d := range drafts {
		if ready[n], err = b.clean(ctx, n, d); err != nil {
			return nil, err
		}
	}
	if r.m.Spec.Policy != Both {
		if err := b.load(ctx, drafts, ready); err != nil {
			return nil, err
		}
	}
	for n, d := range drafts {
		if !ready[n] {
			continue
		}
		if err := b.place(ctx, n, d); err != nil {
			return nil, err
		}
	}
	return b, b.assign(ctx)
}

// user tells an error that is about a row from one of the engine.
func user(err error) bool {
	return slices.Contains([]fault.Kind{fault.Invalid, fault.NotFound, fault.Denied, fault.Gone, fault.Conflict}, fault.KindOf(err))
}

// refuse gives a row up for an error that is about it, and gives other errors back.
func (b *batch) refuse(n int, err error) error {
	if !user(err) {
		return err
	}
	b.verdicts[n] = verdict{fateRefused, b.k.refused(err)}
	if fault.KindOf(err) == fault.Gone {
		b.verdicts[n].fate = fateErased
	}
	return nil
}

// clean puts a row into its canonical form, and tells whether it can go on.
func (b *batch) clean(ctx context.Context, n int, d *draft) (bool, error) {
	tags := slices.Concat(d.tags, b.m.Spec.Tags)
	who := contact.New{Person: d.person}
	who.Person.Custom = nil
	if b.m.Spec.Kind == Contacts {
		who.Tags = tags
	} else {
		d.lead.Tags = tags
	}
	if err := b.contacts.Check(ctx, b.c, &who); err != nil {
		return false, b.refuse(n, err)
	}
	custom := d.person.Custom
	d.person, d.tags = who.Person, who.Tags
	d.person.Custom = custom
	for _, text := range d.notes {
		if err := contact.CheckNote(text); err != nil {
			return false, b.refuse(n, err)
		}
	}
	for _, x := range d.person.Numbers {
		_, own := b.ours(x.Text)
		switch {
		case own:
			b.verdicts[n] = verdict{fateLeft, sheet.Refuse(b.k.header(FieldNumber), x.Text, "The number is one of your own lines, which never become contacts or leads.")}
			return false, nil
		case b.excluded.Drops(x.Text):
			b.verdicts[n] = verdict{fateLeft, sheet.Refuse(b.k.header(FieldNumber), x.Text, "The number is on the list of numbers that are never stored.")}
			return false, nil
		}
	}
	return true, nil
}

// load finds everybody whom the rows may be about.
func (b *batch) load(ctx context.Context, drafts []*draft, ready []bool) error {
	var numbers, emails, wanted []string
	for n, d := range drafts {
		if !ready[n] {
			continue
		}
		for _, x := range d.person.Numbers {
			numbers = append(numbers, x.Text)
		}
		for _, e := range d.person.Emails {
			emails = append(emails, strings.ToLower(e.Text))
		}
		wanted = append(wanted, names(&d.person)...)
	}
	known, err := b.i.d.Book.Known(ctx, b.c, b.org.ID, numbers)
	if err != nil {
		return err
	}
	byNumber, err := b.i.d.Contacts.ByNumber(ctx, b.c, b.org.ID, slices.Sorted(maps.Values(known))...)
	if err != nil {
		return err
	}
	byEmail, err := b.i.d.Contacts.ByEmails(ctx, b.c, b.org.ID, emails...)
	if err != nil {
		return err
	}
	found := map[string]contact.ID{}
	for text, id := range known {
		if who := byNumber[id]; len(who) > 0 {
			found[numberName(text)] = who[0]
		}
	}
	for email, who := range byEmail {
		found[emailName(email)] = who[0]
	}
	if err := b.open(ctx, found); err != nil || b.memory == nil {
		return err
	}
	return b.overlay(ctx, wanted)
}

// open loads contacts with their leads.
func (b *batch) open(ctx context.Context, found map[string]contact.ID) error {
	ids := slices.Sorted(maps.Values(found))
	all, err := b.i.d.Contacts.Load(ctx, b.c, b.org.ID, slices.Compact(ids)...)
	if err != nil {
		return err
	}
	for name, id := range found {
		was := all[id]
		if was == nil {
			continue
		}
		who := b.byID[was.ID]
		if who == nil {
			who = &someone{was: was, key: string(was.ID), Person: was.Person, Tags: was.Tags, Owner: was.Owner}
			who.Person.Custom = maps.Clone(was.Person.Custom)
			b.byID[was.ID] = who
		}
		b.named[name] = who
	}
	if b.m.Spec.Kind != Leads || len(b.byID) == 0 {
		return nil
	}
	leads, err := b.i.d.Leads.OfContacts(ctx, b.c, b.org.ID, slices.Sorted(maps.Keys(b.byID))...)
	if err != nil {
		return err
	}
	into := map[contact.ID]*someone{} // leads of what was merged name what it became
	for _, l := range leads {
		who := b.byID[l.Contact]
		if who == nil {
			if who = into[l.Contact]; who == nil {
				merged, err := b.i.d.Contacts.Load(ctx, b.c, b.org.ID, l.Contact)
				if err != nil {
					return err
				}
				if c := merged[l.Contact]; c != nil {
					who = b.byID[c.ID]
				}
				into[l.Contact] = who
			}
		}
		if who == nil {
			continue
		}
		who.Leads = append(who.Leads, &chance{was: l, Was: l.ID, Open: l.State == lead.Open, Lead: lead.New{Pipeline: l.Pipeline, Stage: l.Stage, Value: l.Value, Currency: l.Currency, Source: l.Source, SourceDay: l.SourceDay,
			Owner: l.Owner, Team: l.Team, Tags: l.Tags, Custom: maps.Clone(l.Custom), Due: l.Due}})
	}
	return nil
}

// overlay puts what a dry run would have written over what the database holds.
func (b *batch) overlay(ctx context.Context, wanted []string) error {
	for id := range b.byID {
		wanted = append(wanted, string(id))
	}
	recalled, err := b.memory.recall(ctx, wanted)
	if err != nil {
		return err
	}
	for name, who := range recalled {
		kept := b.byID[contact.ID(who.key)]
		if kept != nil {
			who.was = kept.was
			for _, l := range who.Leads {
				for _, k := range kept.Leads {
					if k.Was != "" && k.Was == l.Was {
						l.was = k.was
					}
				}
			}
			kept.Person, kept.Tags, kept.Owner, kept.Leads = who.Person, who.Tags, who.Owner, who.Leads
			who = kept
		}
		if b.named[name] == nil && strings.Contains(name, ":") {
			b.named[name] = who
		}
	}
	return nil
}

// find is who a row is about: whoever has one of the numbers, else an e-mail address; nil for nobody who is known.
func (b *batch) find(p *contact.Person) *someone {
	if b.m.Spec.Policy == Both {
		return nil
	}
	for _, name := range names(p) { // numbers come first
		if who := b.named[name]; who != nil {
			return who
		}
	}
	return nil
}

// place settles one row.
func (b *batch) place(ctx context.Context, n int, d *draft) error {
	who := b.find(&d.person)
	if who == nil {
		return b.add(ctx, n, d)
	}
	if who.was != nil {
		if !b.sight.Sees(who.was.Owner) && (b.m.Spec.Policy == Update || b.m.Spec.Kind == Leads && len(who.Leads) == 0) {
			b.verdicts[n] = verdict{fateRefused, &sheet.RowError{Sentence: "This person belongs to a colleague whose contacts you do not see. Ask an administrator to bring the row in."}}
			return nil
		}
		if locked(who.was, b.excluded.Restricted) {
			b.verdicts[n] = verdict{fateRefused, &sheet.RowError{Sentence: "What is known of this person may be kept and not used, so nothing is changed. Your privacy officer knows why."}}
			return nil
		}
	}
	switch {
	case b.m.Spec.Policy == Update:
		return b.update(ctx, n, d, who)
	case b.m.Spec.Kind == Leads && len(who.Leads) == 0:
		return b.another(ctx, n, d, who)
	default:
		b.verdicts[n] = verdict{fateSkipped, &sheet.RowError{Sentence: "Somebody with the same number or e-mail address is there already."}}
		if who.Row > 0 {
			b.verdicts[n].bad.Sentence = fmt.Sprintf("Row %d of the file has the same number or e-mail address.", who.Row)
		}
		return nil
	}
}

// locked tells whether what is known of somebody may be kept and not used.
func locked(c *contact.Contact, restricted map[number.ID]bool) bool {
	return c.Restricted || slices.ContainsFunc(c.Nums, func(n number.ID) bool { return restricted[n] })
}

// add settles a row about somebody new.
func (b *batch) add(ctx context.Context, n int, d *draft) error {
	custom, err := field.Check(b.k.contacts, d.person.Custom)
	if err != nil {
		return b.refuse(n, err)
	}
	d.person.Custom = custom
	who := &someone{key: fmt.Sprintf("v%d", d.row), Person: d.person, Tags: d.tags, Owner: d.owner, Row: d.row, fresh: true}
	if b.m.Spec.Kind == Leads {
		if err := b.leads.Check(ctx, b.c, &d.lead); err != nil {
			return b.refuse(n, leadFields(err))
		}
		d.lead.Owner = d.owner
		who.Leads = []*chance{{Lead: d.lead, Open: true, fresh: true, row: d.row}}
	} else if who.Owner == "" && b.m.Spec.Give == Fixed {
		who.Owner = b.m.Spec.Member
	}
	who.notes = d.notes
	b.people = append(b.people, who)
	b.name(who)
	b.verdicts[n] = verdict{fate: fateNew}
	return nil
}

// name lets later rows find somebody.
func (b *batch) name(who *someone) {
	for _, name := range names(&who.Person) {
		if b.named[name] == nil {
			b.named[name] = who
		}
	}
}

// leadFields says of which fields a lead's own ones are.
func leadFields(err error) error {
	for _, f := range fault.Fields(err) {
		if key, ok := strings.CutPrefix(f.Field, "custom."); ok {
			return fault.Field(ownLead+key, "%s", f.Sentence)
		}
	}
	return err
}

// another settles a row that makes a lead of somebody who is known.
func (b *batch) another(ctx context.Context, n int, d *draft, who *someone) error {
	if err := b.leads.Check(ctx, b.c, &d.lead); err != nil {
		return b.refuse(n, leadFields(err))
	}
	d.lead.Owner = d.owner
	who.Leads = append([]*chance{{Lead: d.lead, Open: true, fresh: true, row: d.row}}, who.Leads...)
	who.notes = append(who.notes, d.notes...)
	b.touch(who)
	b.verdicts[n] = verdict{fate: fateNew}
	return nil
}

// touch notes that a batch has to do with somebody who is kept.
func (b *batch) touch(who *someone) {
	if !slices.Contains(b.people, who) {
		b.people = append(b.people, who)
	}
}

// update settles a row that goes over what is known of somebody.
func (b *batch) update(ctx context.Context, n int, d *draft, who *someone) error {
	next := *who
	next.Person.Custom = maps.Clone(who.Person.Custom)
	changed := next.take(&d.person, d.tags)
	if changed {
		if err := b.check(ctx, &next); err != nil {
			return b.refuse(n, err)
		}
	}
	var target *chance
	if b.m.Spec.Kind == Leads {
		if i := slices.IndexFunc(who.Leads, func(c *chance) bool { return c.Open }); i >= 0 {
			target = who.Leads[i]
		} else if err := b.leads.Check(ctx, b.c, &d.lead); err != nil { // before anything is changed
			return b.refuse(n, leadFields(err))
		}
	}
	moved := false
	if target != nil {
		after := *target
		after.Lead.Custom = maps.Clone(target.Lead.Custom)
		var err error
		if moved, err = b.retouch(ctx, &after, d); err != nil {
			return b.refuse(n, leadFields(err))
		}
		if moved {
			after.dirty = !after.fresh
			*target = after
		}
	}
	if changed {
		who.Person, who.Tags = next.Person, next.Tags
		who.dirty = who.dirty || who.was != nil || !who.fresh
		b.name(who)
	}
	if b.m.Spec.Kind == Leads && target == nil {
		return b.another(ctx, n, d, who)
	}
	who.notes = append(who.notes, d.notes...)
	switch {
	case changed || moved || len(d.notes) > 0:
		b.touch(who)
		b.verdicts[n] = verdict{fate: fateUpdated}
	default:
		b.verdicts[n] = verdict{fate: fateSame}
	}
	return nil
}

// check looks whether somebody can be kept as a row changed them. Values of fields that were taken out stay as they are.
func (b *batch) check(ctx context.Context, who *someone) error {
	as := contact.New{Person: who.Person, Tags: who.Tags}
	as.Person.Custom = nil
	if err := b.contacts.Check(ctx, b.c, &as); err != nil {
		return err
	}
	shown := map[string]string{}
	for _, d := range b.k.contacts {
		if v := who.Person.Custom[d.Key]; v != "" {
			shown[d.Key] = v
		}
	}
	shown, err := field.Check(b.k.contacts, shown)
	if err != nil {
		return err
	}
	if who.Person.Custom == nil {
		who.Person.Custom = map[string]string{}
	}
	maps.Copy(who.Person.Custom, shown)
	who.Tags = as.Tags
	return nil
}

// retouch puts what a row says of a lead over what is there, and tells whether that changed anything. Its stage, its owner and
// when something is due stay.
func (b *batch) retouch(ctx context.Context, c *chance, d *draft) (moved bool, err error) {
	probe := d.lead
	probe.Custom = nil
	if err := b.leads.Check(ctx, b.c, &probe); err != nil {
		return false, err
	}
	l := &c.Lead
	if d.said[FieldValue] && (l.Value != probe.Value || l.Currency != probe.Currency) {
		l.Value, l.Currency, moved = probe.Value, probe.Currency, true
	}
	if d.said[FieldSource] && l.Source != probe.Source {
		l.Source, moved = probe.Source, true
	}
	if d.said[FieldSourceDay] && l.SourceDay != probe.SourceDay {
		l.SourceDay, moved = probe.SourceDay, true
	}
	for _, t := range probe.Tags {
		if !slices.ContainsFunc(l.Tags, func(o string) bool { return strings.EqualFold(o, t) }) {
			l.Tags, moved = append(slices.Clone(l.Tags), t), true
		}
	}
	for key, text := range d.lead.Custom {
		def, ok := defOf(Field(ownLead+key), nil, b.k.leads)
		if !ok {
			continue
		}
		value, err := field.Check([]field.Def{def}, map[string]string{key: text})
		if err != nil {
			return false, err
		}
		if l.Custom[key] != value[key] {
			if l.Custom == nil {
				l.Custom = map[string]string{}
			}
			l.Custom[key], moved = value[key], true
		}
	}
	return moved, nil
}
