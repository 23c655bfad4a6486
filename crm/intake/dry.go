package intake

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"parley/platform/db"
	"parley/platform/fault"
)

// rehearsal is the memory of a dry run: a scratch database, encrypted under a key that nobody keeps, with whom the import would
// have made and changed, so that a repeat far down the file is known as one, however large the file is.
type rehearsal struct {
	dir     string
	scratch *db.DB
}

//go:embed scratch/*.sql
var scratchSchema embed.FS

func rehearse(ctx context.Context) (*rehearsal, error) {
	dir, err := os.MkdirTemp("", "parley-dry-run-")
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "There is no place for the temporary file of a dry run. Free some space in the temporary folder, or import without it.")
	}
	r := &rehearsal{dir: dir}
	key := make([]byte, db.KeyBytes)
	_, _ = rand.Read(key) // never fails, see crypto/rand
	if r.scratch, err = db.OpenSQLite(ctx, filepath.Join(dir, "intake.db"), key); err != nil {
		return nil, errors.Join(err, r.close())
	}
	if err := r.scratch.Migrate(ctx, "scratch", scratchSchema); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *rehearsal) close() error {
	var err error
	if r.scratch != nil {
		err = r.scratch.Close()
	}
	return errors.Join(err, os.RemoveAll(r.dir))
}

// recall gives persons by the names of their numbers and addresses, and by their keys.
func (r *rehearsal) recall(ctx context.Context, names []string) (map[string]*someone, error) {
	out, byKey := map[string]*someone{}, map[string]*someone{}
	type found struct {
		name, key string
		person    []byte
	}
	for part := range slices.Chunk(names, 200) {
		args := make([]any, len(part))
		for n, name := range part {
			args[n] = name
		}
		all, err := db.Select(ctx, r.scratch, func(s db.Scanner) (f found, err error) { return f, s.Scan(&f.name, &f.key, &f.person) },
			`SELECT n.name, p.person_key, p.person FROM scratch_names n JOIN scratch_persons p ON p.person_key = n.person_key WHERE n.name IN `+db.In(1, len(part)), args...)
		if err != nil {
			return nil, err
		}
		for _, f := range all {
			who := byKey[f.key]
			if who == nil {
				who = &someone{key: f.key}
				if err := json.Unmarshal(f.person, who); err != nil {
					return nil, err
				}
				byKey[f.key] = who
			}
			out[f.name] = who
		}
	}
	return out, nil
}

// remember keeps persons as the import would have left them.
func (r *rehearsal) remember(ctx context.Context, people []*someone) error {
	return r.scratch.Tx(ctx, func(tx *db.Tx) error {
		for _, who := range people {
			plain, err := json.Marshal(who)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `INSERT INTO scratch_persons (person_key, person) VALUES ($1, $2) ON CONFLICT (person_key) DO UPDATE SET person = excluded.person`, who.key, plain); err != nil {
				return err
			}
			for _, name := range append(names(&who.Person), who.key) {
				if _, err := tx.Exec(ctx, `INSERT INTO scratch_names (name, person_key) VALUES ($1, $2) ON CONFLICT DO NOTHING`, name, who.key); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
