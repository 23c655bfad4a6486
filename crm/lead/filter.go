package lead

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/fault"
)

// Filter says which leads are meant. What is empty does not restrict.
type Filter struct {
	Pipeline string             `json:"pipeline,omitempty"`
	Stages   []string           `json:"stages,omitempty"`
	States   []State            `json:"states,omitempty"`
	Owners   []account.MemberID `json:"owners,omitempty"` // "" among them stands for leads that nobody has
	Teams    []account.TeamID   `json:"teams,omitempty"`
	Sources  []string           `json:"sources,omitempty"`
	Reasons  []string           `json:"reasons,omitempty"`
	Tags     []string           `json:"tags,omitempty"` // all of them
	Import   string             `json:"import,omitempty"`

	DueBefore time.Time `json:"due_before,omitzero"` // due before this moment; those with nothing due are left out
	DueNever  bool      `json:"due_never,omitempty"` // nothing is due
	MadeFrom  time.Time `json:"made_from,omitzero"`
	MadeTo    time.Time `json:"made_to,omitzero"` // not part of it
	// ClosedFrom and ClosedTo leave those that were closed then; ClosedTo is not part of it.
	ClosedFrom time.Time `json:"closed_from,omitzero"`
	ClosedTo   time.Time `json:"closed_to,omitzero"`
	// TouchedBefore leaves those whose last touch, or making where there was none, is before this moment.
	TouchedBefore time.Time `json:"touched_before,omitzero"`
	AttemptsMin   int       `json:"attempts_min,omitempty"`
	AttemptsMax   *int      `json:"attempts_max,omitempty"`

	Text     string       `json:"text,omitempty"` // name, company, e-mail or number of the contact
	Contacts []contact.ID `json:"contacts,omitempty"`
}

// most bounds how many values one list of a filter has.
const mostValues = 500

// where is the condition of a query about leads with its arguments, of which the first is the organisation's number.
type where struct {
	text strings.Builder
	args []any
}

func whereOrg(org account.OrgID) *where {
	w := &where{args: []any{org}}
	w.text.WriteString("org_id = $1")
	return w
}

// and adds a condition in which each %s stands for the next argument.
func (w *where) and(condition string, args ...any) {
	names := make([]any, len(args))
	for i, a := range args {
		w.args = append(w.args, a)
		names[i] = fmt.Sprintf("$%d", len(w.args))
	}
	w.text.WriteString(" AND ")
	fmt.Fprintf(&w.text, condition, names...)
}

// in adds that a column has one of some values, if there are any.
func in[T any](w *where, column string, values []T) {
	if len(values) == 0 {
		return
	}
	from := len(w.args) + 1
	for _, v := range values {
		w.args = append(w.args, v)
	}
	w.text.WriteString(" AND " + column + " IN " + db.In(from, len(values)))
}

// see adds whose leads somebody sees.
func (w *where) see(sight contact.Sight) {
	if sight.All {
		return
	}
	owners := slices.Clone(sight.Members)
	if sight.Unowned {
		owners = append(owners, "")
	}
	if len(owners) == 0 {
		w.text.WriteString(" AND 1 = 0")
		return
	}
	in(w, "owner", owners)
}

// narrow tells whether few leads pass: an engine that walks the index of an order until a page is full would walk all of it.
func (f *Filter) narrow() bool { return f.Text != "" || len(f.Contacts) > 0 || f.Import != "" }

// where puts a filter's condition together.
func (s *Leads) where(ctx context.Context, c db.Conn, org account.OrgID, sight contact.Sight, f *Filter) (*where, error) {
	for _, n := range []int{len(f.Stages), len(f.States), len(f.Owners), len(f.Teams), len(f.Sources), len(f.Reasons), len(f.Tags), len(f.Contacts)} {
		if n > mostValues {
			return nil, fault.New(fault.Invalid, "A filter has %d values in one list; at most %d fit.", n, mostValues)
		}
	}
	w := whereOrg(org)
	w.see(sight)
	if f.Pipeline != "" {
		w.and("pipeline = %s", f.Pipeline)
	}
	in(w, "state", f.States)
	in(w, "stage", f.Stages)
	in(w, "owner", f.Owners)
	in(w, "team", f.Teams)
	in(w, "source", f.Sources)
	in(w, "reason", f.Reasons)
	if f.Import != "" {
		w.and("lead IN (SELECT i.lead FROM leads i WHERE i.org_id = $1 AND i.import = %s AND i.import <> '')", f.Import)
	}
	w.times(f)
	if f.AttemptsMin > 0 {
		w.and("attempts >= %s", f.AttemptsMin)
	}
	if f.AttemptsMax != nil {
		w.and("attempts <= %s", *f.AttemptsMax)
	}
	return w, s.whereOf(ctx, c, org, w, f)
}

func (w *where) times(f *Filter) {
	if !f.DueBefore.IsZero() {
		w.and("due_ms > 0 AND due_ms < %s", millis(f.DueBefore))
	}
	if f.DueNever {
		w.and("due_ms = 0")
	}
	if !f.MadeFrom.IsZero() {
		w.and("made_ms >= %s", millis(f.MadeFrom))
	}
	if !f.MadeTo.IsZero() {
		w.and("made_ms < %s", millis(f.MadeTo))
	}
	if !f.ClosedFrom.IsZero() {
		w.and("closed_ms >= %s", millis(f.ClosedFrom))
	}
	if !f.ClosedTo.IsZero() {
		w.and("closed_ms > 0 AND closed_ms < %s", millis(f.ClosedTo))
	}
	if !f.TouchedBefore.IsZero() {
		w.and("CASE WHEN last_ms = 0 THEN made_ms ELSE last_ms END < %s", millis(f.TouchedBefore))
	}
}

// whereOf adds the conditions that need keys or contacts.
func (s *Leads) whereOf(ctx context.Context, c db.Conn, org account.OrgID, w *where, f *Filter) error {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	for _, t := range f.Tags {
		w.and("lead IN (SELECT t.lead FROM lead_tags t WHERE t.org_id = $1 AND t.idx = %s)", tagIndex(k, t))
	}
	contacts := f.Contacts
	if text := strings.TrimSpace(f.Text); text != "" {
		found, err := s.d.Contacts.Search(ctx, c, org, text, mostValues)
		if err != nil {
			return err
		}
		if len(contacts) > 0 {
			found = slices.DeleteFunc(found, func(id contact.ID) bool { return !slices.Contains(contacts, id) })
		}
		contacts = found
		if len(contacts) == 0 {
			w.text.WriteString(" AND 1 = 0")
			return nil
		}
	}
	if contacts, err = s.family(ctx, c, org, contacts); err != nil {
		return err
	}
	if len(contacts) > 0 { // by a subquery, so that an engine without statistics takes the index of contacts
		from := len(w.args) + 1
		for _, x := range contacts {
			w.args = append(w.args, x)
		}
		w.text.WriteString(" AND lead IN (SELECT c.lead FROM leads c WHERE c.org_id = $1 AND c.contact IN " + db.In(from, len(contacts)) + ")")
	}
	return nil
}
