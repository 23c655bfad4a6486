package web_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"parley/account"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/trust/policy"
	"parley/web"
)

// marked tells which fields of a page's forms are marked as optional.
func marked(page string) map[string]bool {
	out := map[string]bool{}
	for _, f := range regexp.MustCompile(`(?s)<(?:label for|legend|fieldset[^>]*id)="?f-([a-z_]+)"[^>]*>(.*?)</(?:label|legend|fieldset)>`).FindAllStringSubmatch(page, -1) {
		if _, seen := out[f[1]]; !seen {
			out[f[1]] = strings.Contains(f[2], `class="optional"`)
		}
	}
	return out
}

// P20: forms mark as optional just what the privacy policy does not list as required, and take nothing else for granted.
func TestFormsMarkWhatThePolicyRequires(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		shipped, err := policy.Shipped()
		if err != nil {
			t.Fatal(err)
		}
		profile := map[string]string{"name": "org.profile/name", "industry": "org.profile/industry", "country": "org.profile/country", "contact_phone": "org.profile/contact_phone", "logo": "org.profile/logo"}
		settings := map[string]string{"contact_name": "org.profile/contact_name", "email": "org.profile/email"}
		signUp := map[string]string{"contact_name": "org.member/name", "email": "account/email", "password": "account/password"}
		for field, of := range profile {
			settings[field], signUp[field] = of, of
		}
		secret, _, err := w.Accounts.Invite(t.Context(), w.Accounts.Operator(w.Org), account.NewInvitation{Email: "ravi@example.com", Role: account.Manager})
		if err != nil {
			t.Fatal(err)
		}
		owner, stranger := w.owner(), w.stranger()
		for _, f := range []struct {
			b      *browser
			path   string
			fields map[string]string
		}{
			{stranger, "/sign-up", signUp},
			{owner, "/settings", settings},
			{owner, "/people/add", map[string]string{"name": "org.member/name", "email": "org.member/email", "teams": "org.member/teams"}},
			{owner, "/people/invite", map[string]string{"email": "account/email", "role": "org.member/role"}},
			{stranger, web.InvitationPath(secret), map[string]string{"name": "org.member/name", "password": "account/password"}},
		} {
			marks := marked(f.b.get(f.path).want(t, f.path, 200).text)
			for field, of := range f.fields {
				category, key, _ := strings.Cut(of, "/")
				in := shipped.Category(category).Fields[key]
				optional, there := marks[field]
				if field == "teams" && !there { // nobody made a team yet
					continue
				}
				if in == nil || !there || optional == in.Required {
					t.Errorf("%s: the field %s is there %v and optional %v; the policy has %s as %+v", f.path, field, there, optional, of, in)
				}
			}
		}
		form := signUpForm()
		for field := range marked(stranger.get("/sign-up").text) {
			if shippedOptional := profile[field] != "" && !shipped.Category("org.profile").Fields[field].Required; shippedOptional {
				form.Del(field)
			}
		}
		stranger.post("/sign-up", form).want(t, "signing up with what is required alone", 200, "Meera Homes is open")
		owner.post("/people/add", url.Values{"name": {"Bina"}}).want(t, "an agent with a name alone", 200, "Bina")
	}, schemas()...)
}
