package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Finding is something wrong with a document.
type Finding struct {
	Line    int    `json:"line"` // from 1
	Rule    string `json:"rule"`
	Promise string `json:"promise"` // such as P53, or "" where the text itself cannot be read
	Reason  string `json:"reason"`
	Mend    string `json:"mend"` // what to do
}

// String is the finding on one line.
func (f Finding) String() string {
	promise := ""
	if f.Promise != "" {
		promise = " (" + f.Promise + ")"
	}
	return fmt.Sprintf("line %d: %s%s: %s %s", f.Line, f.Rule, promise, f.Reason, f.Mend)
}

// Findings are all that is wrong, in the order of the lines. As an error they say how much and where the first is.
type Findings []Finding

// Error says what is wrong; it is fit to be shown to whoever wrote the document.
func (fs Findings) Error() string {
	out := make([]string, len(fs))
	for i, f := range fs {
		out[i] = f.String()
	}
	return strings.Join(out, "\n")
}

// maxFindings is how many are listed: whoever sends a hostile document need not get a longer one back.
const maxFindings = 200

func (fs Findings) sorted() Findings {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Reason, b.Reason))
	})
	if more := len(fs) - maxFindings; more > 0 {
		last := Finding{fs[maxFindings].Line, "more", "", sentence("There are %d more findings.", more), "Mend those above first."}
		return append(slices.Clip(fs[:maxFindings]), last)
	}
	return fs
}

func sentence(format string, a ...any) string { return fmt.Sprintf(format, a...) }

func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(out, ", ")
}

// didYouMean proposes the known word that is nearest to a mistyped one.
func didYouMean(word string, known []string) string {
	best, distance := "", 3
	for _, k := range known {
		if d := editDistance(word, k); d < distance {
			best, distance = k, d
		}
	}
	if best != "" {
		return sentence("Did you mean %q?", best)
	}
	return sentence("Take it out. What is known here: %s.", strings.Join(known, ", "))
}

// editDistance counts the letters to change, add or take out to come from a to b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(row[j+1]+1, row[j]+1, change)
		}
	}
	return row[len(b)]
}
