package funnel_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/ingest"
	"parley/calls/report"
	"parley/calls/stats"
	"parley/crm/attach"
	"parley/crm/contact"
	"parley/crm/crmtest"
	"parley/crm/followup"
	"parley/crm/funnel"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// world is an organisation with leads of two agents.
type world struct {
	*crmtest.World
	t          *testing.T
	attach     *attach.Attach
	followUps  *followup.FollowUps
	funnel     *funnel.Funnel
	asha, bina *account.Member
	first      civil.Day
}

func each(t *testing.T, story func(w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := &world{World: crmtest.New(t, d), t: t}
		w.followUps = followup.NewFollowUps(followup.Deps{DB: d, Keys: w.Keys, Accounts: w.Accounts, Book: w.Book, Contacts: w.Contacts, Leads: w.Leads, Log: w.Log, Now: w.Now})
		w.attach = attach.New(attach.Deps{DB: d, Accounts: w.Accounts, Book: w.Book, Calls: w.Calls, Devices: w.Devices, Reporter: w.Reporter, Callbacks: w.Callbacks, Consents: w.Consents, Contacts: w.Contacts, Leads: w.Leads, FollowUps: w.followUps, Now: w.Now})
		w.Writer.Watch(w.attach.Heard)
		w.Leads.OnTurn(w.attach.Mark)
		w.funnel = funnel.New(funnel.Deps{DB: d, Accounts: w.Accounts, Leads: w.Leads, Attach: w.attach, FollowUps: w.followUps, Reporter: w.Reporter, Callbacks: w.Callbacks, Reports: w.Reports, Now: w.Now})
		w.asha, w.bina = w.Agent(t, "Asha"), w.Agent(t, "Bina")
		w.first = civil.Today(w.Now(), w.Org.Location())
		story(w)
	}, append(crmtest.Schemas(), dbtest.Schema{Series: "followup", Files: followup.Schema}, dbtest.Schema{Series: "attach", Files: attach.Schema})...)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) as(m account.MemberID) *account.Actor {
	w.t.Helper()
	a, err := w.Accounts.As(w.t.Context(), w.Org.ID, m)
	w.must(err)
	return a
}

func (w *world) settle() {
	w.t.Helper()
	for range 1000 {
		more, err := w.attach.Work(w.t.Context())
		w.must(err)
		if !more {
			return
		}
	}
	w.t.Fatal("calls do not come to an end")
}

// report makes a report about the days since the world began.
func (w *world) report(actor *account.Actor, id report.ID, by funnel.By, days civil.Day) *funnel.Report {
	w.t.Helper()
	v, err := w.Reports.View(w.t.Context(), actor, report.Ask{From: w.first.String(), To: (w.first + days).String()})
	w.must(err)
	r, err := w.funnel.Report(w.t.Context(), v, id, by)
	w.must(err)
	return r
}

// figure is a metric of a group as text; "-" where there is nothing to divide by.
func figure(r *funnel.Report, g *funnel.Group, id stats.MetricID) string {
	m := r.Metrics[slices.IndexFunc(r.Metrics, func(m funnel.Metric) bool { return m.ID == id })]
	x, ok := m.Value(&g.Figures)
	if !ok {
		return "-"
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

func TestWhatBecameOfLeads(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.t.Context()
		add := func(n int, owner account.MemberID, source, stage string, value int64, currency string) *lead.Lead {
			c := w.Contact(w.t, "Person", strconv.Itoa(n), "+9198123001"+fmt.Sprintf("%02d", n))
			var l *lead.Lead
			w.Tx(w.t, func(tx *db.Tx) (err error) {
				l, err = w.Leads.Add(ctx, tx, w.Org, "", lead.New{Contact: c.ID, Owner: owner, Source: source, Stage: stage, Value: value, Currency: currency})
				return err
			})
			return l
		}
		close := func(l *lead.Lead, end func(*lead.Leads) error) { w.t.Helper(); w.must(end(w.Leads)) }
		noon := w.Now() // a Wednesday
		a := add(1, w.asha.ID, "Fair", "new", 1000, "INR")
		b := add(2, w.asha.ID, "Fair", "proposal", 2000, "INR")
		c := add(3, w.bina.ID, "Web", "new", 500, "USD")
		add(4, "", "", "new", 0, "INR")
		call1 := func(m *account.Member, n, seconds int, kind call.Type, dir call.Direction) {
			_, err := w.Writer.Put(ctx, w.Org, []ingest.Item{{Agent: m.Agent, Line: 1, Start: w.Now(), Number: "+9198123001" + fmt.Sprintf("%02d", n), Direction: dir, Type: kind, Seconds: seconds}})
			w.must(err)
		}
		w.Clock.Set(noon.Add(30 * time.Minute))
		call1(w.asha, 1, 0, call.TypeOutgoing, call.Outgoing)
		w.Clock.Set(noon.Add(2 * time.Hour))
		call1(w.asha, 1, 60, call.TypeOutgoing, call.Outgoing)
		call1(w.bina, 3, 20, call.TypeOutgoing, call.Outgoing)
		call1(w.bina, 9, 0, call.TypeMissed, call.Incoming)
		call1(w.asha, 8, 0, call.TypeMissed, call.Incoming)
		w.Clock.Set(noon.Add(3 * time.Hour))
		call1(w.asha, 9, 15, call.TypeOutgoing, call.Outgoing) // recovered by a colleague
		w.settle()
		w.Clock.Set(noon.Add(24 * time.Hour))
		close(a, func(*lead.Leads) error {
			return w.DB.Tx(ctx, func(tx *db.Tx) error {
				_, err := w.Leads.Win(ctx, tx, w.Org, "", a.ID, 0, "", "")
				return err
			})
		})
		close(c, func(*lead.Leads) error {
			return w.DB.Tx(ctx, func(tx *db.Tx) error {
				_, err := w.Leads.Lose(ctx, tx, w.Org, "", c.ID, 0, "", "")
				return err
			})
		})
		owner := w.Accounts.Operator(w.Org)
		check := func(what string, r *funnel.Report, g *funnel.Group, want map[stats.MetricID]string) {
			w.t.Helper()
			for id, x := range want {
				if got := figure(r, g, id); got != x {
					w.t.Errorf("%s: %s is %s, want %s", what, id, got, x)
				}
			}
		}
		group := func(r *funnel.Report, key string) *funnel.Group {
			w.t.Helper()
			i := slices.IndexFunc(r.Groups, func(g funnel.Group) bool { return g.Key == key })
			if i < 0 {
				w.t.Fatalf("there is no group %q in %+v", key, r.Groups)
			}
			return &r.Groups[i]
		}
		r := w.report(owner, report.LeadConversion, funnel.BySource, 7)
		check("the fair", r, group(r, "Fair"), map[stats.MetricID]string{"new_leads": "2", "conversion_rate": "0.5", "won_leads": "1", "lost_leads": "0", "win_rate": "1", "won_value": "1000", "time_to_win_seconds": "86400"})
		check("the web", r, group(r, "Web"), map[stats.MetricID]string{"new_leads": "1", "won_leads": "0", "lost_leads": "1", "win_rate": "0", "won_value": "0", "time_to_win_seconds": "-"})
		if len(r.Total) != 2 {
			t.Errorf("two currencies are never added up: %+v", r.Total)
		}
		r = w.report(owner, report.LeadPipeline, funnel.ByStage, 7)
		check("proposal", r, group(r, "sales/proposal"), map[stats.MetricID]string{"open_leads": "1", "open_value": "2000", "weighted_value": "1200", "stage_age_seconds": "86400", "overdue_leads": "0"})
		r = w.report(owner, report.LeadResponse, funnel.ByOwner, 7)
		check("Asha's", r, group(r, string(w.asha.ID)), map[stats.MetricID]string{"new_leads": "2", "first_response_seconds": "1800", "first_response_wall_seconds": "1800", "answered_in_time_rate": "0.5", "never_attempted_leads": "1", "attempts_per_lead": "1"})
		check("Bina's", r, group(r, string(w.bina.ID)), map[stats.MetricID]string{"first_response_seconds": "7200", "answered_in_time_rate": "0", "attempts_per_lead": "1"})
		r = w.report(w.as(w.bina.ID), report.LeadConversion, funnel.BySource, 7)
		if len(r.Groups) != 1 || r.Groups[0].Key != "Web" {
			t.Errorf("Bina sees %+v", r.Groups)
		}
		if r = w.report(owner, report.LeadConversion, "", 0+1); r.By != funnel.BySource || group(r, "Fair").Won != 0 {
			t.Errorf("on the first day: %+v", r.Groups)
		}
		r = w.report(owner, report.Recovery, "", 7)
		check("Bina's missed callers", r, group(r, string(w.bina.ID)), map[stats.MetricID]string{"missed_callers": "1", "recovered_callers": "1", "recovery_rate": "1", "recovered_in_time_rate": "1", "recovered_by_caller": "0", "recovery_seconds": "3600"})
		check("Asha's missed callers", r, group(r, string(w.asha.ID)), map[stats.MetricID]string{"missed_callers": "1", "recovered_callers": "0", "recovery_rate": "0", "recovery_seconds": "-"})
		_ = b
	})
}

func TestWhetherWhatWasPlannedWasDone(t *testing.T) {
	each(t, func(w *world) {
		ctx, noon := w.t.Context(), w.Now()
		c := w.Contact(w.t, "Meera", "Iyer", "+919812300101")
		plan := func(owner account.MemberID, kind followup.Kind, due time.Time) *followup.FollowUp {
			var f *followup.FollowUp
			w.Tx(w.t, func(tx *db.Tx) (err error) {
				f, err = w.followUps.Add(ctx, tx, w.Org, owner, followup.New{Kind: kind, Contact: c.ID, Due: due})
				return err
			})
			return f
		}
		done := func(f *followup.FollowUp) {
			w.Tx(w.t, func(tx *db.Tx) error {
				_, err := w.followUps.Done(ctx, tx, w.Org, f.Owner, f.ID, followup.Finish{NoNext: true})
				return err
			})
		}
		in := plan(w.asha.ID, followup.Promised, noon.Add(2*time.Hour))
		late := plan(w.asha.ID, followup.Promised, noon.Add(2*time.Hour))
		plan(w.asha.ID, followup.Call, noon.Add(3*time.Hour))  // left
		plan(w.bina.ID, followup.Call, noon.Add(50*time.Hour)) // to come
		off := plan(w.bina.ID, followup.Call, noon.Add(time.Hour))
		gone := plan(w.bina.ID, followup.Task, noon.Add(time.Hour))
		w.Tx(w.t, func(tx *db.Tx) error {
			if _, err := w.followUps.Snooze(ctx, tx, w.Org, w.bina.ID, off.ID, noon.Add(4*time.Hour)); err != nil {
				return err
			}
			_, err := w.followUps.Cancel(ctx, tx, w.Org, w.bina.ID, gone.ID, true)
			return err
		})
		w.Clock.Set(noon.Add(time.Hour))
		done(in)
		w.Clock.Set(noon.Add(3*time.Hour + time.Minute))
		done(late)
		done(off)
		w.Clock.Set(noon.Add(5 * time.Hour))
		r := w.report(w.Accounts.Operator(w.Org), report.Discipline, funnel.ByOwner, 7)
		for _, x := range []struct {
			owner account.MemberID
			want  string
		}{{w.asha.ID, "3 0.333333 1 1 1 0 0.5"}, {w.bina.ID, "2 1 1 0 0 1 -"}} {
			i := slices.IndexFunc(r.Groups, func(g funnel.Group) bool { return g.Key == string(x.owner) })
			var got strings.Builder
			for j, m := range r.Metrics {
				if j > 0 {
					got.WriteString(" ")
				}
				got.WriteString(figure(r, &r.Groups[i], m.ID))
			}
			if got.String() != x.want {
				t.Errorf("%s has %s, want %s", r.Groups[i].Title, got.String(), x.want)
			}
		}
	})
}

// TestFiguresAreThoseOfTheTable makes leads at random and compares each figure that counts leads with the rows behind it.
func TestFiguresAreThoseOfTheTable(t *testing.T) {
	each(t, func(w *world) {
		const seed = 20260415
		ctx, rng, noon := w.t.Context(), rand.New(rand.NewPCG(seed, 1)), w.Now()
		w.Clock.Set(noon.AddDate(0, 0, -5))
		owner := w.Accounts.Operator(w.Org)
		for i := range 60 {
			c := w.Contact(w.t, "Person", strconv.Itoa(i))
			w.Clock.Set(w.Now().Add(time.Duration(rng.IntN(5)) * time.Hour))
			w.Tx(w.t, func(tx *db.Tx) error {
				l, err := w.Leads.Add(ctx, tx, w.Org, "", lead.New{Contact: c.ID, Owner: []account.MemberID{"", w.asha.ID, w.bina.ID}[rng.IntN(3)], Source: []string{"", "Fair", "Web"}[rng.IntN(3)], Value: rng.Int64N(100)})
				if err != nil || rng.IntN(2) == 0 {
					return err
				}
				w.Clock.Set(w.Now().Add(time.Duration(rng.IntN(20)) * time.Minute))
				end := w.Leads.Win
				if rng.IntN(2) == 0 {
					end = w.Leads.Lose
				}
				_, err = end(ctx, tx, w.Org, "", l.ID, 0, "", "")
				return err
			})
		}
		v, err := w.Reports.View(ctx, owner, report.Ask{From: w.first.String(), To: (w.first + 3).String()})
		w.must(err)
		compared := 0
		for _, id := range []report.ID{report.LeadPipeline, report.LeadConversion, report.LeadResponse} {
			r, err := w.funnel.Report(ctx, v, id, funnel.Ways(id)[0])
			w.must(err)
			for _, m := range r.Metrics {
				if m.Unit != funnel.UnitLeads || m.Rows == nil {
					continue
				}
				page, err := w.Leads.Table(ctx, w.DB, w.Org.ID, contact.Sight{All: true}, lead.Ask{Filter: m.Rows(v.From.Start(w.Org.Location()), v.To.Start(w.Org.Location())), Count: true})
				w.must(err)
				x, _ := m.Value(&r.Total[0].Figures)
				if int64(x) != page.Count {
					t.Errorf("%s is %v, and its rows are %d", m.ID, x, page.Count)
				}
				if x > 0 {
					compared++
				}
			}
		}
		if compared < 4 {
			t.Errorf("only %d figures were more than nothing", compared)
		}
	})
}

// TestEveryMetricIsPublished looks through the registry.
func TestEveryMetricIsPublished(t *testing.T) {
	seen := map[stats.MetricID]bool{}
	for _, m := range stats.Metrics() {
		seen[m.ID] = true
	}
	for _, m := range funnel.Metrics() {
		if seen[m.ID] || m.Title == "" || len(m.Definition) < 20 || m.Value == nil || m.Unit == "" {
			t.Errorf("%+v is twice, or not whole", m)
		}
		seen[m.ID] = true
		if x, ok := m.Value(&funnel.Figures{}); ok && x != 0 {
			t.Errorf("%s of nothing is %v", m.ID, x)
		}
	}
}
