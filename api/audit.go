package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/fault"
	"parley/trust/subject"
)

const tagAudit = "Audit log"

// LogEntry is one thing that was done. Persons are number/ID, as the number book counts them, or member/ID; where a person
// was erased, keyed hashes stand in their place.
type LogEntry struct {
	N         int64             `json:"n" doc:"Its place in the log, from 0"`
	At        time.Time         `json:"at"`
	Action    audit.Action      `json:"action" example:"call.opened"`
	Actor     string            `json:"actor" doc:"A member's id, or operator, system or public"`
	About     string            `json:"about,omitempty" doc:"The person whose data it was"`
	Object    string            `json:"object,omitempty" doc:"The thing it was about"`
	Purpose   string            `json:"purpose,omitempty"`
	Policy    int               `json:"policy,omitempty" doc:"Version of the privacy policy that was in force"`
	Result    string            `json:"result" doc:"ok or denied, mostly"`
	Details   map[string]string `json:"details,omitempty"`
	Forgotten bool              `json:"forgotten,omitempty" doc:"What was kept beside the entry was erased"`
	Leaf      string            `json:"leaf" doc:"The entry as the Merkle tree holds it"`
}

// Checkpoint is a signed statement of what the log holds.
type Checkpoint struct {
	Log   string     `json:"log"`
	Size  int64      `json:"size" doc:"So many entries"`
	Root  string     `json:"root" doc:"Add up to this root of the tree (RFC 6962), in base64"`
	Key   string     `json:"key" doc:"Public key of the log. Keep a copy elsewhere."`
	Note  string     `json:"note" doc:"The signed note (C2SP tlog-checkpoint)"`
	By    []string   `json:"signed_by" doc:"The log, then the witnesses"`
	Since *time.Time `json:"signed_at,omitempty"`
}

// Cosignature is a checkpoint with the signature of a witness under it.
type Cosignature struct {
	Note string `json:"note" maxLength:"20000" doc:"The checkpoint's note with one more signature line"`
	Key  string `json:"key" maxLength:"500" doc:"Public key of the witness"`
}

// Verified is what verifying the log found.
type Verified struct {
	Whole       bool     `json:"whole"`
	Entries     int64    `json:"entries"`
	Root        string   `json:"root"`
	Checkpoints int      `json:"checkpoints" doc:"That were compared with the entries"`
	Witnesses   []string `json:"witnesses"`
	Faults      []string `json:"faults" doc:"What is wrong, in sentences"`
}

// EntryProof shows that an entry is in the log, to whoever has the log's public key.
type EntryProof struct {
	Key        string   `json:"key" doc:"Public key of the log"`
	Checkpoint string   `json:"checkpoint" doc:"A signed note (C2SP tlog-checkpoint)"`
	N          int64    `json:"n"`
	Leaf       string   `json:"leaf" doc:"The entry as the Merkle tree holds it"`
	Hashes     []string `json:"hashes" doc:"The audit path of RFC 6962, in base64"`
}

// GrowthProof shows that the log only grew.
type GrowthProof struct {
	Key        string   `json:"key" doc:"Public key of the log"`
	Old        int64    `json:"old_size"`
	Checkpoint string   `json:"checkpoint" doc:"The signed note of what the log holds now"`
	Hashes     []string `json:"hashes" doc:"The consistency proof of RFC 6962, in base64"`
}

func inBase64[H interface{ String() string }](hashes []H) []string {
	out := make([]string, len(hashes))
	for i, h := range hashes {
		out[i] = h.String()
	}
	return out
}

// LogQuery chooses entries of the log.
type LogQuery struct {
	Actor  string   `query:"actor" maxLength:"200" doc:"Who did it: a member's id, or operator, system or public"`
	About  string   `query:"about" maxLength:"200" doc:"Whose data it was: number/ID or member/ID"`
	Action []string `query:"action" maxItems:"40" doc:"Only these actions"`
	From   string   `query:"from" format:"date-time"`
	To     string   `query:"to" format:"date-time"`
	Before int64    `query:"before" minimum:"0" doc:"Only entries before this place; the next of a page"`
	Limit  int      `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

// LogPage is a page of the log, the newest entries first.
type LogPage struct {
	Items []LogEntry `json:"items"`
	Next  int64      `json:"next,omitempty" doc:"The before of the next page; absent on the last"`
}

func (s *API) auditLog() {
	handle(s, does(http.MethodGet, "/audit/entries", "list-audit-entries", account.ReadAudit, tagAudit, "What was done").
		saying("Who looked at people's data, exported it or changed something, the newest first."), s.listLog)
	handle(s, does(http.MethodGet, "/audit/entries/{n}/proof", "prove-audit-entry", account.ReadAudit, tagAudit, "Proof of one entry").
		saying("Shows, together with the log's public key, that the entry is in the log: an inclusion proof of RFC 6962 and a signed checkpoint. `parley audit verify` checks it."), s.proveEntry)
	handle(s, does(http.MethodGet, "/audit/checkpoint", "get-audit-checkpoint", account.ReadAudit, tagAudit, "The signed checkpoint"), s.checkpoint)
	handle(s, does(http.MethodGet, "/audit/growth", "prove-audit-growth", account.ReadAudit, tagAudit, "Proof that the log only grew").
		saying("For a witness: a consistency proof of RFC 6962 from an older size to now."), s.proveGrowth)
	handle(s, does(http.MethodPost, "/audit/cosignatures", "cosign-audit-checkpoint", account.ManagePrivacy, tagAudit, "Take back a cosigned checkpoint").
		saying("The key of a witness is kept as it comes first; another key under the same name is refused."), s.cosign)
	handle(s, does(http.MethodPost, "/audit/verify", "verify-audit-log", account.ReadAudit, tagAudit, "Verify the log where it is kept"), s.verifyLog)
	export := does(http.MethodGet, "/audit/log", "export-audit-log", account.ReadAudit, tagAudit, "The whole log as a file")
	export.about, export.files = "Holds no names and no numbers. `parley audit verify` checks it anywhere.", []string{"application/jsonl"}
	handle(s, export, s.exportLog)
	handle(s, does(http.MethodGet, "/me/seen", "list-who-looked-at-me", account.ReadOwn, tagAudit, "Who looked at your data").
		saying("What others did with the data of the caller's member, the newest first."), s.listSeen)
}

func logEntry(org *account.Org, r *audit.Record) LogEntry {
	e := LogEntry{N: r.N, At: r.At.In(org.Location()), Action: r.Action, Actor: r.Actor, About: r.About, Object: r.Object, Purpose: r.Purpose,
		Policy: r.Policy, Result: r.Result, Details: r.Details, Forgotten: r.Forgotten, Leaf: r.Leaf}
	if r.Forgotten {
		e.Actor, e.About = r.WhoHash, r.AboutHash
	}
	return e
}

func (s *API) logPage(ctx context.Context, f audit.Filter) (*body[LogPage], error) {
	org := callerOf(ctx).org
	records, next, err := s.Audit.List(ctx, int64(org.ID), f)
	if err != nil {
		return nil, err
	}
	out := LogPage{Items: make([]LogEntry, len(records)), Next: next}
	for i := range records {
		out.Items[i] = logEntry(org, &records[i])
	}
	return answerOf(out), nil
}

func (s *API) listLog(ctx context.Context, in *LogQuery) (*body[LogPage], error) {
	f := audit.Filter{Actor: in.Actor, About: in.About, Before: in.Before, Limit: in.Limit}
	for _, a := range in.Action {
		f.Actions = append(f.Actions, audit.Action(a))
	}
	for _, t := range []struct {
		name, text string
		to         *time.Time
	}{{"from", in.From, &f.From}, {"to", in.To, &f.To}} {
		if t.text == "" {
			continue
		}
		var err error
		if *t.to, err = time.Parse(time.RFC3339, t.text); err != nil {
			return nil, fault.Field(t.name, "%q is no time. Write it as 2026-03-02T09:00:00+05:30.", t.text)
		}
	}
	return s.logPage(ctx, f)
}

func (s *API) listSeen(ctx context.Context, in *struct {
	Before int64 `query:"before" minimum:"0" doc:"Only entries before this place; the next of a page"`
	Limit  int   `query:"limit" minimum:"1" maximum:"500" default:"50"`
}) (*body[LogPage], error) {
	me := string(actorOf(ctx).Member.ID)
	page, err := s.logPage(ctx, audit.Filter{About: subject.OfMember(me).String(), Before: in.Before, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	others := []LogEntry{}
	for _, e := range page.Body.Items {
		if e.Actor != me {
			others = append(others, e)
		}
	}
	page.Body.Items = others
	return page, nil
}

func (s *API) proveEntry(ctx context.Context, in *struct {
	N int64 `path:"n" minimum:"0" doc:"The entry's place"`
}) (*body[EntryProof], error) {
	p, err := s.Audit.Prove(ctx, int64(callerOf(ctx).org.ID), in.N)
	if err != nil {
		return nil, err
	}
	return answerOf(EntryProof{Key: p.Key, Checkpoint: p.Checkpoint, N: p.N, Leaf: p.Leaf, Hashes: inBase64(p.Hashes)}), nil
}

func (s *API) checkpointOf(ctx context.Context, c *audit.Checkpoint) (*body[Checkpoint], error) {
	org := callerOf(ctx).org
	key, err := s.Audit.Key(ctx, int64(org.ID))
	if err != nil {
		return nil, err
	}
	return answerOf(Checkpoint{Log: c.Log, Size: c.Size, Root: c.Root.String(), Key: key, Note: c.Note, By: c.By, Since: at(org, c.At)}), nil
}

func (s *API) checkpoint(ctx context.Context, _ *struct{}) (*body[Checkpoint], error) {
	c, err := s.Audit.Checkpoint(ctx, int64(callerOf(ctx).org.ID))
	if err != nil {
		return nil, err
	}
	return s.checkpointOf(ctx, c)
}

func (s *API) proveGrowth(ctx context.Context, in *struct {
	From int64 `query:"from" required:"true" minimum:"1" doc:"The size of the older checkpoint"`
}) (*body[GrowthProof], error) {
	g, err := s.Audit.ProveGrowth(ctx, int64(callerOf(ctx).org.ID), in.From)
	if err != nil {
		return nil, err
	}
	return answerOf(GrowthProof{Key: g.Key, Old: g.Old, Checkpoint: g.New, Hashes: inBase64(g.Hashes)}), nil
}

func (s *API) cosign(ctx context.Context, in *struct{ Body Cosignature }) (*body[Checkpoint], error) {
	c, err := s.Audit.Cosign(ctx, int64(callerOf(ctx).org.ID), in.Body.Note, in.Body.Key)
	if err != nil {
		return nil, err
	}
	return s.checkpointOf(ctx, c)
}

func (s *API) verifyLog(ctx context.Context, _ *struct{}) (*body[Verified], error) {
	v, err := s.Audit.Verify(ctx, int64(callerOf(ctx).org.ID))
	if err != nil {
		return nil, err
	}
	return answerOf(Verified{Whole: v.OK(), Entries: v.Entries, Root: v.Root.String(), Checkpoints: v.Checkpoints, Witnesses: v.Witnesses, Faults: v.Faults}), nil
}

func (s *API) exportLog(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	org := callerOf(ctx).org
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		w.Header().Set("Content-Type", "application/jsonl")
		w.Header().Set("Content-Disposition", `attachment; filename="audit.jsonl"`)
		started := &starting{w: w}
		_, err := s.Audit.Export(ctx, int64(org.ID), started)
		switch {
		case err == nil:
		case !started.begun:
			w.Header().Del("Content-Disposition")
			writeProblem(w, s.problem(ctx, &operation{id: "export-audit-log"}, err))
		default:
			s.Log.ErrorContext(ctx, "api export broke off", "report", "audit", "error", err)
			panic(http.ErrAbortHandler)
		}
	}}, nil
}
