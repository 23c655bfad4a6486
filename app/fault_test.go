//go:build faults

package app

import (
	"log/slog"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/ingest"
	"parley/platform/audit"
	"parley/platform/flaw"
	"parley/trust/prove"
)

// proved makes an organisation with a few calls and a whole policy, and proves it.
func proved(t *testing.T) *prove.Report {
	t.Helper()
	dir := t.TempDir()
	held, err := takeLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Open(t.Context(), &Config{Data: dir, Listen: "localhost:0", SignUp: true}, held, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	org, err := p.Accounts.CreateOrg(t.Context(), account.NewOrg{Name: "Asha Traders", Country: "IN", Zone: "Asia/Kolkata", OwnerEmail: "owner@asha-traders.example"})
	if err == nil {
		err = p.demoPolicy(t.Context(), org)
	}
	if err != nil {
		t.Fatal(err)
	}
	agent, err := p.Accounts.AddAgent(t.Context(), org.ID, account.NewAgent{Name: "Asha"})
	if err != nil {
		t.Fatal(err)
	}
	line, err := p.Devices.DefaultLine(t.Context(), org, agent.Agent)
	if err != nil {
		t.Fatal(err)
	}
	var items []ingest.Item
	for i := range 5 {
		items = append(items, ingest.Item{Agent: agent.Agent, Line: line.No, Start: time.Now().Add(-time.Duration(i+1) * time.Hour), Number: "+9150123450" + strconv.Itoa(10+i),
			Direction: call.Incoming, Type: call.TypeIncoming, Seconds: 30, Source: call.SourcePBX, Presentation: call.PresentationAllowed})
	}
	if _, err := p.Writer.Put(t.Context(), org, items); err != nil {
		t.Fatal(err)
	}
	report, _, err := p.Prove(t.Context(), org, audit.Operator, func(int, int, string) {})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestAProofWithoutFaultsPasses(t *testing.T) {
	if r := proved(t); !r.Passed {
		for _, s := range r.Steps {
			t.Log(s.ID, s.Result, s.Failures)
		}
		t.Errorf("broken without any fault: %v", r.Broken())
	}
}

func TestEveryPlantedFaultIsFound(t *testing.T) {
	for fault, promises := range map[flaw.Flaw][]string{
		flaw.ClearNumber: {"P5", "P42", "P43"}, flaw.KeptKey: {"P92"}, flaw.KeptName: {"P6", "P92"}, flaw.NoTombstone: {"P87"},
		flaw.EditedLog: {"P64"}, flaw.KeptExpired: {"P72"}, flaw.OpenDoor: {"P122"}, flaw.ExtraColumn: {"P26"}, flaw.TrackingCookie: {"P22", "P117"},
		flaw.NoHold: {"P88"}, flaw.AnyPurpose: {"P27"}, flaw.OpenRestriction: {"P93"},
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Setenv("PARLEY_FAULT", string(fault))
			r := proved(t)
			for _, p := range promises {
				if r.Passed || !slices.Contains(r.Broken(), p) {
					t.Errorf("the fault is not found as a breach of %s; broken are %v", p, r.Broken())
				}
			}
			if len(r.Broken()) > 8 {
				for _, s := range r.Steps {
					t.Log(s.ID, s.Failures)
				}
				t.Errorf("the fault hides behind many: %v", r.Broken())
			}
			if err := os.Unsetenv("PARLEY_FAULT"); err != nil {
				t.Fatal(err)
			}
		})
	}
}
