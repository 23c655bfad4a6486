//go:build faults

package flaw

import "os"

// On tells whether a fault was switched in.
func On(f Flaw) bool { return os.Getenv("PARLEY_FAULT") == string(f) }
