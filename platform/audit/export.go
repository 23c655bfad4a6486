package audit

import (
	"bufio"
	"context"
	"encoding/json"
	"io"

	"parley/platform/db"
)

// fileFormat names the form of an exported log: JSON lines, first a heading, then the leaves as the tree holds them. It
// holds no personal data, but keyed hashes.
const fileFormat = "parley audit log"

// heading is the first line of an exported log.
type heading struct {
	Format      string   `json:"format"`
	Version     int      `json:"version"`
	Key         string   `json:"key"`
	Checkpoint  string   `json:"checkpoint"`            // of all that follows
	Successions []string `json:"successions,omitempty"` // how the key followed from those before
	Witnesses   []string `json:"witnesses,omitempty"`
	Checkpoints []string `json:"cosigned_checkpoints,omitempty"`
}

const (
	fileVersion  = 1
	exportAtOnce = 2000 // leaves per query, so that no transaction is held while somebody downloads slowly
	maxCosigned  = 1000 // newest cosigned checkpoints in the heading
)

// Export writes the whole log as one file that Verify reads anywhere. It gives the checkpoint that the file ends with.
func (l *Log) Export(ctx context.Context, org int64, w io.Writer) (*Checkpoint, error) {
	c, err := l.Checkpoint(ctx, org)
	if err != nil {
		return nil, err
	}
	h := heading{Format: fileFormat, Version: fileVersion, Checkpoint: c.Note}
	if h.Key, err = l.Key(ctx, org); err != nil {
		return nil, err
	}
	if h.Successions, err = successions(ctx, l.db, org); err != nil {
		return nil, err
	}
	if h.Witnesses, err = l.witnesses(ctx, l.db, org); err != nil {
		return nil, err
	}
	if h.Checkpoints, err = db.Select(ctx, l.db, func(r db.Scanner) (s string, err error) { return s, r.Scan(&s) },
		`SELECT note FROM audit_checkpoints WHERE org_id = $1 AND cosigned = 1 AND size <= $2 ORDER BY size DESC LIMIT $3`, org, c.Size, maxCosigned); err != nil {
		return nil, err
	}
	out := bufio.NewWriter(w)
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if err := e.Encode(h); err != nil {
		return nil, err
	}
	err = l.leaves(ctx, l.db, org, c.Size, func(_ int64, leaf []byte) error {
		if _, err := out.Write(leaf); err != nil {
			return err
		}
		return out.WriteByte('\n')
	})
	if err != nil {
		return nil, err
	}
	return c, out.Flush()
}

// leaves gives the first size leaves in order. Those that are missing are left out.
func (l *Log) leaves(ctx context.Context, c db.Conn, org, size int64, each func(n int64, leaf []byte) error) error {
	type one struct {
		n    int64
		leaf []byte
	}
	for from := int64(0); from < size; from += exportAtOnce {
		some, err := db.Select(ctx, c, func(r db.Scanner) (o one, err error) { return o, r.Scan(&o.n, &o.leaf) },
			`SELECT n, leaf FROM audit_entries WHERE org_id = $1 AND n >= $2 AND n < $3 ORDER BY n`, org, from, min(from+exportAtOnce, size))
		if err != nil {
			return err
		}
		for _, o := range some {
			if err := each(o.n, o.leaf); err != nil {
				return err
			}
		}
	}
	return nil
}
