package api

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"parley/calls/ingest"
)

const backup = `<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>
<calls count="3">
  <call number="+919812345678" duration="65" date="1776227400000" type="1" presentation="1" contact_name="Meera" />
  <call number="9800000077" duration="0" date="1776229200000" type="3" presentation="1" contact_name="(Unknown)" />
  <call number="9800000077" duration="x" date="1776230000000" type="3" presentation="1" contact_name="null" />
</calls>`

func TestAFileIsImportedAndUndone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha := h.Agent(t, "Asha")
		q := url.Values{"agent": {string(asha.ID)}, "name": {"calls.xml"}}.Encode()
		raw := func() Import {
			var m Import
			r := h.do(t, h.owner, http.MethodPost, root+"/imports?"+q, backup, "Content-Type", "application/octet-stream")
			r.read(t, http.StatusAccepted, &m)
			h.api.work.wait()
			h.get(t, "/imports/"+m.ID, &m)
			return m
		}
		m := raw()
		if m.State != ingest.ImportDone || m.New != 2 || m.Refused != 1 || m.Format != "smsbackup" || m.Name != "calls.xml" {
			t.Fatalf("imported: %+v", m)
		}
		if again := raw(); again.New != 0 || again.Known != 2 {
			t.Errorf("the same file again: %+v", again)
		}
		r := h.get(t, "/imports/"+m.ID+"/rejected", nil)
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/csv") || !strings.Contains(r.text, "duration") {
			t.Errorf("rejected rows: %s", r.text)
		}
		var list Page[Import]
		h.get(t, "/imports?limit=1", &list)
		if len(list.Items) != 1 || list.Next == "" {
			t.Errorf("imports: %+v", list)
		}
		var u Undone
		h.send(t, http.MethodPost, "/imports/"+m.ID+"/undo", nil, http.StatusOK, &u)
		if u.Removed != 2 || u.Import.State != ingest.ImportUndone || len(h.Rows(t)) != 0 {
			t.Errorf("undone: %+v, %d rows left", u, len(h.Rows(t)))
		}
	})
}

// form is a multipart body of fields by turns and a file.
func form(t *testing.T, file, name string, fields ...string) ([]byte, string) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write([]byte(file)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), w.FormDataContentType()
}

const table = "Call No,Rec No,Start,Dur (s)\n9812300001,9812345678,15/04/2026 10:00,65\n9800000077,9812300001,15/04/2026 10:30,0\n"

func TestATableIsLookedAtAndImportedFromAForm(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha := h.Agent(t, "Asha")
		h.send(t, http.MethodPost, "/lines", NewLine{Agent: asha.ID, Number: "9812300001"}, http.StatusCreated, nil)
		body, kind := form(t, table, "cdr.csv")
		var g Guess
		h.do(t, h.owner, http.MethodPost, root+"/imports/detect", body, "Content-Type", kind).read(t, http.StatusOK, &g)
		if g.Format != "table" || len(g.Columns) != 4 || len(g.Sample) == 0 || g.Zoned || g.Known {
			t.Errorf("looked at: %+v", g)
		}
		body, kind = form(t, table, "cdr.csv", "map", "caller=Call No,callee=Rec No,start=Start,duration=Dur (s)", "date_order", "dmy", "zone", "Asia/Kolkata", "ours", "agents", "dry_run", "true")
		var m Import
		h.do(t, h.owner, http.MethodPost, root+"/imports", body, "Content-Type", kind).read(t, http.StatusAccepted, &m)
		h.api.work.wait()
		h.get(t, "/imports/"+m.ID, &m)
		if m.State != ingest.ImportDry || m.New != 2 || len(h.Rows(t)) != 0 || m.Name != "cdr.csv" {
			t.Errorf("rehearsed: %+v", m)
		}
		body, kind = form(t, table, "cdr.csv", "map", "caller=Call No,callee=Rec No,start=Start,duration=Dur (s)", "date_order", "dmy")
		h.do(t, h.owner, http.MethodPost, root+"/imports", body, "Content-Type", kind).read(t, http.StatusAccepted, &m)
		h.api.work.wait()
		if n := len(h.Rows(t)); n != 2 {
			t.Errorf("%d calls", n)
		}
		body, kind = form(t, table, "cdr.csv")
		h.do(t, h.owner, http.MethodPost, root+"/imports/detect", body, "Content-Type", kind).read(t, http.StatusOK, &g)
		if !g.Known || g.Map["caller"] != "Call No" {
			t.Errorf("the mapping is not remembered: %+v", g)
		}
	})
}

func TestUploadsThatCannotBeReadAreRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		noFile, kind := form(t, "", "")
		misspelt, kind2 := form(t, table, "x.csv", "maps", "x")
		for name, x := range map[string]struct {
			body   any
			kind   string
			query  string
			status int
			says   string
		}{
			"nothing":          {"", "application/octet-stream", "", 422, "empty"},
			"an empty part":    {noFile, kind, "", 422, "empty"},
			"a misspelt field": {misspelt, kind2, "", 422, `"maps"`},
			"no part":          {"--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b--\r\n", "multipart/form-data; boundary=b", "", 422, "no part named"},
			"half a form":      {"--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1", "multipart/form-data; boundary=b", "", 400, "broke off"},
			"no boundary":      {"x", "multipart/form-data", "", 400, "form"},
			"a form's words":   {"file=x", "application/x-www-form-urlencoded", "", 415, "--data-binary"},
			"a wrong format":   {table, "text/csv", "?format=word", 422, "smsbackup"},
			"a foreign agent":  {table, "text/csv", "?agent=mem_none", 404, "mem_none"},
			"a wrong ours":     {table, "text/csv", "?ours=mine", 422, "agents"},
			"binary":           {strings.Repeat("\x00\x01\x02", 500), "application/octet-stream", "", 422, ""},
		} {
			r := h.do(t, h.owner, http.MethodPost, root+"/imports"+x.query, x.body, "Content-Type", x.kind)
			if r.StatusCode == http.StatusUnsupportedMediaType && x.status == 422 {
				x.status = 415 // a file that is no call log is refused either way
			}
			if p := r.problem(t, x.status); !strings.Contains(p.Detail, x.says) {
				t.Errorf("%s: %s", name, p.Detail)
			}
		}
		if len(h.Rows(t)) != 0 {
			t.Error("something was kept")
		}
	})
}
