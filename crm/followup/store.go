package followup

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

const (
	// chunk is how many follow-ups one statement reads.
	chunk = 200

	columns = `follow_up, contact, subject, lead, owner, kind, state, day, minute, due_ms, at_ms, late_ms, snoozed_ms, snoozes, remind, remind_ms, repeat, series, nth,
	outcome, sealed, rev, made_ms, made_by, changed_ms, changed_by, ended_ms, ended_by, escalated_ms`
	width = 30 // org_id and columns
)

// words is what is sealed of a follow-up.
type words struct {
	Text   string `json:"t,omitempty"`
	Result string `json:"r,omitempty"`
}

// sealField binds sealed words to their place; the subject's key binds them to the contact.
func sealField(id ID) string { return "follow_ups|" + string(id) }

// scan gives what reads a row of columns. Words under a key that is destroyed are left out.
func (s *FollowUps) scan(ctx context.Context, org account.OrgID) func(db.Scanner) (*FollowUp, error) {
	var k *vault.OrgKeys
	return func(r db.Scanner) (*FollowUp, error) {
		var f FollowUp
		var due, at, late, snoozed, remind, made, changed, ended, escalated int64
		var before, repeat string
		var sealed []byte
		err := r.Scan(&f.ID, &f.Contact, &f.Subject, &f.Lead, &f.Owner, &f.Kind, &f.State, &f.Day, &f.minute, &due, &at, &late, &snoozed, &f.Snoozes, &before, &remind,
			&repeat, &f.Series, &f.Nth, &f.Outcome, &sealed, &f.Rev, &made, &f.MadeBy, &changed, &f.ChangedBy, &ended, &f.EndedBy, &escalated)
		if err != nil {
			return nil, err
		}
		f.AllDay = f.minute < 0
		f.Due, f.At, f.Late, f.Snoozed, f.remind = moment(due), moment(at), moment(late), moment(snoozed), moment(remind)
		f.Made, f.Changed, f.Ended, f.Escalated = moment(made), moment(changed), moment(ended), moment(escalated)
		if f.Reminders, err = parseMinutes(before); err != nil {
			return nil, err
		}
		if f.Repeat, err = parseRepeat(repeat); err != nil {
			return nil, err
		}
		if k == nil {
			if k, err = s.d.Keys.Org(ctx, int64(org)); err != nil {
				return nil, err
			}
		}
		return &f, f.open(ctx, k, sealed)
	}
}

func (f *FollowUp) open(ctx context.Context, k *vault.OrgKeys, sealed []byte) error {
	if sealed == nil {
		return nil
	}
	plain, err := k.OpenSubject(ctx, f.Subject, sealField(f.ID), sealed)
	if fault.KindOf(err) == fault.Gone {
		return nil
	}
	var w words
	if err == nil {
		err = json.Unmarshal(plain, &w)
	}
	f.Text, f.Result = w.Text, w.Result
	return err
}

// seal gives the sealed words, and nil when there are none.
func (f *FollowUp) seal(ctx context.Context, k *vault.OrgKeys) (any, error) {
	if f.Text == "" && f.Result == "" {
		return nil, nil
	}
	plain, err := json.Marshal(words{f.Text, f.Result})
	if err != nil {
		return nil, err
	}
	sealed, err := k.SealSubject(ctx, f.Subject, sealField(f.ID), plain)
	if fault.KindOf(err) == fault.Gone {
		return nil, fault.Wrap(fault.Gone, err, "This contact was erased, and nothing more can be kept about them.")
	}
	return sealed, err
}

// args are the values of a row, org_id first.
func (f *FollowUp) args(ctx context.Context, k *vault.OrgKeys, org account.OrgID) ([]any, error) {
	sealed, err := f.seal(ctx, k)
	if err != nil {
		return nil, err
	}
	repeat, err := f.Repeat.text()
	if err != nil {
		return nil, err
	}
	return []any{org, f.ID, f.Contact, f.Subject, f.Lead, f.Owner, f.Kind, f.State, f.Day, f.minute, millis(f.Due), millis(f.At), millis(f.Late), millis(f.Snoozed), f.Snoozes,
		minutesText(f.Reminders), millis(f.remind), repeat, f.Series, f.Nth, f.Outcome, sealed, f.Rev, millis(f.Made), f.MadeBy, millis(f.Changed), f.ChangedBy,
		millis(f.Ended), f.EndedBy, millis(f.Escalated)}, nil
}

// put writes a follow-up, over what is there of it.
func (s *FollowUps) put(ctx context.Context, tx *db.Tx, org account.OrgID, f *FollowUp) error {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	args, err := f.args(ctx, k, org)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO follow_ups (org_id, `+columns+`) VALUES `+db.In(1, width)+`
		ON CONFLICT (org_id, follow_up) DO UPDATE SET contact = excluded.contact, subject = excluded.subject, lead = excluded.lead, owner = excluded.owner, kind = excluded.kind,
		state = excluded.state, day = excluded.day, minute = excluded.minute, due_ms = excluded.due_ms, at_ms = excluded.at_ms, late_ms = excluded.late_ms,
		snoozed_ms = excluded.snoozed_ms, snoozes = excluded.snoozes, remind = excluded.remind, remind_ms = excluded.remind_ms, repeat = excluded.repeat,
		series = excluded.series, nth = excluded.nth, outcome = excluded.outcome, sealed = excluded.sealed, rev = excluded.rev, changed_ms = excluded.changed_ms,
		changed_by = excluded.changed_by, ended_ms = excluded.ended_ms, ended_by = excluded.ended_by, escalated_ms = excluded.escalated_ms`, args...)
	return err
}

func minutesText(minutes []int) string {
	parts := make([]string, len(minutes))
	for i, m := range minutes {
		parts[i] = strconv.Itoa(m)
	}
	return strings.Join(parts, ",")
}

func parseMinutes(text string) ([]int, error) {
	if text == "" {
		return nil, nil
	}
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		m, err := strconv.Atoi(part)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// Load gives follow-ups by id; those that there are not are left out.
func (s *FollowUps) Load(ctx context.Context, c db.Conn, org account.OrgID, ids ...ID) (map[ID]*FollowUp, error) {
	out := make(map[ID]*FollowUp, len(ids))
	all, err := read(ctx, c, s, org, "follow_up", ids, "1 = 1", "follow_up")
	for _, f := range all {
		out[f.ID] = f
	}
	return out, err
}

// read selects follow-ups by the values of a column and a further condition, in the order of an expression within each chunk.
func read[T any](ctx context.Context, c db.Conn, s *FollowUps, org account.OrgID, column string, values []T, which, order string) (out []*FollowUp, err error) {
	scan := s.scan(ctx, org)
	for part := range slices.Chunk(values, chunk) {
		args := []any{org}
		for _, v := range part {
			args = append(args, v)
		}
		found, err := db.Select(ctx, c, scan, `SELECT `+columns+` FROM follow_ups WHERE org_id = $1 AND `+column+` IN `+db.In(2, len(part))+` AND `+which+` ORDER BY `+order, args...)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// Get gives one follow-up that somebody sees. Another organisation's, and one out of sight, is NotFound.
func (s *FollowUps) Get(ctx context.Context, c db.Conn, org account.OrgID, sight contact.Sight, id ID) (*FollowUp, error) {
	found, err := s.Load(ctx, c, org, id)
	if err != nil {
		return nil, err
	}
	if f := found[id]; f != nil && sight.Sees(f.Owner) {
		return f, nil
	}
	return nil, errNone(id)
}

// forUpdate ends a query whose rows nobody else changes until the transaction ends. SQLite has one writer at a time.
func forUpdate(tx *db.Tx) string {
	if tx.Engine() == db.Postgres {
		return ` FOR UPDATE`
	}
	return ""
}

// locked gives a follow-up that nobody else changes until the transaction ends.
func (s *FollowUps) locked(ctx context.Context, tx *db.Tx, org account.OrgID, id ID) (*FollowUp, error) {
	f, ok, err := db.One(ctx, tx, s.scan(ctx, org), `SELECT `+columns+` FROM follow_ups WHERE org_id = $1 AND follow_up = $2`+forUpdate(tx), org, id)
	if err == nil && !ok {
		err = errNone(id)
	}
	return f, err
}

// Filter says which follow-ups are meant. What is empty does not restrict.
type Filter struct {
	Owners   []account.MemberID
	States   []State
	Kinds    []Kind
	Lead     lead.ID
	Contact  contact.ID // with those that were merged into it
	From, To time.Time  // of At; To is not part of it; zero = no bound
	Cursor   string     // of the next page, as List gave it
	Limit    int        // 0 = 50; at most 500
}

// Page is a part of a list.
type Page struct {
	Rows []*FollowUp
	Next string // cursor of the page after it; "" = there is none
}

// List gives the follow-ups that somebody sees, the soonest first.
func (s *FollowUps) List(ctx context.Context, c db.Conn, org account.OrgID, sight contact.Sight, f Filter) (*Page, error) {
	w := &where{args: []any{org}}
	w.text.WriteString("org_id = $1")
	if !sight.All {
		owners := slices.Clone(sight.Members)
		if sight.Unowned {
			owners = append(owners, "")
		}
		in(w, "owner", owners)
	}
	optional(w, "owner", f.Owners)
	optional(w, "state", f.States)
	optional(w, "kind", f.Kinds)
	if f.Lead != "" {
		in(w, "lead", []lead.ID{f.Lead})
		w.text.WriteString(" AND lead <> ''") // as the index has it
	}
	if f.Contact != "" {
		family, err := s.d.Contacts.Family(ctx, c, org, f.Contact)
		if err != nil {
			return nil, err
		}
		in(w, "contact", family)
	}
	if !f.From.IsZero() {
		w.and("at_ms >= ", millis(f.From))
	}
	if !f.To.IsZero() {
		w.and("at_ms < ", millis(f.To))
	}
	if f.Cursor != "" {
		at, id, err := readCursor(f.Cursor)
		if err != nil {
			return nil, err
		}
		w.and("(at_ms, follow_up) > ", at, id)
	}
	limit := 50
	if f.Limit > 0 {
		limit = min(f.Limit, 500)
	}
	w.args = append(w.args, limit+1)
	rows, err := db.Select(ctx, c, s.scan(ctx, org), `SELECT `+columns+` FROM follow_ups WHERE `+w.text.String()+
		` ORDER BY at_ms, follow_up LIMIT $`+strconv.Itoa(len(w.args)), w.args...)
	p := &Page{Rows: rows}
	if len(rows) > limit {
		p.Rows = rows[:limit]
		last := p.Rows[limit-1]
		p.Next = strconv.FormatInt(millis(last.At), 10) + "." + string(last.ID)
	}
	return p, err
}

func readCursor(text string) (int64, ID, error) {
	ms, id, _ := strings.Cut(text, ".")
	at, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return 0, "", fault.Wrap(fault.Invalid, err, "This is not the cursor of a page of follow-ups. Begin again with the first page.")
	}
	return at, ID(id), nil
}

// where is a condition with its arguments.
type where struct {
	text strings.Builder
	args []any
}

// and adds a comparison with a value, or a row of them.
func (w *where) and(left string, values ...any) {
	from := len(w.args) + 1
	w.args = append(w.args, values...)
	w.text.WriteString(" AND " + left + db.In(from, len(values)))
}

// in adds that a column has one of some values.
func in[T any](w *where, column string, values []T) {
	if len(values) == 0 {
		w.text.WriteString(" AND 1 = 0")
		return
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	w.and(column+" IN ", args...)
}

// optional is in for a list that restricts only when there is one.
func optional[T any](w *where, column string, values []T) {
	if len(values) > 0 {
		in(w, column, values)
	}
}

// OfContacts lists the follow-ups of contacts, and of those that were merged into them, the soonest first.
func (s *FollowUps) OfContacts(ctx context.Context, c db.Conn, org account.OrgID, contacts ...contact.ID) ([]*FollowUp, error) {
	if len(contacts) == 0 {
		return nil, nil
	}
	family, err := s.d.Contacts.Family(ctx, c, org, contacts...)
	if err != nil {
		return nil, err
	}
	out, err := read(ctx, c, s, org, "contact", family, "1 = 1", "at_ms, follow_up")
	slices.SortStableFunc(out, func(a, b *FollowUp) int { return a.At.Compare(b.At) })
	return out, err
}

// EachDue visits, without words and in no order, the follow-ups that were planned for a time; to is not part of it. The follow-up is
// valid during the visit alone.
func (s *FollowUps) EachDue(ctx context.Context, c db.Conn, org account.OrgID, from, to time.Time, visit func(*FollowUp) error) error {
	rows, err := c.Rows(ctx, `SELECT follow_up, owner, kind, state, due_ms, late_ms, snoozes, ended_ms FROM follow_ups WHERE org_id = $1 AND due_ms >= $2 AND due_ms < $3`, org, millis(from), millis(to))
	if err != nil {
		return err
	}
	defer rows.Close()
	var f FollowUp
	for rows.Next() {
		var due, late, ended int64
		if err := rows.Scan(&f.ID, &f.Owner, &f.Kind, &f.State, &due, &late, &f.Snoozes, &ended); err != nil {
			return err
		}
		f.Due, f.Late, f.Ended = moment(due), moment(late), moment(ended)
		if err := visit(&f); err != nil {
			return err
		}
	}
	return rows.Err()
}
