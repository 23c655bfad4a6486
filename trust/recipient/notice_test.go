package recipient_test

import (
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/platform/vault"
	"parley/trust/policy"
	"parley/trust/recipient"
)

const desk = `recipients:
  desk:
    legal_name: Desk Ltd
    kind: processor
    country: "IN"
    contract: 2026-10-01
    policy_url: https://desk.example/privacy
    purposes: [call_ops]
    categories: [call.meta]
    fields: [call.meta/start]
    hosts: [api.desk.example]
`

// TestANewRecipientWaitsForItsNotice adds a recipient to a policy that has been in force for a while: nothing is sent there,
// and the register does not show it as in use, until the notice that the policy promises is over.
func TestANewRecipientWaitsForItsNotice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		clock := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
		now := func() time.Time { return clock }
		policies, by := office(t, d, now)
		o := recipient.New(recipient.Options{Policy: policies.Current, Now: now})
		send := func() error {
			_, err := o.Fields(t.Context(), by.Org.ID, "desk", "call_ops", map[string]any{"call.meta/start": 1})
			return err
		}
		text := policy.DefaultText(policy.Facts{Name: "Asha Traders", Address: "12 Ring Road, Pune", Country: "IN", Contact: "privacy@asha.example",
			Grievance: policy.Officer{Name: "Asha Verma", Email: "grievance@asha.example"}})
		publish(t, policies, by, text)
		clock = clock.AddDate(1, 0, 0)
		_, calls, _ := strings.Cut(text, "\n  call.meta:\n")
		calls, _, _ = strings.Cut(calls, "\n    rights:")
		more := strings.Replace(text, calls, calls+"\n    recipients: [desk]", 1)
		more = strings.Replace(more, "\nrights:", "\n"+desk+"rights:", 1)
		v := publish(t, policies, by, strings.Replace(more, "version: 1\n", "version: 2\n", 1))
		if days := v.Effective.Sub(clock).Hours() / 24; !v.Material || days < 15 {
			t.Fatalf("a new recipient is told %v days ahead", days)
		}
		if err := send(); fault.KindOf(err) != fault.Denied {
			t.Errorf("during the notice: %v", err)
		}
		if all, err := o.Register(t.Context(), by.Org.ID); err != nil || len(all) != 0 {
			t.Errorf("the register during the notice: %+v, %v", all, err)
		}
		clock = v.Effective
		if err := send(); err != nil {
			t.Errorf("after the notice: %v", err)
		}
		if all, err := o.Register(t.Context(), by.Org.ID); err != nil || len(all) != 1 || all[0].Problem != nil || all[0].Hosts[0] != "api.desk.example" {
			t.Errorf("the register after the notice: %+v, %v", all, err)
		}
	}, dbtest.Schema{Series: "account", Files: account.Schema}, dbtest.Schema{Series: "audit", Files: audit.Schema}, dbtest.Schema{Series: "policy", Files: policy.Schema})
}

func office(t *testing.T, d *db.DB, now func() time.Time) (*policy.Policies, *account.Actor) {
	t.Helper()
	master, err := vault.MasterText(strings.Repeat("QUFB", 10) + "QUE=")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.Open(t.Context(), t.TempDir(), master)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := keys.Close(); err != nil {
			t.Error(err)
		}
	})
	accounts := account.New(d, keys, now)
	org, err := accounts.CreateOrg(t.Context(), account.NewOrg{Name: "Asha Traders", Country: "IN", Zone: "Asia/Kolkata", OwnerName: "Asha", OwnerEmail: "asha@asha.example"})
	if err != nil {
		t.Fatal(err)
	}
	return policy.New(d, keys, accounts, audit.New(d, keys, now), now), accounts.Operator(org)
}

func publish(t *testing.T, p *policy.Policies, by *account.Actor, text string) *policy.Version {
	t.Helper()
	v, err := p.Publish(t.Context(), by, text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
