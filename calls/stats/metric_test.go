package stats_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/calls/stats"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The registry is what is published: a changed id, unit or definition is a change for everybody who reads figures.
func TestThePublishedMetrics(t *testing.T) {
	var b strings.Builder
	for _, m := range stats.Metrics() {
		fmt.Fprintf(&b, "%s (%s): %s\n\t%s\n", m.ID, m.Unit, m.Title, m.Definition)
		if m.List != "" {
			fmt.Fprintf(&b, "\tlists: %s\n", m.List)
		}
	}
	golden := filepath.Join("testdata", "metrics.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the registry says:\n%s\nand %s says otherwise. Run the test with -update if the change is meant.", b.String(), golden)
	}
}

func TestEveryMetricOfTheContractIsThere(t *testing.T) {
	contract := strings.Fields(`calls incoming outgoing missed rejected blocked voicemail connected connected_in connected_out talk_seconds
		not_picked_up unique_clients reached_clients new_clients never_attended_clients never_picked_up_clients working_span_seconds
		active_seconds connection_rate answer_rate`)
	seen := map[stats.MetricID]bool{}
	for _, m := range stats.Metrics() {
		if seen[m.ID] || m.Title == "" || m.Value == nil || m.Rows == nil || !strings.HasSuffix(m.Definition, ".") {
			t.Errorf("%s is there twice, or lacks a part", m.ID)
		}
		seen[m.ID] = true
	}
	for _, id := range contract {
		if !seen[stats.MetricID(id)] {
			t.Errorf("there is no metric %s", id)
		}
	}
}

func TestNothingCountedIsNoRate(t *testing.T) {
	for _, v := range new(stats.Figures).Values() {
		if v.Value != 0 || v.OK == (v.ID == "connection_rate" || v.ID == "answer_rate" || v.ID == "average_talk_seconds" || v.ID == "median_talk_seconds") {
			t.Errorf("%s of nothing is %v, %v", v.ID, v.Value, v.OK)
		}
	}
}
