package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
)

// Schema holds the package's table, series "api".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

const (
	idempotencyHeader = "Idempotency-Key"
	maxIdempotencyKey = 255
	keepAnswers       = 24 * time.Hour
	// longestWrite is after what time a write that never ended counts as broken off, so that it can be tried again.
	longestWrite = 5 * time.Minute
	answerField  = "idempotency.answer"
)

// Delete removes what is kept of an organisation's writes.
func Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	_, err := tx.Exec(ctx, `DELETE FROM idempotency WHERE org_id = $1`, org)
	return err
}

// answer is what a write said.
type answer struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header"`
	Body   []byte            `json:"body"`
}

func (a *answer) write(w http.ResponseWriter) {
	for k, v := range a.Header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // the reader may be gone; the answer is kept
}

// taping keeps an answer instead of sending it.
type taping struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (t *taping) Header() http.Header { return t.header }

func (t *taping) WriteHeader(status int) {
	if t.status == 0 {
		t.status = status
	}
}

func (t *taping) Write(p []byte) (int, error) {
	t.WriteHeader(http.StatusOK)
	return t.body.Write(p)
}

func (t *taping) answer() *answer {
	a := &answer{Status: t.status, Header: map[string]string{}, Body: t.body.Bytes()}
	if a.Status == 0 {
		a.Status = http.StatusOK
	}
	for _, k := range []string{"Content-Type", "Location"} {
		if v := t.header.Get(k); v != "" {
			a.Header[k] = v
		}
	}
	return a
}

// write names one write with its key.
type write struct {
	org          account.OrgID
	key, request []byte
}

// once runs a write once for its key: the same key and request get the answer of the first time. Failures of ours are
// not kept, so that trying again can mend them.
func (s *API) once(o *operation, w http.ResponseWriter, r *http.Request, h http.HandlerFunc, body []byte) {
	ctx := r.Context()
	key := r.Header.Get(idempotencyHeader)
	if len(key) > maxIdempotencyKey {
		writeProblem(w, newProblem(http.StatusUnprocessableEntity, "The idempotency key is longer than 255 characters.",
			FieldProblem{Field: idempotencyHeader, In: "header", Detail: "Use a shorter key, such as a UUID."}))
		return
	}
	this := writeOf(callerOf(ctx), key, r, body)
	before, err := s.begin(ctx, this)
	if err != nil {
		if fault.KindOf(err) == fault.Conflict {
			w.Header().Set("Retry-After", "1")
		}
		writeProblem(w, s.problem(ctx, o, err))
		return
	}
	if before != nil {
		w.Header().Set("Idempotency-Replayed", "true")
		before.write(w)
		return
	}
	tape := &taping{header: http.Header{}}
	ended := false
	defer func() {
		if !ended { // the handler panicked
			s.forget(ctx, o, this)
		}
	}()
	h(tape, r)
	ended = true
	a := tape.answer()
	if a.Status >= http.StatusInternalServerError || a.Status == http.StatusTooManyRequests {
		s.forget(ctx, o, this)
	} else if err := s.keep(ctx, this, a); err != nil {
		s.Log.ErrorContext(ctx, "api answer not kept", "operation", o.id, "error", err)
	}
	a.write(w)
}

func writeOf(c *caller, key string, r *http.Request, body []byte) write {
	k := sha256.Sum256([]byte(c.id + "\n" + key))
	h := sha256.New()
	for _, part := range []string{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Content-Type")} {
		h.Write([]byte(strconv.Itoa(len(part)) + " " + part))
	}
	if body == nil { // an upload is not read ahead
		h.Write([]byte(strconv.FormatInt(r.ContentLength, 10)))
	}
	h.Write(body)
	return write{org: c.org.ID, key: k[:], request: h.Sum(nil)}
}

type kept struct {
	request, sealed []byte
	status          int
	created         int64
}

// begin notes that a write is under way, or gives the answer of the first time.
func (s *API) begin(ctx context.Context, this write) (*answer, error) {
	now := s.Now()
	var found *kept
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		found = nil
		if _, err := tx.Exec(ctx, `DELETE FROM idempotency WHERE org_id = $1 AND (created_ms < $2 OR (key = $3 AND status = 0 AND created_ms < $4))`,
			this.org, now.Add(-keepAnswers).UnixMilli(), this.key, now.Add(-longestWrite).UnixMilli()); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `INSERT INTO idempotency (org_id, key, request, status, created_ms) VALUES ($1, $2, $3, 0, $4) ON CONFLICT (org_id, key) DO NOTHING`,
			this.org, this.key, this.request, now.UnixMilli())
		if err != nil || n == 1 {
			return err
		}
		k, ok, err := db.One(ctx, tx, func(r db.Scanner) (k kept, err error) {
			return k, r.Scan(&k.request, &k.sealed, &k.status, &k.created)
		}, `SELECT request, answer, status, created_ms FROM idempotency WHERE org_id = $1 AND key = $2`, this.org, this.key)
		if ok {
			found = &k
		}
		return err
	})
	if err != nil || found == nil {
		return nil, err
	}
	return s.again(ctx, this, found)
}

// again is what a key that was used before gets.
func (s *API) again(ctx context.Context, this write, k *kept) (*answer, error) {
	if !bytes.Equal(k.request, this.request) {
		return nil, fault.New(fault.Invalid, "This idempotency key was used for another request within the last 24 hours. Make a new key for each write.")
	}
	if k.status == 0 {
		return nil, fault.New(fault.Conflict, "The first request with this idempotency key is still under way. Ask again in a second for its answer.")
	}
	keys, err := s.Keys.Org(ctx, int64(this.org))
	if err != nil {
		return nil, err
	}
	plain, err := keys.Open(answerField, k.sealed)
	if err != nil {
		return nil, err
	}
	a := &answer{}
	return a, json.Unmarshal(plain, a)
}

// keep keeps the answer; the caller may be gone, and will ask again.
func (s *API) keep(ctx context.Context, this write, a *answer) error {
	ctx = context.WithoutCancel(ctx)
	keys, err := s.Keys.Org(ctx, int64(this.org))
	if err != nil {
		return err
	}
	plain, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = s.DB.Exec(ctx, `UPDATE idempotency SET status = $3, answer = $4 WHERE org_id = $1 AND key = $2`,
		this.org, this.key, a.Status, keys.Seal(answerField, plain))
	return err
}

func (s *API) forget(ctx context.Context, o *operation, this write) {
	ctx = context.WithoutCancel(ctx)
	if _, err := s.DB.Exec(ctx, `DELETE FROM idempotency WHERE org_id = $1 AND key = $2`, this.org, this.key); err != nil {
		s.Log.ErrorContext(ctx, "api write not forgotten", "operation", o.id, "error", err)
	}
}
