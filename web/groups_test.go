package web_test

import (
	"net/url"
	"testing"

	"parley/account"
	"parley/platform/db/dbtest"
)

func TestWhichGroupsPhonesSendIsSaidOnAPage(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	o := w.owner()
	o.get("/leads/settings").want(t, "nothing said", 200, "No contacts come from phones")
	const page = "/leads/settings/groups"
	o.post(page, url.Values{"rev": {"0"}, "groups": {"Customers\n\n Ümit & Söhne \nग्राहक\ncustomers"}}).want(t, "three groups", 200, "Customers", "Ümit & Söhne", "ग्राहक")
	o.post(page, url.Values{"rev": {"0"}, "groups": {"Dealers"}}).want(t, "a change of what was changed meanwhile", 409, "Somebody else changed the groups")
	o.post(page, url.Values{"rev": {"1"}, "groups": {"All contacts"}}).want(t, "everybody", 422, "stands for a whole address book", "All contacts</textarea>")
	o.get(page).want(t, "the form", 200, "Customers\nÜmit & Söhne\nग्राहक</textarea>")
	w.as(w.member(account.Agent, "Bina")).get(page).want(t, "an agent", 403, "")
	o.post(page, url.Values{"rev": {"1"}, "groups": {""}}).want(t, "none any more", 200, "No contacts come from phones")
}
