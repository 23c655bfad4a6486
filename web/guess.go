package web

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"parley/platform/fault"
)

// guesses counts, by network, the links that somebody tried and that were not made here.
type guesses struct {
	mu    sync.Mutex
	since time.Time
	count map[netip.Prefix]int
}

// mostGuesses is how many bad links one network may try in an hour. A whole office may stand behind one address.
const mostGuesses = 30

// check refuses a network that tried too many.
func (g *guesses) check(r *http.Request, now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Sub(g.since) >= time.Hour {
		g.since, g.count = now, map[netip.Prefix]int{}
	}
	if g.count[network(r)] >= mostGuesses {
		return fault.New(fault.TooMany, "Too many links that do not exist were tried from your network. Wait an hour, then open the link from your message again.")
	}
	return nil
}

// miss counts a bad link.
func (g *guesses) miss(r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count[network(r)]++
}

// network is where a request comes from: an address, or the /64 of an IPv6 customer.
func network(r *http.Request) netip.Prefix {
	addr, err := netip.ParseAddr(from(r).IP)
	if err != nil {
		return netip.Prefix{}
	}
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.WithZone("").Prefix(bits) // the length fits
	return p
}
