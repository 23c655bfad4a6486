package civil

import (
	_ "embed"
	"strings"
	"sync"
)

// zonesTab lists the zones by country: zone.tab of the time zone database (public domain), without its coordinates. The
// first zone of a country is its most usual one; where the database sorts by geography instead, lines were moved.
//
//go:embed zones.tab
var zonesTab string

// Zone is a time zone of the time zone database.
type Zone struct {
	Name    string // "Asia/Kolkata"
	Country string // where it is used, by its ISO 3166-1 code
	Main    bool   // the one most people of the country live in
}

var zones = sync.OnceValue(func() []Zone {
	var out []Zone
	last := ""
	for line := range strings.Lines(zonesTab) {
		country, name, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		out = append(out, Zone{Name: name, Country: country, Main: country != last})
		last = country
	}
	return out
})

// Zones lists the zones by country, the main zone of each first. The list is not to be changed.
func Zones() []Zone { return zones() }
