package audit

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"parley/platform/db"
	"parley/platform/fault"
)

// Checkpoint is a signed statement of what a log holds: its first Size entries add up to Root. Note is the statement as
// it is handed out: three lines (the log's name, the size, the root in base64), and the signatures below an empty line.
type Checkpoint struct {
	Log  string
	Size int64
	Root tlog.Hash
	Note string
	// Key is the public key of the log that signed it.
	Key string
	// By are the names of those whose signatures were checked, the log's own first.
	By []string
	// At is when it was signed; zero when that is not known. It is not signed.
	At time.Time
}

// text is what is signed (C2SP tlog-checkpoint).
func checkpointText(log string, size int64, root tlog.Hash) string {
	return log + "\n" + strconv.FormatInt(size, 10) + "\n" + root.String() + "\n"
}

// logName is the name in a public key.
func logName(vkey string) string {
	name, _, _ := strings.Cut(vkey, "+")
	return name
}

// openCheckpoint reads a checkpoint that a log signed with one of its keys. Cosignatures of the witnesses are checked too;
// those of others are passed over.
func openCheckpoint(text string, own *ring, witnesses ...string) (*Checkpoint, error) {
	known := own.verifiers()
	for _, w := range witnesses {
		v, err := note.NewVerifier(strings.TrimSpace(w))
		if err != nil {
			return nil, badWitness(err)
		}
		known = append(known, v)
	}
	n, err := note.Open([]byte(text), note.VerifierList(known...))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "This checkpoint was not signed by the log with this key, or was changed since.")
	}
	c := &Checkpoint{Note: text}
	if err := c.read(n.Text, own.name); err != nil {
		return nil, err
	}
	for _, s := range n.Sigs {
		if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "A signature of this checkpoint is not written as signatures are: it was changed.")
		}
		if s.Name != own.name {
			c.By = append(c.By, s.Name)
			continue
		}
		vkey, ok := own.signed(s.Hash, c.Size)
		if !ok {
			return nil, fault.New(fault.Invalid, "This checkpoint of %d entries was signed with a key that the log had at another time.", c.Size)
		}
		c.Key = vkey
		c.By = append([]string{s.Name}, c.By...)
	}
	if c.Key == "" {
		return nil, fault.New(fault.Invalid, "This checkpoint has no signature of the log itself.")
	}
	return c, nil
}

func (c *Checkpoint) read(text, log string) error {
	lines := strings.Split(text, "\n")
	bad := fault.New(fault.Invalid, "This is no checkpoint of this audit log: it should be three lines with the log's name, its size and its root.")
	if len(lines) < 4 || lines[0] != log {
		return bad
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	root, rootErr := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || rootErr != nil || size < 0 || len(root) != tlog.HashSize || !strings.HasPrefix(text, checkpointText(log, size, tlog.Hash(root))) {
		return bad
	}
	c.Log, c.Size, c.Root = log, size, tlog.Hash(root)
	return nil
}

// sign makes and keeps a checkpoint of what the log holds, unless there is one of that size.
func (l *Log) sign(ctx context.Context, tx *db.Tx, h *head) (*Checkpoint, error) {
	if c, ok, err := l.kept(ctx, tx, h, `size = $2`, h.size); ok || err != nil {
		return c, err
	}
	root, err := h.root()
	if err != nil {
		return nil, err
	}
	text, err := note.Sign(&note.Note{Text: checkpointText(h.signer.Name(), h.size, root)}, h.signer)
	if err != nil {
		return nil, err
	}
	at := l.now()
	if _, err := tx.Exec(ctx, `INSERT INTO audit_checkpoints (org_id, size, at_ms, note) VALUES ($1, $2, $3, $4)`, h.org, h.size, at.UnixMilli(), string(text)); err != nil {
		return nil, err
	}
	return &Checkpoint{Log: h.signer.Name(), Key: h.vkey, Size: h.size, Root: root, Note: string(text), By: []string{h.signer.Name()}, At: at}, nil
}

// kept reads a checkpoint that was signed before; where is a condition with the parameters $2 and on. The newest that
// fits is given.
func (l *Log) kept(ctx context.Context, c db.Conn, h *head, where string, args ...any) (*Checkpoint, bool, error) {
	witnesses, err := l.witnesses(ctx, c, h.org)
	if err != nil {
		return nil, false, err
	}
	keys, err := h.ring(ctx, c)
	if err != nil {
		return nil, false, err
	}
	return db.One(ctx, c, func(r db.Scanner) (*Checkpoint, error) {
		var text string
		var at int64
		if err := r.Scan(&text, &at); err != nil {
			return nil, err
		}
		p, err := openCheckpoint(text, keys, witnesses...)
		if err == nil {
			p.At = time.UnixMilli(at)
		}
		return p, err
	}, `SELECT note, at_ms FROM audit_checkpoints WHERE org_id = $1 AND `+where+` ORDER BY size DESC LIMIT 1`, append([]any{h.org}, args...)...)
}

// Checkpoint gives the checkpoint of all that a log holds, signed now when there is news.
func (l *Log) Checkpoint(ctx context.Context, org int64) (c *Checkpoint, err error) {
	err = l.db.Tx(ctx, func(tx *db.Tx) error {
		h, err := l.begin(ctx, tx, org)
		if err == nil {
			c, err = l.sign(ctx, tx, h)
		}
		return err
	})
	return c, err
}

// Last gives the newest checkpoint that was signed; ok is false when there is none.
func (l *Log) Last(ctx context.Context, org int64) (c *Checkpoint, ok bool, err error) {
	h, ok, err := l.head(ctx, l.db, org, false)
	if !ok || err != nil {
		return nil, false, err
	}
	return l.kept(ctx, l.db, h, `size >= 0`)
}

// LastCosigned gives the newest checkpoint that a witness has cosigned; ok is false when there is none.
func (l *Log) LastCosigned(ctx context.Context, org int64) (c *Checkpoint, ok bool, err error) {
	h, ok, err := l.head(ctx, l.db, org, false)
	if !ok || err != nil {
		return nil, false, err
	}
	c, ok, err = l.kept(ctx, l.db, h, `cosigned = 1`)
	return c, ok, err
}

// Key gives a log's public key, in the form of package note. Whoever keeps a copy elsewhere can tell a log that was
// written anew.
func (l *Log) Key(ctx context.Context, org int64) (key string, err error) {
	err = l.db.Tx(ctx, func(tx *db.Tx) error {
		h, err := l.begin(ctx, tx, org)
		if err == nil {
			key = h.vkey
		}
		return err
	})
	return key, err
}

func (l *Log) witnesses(ctx context.Context, c db.Conn, org int64) ([]string, error) {
	return db.Select(ctx, c, func(r db.Scanner) (k string, err error) { return k, r.Scan(&k) },
		`SELECT vkey FROM audit_witnesses WHERE org_id = $1 ORDER BY name`, org)
}

func badWitness(err error) error {
	return fault.Wrap(fault.Invalid, err, "This is no public key of a witness. It looks like witness.example+1a2b3c4d+A…; copy it whole.")
}

// Cosign takes back a checkpoint that a witness has put its signature under, and keeps it. The key of a witness is kept
// as it came first: another key under the same name is refused.
func (l *Log) Cosign(ctx context.Context, org int64, text, witnessKey string) (c *Checkpoint, err error) {
	witnessKey = strings.TrimSpace(witnessKey)
	witness, err := note.NewVerifier(witnessKey)
	if err != nil {
		return nil, badWitness(err)
	}
	err = l.db.Tx(ctx, func(tx *db.Tx) error {
		h, err := l.begin(ctx, tx, org)
		if err != nil {
			return err
		}
		if c, err = l.cosign(ctx, tx, h, text, witness, witnessKey); err != nil {
			return err
		}
		_, err = l.appendAll(ctx, tx, org, draft([]Entry{{Actor: System, Action: Cosigned, Object: "checkpoint/" + strconv.FormatInt(c.Size, 10), Details: map[string]string{"witness": witness.Name()}}}))
		return err
	})
	return c, err
}

func (l *Log) cosign(ctx context.Context, tx *db.Tx, h *head, text string, witness note.Verifier, witnessKey string) (*Checkpoint, error) {
	if witness.Name() == h.signer.Name() {
		return nil, fault.New(fault.Invalid, "This is the log's own key, which has not signed as a witness. Give the public key of the witness.")
	}
	keys, err := h.ring(ctx, tx)
	if err != nil {
		return nil, err
	}
	theirs, err := openCheckpoint(text, keys, witnessKey)
	if err != nil {
		return nil, err
	}
	if len(theirs.By) < 2 {
		return nil, fault.New(fault.Invalid, "The witness %s has not signed this checkpoint.", witness.Name())
	}
	ours, ok, err := l.kept(ctx, tx, h, `size = $2`, theirs.Size)
	if err != nil {
		return nil, err
	}
	if !ok || ours.Root != theirs.Root {
		return nil, fault.New(fault.Conflict, "This log never signed a checkpoint of %d entries with this root. If the key that signed it is this log's, the log was written anew: keep what you have.", theirs.Size)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO audit_witnesses (org_id, name, vkey) VALUES ($1, $2, $3) ON CONFLICT (org_id, name) DO NOTHING`, h.org, witness.Name(), witnessKey); err != nil {
		return nil, err
	}
	var known string
	if err := tx.Row(ctx, `SELECT vkey FROM audit_witnesses WHERE org_id = $1 AND name = $2`, h.org, witness.Name()).Scan(&known); err != nil {
		return nil, err
	}
	if known != witnessKey {
		return nil, fault.New(fault.Conflict, "The witness %s has signed before with another key. A witness that changes its key takes another name.", witness.Name())
	}
	merged, err := addSignature(ours.Note, text, h, witness)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `UPDATE audit_checkpoints SET note = $3, cosigned = 1 WHERE org_id = $1 AND size = $2`, h.org, theirs.Size, merged); err != nil {
		return nil, err
	}
	c, _, err := l.kept(ctx, tx, h, `size = $2`, theirs.Size)
	return c, err
}

// addSignature puts a witness's line under a checkpoint, which may have those of others.
func addSignature(ours, theirs string, h *head, witness note.Verifier) (string, error) {
	n, err := note.Open([]byte(theirs), note.VerifierList(witness))
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("— %s %s\n", n.Sigs[0].Name, n.Sigs[0].Base64)
	if strings.Contains(ours, line) {
		return ours, nil
	}
	return ours + line, nil
}

// Proof shows that one entry is in the log, to whoever has the checkpoint and the log's public key.
type Proof struct {
	Key        string      `json:"key"`
	Checkpoint string      `json:"checkpoint"` // a signed note
	N          int64       `json:"n"`
	Leaf       string      `json:"leaf"`
	Hashes     []tlog.Hash `json:"hashes"` // the audit path of RFC 6962, from the leaf up
	// Successions say how the key followed from those before it, so that whoever knows one of them can tell.
	Successions []string `json:"successions,omitempty"`
}

// Prove makes the proof of an entry.
func (l *Log) Prove(ctx context.Context, org, n int64) (*Proof, error) {
	c, err := l.Checkpoint(ctx, org)
	if err != nil {
		return nil, err
	}
	if n < 0 || n >= c.Size {
		return nil, fault.New(fault.NotFound, "There is no entry %d in the audit log; it has %d, counted from 0.", n, c.Size)
	}
	p := &Proof{Checkpoint: c.Note, N: n}
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		if err := tx.Row(ctx, `SELECT e.leaf, l.vkey FROM audit_entries e JOIN audit_logs l ON l.org_id = e.org_id WHERE e.org_id = $1 AND e.n = $2`, org, n).Scan(&p.Leaf, &p.Key); err != nil {
			return err
		}
		if p.Successions, err = successions(ctx, tx, org); err != nil {
			return err
		}
		p.Hashes, err = tlog.ProveRecord(c.Size, n, nodes{ctx, tx, org})
		return err
	})
	return p, err
}

// Check verifies a proof against a log's public key; where key is "" the proof's own is taken.
func (p *Proof) Check(key string) (*Checkpoint, error) {
	if key == "" {
		key = p.Key
	}
	keys, err := newRing(key, p.Successions)
	if err != nil {
		return nil, err
	}
	c, err := openCheckpoint(p.Checkpoint, keys)
	if err != nil {
		return nil, err
	}
	f, _, ok := parseLeaf([]byte(p.Leaf))
	if !ok || f.N != p.N || tlog.CheckRecord(p.Hashes, c.Size, c.Root, p.N, tlog.RecordHash([]byte(p.Leaf))) != nil {
		return nil, fault.New(fault.Invalid, "The proof does not show that entry %d is in the log: the entry, its place or the proof was changed.", p.N)
	}
	return c, nil
}

// Growth shows that a log only grew from one checkpoint to a later one.
type Growth struct {
	Key    string      `json:"key"`
	Old    int64       `json:"old_size"`
	New    string      `json:"checkpoint"` // a signed note
	Hashes []tlog.Hash `json:"hashes"`     // the consistency proof of RFC 6962
	// Successions are as in Proof.
	Successions []string `json:"successions,omitempty"`
}

// ProveGrowth makes the proof that the log only grew since it had old entries. A witness asks for it before it signs.
func (l *Log) ProveGrowth(ctx context.Context, org, old int64) (*Growth, error) {
	c, err := l.Checkpoint(ctx, org)
	if err != nil {
		return nil, err
	}
	if old < 1 || old > c.Size {
		return nil, fault.New(fault.NotFound, "The audit log has %d entries, so it cannot be shown how it grew from %d.", c.Size, old)
	}
	g := &Growth{Old: old, New: c.Note}
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		if err := tx.Row(ctx, `SELECT vkey FROM audit_logs WHERE org_id = $1`, org).Scan(&g.Key); err != nil {
			return err
		}
		if g.Successions, err = successions(ctx, tx, org); err != nil {
			return err
		}
		g.Hashes, err = tlog.ProveTree(c.Size, old, nodes{ctx, tx, org})
		return err
	})
	return g, err
}

// Check verifies that the log of an older checkpoint grew into the newer one.
func (g *Growth) Check(key, older string) (*Checkpoint, error) {
	keys, err := newRing(key, g.Successions)
	if err != nil {
		return nil, err
	}
	o, err := openCheckpoint(older, keys)
	if err != nil {
		return nil, err
	}
	c, err := openCheckpoint(g.New, keys)
	if err != nil {
		return nil, err
	}
	if o.Size != g.Old || tlog.CheckTree(g.Hashes, c.Size, c.Root, o.Size, o.Root) != nil {
		return nil, fault.New(fault.Conflict, "The log did not grow out of the older checkpoint of %d entries: something before that was changed.", o.Size)
	}
	return c, nil
}

// ToMail gives the newest checkpoint, signed now when there is news, if it holds something that the one mailed last did
// not and that one was mailed before a time. ok is false when nothing is to be sent.
func (l *Log) ToMail(ctx context.Context, org int64, before time.Time) (c *Checkpoint, ok bool, err error) {
	var size, mailed int64
	if err := l.db.Row(ctx, `SELECT coalesce(max(size), 0), coalesce(max(mailed_ms), 0) FROM audit_checkpoints WHERE org_id = $1 AND mailed_ms > 0`, org).Scan(&size, &mailed); err != nil {
		return nil, false, err
	}
	if mailed > 0 && !time.UnixMilli(mailed).Before(before) {
		return nil, false, nil
	}
	now, err := l.Size(ctx, org)
	if err != nil || now <= size {
		return nil, false, err
	}
	c, err = l.Checkpoint(ctx, org)
	return c, err == nil, err
}

// Mailed notes that a checkpoint was sent.
func (l *Log) Mailed(ctx context.Context, org, size int64) error {
	_, err := l.db.Exec(ctx, `UPDATE audit_checkpoints SET mailed_ms = $3 WHERE org_id = $1 AND size = $2`, org, size, l.now().UnixMilli())
	return err
}

// SignDue signs a checkpoint of a log that has news.
func (l *Log) SignDue(ctx context.Context, org int64) error {
	size, err := l.Size(ctx, org)
	if err != nil || size == 0 {
		return err
	}
	_, err = l.Checkpoint(ctx, org)
	return err
}

// FindCheckpoint finds a checkpoint in a text, such as a mail.
func FindCheckpoint(text string) (checkpoint string, ok bool) {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	for i := 3; i+1 < len(lines); i++ {
		if lines[i] != "" || !strings.HasPrefix(lines[i+1], "— ") || lines[i-1] == "" {
			continue
		}
		end := i + 1
		for end < len(lines) && strings.HasPrefix(lines[end], "— ") {
			end++
		}
		return strings.Join(lines[i-3:end], "\n") + "\n", true
	}
	return "", false
}
