package app

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/reach/mail"
)

// TestOwnersGetACheckpointADay reads the mail as an owner would and verifies the log against it.
func TestOwnersGetACheckpointADay(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	link := regexp.MustCompile(`/invitation/(\S+)`).FindStringSubmatch(parley(t, dir, 0, "org", "create", "--name", "Asha Traders", "--country", "IN", "--zone", "Asia/Kolkata", "--owner", "asha@example.com"))
	p := open(t, dir)
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	now := time.Now()
	p.Now = func() time.Time { return now }
	p.Mail = mail.New(p.DB, p.Keys, mail.Server{Host: "mail.example"}, p.Now)
	p.Audit = audit.New(p.DB, p.Keys, p.Now)
	org, err := p.Accounts.Org(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	day := func() (sent []mail.Sent) {
		t.Helper()
		if err := p.Audit.Record(ctx, 1, audit.Entry{Action: audit.PolicyChanged}); err != nil {
			t.Fatal(err)
		}
		for range 3 { // the server looks every hour
			if err := p.mailCheckpoint(ctx, org); err != nil {
				t.Fatal(err)
			}
		}
		if sent, err = p.Mail.Recent(ctx, 1, 10); err != nil {
			t.Fatal(err)
		}
		return sent
	}
	if sent := day(); len(sent) != 0 {
		t.Errorf("an owner who has not joined got %d mails", len(sent))
	}
	if _, err := p.Accounts.Accept(ctx, link[1], account.Acceptance{Password: "neun lila elefanten", AcceptTerms: true, Adult: true}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(25 * time.Hour)
	sent := day()
	if len(sent) != 1 || sent[0].To != "asha@example.com" || !strings.Contains(sent[0].Subject, "Asha Traders") {
		t.Fatalf("%+v", sent)
	}
	point, ok := audit.FindCheckpoint(sent[0].Text)
	if !ok {
		t.Fatalf("there is no checkpoint in the mail: %s", sent[0].Text)
	}
	now = now.Add(24 * time.Hour)
	if sent := day(); len(sent) != 2 {
		t.Errorf("after two days there are %d mails", len(sent))
	}
	key, err := p.Audit.Key(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	var file strings.Builder
	if _, err := p.Audit.Export(ctx, 1, &file); err != nil {
		t.Fatal(err)
	}
	if v, err := audit.Verify(strings.NewReader(file.String()), audit.Known{Key: key, Checkpoints: []string{point}}); err != nil || !v.OK() || v.Checkpoints != 2 {
		t.Errorf("%+v, %v", v, err)
	}
	if !strings.Contains(sent[0].Text, key) {
		t.Error("the mail does not hold the key")
	}
}
