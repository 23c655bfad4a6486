package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/platform/audit"
)

// personText is a person with a number.
func personText(first, number string) ContactText {
	return ContactText{FirstName: &first, Numbers: &[]Labelled{{Text: number}}}
}

func TestContactsForPrograms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var own OwnField
		h.send(t, http.MethodPost, "/fields", NewField{Of: field.OfContact, Title: "Shoe size", Kind: field.Number}, http.StatusCreated, &own)
		n := NewContact{ContactText: personText("मीरा", "98123 00101")}
		n.Custom, n.Tags = []FieldValue{{own.Key, "38"}}, &[]string{"vip"}
		var c, twin Contact
		h.send(t, http.MethodPost, "/contacts", n, http.StatusCreated, &c)
		if c.FirstName != "मीरा" || c.Numbers[0].Text != "+919812300101" || c.Custom[0].Value != "38" || c.Origin != "api" || c.Owner != "" {
			t.Errorf("made %+v", c)
		}
		if p := h.do(t, h.owner, http.MethodPost, root+"/contacts", n).problem(t, http.StatusConflict); !strings.Contains(p.Detail, string(c.ID)) {
			t.Errorf("the contact who has the number is not named: %s", p.Detail)
		}
		for what, spoil := range map[string]func(*NewContact){
			"no number": func(x *NewContact) { x.Numbers = &[]Labelled{{Text: "12"}} }, "no address": func(x *NewContact) { x.Emails = &[]Labelled{{Text: "meera"}} },
			"no such field": func(x *NewContact) { x.Custom = []FieldValue{{"colour", "red"}} }, "no figure": func(x *NewContact) { x.Custom = []FieldValue{{own.Key, "big"}} },
			"a script": func(x *NewContact) { x.PhotoURL = new("javascript:alert(1)") }, "no such owner": func(x *NewContact) { x.Owner = "mem_none" },
		} {
			bad := NewContact{ContactText: personText("Bad", "98123 00199")}
			spoil(&bad)
			if p := h.do(t, h.owner, http.MethodPost, root+"/contacts", bad).problem(t, http.StatusUnprocessableEntity); p.Detail == "" {
				t.Errorf("%s is refused without a word", what)
			}
		}
		path := "/contacts/" + string(c.ID)
		h.do(t, h.owner, http.MethodPost, root+path+"/notes", NoteText{Text: "The card is 4111 1111 1111 1111"}).problem(t, http.StatusUnprocessableEntity)
		var note ContactNote
		h.send(t, http.MethodPost, path+"/notes", NoteText{Text: strings.Repeat("न🍋", 5000)}, http.StatusCreated, &note)
		h.send(t, http.MethodPut, path+"/notes/"+string(note.ID), NoteText{Text: "Likes lemons"}, http.StatusNoContent, nil)
		var notes Page[ContactNote]
		if h.get(t, path+"/notes", &notes); len(notes.Items) != 1 || notes.Items[0].Text != "Likes lemons" {
			t.Errorf("the notes are %+v", notes.Items)
		}

		h.fileStory(t, path)

		// Two change different fields, then the same.
		h.send(t, http.MethodPatch, path, ContactChange{Rev: c.Rev, ContactText: ContactText{Company: new("Iyer & Sons")}}, http.StatusOK, nil)
		h.send(t, http.MethodPatch, path, ContactChange{Rev: c.Rev, ContactText: ContactText{LastName: new("Iyer")}}, http.StatusOK, nil)
		h.do(t, h.owner, http.MethodPatch, root+path, ContactChange{Rev: c.Rev, ContactText: ContactText{Company: new("Other")}}).problem(t, http.StatusConflict)
		if h.get(t, path, &c); c.Company != "Iyer & Sons" || c.LastName != "Iyer" || c.Custom[0].Value != "38" || len(c.Tags) != 1 {
			t.Errorf("after both it is %+v", c)
		}

		// Merged and split again.
		h.send(t, http.MethodPost, "/contacts", NewContact{ContactText: ContactText{FirstName: new("मीरा"), LastName: new("Iyer"), Emails: &[]Labelled{{Text: "meera@example.org"}}}}, http.StatusCreated, &twin)
		var twins Page[Twin]
		if h.get(t, path+"/twins", &twins); len(twins.Items) != 1 || twins.Items[0].Contact.ID != twin.ID {
			t.Errorf("twins are %+v", twins.Items)
		}
		h.send(t, http.MethodPost, path+"/merge", OtherContact{twin.ID}, http.StatusOK, &c)
		if len(c.Emails) != 1 {
			t.Errorf("merged it is %+v", c)
		}
		h.do(t, h.owner, http.MethodPost, root+path+"/merge", OtherContact{c.ID}).problem(t, http.StatusUnprocessableEntity)
		var found Contact
		if h.get(t, "/contacts/"+string(twin.ID), &found); found.ID != c.ID {
			t.Errorf("who was merged leads to %s", found.ID)
		}
		h.send(t, http.MethodPost, "/contacts/"+string(twin.ID)+"/split", nil, http.StatusOK, &twin)
		h.send(t, http.MethodPost, path+"/apart", OtherContact{twin.ID}, http.StatusNoContent, nil)
		if h.get(t, path+"/twins", &twins); len(twins.Items) != 0 {
			t.Errorf("apart, twins are %+v", twins.Items)
		}
		var list Page[Contact]
		for query, want := range map[string]contact.ID{"q=" + url.QueryEscape("मीरा iy"): "", "q=0101": c.ID, "q=meera%40example.org": twin.ID, "tag=vip": c.ID, "owner=none&q=sons": c.ID, "q=nobody": "none"} {
			h.get(t, "/contacts?"+query, &list)
			switch {
			case want == "" && len(list.Items) != 2, want == "none" && len(list.Items) != 0, strings.HasPrefix(string(want), "con_") && (len(list.Items) != 1 || list.Items[0].ID != want):
				t.Errorf("%s finds %+v", query, list.Items)
			}
		}
		h.syncOne(t, h.pairedPhone(t, h.Agent(t, "Ravi")), SyncCall{Number: "98123 00101", Type: "incoming", Start: "2026-04-15T10:00:00+05:30", Seconds: 30, Name: "Ramesh Plumber"})
		h.send(t, http.MethodPost, "/leads", NewLead{Contact: c.ID}, http.StatusCreated, nil)
		owner, err := h.Accounts.Owner(t.Context(), h.Org.ID)
		if err != nil {
			t.Fatal(err)
		}
		var hits Found
		if h.get(t, "/search?q=00101", &hits); len(hits.Contacts) != 1 || len(hits.Leads) != 1 || len(hits.Numbers) != 1 || hits.Numbers[0].Last.Seconds != 30 {
			t.Errorf("a number finds %+v", hits)
		}
		if h.get(t, "/search?q=plumb+ram", &hits); len(hits.Contacts) != 0 || len(hits.Numbers) != 1 || hits.Numbers[0].Last.Seconds != 30 {
			t.Errorf("a name that a phone logged finds %+v", hits)
		}
		if h.get(t, "/search?q="+url.QueryEscape("मीरा"), &hits); len(hits.Contacts) != 2 || len(hits.Leads) != 1 || len(hits.Numbers) != 0 {
			t.Errorf("a name finds %+v", hits)
		}
		if h.do(t, h.token(t, h.Org, owner.ID, account.ReadLeads), http.MethodGet, root+"/search?q=00101", nil).read(t, http.StatusOK, &hits); len(hits.Numbers) != 0 {
			t.Errorf("without the scope of calls numbers are found: %+v", hits.Numbers)
		}
		h.get(t, "/search?q=00101", &hits)
		h.send(t, http.MethodPatch, "/calls/"+hits.Numbers[0].Last.ID, map[string]string{"note": "Lemons for the शादी"}, http.StatusOK, nil)
		if h.get(t, "/search?q="+url.QueryEscape("lemo शादी"), &hits); len(hits.Noted) != 1 || hits.Noted[0].Note != "Lemons for the शादी" || hits.Noted[0].Seconds != 30 || len(hits.Notes) != 0 {
			t.Errorf("words of a note of a call find %+v", hits)
		}
		if h.do(t, h.token(t, h.Org, owner.ID, account.ReadLeads), http.MethodGet, root+"/search?q=lemons", nil).read(t, http.StatusOK, &hits); len(hits.Noted) != 0 {
			t.Errorf("without the scope of calls notes of calls are found: %+v", hits.Noted)
		}
		if h.get(t, "/search?q="+url.QueryEscape("lemo likes"), &hits); len(hits.Notes) != 1 || hits.Notes[0].Text != "Likes lemons" || hits.Notes[0].Contact != c.ID {
			t.Errorf("words of a note find %+v", hits.Notes)
		}
		if h.get(t, "/search?q="+url.QueryEscape("न🍋न🍋"), &hits); len(hits.Notes) != 0 {
			t.Errorf("words that a note had before find %+v", hits.Notes)
		}
		h.do(t, h.owner, http.MethodGet, root+"/search?q=x", nil).problem(t, http.StatusUnprocessableEntity)
		card := h.get(t, "/contacts/export?format=vcard4&tag=vip", nil)
		if !strings.Contains(card.text, "BEGIN:VCARD") || !strings.Contains(card.text, "+919812300101") || strings.Count(card.text, "BEGIN:VCARD") != 1 {
			t.Errorf("the cards are %s", card.text)
		}
		kept, err := h.api.Contacts.Load(t.Context(), h.DB, h.Org.ID, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		seen, _, err := h.Log.List(t.Context(), int64(h.Org.ID), audit.Filter{About: kept[c.ID].Refs()[0].String(), Actions: []audit.Action{audit.ContactOpened}})
		if err != nil || len(seen) == 0 {
			t.Errorf("that somebody looked at the contact stands in no log: %v, %v", seen, err)
		}
	})
}

func TestWhoSeesWhichContactsAndLeadsForPrograms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha, ashas := h.member(t, "Asha", account.Agent)
		_, ravis := h.member(t, "Ravi", account.Agent)
		_, viewers := h.member(t, "Vera", account.Viewer)
		var l Lead
		h.do(t, ashas, http.MethodPost, root+"/leads", NewLead{Who: new(personText("Meera", "98123 00101")), LeadText: LeadText{Tags: &[]string{"hot"}}}).read(t, http.StatusCreated, &l)
		if l.Owner != asha.ID || l.Who == nil || l.Who.Owner != asha.ID {
			t.Errorf("whoever makes a lead has it: %+v", l)
		}
		other := h.NewOrg(t, "Bharat Traders")
		them, err := h.Accounts.Owner(t.Context(), other.ID)
		if err != nil {
			t.Fatal(err)
		}
		foreign := h.token(t, other, them.ID, account.Permissions()...)
		for _, x := range []struct {
			method, path string
			body         any
		}{
			{http.MethodGet, "/leads/" + string(l.ID), nil}, {http.MethodPatch, "/leads/" + string(l.ID), LeadChange{}}, {http.MethodPost, "/leads/" + string(l.ID) + "/move", LeadMove{}},
			{http.MethodPost, "/leads/" + string(l.ID) + "/close", LeadClose{State: "won"}}, {http.MethodGet, "/leads/" + string(l.ID) + "/timeline", nil}, {http.MethodGet, "/leads/" + string(l.ID) + "/history", nil},
			{http.MethodGet, "/contacts/" + string(l.Contact), nil}, {http.MethodGet, "/contacts/" + string(l.Contact) + "/timeline", nil}, {http.MethodPost, "/contacts/" + string(l.Contact) + "/notes", NoteText{"Hello"}},
			{http.MethodPost, "/follow-ups", NewFollowUp{Contact: l.Contact, DueAt: new(h.Now().Add(time.Hour))}},
		} {
			h.do(t, foreign, x.method, root+x.path, x.body).problem(t, http.StatusNotFound)
			h.do(t, ravis, x.method, root+x.path, x.body).problem(t, http.StatusNotFound)
			h.do(t, ashas, x.method, root+x.path, x.body)
		}
		h.do(t, ashas, http.MethodDelete, root+"/contacts/"+string(l.Contact), nil).problem(t, http.StatusForbidden)
		h.do(t, viewers, http.MethodPatch, root+"/leads/"+string(l.ID), LeadChange{}).problem(t, http.StatusForbidden)
		h.do(t, ashas, http.MethodPost, root+"/leads", NewLead{Who: new(personText("Sara", "98123 00102")), Owner: "mem_none"}).problem(t, http.StatusForbidden)
		var seen Page[Lead]
		for token, want := range map[string]int{ashas: 1, ravis: 0, viewers: 1, h.owner: 1} {
			if h.do(t, token, http.MethodGet, root+"/leads?tag=hot&state=won,open", nil).read(t, http.StatusOK, &seen); len(seen.Items) != want {
				t.Errorf("seen are %+v, want %d", seen.Items, want)
			}
		}
		for _, query := range []string{"state=lukewarm", "sort=colour", "limit=0", "due_before=soon"} {
			h.do(t, h.owner, http.MethodGet, root+"/leads?"+query, nil).problem(t, http.StatusUnprocessableEntity)
		}
		h.do(t, h.owner, http.MethodPost, root+"/leads", NewLead{}).problem(t, http.StatusUnprocessableEntity)
		h.do(t, h.owner, http.MethodPost, root+"/leads", `{"who":{"first_name":"X"},"custom":[{"key":"x","value":"1"}]}`).problem(t, http.StatusUnprocessableEntity)

		// Many at once, and back.
		for i := range 3 {
			h.send(t, http.MethodPost, "/leads", NewLead{Who: new(personText("More", "98123 0020"+string(rune('0'+i))))}, http.StatusCreated, nil)
		}
		var out BulkOutcome
		h.send(t, http.MethodPost, "/leads/bulk", LeadBulk{DryRun: true, LeadSelection: LeadSelection{Filter: &LeadFilter{Owners: []account.MemberID{"none"}}}, AddTags: []string{"given"}}, http.StatusOK, &out)
		if h.get(t, "/leads?tag=given", &seen); out.Changed != 3 || out.Bulk != "" || len(seen.Items) != 0 {
			t.Errorf("tried: %+v, %d changed", out, len(seen.Items))
		}
		h.send(t, http.MethodPost, "/leads/bulk", LeadBulk{LeadSelection: LeadSelection{Filter: &LeadFilter{Owners: []account.MemberID{"none"}}}, Owner: &asha.ID, AddTags: []string{"given"}}, http.StatusOK, &out)
		if out.Changed != 3 || len(out.Skipped) != 0 {
			t.Errorf("changed %+v", out)
		}
		var board Board
		h.do(t, ashas, http.MethodGet, root+"/lead-board?tag=given", nil).read(t, http.StatusOK, &board)
		if board.Columns[0].Count != 3 || len(board.Columns[0].Leads) != 3 {
			t.Errorf("the board has %+v", board.Columns[0])
		}
		h.send(t, http.MethodPost, "/leads/bulk/"+out.Bulk+"/undo", nil, http.StatusOK, &out)
		if h.get(t, "/leads?tag=given", &seen); out.Changed != 3 || len(seen.Items) != 0 {
			t.Errorf("taken back: %+v, %d left", out, len(seen.Items))
		}
	})
}

// fileStory files something about a contact.
func (h *house) fileStory(t *testing.T, of string) {
	t.Helper()
	const offer = "%PDF-1.7 an offer"
	var f ContactFile
	h.do(t, h.owner, http.MethodPost, root+of+"/files?name="+url.QueryEscape("Angebot €"), offer, "Content-Type", "application/octet-stream").read(t, http.StatusCreated, &f)
	if f.Name != "Angebot €.pdf" || f.Type != "application/pdf" || f.Size != int64(len(offer)) || f.By == "" || f.At == nil {
		t.Errorf("filed %+v", f)
	}
	got := h.get(t, of+"/files/"+string(f.ID), nil)
	if got.text != offer || got.Header.Get("Content-Type") != f.Type || !strings.HasPrefix(got.Header.Get("Content-Disposition"), "attachment; filename") {
		t.Errorf("the content is %q, %v", got.text, got.Header)
	}
	var all Page[ContactFile]
	if h.get(t, of+"/files", &all); len(all.Items) != 1 || all.Items[0].ID != f.ID {
		t.Errorf("the files are %+v", all.Items)
	}
	var line TimelinePage
	if h.get(t, of+"/timeline?kind=file", &line); len(line.Items) != 1 || line.Items[0].File == nil || line.Items[0].File.ID != f.ID {
		t.Errorf("the timeline has %+v", line.Items)
	}
	h.do(t, h.owner, http.MethodPost, root+of+"/files?name=a.html", "<!DOCTYPE html><script>alert(1)</script>", "Content-Type", "application/octet-stream").problem(t, http.StatusUnprocessableEntity)
	h.do(t, h.owner, http.MethodPost, root+of+"/files?name=a.pdf", offer+strings.Repeat("x", 10<<20), "Content-Type", "application/octet-stream").problem(t, http.StatusRequestEntityTooLarge)
	h.do(t, h.owner, http.MethodPost, root+"/contacts/con_none/files", offer, "Content-Type", "application/octet-stream").problem(t, http.StatusNotFound)
	h.send(t, http.MethodDelete, of+"/files/"+string(f.ID), nil, http.StatusNoContent, nil)
	h.do(t, h.owner, http.MethodGet, root+of+"/files/"+string(f.ID), nil).problem(t, http.StatusNotFound)
}
