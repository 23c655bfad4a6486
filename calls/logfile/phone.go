package logfile

import (
	"strconv"
	"strings"
	"time"

	"parley/calls/call"
	"parley/platform/sheet"
)

// phoneCall is one row of Android's call log, as text. The exports of phones differ only in how they write it.
type phoneCall struct {
	number, date, duration, kind, presentation, name, subscription, component string
}

// record reads a row of Android's call log: date in milliseconds, duration in seconds, the codes of CallLog.Calls.
func (p *phoneCall) record() (*Record, *RowError) {
	ms, err := strconv.ParseInt(strings.TrimSpace(p.date), 10, 64)
	if err != nil {
		return nil, sheet.Refuse("date", p.date, "The date is no number of milliseconds since 1970. Correct it, or export the log again.")
	}
	talk, err := parseDuration(absent(p.duration), seconds)
	if err != nil {
		return nil, sheet.Refuse("duration", p.duration, "%s", err)
	}
	r := &Record{Start: time.UnixMilli(ms), Seconds: talk, Source: call.SourcePhone, Name: personName(p.name)}
	if code, err := strconv.Atoi(p.kind); err == nil {
		r.Type = call.TypeOf(code)
	}
	r.Direction = r.Type.Direction()
	if code, err := strconv.Atoi(p.presentation); err == nil {
		r.Presentation = call.PresentationOf(code)
	}
	if e := p.party(r); e != nil {
		return nil, e
	}
	p.line(r)
	return r, nil
}

// party keeps the number as written, or the reason why there is none. What the number itself says wins over the
// presentation, which some apps fill with 1 throughout.
func (p *phoneCall) party(r *Record) *RowError {
	number, hidden, e := numberText(p.number)
	if e != nil {
		e.Column = "number"
		return e
	}
	if r.Number = number; number != "" {
		return nil
	}
	if hidden != call.PresentationUnsaid && (hidden != call.PresentationUnknown || r.Presentation <= call.PresentationAllowed) {
		r.Presentation = hidden
	}
	return nil
}

// line tells SIMs apart by the subscription. The component is the same for all SIMs of a phone; another app's component
// means a call of that app.
func (p *phoneCall) line(r *Record) {
	r.Line = absent(p.subscription)
	component := absent(p.component)
	app, _, _ := strings.Cut(component, "/")
	switch {
	case component == "" || strings.Contains(app, "phone") || strings.Contains(component, "telephony") || strings.Contains(component, "telecom"):
	case r.Line == "" || messenger(app):
		r.Line = app
	}
	if messenger(app) {
		r.Source = call.SourceMessenger
	}
}

func messenger(app string) bool {
	for _, name := range [...]string{"whatsapp", "telegram", "viber", "skype", "securesms", "messenger", "tachyon", "line.android", "imo"} {
		if strings.Contains(app, name) {
			return true
		}
	}
	return false
}

// absent turns the words that exports write for a missing value into "".
func absent(s string) string {
	switch t := strings.TrimSpace(s); strings.ToLower(t) {
	case "null", "(null)", "none", "nil":
		return ""
	default:
		return t
	}
}

// personName is a contact's name, or "" for the words that mean none.
func personName(s string) string {
	name := absent(s)
	switch strings.ToLower(name) {
	case "(unknown)", "unknown", "unknown_caller", "unbekannt", "-", "–", "n/a", "अज्ञात":
		return ""
	}
	return strings.ReplaceAll(name, "\x00", "")
}

// maxNumber is the longest text that is kept as a number. E.164 allows 15 digits; SIP addresses are longer.
const maxNumber = 128

// numberText cleans what programs add to a number and leaves the number as written. A withheld number is "" with the
// reason. A number in scientific notation is recovered where its digits are all there.
func numberText(s string) (string, call.Presentation, *RowError) {
	t := strings.TrimSpace(s)
	if len(t) > maxNumber {
		return "", 0, sheet.Refuse("", s, "It is longer than any phone number. Check that the right column is mapped.")
	}
	if inner, ok := strings.CutPrefix(t, `="`); ok && strings.HasSuffix(inner, `"`) {
		t = strings.TrimSpace(strings.TrimSuffix(inner, `"`))
	}
	t = strings.TrimPrefix(strings.TrimPrefix(t, "'"), "tel:")
	if strings.IndexByte(t, 0) >= 0 {
		return "", 0, sheet.Refuse("", s, "It holds a NUL character, so the file is damaged here. Export it again.")
	}
	if p, hidden := withheld(t); hidden {
		return "", p, nil
	}
	if t[0] < '0' || t[0] > '9' || !strings.ContainsAny(t, "eE.,") {
		return t, call.PresentationUnsaid, nil
	}
	whole, sentence := sheet.WholeNumber(t)
	if sentence != "" {
		return "", 0, sheet.Refuse("", s, "%s", sentence)
	}
	return whole, call.PresentationUnsaid, nil
}

// withheld recognises the words that stand for a number that was not shown.
func withheld(t string) (call.Presentation, bool) {
	if len(t) > 0 && t[0] == '+' || len(t) > 40 || len(t) > 2 && sheet.Digits(t) {
		return 0, false
	}
	switch strings.ToLower(strings.Trim(t, "()<>[] ")) {
	case "", "-1", "null", "unknown", "unknown number", "unknown caller", "-", "–", "n/a", "na", "none", "no number", "unbekannt", "unbekannte nummer", "अज्ञात":
		return call.PresentationUnknown, true
	case "-2", "private", "private number", "withheld", "restricted", "anonymous", "hidden", "blocked number", "no caller id",
		"unterdrückt", "anonym", "privat", "private nummer", "निजी", "निजी नंबर", "छिपा हुआ":
		return call.PresentationRestricted, true
	case "-3", "payphone", "pay phone":
		return call.PresentationPayphone, true
	case "-4", "unavailable", "out of area", "not available":
		return call.PresentationUnavailable, true
	}
	return 0, false
}
