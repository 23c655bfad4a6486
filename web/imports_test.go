package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/calltest"
	"parley/calls/device"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// drop sends a file as the form of the imports page does.
func (b *browser) drop(name, content string) answer {
	b.t.Helper()
	return b.send("/imports", "file", name, []byte(content))
}

// smsBackup is a file of n missed calls, an hour apart, that ends an hour before the World's noon.
func smsBackup(n int) string {
	var b strings.Builder
	b.WriteString(`<?xml version='1.0' encoding='UTF-8' standalone='yes' ?><calls count="` + fmt.Sprint(n) + `">`)
	for i := range n {
		fmt.Fprintf(&b, `<call number="+91981240%04d" duration="0" date="%d" type="3" presentation="1" contact_name="(Unknown)" />`, i, calltest.Start().Add(-time.Duration(i+1)*time.Hour).UnixMilli())
	}
	return b.String() + `</calls>`
}

// figures reads the tiles of an import's page: rows, new, known and, last, refused.
func figures(a answer) []string {
	var out []string
	for _, m := range regexp.MustCompile(`tile-figure"><span>([^<]*)</span>`).FindAllStringSubmatch(a.text, -1) {
		out = append(out, m[1])
	}
	return out
}

func TestADroppedFileIsTriedImportedAndUndone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		asha := w.Agent(t, "Asha")
		b := w.owner()
		asked := b.drop("calls-20260401.xml", smsBackup(5))
		if !strings.HasPrefix(asked.path, "/files/") || !asked.has("SMS Backup & Restore", "Asha") {
			t.Fatalf("the file led to %s", asked.path)
		}
		dry := b.post(asked.path, url.Values{"agent": {string(asha.ID)}, "dry": {"1"}})
		if got := figures(dry); len(got) != 4 || got[0] != "5" || got[1] != "5" || len(w.Rows(t)) != 0 {
			t.Fatalf("trying out showed %v and stored %d calls, want 5 new and none stored", got, len(w.Rows(t)))
		}
		real := b.post(asked.path, url.Values{"again": {"1"}})
		if got := figures(real); len(got) != 4 || got[1] != "5" || len(w.Rows(t)) != 5 {
			t.Fatalf("importing showed %v and stored %d calls, want 5", got, len(w.Rows(t)))
		}
		twice := b.drop("calls-20260401.xml", smsBackup(5))
		if got := figures(b.post(twice.path, url.Values{"agent": {string(asha.ID)}})); len(got) != 4 || got[1] != "0" || got[2] != "5" {
			t.Errorf("the same file again showed %v, want 0 new and 5 known", got)
		}
		if got := b.post(real.path+"/undo", nil); !got.has("5 calls were removed") || len(w.Rows(t)) != 0 {
			t.Errorf("undoing left %d calls", len(w.Rows(t)))
		}
	}, schemas()...)
}

func TestATableIsMappedByHandAndRemembered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		asha := w.Agent(t, "Asha")
		if _, err := w.Devices.AddLine(t.Context(), w.Org, device.NewLine{Agent: asha.Agent, Number: "+919812300001"}); err != nil {
			t.Fatal(err)
		}
		b := w.owner()
		table := "Call No,Rec No,Start,Dur (s)\n+919812300001,+919812400001,02/03/2026 10:00:00,30\n+919812400002,+919812300001,03/03/2026 11:00:00,12\nnonsense,,not a time,5\n"
		asked := b.drop("cdr.csv", table)
		if !asked.has("Call No", "Rec No", "What do the columns mean?") {
			t.Fatalf("the form does not ask about the columns:\n%s", asked.text)
		}
		form := url.Values{"col-0": {"caller"}, "col-1": {"caller"}, "col-2": {"start"}, "col-3": {"duration"}, "date_order": {"dmy"}, "zone": {"Asia/Kolkata"}, "ours": {"agents"}}
		if got := b.post(asked.path, form); got.status != http.StatusUnprocessableEntity || !got.has("cannot both be") {
			t.Errorf("two columns for one meaning gave %d", got.status)
		}
		form.Set("col-1", "callee")
		done := b.post(asked.path, form)
		if got := figures(done); len(got) < 4 || got[1] != "2" || got[len(got)-1] != "1" {
			t.Fatalf("showed %v, want 2 new and 1 refused", got)
		}
		if got := b.get(done.path + "/rejected"); !got.has("row,column,reason,value", "4,") {
			t.Errorf("the refused rows are\n%s", got.text)
		}
		if again := b.drop("cdr.csv", table); !again.has(`value="callee" selected`) {
			t.Error("the mapping was not remembered")
		}
	}, schemas()...)
}

func TestFilesThatCannotBeReadAreRefusedWithASentence(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		b := w.owner()
		for name, content := range map[string]string{
			"empty.csv": "", "calls.pdf": "%PDF-1.7 not a log", "bomb.xml": `<!DOCTYPE x [<!ENTITY a "aaaa">]><calls>&a;</calls>`,
		} {
			got := b.drop(name, content)
			if got.status != http.StatusUnprocessableEntity && got.status != http.StatusUnsupportedMediaType && got.status != http.StatusBadRequest {
				if !strings.HasPrefix(got.path, "/files/") { // an entity bomb is found when it is read
					t.Errorf("%s gave %d at %s", name, got.status, got.path)
				}
			}
		}
		if len(w.Rows(t)) != 0 {
			t.Error("something was stored")
		}
	}, schemas()...)
}

func TestAFileWaitsForItsSenderOnly(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	asked := w.owner().drop("calls.xml", smsBackup(1))
	for who, other := range map[string]*browser{"another admin": w.as(w.member(account.Admin, "Ravi Rao")), "another organisation": w.as(w.memberOf(w.NewOrg(t, "Other"), account.Admin, "Olga Other"))} {
		if got := other.get(asked.path); got.status != http.StatusNotFound {
			t.Errorf("%s got %d, want 404", who, got.status)
		}
	}
}

func TestAPhoneIsPairedSeenAndUnpaired(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		asha := w.Agent(t, "Asha")
		b := w.owner()
		if got := b.get("/devices"); !got.has("No phone is paired yet") {
			t.Error("the empty page does not say what would be here")
		}
		page := b.post("/devices/pair", url.Values{"agent": {string(asha.ID)}})
		code := regexp.MustCompile(`big-code" role="status">([^<]+)<`).FindStringSubmatch(page.text)
		if code == nil {
			t.Fatalf("no code was shown:\n%s", page.text)
		}
		phone, _, err := w.Devices.Pair(t.Context(), code[1], device.PairRequest{InstallID: "one", Name: "Asha's phone", Model: "Pixel 8a"})
		if err != nil {
			t.Fatal(err)
		}
		if got := b.get("/devices"); !got.has("Asha's phone", "1 phone") {
			t.Error("the paired phone is not listed")
		}
		if got := b.post("/devices/"+phone.ID+"/rename", url.Values{"name": {"Blue"}}); !got.has("Blue", "Pixel 8a") {
			t.Error("the phone's page lacks its new name")
		}
		if got := b.post("/devices/"+phone.ID+"/unpair", nil); got.path != "/devices" || !got.has("The phone is unpaired.") {
			t.Errorf("unpairing led to %s", got.path)
		}
		stranger := w.as(w.memberOf(w.NewOrg(t, "Other"), account.Owner, "Olga Other"))
		if got := stranger.get("/devices/" + phone.ID); got.status != http.StatusNotFound {
			t.Errorf("another organisation's phone gave %d, want 404", got.status)
		}
	}, schemas()...)
}

func TestWhatPhonesCollectIsSetAndChecked(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	b := w.owner()
	form := url.Values{"collect_from": {"2026-04-01"}, "track_days": {"1", "2"}, "hours": {"1"}, "track_from": {"09:30"}, "track_to": {"18:00"}, "battery": {"1"}}
	if got := b.post("/devices/settings", form); got.status != http.StatusOK || !got.has("2026-04-01", "09:30") {
		t.Errorf("saving gave %d", got.status)
	}
	s, err := w.Devices.Settings(t.Context(), w.Org.ID)
	if err != nil || !s.Battery || s.TrackFrom != 570 || s.TrackTo != 1080 || s.CollectFrom.String() != "2026-04-01" {
		t.Errorf("kept %+v, %v", s, err)
	}
	form.Set("collect_from", "yesterday")
	form.Set("track_to", "25:00")
	if got := b.post("/devices/settings", form); got.status != http.StatusUnprocessableEntity || !got.has("is not a day", "is not a time of day") {
		t.Errorf("nonsense gave %d", got.status)
	}
}
