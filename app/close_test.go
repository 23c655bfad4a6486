package app

import (
	"encoding/json"
	"strings"
	"testing"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/fault"
	"parley/trust/hold"
)

func TestAClosedOrganisationLeavesAReceiptAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	parley(t, dir, 0, "demo")
	p := open(t, dir)
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	orgs, err := p.Accounts.Orgs(t.Context())
	if err != nil || len(orgs) != 1 {
		t.Fatalf("%d organisations (%v)", len(orgs), err)
	}
	org := orgs[0]
	before, err := p.countRows(t.Context(), org.ID)
	if err != nil || before["calls"] == 0 || before["members"] == 0 || len(before) < 12 {
		t.Fatalf("before there is %v (%v)", before, err)
	}
	if err := p.retainAll(t.Context()); err != nil { // leaves runs and audit entries behind
		t.Fatal(err)
	}
	owner, err := p.Accounts.Owner(t.Context(), org.ID)
	if err != nil {
		t.Fatal(err)
	}
	as, err := p.Accounts.As(t.Context(), org.ID, owner.ID)
	if err != nil {
		t.Fatal(err)
	}
	h, err := p.Holds.Add(t.Context(), as, hold.Hold{Scope: hold.Case, Case: "CS 1", Categories: []string{"call.meta"}, Reason: "Suit", Owner: owner.ID, Ends: p.Now().AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	locked, err := p.Accounts.CloseOrg(t.Context(), as, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.closeDue(t.Context()); fault.KindOf(err) != fault.Conflict && (err == nil || !strings.Contains(err.Error(), h.ID)) {
		t.Errorf("a hold does not stop the closing: %v", err)
	}
	if _, err := p.Holds.Release(t.Context(), p.Accounts.Operator(locked), h.ID, "settled"); fault.KindOf(err) != fault.Denied {
		t.Errorf("releasing a hold while the organisation is being closed gave %v", err)
	}
	open := ok1[*account.Org](t)(p.Accounts.ReopenOrg(t.Context(), p.Accounts.Operator(locked)))
	ok1[*hold.Hold](t)(p.Holds.Release(t.Context(), p.Accounts.Operator(open), h.ID, "settled"))
	ok1[*account.Org](t)(p.Accounts.CloseOrg(t.Context(), p.Accounts.Operator(open), 0))
	if err := p.closeDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, err := p.countRows(t.Context(), org.ID); err != nil || len(left) != 0 {
		t.Errorf("left are %v (%v)", left, err)
	}
	keys, err := p.Keys.Orgs(t.Context())
	if err != nil || len(keys) != 1 || keys[0] != 0 {
		t.Errorf("keys are left of %v (%v)", keys, err)
	}
	var receipt string
	if err := p.DB.Row(t.Context(), `SELECT receipt FROM closed_organisations WHERE org_id = $1`, org.ID).Scan(&receipt); err != nil {
		t.Fatal(err)
	}
	key, err := p.Audit.Key(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	certified, _, err := audit.ReadCertified([]byte(receipt), key)
	if err != nil {
		t.Fatalf("the receipt does not verify: %v", err)
	}
	var c closing
	if err := json.Unmarshal(certified.Statement, &c); err != nil || c.Organisation != org.ID || c.Left != 0 || !c.Keys || c.Rows["calls"] != before["calls"] || c.AskedAt.IsZero() {
		t.Errorf("the receipt says %+v (%v)", c, err)
	}
	if c.BackupsEnd.Sub(c.AskedAt).Hours() > 30*24+1 {
		t.Errorf("backups end %s after it was asked", c.BackupsEnd.Sub(c.AskedAt))
	}
	if _, _, err := audit.ReadCertified([]byte(strings.Replace(receipt, `"left":0`, `"left":1`, 1)), key); err == nil {
		t.Error("a changed receipt verifies")
	}
	if strings.Contains(receipt, owner.Name) || owner.Email != "" && strings.Contains(receipt, owner.Email) {
		t.Error("the receipt names a person")
	}
}

// Every keeper has a rule, and everything that the policy speaks of and that is kept has a keeper.
func TestEveryKeeperFollowsARule(t *testing.T) {
	dir := t.TempDir()
	parley(t, dir, 0, "org", "create", "--name", "Asha", "--country", "IN", "--zone", "Asia/Kolkata", "--owner", "asha@example.com")
	p := open(t, dir)
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	st, err := p.Retain.Status(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	ruled := map[string]bool{}
	kept := map[string]bool{}
	for _, r := range st.Rules {
		for _, k := range r.Keepers {
			ruled[k] = true
		}
		if len(r.Keepers) > 0 {
			kept[r.Category] = true
		}
	}
	for _, name := range []string{"calls", "contacts", "notes and tags", "call-backs", "closed accounts", "former members", "sessions", "addresses of sessions", "mails", "audit log", "consents", "requests", "incidents", "imports", "unpaired phones"} {
		if !ruled[name] {
			t.Errorf("%s follow no rule", name)
		}
	}
	for _, category := range []string{"account", "org.member", "call.meta", "call.note", "contact", "correspondence", "consent", "request", "case", "audit", "weblog", "import.file", "device"} {
		if !kept[category] {
			t.Errorf("nobody lets %s go", category)
		}
	}
	for _, a := range st.Alarms {
		t.Errorf("an alarm on the first day: %+v", a)
	}
}
