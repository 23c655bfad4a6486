package prove

import (
	"context"
	_ "embed"
	"slices"
	"strings"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/trust/policy"
)

//go:embed hindi.tsv
var hindiTSV string

// Titles are the promises in a language, by their names. A language without any gives English.
func Titles(lang string) map[string]string {
	out := map[string]string{}
	for _, p := range Promises() {
		out[p.ID] = p.Title
	}
	if lang != "hi" {
		return out
	}
	for line := range strings.Lines(hindiTSV) {
		if id, title, ok := strings.Cut(strings.TrimRight(line, "\n"), "\t"); ok && !strings.HasPrefix(line, "#") {
			out[id] = title
		}
	}
	return out
}

// Published tells whether an organisation shows everybody how its promises stand. It does unless its owner said no.
func (p *Proofs) Published(ctx context.Context, org account.OrgID) (bool, error) {
	n, ok, err := db.One(ctx, p.db, func(s db.Scanner) (n int, err error) { return n, s.Scan(&n) }, `SELECT published FROM proof_settings WHERE org_id = $1`, org)
	return !ok || n == 1, err
}

// Publish chooses whether everybody is shown how an organisation's promises stand, and enters the choice in its audit log.
func (p *Proofs) Publish(ctx context.Context, by *account.Actor, on bool) error {
	if err := by.Require(account.ManageOrg); err != nil {
		return err
	}
	org := by.Org.ID
	return p.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO proof_settings (org_id, published) VALUES ($1, $2) ON CONFLICT (org_id) DO UPDATE SET published = excluded.published`, org, flag(on)); err != nil {
			return err
		}
		e := audit.Entry{Actor: string(by.Member.ID), Action: audit.SettingsChanged, Object: "proof", Purpose: "legal", Details: map[string]string{"published": map[bool]string{true: "yes", false: "no"}[on]}}
		_, err := p.log.Append(ctx, tx, int64(org), e)
		return err
	})
}

// Shown is what an organisation's public page says of the proofs, in a language; nil when it does not show them. href is
// where the rest stands.
func (p *Proofs) Shown(ctx context.Context, org account.OrgID, lang, href string) (*policy.PageProof, error) {
	if on, err := p.Published(ctx, org); !on || err != nil {
		return nil, err
	}
	out := &policy.PageProof{Href: href}
	r, _, ok, err := p.Last(ctx, org)
	if !ok || err != nil {
		return out, err
	}
	since, err := p.Since(ctx, org)
	if err != nil {
		return nil, err
	}
	out.At, out.Broken = r.At, len(r.Broken())
	titles := Titles(lang)
	for _, x := range r.Ordered() {
		if x.Result == Broken || x.Result == Passed {
			out.Promises = append(out.Promises, policy.ProvedPromise{ID: x.ID, Title: titles[x.ID], Since: since[x.ID], Broken: x.Result == Broken})
		}
	}
	return out, nil
}

// Ordered lists the promises as people look for them: broken ones first, then those that nothing speaks for, proved,
// tested, and open.
func (r *Report) Ordered() []PromiseResult {
	order := []Result{Broken, NotTried, Untested, Passed, Tested, NotYet}
	out := slices.Clone(r.Promises)
	slices.SortStableFunc(out, func(a, b PromiseResult) int { return slices.Index(order, a.Result) - slices.Index(order, b.Result) })
	return out
}
