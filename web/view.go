package web

import (
	"maps"
	"slices"
	"strings"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/report"
	"parley/calls/roll"
	"parley/calls/stats"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/web/ui"
)

// sight is a page about calls: what was asked for, settled into a view, and how to say and change it.
type sight struct {
	*visit
	*report.View
	path  string             // of the page, for its links and forms
	wrong []fault.FieldError // what of the address made no sense and was left out
	keep  []ui.Param         // the page's own parameters
	leads bool               // the page is about leads: what narrows calls is not offered
}

// sight reads what the address asks for. preset is the range of a page whose address names none. A filter that makes no
// sense is left out and told, so that the page still stands and the filter can be mended.
func (v *visit) sight(path, preset string) (*sight, error) {
	s := &sight{visit: v, path: path}
	q := v.r.URL.Query()
	for {
		ask, err := report.AskFromQuery(q)
		if err == nil {
			if ask.From == "" && ask.To == "" && ask.Through == "" && ask.Preset == "" {
				ask.Preset = preset
			}
			if s.View, err = v.Reports.View(v.ctx(), v.actor, ask); err == nil {
				return s, nil
			}
		}
		left := len(q)
		for _, f := range fault.Fields(err) {
			if !slices.Contains(s.wrong, f) {
				s.wrong = append(s.wrong, f)
			}
			q.Del(f.Field)
			if slices.Contains([]string{"from", "to", "through"}, f.Field) {
				q.Del("from")
				q.Del("to")
				q.Del("through")
			}
		}
		if len(q) == left {
			return nil, err
		}
	}
}

// own keeps a parameter of the page itself in its links and forms.
func (s *sight) own(names ...string) {
	for _, name := range names {
		if value := s.query(name); value != "" {
			s.keep = append(s.keep, ui.Param{Name: name, Value: value})
		}
	}
}

// at writes the address of a path for an Ask, with further parameters in pairs.
func at(path string, a report.Ask, more ...string) string {
	q := a.Query()
	for i := 0; i+1 < len(more); i += 2 {
		if more[i+1] == "" {
			q.Del(more[i])
		} else {
			q.Set(more[i], more[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// here is the page's own address for another Ask, with its own parameters kept and some changed.
func (s *sight) here(a report.Ask, more ...string) string {
	var all []string
	for _, p := range s.keep {
		all = append(all, p.Name, p.Value)
	}
	return at(s.path, a, append(all, more...)...)
}

// narrow is the view's Ask with one thing changed, and never compared: a link to the rows behind a figure.
func (s *sight) narrow(change func(a *report.Ask)) report.Ask {
	a := s.Ask
	a.Compare = ""
	change(&a)
	return a
}

// onDay narrows an Ask to one day.
func onDay(a *report.Ask, d civil.Day) {
	a.Preset, a.To, a.From, a.Through = "", "", d.String(), d.String()
}

// head is the frame of a page about calls: with the range and what was wrong with the address.
func (s *sight) head(title string) ui.Frame {
	f := s.frame(title)
	f.Errors = append(f.Errors, s.wrong...)
	f.Range = s.rangePicker()
	return f
}

// days writes the range: by its name where it has one.
func (s *sight) days() string {
	if s.Ask.Preset != "" {
		return s.t("range." + s.Ask.Preset)
	}
	return s.words.Range(s.From, s.To)
}

func (s *sight) rangePicker() *ui.Range {
	r := &ui.Range{Action: s.path, Label: s.days(), From: s.From.String(), Through: (s.To - 1).String(), Max: s.today().String(), Compare: s.Ask.Compare}
	if s.Ask.Preset != "" && s.To != s.From+1 {
		r.Label += " · " + s.words.Range(s.From, s.To)
	}
	r.Keep = s.params(s.Ask.WithoutRange())
	for _, word := range report.Presets() {
		a := s.Ask.WithoutRange()
		if a.Preset, a.Compare = word, s.Ask.Compare; a.Compare == report.CompareWeekdays && word != "today" && word != "yesterday" {
			a.Compare = ""
		}
		r.Presets = append(r.Presets, ui.Link{Title: s.t("range." + word), Href: s.here(a), Current: s.Ask.Preset == word})
	}
	return r
}

// comparing adds the choice of a comparison to the range picker of a page.
func (s *sight) comparing(r *ui.Range) {
	r.Choices = []ui.Option{{Title: s.t("range.none")}, {Value: report.ComparePrevious, Title: s.t("range.previous")}, {Value: report.CompareYear, Title: s.t("range.year_before")}}
	if s.To == s.From+1 {
		r.Choices = append(r.Choices, ui.Option{Value: report.CompareWeekdays, Title: s.t("range.same_weekday")})
	}
	r.Against = s.against()
}

// against names what the range is compared with, "" where it is compared with nothing.
func (s *sight) against() string {
	switch s.Ask.Compare {
	case report.ComparePrevious:
		return s.t("against.previous")
	case report.CompareYear:
		return s.t("against.year")
	case report.CompareWeekdays:
		return s.t("today.against", "Weekday", s.words.Weekday(s.From.Weekday()))
	default:
		return ""
	}
}

// params are the parameters of an Ask and those of the page, as hidden fields.
func (s *sight) params(a report.Ask) []ui.Param {
	var out []ui.Param
	q := a.Query()
	for _, name := range slices.Sorted(maps.Keys(q)) {
		for _, value := range q[name] {
			out = append(out, ui.Param{Name: name, Value: value})
		}
	}
	return append(out, s.keep...)
}

// agentLink is an agent's name and page.
func (s *sight) agentLink(no account.AgentNo) ui.Cell {
	m := s.Agents[no]
	if m == nil {
		return ui.Cell{Text: s.t("agent.unseen"), Muted: true}
	}
	return ui.Cell{Text: m.Name, Href: at("/agents/"+string(m.ID), report.Ask{From: s.Ask.From, To: s.Ask.To, Through: s.Ask.Through, Preset: s.Ask.Preset})}
}

// numberCell is a number as people know it: the number, its page, and the name that phones logged.
func (v *visit) numberCell(canonical, key, name string) ui.Cell {
	if canonical == "" {
		return ui.Cell{Text: v.t("number.withheld"), Muted: true}
	}
	return ui.Cell{Text: v.phone(canonical), Href: "/numbers/" + key, Strong: true, Sub: name}
}

// callerCell is the other party of a call.
func (v *visit) callerCell(c *call.Call) ui.Cell {
	if c.Presentation == call.PresentationErased {
		return ui.Cell{Text: v.t("number.erased"), Muted: true}
	}
	return v.numberCell(c.Number, string(c.NumberKey), c.Name)
}

// phone writes a canonical number for readers in the organisation's country.
func (v *visit) phone(canonical string) string { return phone.Display(canonical, v.org().Country) }

// foot is what every report says about itself: whether it is complete, and by which rules it was computed.
type foot struct {
	Complete ui.Complete
	Rules    string
}

func (s *sight) foot() (foot, error) {
	c, err := s.Devices.Complete(s.ctx(), s.Org, s.Query.Agents, s.From, s.To)
	if err != nil {
		return foot{}, err
	}
	r := roll.Of(s.Org)
	return foot{Complete: s.complete(c), Rules: s.t("report.rules", "Connected", s.words.Duration(int64(max(r.ConnectedFrom, 1))), "Gap", s.words.Duration(int64(r.GapMinutes)*60))}, nil
}

// mostNamed is how many late phones a report names.
const mostNamed = 3

func (s *sight) complete(c device.Completeness) ui.Complete {
	out := ui.Complete{Whole: c.Complete, Phones: int64(len(c.Waiting))}
	if c.Complete {
		if beside, err := s.counts(); err == nil && s.actor.Can(account.ReadDevices) && beside.devices.Paired == 0 {
			out.Text = s.t("complete.no_phones")
		}
		return out
	}
	var late []string
	for i, w := range c.Waiting {
		if i == mostNamed {
			late = append(late, s.t("complete.more", "Count", len(c.Waiting)-i))
			break
		}
		name := w.Name
		if who := s.AgentName(w.Agent); who != "" {
			name = s.t("complete.of", "Device", w.Name, "Agent", who)
		}
		late = append(late, s.t("complete.since", "Device", name, "Time", s.words.Moment(w.Since, s.Now())))
	}
	out.Since = strings.Join(late, "; ") + "."
	if s.actor.Can(account.ReadDevices) {
		out.Href = "/devices"
	}
	return out
}

// exports are the links that take a report out; nil for who may not.
func (s *sight) exports(id report.ID) []ui.Link {
	if !s.actor.Can(account.ExportCalls) {
		return nil
	}
	var out []ui.Link
	for _, f := range exportFormats() {
		out = append(out, ui.Link{Title: strings.ToUpper(string(f)), Href: at("/reports/"+string(id)+"."+string(f), s.narrow(func(*report.Ask) {}))})
	}
	return out
}

// rows is the address of the rows behind a figure of the view.
func (s *sight) rows(id stats.MetricID) string { return rowsOf(s.View, id) }

func rowsOf(w *report.View, id stats.MetricID) string {
	a, list, err := report.RowsAsk(w, id)
	if err != nil {
		return ""
	}
	return at(reportPath(list), a)
}

// outcomeTag shows how a call ended.
func (v *visit) outcomeTag(o call.Outcome, d call.Direction) *ui.Tag {
	t := &ui.Tag{Text: v.t("outcome." + o.String())}
	switch o {
	case call.OutcomeConnected:
		t.Kind, t.Icon = ui.Good, "call-in"
		if d == call.Outgoing {
			t.Icon = "call-out"
		}
	case call.OutcomeMissed:
		t.Kind, t.Icon = ui.Bad, "call-missed"
	case call.OutcomeNotPickedUp:
		t.Kind, t.Icon = ui.Warn, "call-out"
	case call.OutcomeRejected:
		t.Kind, t.Icon = ui.Bad, "call-off"
	case call.OutcomeShort:
		t.Kind, t.Icon = ui.Warn, "call-in"
	case call.OutcomeBlocked:
		t.Icon = "block"
	case call.OutcomeVoicemail:
		t.Kind, t.Icon = ui.Info, "voicemail"
	default:
		t.Icon = "help"
	}
	return t
}
