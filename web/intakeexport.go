package web

import (
	"net/http"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/intake"
	"parley/platform/fault"
	"parley/web/ui"
)

// listFile is what a list goes out as: format by the word of the address.
func listFile(word string, cards bool) (f intake.Format, kind, end string, err error) {
	switch {
	case word == "csv" || word == "":
		return intake.CSV, "text/csv; charset=utf-8", "csv", nil
	case word == "xlsx":
		return intake.XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", nil
	case word == "vcf" && cards:
		return intake.VCard4, "text/vcard; charset=utf-8", "vcf", nil
	case word == "vcf3" && cards:
		return intake.VCard3, "text/vcard; charset=utf-8", "vcf", nil
	case cards:
		return "", "", "", fault.Field("format", "%q is no format of contacts. Write csv, xlsx, vcf or, for old phones, vcf3.", word)
	default:
		return "", "", "", fault.Field("format", "%q is no format of leads. Write csv or xlsx.", word)
	}
}

// exportLeads writes the leads of the table, as it is filtered.
func exportLeads(v *visit) error {
	format, kind, end, err := listFile(v.query("format"), false)
	if err != nil {
		return err
	}
	d, err := v.desk()
	if err != nil {
		return err
	}
	f, wrong := d.tableFilter()
	if len(wrong) > 0 {
		return fault.New(fault.Invalid, "%s Nothing was exported.", wrong[0].Sentence)
	}
	if view := v.query("view"); view != "" {
		kept, err := v.Leads.View(v.ctx(), v.DB, v.org().ID, v.actor.Member.ID, view)
		if err != nil {
			return err
		}
		f = kept.Filter
	}
	out := &download{w: v.w, kind: kind, name: "leads-" + v.today().String() + "." + end}
	return v.sent(out, v.Intake.ExportLeads(v.ctx(), v.actor, f, format, out))
}

// exportContacts writes the contacts of the list, as it is filtered.
func exportContacts(v *visit) error {
	format, kind, end, err := listFile(v.query("format"), true)
	if err != nil {
		return err
	}
	out := &download{w: v.w, kind: kind, name: "contacts-" + v.today().String() + "." + end}
	return v.sent(out, v.Intake.ExportContacts(v.ctx(), v.actor, v.contactAsk(), format, out))
}

// contactAsk is the filter of the list of contacts, from the address.
func (v *visit) contactAsk() contact.Ask {
	ask := contact.Ask{Text: v.query("q"), Tag: v.query("tag"), Import: v.query("import"), Cursor: v.query("after"), Limit: pageRows, Count: true}
	switch o := v.query("owner"); o {
	case "":
	case "me":
		ask.Owner = &v.actor.Member.ID
	case "none":
		ask.Owner = new(account.MemberID)
	default:
		m := account.MemberID(o)
		ask.Owner = &m
	}
	return ask
}

// exports are the links to the files of a list; none for who may not have them.
func (v *visit) exports(path string, formats ...string) []ui.Link {
	if !v.actor.Can(account.ExportLeads) {
		return nil
	}
	var out []ui.Link
	for _, f := range formats {
		q := v.r.URL.Query()
		q.Del("after")
		q.Set("format", f)
		out = append(out, ui.Link{Title: v.t("intake.as." + f), Href: path + "?" + q.Encode()})
	}
	return out
}

// sent ends a download. Half a file that has left can be told from a whole one by nothing but a broken connection.
func (v *visit) sent(out *download, err error) error {
	if err != nil && out.begun {
		v.Log.Error("export broken off", "file", out.name, "err", err)
		panic(http.ErrAbortHandler)
	}
	if err == nil && !out.begun { // a file without a line
		_, err = out.Write(nil)
	}
	return err
}
