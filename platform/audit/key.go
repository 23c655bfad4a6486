package audit

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"parley/platform/db"
	"parley/platform/fault"
)

// succession begins the statement that another key of a log follows: this line, the log's name, how many entries the log
// had, the old key and the new one, and the signatures of both below an empty line.
const succession = "parley audit key succession"

func successionText(log string, size int64, from, to string) string {
	return strings.Join([]string{succession, log, strconv.FormatInt(size, 10), from, to, ""}, "\n")
}

// step is a succession that was read.
type step struct {
	log      string
	size     int64
	from, to string
	note     string
}

func readStep(text string) (*step, error) {
	bad := fault.New(fault.Invalid, "The statement that another key of the audit log follows was changed, or is none.")
	lines := strings.Split(text, "\n")
	if len(lines) < 6 || lines[0] != succession {
		return nil, bad
	}
	s := &step{log: lines[1], from: lines[3], to: lines[4], note: text}
	var err error
	if s.size, err = strconv.ParseInt(lines[2], 10, 64); err != nil || s.size < 0 {
		return nil, bad
	}
	var both []note.Verifier
	for _, key := range []string{s.from, s.to} {
		v, err := note.NewVerifier(key)
		if err != nil || v.Name() != s.log {
			return nil, bad
		}
		both = append(both, v)
	}
	n, err := note.Open([]byte(text), note.VerifierList(both...))
	if err != nil || len(n.Sigs) != len(both) || n.Text != successionText(s.log, s.size, s.from, s.to) || s.from == s.to {
		return nil, bad
	}
	return s, nil
}

// ring is the keys of one log, as far as they follow from one that is known.
type ring struct {
	name string
	keys []ringKey // the oldest first
}

// ringKey is one of them. It signed checkpoints of at least from and at most to entries.
type ringKey struct {
	note.Verifier
	vkey     string
	from, to int64
}

// Most successions that are read.
const maxSuccessions = 10_000

// newRing gives the keys that follow from a key and those before it. key is a public key, with successions below it or
// without; those that are told besides must belong to it.
func newRing(key string, told []string) (*ring, error) {
	own, below, _ := strings.Cut(strings.TrimSpace(key), "\n")
	own = strings.TrimSpace(own)
	v, err := note.NewVerifier(own)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "This is no public key of an audit log. It looks like parley/log_…+1a2b3c4d+A…; copy it whole.")
	}
	var steps []*step
	for _, text := range append(findSuccessions(below), told...) {
		s, err := readStep(text)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(steps, func(o *step) bool { return o.from == s.from && o.to == s.to && o.size == s.size }) {
			steps = append(steps, s)
		}
	}
	if len(steps) > maxSuccessions {
		return nil, fault.New(fault.TooLarge, "The audit log is said to have had more than %d keys.", maxSuccessions)
	}
	r := &ring{name: v.Name(), keys: []ringKey{{v, own, 0, -1}}}
	return r, r.follow(steps)
}

// follow takes on the steps from the keys that are there, to and fro.
func (r *ring) follow(steps []*step) error {
	for len(steps) > 0 {
		i := slices.IndexFunc(steps, func(s *step) bool { return s.from == r.newest().vkey || s.to == r.keys[0].vkey })
		if i < 0 || steps[i].log != r.name {
			return fault.New(fault.Invalid, "Another key of the audit log is said to follow or to go before, but the keys in between are missing: something was changed or left out.")
		}
		s := steps[i]
		steps = slices.Delete(steps, i, i+1)
		other := s.to
		if s.to == r.keys[0].vkey {
			other = s.from
		}
		v, err := note.NewVerifier(other)
		if err != nil {
			return err
		}
		if r.has(other) {
			return fault.New(fault.Invalid, "A key of the audit log is said to have come back, which none does.")
		}
		if other == s.to {
			r.newest().to = s.size
			r.keys = append(r.keys, ringKey{v, other, s.size, -1})
		} else {
			r.keys[0].from = s.size
			r.keys = append([]ringKey{{v, other, 0, s.size}}, r.keys...)
		}
	}
	return nil
}

// newest is the key that signs now.
func (r *ring) newest() *ringKey { return &r.keys[len(r.keys)-1] }

// has tells whether a key is among them.
func (r *ring) has(vkey string) bool {
	return slices.ContainsFunc(r.keys, func(k ringKey) bool { return k.vkey == vkey })
}

func (r *ring) verifiers() []note.Verifier {
	out := make([]note.Verifier, len(r.keys))
	for i, k := range r.keys {
		out[i] = k
	}
	return out
}

// signed gives the key that made a signature; ok is false when none did, or one that had no say over so many entries.
func (r *ring) signed(hash uint32, size int64) (vkey string, ok bool) {
	for _, k := range r.keys {
		if k.KeyHash() == hash {
			return k.vkey, size >= k.from && (k.to < 0 || size <= k.to)
		}
	}
	return "", false
}

// findSuccessions finds the statements in a text, such as the file of a log's keys.
func findSuccessions(text string) []string {
	var out []string
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		if strings.TrimSpace(lines[i]) != succession {
			continue
		}
		end := min(i+6, len(lines)) // five lines and the empty one
		for end < len(lines) && strings.HasPrefix(lines[end], "— ") {
			end++
		}
		out = append(out, strings.Join(lines[i:end], "\n")+"\n")
		i = end - 1
	}
	return out
}

// successions are the statements of a log, the oldest first.
func successions(ctx context.Context, c db.Conn, org int64) ([]string, error) {
	return db.Select(ctx, c, func(r db.Scanner) (s string, err error) { return s, r.Scan(&s) }, `SELECT note FROM audit_successions WHERE org_id = $1 ORDER BY n`, org)
}

// ring gives all keys that a log has had.
func (h *head) ring(ctx context.Context, c db.Conn) (*ring, error) {
	told, err := successions(ctx, c, h.org)
	if err != nil {
		return nil, err
	}
	return newRing(h.vkey, told)
}

// KeyInfo is one public key of a log.
type KeyInfo struct {
	Key   string    `json:"key"`
	From  int64     `json:"from"` // entries that the log had when it became the key
	Until time.Time `json:"until,omitzero"`
}

// Keys lists the keys that a log has had, the newest first. Old ones sign nothing any more; what they signed is good.
func (l *Log) Keys(ctx context.Context, org int64) (out []KeyInfo, err error) {
	current, err := l.Key(ctx, org)
	if err != nil {
		return nil, err
	}
	type was struct {
		text string
		at   int64
	}
	all, err := db.Select(ctx, l.db, func(r db.Scanner) (w was, err error) { return w, r.Scan(&w.text, &w.at) }, `SELECT note, at_ms FROM audit_successions WHERE org_id = $1 ORDER BY n`, org)
	if err != nil {
		return nil, err
	}
	from := int64(0)
	for _, w := range all {
		s, err := readStep(w.text)
		if err != nil {
			return nil, err
		}
		out = append(out, KeyInfo{s.from, from, time.UnixMilli(w.at)})
		from = s.size
	}
	out = append(out, KeyInfo{Key: current, From: from})
	slices.Reverse(out)
	return out, nil
}

// KeyFile is what whoever verifies keeps elsewhere: the public key, and how it followed from those before.
func (l *Log) KeyFile(ctx context.Context, org int64) (string, error) {
	key, err := l.Key(ctx, org)
	if err != nil {
		return "", err
	}
	told, err := successions(ctx, l.db, org)
	return strings.Join(append([]string{key + "\n"}, told...), "\n"), err
}

// RotateKey gives a log another key for its checkpoints, and enters that in it. The old private key is forgotten. The new
// key is that of all that is signed from now on; the old one stays listed, since what it signed can be verified with it only.
// actor is who does it, as in Entry. It gives the new public key.
func (l *Log) RotateKey(ctx context.Context, org int64, actor string) (key string, err error) {
	err = l.db.Tx(ctx, func(tx *db.Tx) error {
		h, err := l.begin(ctx, tx, org)
		if err != nil {
			return err
		}
		if _, err := l.sign(ctx, tx, h); err != nil { // the last one of the old key
			return err
		}
		skey, vkey, err := note.GenerateKey(rand.Reader, h.signer.Name())
		if err != nil {
			return err
		}
		if err := l.succeed(ctx, tx, h, skey, vkey); err != nil {
			return err
		}
		key = vkey
		e := Entry{Actor: actor, Action: KeyChanged, Object: "key/log", Purpose: "security", Details: map[string]string{"what": "log"}}
		if _, err := l.Append(ctx, tx, org, e); err != nil {
			return err
		}
		if h, _, err = l.head(ctx, tx, org, false); err == nil {
			_, err = l.sign(ctx, tx, h)
		}
		return err
	})
	return key, err
}

// succeed puts a new key in the place of the one of h.
func (l *Log) succeed(ctx context.Context, tx *db.Tx, h *head, skey, vkey string) error {
	signer, err := note.NewSigner(skey)
	if err != nil {
		return err
	}
	text, err := note.Sign(&note.Note{Text: successionText(h.signer.Name(), h.size, h.vkey, vkey)}, h.signer, signer)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO audit_successions (org_id, n, size, at_ms, note) SELECT $1, count(*), $2, $3, $4 FROM audit_successions WHERE org_id = $1`,
		h.org, h.size, l.now().UnixMilli(), string(text)); err != nil {
		return err
	}
	plain, err := json.Marshal(secrets{Signer: skey, Pseudonym: h.secret})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE audit_logs SET vkey = $2, secrets = $3 WHERE org_id = $1`, h.org, vkey, h.keys.Seal(secretsField, plain))
	return err
}
