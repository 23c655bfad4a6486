package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/web/phrase"
	"parley/web/region"
	"parley/web/ui"
)

// form is a page, or the part of one, that asks something: fields under headings, and a button.
type form struct {
	ui.Frame
	Action   string // where it is sent; the page's own address when empty
	Sections []section
	Hidden   []ui.Param
	Submit   string // what the button says
	Files    bool   // a file can be sent with it
	Danger   bool   // what the button does cannot be undone
}

// section is some fields of a form under a heading.
type section struct {
	Title  string // "" for none
	Text   string
	Link   *ui.Link // to read more, in a window of its own
	Fields []ui.Field
}

// mark writes what is wrong with each field beside it.
func (p *form) mark() {
	for _, s := range p.Sections {
		for i := range s.Fields {
			s.Fields[i].Error = p.Wrong(s.Fields[i].Name)
		}
	}
}

// Asks tells whether one of the form's fields has to be mended: what it is folded away in is open then.
func (p *form) Asks() bool {
	for _, s := range p.Sections {
		if slices.ContainsFunc(s.Fields, func(f ui.Field) bool { return f.Error != "" }) {
			return true
		}
	}
	return false
}

// marker is a page with fields that say what is wrong with them.
type marker interface{ mark() }

// readFiles reads a form that may carry a file of at most most bytes, which leaves the other fields readable.
func (v *visit) readFiles(most int64) error {
	kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return nil //nolint:nilerr // a plain form brings no file
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, most+maxForm)
	err = v.r.ParseMultipartForm(most + maxForm)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return fault.Wrap(fault.TooLarge, err, "The file is too large: at most %d KB fit. Choose a smaller one.", most>>10)
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "The form did not arrive whole. Send it again.")
	}
	return nil
}

// file gives the bytes of a small file of the form, nil when none was chosen.
func (v *visit) file(name string, most int64) ([]byte, error) {
	f, _, err := v.r.FormFile(name)
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "The file did not arrive whole. Send it again.")
	}
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	return b, errors.Join(err, f.Close())
}

// minutes reads a time of day as minutes after midnight. The end of a day may be written 24:00 or 00:00.
func minutes(text string, end bool) (int, bool) {
	h, m, ok := strings.Cut(text, ":")
	hour, err1 := strconv.Atoi(h)
	minute, err2 := strconv.Atoi(m)
	if !ok || err1 != nil || err2 != nil || hour < 0 || minute < 0 || minute > 59 || hour*60+minute > 24*60 {
		return 0, false
	}
	if end && hour*60+minute == 0 {
		return 24 * 60, true
	}
	return hour*60 + minute, true
}

// clockField writes minutes after midnight for an input of the type time, which knows no 24:00.
func clockField(minutes int) string {
	return time.Date(2000, 1, 1, 0, minutes, 0, 0, time.UTC).Format("15:04")
}

// time reads a field with a time of day.
func (v *visit) time(name string, end bool) (int, error) {
	m, ok := minutes(v.form(name), end)
	if !ok {
		return 0, fault.Field(name, "%q is not a time of day. Write hours and minutes, for example 09:30.", v.form(name))
	}
	return m, nil
}

// lastMoment reads a field with a day as that day's end; zero when it is empty.
func (v *visit) lastMoment(name string) (time.Time, error) {
	if v.form(name) == "" {
		return time.Time{}, nil
	}
	d, err := civil.Parse(v.form(name))
	if err != nil {
		return time.Time{}, fault.Field(name, "%s", fault.Sentence(err))
	}
	return (d + 1).Start(v.org().Location()), nil
}

// weekdays reads the ticked days of the field.
func (v *visit) weekdays(name string) account.Weekdays {
	var days account.Weekdays
	for _, d := range v.r.PostForm[name] {
		if n, err := strconv.Atoi(d); err == nil && n >= 0 && n < 7 {
			days = days.With(time.Weekday(n))
		}
	}
	return days
}

// whole reads a field with a whole number.
func (v *visit) whole(name string) (int, error) {
	n, err := strconv.Atoi(v.form(name))
	if err != nil {
		return 0, fault.Field(name, "%q is not a whole number. Write digits only, for example 15.", v.form(name))
	}
	return n, nil
}

// weekday is the day of a place in the week, which begins on Monday.
func weekday(place int) time.Weekday { return time.Weekday((place + 1) % 7) }

// weekdaysField asks for days of the week, Monday first.
func weekdaysField(p *phrase.Phrases, name, label string, days account.Weekdays) ui.Field {
	f := ui.Field{Name: name, Label: label, Type: "checks", Row: true}
	for i := range 7 {
		d := weekday(i)
		value := strconv.Itoa(int(d))
		f.Options = append(f.Options, ui.Option{Value: value, Title: p.Weekday(d)})
		if days.Has(d) {
			f.Values = append(f.Values, value)
		}
	}
	return f
}

func countryField(p *phrase.Phrases, country string) ui.Field {
	f := ui.Field{Name: "country", Label: p.T("org.country"), Help: p.T("org.country.help"), Type: "select", Size: "medium", Value: country, Complete: "country"}
	for _, c := range region.Countries(p.Lang()) {
		f.Options = append(f.Options, ui.Option{Value: c.Code, Title: c.Name})
	}
	return f
}

// zoneField asks for a time zone; the browser moves it along when the country is changed.
func zoneField(p *phrase.Phrases, zone string, now time.Time) ui.Field {
	f := ui.Field{Name: "zone", Label: p.T("org.zone"), Help: p.T("org.zone.help"), Type: "select", Size: "medium", Value: zone, Follows: "country"}
	for _, z := range region.Zones() {
		o := ui.Option{Value: z.Name, Title: strings.ReplaceAll(z.Name, "_", " ") + " (" + region.Offset(z.Name, now) + ")"}
		if z.Main {
			o.For = z.Country
		}
		f.Options = append(f.Options, o)
	}
	return f
}
