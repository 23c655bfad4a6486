package api

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

func TestAWriteWithAKeyHappensOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		post := func(key string, body any) reply {
			return h.do(t, h.owner, http.MethodPost, root+"/teams", body, idempotencyHeader, key)
		}
		first := post("one", TeamName{"Sales"}).read(t, http.StatusCreated, nil)
		again := post("one", TeamName{"Sales"}).read(t, http.StatusCreated, nil)
		if first.text != again.text || again.Header.Get("Idempotency-Replayed") != "true" || again.Header.Get("Content-Type") != "application/json" {
			t.Errorf("the second answer is %s, %v", again.text, again.Header)
		}
		post("one", TeamName{"Service"}).problem(t, http.StatusUnprocessableEntity)
		post("two", TeamName{"Sales"}).problem(t, http.StatusConflict)
		if r := post("two", TeamName{"Sales"}); r.StatusCode != http.StatusConflict || r.Header.Get("Idempotency-Replayed") == "" {
			t.Errorf("a refusal is not given again: %d", r.StatusCode)
		}
		_, other := h.member(t, "Other", account.Admin)
		h.do(t, other, http.MethodPost, root+"/teams", TeamName{"Field"}, idempotencyHeader, "one").read(t, http.StatusCreated, nil)
		h.Clock.Advance(keepAnswers + time.Minute)
		post("one", TeamName{"Service"}).read(t, http.StatusCreated, nil)
		post(strings.Repeat("k", 256), TeamName{"X"}).problem(t, http.StatusUnprocessableEntity)
	})
}

func TestTheSameKeyAtTheSameTimeWritesOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var all sync.WaitGroup
		statuses := make([]int, 12)
		for i := range statuses {
			all.Go(func() {
				statuses[i] = h.do(t, h.owner, http.MethodPost, root+"/agents", NewAgent{Name: "Twin"}, idempotencyHeader, "twin").StatusCode
			})
		}
		all.Wait()
		for _, s := range statuses {
			if s != http.StatusCreated && s != http.StatusConflict {
				t.Errorf("status %d", s)
			}
		}
		agents, err := h.Accounts.Agents(t.Context(), h.Org.ID)
		if err != nil || len(agents) != 1 {
			t.Errorf("%d agents: %v", len(agents), err)
		}
	})
}

func TestAWriteThatBrokeOffCanBeTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, root+"/teams", nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &caller{org: h.Org, id: "token x"}
		if _, err := h.api.begin(t.Context(), writeOf(c, "k", r, []byte("x"))); err != nil {
			t.Fatal(err)
		}
		if _, err := h.api.begin(t.Context(), writeOf(c, "k", r, []byte("x"))); err == nil {
			t.Fatal("the second begins beside the first")
		}
		h.Clock.Advance(longestWrite + time.Second)
		if _, err := h.api.begin(t.Context(), writeOf(c, "k", r, []byte("x"))); err != nil {
			t.Errorf("after the first broke off: %v", err)
		}
	})
}

func TestKeptAnswersAreSealed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.do(t, h.owner, http.MethodPost, root+"/tokens", NewToken{Name: "CRM", Scopes: []string{"read_own"}}, idempotencyHeader, "k").read(t, http.StatusCreated, nil)
		all, err := db.Select(t.Context(), h.DB, func(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) }, `SELECT answer FROM idempotency WHERE org_id = $1`, h.Org.ID)
		if err != nil || len(all) != 1 || bytes.Contains(all[0], []byte("ply_")) {
			t.Errorf("kept in the clear: %q, %v", all, err)
		}
		if err := h.DB.Tx(t.Context(), func(tx *db.Tx) error { return Delete(t.Context(), tx, h.Org.ID) }); err != nil {
			t.Fatal(err)
		}
	})
}

func TestLimitsTellTheirState(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d, Limits{Token: 3, Address: 2, Failures: 2})
		var r reply
		for left := 2; left >= 0; left-- {
			r = h.do(t, h.owner, http.MethodGet, root+"/me", nil).read(t, http.StatusOK, nil)
			if got := r.Header.Get("RateLimit-Remaining"); got != strconv.Itoa(left) || r.Header.Get("RateLimit-Limit") != "3" || r.Header.Get("RateLimit-Reset") == "" {
				t.Errorf("remaining %s instead of %d", got, left)
			}
		}
		r = h.do(t, h.owner, http.MethodGet, root+"/me", nil)
		r.problem(t, http.StatusTooManyRequests)
		wait, err := strconv.Atoi(r.Header.Get("Retry-After"))
		if err != nil || wait != 20 {
			t.Errorf("Retry-After %q", r.Header.Get("Retry-After"))
		}
		h.Clock.Advance(time.Duration(wait) * time.Second)
		h.do(t, h.owner, http.MethodGet, root+"/me", nil).read(t, http.StatusOK, nil)
		for _, want := range []int{401, 401, 429} {
			if got := h.do(t, "ply_wrong", http.MethodGet, root+"/me", nil).StatusCode; got != want {
				t.Errorf("a wrong token: %d instead of %d", got, want)
			}
		}
		h.do(t, "", http.MethodGet, root+"/health", nil).read(t, http.StatusOK, nil)
		h.do(t, "", http.MethodGet, root+"/health", nil).read(t, http.StatusOK, nil)
		h.do(t, "", http.MethodGet, root+"/health", nil).problem(t, http.StatusTooManyRequests)
	}, seriesOf()...)
}

// TestGarbageNeverBreaksTheServer sends each operation what nobody should, with a token that may do everything.
func TestGarbageNeverBreaksTheServer(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dev := h.pairedPhone(t, h.Agent(t, "Ravi"))
		rng := rand.New(rand.NewPCG(7, 11))
		for _, route := range Routes() {
			for range 12 {
				token := h.owner
				if route.Needs == NeedsDevice {
					token = dev
				}
				path := concrete(route.Path)
				if rng.IntN(2) == 0 {
					path = strings.ReplaceAll(path, "none_1", oneOf(rng, "%00", "%ff%fe", "..", "-1", strings.Repeat("9", 400), "c_1_2_3", "%F0%9F%98%80", "1%27%20OR%201=1"))
				}
				path += oneOf(rng, "", "", "?limit=0", "?cursor=%00", "?from=2026-99-99&to=x", "?limit=99999999999999999999", "?q=%ff", "?agent=%00&type=,,", "?format=exe", "?a=b;c=%zz")
				r := h.do(t, token, route.Method, path, garbage(rng), "Content-Type", oneOf(rng, "application/json", "application/json; charset=utf-16", "text/plain", "a+b;c", "multipart/form-data", "multipart/form-data; boundary=x"),
					"Accept", oneOf(rng, "*/*", "application/cbor", "text/csv", ";;;", "application/json;q=x"), idempotencyHeader, oneOf(rng, "", "k", strings.Repeat("k", 300)))
				if r.StatusCode >= 500 {
					t.Fatalf("%s %s: %d %s\n%s", route.Method, path, r.StatusCode, r.text, h.log)
				}
				if r.StatusCode >= 400 {
					r.problem(t, r.StatusCode)
				}
			}
		}
	})
}

func oneOf(rng *rand.Rand, all ...string) string { return all[rng.IntN(len(all))] }

// garbage is a body: well-formed JSON of any shape, with names that operations know among others, or broken text.
func garbage(rng *rand.Rand) any {
	switch rng.IntN(8) {
	case 0:
		return nil
	case 1:
		return oneOf(rng, "", "{", "null", "[]", "{}", `"x"`, "\x00", "\xff\xfe", "--x\r\n\r\n", `{"a":1}{"b":2}`, "<calls/>")
	default:
		return value(rng, 0)
	}
}

func value(rng *rand.Rand, depth int) any {
	kind := rng.IntN(9)
	if depth == 0 {
		kind = 8
	}
	switch kind {
	case 0:
		return nil
	case 1:
		return rng.IntN(2) == 0
	case 2:
		return rng.Int64() - rng.Int64()
	case 3:
		return rng.NormFloat64() * 1e12
	case 4, 5:
		return oneOf(rng, "", "x", "mem_1", "2026-04-15", "2026-04-15T10:00:00Z", "owner", "\u0000", "नमस्ते", strings.Repeat("é", 300), "=cmd|' /C calc'!A0", "hidden", "99:99")
	case 6:
		if depth > 3 {
			return []any{}
		}
		out := []any{}
		for range rng.IntN(4) {
			out = append(out, value(rng, depth+1))
		}
		return out
	default:
		out := map[string]any{}
		if depth > 3 {
			return out
		}
		for range rng.IntN(6) {
			out[oneOf(rng, "name", "role", "teams", "agent", "number", "label", "sim_slot", "to", "at", "note", "tags", "ids", "calls", "start", "seconds", "type", "digests", "day", "count",
				"hash", "line", "code", "install_id", "sims", "scopes", "expires_at", "zone", "workdays", "work_from", "strength", "email", "corrections", "call", "id", "client_key",
				"waiting", "battery", "device_time", "track_days", "collect_from", "x")] = value(rng, depth+1)
		}
		return out
	}
}

func TestWhatIsNotAvailableNowSaysWhenToTryAgain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.api.work.close()
		asha := h.Agent(t, "Asha")
		r := h.do(t, h.owner, http.MethodPost, root+"/imports?agent="+string(asha.ID), backup, "Content-Type", "application/octet-stream")
		if p := r.problem(t, http.StatusServiceUnavailable); r.Header.Get("Retry-After") != "60" {
			t.Errorf("%v: %v", p, r.Header)
		}
	})
}

func TestWorkInTheBackgroundEndsWithTheAPI(t *testing.T) {
	var b background
	ctx, cancel := context.WithCancel(t.Context())
	began, ended := make(chan struct{}), make(chan error, 1)
	b.run(ctx, func(ctx context.Context) {
		close(began)
		<-ctx.Done()
		ended <- ctx.Err()
	})
	<-began
	cancel() // the request ends; the work goes on
	select {
	case <-ended:
		t.Fatal("the work ended with its request")
	default:
	}
	b.close()
	if len(ended) != 1 {
		t.Error("close did not wait")
	}
	if b.run(t.Context(), func(context.Context) { t.Error("work began after the end") }) {
		t.Error("work is taken after the end")
	}
}
