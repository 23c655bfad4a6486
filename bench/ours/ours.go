// Package ours asks Parley itself, through the packages that the product's own pages and API use: calls come in by
// ingest, answers by stats and call. Nothing here knows tables.
package ours

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"parley/account"
	"parley/bench/contract"
	"parley/bench/measure"
	"parley/bench/seed"
	"parley/calls/call"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/calls/stats"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/vault"
)

// Engine is an open data folder with one organisation.
type Engine struct {
	dir   string
	keys  *vault.Keys
	data  *db.DB
	org   *account.Org
	book  *number.Book
	calls *call.Store
	stats *stats.Reporter

	Ingest Ingest
}

// Open opens the data folder, or makes one there.
func Open(ctx context.Context, dir string) (*Engine, error) {
	e := &Engine{dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := e.open(ctx); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func (e *Engine) open(ctx context.Context) error {
	master, err := vault.MasterFile(filepath.Join(e.dir, "master.key"))
	if err != nil {
		return err
	}
	if e.keys, err = vault.Open(ctx, e.dir, master); err != nil {
		return err
	}
	if e.data, err = db.OpenSQLite(ctx, filepath.Join(e.dir, "parley.db"), e.keys.DatabaseKey()); err != nil {
		return err
	}
	for _, s := range []struct {
		name  string
		files fs.FS
	}{{"account", account.Schema}, {"number", number.Schema}, {"call", call.Schema}, {"roll", roll.Schema}, {"ingest", ingest.Schema}, {"ingest", ingest.Schema}} {
		if err := e.data.Migrate(ctx, s.name, s.files); err != nil {
			return err
		}
	}
	e.book = number.New(e.data, e.keys)
	e.calls = call.New(e.data, e.keys, e.book, nil, time.Now)
	e.stats = stats.New(e.data, e.book, e.calls, time.Now)
	return e.organisation(ctx)
}

// organisation finds the made-up business, or makes it.
func (e *Engine) organisation(ctx context.Context) error {
	accounts := account.New(e.data, e.keys, time.Now)
	orgs, err := accounts.Orgs(ctx)
	if err != nil {
		return err
	}
	if len(orgs) > 0 {
		e.org = orgs[0]
		return nil
	}
	e.org, err = accounts.CreateOrg(ctx, account.NewOrg{Name: "Bench Traders", Country: "IN", Zone: seed.Zone, OwnerEmail: "owner@example.com"})
	return err
}

// Name names the engine.
func (e *Engine) Name() string { return "Parley" }

// Version names the settings that matter.
func (e *Engine) Version() string {
	return "SQLite in this process, file encrypted (AES-256-XTS), numbers sealed one by one, synchronous=FULL"
}

// CPU is this process's: nothing else runs in it meanwhile.
func (e *Engine) CPU() (time.Duration, error) { return measure.Own() }

// Bytes is the whole folder: calls, numbers, roll-ups, accounts and keys.db, with what is left of the logs.
func (e *Engine) Bytes(ctx context.Context) (int64, error) {
	if err := e.data.Checkpoint(ctx); err != nil {
		return 0, err
	}
	return measure.FolderBytes(e.dir)
}

// Close closes the folder and leaves it where it is.
func (e *Engine) Close() error { return e.close() }

func (e *Engine) close() error {
	var err error
	if e.data != nil {
		err = e.data.Close()
	}
	if e.keys != nil {
		err = errors.Join(err, e.keys.Close())
	}
	e.data, e.keys = nil, nil
	return err
}

// Run asks one question.
func (e *Engine) Run(ctx context.Context, q contract.Query) (contract.Result, error) {
	if q.Kind == contract.History {
		return e.history(ctx, q)
	}
	if q.Agents == nil && (q.Kind == contract.Clients || q.Kind == contract.NeverPickedUp) {
		return e.people(ctx, q)
	}
	parts := map[contract.Kind]stats.Part{
		contract.Leaderboard:   stats.WithAgents | stats.WithPeople,
		contract.Clients:       stats.WithPeople,
		contract.NeverAttended: stats.WithPeople,
		contract.NeverPickedUp: stats.WithPeople,
		contract.AtOnce:        stats.WithAgents | stats.WithPeople,
	}
	r, err := e.stats.Report(ctx, e.org, stats.Query{Agents: agents(q), From: civil.Day(q.From), To: civil.Day(q.To)}, parts[q.Kind])
	if err != nil {
		return nil, err
	}
	if q.Kind == contract.AtOnce {
		return contract.Each(func(k contract.Kind) contract.Result { return answer(k, r) }), nil
	}
	return answer(q.Kind, r), nil
}

func agents(q contract.Query) []account.AgentNo {
	if q.Agents == nil {
		return nil
	}
	out := make([]account.AgentNo, len(q.Agents))
	for i, a := range q.Agents {
		out[i] = account.AgentNo(a)
	}
	return out
}

// people counts the organisation's clients from the coarse sets, as the product does.
func (e *Engine) people(ctx context.Context, q contract.Query) (contract.Result, error) {
	c, err := e.stats.Clients(ctx, e.org, civil.Day(q.From), civil.Day(q.To))
	if err != nil {
		return nil, err
	}
	if q.Kind == contract.NeverPickedUp {
		return contract.Result{{c.NeverPickedUp}}, nil
	}
	return contract.Result{{c.Unique, c.Reached, c.New}}, nil
}

func answer(k contract.Kind, r *stats.Report) contract.Result {
	f := &r.Figures
	switch k {
	case contract.Summary:
		return contract.Result{{f.Calls(), f.Types[call.TypeIncoming], f.Types[call.TypeOutgoing], f.Missed(), f.Types[call.TypeRejected],
			f.Types[call.TypeBlocked], f.Types[call.TypeVoicemail], f.Connected(), f.ConnectedIn, f.ConnectedOut, f.Talk(), f.NotPickedUp(), f.Unattended}}
	case contract.Leaderboard:
		out := make(contract.Result, 0, len(r.Agents))
		for i := range r.Agents {
			a := &r.Agents[i]
			out = append(out, []int64{int64(a.Agent), a.Calls(), a.Types[call.TypeIncoming], a.Types[call.TypeOutgoing], a.Missed(), a.Connected(),
				a.Talk(), a.NotPickedUp(), a.UniqueClients})
		}
		return out
	case contract.Heatmap:
		var out contract.Result
		for w := range r.Heat {
			for h, s := range r.Heat[w] {
				if s.Calls > 0 {
					out = append(out, []int64{int64(w), int64(h), s.Calls, s.Connected, s.Unattended, s.Talk})
				}
			}
		}
		return out
	case contract.Clients:
		return contract.Result{{f.UniqueClients, f.ReachedClients, f.NewClients}}
	case contract.NeverAttended:
		return contract.Result{{f.NeverAttendedClients, f.NeverAttendedCalls}}
	case contract.NeverPickedUp:
		return contract.Result{{f.NeverPickedUpClients}}
	default:
		return contract.Result{{f.AgentDays, f.Span, f.Active}}
	}
}

func (e *Engine) history(ctx context.Context, q contract.Query) (contract.Result, error) {
	page, err := e.calls.History(ctx, e.org, call.HistoryQuery{
		Agents: agents(q), From: civil.Day(q.From), To: civil.Day(q.To), Limit: contract.PageRows,
		Filter: call.Filter{Outcomes: []call.Outcome{call.OutcomeMissed}},
	})
	if err != nil {
		return nil, err
	}
	out := make(contract.Result, 0, len(page.Calls))
	for i := range page.Calls {
		c := &page.Calls[i]
		n, err := seed.NumberOf(c.Number)
		if err != nil {
			return nil, err
		}
		out = append(out, []int64{c.Row.Start, int64(c.Row.Agent), int64(n), int64(c.Row.Type), int64(c.Row.Seconds)})
	}
	return out, nil
}
