package app

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"parley/account"
	"parley/trust/retain"
	"parley/trust/subject"
)

func categoryOf(s retain.Standing) string {
	if s.Part == "" {
		return s.Category
	}
	return s.Category + " (" + s.Part + ")"
}

func lawsOf(s retain.Standing) string {
	var out []string
	for _, f := range s.Floors {
		out = append(out, f.Place+" "+f.Min.String()+" ("+f.Cite+")")
	}
	return list(out)
}

func list(words []string) string { return strings.Join(words, ", ") }

// statusJSON is how retention stands, as JSON.
func statusJSON(st *retain.Status) any {
	type rule struct {
		Category   string   `json:"category"`
		Part       string   `json:"part,omitempty"`
		From       string   `json:"counts_from"`
		Max        string   `json:"max"`
		Archive    string   `json:"archive,omitempty"`
		Notice     string   `json:"notice,omitempty"`
		Floors     []string `json:"floors,omitempty"`
		Unused     bool     `json:"unused,omitempty"`
		Keepers    []string `json:"keepers"`
		Unreckoned []string `json:"unreckoned,omitempty"`
	}
	type lock struct {
		Category string    `json:"category"`
		Item     string    `json:"item,omitempty"`
		Person   string    `json:"person,omitempty"`
		Law      string    `json:"law"`
		Until    time.Time `json:"until"`
	}
	type alarm struct {
		Kind   string `json:"kind"`
		Object string `json:"object,omitempty"`
	}
	out := struct {
		Rules   []rule     `json:"rules"`
		Waiting []planView `json:"waiting"`
		Locks   []lock     `json:"locked"`
		Reviews []string   `json:"open_reviews"`
		Alarms  []alarm    `json:"alarms"`
		LastRun time.Time  `json:"last_run,omitzero"`
		NextRun time.Time  `json:"next_run"`
	}{Rules: []rule{}, Waiting: []planView{}, Locks: []lock{}, Reviews: []string{}, Alarms: []alarm{}, LastRun: st.LastRun, NextRun: st.NextRun}
	for _, s := range st.Rules {
		v := rule{Category: s.Category, Part: s.Part, From: string(s.From), Max: s.Max.String(), Archive: s.Archive.String(), Notice: s.Notice.String(), Unused: s.Unused, Keepers: s.Keepers, Unreckoned: s.Unreckoned}
		for _, f := range s.Floors {
			v.Floors = append(v.Floors, f.Place+" "+f.Min.String()+" "+f.Cite)
		}
		out.Rules = append(out.Rules, v)
	}
	for _, x := range st.Waiting {
		out.Waiting = append(out.Waiting, viewPlan(x, false))
	}
	for _, l := range st.Locks {
		v := lock{Category: l.Category, Item: l.Item, Law: l.Law, Until: l.Until}
		if l.Who != (subject.Ref{}) {
			v.Person = l.Who.String()
		}
		out.Locks = append(out.Locks, v)
	}
	for _, x := range st.Reviews {
		out.Reviews = append(out.Reviews, x.ID)
	}
	for _, a := range st.Alarms {
		out.Alarms = append(out.Alarms, alarm{a.Kind, a.Object})
	}
	return out
}

type retainArchiveCmd struct {
	List    archiveListCmd    `cmd:"" help:"List what is in the archive, and when it is erased."`
	Open    archiveOpenCmd    `cmd:"" help:"Write what one item holds."`
	Return  archiveReturnCmd  `cmd:"" help:"Bring an item back."`
	Reviews archiveReviewsCmd `cmd:"" help:"List the reviews of the archive."`
	Decide  archiveDecideCmd  `cmd:"" help:"Sign a review: keep the items until their period ends, or erase them now."`
}

type archiveListCmd struct {
	inOrg
	asJSON
}

func (c *archiveListCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	all, err := r.p.Retain.Archive(ctx, r.p.Accounts.Operator(org))
	if err != nil {
		return err
	}
	type view struct {
		ID       string    `json:"id"`
		Category string    `json:"category"`
		Item     string    `json:"item"`
		Rows     int64     `json:"rows"`
		Since    time.Time `json:"since"`
		Ends     time.Time `json:"ends"`
	}
	out := make([]view, len(all))
	for i, a := range all {
		out[i] = view{a.ID, a.Category, a.Item, a.Rows, a.Since, a.Ends}
	}
	return c.write(r, out, func(t *table) {
		t.row("ID", "CATEGORY", "ITEM", "ROWS", "SINCE", "ERASED ON")
		for _, v := range out {
			t.row(v.ID, v.Category, v.Item, v.Rows, dayIn(org, v.Since), dayIn(org, v.Ends))
		}
	})
}

type archiveOpenCmd struct {
	inOrg
	ID string `arg:"" help:"The item, from \"parley retain archive list\"."`
}

func (c *archiveOpenCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	_, plain, err := r.p.Retain.Open(ctx, r.p.Accounts.Operator(org), c.ID)
	if err != nil {
		return err
	}
	if json.Valid(plain) {
		return writeJSON(r, json.RawMessage(plain))
	}
	_, err = r.Out.Write(plain)
	return err
}

type archiveReturnCmd struct {
	inOrg
	ID string `arg:"" help:"The item, from \"parley retain archive list\"."`
}

func (c *archiveReturnCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	if err := r.p.Retain.Return(ctx, r.p.Accounts.Operator(org), c.ID); err != nil {
		return err
	}
	return r.printf("The item is back. Its period goes on as it did, so change the policy or set a hold if it is to stay.\n")
}

type archiveReviewsCmd struct {
	inOrg
	asJSON
}

func (c *archiveReviewsCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	all, err := r.p.Retain.Reviews(ctx, org.ID, 100)
	if err != nil {
		return err
	}
	type view struct {
		ID       string           `json:"id"`
		Category string           `json:"category"`
		Items    int64            `json:"items"`
		OpenedAt time.Time        `json:"opened_at"`
		DueAt    time.Time        `json:"due_at"`
		Decision string           `json:"decision,omitempty"`
		Signer   account.MemberID `json:"signer,omitempty"`
		Removed  int64            `json:"removed"`
		Overdue  bool             `json:"overdue"`
	}
	out := make([]view, len(all))
	for i, x := range all {
		out[i] = view{x.ID, x.Category, x.Items, x.OpenedAt, x.DueAt, string(x.Decision), x.Signer, x.Removed, x.Overdue(r.p.Now())}
	}
	return c.write(r, out, func(t *table) {
		t.row("ID", "CATEGORY", "ITEMS", "OPENED", "BY", "OVERDUE", "DECISION", "SIGNER")
		for _, v := range out {
			t.row(v.ID, v.Category, v.Items, dayIn(org, v.OpenedAt), dayIn(org, v.DueAt), yes(v.Overdue), v.Decision, v.Signer)
		}
	})
}

type archiveDecideCmd struct {
	inOrg
	ID       string `arg:"" help:"The review, from \"parley retain archive reviews\"."`
	Decision string `arg:"" enum:"keep,erase" help:"keep or erase."`
	Note     string `help:"Why."`
}

func (c *archiveDecideCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	got, err := r.p.Retain.Decide(ctx, r.p.Accounts.Operator(org), c.ID, retain.Decision(c.Decision), c.Note)
	if err != nil {
		return err
	}
	return r.printf("The review is signed: %s. %d items were erased.\n", got.Decision, got.Removed)
}
