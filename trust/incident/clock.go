package incident

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/law"
)

// Clock is one duty to tell of an incident, and where it stands.
type Clock struct {
	law.BreachClock
	Key    string    // names it within the incident
	Due    time.Time // when the law wants it told; for "without delay" when it was noticed
	Done   time.Time // zero = not yet
	Waived bool      // somebody decided that it need not be told
}

// Left is how much time there is; negative when it is over.
func (c *Clock) Left(now time.Time) time.Duration { return c.Due.Sub(now) }

// Running tells whether something is still to be done.
func (c *Clock) Running() bool { return c.Done.IsZero() }

// Overdue tells whether the time has passed and nothing was done.
func (c *Clock) Overdue(now time.Time) bool { return c.Running() && !now.Before(c.Due) }

// Clocks are the duties that run for an incident, the most urgent first: those of the organisation's own law and of every
// place concerned. Each law's clock stands by itself.
func (x *Incidents) Clocks(ctx context.Context, i *Incident) ([]Clock, error) {
	org, err := x.d.Accounts.Org(ctx, i.Org)
	if err != nil {
		return nil, err
	}
	steps, err := x.Steps(ctx, i)
	if err != nil {
		return nil, err
	}
	return x.clocks(org, i, steps)
}

func (x *Incidents) clocks(org *account.Org, i *Incident, steps []Step) ([]Clock, error) {
	var places []law.Place
	for _, text := range append([]string{org.Country}, i.Places...) {
		p, err := law.ParsePlace(text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(places, p) {
			places = append(places, p)
		}
	}
	calendar := law.NewCalendar(org.Country, org.Workdays, org.Location())
	var out []Clock
	seen := map[string]int{}
	for _, b := range x.d.Laws.BreachClocks(civil.Today(i.Noticed, org.Location()), places...) {
		key := strings.ReplaceAll(strings.ToLower(strings.Join([]string{b.Place, string(b.Whom), b.Name}, "/")), " ", "-")
		if seen[key]++; seen[key] > 1 {
			key += "/" + strconv.Itoa(seen[key])
		}
		c := Clock{BreachClock: b, Key: key, Due: b.Within.Due(i.Noticed, calendar)}
		for _, s := range steps {
			if s.Clock == key && (s.Kind == Notice || s.Kind == Waived) {
				c.Done, c.Waived = s.At, s.Kind == Waived
			}
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b Clock) int { return a.Due.Compare(b.Due) })
	return out, nil
}

// Kind is what a step is.
type Kind string

// The kinds of steps.
const (
	Note     Kind = "note"
	Measure  Kind = "measure"  // something that was done against it
	Decided  Kind = "decision" // with its reason
	Notice   Kind = "notice"   // somebody was told: a clock stops
	Waived   Kind = "waived"   // a clock stops because nobody need be told, with the reason
	reported Kind = "report"   // the closing report
)

// Step is one thing that was done about an incident.
type Step struct {
	N     int64
	Kind  Kind
	Clock string // key of the clock that a notice or waiver is about
	By    account.MemberID
	At    time.Time
	Text  string
}

// Step adds a step to an open file. A notice or a waiver names its clock; a waiver gives its reason.
func (x *Incidents) Step(ctx context.Context, by *account.Actor, incident string, s Step) error {
	i, err := x.open(ctx, by, incident)
	if err != nil {
		return err
	}
	if s.Text = strings.TrimSpace(s.Text); s.Text == "" || len(s.Text) > maxText {
		return fault.Field("text", "Say what was done, in at most %d characters.", maxText)
	}
	switch s.Kind {
	case Note, Measure, Decided:
		s.Clock = ""
	case Notice, Waived:
		clocks, err := x.Clocks(ctx, i)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(clocks, func(c Clock) bool { return c.Key == s.Clock })
		if at < 0 {
			return fault.Field("clock", "This incident has no such duty to tell somebody. Choose one from its clocks.")
		}
		if !clocks[at].Running() {
			return fault.New(fault.Conflict, "It was written down already that this clock has stopped.")
		}
	default:
		return fault.Field("kind", "%q is no kind of step: note, measure, decision, notice or waived.", string(s.Kind))
	}
	return x.d.DB.Tx(ctx, func(tx *db.Tx) error { return x.addStep(ctx, tx, by, i, s) })
}

func (x *Incidents) addStep(ctx context.Context, tx *db.Tx, by *account.Actor, i *Incident, s Step) error {
	// The row of the incident makes two steps at once wait for each other on PostgreSQL, too.
	if _, err := tx.Exec(ctx, `UPDATE incidents SET state = state WHERE org_id = $1 AND id = $2`, i.Org, i.ID); err != nil {
		return err
	}
	if err := tx.Row(ctx, `SELECT coalesce(max(n), 0) + 1 FROM incident_steps WHERE org_id = $1 AND incident = $2`, i.Org, i.ID).Scan(&s.N); err != nil {
		return err
	}
	k, err := x.d.Keys.Org(ctx, int64(i.Org))
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO incident_steps (org_id, incident, n, kind, clock, by_member, at_ms, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		i.Org, i.ID, s.N, s.Kind, s.Clock, by.Member.ID, ms(x.d.Now()), k.Seal(stepField(i.ID, s.N), []byte(s.Text))); err != nil {
		return err
	}
	return x.note(ctx, tx, by, i, string(s.Kind), map[string]string{"step": strconv.FormatInt(s.N, 10), "clock": s.Clock})
}

func stepField(incident string, n int64) string {
	return "incident_steps|" + incident + "|" + strconv.FormatInt(n, 10)
}

// Steps lists what was done about an incident, in its order.
func (x *Incidents) Steps(ctx context.Context, i *Incident) ([]Step, error) {
	k, err := x.d.Keys.Org(ctx, int64(i.Org))
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, x.d.DB, func(r db.Scanner) (s Step, err error) {
		var done int64
		var sealed []byte
		if err := r.Scan(&s.N, &s.Kind, &s.Clock, &s.By, &done, &sealed); err != nil {
			return s, err
		}
		text, err := k.Open(stepField(i.ID, s.N), sealed)
		s.At, s.Text = at(done), string(text)
		return s, err
	}, `SELECT n, kind, clock, by_member, at_ms, sealed FROM incident_steps WHERE org_id = $1 AND incident = $2 ORDER BY n`, i.Org, i.ID)
}

// stages are the alarms of a clock: when half of its time has passed, when a tenth is left, and when it is over.
func (c *Clock) stages(noticed, now time.Time) []string {
	if !c.Running() {
		return nil
	}
	var out []string
	whole := c.Due.Sub(noticed)
	if left := c.Left(now); left <= 0 {
		out = append(out, "over")
	} else if left <= whole/10 {
		out = append(out, "soon")
	} else if left <= whole/2 {
		out = append(out, "half")
	}
	return out
}

// Watch tells the owners and privacy officers of every organisation about clocks that run out. It is called every few
// minutes; each alarm goes out once. It gives how many did.
func (x *Incidents) Watch(ctx context.Context) (int, error) {
	type open struct {
		org account.OrgID
		id  string
	}
	all, err := db.Select(ctx, x.d.DB, func(r db.Scanner) (o open, err error) { return o, r.Scan(&o.org, &o.id) }, `SELECT org_id, id FROM incidents WHERE org_id > 0 AND state = 'open'`)
	if err != nil {
		return 0, err
	}
	sent := 0
	for _, o := range all {
		n, err := x.watch(ctx, o.org, o.id)
		sent += n
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

func (x *Incidents) watch(ctx context.Context, id account.OrgID, incident string) (sent int, err error) {
	org, err := x.d.Accounts.Org(ctx, id)
	if err != nil {
		return 0, err
	}
	i, ok, err := db.One(ctx, x.d.DB, x.scan(ctx, id), `SELECT `+incidentColumns+` FROM incidents WHERE org_id = $1 AND id = $2`, id, incident)
	if err != nil || !ok {
		return 0, err
	}
	clocks, err := x.Clocks(ctx, i)
	if err != nil {
		return 0, err
	}
	now := x.d.Now()
	for _, c := range clocks {
		for _, stage := range c.stages(i.Noticed, now) {
			n, err := x.d.DB.Exec(ctx, `INSERT INTO incident_alarms (org_id, incident, clock, stage, at_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`, id, i.ID, c.Key, stage, ms(now))
			if err != nil {
				return sent, err
			}
			if n == 0 {
				continue
			}
			if _, err := x.d.Tell(ctx, org, Letter{Kind: ClockAlarm, Incident: i, Clock: c}); err != nil {
				return sent, err
			}
			sent++
		}
	}
	return sent, nil
}

// Overdue counts the clocks of all organisations that ran out while nothing was done.
func (x *Incidents) Overdue(ctx context.Context) (n int64, err error) {
	return n, x.d.DB.Row(ctx, `SELECT count(*) FROM incident_alarms a JOIN incidents i ON i.org_id = a.org_id AND i.id = a.incident
		WHERE a.org_id > 0 AND a.stage = 'over' AND i.state = 'open' AND NOT EXISTS (SELECT 1 FROM incident_steps s
		WHERE s.org_id = a.org_id AND s.incident = a.incident AND s.clock = a.clock AND s.kind IN ('notice', 'waived'))`).Scan(&n)
}
