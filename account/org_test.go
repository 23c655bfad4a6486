package account_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/fault"
)

func TestSignUpOpensAnOrganisation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := asha()
		s.Logo = append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 100)...)
		org, owner := w.signUp(s)
		if org.ID != 1 || org.Name != "Asha Traders" || org.ContactPhone != "+91 98123 00001" || org.Email != "asha@example.com" || org.Demo {
			t.Errorf("the organisation is %+v", org)
		}
		if org.Workdays != account.MondayToFriday || org.WorkFrom != 540 || org.WorkTo != 1080 || org.ConnectedFrom != 1 || org.GapMinutes != 15 || org.Locale != "en" {
			t.Errorf("the usual values are not filled in: %+v", org)
		}
		if _, offset := w.now.In(org.Location()).Zone(); offset != 19800 {
			t.Errorf("the organisation's zone is %d s off UTC, want 19800", offset)
		}
		if owner.Role != account.Owner || owner.Name != "Asha Patel" || owner.Agent != 0 || owner.JoinedAt.IsZero() {
			t.Errorf("the owner is %+v", owner)
		}
		if got := w.count(`SELECT accepted_ms FROM acceptances WHERE org_id = 1 AND member_id = $1 AND terms = $2 AND adult = 1`, owner.ID, account.Terms); int64(got) != w.now.UnixMilli() {
			t.Errorf("the terms were accepted at %d, want %d", got, w.now.UnixMilli())
		}
		if _, kind, err := w.Logo(t.Context(), org.ID); kind != "image/png" || err != nil {
			t.Errorf("the logo is %q, %v", kind, err)
		}
		if got := w.signIn(" ASHA@example.com ", secretWords); got.Member.ID != owner.ID {
			t.Errorf("signed in as %+v", got.Member)
		}
	})
}

func TestASignUpSaysAllThatIsWrongWithIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, _, err := w.SignUp(t.Context(), account.SignUp{Country: "Indien", Zone: "Mars/Base", Locale: "!", WorkFrom: 900, WorkTo: 800, Logo: []byte("<svg onload=x>")})
		got := map[string]bool{}
		for _, f := range fault.Fields(err) {
			got[f.Field] = true
		}
		for _, want := range []string{"name", "contact_name", "email", "country", "zone", "locale", "work_from", "logo", "accept_terms", "adult"} {
			if !got[want] {
				t.Errorf("nothing is said about %s: %v", want, err)
			}
		}
		for name, change := range map[string]func(*account.SignUp){
			"email":    func(s *account.SignUp) { s.Email = "Asha <asha@example.com>" },
			"password": func(s *account.SignUp) { s.Password = "ashatraders1" },
			"zone":     func(s *account.SignUp) { s.Zone = "Local" },
			"country":  func(s *account.SignUp) { s.Country = "419" },
			"name":     func(s *account.SignUp) { s.Company = strings.Repeat("x", 101) },
			"logo":     func(s *account.SignUp) { s.Logo = make([]byte, account.MaxLogo+1) },
		} {
			s := asha()
			change(&s)
			_, _, err := w.SignUp(t.Context(), s)
			if f := fault.Fields(err); len(f) != 1 || f[0].Field != name {
				t.Errorf("a bad %s gave %v", name, err)
			}
		}
		if n := w.count(`SELECT count(*) FROM organisations`) + w.count(`SELECT count(*) FROM credentials`); n != 0 {
			t.Errorf("refused sign-ups left %d rows", n)
		}
	})
}

func TestNobodySignsUpWithSomebodyElsesAddress(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.signUp(asha())
		again := asha()
		again.Company, again.Password = "Pirates", "fünf grüne papageien"
		_, _, err := w.SignUp(t.Context(), again)
		refused(t, "a known address with another password", err, fault.Invalid)
		again.Password = secretWords
		org, _ := w.signUp(again)
		if org.ID != 2 {
			t.Errorf("the second organisation has number %d", org.ID)
		}
	})
}

func TestSettingsAndLogoAreTheOrganisationsOwn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		org, owner := w.signUp(asha())
		other, err := w.CreateOrg(ctx, account.NewOrg{Name: "Other", Country: "de", Zone: "Europe/Berlin"})
		must(t, err)
		by := w.as(owner)
		s := org.Settings()
		s.Name, s.Locale, s.GapMinutes, s.Workdays = "Asha & Daughters", "hi", 20, account.Weekdays(0).With(time.Saturday)
		got, err := w.UpdateOrg(ctx, by, org.ID, s)
		must(t, err)
		if got.Settings() != s || !got.Workdays.Has(time.Saturday) || got.Workdays.Has(time.Sunday) {
			t.Errorf("the settings are %+v, want %+v", got.Settings(), s)
		}
		_, err = w.UpdateOrg(ctx, by, other.ID, s)
		refused(t, "another organisation's settings", err, fault.NotFound)
		refused(t, "another organisation's logo", w.SetLogo(ctx, by, other.ID, nil), fault.NotFound)
		s.ConnectedFrom = 601
		_, err = w.UpdateOrg(ctx, by, org.ID, s)
		refused(t, "a threshold of ten minutes", err, fault.Invalid)
		webp := []byte("RIFF\x00\x00\x00\x00WEBPVP8 ")
		must(t, w.SetLogo(ctx, by, org.ID, webp))
		if image, kind, err := w.Logo(ctx, org.ID); !bytes.Equal(image, webp) || kind != "image/webp" || err != nil {
			t.Errorf("the logo is %q, %v", kind, err)
		}
		must(t, w.SetLogo(ctx, by, org.ID, nil))
		_, _, err = w.Logo(ctx, org.ID)
		refused(t, "a removed logo", err, fault.NotFound)
		_, err = w.UpdateOrg(ctx, w.as(w.join(by, account.NewInvitation{Email: "m@example.com", Role: account.Manager})), org.ID, org.Settings())
		refused(t, "a manager's change of settings", err, fault.Denied)
	})
}

func TestAnOperatorFindsOrganisations(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, err := w.FindOrg(ctx, "")
		refused(t, "none yet", err, fault.NotFound)
		demo, err := w.CreateOrg(ctx, account.NewOrg{Name: "Demo", Country: "IN", Zone: "Asia/Kolkata", Demo: true})
		must(t, err)
		if got, err := w.FindOrg(ctx, ""); err != nil || got.ID != demo.ID || !got.Demo {
			t.Errorf("the only organisation is %v, %v", got, err)
		}
		first, err := w.CreateOrg(ctx, account.NewOrg{Name: "Asha Traders", Country: "IN", Zone: "Asia/Kolkata", OwnerEmail: "owner@example.com"})
		must(t, err)
		for _, said := range []string{"", "asha  traders", "2"} {
			if got, err := w.FindOrg(ctx, said); err != nil || got.ID != first.ID {
				t.Errorf("%q finds %v, %v", said, got, err)
			}
		}
		_, err = w.CreateOrg(ctx, account.NewOrg{Name: "ASHA Traders", Country: "IN", Zone: "Asia/Kolkata"})
		must(t, err)
		_, err = w.FindOrg(ctx, "")
		refused(t, "one of several", err, fault.Invalid)
		_, err = w.FindOrg(ctx, "Asha Traders")
		refused(t, "a name of two", err, fault.Conflict)
		_, err = w.FindOrg(ctx, "Nobody")
		refused(t, "a name of none", err, fault.NotFound)
		if all, err := w.Orgs(ctx); len(all) != 3 || err != nil {
			t.Errorf("%d organisations, %v; want 3", len(all), err)
		}
	})
}

func TestADeletedOrganisationLeavesNothingAndItsNumberIsNotUsedAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		keep, _ := w.signUp(asha())
		s := asha()
		s.Company = "Second"
		s.Logo = []byte("\xff\xd8\xff\xe0 jpeg")
		org, owner := w.signUp(s)
		team, err := w.CreateTeam(ctx, org.ID, "Sales")
		must(t, err)
		m := w.join(w.as(owner), account.NewInvitation{Email: "ravi@example.com", Role: account.Agent, Teams: []account.TeamID{team.ID}})
		w.signIn("ravi@example.com", secretWords)
		_, err = w.OneTimeLink(ctx, org.ID, m.ID, time.Hour)
		must(t, err)
		_, _, err = w.CreateToken(ctx, w.as(owner), account.NewToken{Name: "x", Scopes: []account.Permission{account.ReadCalls}})
		must(t, err)
		_, _, err = w.Invite(ctx, w.as(owner), account.NewInvitation{Email: "late@example.com", Role: account.Viewer})
		must(t, err)
		must(t, w.DeleteOrg(ctx, org.ID))
		for _, table := range []string{"organisations", "org_logos", "teams", "members", "team_members", "acceptances", "invitations", "sessions", "one_time_links", "tokens"} {
			if n := w.count(`SELECT count(*) FROM `+table+` WHERE org_id = $1`, org.ID); n != 0 {
				t.Errorf("%d rows are left in %s", n, table)
			}
		}
		if n := w.count(`SELECT count(*) FROM credentials`); n != 1 {
			t.Errorf("%d passwords are left, want the one of the person who belongs elsewhere", n)
		}
		if got := w.signIn("asha@example.com", secretWords); got.Org.ID != keep.ID {
			t.Errorf("signed in to %d", got.Org.ID)
		}
		refused(t, "deleting it twice", w.DeleteOrg(ctx, org.ID), fault.NotFound)
		if next, err := w.CreateOrg(ctx, account.NewOrg{Name: "Third", Country: "IN", Zone: "Asia/Kolkata"}); err != nil || next.ID != 3 {
			t.Errorf("the next organisation is %v, %v; want number 3", next, err)
		}
	})
}

func TestAddressesLieSealed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, owner := w.signUp(asha())
		w.signIn("asha@example.com", secretWords)
		_, _, err := w.Invite(t.Context(), w.as(owner), account.NewInvitation{Email: "new@example.com", Role: account.Viewer})
		must(t, err)
		for _, column := range []string{"email_sealed FROM members", "email_sealed FROM organisations", "contact_phone_sealed FROM organisations",
			"contact_name_sealed FROM organisations", "email_sealed FROM invitations", "from_sealed FROM sessions"} {
			var sealed []byte
			must(t, w.db.Row(t.Context(), `SELECT `+column).Scan(&sealed))
			for _, plain := range []string{"example.com", "98123", "Patel", "203.0.113"} {
				if len(sealed) == 0 || strings.Contains(string(sealed), plain) {
					t.Errorf("%s can be read: %q", column, sealed)
				}
			}
		}
	})
}
