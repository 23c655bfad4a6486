package web

import (
	"fmt"
	"slices"
	"strconv"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/report"
	"parley/web/ui"
)

// filter is the form that narrows a page about calls: whose calls in sight, the rest behind a button.
func (s *sight) filter() (ui.Filter, error) {
	f := ui.Filter{Action: s.path, Clear: s.here(report.Ask{From: s.Ask.From, To: s.Ask.To, Through: s.Ask.Through, Preset: s.Ask.Preset, Compare: s.Ask.Compare})}
	f.Keep = s.params(report.Ask{From: s.Ask.From, To: s.Ask.To, Through: s.Ask.Through, Preset: s.Ask.Preset, Compare: s.Ask.Compare})
	teams, err := s.teams()
	if err != nil {
		return f, err
	}
	lines, err := s.lines()
	if err != nil {
		return f, err
	}
	f.Scope = s.scopeFields(teams, lines)
	if f.Fields, err = s.filterFields(); err != nil {
		return f, err
	}
	for i := range f.Fields {
		x := &f.Fields[i]
		if x.Error = s.wrongField(x.Name); x.Error != "" {
			x.Value = s.query(x.Name) // as it was written, to be mended
		}
	}
	if s.leads {
		f.Fields = nil
		f.Scope = slices.DeleteFunc(f.Scope, func(x ui.Field) bool { return x.Name == "line" })
	}
	f.Active = s.active(teams, lines)
	return f, nil
}

func (s *sight) wrongField(name string) string {
	for _, w := range s.wrong {
		if w.Field == name {
			return w.Sentence
		}
	}
	return ""
}

// teams are those whose reports the actor may open.
func (s *sight) teams() ([]account.Team, error) {
	if s.actor.Member.Role == account.Agent {
		return nil, nil
	}
	all, err := s.Accounts.Teams(s.ctx(), s.Org.ID)
	if s.actor.Member.Role == account.Manager {
		all = slices.DeleteFunc(all, func(t account.Team) bool { return !slices.Contains(s.actor.Member.Teams, t.ID) })
	}
	return all, err
}

// lines are those of the agents whom the actor may see.
func (s *sight) lines() ([]*device.Line, error) {
	all, err := s.Devices.Lines(s.ctx(), s.Org)
	return slices.DeleteFunc(all, func(l *device.Line) bool { return s.Agents[l.Agent] == nil }), err
}

// lineName writes a line as people know it.
func (v *visit) lineName(l *device.Line) string {
	shown := v.phone(l.Number)
	switch {
	case l.Label == "" && shown == "":
		return v.t("line.nameless")
	case l.Label == "":
		return shown
	case shown == "":
		return l.Label
	default:
		return l.Label + " (" + shown + ")"
	}
}

// scopeFields choose whose calls are shown; a choice of one is no choice and is left out.
func (s *sight) scopeFields(teams []account.Team, lines []*device.Line) []ui.Field {
	var out []ui.Field
	if len(teams) > 0 {
		f := ui.Field{Name: "team", Label: s.t("whose.team"), Type: "select", Value: string(s.Ask.Team), Options: []ui.Option{{Title: s.t("whose.all_teams")}}}
		for _, t := range teams {
			f.Options = append(f.Options, ui.Option{Value: string(t.ID), Title: t.Name})
		}
		out = append(out, f)
	}
	if len(s.Agents) > 1 {
		f := ui.Field{Name: "agent", Label: s.t("whose.agent"), Type: "select", Value: s.Ask.Agent, Options: []ui.Option{{Title: s.t("whose.all_agents")}}}
		for _, m := range names(s.Agents).sorted() {
			f.Options = append(f.Options, ui.Option{Value: string(m.ID), Title: m.Name})
		}
		out = append(out, f)
	}
	if len(lines) > 1 {
		f := ui.Field{Name: "line", Label: s.t("whose.line"), Type: "select", Value: string(s.Ask.Line), Options: []ui.Option{{Title: s.t("whose.all_lines")}}}
		for _, l := range lines {
			title := s.lineName(l)
			if who := s.AgentName(l.Agent); who != "" && len(s.Agents) > 1 {
				title += " · " + who
			}
			f.Options = append(f.Options, ui.Option{Value: string(l.ID), Title: title})
		}
		out = append(out, f)
	}
	return out
}

// The words that a filter chooses from, in the order in which they are shown.
func filterTypes() []call.Type {
	return []call.Type{call.TypeIncoming, call.TypeOutgoing, call.TypeMissed, call.TypeRejected, call.TypeBlocked, call.TypeVoicemail, call.TypeAnsweredElsewhere, call.TypeUnknown}
}

func filterOutcomes() []call.Outcome {
	return []call.Outcome{call.OutcomeConnected, call.OutcomeMissed, call.OutcomeNotPickedUp, call.OutcomeShort, call.OutcomeRejected, call.OutcomeBlocked, call.OutcomeVoicemail, call.OutcomeUnknown}
}

func filterSources() []call.Source {
	return []call.Source{call.SourcePhone, call.SourcePBX, call.SourceBrowser, call.SourceAssistant, call.SourceMessenger}
}

func checks[T fmt.Stringer](s *sight, name, prefix string, all []T, chosen []string) ui.Field {
	f := ui.Field{Name: name, Label: s.t("filter." + name), Type: "checks", Row: true, Values: chosen}
	for _, x := range all {
		f.Options = append(f.Options, ui.Option{Value: x.String(), Title: s.t(prefix + x.String())})
	}
	return f
}

func (s *sight) filterFields() ([]ui.Field, error) {
	a := &s.Ask
	out := []ui.Field{
		checks(s, "type", "type.", filterTypes(), a.Types),
		checks(s, "outcome", "outcome.", filterOutcomes(), a.Outcomes),
		checks(s, "source", "source.", filterSources(), a.Sources),
		{Name: "number", Label: s.t("filter.number"), Help: s.t("filter.number.help"), Value: a.Number, Size: "medium", Mode: "tel"},
		{Name: "min_seconds", Label: s.t("filter.min_seconds"), Value: some(a.MinSeconds), Size: "short", Mode: "numeric"},
		{Name: "max_seconds", Label: s.t("filter.max_seconds"), Value: some(a.MaxSeconds), Size: "short", Mode: "numeric"},
		s.hourField("hour_from", a.HourFrom, 0, a.HourFrom != 0 || a.HourTo != 0),
		s.hourField("hour_to", a.HourTo, 24, a.HourTo != 0),
	}
	tags, err := s.Calls.Tags(s.ctx(), s.Org.ID)
	if err != nil {
		return nil, err
	}
	if len(tags) > 0 {
		f := ui.Field{Name: "tag", Label: s.t("filter.tag"), Type: "select", Size: "medium", Value: a.Tag, Options: []ui.Option{{Title: s.t("filter.any_tag")}}}
		for _, t := range tags {
			f.Options = append(f.Options, ui.Option{Value: t, Title: t})
		}
		out = append(out, f)
	}
	return append(out, ui.Field{Name: "excluded", Label: s.t("filter.excluded"), Type: "check", Checked: a.Excluded}), nil
}

// hourField chooses an end of the window of hours.
func (s *sight) hourField(name string, value, last int, chosen bool) ui.Field {
	f := ui.Field{Name: name, Label: s.t("filter." + name), Type: "select", Size: "short", Options: []ui.Option{{Title: s.t("filter.any_hour")}}}
	for h := range 24 {
		if h == 0 && last == 24 {
			h = 24
		}
		f.Options = append(f.Options, ui.Option{Value: strconv.Itoa(h), Title: s.words.Hour(h % 24)})
	}
	if last == 24 { // midnight ends a day, so it stands last
		f.Options = append(f.Options[:1], append(f.Options[2:], f.Options[1])...)
	}
	if chosen {
		f.Value = strconv.Itoa(value)
	}
	return f
}

// some writes a number, "" for 0.
func some(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// active lists what narrows the view, each with the address of the page without it.
func (s *sight) active(teams []account.Team, lines []*device.Line) []ui.Link {
	var out []ui.Link
	without := func(title string, change func(a *report.Ask)) {
		a := s.Ask
		change(&a)
		out = append(out, ui.Link{Title: title, Href: s.here(a)})
	}
	for _, t := range teams {
		if t.ID == s.Ask.Team {
			without(t.Name, func(a *report.Ask) { a.Team = "" })
		}
	}
	if s.Ask.Agent != "" {
		for _, m := range s.Agents {
			if string(m.ID) == s.Ask.Agent {
				without(m.Name, func(a *report.Ask) { a.Agent = "" })
			}
		}
	}
	for _, l := range lines {
		if l.ID == s.Ask.Line {
			without(s.lineName(l), func(a *report.Ask) { a.Line = "" })
		}
	}
	s.activeFilters(without)
	return out
}

func (s *sight) activeFilters(without func(title string, change func(a *report.Ask))) {
	q := &s.Ask
	each := func(words []string, prefix string, change func(a *report.Ask, rest []string)) {
		for i, w := range words {
			without(s.t(prefix+w), func(a *report.Ask) { change(a, slices.Delete(slices.Clone(words), i, i+1)) })
		}
	}
	each(q.Types, "type.", func(a *report.Ask, rest []string) { a.Types = rest })
	each(q.Outcomes, "outcome.", func(a *report.Ask, rest []string) { a.Outcomes = rest })
	each(q.Sources, "source.", func(a *report.Ask, rest []string) { a.Sources = rest })
	if q.Number != "" {
		without(s.t("filter.is_number", "Number", s.numberShown(q.Number)), func(a *report.Ask) { a.Number = "" })
	}
	if q.Tag != "" {
		without(s.t("filter.is_tag", "Tag", q.Tag), func(a *report.Ask) { a.Tag = "" })
	}
	if q.MinSeconds > 0 {
		without(s.t("filter.at_least", "Time", s.words.Duration(int64(q.MinSeconds))), func(a *report.Ask) { a.MinSeconds = 0 })
	}
	if q.MaxSeconds > 0 {
		without(s.t("filter.at_most", "Time", s.words.Duration(int64(q.MaxSeconds))), func(a *report.Ask) { a.MaxSeconds = 0 })
	}
	if q.HourFrom != 0 || q.HourTo != 0 {
		without(s.words.Hour(q.HourFrom)+" – "+s.words.Hour(q.HourTo%24), func(a *report.Ask) { a.HourFrom, a.HourTo = 0, 0 })
	}
	if q.Excluded {
		without(s.t("filter.with_excluded"), func(a *report.Ask) { a.Excluded = false })
	}
}

// numberShown is a number of the address for people: a key stands for the number it names.
func (s *sight) numberShown(text string) string {
	if len(s.Query.Filter.Numbers) == 1 {
		found, err := s.Book.Show(s.ctx(), s.DB, s.Org.ID, s.Query.Filter.Numbers)
		if err == nil && found[s.Query.Filter.Numbers[0]] != "" {
			return s.phone(found[s.Query.Filter.Numbers[0]])
		}
	}
	return text
}
