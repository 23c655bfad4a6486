package policy_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/trust/policy"
)

var update = flag.Bool("update", false, "write the expected findings anew")

// The examples carry traps of real policies; each is refused for its own and for nothing else.
func TestExamplesAreRefusedForExactlyTheirTraps(t *testing.T) {
	files, err := filepath.Glob("example/*.yaml")
	if err != nil || len(files) != 6 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	caught := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := policy.Check(text)
		for _, f := range found {
			caught[f.Promise] = true
			if f.Line < 1 || f.Reason == "" || f.Mend == "" {
				t.Errorf("%s: a finding without line, reason or mend: %v", file, f)
			}
		}
		if sound := file == "example/sound.yaml"; sound != (len(found) == 0) {
			t.Errorf("%s has %d findings:\n%v", file, len(found), found)
		}
		golden(t, strings.TrimSuffix(file, ".yaml")+".findings", found.Error())
	}
	for _, p := range []string{
		"P53", "P143", "P144", "P151", "P152", "P153", "P154", // what must not be copied
		"P24", "P27", "P76", "P77", "P81", "P89", "P92", "P94", "P99", "P122", "P124", "P125", "P126", "P134", "P136", "P137", "P138", "P140", "P147",
	} {
		if !caught[p] {
			t.Errorf("no example breaks %s", p)
		}
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSuffix(string(want), "\n") != got {
		t.Errorf("%s differs (go test -update writes it anew):\n%s", file, diffLines(string(want), got))
	}
}

func diffLines(want, got string) string {
	a, b := strings.Split(strings.TrimSuffix(want, "\n"), "\n"), strings.Split(got, "\n")
	var out []string
	for _, l := range a {
		if !slices.Contains(b, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range b {
		if !slices.Contains(a, l) {
			out = append(out, "+ "+l)
		}
	}
	return strings.Join(out, "\n")
}
