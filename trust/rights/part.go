package rights

import (
	"context"
	"io"
	"slices"
	"strconv"
	"time"

	"parley/account"
	"parley/trust/subject"
)

// Part says what of a person's data goes into a package: only these categories, and of them only what is dated within the
// time. Rows without any date are taken; other files, which tell no date, only when no time is said.
type Part struct {
	Categories []string
	From, To   time.Time // zero = any time; To is not within it
}

// takes tells whether a row lies within the part. Its first date counts.
func (p *Part) takes(values []any) bool {
	for _, v := range values {
		t, ok := v.(time.Time)
		if text, written := v.(string); written {
			var err error
			t, err = time.Parse(time.RFC3339, text) // takes fractions of seconds, too
			ok = err == nil
		}
		if !ok || t.IsZero() {
			continue
		}
		return (p.From.IsZero() || !t.Before(p.From)) && (p.To.IsZero() || t.Before(p.To))
	}
	return true
}

func (p *Part) has(category string) bool { return slices.Contains(p.Categories, category) }

func (p *Part) dated() bool { return !p.From.IsZero() || !p.To.IsZero() }

// WritePart writes a part of what stores have about persons, each in a folder of their own, and tells how many files that
// were. It asks nobody: whoever calls it has to know that it may.
func (r *Rights) WritePart(ctx context.Context, org account.OrgID, persons []subject.Ref, part Part, w io.Writer) (int64, error) {
	p := newPackage(w, r.Now())
	p.part = &part
	for i, who := range persons {
		p.folder = "person-" + strconv.Itoa(i+1)
		for _, s := range r.Stores {
			if s.Export == nil {
				continue
			}
			if err := s.Export(ctx, org, who, p); err != nil {
				return 0, err
			}
		}
	}
	return int64(len(p.files)), p.zip.Close()
}
