package web

import (
	"mime"
	"net/http"

	"parley/account"
	"parley/calls/report"
)

// exportFormats are those that pages offer.
func exportFormats() []report.Format { return []report.Format{report.CSV, report.XLSX, report.JSON} }

// exportRoutes has a line for each report in each format.
func (s *site) exportRoutes() []route {
	var out []route
	for _, id := range report.IDs() {
		for _, f := range exportFormats() {
			out = append(out, route{"GET /reports/" + string(id) + "." + string(f), account.ExportCalls, func(v *visit) error { return v.export(id, f) }})
		}
	}
	return out
}

// export writes a report as a file. The first byte is only sent once there is something to send, so that a report that
// cannot be made gets a page that says why.
func (v *visit) export(id report.ID, f report.Format) error {
	ask, err := report.AskFromQuery(v.r.URL.Query())
	if err != nil {
		return err
	}
	view, err := v.Reports.View(v.ctx(), v.actor, ask, account.ExportCalls)
	if err != nil {
		return err
	}
	sheet, err := v.Reports.Sheet(v.ctx(), view, id)
	if err != nil {
		return err
	}
	out := &download{w: v.w, kind: f.ContentType(), name: sheet.FileName(f)}
	err = sheet.Write(v.ctx(), out, f)
	if err != nil && out.begun {
		// Half a file has left; a broken connection is the one way to say that it is not whole.
		v.Log.Error("export broken off", "report", string(id), "format", string(f), "err", err)
		panic(http.ErrAbortHandler)
	}
	return err
}

// download is a response that becomes a file with its first byte.
type download struct {
	w          http.ResponseWriter
	kind, name string
	begun      bool
}

func (d *download) headers() {
	h := d.w.Header()
	h.Set("Content-Type", d.kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": d.name}))
	h.Set("Cache-Control", "private, no-store")
}

func (d *download) Write(p []byte) (int, error) {
	if !d.begun {
		d.begun = true
		d.headers()
		d.w.WriteHeader(http.StatusOK)
	}
	return d.w.Write(p)
}
