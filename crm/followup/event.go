package followup

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/crm/lead"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/subject"
)

// What is done with follow-ups.
const (
	Added        = "added"
	Changed      = "changed"
	WasDone      = "done"
	WasCancelled = "cancelled"
	WasSnoozed   = "snoozed"
	Undone       = "undone"
	HandedOver   = "handed_over"
	Escalated    = "escalated"
	Withdrawn    = "withdrawn" // it had been made by something that was taken back
	Renewed      = "renewed"   // and made again
)

// Event is something that was done with a follow-up.
type Event struct {
	FollowUp ID
	Rev      int64 // the follow-up's after it
	At       time.Time
	By       account.MemberID // "" = the program itself
	What     string
	Fields   []string // what changed
	was      string
}

// before is how a follow-up stood before something that can be taken back. It tells nothing about the contact.
type before struct {
	State   State            `json:"state"`
	Outcome string           `json:"outcome,omitempty"`
	Ended   int64            `json:"ended,omitempty"`
	EndedBy account.MemberID `json:"ended_by,omitempty"`
	At      int64            `json:"at"`
	Late    int64            `json:"late"`
	Snoozed int64            `json:"snoozed,omitempty"`
	Made    []ID             `json:"made,omitempty"` // what was made with it
}

func (f *FollowUp) stand() *before {
	return &before{State: f.State, Outcome: f.Outcome, Ended: millis(f.Ended), EndedBy: f.EndedBy, At: millis(f.At), Late: millis(f.Late), Snoozed: millis(f.Snoozed)}
}

// restore is the reverse of stand.
func (f *FollowUp) restore(b *before) {
	f.State, f.Outcome, f.Ended, f.EndedBy = b.State, b.Outcome, moment(b.Ended), b.EndedBy
	f.At, f.Late, f.Snoozed = moment(b.At), moment(b.Late), moment(b.Snoozed)
}

// keep writes a follow-up that was changed, or is new, together with the event, tells the audit log and sets when something is
// due on its lead. was may be nil.
func (s *FollowUps) keep(ctx context.Context, tx *db.Tx, org account.OrgID, by account.MemberID, f *FollowUp, what string, fields []string, was *before) error {
	now := s.d.Now()
	f.Rev, f.Changed, f.ChangedBy = f.Rev+1, now, by
	if err := s.put(ctx, tx, org, f); err != nil {
		return err
	}
	stood := ""
	if was != nil {
		b, err := json.Marshal(was)
		if err != nil {
			return err
		}
		stood = string(b)
	}
	if err := putEvent(ctx, tx, org, f, &Event{Rev: f.Rev, At: now, By: by, What: what, Fields: fields, was: stood}); err != nil {
		return err
	}
	if err := s.setDue(ctx, tx, org, f.Lead); err != nil {
		return err
	}
	return s.log(ctx, tx, org, audit.Entry{Actor: actor(by), Action: audit.FollowUpChanged, About: subject.OfContact(f.Subject).String(), Object: "follow_up/" + string(f.ID),
		Details: map[string]string{"what": what, "owner": string(f.Owner)}})
}

func putEvent(ctx context.Context, tx *db.Tx, org account.OrgID, f *FollowUp, e *Event) error {
	_, err := tx.Exec(ctx, `INSERT INTO follow_up_events (org_id, follow_up, subject, rev, at_ms, by_member, what, fields, was) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		org, f.ID, f.Subject, e.Rev, millis(e.At), e.By, e.What, strings.Join(e.Fields, " "), e.was)
	return err
}

func actor(by account.MemberID) string {
	if by == "" {
		return audit.System
	}
	return string(by)
}

// setDue tells a lead when something is due on it. A closed one has nothing due.
func (s *FollowUps) setDue(ctx context.Context, tx *db.Tx, org account.OrgID, id lead.ID) error {
	if id == "" {
		return nil
	}
	due, ok, err := db.One(ctx, tx, scanInt, `SELECT coalesce(min(f.at_ms), 0) FROM leads l LEFT JOIN follow_ups f ON f.org_id = l.org_id AND f.lead = l.lead AND f.lead <> '' AND f.state = 0
		WHERE l.org_id = $1 AND l.lead = $2 AND l.state = 0 GROUP BY l.lead`, org, id)
	if err != nil || !ok {
		return err
	}
	return s.d.Leads.SetDue(ctx, tx, org, id, moment(due))
}

func scanInt(r db.Scanner) (n int64, err error) { return n, r.Scan(&n) }

const eventColumns = `follow_up, rev, at_ms, by_member, what, fields, was`

func scanEvent(r db.Scanner) (e Event, err error) {
	var at int64
	var fields string
	err = r.Scan(&e.FollowUp, &e.Rev, &at, &e.By, &e.What, &fields, &e.was)
	e.At, e.Fields = moment(at), strings.Fields(fields)
	return e, err
}

// History lists what was done with a follow-up, the newest first.
func (s *FollowUps) History(ctx context.Context, c db.Conn, org account.OrgID, id ID) ([]Event, error) {
	return db.Select(ctx, c, scanEvent, `SELECT `+eventColumns+` FROM follow_up_events WHERE org_id = $1 AND follow_up = $2 ORDER BY rev DESC`, org, id)
}

// stale refuses, as a Conflict, to change what somebody else changed since rev, and says who, what and when.
func (s *FollowUps) stale(ctx context.Context, c db.Conn, org *account.Org, f *FollowUp, rev int64, fields []string) error {
	if rev < 0 || rev > f.Rev {
		return fault.Field("rev", "This follow-up has no version %d; the newest is %d. Open it again.", rev, f.Rev)
	}
	if rev == 0 || rev == f.Rev {
		return nil
	}
	all, err := s.History(ctx, c, org.ID, f.ID)
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.Rev <= rev {
			break
		}
		var both []string
		for _, x := range e.Fields {
			if slices.Contains(fields, x) {
				both = append(both, x)
			}
		}
		if len(both) == 0 {
			continue
		}
		who, err := nameOf(ctx, c, org.ID, e.By)
		if err != nil {
			return err
		}
		return fault.New(fault.Conflict, "%s changed this follow-up (%s) on %s. Look at it again before you change the same.", who, strings.Join(both, ", "), written(e.At, org))
	}
	return nil
}
