package attach

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/calls/call"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/fault"
)

// StageRule says where the leads of a pipeline move by themselves; "" is nowhere. A lead never moves back.
type StageRule struct {
	Attempted string // at the first attempt to call
	Connected string // at the first connected call
}

// StageRules gives the rules of an organisation's pipelines.
func (a *Attach) StageRules(ctx context.Context, c db.Conn, org account.OrgID) (map[string]StageRule, error) {
	out := map[string]StageRule{}
	_, err := db.Select(ctx, c, func(r db.Scanner) (struct{}, error) {
		var pipeline string
		var s StageRule
		err := r.Scan(&pipeline, &s.Attempted, &s.Connected)
		out[pipeline] = s
		return struct{}{}, err
	}, `SELECT pipeline, attempted, connected FROM stage_rules WHERE org_id = $1`, org)
	return out, err
}

// SetStageRule says where the leads of a pipeline move by themselves from now on. by needs manage_pipelines. It takes a transaction
// so that a pipeline and its rule are kept together or not at all.
func (a *Attach) SetStageRule(ctx context.Context, tx *db.Tx, by *account.Actor, pipeline string, s StageRule) error {
	if err := by.Require(account.ManagePipelines); err != nil {
		return err
	}
	p, err := a.Leads.Pipeline(ctx, tx, by.Org.ID, pipeline)
	if err != nil {
		return err
	}
	for _, to := range []struct{ field, key string }{{"attempted", s.Attempted}, {"connected", s.Connected}} {
		if st, ok := p.Stage(to.key); to.key != "" && (!ok || st.Gone) {
			return fault.Field(to.field, "The pipeline %q has no stage %q. Choose one of its stages.", p.Title, to.key)
		}
	}
	_, err = tx.Exec(ctx, `INSERT INTO stage_rules (org_id, pipeline, attempted, connected, by_member, at_ms) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (org_id, pipeline) DO UPDATE SET attempted = excluded.attempted, connected = excluded.connected, by_member = excluded.by_member, at_ms = excluded.at_ms`,
		by.Org.ID, p.Key, s.Attempted, s.Connected, by.Member.ID, a.Now().UnixMilli())
	return err
}

// stageFor is where a lead of a pipeline moves when its calls were had and are now; "" leaves it. Stages that stand before the
// lead's own, and those that were taken out, are none to move to.
func (s StageRule) stageFor(p *lead.Pipeline, l *lead.Lead, now lead.Touch) string {
	to := ""
	if l.Attempts == 0 && now.Attempts > 0 {
		to = ahead(p, l.Stage, s.Attempted)
	}
	if l.Connected == 0 && now.Connected > 0 {
		from := l.Stage
		if to != "" {
			from = to
		}
		if farther := ahead(p, from, s.Connected); farther != "" {
			to = farther
		}
	}
	return to
}

// ahead is to, when it stands behind from in the pipeline's order, and "" otherwise.
func ahead(p *lead.Pipeline, from, to string) string {
	place := func(key string) int {
		return slices.IndexFunc(p.Active(), func(s lead.Stage) bool { return s.Key == key })
	}
	if to == "" || place(to) < 0 || place(to) <= place(from) {
		return ""
	}
	return to
}

// LeadLine says that a line makes leads of unknown callers.
type LeadLine struct {
	Line               call.LineNo
	Incoming, Outgoing bool          // which calls make leads
	Min                time.Duration // of talk; 0 takes missed calls, too
	Pipeline           string        // "" = the organisation's first
	Source             string        // of the leads
	Since              time.Time     // calls before make no leads
}

const maxSource = 60 // characters

// LeadLines lists the lines that make leads of unknown callers.
func (a *Attach) LeadLines(ctx context.Context, c db.Conn, org account.OrgID) ([]LeadLine, error) {
	return db.Select(ctx, c, func(r db.Scanner) (l LeadLine, err error) {
		var dirs, seconds int
		var since int64
		err = r.Scan(&l.Line, &dirs, &seconds, &l.Pipeline, &l.Source, &since)
		l.Incoming, l.Outgoing, l.Min, l.Since = dirs&1 != 0, dirs&2 != 0, time.Duration(seconds)*time.Second, moment(since)
		return l, err
	}, `SELECT line, dirs, min_seconds, pipeline, source, since_ms FROM lead_lines WHERE org_id = $1 ORDER BY line`, org)
}

// SetLeadLine has a line make leads of unknown callers from now on; one that takes neither direction makes none any more. by
// needs manage_pipelines.
func (a *Attach) SetLeadLine(ctx context.Context, by *account.Actor, l LeadLine) error {
	if err := by.Require(account.ManagePipelines); err != nil {
		return err
	}
	org := by.Org
	if _, err := a.Devices.LineByNo(ctx, org, l.Line); err != nil {
		return err
	}
	l.Source = strings.Join(strings.Fields(strings.ToValidUTF8(l.Source, "")), " ")
	switch {
	case utf8.RuneCountInString(l.Source) > maxSource:
		return fault.Field("source", "The source has more than %d characters. Shorten it.", maxSource)
	case l.Min < 0 || l.Min > time.Hour:
		return fault.Field("min_seconds", "A call can be asked to last 0 to 3600 seconds; %d is outside.", int(l.Min/time.Second))
	}
	if l.Source == "" {
		l.Source = usualSource
	}
	return a.DB.Tx(ctx, func(tx *db.Tx) error {
		if !l.Incoming && !l.Outgoing {
			_, err := tx.Exec(ctx, `DELETE FROM lead_lines WHERE org_id = $1 AND line = $2`, org.ID, l.Line)
			return err
		}
		if l.Pipeline != "" {
			if _, err := a.Leads.Pipeline(ctx, tx, org.ID, l.Pipeline); err != nil {
				return err
			}
		}
		dirs := flag(l.Incoming) | flag(l.Outgoing)<<1
		_, err := tx.Exec(ctx, `INSERT INTO lead_lines (org_id, line, dirs, min_seconds, pipeline, source, since_ms, by_member) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (org_id, line) DO UPDATE SET dirs = excluded.dirs, min_seconds = excluded.min_seconds, pipeline = excluded.pipeline, source = excluded.source,
			by_member = excluded.by_member`, org.ID, l.Line, dirs, int(l.Min/time.Second), l.Pipeline, l.Source, a.Now().UnixMilli(), by.Member.ID)
		return err
	})
}

// usualSource is the source of leads that calls made, where nobody said another.
const usualSource = "Call"

// takes tells whether a call can make a lead.
func (l *LeadLine) takes(r *call.Row) bool {
	if r.At().Before(l.Since) || r.Type == call.TypeBlocked || r.Type == call.TypeUnknown || time.Duration(r.Seconds)*time.Second < l.Min {
		return false
	}
	return r.Direction == call.Incoming && l.Incoming || r.Direction == call.Outgoing && l.Outgoing
}

// moment reads a stored time; 0 is the zero time.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
