package audit

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/flaw"
	"parley/platform/id"
	"parley/platform/vault"
)

// checkpointEvery is after how many entries a checkpoint is signed at the latest.
const checkpointEvery = 1024

// head is the state of one log.
type head struct {
	org    int64
	keys   *vault.OrgKeys
	vkey   string
	signer note.Signer
	hasher *hasher
	secret []byte // of the hasher
	last   int64  // Unix ms of the newest entry
	peaks
}

// secrets are sealed in the row of a log.
type secrets struct {
	Signer    string `json:"signer"`
	Pseudonym []byte `json:"pseudonym"`
}

const (
	secretsField   = "audit_logs.secrets"
	pseudonymBytes = 32
)

// head reads the state of a log; ok is false when there is none yet. forUpdate keeps others from appending.
func (l *Log) head(ctx context.Context, c db.Conn, org int64, forUpdate bool) (*head, bool, error) {
	k, err := l.keys.Org(ctx, org)
	if err != nil {
		return nil, false, err
	}
	query := `SELECT vkey, secrets, size, peaks, last_ms FROM audit_logs WHERE org_id = $1`
	if forUpdate && c.Engine() == db.Postgres {
		query += ` FOR UPDATE`
	}
	return db.One(ctx, c, func(r db.Scanner) (*head, error) {
		h := &head{org: org, keys: k}
		var sealed, roots []byte
		if err := r.Scan(&h.vkey, &sealed, &h.size, &roots, &h.last); err != nil {
			return nil, err
		}
		p, err := decodePeaks(h.size, roots)
		if err != nil {
			return nil, err
		}
		h.peaks = *p
		return h, h.unlock(sealed)
	}, query, org)
}

// unlock opens the log's own keys.
func (h *head) unlock(sealed []byte) error {
	plain, err := h.keys.Open(secretsField, sealed)
	if err != nil {
		return err
	}
	var s secrets
	if err := json.Unmarshal(plain, &s); err != nil {
		return err
	}
	h.hasher, h.secret = newHasher(s.Pseudonym), s.Pseudonym
	h.signer, err = note.NewSigner(s.Signer)
	return err
}

// begin gives the state of a log that is to be written, and makes the log when there is none.
func (l *Log) begin(ctx context.Context, tx *db.Tx, org int64) (*head, error) {
	h, ok, err := l.head(ctx, tx, org, true)
	if ok || err != nil {
		return h, err
	}
	k, err := l.keys.Org(ctx, org)
	if err != nil {
		return nil, err
	}
	skey, vkey, err := note.GenerateKey(rand.Reader, "parley/"+strings.ToLower(id.New("log")))
	if err != nil {
		return nil, err
	}
	s := secrets{Signer: skey, Pseudonym: make([]byte, pseudonymBytes)}
	_, _ = rand.Read(s.Pseudonym) // never fails, see crypto/rand
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO audit_logs (org_id, vkey, secrets, size, peaks, last_ms) VALUES ($1, $2, $3, 0, $4, 0)
		ON CONFLICT (org_id) DO NOTHING`, org, vkey, k.Seal(secretsField, plain), []byte{}); err != nil {
		return nil, err
	}
	if h, ok, err = l.head(ctx, tx, org, true); err == nil && !ok {
		err = fault.New(fault.Internal, "The audit log of organisation %d could not be made.", org)
	}
	return h, err
}

// appendAll writes entries and gives the position of the first.
func (l *Log) appendAll(ctx context.Context, tx *db.Tx, org int64, entries []*entry) (first int64, err error) {
	h, err := l.begin(ctx, tx, org)
	if err != nil {
		return 0, err
	}
	p := l.pens.take(h)
	first = h.size
	rows := make([]row, len(entries))
	for i, e := range entries {
		if e.by == nil || !bytes.Equal(e.by.secret, p.secret) {
			if err := p.write(ctx, h.hasher, e); err != nil {
				return 0, err
			}
		}
		rows[i] = l.place(h, e)
		root, full := h.push(tlog.RecordHash([]byte(rows[i].leaf)))
		if !full {
			continue
		}
		if _, err := tx.Exec(ctx, `INSERT INTO audit_blocks (org_id, block, root) VALUES ($1, $2, $3)`, org, h.size/blockSize-1, root[:]); err != nil {
			return 0, err
		}
	}
	if err := insert(ctx, tx, org, rows); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, `UPDATE audit_logs SET size = $2, peaks = $3, last_ms = $4 WHERE org_id = $1`, org, h.size, h.encode(), h.last); err != nil {
		return 0, err
	}
	if first/checkpointEvery != h.size/checkpointEvery {
		_, err = l.sign(ctx, tx, h)
	}
	return first, err
}

// insertSizes are the numbers of rows that go into one statement, so that few statements are prepared.
var insertSizes = [...]int{64, 8, 1}

func insert(ctx context.Context, tx *db.Tx, org int64, rows []row) error {
	for _, n := range insertSizes {
		for len(rows) >= n {
			entries, secrets := make([]any, 0, 7*n), make([]any, 0, 3*n)
			for _, r := range rows[:n] {
				if flaw.On(flaw.EditedLog) {
					r.leaf = strings.Replace(r.leaf, `"result":"ok"`, `"result":"OK"`, 1)
				}
				entries = append(entries, org, r.n, r.at, r.action, r.actor, r.about, r.leaf)
				secrets = append(secrets, org, r.n, r.sealed)
			}
			if _, err := tx.Exec(ctx, `INSERT INTO audit_entries (org_id, n, at_ms, action, actor, about, leaf) VALUES `+db.Values(n, 7), entries...); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `INSERT INTO audit_secrets (org_id, n, sealed) VALUES `+db.Values(n, 3), secrets...); err != nil {
				return err
			}
			rows = rows[n:]
		}
	}
	return nil
}

// queue commits together what is recorded at the same moment: whoever comes first writes for all who wait.
type queue struct {
	mu      sync.Mutex
	waiting []*job
	writing sync.Mutex
}

// job is what one caller records.
type job struct {
	org     int64
	entries []*entry
	done    bool
	err     error
}

func (q *queue) add(ctx context.Context, l *Log, org int64, entries []*entry) error {
	j := &job{org: org, entries: entries}
	q.mu.Lock()
	q.waiting = append(q.waiting, j)
	q.mu.Unlock()
	q.writing.Lock()
	defer q.writing.Unlock()
	if j.done {
		return j.err
	}
	q.mu.Lock()
	group := q.waiting
	q.waiting = nil
	q.mu.Unlock()
	steady := context.WithoutCancel(ctx) // one caller's end is not that of the others
	err := l.write(steady, group)
	for _, j := range group {
		j.done, j.err = true, err
	}
	if err != nil && len(group) > 1 { // nobody pays for a neighbour's fault
		for _, j := range group {
			j.err = l.write(steady, []*job{j})
		}
	}
	return j.err
}

// write stores a group in one transaction.
func (l *Log) write(ctx context.Context, group []*job) error {
	byOrg, order := map[int64][]*entry{}, []int64{}
	for _, j := range group {
		if byOrg[j.org] == nil {
			order = append(order, j.org)
		}
		byOrg[j.org] = append(byOrg[j.org], j.entries...)
	}
	return l.db.Tx(ctx, func(tx *db.Tx) error {
		for _, org := range order {
			if _, err := l.appendAll(ctx, tx, org, byOrg[org]); err != nil {
				return err
			}
		}
		return nil
	})
}
