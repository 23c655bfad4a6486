package lead

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// Sort orders a table of leads; a minus before it turns the order round. Leads with nothing due come last either way.
type Sort string

// The orders.
const (
	ByMade     Sort = "made"
	ByChanged  Sort = "changed"
	ByDue      Sort = "due"
	ByValue    Sort = "value"
	ByTouched  Sort = "touched" // last touch, or making where there was none
	ByStaged   Sort = "staged"  // since when it is at its stage
	ByAttempts Sort = "attempts"
)

// never stands for the moment of what is not due, in ascending order.
const never = "4000000000000000"

// expression is what a query orders by.
func (o Sort) expression() (sql string, descending bool, err error) {
	word, descending := strings.CutPrefix(string(o), "-")
	switch Sort(word) {
	case ByMade:
		sql = "made_ms"
	case ByChanged:
		sql = "changed_ms"
	case ByDue:
		sql = "CASE WHEN due_ms = 0 THEN " + never + " ELSE due_ms END"
		if descending {
			sql = "due_ms"
		}
	case ByValue:
		sql = "value"
	case ByTouched:
		sql = "CASE WHEN last_ms = 0 THEN made_ms ELSE last_ms END"
	case ByStaged:
		sql = "stage_ms"
	case ByAttempts:
		sql = "attempts"
	default:
		return "", false, fault.Field("sort", "%q is no order of leads. Choose made, changed, due, value, touched, staged or attempts, with a minus before it to turn it round.", string(o))
	}
	return sql, descending, nil
}

// Ask is a page of a table that is asked for.
type Ask struct {
	Filter Filter
	Sort   Sort   // "" = the newest first
	Cursor string // of the page before; "" = the first page
	Limit  int    // 0 = 50; at most 500
	Count  bool   // count all rows, too
}

// Row is a lead with who it is about.
type Row struct {
	*Lead
	Who *contact.Contact // nil once the contact was erased
}

// Page is part of a table of leads.
type Page struct {
	Rows   []Row
	Cursor string // of the next page; "" = this is the last
	Count  int64  // of all rows, when it was asked for; -1 otherwise
}

const (
	usualLimit = 50
	mostLimit  = 500
)

// cursor is where a page ended.
type cursor struct {
	Sort Sort  `json:"s"`
	At   int64 `json:"a"`
	Lead ID    `json:"l"`
}

func readCursor(text string, sort Sort) (x cursor, err error) {
	raw, err := id.Decode(text)
	if err == nil {
		err = json.Unmarshal(raw, &x)
	}
	if err != nil || x.Sort != sort {
		return x, fault.Wrap(fault.Invalid, err, "This is not the cursor of a page of this table. Begin again with the first page.")
	}
	return x, nil
}

func (x cursor) String() string {
	raw, _ := json.Marshal(x) // numbers and texts
	return id.Encode(raw)
}

// Table gives a page of the leads that somebody sees, with their contacts.
func (s *Leads) Table(ctx context.Context, c db.Conn, org account.OrgID, sight contact.Sight, a Ask) (*Page, error) {
	if a.Sort == "" {
		a.Sort = "-" + ByMade
	}
	limit := a.Limit
	if limit <= 0 {
		limit = usualLimit
	}
	limit = min(limit, mostLimit)
	w, err := s.where(ctx, c, org, sight, &a.Filter)
	if err != nil {
		return nil, err
	}
	p := &Page{Count: -1}
	if a.Count {
		if err := c.Row(ctx, `SELECT count(*) FROM leads WHERE `+w.text.String(), w.args...).Scan(&p.Count); err != nil {
			return nil, err
		}
	}
	by, descending, err := a.Sort.expression()
	if err != nil {
		return nil, err
	}
	if a.Filter.narrow() {
		by = "+" + by // the same number, by no index
	}
	than, order := ">", ""
	if descending {
		than, order = "<", " DESC"
	}
	if a.Cursor != "" {
		from, err := readCursor(a.Cursor, a.Sort)
		if err != nil {
			return nil, err
		}
		w.and("("+by+", lead) "+than+" (%s, %s)", from.At, from.Lead)
	}
	w.args = append(w.args, limit+1)
	type found struct {
		id ID
		at int64
	}
	ids, err := db.Select(ctx, c, func(r db.Scanner) (x found, err error) { return x, r.Scan(&x.id, &x.at) },
		`SELECT lead, `+by+` FROM leads WHERE `+w.text.String()+` ORDER BY `+by+order+`, lead`+order+` LIMIT `+place(len(w.args)), w.args...)
	if err != nil {
		return nil, err
	}
	if len(ids) > limit {
		ids = ids[:limit]
		last := ids[limit-1]
		p.Cursor = cursor{a.Sort, last.at, last.id}.String()
	}
	list := make([]ID, len(ids))
	for i, x := range ids {
		list[i] = x.id
	}
	leads, err := s.Load(ctx, c, org, list...)
	if err != nil {
		return nil, err
	}
	for _, x := range list {
		if l := leads[x]; l != nil {
			p.Rows = append(p.Rows, Row{Lead: l})
		}
	}
	return p, s.dress(ctx, c, org, p.Rows)
}

// place is the placeholder of the n-th argument.
func place(n int) string { return strings.Trim(db.In(n, 1), "()") }

// dress adds the contacts to rows.
func (s *Leads) dress(ctx context.Context, c db.Conn, org account.OrgID, rows []Row) error {
	ids := make([]contact.ID, len(rows))
	for i, r := range rows {
		ids[i] = r.Contact
	}
	slices.Sort(ids)
	who, err := s.d.Contacts.Load(ctx, c, org, slices.Compact(ids)...)
	for i, r := range rows {
		rows[i].Who = who[r.Contact]
	}
	return err
}

// IDs lists all leads of a filter that somebody sees, the newest first.
func (s *Leads) IDs(ctx context.Context, c db.Conn, org account.OrgID, sight contact.Sight, f Filter) ([]ID, error) {
	w, err := s.where(ctx, c, org, sight, &f)
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, c, scanID, `SELECT lead FROM leads WHERE `+w.text.String()+` ORDER BY made_ms DESC, lead DESC`, w.args...)
}

func scanID(r db.Scanner) (x ID, err error) { return x, r.Scan(&x) }
