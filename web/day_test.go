package web_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"parley/account"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// A lead is made and moved, two people edit one contact, something is planned and done, and the contact goes.
func TestALeadFromTheFirstNoteToItsEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		o := w.owner()
		o.get("/leads").want(t, "an empty board", 200, "No leads yet")
		o.get("/day").want(t, "an empty day", 200, "Nothing waits for you")
		page := o.post("/leads/new", url.Values{"first": {"Meera"}, "last": {"Rao"}, "number": {"9812311111"}, "email": {"meera@example.com"}, "stage": {"sales/new"}, "value": {"1,25,000.50"}, "tags": {"solar"}}).
			want(t, "a new lead", 200, "Meera Rao", "₹1,25,000.50", "solar")
		o.post("/leads/new", url.Values{"first": {"Mira"}, "number": {"+91 98123 11111"}, "stage": {"sales/new"}}).want(t, "the same number again", 422, "Meera Rao is in your contacts already")
		o.post(page.path+"/move", url.Values{"stage": {"contacted"}, "rev": {"1"}, "back": {page.path}}).want(t, "the next stage", 200, "At <strong>Contacted</strong>")
		o.post(page.path+"/move", url.Values{"stage": {"proposal"}, "rev": {"1"}}).want(t, "a move of what was moved meanwhile", 409, "Owner")

		id := page.path[len("/leads/"):]
		o.post("/followups", url.Values{"lead": {id}, "kind": {"callback_promised"}, "due": {"2026-04-15T11:00"}, "text": {"Send the offer"}}).want(t, "a plan", 200, "Send the offer")
		o.post("/followups", url.Values{"lead": {id}, "kind": {"call"}, "due": {"2026-04-15T18:00"}, "text": {"card 4111 1111 1111 1111"}}).want(t, "a card number", 422, "")
		day := o.get("/day").want(t, "the day", 200, "Call-back promised", "Send the offer", "tel:+919812311111")
		plan := regexp.MustCompile(`/followups/fol_\w+`).FindString(day.text)
		o.get(plan+"/edit").want(t, "the form of a change", 200, "Send the offer", "2026-04-15T11:00")
		again := url.Values{"rev": {"1"}, "kind": {"callback_promised"}, "due": {"2026-04-15T11:30"}, "text": {"Send the offer"}, "unit": {"weekly"}, "every": {"2"}, "last": {"2026-09-30"}}
		o.post(plan+"/edit", again).want(t, "a change", 200, "Every 2 weeks until")
		o.get(plan).want(t, "what was changed", 200, "11:30")
		again.Set("due", "2026-04-15T11:45")
		o.post(plan+"/edit", again).want(t, "a change of what was changed meanwhile", 409, "Owner")
		again.Set("every", "99")
		o.post(plan+"/edit", again).want(t, "a repetition that is none", 422, "every 1 to 52")
		again.Set("rev", "2")
		again.Set("every", "2")
		again.Set("owner", string(w.member(account.Agent, "Dev").ID))
		o.post(plan+"/edit", again).want(t, "a colleague's", 200, "11:45", "Dev")
		o.get("/day").want(t, "the day of whoever gave it away", 200, "Nothing waits for you")
		me, err := w.Accounts.Owner(t.Context(), w.Org.ID)
		if err != nil {
			t.Fatal(err)
		}
		again.Set("rev", "3")
		again.Set("unit", "")
		again.Set("owner", string(me.ID))
		o.post(plan+"/edit", again).want(t, "taken over, once", 200, "11:45")
		o.post(plan+"/done", url.Values{"back": {"/day"}}).want(t, "done", 200, "Done.")
		o.post(plan+"/undo", nil).want(t, "taken back", 200, "To be done")
		o.post(plan+"/snooze", url.Values{"preset": {"tomorrow"}}).want(t, "put off", 200, "Put off.")
		link := regexp.MustCompile(`/calendar/plc_\w+`).FindString(o.post("/day/calendar", nil).want(t, "a calendar", 200, "").text)
		w.stranger().get(link).want(t, "the calendar of somebody without a session", 200, "BEGIN:VCALENDAR", "M.R.")
		o.post("/day/calendar/drop", nil)
		w.stranger().get(link).want(t, "a calendar that is off", 404, "")

		who := regexp.MustCompile(`/contacts/con_\w+`).FindString(page.text)
		first := url.Values{"rev": {"1"}, "first": {"Meera"}, "last": {"Rao-Iyer"}, "number": {"9812311111"}, "email": {"meera@example.com"}, "country": {"IN"}}
		o.post(who+"/edit", first).want(t, "a change", 200, "Rao-Iyer")
		first.Set("last", "Rao-Shah")
		o.post(who+"/edit", first).want(t, "a change of the same field at once", 409, "changed last")
		o.post(who+"/notes", url.Values{"note": {"Wants a call after Diwali"}}).want(t, "a note", 200, "after Diwali")
		w.fileStory(o, who, page.path)
		for _, q := range []string{"meera", "rao iy", "meera@example.com", "9812311111", "1111"} {
			o.get("/search?q="+url.QueryEscape(q)).want(t, "a search for "+q, 200, "Meera Rao-Iyer", who, page.path, "Lead at Contacted")
		}
		o.get("/search?q=diwali+call").want(t, "a search for words of a note", 200, "Wants a call after Diwali", "kind=note")
		agent := w.as(w.member(account.Agent, "Bina"))
		if found := agent.get("/search?q=meera").want(t, "a search of who does not see her", 200); found.has(who) {
			t.Error("the search shows a contact out of sight")
		}
		agent.get(who).want(t, "somebody else's contact", 404, "")
		agent.get(page.path).want(t, "somebody else's lead", 404, "")
		colleague := w.as(w.member(account.Manager, "Chitra"))
		colleague.post("/calling", url.Values{"number": {"+919812311111"}}).want(t, "somebody dials", 204)
		o.get(who).want(t, "a colleague is about to call", 200, "Chitra is about to call them", `data-dial="+919812311111"`)
		o.get(page.path).want(t, "the same on the lead", 200, "Chitra is about to call them")
		o.post("/followups", url.Values{"lead": {id}, "kind": {"call"}, "due": {"2026-04-15T11:50"}}).want(t, "another plan", 200, "")
		o.get("/day").want(t, "the same on the day", 200, "Chitra is about to call them")
		o.post("/calling", url.Values{"number": {"nonsense"}}).want(t, "a number that is none", 204)
		o.post(who+"/delete", nil).want(t, "the end", 200, "The contact was deleted")
		o.get(page.path).want(t, "the lead of nobody", 404, "")
		o.get("/day").want(t, "the day after", 200, "Nothing waits for you")
	}, schemas()...)
}

// fileStory files something about a contact, who has a lead, as the owner.
func (w *world) fileStory(o *browser, who, itsLead string) {
	t := w.t
	offer := []byte("%PDF-1.7 an offer")
	o.get(who).want(t, "a contact without files", 200, "No files yet")
	o.send(who+"/files", "file", "Angebot €.pdf", offer).want(t, "a file", 200, "“Angebot €.pdf” is kept.", "1 KB", "File kept")
	link := regexp.MustCompile(who + `/files/fle_\w+`).FindString(o.get(itsLead).want(t, "the lead", 200, "Angebot €.pdf").text)
	got := o.get(link).want(t, "the file", 200, "%PDF-1.7 an offer")
	if disposition := got.header.Get("Content-Disposition"); got.text != string(offer) || !strings.HasPrefix(disposition, "attachment") || got.header.Get("Content-Type") != "application/pdf" || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the file comes as %q, %v", disposition, got.header)
	}
	o.send(who+"/files", "file", "page.pdf", []byte("<!DOCTYPE html><script>alert(1)</script>")).want(t, "a page with a script", 200, "is of a kind that is not filed here")
	o.send(who+"/files", "file", "call.mp3", []byte("#!AMR\n a recording")).want(t, "a recording", 200, "recordings belong to calls")
	o.post(who+"/files", url.Values{}).want(t, "no file", 200, "Choose a file first")
	o.get(who+"?kind=file").want(t, "files alone", 200, "File kept")
	agent := w.as(w.member(account.Agent, "Divya"))
	agent.get(link).want(t, "a file about somebody else's contact", 404, "")
	viewer := w.as(w.member(account.Viewer, "Esha"))
	viewer.post(link+"/delete", nil).want(t, "a viewer deletes", 403, "")
	o.post(link+"/delete", url.Values{"back": {itsLead}}).want(t, "a file is deleted", 200, "“Angebot €.pdf” was deleted.", "No files yet")
	o.get(link).want(t, "the file that was", 404, "may have been deleted")
}
