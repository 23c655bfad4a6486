package account_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"parley/account"
)

var update = flag.Bool("update", false, "write the golden files")

func TestWhoMayDoWhat(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "%-17s", "permission")
	for _, r := range account.Roles() {
		fmt.Fprintf(&b, " %15s", r)
	}
	b.WriteByte('\n')
	for _, p := range account.Permissions() {
		fmt.Fprintf(&b, "%-17s", p)
		for _, r := range account.Roles() {
			fmt.Fprintf(&b, " %15s", map[bool]string{true: "yes", false: "-"}[r.Can(p)])
		}
		b.WriteByte('\n')
		if p.Title() == "" || p.Sentence() == "" {
			t.Errorf("%s has no title or sentence", p)
		}
	}
	const golden = "testdata/permissions.txt"
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
		t.Errorf("the table of roles and permissions changed; look at it and run with -update:\n%s", b.String())
	}
}

func TestWhatIsNotInTheTableIsDenied(t *testing.T) {
	if account.Owner.Can("launch_rockets") || account.Role("emperor").Can(account.ReadOwn) || account.Role("").Can(account.ReadOwn) {
		t.Error("something that is in no table was allowed")
	}
	var nobody *account.Actor
	if nobody.Can(account.ReadOwn) || (&account.Actor{}).Can(account.ReadOwn) {
		t.Error("nobody was allowed something")
	}
	away := &account.Actor{Member: &account.Member{Role: account.Owner}}
	if away.Can(account.ReadOwn) {
		t.Error("a deactivated owner was allowed something")
	}
}

func TestRolesAreReadAsPeopleWriteThem(t *testing.T) {
	for word, want := range map[string]account.Role{"owner": account.Owner, " Privacy Officer ": account.PrivacyOfficer, "privacy-officer": account.PrivacyOfficer} {
		if got, err := account.ParseRole(word); got != want || err != nil {
			t.Errorf("%q is %q, %v; want %q", word, got, err, want)
		}
	}
	if _, err := account.ParseRole("boss"); err == nil {
		t.Error("the role boss was taken")
	}
	if _, err := account.ParseScopes([]string{"read_calls", "write_everything"}); err == nil {
		t.Error("an unknown scope was taken")
	}
}
