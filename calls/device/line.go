package device

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/calls/call"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/phone"
)

// LineID is a line's public name.
type LineID string

// Line is an agent's SIM or extension.
type Line struct {
	No         call.LineNo
	ID         LineID
	Agent      account.AgentNo // who holds it now
	Number     string          // canonical; "" when not known
	Label      string
	SIMSlot    int    // 1 is SIM 1; 0 = not said
	Device     string // id of the phone that reports for it; "" when none does
	CreatedAt  time.Time
	ArchivedAt time.Time // zero while in use
}

// Archived tells whether the line is out of use. Its calls stay.
func (l *Line) Archived() bool { return !l.ArchivedAt.IsZero() }

// NewLine is what is said of a line to be added.
type NewLine struct {
	Agent   account.AgentNo
	Number  string // as people write it; may be empty
	Label   string // may be empty
	SIMSlot int    // 1 is SIM 1; 0 = not said
}

// Limits of what people write about lines and phones.
const (
	maxLabel = 60 // characters
	maxSlot  = 8
)

func cleanLabel(field, what, text string) (string, error) {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if utf8.RuneCountInString(text) > maxLabel {
		return "", fault.Field(field, "%s is longer than %d characters. Shorten it.", what, maxLabel)
	}
	return text, nil
}

// ownNumber reads a line's number: a phone number, or an extension of two or more digits.
func ownNumber(raw, country string) (string, error) {
	if strings.TrimSpace(raw) == "" {
		return "", nil
	}
	n := phone.Parse(raw, country)
	if digits := phone.Digits(n.Raw); len(digits) < 2 || len(n.Raw) > 32 {
		return "", fault.Field("number", "%q is no phone number. Write it with its country code, for example +919812300001, or as an extension of at least two digits.", raw)
	}
	return n.Canonical(), nil
}

func checkSlot(slot int) error {
	if slot < 0 || slot > maxSlot {
		return fault.Field("sim_slot", "There is no SIM slot %d. Count slots from 1, or leave it at 0 when it does not matter.", slot)
	}
	return nil
}

const (
	numberField = "lines.number"
	lineColumns = `l.no, l.id, l.agent, l.label, l.number_sealed, l.sim_slot, l.created_ms, l.archived_ms, COALESCE(d.device_id, '')`
	lineTables  = ` FROM lines l LEFT JOIN device_lines d ON d.org_id = l.org_id AND d.line = l.no `
)

// lines reads the lines that match where, whose $1 is the organisation, by number.
func (s *Devices) lines(ctx context.Context, c db.Conn, org account.OrgID, where string, args ...any) ([]*Line, error) {
	k, err := s.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, c, func(r db.Scanner) (*Line, error) {
		var l Line
		var sealed []byte
		var created, archived int64
		if err := r.Scan(&l.No, &l.ID, &l.Agent, &l.Label, &sealed, &l.SIMSlot, &created, &archived, &l.Device); err != nil {
			return nil, err
		}
		l.CreatedAt, l.ArchivedAt = moment(created), moment(archived)
		if sealed != nil {
			plain, err := k.Open(numberField, sealed)
			if err != nil {
				return nil, err
			}
			l.Number = string(plain)
		}
		return &l, nil
	}, `SELECT `+lineColumns+lineTables+`WHERE l.org_id = $1 `+where+` ORDER BY l.no`, append([]any{org}, args...)...)
}

func one(lines []*Line, err error) (*Line, bool, error) {
	if err != nil || len(lines) == 0 {
		return nil, false, err
	}
	return lines[0], true, nil
}

// Lines lists an organisation's lines, archived ones too.
func (s *Devices) Lines(ctx context.Context, org *account.Org) ([]*Line, error) {
	return s.lines(ctx, s.db, org.ID, ``)
}

// LinesOf lists the lines in use that the given agents hold; nil means all of the organisation.
func (s *Devices) LinesOf(ctx context.Context, org *account.Org, agents []account.AgentNo) ([]*Line, error) {
	lines, err := s.lines(ctx, s.db, org.ID, `AND l.archived_ms = 0`)
	if agents == nil {
		return lines, err
	}
	return slices.DeleteFunc(lines, func(l *Line) bool { return !slices.Contains(agents, l.Agent) }), err
}

// Line gives one line.
func (s *Devices) Line(ctx context.Context, org *account.Org, line LineID) (*Line, error) {
	return s.line(ctx, s.db, org.ID, line)
}

func (s *Devices) line(ctx context.Context, c db.Conn, org account.OrgID, line LineID) (*Line, error) {
	l, ok, err := one(s.lines(ctx, c, org, `AND l.id = $2`, line))
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no line %q in this organisation.", string(line))
	}
	return l, err
}

// LineByNo gives the line that the call tables know by a number.
func (s *Devices) LineByNo(ctx context.Context, org *account.Org, no call.LineNo) (*Line, error) {
	return s.lineByNo(ctx, s.db, org.ID, no)
}

func (s *Devices) lineByNo(ctx context.Context, c db.Conn, org account.OrgID, no call.LineNo) (*Line, error) {
	l, ok, err := one(s.lines(ctx, c, org, `AND l.no = $2`, no))
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no line number %d in this organisation.", no)
	}
	return l, err
}

// lineWith gives the line in use that has a canonical number.
func (s *Devices) lineWith(ctx context.Context, c db.Conn, org account.OrgID, canonical string) (*Line, bool, error) {
	k, err := s.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, false, err
	}
	return one(s.lines(ctx, c, org, `AND l.archived_ms = 0 AND l.number_key = $2`, k.Index(numberField, canonical)))
}

// FindLine gives the line in use with a number as people write it. What is no number is refused.
func (s *Devices) FindLine(ctx context.Context, org *account.Org, number string) (*Line, bool, error) {
	canonical, err := ownNumber(number, org.Country)
	if err != nil || canonical == "" {
		return nil, false, err
	}
	return s.lineWith(ctx, s.db, org.ID, canonical)
}

// AddLine gives an agent a line. The number may be left out, and is the organisation's only line with that number.
func (s *Devices) AddLine(ctx context.Context, org *account.Org, n NewLine) (*Line, error) {
	canonical, numberErr := ownNumber(n.Number, org.Country)
	label, labelErr := cleanLabel("label", "The label", n.Label)
	if err := fault.Join(numberErr, labelErr, checkSlot(n.SIMSlot)); err != nil {
		return nil, err
	}
	n.Number, n.Label = canonical, label
	var l *Line
	err := s.db.Tx(ctx, func(tx *db.Tx) (err error) {
		l, err = s.addLine(ctx, tx, org, n)
		return err
	})
	return l, err
}

// addLine is AddLine for checked values: the number is canonical.
func (s *Devices) addLine(ctx context.Context, tx *db.Tx, org *account.Org, n NewLine) (*Line, error) {
	if err := checkAgent(ctx, tx, org.ID, n.Agent); err != nil {
		return nil, err
	}
	var next call.LineNo
	if err := tx.Row(ctx, `INSERT INTO line_counters (org_id, next) VALUES ($1, 2)
		ON CONFLICT (org_id) DO UPDATE SET next = line_counters.next + 1 RETURNING next`, org.ID).Scan(&next); err != nil {
		return nil, err
	}
	sealed, key, err := s.sealNumber(ctx, tx, org, n.Number, 0)
	if err != nil {
		return nil, err
	}
	no := next - 1
	if _, err := tx.Exec(ctx, `INSERT INTO lines (org_id, no, id, agent, label, number_sealed, number_key, sim_slot, created_ms, archived_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)`, org.ID, no, id.New("lin"), n.Agent, n.Label, sealed, key, n.SIMSlot, s.now().UnixMilli()); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO line_holders (org_id, line, from_ms, agent) VALUES ($1, $2, 0, $3)`, org.ID, no, n.Agent); err != nil {
		return nil, err
	}
	return s.lineByNo(ctx, tx, org.ID, no)
}

func checkAgent(ctx context.Context, c db.Conn, org account.OrgID, agent account.AgentNo) error {
	_, ok, err := agentName(ctx, c, org, agent)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no agent number %d in this organisation.", agent)
	}
	return err
}

func agentName(ctx context.Context, c db.Conn, org account.OrgID, agent account.AgentNo) (string, bool, error) {
	return db.One(ctx, c, func(r db.Scanner) (name string, err error) { return name, r.Scan(&name) },
		`SELECT name FROM members WHERE org_id = $1 AND agent_no = $2 AND agent_no > 0`, org, agent)
}

// sealNumber gives a canonical number as it is kept, and refuses one that another line in use has. own is the line that
// may have it, 0 for a new one.
func (s *Devices) sealNumber(ctx context.Context, tx *db.Tx, org *account.Org, canonical string, own call.LineNo) (sealed, key any, err error) {
	if canonical == "" {
		return nil, nil, nil
	}
	other, taken, err := s.lineWith(ctx, tx, org.ID, canonical)
	if err != nil {
		return nil, nil, err
	}
	if taken && other.No != own {
		return nil, nil, numberTaken(ctx, tx, org.ID, other)
	}
	k, err := s.keys.Org(ctx, int64(org.ID))
	if err != nil {
		return nil, nil, err
	}
	return k.Seal(numberField, []byte(canonical)), k.Index(numberField, canonical), nil
}

func numberTaken(ctx context.Context, c db.Conn, org account.OrgID, other *Line) error {
	name, _, err := agentName(ctx, c, org, other.Agent)
	if err != nil {
		return err
	}
	return fault.Wrap(fault.Conflict, fault.Field("number", "Another line has this number already."),
		"That number is already a line of %s. Move that line instead, or archive it first.", name)
}

// DefaultLine gives an agent's first line in use, and makes one without a number when there is none.
func (s *Devices) DefaultLine(ctx context.Context, org *account.Org, agent account.AgentNo) (*Line, error) {
	const first = `AND l.archived_ms = 0 AND l.agent = $2`
	l, ok, err := one(s.lines(ctx, s.db, org.ID, first, agent))
	if err != nil || ok {
		return l, err
	}
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		// Two that ask at the same time must get the same line: PostgreSQL makes the second wait here.
		if _, err := tx.Exec(ctx, `INSERT INTO line_counters (org_id, next) VALUES ($1, 1)
			ON CONFLICT (org_id) DO UPDATE SET next = line_counters.next`, org.ID); err != nil {
			return err
		}
		if l, ok, err = one(s.lines(ctx, tx, org.ID, first, agent)); err != nil || ok {
			return err
		}
		l, err = s.addLine(ctx, tx, org, NewLine{Agent: agent})
		return err
	})
	return l, err
}

// LineChange is what is to change about a line; nil leaves things as they are.
type LineChange struct {
	Label   *string
	Number  *string // as people write it; "" removes it
	SIMSlot *int
}

// UpdateLine changes a line's label, number or slot. Its calls stay with it.
func (s *Devices) UpdateLine(ctx context.Context, org *account.Org, line LineID, c LineChange) (*Line, error) {
	return s.changeLine(ctx, org, line, func(tx *db.Tx, l *Line) error {
		var errs [3]error
		if c.Label != nil {
			l.Label, errs[0] = cleanLabel("label", "The label", *c.Label)
		}
		if c.Number != nil {
			l.Number, errs[1] = ownNumber(*c.Number, org.Country)
		}
		if c.SIMSlot != nil {
			l.SIMSlot, errs[2] = *c.SIMSlot, checkSlot(*c.SIMSlot)
		}
		if err := fault.Join(errs[:]...); err != nil {
			return err
		}
		return s.writeLine(ctx, tx, org, l)
	})
}

func (s *Devices) writeLine(ctx context.Context, tx *db.Tx, org *account.Org, l *Line) error {
	sealed, key, err := s.sealNumber(ctx, tx, org, l.Number, l.No)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE lines SET label = $3, number_sealed = $4, number_key = $5, sim_slot = $6 WHERE org_id = $1 AND no = $2`,
		org.ID, l.No, l.Label, sealed, key, l.SIMSlot)
	return err
}

func (s *Devices) changeLine(ctx context.Context, org *account.Org, line LineID, change func(tx *db.Tx, l *Line) error) (*Line, error) {
	var l *Line
	err := s.db.Tx(ctx, func(tx *db.Tx) (err error) {
		if l, err = s.line(ctx, tx, org.ID, line); err != nil {
			return err
		}
		if l.Archived() {
			return fault.New(fault.Conflict, "The line was archived on %s and cannot be changed. Add a new line instead.", l.ArchivedAt.In(org.Location()).Format(time.DateOnly))
		}
		if err := change(tx, l); err != nil {
			return err
		}
		l, err = s.line(ctx, tx, org.ID, line)
		return err
	})
	if db.IsUnique(err) {
		err = fault.Wrap(fault.Conflict, err, "Another line has this number already. Move that line instead, or archive it first.")
	}
	return l, err
}

// ArchiveLine takes a line out of use. Its calls stay, and its number is free for another line.
func (s *Devices) ArchiveLine(ctx context.Context, org *account.Org, line LineID) error {
	_, err := s.changeLine(ctx, org, line, func(tx *db.Tx, l *Line) error {
		if _, err := tx.Exec(ctx, `DELETE FROM device_lines WHERE org_id = $1 AND line = $2`, org.ID, l.No); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE lines SET archived_ms = $3 WHERE org_id = $1 AND no = $2`, org.ID, l.No, s.now().UnixMilli())
		return err
	})
	return err
}

// Ours tells which canonical numbers are the organisation's own. A line in use goes before an archived one.
func (s *Devices) Ours(ctx context.Context, org *account.Org) (func(canonical string) (call.LineNo, bool), error) {
	lines, err := s.Lines(ctx, org)
	if err != nil {
		return nil, err
	}
	ours := make(map[string]call.LineNo, len(lines))
	for _, archived := range []bool{true, false} {
		for _, l := range lines {
			if l.Number != "" && l.Archived() == archived {
				ours[l.Number] = l.No
			}
		}
	}
	return func(canonical string) (call.LineNo, bool) {
		no, ok := ours[canonical]
		return no, ok
	}, nil
}
