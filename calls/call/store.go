package call

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// Store reads calls and keeps their notes and tags. Calls themselves are written by ingest alone.
type Store struct {
	db   *db.DB
	keys *vault.Keys
	book *number.Book
	now  func() time.Time
}

// New makes a Store over d.
func New(d *db.DB, keys *vault.Keys, book *number.Book, now func() time.Time) *Store {
	return &Store{db: d, keys: keys, book: book, now: now}
}

// Filter narrows calls down. The zero value takes all that are not excluded.
type Filter struct {
	Types      []Type
	Outcomes   []Outcome
	MinSeconds int
	MaxSeconds int // 0 = no bound
	Numbers    []number.ID
	Tag        string
	Sources    []Source
	Line       LineNo // 0 = any
	HourFrom   int    // local hours [HourFrom, HourTo); both 0 = all day
	HourTo     int
	Excluded   bool // hidden numbers, too
	SyncedFrom int64
}

// IsZero tells whether the filter takes every call that reports count, so that roll-ups can answer.
func (f *Filter) IsZero() bool {
	return len(f.Types) == 0 && len(f.Outcomes) == 0 && f.MinSeconds == 0 && f.MaxSeconds == 0 && len(f.Numbers) == 0 && f.Tag == "" &&
		len(f.Sources) == 0 && f.Line == 0 && f.HourFrom == 0 && f.HourTo == 0 && !f.Excluded && f.SyncedFrom == 0
}

// With is the filter that takes what both f and o take; where both name a tag, a line or hours, o's stand. An
// intersection that nothing can pass keeps one value that no call has.
func (f Filter) With(o Filter) Filter {
	f.Types = both(f.Types, o.Types, Type(-1))
	f.Outcomes = both(f.Outcomes, o.Outcomes, Outcome(-1))
	f.Numbers = both(f.Numbers, o.Numbers, number.ID(-1))
	f.Sources = both(f.Sources, o.Sources, Source(-1))
	f.MinSeconds = max(f.MinSeconds, o.MinSeconds)
	if f.MaxSeconds == 0 || o.MaxSeconds > 0 && o.MaxSeconds < f.MaxSeconds {
		f.MaxSeconds = o.MaxSeconds
	}
	f.SyncedFrom = max(f.SyncedFrom, o.SyncedFrom)
	f.Tag = cmp.Or(o.Tag, f.Tag)
	f.Line = cmp.Or(o.Line, f.Line)
	if o.HourFrom != 0 || o.HourTo != 0 {
		f.HourFrom, f.HourTo = o.HourFrom, o.HourTo
	}
	f.Excluded = f.Excluded || o.Excluded
	return f
}

func both[T comparable](a, b []T, none T) []T {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	var out []T
	for _, v := range a {
		if slices.Contains(b, v) {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		out = []T{none}
	}
	return out
}

// Condition is a WHERE clause in the making, with its arguments.
type Condition struct {
	text strings.Builder
	Args []any
}

// Where starts a condition with the organisation.
func Where(org account.OrgID) *Condition {
	c := &Condition{Args: []any{org}}
	c.text.WriteString(`org_id = $1`)
	return c
}

// And adds a term in which each ? stands for one of args.
func (c *Condition) And(term string, args ...any) *Condition {
	c.text.WriteString(" AND ")
	for part := range strings.SplitAfterSeq(term, "?") {
		if before, ok := strings.CutSuffix(part, "?"); ok {
			c.Args = append(c.Args, args[0])
			args = args[1:]
			part = before + "$" + strconv.Itoa(len(c.Args))
		}
		c.text.WriteString(part)
	}
	return c
}

// String is the clause.
func (c *Condition) String() string { return c.text.String() }

func marks(n int) string { return "(?" + strings.Repeat(",?", n-1) + ")" }

func anys[T any](s []T) []any {
	out := make([]any, len(s))
	for i, v := range s {
		out[i] = v
	}
	return out
}

// Agents narrows to agents; nil means all of the organisation.
func (c *Condition) Agents(agents []account.AgentNo) *Condition {
	switch {
	case agents == nil:
		return c
	case len(agents) == 0:
		return c.And(`1 = 0`)
	default:
		return c.And(`agent IN `+marks(len(agents)), anys(agents)...)
	}
}

// Filter adds every term of f that one row's columns can answer: hours and hidden numbers need more and are tested by
// Match. connectedFrom is the organisation's threshold in seconds.
func (c *Condition) Filter(f *Filter, connectedFrom int) *Condition {
	if len(f.Types) > 0 {
		c.And(`type IN `+marks(len(f.Types)), anys(f.Types)...)
	}
	if len(f.Outcomes) > 0 {
		c.outcomes(f.Outcomes, connectedFrom)
	}
	if f.MinSeconds > 0 {
		c.And(`seconds >= ?`, f.MinSeconds)
	}
	if f.MaxSeconds > 0 {
		c.And(`seconds <= ?`, f.MaxSeconds)
	}
	if len(f.Numbers) > 0 {
		c.And(`num IN `+marks(len(f.Numbers)), anys(f.Numbers)...)
	}
	if len(f.Sources) > 0 {
		c.And(`source IN `+marks(len(f.Sources)), anys(f.Sources)...)
	}
	if f.Line != 0 {
		c.And(`line = ?`, f.Line)
	}
	if f.SyncedFrom > 0 {
		c.And(`synced >= ?`, f.SyncedFrom)
	}
	if f.Tag != "" {
		c.And(`EXISTS (SELECT 1 FROM call_tags t WHERE t.org_id = calls.org_id AND t.day = calls.day AND t.agent = calls.agent AND t.start = calls.start
			AND t.num = calls.num AND t.dir = calls.dir AND t.line = calls.line AND t.tag = ?)`, f.Tag)
	}
	return c
}

// outcomes says in SQL what OutcomeOf says in Go.
func (c *Condition) outcomes(want []Outcome, connectedFrom int) {
	threshold := max(connectedFrom, 1)
	var terms []string
	var args []any
	add := func(term string, a ...any) { terms, args = append(terms, term), append(args, a...) }
	for _, o := range want {
		switch o {
		case OutcomeConnected:
			add(`(type IN (1, 2) AND seconds >= ?)`, threshold)
		case OutcomeMissed:
			add(`(type = 3 OR (type = 1 AND seconds <= 0))`)
		case OutcomeShort:
			add(`(type = 1 AND seconds > 0 AND seconds < ?)`, threshold)
		case OutcomeNotPickedUp:
			add(`(type = 2 AND seconds < ?)`, threshold)
		case OutcomeRejected:
			add(`type = 5`)
		case OutcomeBlocked:
			add(`type = 6`)
		case OutcomeVoicemail:
			add(`type = 4`)
		case OutcomeUnknown:
			add(`type IN (0, 7)`)
		default:
			add(`1 = 0`)
		}
	}
	c.And(`(`+strings.Join(terms, ` OR `)+`)`, args...)
}

// Match tests what SQL does not: the local hour and hidden numbers.
func (f *Filter) Match(r *Row, zone *time.Location, hidden map[number.ID]bool) bool {
	if !f.Excluded && hidden[r.Number] {
		return false
	}
	if f.HourFrom == 0 && f.HourTo == 0 {
		return true
	}
	h := r.At().In(zone).Hour()
	if f.HourFrom <= f.HourTo {
		return h >= f.HourFrom && h < f.HourTo
	}
	return h >= f.HourFrom || h < f.HourTo // over midnight
}

// Each walks calls that match the condition in the table's order.
func Each(ctx context.Context, c db.Conn, where *Condition, order string, visit func(*Row) error) error {
	rows, err := c.Rows(ctx, `SELECT `+Columns+` FROM calls WHERE `+where.String()+` `+order, where.Args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var r Row
	for rows.Next() {
		if err := r.Scan(rows); err != nil {
			return err
		}
		if err := visit(&r); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Call is a call as people see it.
type Call struct {
	ID           string
	Row          Row
	Number       string     // canonical; "" when withheld or erased
	NumberKey    number.Key // public name of the number; "" when withheld
	Name         string     // contact name as phones logged it
	Note         string
	NoteBy       account.MemberID
	Tags         []string
	Outcome      Outcome
	Presentation Presentation
}

// Page is one page of history and, when there is more, where the next begins.
type Page struct {
	Calls []Call
	Next  string
}

// HistoryQuery asks for a page of calls, newest first.
type HistoryQuery struct {
	Agents   []account.AgentNo // nil = whole organisation
	From, To civil.Day         // local days, To exclusive
	Filter   Filter
	After    string // Page.Next of the page before
	Limit    int    // 1 to 500
	// Narrow, where it is set, says whose calls of a day can match at all; a day for which it names nobody is passed
	// over. It must not name anybody outside Agents.
	Narrow func(ctx context.Context, tx *db.Tx, day civil.Day) ([]account.AgentNo, error)
}

// cursor order within a day: newest start first, then agent, number, direction, line downwards.
const historyOrder = `ORDER BY start DESC, agent DESC, num DESC, dir DESC, line DESC LIMIT `

// History pages through calls, newest first, by the key of the last call seen, so that a page costs the same however
// far back it lies.
func (s *Store) History(ctx context.Context, org *account.Org, q HistoryQuery) (*Page, error) {
	if q.Limit < 1 || q.Limit > 500 {
		return nil, fault.Field("limit", "A page holds 1 to 500 calls; %d were asked for.", q.Limit)
	}
	var after *Key
	if q.After != "" {
		k, err := ParseID(org.ID, q.After)
		if err != nil {
			return nil, fault.Field("after", "The page marker %q is not one this list gave out. Start again from the first page.", q.After)
		}
		after = &k
		q.To = min(q.To, k.Day+1)
	}
	page := &Page{}
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := s.rows(ctx, tx, org, &q, after)
		if err != nil {
			return err
		}
		if len(rows) > q.Limit {
			rows = rows[:q.Limit]
			page.Next = rows[q.Limit-1].ID(org.ID)
		}
		page.Calls, err = s.Dress(ctx, tx, org, rows)
		return err
	})
	return page, err
}

// rows collects one row more than the page holds, day by day from the newest.
func (s *Store) rows(ctx context.Context, tx *db.Tx, org *account.Org, q *HistoryQuery, after *Key) ([]Row, error) {
	excluded, err := s.book.Excluded(ctx, tx, org.ID)
	if err != nil {
		return nil, err
	}
	days, err := db.Select(ctx, tx, func(r db.Scanner) (d civil.Day, err error) { return d, r.Scan(&d) },
		`SELECT day FROM days WHERE org_id = $1 AND day >= $2 AND day < $3 ORDER BY day DESC`, org.ID, q.From, q.To)
	if err != nil {
		return nil, err
	}
	w := walk{tx: tx, org: org, q: q, want: q.Limit + 1, zone: org.Location(), hidden: excluded.Hidden}
	for _, day := range days {
		agents := q.Agents
		if q.Narrow != nil {
			if agents, err = q.Narrow(ctx, tx, day); err != nil {
				return nil, err
			}
			if len(agents) == 0 {
				continue
			}
		}
		mark := after
		if after != nil && after.Day != day {
			mark = nil
		}
		if err := w.day(ctx, day, agents, mark); err != nil {
			return nil, err
		}
		if len(w.out) >= w.want {
			break
		}
	}
	return w.out, nil
}

// walk collects rows of days until it has enough.
type walk struct {
	tx     *db.Tx
	org    *account.Org
	q      *HistoryQuery
	want   int
	zone   *time.Location
	hidden map[number.ID]bool
	out    []Row
}

// day collects the rows of one day from mark on. Hours and hidden numbers are tested here, so it asks again until there
// is enough or the day is done.
func (w *walk) day(ctx context.Context, day civil.Day, agents []account.AgentNo, mark *Key) error {
	for len(w.out) < w.want {
		got := 0
		c := Where(w.org.ID).And(`day = ?`, day).Agents(agents).Filter(&w.q.Filter, w.org.ConnectedFrom)
		if mark != nil {
			c.And(`(start, agent, num, dir, line) < (?, ?, ?, ?, ?)`, mark.Start, mark.Agent, mark.Number, mark.Direction, mark.Line)
		}
		err := Each(ctx, w.tx, c, historyOrder+strconv.Itoa(w.want), func(r *Row) error {
			got++
			mark = &Key{r.Day, r.Agent, r.Start, r.Number, r.Direction, r.Line}
			if w.q.Filter.Match(r, w.zone, w.hidden) && len(w.out) < w.want {
				w.out = append(w.out, *r)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if got < w.want {
			return nil
		}
	}
	return nil
}

// One gives one call.
func (s *Store) One(ctx context.Context, org *account.Org, k Key) (*Call, error) {
	var out *Call
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		r, ok, err := RowByKey(ctx, tx, org.ID, k)
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.NotFound, "There is no call %q here. It may have been deleted.", k.ID(org.ID))
		}
		calls, err := s.Dress(ctx, tx, org, []Row{r})
		if err == nil {
			out = &calls[0]
		}
		return err
	})
	return out, err
}

// RowByKey reads one row.
func RowByKey(ctx context.Context, c db.Conn, org account.OrgID, k Key) (Row, bool, error) {
	return db.One(ctx, c, func(s db.Scanner) (r Row, err error) { return r, r.Scan(s) }, `SELECT `+Columns+` FROM calls WHERE `+keyWhere, k.args(org)...)
}

// Dress opens what people see of rows: numbers, names, notes and tags.
func (s *Store) Dress(ctx context.Context, c db.Conn, org *account.Org, rows []Row) ([]Call, error) {
	ids := make([]number.ID, 0, len(rows))
	for i := range rows {
		if n := rows[i].Number; n != number.Withheld {
			ids = append(ids, n)
		}
	}
	numbers, err := s.book.Show(ctx, c, org.ID, ids)
	if err != nil {
		return nil, err
	}
	names, err := s.book.Names(ctx, c, org.ID, ids)
	if err != nil {
		return nil, err
	}
	out := make([]Call, len(rows))
	for i, r := range rows {
		out[i] = Call{ID: r.ID(org.ID), Row: r, Number: numbers[r.Number], Name: names[r.Number], Outcome: r.Outcome(org.ConnectedFrom), Presentation: r.Presentation}
		if out[i].Number != "" {
			if out[i].NumberKey, err = s.book.Key(ctx, org.ID, out[i].Number); err != nil {
				return nil, err
			}
		}
	}
	return out, s.dressNotes(ctx, c, org.ID, out)
}

// dressNotes adds notes and tags. Few calls have any, so they are asked for by day and agent once each.
func (s *Store) dressNotes(ctx context.Context, c db.Conn, org account.OrgID, calls []Call) error {
	type dayAgent struct {
		day   civil.Day
		agent account.AgentNo
	}
	at := map[Key]int{}
	seen := map[dayAgent]bool{}
	for i := range calls {
		k := calls[i].Row.Key
		at[k] = i
		seen[dayAgent{k.Day, k.Agent}] = true
	}
	for da := range seen {
		tags, err := c.Rows(ctx, `SELECT day, agent, start, num, dir, line, tag FROM call_tags WHERE org_id = $1 AND day = $2 AND agent = $3 ORDER BY tag`, org, da.day, da.agent)
		if err != nil {
			return err
		}
		if err := eachKeyed(tags, func(k Key, rest *string) error {
			if i, ok := at[k]; ok {
				calls[i].Tags = append(calls[i].Tags, *rest)
			}
			return nil
		}); err != nil {
			return err
		}
		notes, err := db.Select(ctx, c, scanNote, `SELECT day, agent, start, num, dir, line, sealed, by_member FROM call_notes WHERE org_id = $1 AND day = $2 AND agent = $3`, org, da.day, da.agent)
		if err != nil {
			return err
		}
		for _, n := range notes {
			i, ok := at[n.key]
			if !ok {
				continue
			}
			if calls[i].Note, err = s.openNote(ctx, org, n); err != nil {
				return err
			}
			calls[i].NoteBy = n.by
		}
	}
	return nil
}

func eachKeyed(rows *sql.Rows, visit func(Key, *string) error) error {
	defer rows.Close()
	for rows.Next() {
		var k Key
		var text string
		if err := rows.Scan(&k.Day, &k.Agent, &k.Start, &k.Number, &k.Direction, &k.Line, &text); err != nil {
			return err
		}
		if err := visit(k, &text); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Tags lists the tags an organisation uses.
func (s *Store) Tags(ctx context.Context, org account.OrgID) ([]string, error) {
	tags, err := db.Select(ctx, s.db, func(r db.Scanner) (t string, err error) { return t, r.Scan(&t) }, `SELECT DISTINCT tag FROM call_tags WHERE org_id = $1`, org)
	slices.Sort(tags)
	return tags, err
}
