package law

import (
	"testing"
	"time"
)

func BenchmarkHours(b *testing.B) {
	t, err := Load()
	if err != nil {
		b.Fatal(err)
	}
	at := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	for _, p := range []Place{{Country: "IN"}, {Country: "FR"}, {Country: "US", Region: "NY"}} {
		b.Run(p.String(), func(b *testing.B) {
			for b.Loop() {
				t.Hours(p, at, Promotion)
			}
		})
	}
}
