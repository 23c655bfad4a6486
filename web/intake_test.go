package web_test

import (
	"bytes"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"parley/account"
	"parley/calls/device"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// sendList drops a file as a form of what it is to become.
func (b *browser) sendList(kind, name, content string) answer {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("kind", kind); err != nil {
		b.t.Fatal(err)
	}
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := part.Write([]byte(content)); err != nil {
		b.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		b.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+"/leads/imports/new", &body)
	if err == nil {
		r.Header.Set("Content-Type", form.FormDataContentType())
	}
	return b.do(r, err)
}

const leadList = "Name,Mobile,Email,Source\nAsha Rao,+919800000001,asha@example.com,Fair\nBina Khan,+919800000002,bina@example.com,Fair\nNobody,12,,Fair\n"

func TestAListComesInAndIsUndone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		o := w.owner()
		if got := o.get("/leads/imports"); !got.has("No list was imported yet") {
			t.Errorf("the list of imports is %d: %s", got.status, got.text)
		}
		if got := o.sendList("leads", "empty.csv", ""); got.status != http.StatusUnprocessableEntity && got.status != http.StatusBadRequest {
			t.Errorf("an empty file gave %d", got.status)
		}
		form := o.sendList("leads", "fair.csv", leadList).want(t, "the form", 200)
		if !strings.HasPrefix(form.path, "/leads/imports/files/") || !form.has("Mobile", "asha@example.com", `name="col-3"`) {
			t.Fatalf("the form at %s: %s", form.path, form.text)
		}
		fields := url.Values{"policy": {"skip"}, "give": {"nobody"}, "stage": {"sales/new"}, "tags": {"fair, pune"}, "col-0": {"name"}, "col-1": {"number"}, "col-2": {"email"}, "col-3": {"source"}, "date_order": {""}}
		dry := url.Values{"dry": {"1"}}
		maps.Copy(dry, fields)
		tried := o.post(form.path, dry).want(t, "the dry run", 200)
		if !tried.has("Nothing was stored", "Import") || !o.get("/leads/table").want(t, "the table", 200).has("0 leads") {
			t.Errorf("a dry run shows %s", tried.text)
		}
		done := o.post(form.path, fields).want(t, "the import", 200)
		if !done.has("**2**") && !done.has("<strong>2</strong> leads") {
			t.Errorf("the import shows %s", done.text)
		}
		if !done.has("Rows that were not taken", "12") {
			t.Errorf("the refused row is not shown: %s", done.text)
		}
		if got := o.get(done.path+"/rejected").want(t, "the refused rows", 200); !got.has("Nobody") {
			t.Errorf("the refused rows are %s", got.text)
		}
		id := done.path[strings.LastIndexByte(done.path, '/')+1:]
		if got := o.get("/leads/export?format=csv&import="+id).want(t, "the export", 200); !got.has("Asha", "Bina", "Fair") {
			t.Errorf("the export is %s", got.text)
		}
		if got := o.get("/contacts/export?format=vcf").want(t, "the cards", 200); strings.Count(got.text, "BEGIN:VCARD") != 2 {
			t.Errorf("the cards are %s", got.text)
		}
		if got := o.get("/leads/export?format=vcf"); got.status != http.StatusUnprocessableEntity && got.status != http.StatusBadRequest {
			t.Errorf("leads as cards gave %d", got.status)
		}
		o.post(done.path+"/undo", nil).want(t, "undoing", 200)
		if got := o.get("/leads/export?format=csv"); got.has("Asha") {
			t.Errorf("after undoing: %s", got.text)
		}
		if got := w.as(w.member(account.Agent, "Some agent")).get(done.path); got.status != http.StatusForbidden {
			t.Errorf("an agent was given %d", got.status)
		}
	}, schemas()...)
}

func TestHowLeadsAreWorkedOnIsArranged(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	o := w.owner()
	path := "/leads/settings/pipeline?key=sales"
	page := o.get(path).want(t, "the pipeline", 200)
	rev := regexp.MustCompile(`name="?rev"? value="?(\d+)`).FindStringSubmatch(page.text)
	if rev == nil {
		t.Fatal(page.text)
	}
	stages := url.Values{"rev": {rev[1]}, "title": {"Homes"}, "attempted": {"contacted"},
		"key-0": {"new"}, "title-0": {"Fresh"}, "chance-0": {"5"}, "place-0": {"1"},
		"key-1": {"contacted"}, "title-1": {"Contacted"}, "chance-1": {"20"}, "place-1": {"3"},
		"key-2": {"qualified"}, "title-2": {"Qualified"}, "gone-2": {"1"}, "place-2": {"3"},
		"title-7": {"Visited"}, "chance-7": {"15"}, "place-7": {"2"}}
	wrong := url.Values{"chance-0": {"500"}}
	for k, x := range stages {
		if wrong[k] == nil {
			wrong[k] = x
		}
	}
	if got := o.post(path, wrong); got.status == 200 || !got.has("500", "Visited") {
		t.Errorf("a chance of 500 gave %d", got.status)
	}
	half := maps.Clone(stages)
	half.Set("attempted", "qualified") // which the same form takes out: nothing of it is kept, so the next one is not stale
	if got := o.post(path, half); got.status == 200 || !got.has("no stage") {
		t.Errorf("leads that move to a stage that is taken out gave %d", got.status)
	}
	if got := o.post(path, stages).want(t, "saving", 200); !got.has("Homes", "Fresh (5%) → Visited (15%) → Contacted (20%)", "At the first attempt to call: Contacted") {
		t.Errorf("the settings show %s", got.text)
	}
	if got := o.post(path, stages); got.status != http.StatusConflict {
		t.Errorf("a stale form gave %d", got.status)
	}
	reasons := url.Values{"title-0": {"Nice people"}, "state-0": {"won"}, "place-0": {"1"}, "title-1": {"Moved away"}, "state-1": {"lost"}, "place-1": {"2"}}
	if got := o.post("/leads/settings/reasons", reasons).want(t, "the reasons", 200); !got.has("Nice people", "Moved away") || got.has("Bought elsewhere") {
		t.Errorf("the reasons show %s", got.text)
	}
	if got := o.post("/leads/settings/field?of=lead", url.Values{"title": {"Rooms"}, "kind": {"choice"}, "choices": {"one"}}); got.status == 200 || !got.has("2 to") {
		t.Errorf("a single choice gave %d", got.status)
	}
	if got := o.post("/leads/settings/field?of=lead", url.Values{"title": {"Rooms"}, "kind": {"choice"}, "choices": {"one\ntwo"}}).want(t, "the field", 200); !got.has("Rooms", "one, two") {
		t.Errorf("the fields show %s", got.text)
	}
	if got := o.get("/leads/new").want(t, "a new lead", 200); !got.has("Rooms", "Visited") {
		t.Errorf("a new lead does not ask for rooms")
	}
	made, err := w.Devices.AddLine(t.Context(), w.Org, device.NewLine{Agent: w.member(account.Agent, "Ravi Rao").Agent, Number: "9812300001"})
	if err != nil {
		t.Fatal(err)
	}
	line := "/leads/settings/line?line=" + string(made.ID)
	if got := o.post(line, url.Values{"incoming": {"1"}, "min_seconds": {"9999"}}); got.status == 200 {
		t.Errorf("9999 seconds gave %d", got.status)
	}
	if got := o.post(line, url.Values{"incoming": {"1"}, "min_seconds": {"30"}, "source": {"Hotline"}}).want(t, "the line", 200); !got.has("incoming calls", "Hotline") {
		t.Errorf("the lines show %s", got.text)
	}
}
