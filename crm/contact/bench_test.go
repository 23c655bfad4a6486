package contact_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/crmtest"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// syllables make names that many share, as real ones do.
func syllables() []string {
	return []string{"ra", "vi", "me", "na", "sha", "ku", "mar", "pri", "ya", "de", "lo", "tus", "an", "il", "ja", "go", "chi", "tra", "su", "ri"}
}

func aName(r *rand.Rand, parts int) string {
	var out strings.Builder
	for range parts {
		out.WriteString(syllables()[int(float64(len(syllables()))*r.Float64()*r.Float64())]) // the first ones more often
	}
	return out.String()
}

// people makes n contacts with a number, a company and an e-mail address each, in batches as an import does.
func people(b *testing.B, w *crmtest.World, n int) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	const batch = 5000
	for from := 0; from < n; from += batch {
		news := make([]contact.New, min(batch, n-from))
		for i := range news {
			x := from + i
			news[i] = contact.New{Origin: "import", Person: contact.Person{First: aName(r, 2), Last: aName(r, 3), Company: aName(r, 3) + " " + aName(r, 2),
				Numbers: []contact.Labelled{{Text: fmt.Sprintf("+9198%08d", x)}}, Emails: []contact.Labelled{{Text: fmt.Sprintf("p%d@example.com", x)}}}}
		}
		var done func()
		if err := w.DB.Tx(b.Context(), func(tx *db.Tx) (err error) {
			_, done, err = w.Contacts.AddMany(b.Context(), tx, w.Org, "", news)
			return err
		}); err != nil {
			b.Fatal(err)
		}
		done()
	}
}

// BenchmarkAddMany makes 100,000 contacts with a number each: at most 20 s.
func BenchmarkAddMany(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w := crmtest.New(b, dbtest.SQLite(b, crmtest.Schemas()...))
		b.StartTimer()
		people(b, w, 100_000)
	}
}

// BenchmarkSearch looks for people among as many contacts as PARLEY_BENCH_CONTACTS says (100,000 unless it is set): at most
// 50 ms each, among a million, too.
func BenchmarkSearch(b *testing.B) {
	n := 100_000
	if text := os.Getenv("PARLEY_BENCH_CONTACTS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	w := crmtest.New(b, dbtest.SQLite(b, crmtest.Schemas()...))
	people(b, w, n)
	member := "mem_nobody"
	if _, err := w.DB.Exec(b.Context(), `UPDATE contacts SET owner = $1 WHERE subject % 1000 = 7`, member); err != nil {
		b.Fatal(err)
	}
	own := contact.Sight{Members: []account.MemberID{account.MemberID(member)}}
	for _, q := range []struct {
		name, text string
		sight      contact.Sight
		found      bool
	}{
		{"two letters", "ra", contact.Sight{All: true}, true},
		{"common word", "rara", contact.Sight{All: true}, true},
		{"name", "ravi rame", contact.Sight{All: true}, true},
		{"nobody", "rara zz", contact.Sight{All: true}, false},
		{"common beginnings", "ra vi me na sha", contact.Sight{All: true}, false},
		{"long beginning", "rarara rara", contact.Sight{All: true}, true},
		{"long and rare", "raravimezz", contact.Sight{All: true}, false},
		{"own", "ra", own, true},
		{"own rare", "loloja ra", own, false},
		{"email", "p77@example.com", contact.Sight{All: true}, true},
		{"last four", "0077", contact.Sight{All: true}, true},
		{"whole number", "+919800000077", contact.Sight{All: true}, true},
	} {
		b.Run(q.name, func(b *testing.B) {
			var slowest time.Duration
			for b.Loop() {
				began := time.Now()
				ids, err := w.Contacts.Find(b.Context(), w.DB, w.Org.ID, q.sight, q.text, 20)
				if err != nil || q.found && len(ids) == 0 {
					b.Fatalf("%v %v", ids, err)
				}
				slowest = max(slowest, time.Since(began))
			}
			b.ReportMetric(float64(slowest.Microseconds())/1000, "slowest-ms")
		})
	}
}
