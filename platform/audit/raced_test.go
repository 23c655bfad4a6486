//go:build race

package audit_test

// raced tells that the race detector runs, which makes everything many times slower.
const raced = true
