//go:build !faults

package flaw

// On tells whether a fault was switched in.
func On(Flaw) bool { return false }
