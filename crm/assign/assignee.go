package assign

import (
	"context"
	"encoding/json"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// Assignee is what a member takes, by whatever rule.
type Assignee struct {
	Member      account.MemberID `json:"-"`
	Languages   []string         `json:"languages,omitempty"`   // that they speak: "hi", "en"
	Territories []Territory      `json:"territories,omitempty"` // that they work
	DayCap      int              `json:"day_cap,omitempty"`     // leads that they are given in a day; 0 = as many as come
	OpenCap     int              `json:"open_cap,omitempty"`    // open leads that they have at most; 0 = as many as come
	Paused      bool             `json:"paused,omitempty"`      // they get none by rules
}

const maxCap = 1_000_000

// Assignees gives what members take, of whom somebody said something.
func (a *Assign) Assignees(ctx context.Context, c db.Conn, org account.OrgID) ([]Assignee, error) {
	return db.Select(ctx, c, func(r db.Scanner) (x Assignee, err error) {
		var spec []byte
		if err := r.Scan(&x.Member, &spec); err != nil {
			return x, err
		}
		return x, json.Unmarshal(spec, &x)
	}, `SELECT member, spec FROM assignees WHERE org_id = $1 ORDER BY member`, org)
}

// SetAssignee says what a member takes. by needs manage_people.
func (a *Assign) SetAssignee(ctx context.Context, by *account.Actor, x Assignee) error {
	if err := by.Require(account.ManagePeople); err != nil {
		return err
	}
	var err error
	if x.Languages, err = list("languages", x.Languages, tongue); err != nil {
		return err
	}
	if x.Territories, err = territories(x.Territories); err != nil {
		return err
	}
	if err := fault.Join(between("day_cap", "leads that somebody is given in a day", x.DayCap, 0, maxCap), between("open_cap", "open leads of somebody", x.OpenCap, 0, maxCap)); err != nil {
		return err
	}
	spec, err := json.Marshal(x)
	if err != nil {
		return err
	}
	return a.d.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := checkMember(ctx, tx, by.Org.ID, x.Member); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO assignees (org_id, member, spec, changed_ms, changed_by) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (org_id, member) DO UPDATE SET spec = excluded.spec, changed_ms = excluded.changed_ms, changed_by = excluded.changed_by`,
			by.Org.ID, x.Member, string(spec), a.d.Now().UnixMilli(), by.Member.ID)
		return err
	})
}

// AbsenceID is an absence's public name, such as "abs_06c1…".
type AbsenceID string

// Absence is a time during which a member is away. Why is nobody's business.
type Absence struct {
	ID          AbsenceID
	Member      account.MemberID
	From, Until time.Time
	Made        time.Time
	MadeBy      account.MemberID // "" = the operator
}

const (
	longestAbsence = 2 * 366 * 24 * time.Hour
	maxAbsences    = 200 // of a member, from now on
)

// Absences lists who is away at a moment or later, the earliest first.
func (a *Assign) Absences(ctx context.Context, c db.Conn, org account.OrgID, from time.Time) ([]Absence, error) {
	return absences(ctx, c, `SELECT absence, member, from_ms, until_ms, made_ms, made_by FROM member_absences WHERE org_id = $1 AND until_ms > $2
		ORDER BY from_ms, absence`, org, from.UnixMilli())
}

func absences(ctx context.Context, c db.Conn, query string, args ...any) ([]Absence, error) {
	return db.Select(ctx, c, func(r db.Scanner) (x Absence, err error) {
		var from, until, made int64
		err = r.Scan(&x.ID, &x.Member, &from, &until, &made, &x.MadeBy)
		x.From, x.Until, x.Made = moment(from), moment(until), moment(made)
		return x, err
	}, query, args...)
}

// AddAbsence says that a member is away. Members say it of themselves; of others whoever may assign leads.
func (a *Assign) AddAbsence(ctx context.Context, by *account.Actor, m account.MemberID, from, until time.Time) (*Absence, error) {
	if err := a.mayAway(ctx, by, m); err != nil {
		return nil, err
	}
	now := a.d.Now()
	switch {
	case !until.After(from):
		return nil, fault.Field("until", "The absence ends before it begins. Give a later end.")
	case !until.After(now):
		return nil, fault.Field("until", "The absence is past already. It would change nothing.")
	case until.Sub(from) > longestAbsence:
		return nil, fault.Field("until", "An absence lasts at most two years. Deactivate somebody who does not come back.")
	}
	x := &Absence{ID: AbsenceID(id.New("abs")), Member: m, From: from, Until: until, Made: now, MadeBy: by.Member.ID}
	return x, a.d.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := checkMember(ctx, tx, by.Org.ID, m); err != nil {
			return err
		}
		var n int
		if err := tx.Row(ctx, `SELECT count(*) FROM member_absences WHERE org_id = $1 AND member = $2 AND until_ms > $3`, by.Org.ID, m, now.UnixMilli()).Scan(&n); err != nil {
			return err
		}
		if n >= maxAbsences {
			return fault.New(fault.Conflict, "This member has %d absences ahead, and more do not fit. Join some of them.", n)
		}
		_, err := tx.Exec(ctx, `INSERT INTO member_absences (org_id, absence, member, from_ms, until_ms, made_ms, made_by) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			by.Org.ID, x.ID, m, from.UnixMilli(), until.UnixMilli(), now.UnixMilli(), by.Member.ID)
		return err
	})
}

// DropAbsence takes an absence back, as AddAbsence says one.
func (a *Assign) DropAbsence(ctx context.Context, by *account.Actor, absence AbsenceID) error {
	return a.d.DB.Tx(ctx, func(tx *db.Tx) error {
		m, ok, err := db.One(ctx, tx, func(r db.Scanner) (m account.MemberID, err error) { return m, r.Scan(&m) },
			`SELECT member FROM member_absences WHERE org_id = $1 AND absence = $2`, by.Org.ID, absence)
		if err != nil {
			return err
		}
		if ok {
			err = a.mayAway(ctx, by, m)
		}
		if err != nil && fault.KindOf(err) != fault.Denied {
			return err
		}
		if !ok || err != nil {
			return fault.New(fault.NotFound, "There is no absence %q that you can take back.", string(absence))
		}
		_, err = tx.Exec(ctx, `DELETE FROM member_absences WHERE org_id = $1 AND absence = $2`, by.Org.ID, absence)
		return err
	})
}

// mayAway refuses whoever may not say that a member is away: a manager says it of their teams.
func (a *Assign) mayAway(ctx context.Context, by *account.Actor, m account.MemberID) error {
	if by.Member.ID == m && m != "" {
		return by.Require(account.WriteLeads)
	}
	if err := by.Require(account.AssignLeads); err != nil {
		return err
	}
	sight, err := contact.SightOf(ctx, a.d.Accounts, by)
	if err == nil && !sight.Sees(m) {
		err = fault.New(fault.Denied, "Only people of your teams can be said to be away by you. Ask an owner or admin of your organisation.")
	}
	return err
}

// span is a time during which somebody is away.
type span struct{ from, until int64 }

// back is when somebody who is away at an instant is back; the instant itself when they are there. away is by begin.
func back(away []span, at int64) int64 {
	for _, s := range away {
		if s.from <= at && at < s.until {
			at = s.until
		}
	}
	return at
}
