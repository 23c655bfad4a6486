package lead

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/crm/field"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// The fields that a history speaks of. Custom ones are fieldCustom with their key.
const (
	fieldMade   = "made"  // To is the first stage, as in fieldStage
	fieldStage  = "stage" // "pipeline/stage"
	fieldState  = "state"
	fieldReason = "reason"
	fieldValue  = "value" // "150000 INR", in the minor unit
	fieldSource = "source"
	fieldDay    = "source_day" // "2026-03-02"
	fieldOwner  = "owner"      // a member's id
	fieldTeam   = "team"
	fieldDue    = "due" // Unix milliseconds
	fieldTags   = "tags"
	fieldCustom = "custom."
)

// Event is one field that was changed, or the making of the lead (field "made").
type Event struct {
	Lead     ID
	Rev      int64 // the lead's after the change
	At       time.Time
	By       account.MemberID // "" = the program or the operator
	Field    string           // made, stage, state, reason, value, source, source_day, owner, team, due, tags, or custom.KEY
	From, To string           // stages as pipeline/stage, values as "150000 INR", tags with commas between, moments in Unix milliseconds
	Why      string
	Bulk     string // the change of many leads that it was part of; "" = none
}

// event is an Event to be kept.
type event struct {
	lead *Lead
	Event
}

// secret is what of an event is sealed.
type secret struct {
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	Why  string `json:"why,omitempty"`
}

// personal tells whether a field says something about the contact that is only kept sealed.
func personal(name string) bool {
	return name == fieldTags || strings.HasPrefix(name, fieldCustom)
}

func eventField(id ID, rev int64, name string) string {
	return "lead_events|" + string(id) + "|" + strconv.FormatInt(rev, 10) + "|" + name
}

// where is the lead's stage as histories have it.
func (l *Lead) where() string { return l.Pipeline + "/" + l.Stage }

// texts are a lead's fields as histories have them.
func (l *Lead) texts() map[string]string {
	out := map[string]string{
		fieldStage: l.where(), fieldState: l.State.String(), fieldReason: l.Reason, fieldValue: strconv.FormatInt(l.Value, 10) + " " + l.Currency,
		fieldSource: l.Source, fieldOwner: string(l.Owner), fieldTeam: string(l.Team), fieldTags: strings.Join(l.Tags, ", "),
	}
	if l.SourceDay != 0 {
		out[fieldDay] = l.SourceDay.String()
	}
	if !l.Due.IsZero() {
		out[fieldDue] = strconv.FormatInt(l.Due.UnixMilli(), 10)
	}
	for key, v := range l.Custom {
		out[fieldCustom+key] = v
	}
	return out
}

// restore gives a field the value that a history has of it.
func (l *Lead) restore(name, text string) (err error) {
	switch name {
	case fieldStage:
		l.Pipeline, l.Stage, _ = strings.Cut(text, "/")
	case fieldState:
		l.State, err = ParseState(text)
	case fieldReason:
		l.Reason = text
	case fieldValue:
		amount, code, _ := strings.Cut(text, " ")
		l.Currency = code
		l.Value, err = strconv.ParseInt(amount, 10, 64)
	case fieldSource:
		l.Source = text
	case fieldDay:
		if l.SourceDay = 0; text != "" {
			l.SourceDay, err = civil.Parse(text)
		}
	case fieldOwner:
		l.Owner = account.MemberID(text)
	case fieldTeam:
		l.Team = account.TeamID(text)
	case fieldDue:
		if l.Due = (time.Time{}); text != "" {
			var ms int64
			ms, err = strconv.ParseInt(text, 10, 64)
			l.Due = time.UnixMilli(ms)
		}
	case fieldTags:
		l.Tags, err = cleanTags(strings.Split(text, ", "))
	default:
		key, ok := strings.CutPrefix(name, fieldCustom)
		if !ok {
			return fault.New(fault.Internal, "The history of a lead names a field %q that there is not.", name)
		}
		l.setCustom(key, text)
	}
	return err
}

func (l *Lead) setCustom(key, value string) {
	if value == "" {
		delete(l.Custom, key)
		return
	}
	if l.Custom == nil {
		l.Custom = map[string]string{}
	}
	l.Custom[key] = value
}

// record keeps events of leads, whose revs are those after the change.
func (s *Leads) record(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, org account.OrgID, by account.MemberID, bulk string, events []event) error {
	return recordAt(ctx, tx, k, org, s.d.Now(), by, bulk, events)
}

// recordAt is record for what happened at another time.
func recordAt(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, org account.OrgID, when time.Time, by account.MemberID, bulk string, events []event) error {
	const width = 11
	for part := range slices.Chunk(events, 2*rows) {
		args := make([]any, 0, len(part)*width)
		for _, e := range part {
			was, became, hidden := e.From, e.To, secret{Why: e.Why}
			if personal(e.Field) {
				hidden.From, hidden.To, was, became = was, became, "", ""
			}
			sealed, err := seal(ctx, k, e.lead.Subject, eventField(e.lead.ID, e.lead.Rev, e.Field), hidden, hidden == secret{})
			if err != nil {
				return err
			}
			args = append(args, org, e.lead.ID, e.lead.Subject, e.lead.Rev, e.Field, when.UnixMilli(), by, was, became, sealed, bulk)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO lead_events (org_id, lead, subject, rev, field, at_ms, by_member, was, became, sealed, bulk) VALUES `+db.Values(len(part), width), args...); err != nil {
			return err
		}
	}
	return nil
}

const eventColumns = `lead, rev, field, at_ms, by_member, was, became, sealed, bulk, subject`

// scanEvent gives what reads a row of eventColumns.
func (s *Leads) scanEvent(ctx context.Context, org account.OrgID) (func(db.Scanner) (Event, error), error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	return func(r db.Scanner) (e Event, err error) {
		var ms, subject int64
		var sealed []byte
		if err := r.Scan(&e.Lead, &e.Rev, &e.Field, &ms, &e.By, &e.From, &e.To, &sealed, &e.Bulk, &subject); err != nil {
			return e, err
		}
		e.At = at(ms)
		var hidden secret
		if err := unseal(ctx, k, subject, eventField(e.Lead, e.Rev, e.Field), sealed, &hidden); err != nil {
			return e, err
		}
		if personal(e.Field) {
			e.From, e.To = hidden.From, hidden.To
		}
		e.Why = hidden.Why
		return e, nil
	}, err
}

// History lists what happened to a lead, newest first: at most limit events from before rev before; 0 = from the newest.
func (s *Leads) History(ctx context.Context, c db.Conn, org account.OrgID, id ID, before int64, limit int) ([]Event, error) {
	scan, err := s.scanEvent(ctx, org)
	if err != nil {
		return nil, err
	}
	if before <= 0 {
		before = 1 << 62
	}
	return db.Select(ctx, c, scan, `SELECT `+eventColumns+` FROM lead_events WHERE org_id = $1 AND lead = $2 AND rev < $3 ORDER BY rev DESC, field LIMIT $4`, org, id, before, limit)
}

// Histories gives everything that happened to leads of contacts, in no order: for timelines, which have one of their own.
func (s *Leads) Histories(ctx context.Context, c db.Conn, org account.OrgID, leads ...ID) ([]Event, error) {
	scan, err := s.scanEvent(ctx, org)
	if err != nil {
		return nil, err
	}
	var out []Event
	for part := range slices.Chunk(leads, chunk) {
		found, err := db.Select(ctx, c, scan, `SELECT `+eventColumns+` FROM lead_events WHERE org_id = $1 AND lead IN `+db.In(2, chunk), listArgs(org, part)...)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// lastOf gives who last changed each of some fields after a rev.
func (s *Leads) lastOf(ctx context.Context, c db.Conn, org account.OrgID, id ID, rev int64) (map[string]Event, error) {
	later, err := db.Select(ctx, c, func(r db.Scanner) (e Event, err error) {
		var ms int64
		err = r.Scan(&e.Rev, &e.Field, &ms, &e.By)
		e.At = at(ms)
		return e, err
	}, `SELECT rev, field, at_ms, by_member FROM lead_events WHERE org_id = $1 AND lead = $2 AND rev > $3 ORDER BY rev`, org, id, rev)
	out := make(map[string]Event, len(later))
	for _, e := range later {
		out[e.Field] = e
	}
	return out, err
}

// stale refuses a change of fields that somebody changed after the editor looked, and says who, what and when.
func (s *Leads) stale(ctx context.Context, c db.Conn, org *account.Org, l *Lead, rev int64, fields []string) error {
	later, err := s.lastOf(ctx, c, org.ID, l.ID, rev)
	if err != nil {
		return err
	}
	var sentences []string
	for _, f := range fields {
		e, ok := later[f]
		if !ok {
			continue
		}
		who, err := memberName(ctx, c, org.ID, e.By)
		if err != nil {
			return err
		}
		what, err := s.fieldName(ctx, c, org.ID, f)
		if err != nil {
			return err
		}
		sentences = append(sentences, who+" changed "+what+" on "+moment(e.At, org)+", after you opened this lead.")
	}
	if len(sentences) == 0 {
		return nil
	}
	return fault.New(fault.Conflict, "%s Nothing of yours was saved. Look at the lead as it is now, and change it again if that is still right.", strings.Join(sentences, " "))
}

// fieldName is how a sentence names a field.
func (s *Leads) fieldName(ctx context.Context, c db.Conn, org account.OrgID, name string) (string, error) {
	if key, ok := strings.CutPrefix(name, fieldCustom); ok {
		defs, err := s.d.Fields.All(ctx, c, org, field.OfLead)
		for _, d := range defs {
			if d.Key == key {
				return "“" + d.Title + "”", err
			}
		}
		return "a field of your own", err
	}
	names := map[string]string{
		fieldStage: "the stage", fieldState: "whether the lead is open", fieldReason: "the reason", fieldValue: "the value", fieldSource: "the source",
		fieldDay: "the day of the source", fieldOwner: "the owner", fieldTeam: "the team", fieldDue: "when it is due", fieldTags: "the tags",
	}
	return names[name], nil
}
