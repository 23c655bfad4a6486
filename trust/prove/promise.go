package prove

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed promises.tsv
var promisesTSV string

// Kind says how a promise is kept.
type Kind string

// The kinds.
const (
	Enforced Kind = "E" // by the program while it runs
	Register Kind = "R" // by a register or page made from the policy document
	Attested Kind = "T" // by a person, with dated evidence
	Feature  Kind = "F" // by a feature that does what a policy describes
	Refused  Kind = "X" // stated by others; the policy lint refuses it
)

// core is the feature whose promises this version keeps; those of other features are open.
const core = "core"

// Promise is one line of the inventory.
type Promise struct {
	ID      string // P1 to P156
	Kind    Kind
	Feature string   // "core", or the feature it comes with
	Title   string   // what is promised
	Rule    string   // what keeps it
	Tests   []string // package.Test, as "go test" knows them
}

// Open tells whether the promise belongs to a feature that this version does not have.
func (p *Promise) Open() bool { return p.Feature != core }

// Kept tells whether the promise has a rule and a test.
func (p *Promise) Kept() bool { return p.Rule != "" && len(p.Tests) > 0 }

// Promises lists the inventory, P1 first.
func Promises() []Promise {
	var out []Promise
	for line := range strings.Lines(promisesTSV) {
		if line = strings.TrimRight(line, "\n"); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 6 {
			panic(fmt.Sprintf("promises.tsv: %q has %d fields", line, len(f))) // the file is ours, and tested
		}
		out = append(out, Promise{ID: f[0], Kind: Kind(f[1]), Feature: f[2], Title: f[3], Rule: f[4], Tests: strings.Fields(f[5])})
	}
	return out
}
