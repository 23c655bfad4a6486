package lead

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
	"parley/trust/freetext"
)

const (
	maxTag  = 40 // characters
	maxTags = 30
)

// cleanTags trims tags, splits them at commas, drops empty and repeated ones whatever their capitals, and sorts them.
func cleanTags(tags []string) ([]string, error) {
	var out []string
	seen := map[string]bool{}
	for t := range strings.SplitSeq(strings.Join(tags, ","), ",") { // histories write them so
		t = strings.Join(strings.Fields(strings.ToValidUTF8(t, "")), " ")
		if t == "" || seen[strings.ToLower(t)] {
			continue
		}
		if n := utf8.RuneCountInString(t); n > maxTag {
			return nil, fault.Field("tags", "A tag has %d characters; at most %d fit. Shorten it.", n, maxTag)
		}
		if err := freetext.Check("tags", t); err != nil {
			return nil, err
		}
		seen[strings.ToLower(t)] = true
		out = append(out, t)
	}
	if len(out) > maxTags {
		return nil, fault.Field("tags", "A lead can have at most %d tags; %d were given.", maxTags, len(out))
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return out, nil
}

// tagIndex is by what a tag is found.
func tagIndex(k *vault.OrgKeys, tag string) []byte {
	return k.Index("lead tag", strings.ToLower(strings.Join(strings.Fields(tag), " ")))[:8]
}

// putTags writes the index of leads' tags, which must have none.
func putTags(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, org account.OrgID, leads ...*Lead) error {
	var args []any
	for _, l := range leads {
		for _, t := range l.Tags {
			args = append(args, org, tagIndex(k, t), l.ID, l.Subject)
		}
	}
	const width = 4
	for part := range slices.Chunk(args, 100*width) {
		if _, err := tx.Exec(ctx, `INSERT INTO lead_tags (org_id, idx, lead, subject) VALUES `+db.Values(len(part)/width, width)+` ON CONFLICT DO NOTHING`, part...); err != nil {
			return err
		}
	}
	return nil
}

// TagCount is a tag with how many leads have it.
type TagCount struct {
	Tag   string
	Leads int
}

// Tags lists the tags of an organisation's leads, the most used first.
func (s *Leads) Tags(ctx context.Context, c db.Conn, org account.OrgID) ([]TagCount, error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	type group struct {
		idx string
		n   int
		one ID
	}
	groups, err := db.Select(ctx, c, func(r db.Scanner) (g group, err error) {
		var idx []byte
		err = r.Scan(&idx, &g.n, &g.one)
		g.idx = string(idx)
		return g, err
	}, `SELECT idx, count(*), min(lead) FROM lead_tags WHERE org_id = $1 GROUP BY idx ORDER BY count(*) DESC, min(lead)`, org)
	if err != nil {
		return nil, err
	}
	ids := make([]ID, len(groups))
	for i, g := range groups {
		ids[i] = g.one
	}
	leads, err := s.Load(ctx, c, org, ids...)
	if err != nil {
		return nil, err
	}
	var out []TagCount
	for _, g := range groups {
		l := leads[g.one]
		if l == nil {
			continue
		}
		for _, t := range l.Tags {
			if string(tagIndex(k, t)) == g.idx {
				out = append(out, TagCount{t, g.n})
			}
		}
	}
	return out, nil
}

// reindexChunk is how many leads are opened at once while the index is made anew.
const reindexChunk = 2000

// Reindex makes the index of all tags anew, with the index key of k. It runs while nobody else works on the data.
func (s *Leads) Reindex(ctx context.Context, tx *db.Tx, org account.OrgID, k *vault.OrgKeys) error {
	if _, err := tx.Exec(ctx, `DELETE FROM lead_tags WHERE org_id = $1`, org); err != nil {
		return err
	}
	for after := ID(""); ; {
		leads, err := db.Select(ctx, tx, s.scan(ctx, org), `SELECT `+columns+` FROM leads WHERE org_id = $1 AND lead > $2 ORDER BY lead LIMIT $3`, org, after, reindexChunk)
		if err != nil || len(leads) == 0 {
			return err
		}
		after = leads[len(leads)-1].ID
		if err := putTags(ctx, tx, k, org, leads...); err != nil {
			return err
		}
	}
}
