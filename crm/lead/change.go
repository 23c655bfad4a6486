package lead

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/crm/field"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// Change is what is to change about a lead; nil leaves a field as it is.
type Change struct {
	Value     *int64 // in the currency's minor unit
	Currency  *string
	Source    *string
	SourceDay *civil.Day
	Team      *account.TeamID
	Due       *time.Time // zero = nothing is due
	Tags      *[]string  // all of them
	// AddTags and DropTags change single tags, whatever others did to the rest.
	AddTags, DropTags []string
	// Custom holds the custom fields that change; "" empties one.
	Custom map[string]string
}

// edit says on whose behalf, and on what ground, a lead is changed.
type edit struct {
	org  *account.Org
	by   account.MemberID
	rev  int64 // the one that the editor saw; 0 = the lead as it is
	why  string
	bulk string
}

// Change changes fields of a lead. rev is the one that the editor saw; when somebody changed one of the same fields since,
// the whole change is a Conflict that says who, what and when. What changed in other fields stays. rev 0 is for programs that
// decide upon the lead as it is.
func (s *Leads) Change(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, id ID, rev int64, ch Change) (*Lead, error) {
	return s.change(ctx, tx, edit{org: org, by: by, rev: rev}, id, func(l *Lead) error { return s.apply(ctx, tx, org, l, ch) })
}

// apply writes a Change into a lead.
func (s *Leads) apply(ctx context.Context, c db.Conn, org *account.Org, l *Lead, ch Change) (err error) {
	if ch.Value != nil {
		if err := checkValue(*ch.Value); err != nil {
			return err
		}
		l.Value = *ch.Value
	}
	if ch.Currency != nil {
		code, err := parseCurrency("currency", *ch.Currency)
		if err != nil {
			return err
		}
		if code != "" {
			l.Currency = code
		}
	}
	if ch.Source != nil {
		if l.Source, err = line("source", *ch.Source, maxSource); err != nil {
			return err
		}
	}
	if ch.SourceDay != nil {
		l.SourceDay = *ch.SourceDay
	}
	if ch.Team != nil {
		if err := checkTeam(ctx, c, org.ID, *ch.Team); err != nil {
			return err
		}
		l.Team = *ch.Team
	}
	if ch.Due != nil {
		l.Due = *ch.Due
	}
	if l.Tags, err = ch.tags(l.Tags); err != nil {
		return err
	}
	if len(ch.Custom) == 0 {
		return nil
	}
	return s.applyCustom(ctx, c, org.ID, l, ch.Custom)
}

// tags are those of a lead after the change.
func (ch *Change) tags(have []string) ([]string, error) {
	if ch.Tags == nil && len(ch.AddTags) == 0 && len(ch.DropTags) == 0 {
		return have, nil
	}
	if ch.Tags != nil {
		have = *ch.Tags
	}
	drop, err := cleanTags(ch.DropTags)
	if err != nil {
		return nil, err
	}
	have = slices.DeleteFunc(slices.Clone(have), func(t string) bool {
		return slices.ContainsFunc(drop, func(d string) bool { return strings.EqualFold(d, t) })
	})
	return cleanTags(append(have, ch.AddTags...))
}

func (s *Leads) applyCustom(ctx context.Context, c db.Conn, org account.OrgID, l *Lead, custom map[string]string) error {
	defs, err := s.d.Fields.Of(ctx, c, org, field.OfLead)
	if err != nil {
		return err
	}
	all := map[string]string{}
	for key, v := range l.Custom {
		if slices.ContainsFunc(defs, func(d field.Def) bool { return d.Key == key }) { // one that was taken away stays as it is
			all[key] = v
		}
	}
	maps.Copy(all, custom)
	all, err = field.Check(defs, all)
	if err != nil {
		return err
	}
	for key := range custom {
		l.setCustom(key, all[key])
	}
	return nil
}

// change runs do on a lead and keeps what came of it, with its history, unless somebody else changed the same since.
func (s *Leads) change(ctx context.Context, tx *db.Tx, e edit, id ID, do func(l *Lead) error) (*Lead, error) {
	was, err := s.locked(ctx, tx, e.org.ID, id)
	if err != nil {
		return nil, err
	}
	if e.rev < 0 || e.rev > was.Rev {
		return nil, fault.Field("rev", "This lead has no version %d; the newest is %d. Open it again.", e.rev, was.Rev)
	}
	l := was.clone()
	if err := do(l); err != nil {
		return nil, err
	}
	return l, s.keep(ctx, tx, e, was, l)
}

// clone copies a lead that is to be changed.
func (l *Lead) clone() *Lead {
	x := *l
	x.Tags, x.Custom = slices.Clone(l.Tags), maps.Clone(l.Custom)
	return &x
}

// keep writes what changed of a lead.
func (s *Leads) keep(ctx context.Context, tx *db.Tx, e edit, was, l *Lead) error {
	before, after := was.texts(), l.texts()
	var fields []string
	for _, f := range slices.Sorted(maps.Keys(before)) {
		if before[f] != after[f] {
			fields = append(fields, f)
		}
	}
	for _, f := range slices.Sorted(maps.Keys(after)) {
		if _, had := before[f]; !had {
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	if e.rev != 0 && e.rev < was.Rev {
		if err := s.stale(ctx, tx, e.org, l, e.rev, fields); err != nil {
			return err
		}
	}
	k, err := s.d.Keys.Org(ctx, int64(e.org.ID))
	if err != nil {
		return err
	}
	l.Rev, l.Changed, l.ChangedBy = was.Rev+1, s.d.Now(), e.by
	events := make([]event, len(fields))
	for i, f := range fields {
		events[i] = event{lead: l, Event: Event{Field: f, From: before[f], To: after[f], Why: e.why}}
	}
	if err := update(ctx, tx, k, e.org.ID, l); err != nil {
		return err
	}
	if before[fieldTags] != after[fieldTags] {
		if _, err := tx.Exec(ctx, `DELETE FROM lead_tags WHERE org_id = $1 AND lead = $2`, e.org.ID, l.ID); err != nil {
			return err
		}
		if err := putTags(ctx, tx, k, e.org.ID, l); err != nil {
			return err
		}
	}
	if err := s.record(ctx, tx, k, e.org.ID, e.by, e.bulk, events); err != nil {
		return err
	}
	if was.State != l.State {
		if err := s.turn(ctx, tx, e.org.ID, l); err != nil {
			return err
		}
	}
	if was.Owner == l.Owner && was.State == l.State {
		return nil
	}
	if err := s.own(ctx, tx, e.org.ID, was, l); err != nil {
		return err
	}
	return s.follow(ctx, tx, e.org, e.by, l.Contact)
}

// SetOwner gives a lead to somebody, "" to nobody, and says why in the history. Somebody who cannot work on leads is refused.
func (s *Leads) SetOwner(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, id ID, to account.MemberID, why string) error {
	_, err := s.setOwner(ctx, tx, edit{org: org, by: by, why: why}, id, to)
	return err
}

// Give is SetOwner for an editor who saw the lead at rev.
func (s *Leads) Give(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, id ID, rev int64, to account.MemberID, why string) (*Lead, error) {
	return s.setOwner(ctx, tx, edit{org: org, by: by, rev: rev, why: why}, id, to)
}

func (s *Leads) setOwner(ctx context.Context, tx *db.Tx, e edit, id ID, to account.MemberID) (_ *Lead, err error) {
	if e.why, err = line("why", e.why, maxWhy); err != nil {
		return nil, err
	}
	return s.change(ctx, tx, e, id, func(l *Lead) error { return give(ctx, tx, e.org.ID, l, to) })
}

// give makes somebody a lead's owner.
func give(ctx context.Context, c db.Conn, org account.OrgID, l *Lead, to account.MemberID) error {
	if to == l.Owner {
		return nil
	}
	l.Owner = to
	return checkOwner(ctx, c, org, to)
}

// SetDue says when something is due on a lead; zero = nothing is. It is for whoever keeps what is due elsewhere, and leaves
// the history alone.
func (s *Leads) SetDue(ctx context.Context, tx *db.Tx, org account.OrgID, id ID, due time.Time) error {
	return one(tx.Exec(ctx, `UPDATE leads SET due_ms = $3 WHERE org_id = $1 AND lead = $2`, org, id, millis(due)))(id)
}

// Touch is what the calls of a lead say about it.
type Touch struct {
	Attempts, Connected int       // calls to reach the contact, and those that did
	First, Last         time.Time // first answer to the contact, and last touch; zero = none
}

// SetTouch keeps what the calls of a lead say. It leaves the history alone.
func (s *Leads) SetTouch(ctx context.Context, tx *db.Tx, org account.OrgID, id ID, t Touch) error {
	return one(tx.Exec(ctx, `UPDATE leads SET attempts = $3, connected = $4, first_ms = $5, last_ms = $6 WHERE org_id = $1 AND lead = $2`,
		org, id, t.Attempts, t.Connected, millis(t.First), millis(t.Last)))(id)
}

// one is the error of a statement that must change one lead.
func one(n int64, err error) func(id ID) error {
	return func(id ID) error {
		if err == nil && n == 0 {
			return errNone(id)
		}
		return err
	}
}
