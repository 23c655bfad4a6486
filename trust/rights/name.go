package rights

import (
	"context"
	"path"
	"slices"
	"strconv"

	"parley/account"
	"parley/platform/db"
	"parley/trust/subject"
)

// names gives every name of a person, the given one first.
func (r *Rights) names(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref) ([]subject.Ref, error) {
	if r.Names == nil || who == (subject.Ref{}) {
		return []subject.Ref{who}, nil
	}
	return r.Names(ctx, c, org, who)
}

// asked are those of a person's names that a store is asked for.
func (s *Store) asked(names []subject.Ref) []subject.Ref {
	if s.Once {
		return names[:1]
	}
	return names
}

// plan is what a store has of a person, whatever their names.
func (s *Store) plan(ctx context.Context, org account.OrgID, names []subject.Ref) ([]Line, error) {
	var out []Line
	for _, who := range s.asked(names) {
		lines, err := s.Plan(ctx, org, who)
		if err != nil {
			return nil, err
		}
		out = summed(out, lines)
	}
	return out, nil
}

// erase erases a person, whatever their names.
func (s *Store) erase(ctx context.Context, org account.OrgID, names []subject.Ref, d Decision) ([]Line, error) {
	var out []Line
	for _, who := range s.asked(names) {
		lines, err := s.Erase(ctx, org, who, d)
		if err != nil {
			return nil, err
		}
		out = summed(out, lines)
	}
	return out, nil
}

// summed adds lines to those of another name that count the same.
func summed(all, more []Line) []Line {
	for _, l := range more {
		same := func(o Line) bool { return o.Thing == l.Thing && o.Name == l.Name && o.Category == l.Category }
		i := slices.IndexFunc(all, same)
		if i < 0 {
			all = append(all, l)
			continue
		}
		all[i].Count += l.Count
		if l.Newest.After(all[i].Newest) {
			all[i].Newest = l.Newest
		}
	}
	return all
}

// exportAll writes what every store has of a person: what is kept under the first name at the top, the rest in a folder for
// each further name.
func (r *Rights) exportAll(ctx context.Context, org account.OrgID, names []subject.Ref, p *Package) error {
	top := p.folder
	defer func() { p.folder = top }()
	for i, who := range names {
		if i > 0 {
			p.folder = path.Join(top, "also-"+strconv.Itoa(i))
		}
		for _, s := range r.Stores {
			if s.Export == nil || s.Once && i > 0 {
				continue
			}
			if err := s.Export(ctx, org, who, p); err != nil {
				return err
			}
		}
	}
	return nil
}
