package call

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
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
	gate Gate
	now  func() time.Time
}

// New makes a Store over d. gate is asked before a note is removed or replaced.
func New(d *db.DB, keys *vault.Keys, book *number.Book, gate Gate, now func() time.Time) *Store {
	return &Store{db: d, keys: keys, book: book, gate: gate, now: now}
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
	Said         Said // what it has come to, as somebody says
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
	page := &Page{}
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		rows, next, err := s.Newest(ctx, tx, org, q)
		if err != nil {
			return err
		}
		page.Next = next
		page.Calls, err = s.Dress(ctx, tx, org, rows)
		return err
	})
	return page, err
}

// Newest is History as one snapshot has it, without what Dress adds.
func (s *Store) Newest(ctx context.Context, tx *db.Tx, org *account.Org, q HistoryQuery) (rows []Row, next string, err error) {
	if q.Limit < 1 || q.Limit > 500 {
		return nil, "", fault.Field("limit", "A page holds 1 to 500 calls; %d were asked for.", q.Limit)
	}
	var after *Key
	if q.After != "" {
		k, err := ParseID(org.ID, q.After)
		if err != nil {
			return nil, "", fault.Field("cursor", "The page marker %q is not one this list gave out. Start again from the first page.", q.After)
		}
		after = &k
		q.To = min(q.To, k.Day+1)
	}
	if rows, err = s.rows(ctx, tx, org, &q, after); err != nil || len(rows) <= q.Limit {
		return rows, "", err
	}
	return rows[:q.Limit], rows[q.Limit-1].ID(org.ID), nil
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
	w := walk{tx: tx, org: org, q: q, want: q.Limit + 1, zone: org.Location(), excluded: &excluded}
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
	tx       *db.Tx
	org      *account.Org
	q        *HistoryQuery
	want     int
	zone     *time.Location
	excluded *number.Excluded
	out      []Row
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
			if w.q.Filter.Match(r, w.zone, w.excluded) && len(w.out) < w.want {
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

// One gives one call. A call with a restricted number is Denied.
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
		if err := s.book.CheckUse(ctx, tx, org.ID, k.Number); err != nil {
			return err
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
	return s.dress(ctx, c, org, rows, s.book.Show, s.book.Names)
}

// DressOwn is Dress for the person outside, who sees their own data also while nobody else may.
func (s *Store) DressOwn(ctx context.Context, c db.Conn, org *account.Org, rows []Row) ([]Call, error) {
	return s.dress(ctx, c, org, rows, s.book.Texts, s.book.LoggedNames)
}

// texts gives something of numbers.
type texts func(ctx context.Context, c db.Conn, org account.OrgID, ids []number.ID) (map[number.ID]string, error)

func (s *Store) dress(ctx context.Context, c db.Conn, org *account.Org, rows []Row, show, name texts) ([]Call, error) {
	ids := make([]number.ID, 0, len(rows))
	for i := range rows {
		if n := rows[i].Number; n != number.Withheld {
			ids = append(ids, n)
		}
	}
	numbers, err := show(ctx, c, org.ID, ids)
	if err != nil {
		return nil, err
	}
	names, err := name(ctx, c, org.ID, ids)
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
	if err := dressSaid(ctx, c, org.ID, out); err != nil {
		return nil, err
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
