package lead

import (
	"context"
	"strings"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// Board is the open leads of a pipeline, by stage.
type Board struct {
	Pipeline *Pipeline
	Columns  []Column // of the stages, in order
}

// Column is what stands at one stage.
type Column struct {
	Stage Stage
	Count int64
	Sum   []Money // of all leads in it, by currency
	Cards []Row   // the first ones, in the order of the column
	More  string  // cursor of what comes after the cards; "" = nothing
}

// Board gives the open leads of a pipeline ("" = the first) that somebody sees, by stage: of each stage the first perColumn
// leads (0 = 50), with their contacts. Stages that were taken out have no column.
func (s *Leads) Board(ctx context.Context, c db.Conn, org account.OrgID, sight contact.Sight, pipeline string, f Filter, perColumn int) (*Board, error) {
	p, err := s.Pipeline(ctx, c, org, pipeline)
	if err != nil {
		return nil, err
	}
	f.Pipeline, f.States, f.Stages = p.Key, []State{Open}, nil
	w, err := s.where(ctx, c, org, sight, &f)
	if err != nil {
		return nil, err
	}
	counts, money, err := s.totals(ctx, c, w)
	if err != nil {
		return nil, err
	}
	b := &Board{Pipeline: p}
	var all []Row
	for _, st := range p.Active() {
		col := Column{Stage: st, Count: counts[st.Key], Sum: sums(money[st.Key])}
		if col.Count > 0 {
			if col.Cards, col.More, err = s.cards(ctx, c, org, w, st.Key, nil, perColumn); err != nil {
				return nil, err
			}
		}
		all = append(all, col.Cards...)
		b.Columns = append(b.Columns, col)
	}
	if err := s.dress(ctx, c, org, all); err != nil {
		return nil, err
	}
	for i := range b.Columns {
		n := copy(b.Columns[i].Cards, all)
		all = all[n:]
	}
	return b, nil
}

// MoreCards gives what comes after the cards of a board's column.
func (s *Leads) MoreCards(ctx context.Context, c db.Conn, org account.OrgID, sight contact.Sight, pipeline, stage string, f Filter, more string, limit int) (cards []Row, next string, err error) {
	p, err := s.Pipeline(ctx, c, org, pipeline)
	if err != nil {
		return nil, "", err
	}
	if err := checkStage(p, stage); err != nil {
		return nil, "", err
	}
	after, err := readMore(more)
	if err != nil {
		return nil, "", err
	}
	f.Pipeline, f.States, f.Stages = p.Key, []State{Open}, nil
	w, err := s.where(ctx, c, org, sight, &f)
	if err != nil {
		return nil, "", err
	}
	if cards, next, err = s.cards(ctx, c, org, w, stage, after, limit); err != nil {
		return nil, "", err
	}
	return cards, next, s.dress(ctx, c, org, cards)
}

// totals counts and adds up the leads of a condition, by stage.
func (s *Leads) totals(ctx context.Context, c db.Conn, w *where) (counts map[string]int64, money map[string]map[string]int64, err error) {
	counts, money = map[string]int64{}, map[string]map[string]int64{}
	_, err = db.Select(ctx, c, func(r db.Scanner) (struct{}, error) {
		var stage, code string
		var n, sum int64
		err := r.Scan(&stage, &code, &n, &sum)
		counts[stage] += n
		if money[stage] == nil {
			money[stage] = map[string]int64{}
		}
		money[stage][code] += sum
		return struct{}{}, err
	}, `SELECT stage, currency, count(*), CAST(coalesce(sum(value), 0) AS BIGINT) FROM leads WHERE `+w.text.String()+` GROUP BY stage, currency`, w.args...)
	return counts, money, err
}

// spot is where the cards of a column were cut.
type spot struct {
	rank rank
	id   ID
}

// cards gives leads of a column after a spot, nil for the top.
func (s *Leads) cards(ctx context.Context, c db.Conn, org account.OrgID, w *where, stage string, after *spot, limit int) (cards []Row, more string, err error) {
	if limit <= 0 {
		limit = usualLimit
	}
	text, args := w.text.String(), append(w.args[:len(w.args):len(w.args)], stage)
	text += ` AND stage = ` + place(len(args))
	if after != nil {
		args = append(args, []byte(after.rank), after.id)
		text += ` AND (rank, lead) > (` + place(len(args)-1) + `, ` + place(len(args)) + `)`
	}
	args = append(args, limit+1)
	scan := s.scan(ctx, org)
	cards, err = db.Select(ctx, c, func(r db.Scanner) (Row, error) {
		l, err := scan(r)
		return Row{Lead: l}, err
	}, `SELECT `+columns+` FROM leads WHERE `+text+` ORDER BY rank, lead LIMIT `+place(len(args)), args...)
	if err == nil && len(cards) > limit {
		cards = cards[:limit]
		last := cards[limit-1]
		more = spot{last.rank, last.ID}.String()
	}
	return cards, more, err
}

func (x spot) String() string { return id.Encode(x.rank) + "." + string(x.id) }

func readMore(text string) (*spot, error) {
	if text == "" {
		return nil, nil
	}
	head, lead, ok := strings.Cut(text, ".")
	raw, err := id.Decode(head)
	if err != nil || !ok {
		return nil, fault.Wrap(fault.Invalid, err, "This is not where a column of the board was cut. Open the board again.")
	}
	return &spot{raw, ID(lead)}, nil
}
