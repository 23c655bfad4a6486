package app

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"parley/account"
	"parley/calls/device"
	"parley/calls/report"
	"parley/platform/fault"
)

// asked are the flags that say which calls a report is about.
type asked struct {
	inOrg
	From       string   `placeholder:"2026-03-02" help:"First day, of the organisation's zone."`
	To         string   `placeholder:"2026-04-11" help:"Day after the last one."`
	Through    string   `placeholder:"2026-04-10" help:"Last day, in place of --to."`
	Preset     string   `placeholder:"RANGE" help:"today, yesterday, last_7_days, last_30_days, this_week, last_week, this_month or last_month."`
	Team       string   `help:"Only this team."`
	Agent      string   `help:"Only this agent, by name, e-mail address or id."`
	Line       string   `help:"Only this line, by number or id."`
	Type       []string `help:"Only calls of these types, such as incoming,missed."`
	Outcome    []string `help:"Only calls with these outcomes, such as connected,not_picked_up."`
	Source     []string `help:"Only calls from these sources, such as phone,pbx."`
	Number     string   `help:"Only calls with this number, or with numbers that end so."`
	Tag        string   `help:"Only calls with this tag."`
	MinSeconds int      `help:"Only calls of at least so many seconds."`
	MaxSeconds int      `help:"Only calls of at most so many seconds."`
	HourFrom   int      `help:"Only calls from this local hour on."`
	HourTo     int      `help:"Only calls before this local hour."`
	Excluded   bool     `help:"Numbers that are hidden from reports, too."`
	By         string   `placeholder:"WHAT" help:"Group a report about leads by source, owner, team, pipeline or stage."`
	Compare    string   `placeholder:"WITH" help:"Compare a summary with previous, year or weekdays."`
}

// ask turns names into ids and the flags into what reports are asked.
func (c *asked) ask(ctx context.Context, r *Run, org *account.Org) (report.Ask, error) {
	a := report.Ask{
		From: c.From, To: c.To, Through: c.Through, Preset: c.Preset, Types: c.Type, Outcomes: c.Outcome, Sources: c.Source, Number: c.Number, Tag: c.Tag,
		MinSeconds: c.MinSeconds, MaxSeconds: c.MaxSeconds, HourFrom: c.HourFrom, HourTo: c.HourTo, Excluded: c.Excluded, Compare: c.Compare, By: c.By,
	}
	if c.Team != "" {
		t, err := findTeam(ctx, r, org, c.Team)
		if err != nil {
			return a, err
		}
		a.Team = t.ID
	}
	if c.Agent != "" {
		m, err := r.p.Accounts.FindAgent(ctx, org.ID, c.Agent)
		if err != nil {
			return a, err
		}
		a.Agent = string(m.ID)
	}
	if c.Line != "" {
		a.Line = device.LineID(c.Line)
		if !strings.HasPrefix(c.Line, "lin_") {
			l, known, err := r.p.Devices.FindLine(ctx, org, c.Line)
			if err != nil {
				return a, err
			}
			if !known {
				return a, notFoundf("There is no line with the number %s. See \"parley agent list\".", c.Line)
			}
			a.Line = l.ID
		}
	}
	return a, nil
}

// sheet makes the report that was asked for.
func (c *asked) sheet(ctx context.Context, r *Run, name string) (*report.Sheet, error) {
	id, err := report.ParseID(name)
	if err != nil {
		return nil, err
	}
	org, err := c.find(ctx, r)
	if err != nil {
		return nil, err
	}
	a, err := c.ask(ctx, r, org)
	if err != nil {
		return nil, err
	}
	v, err := r.p.Reports.View(ctx, r.p.Accounts.Operator(org), a)
	if err != nil {
		return nil, err
	}
	return r.p.Reports.Sheet(ctx, v, id)
}

type reportCmd struct {
	asked
	Report string `arg:"" help:"Which report; an unknown name lists them."`
	JSON   bool   `name:"json" xor:"form" help:"Write JSON."`
	CSV    bool   `name:"csv" xor:"form" help:"Write CSV."`
	XLSX   string `name:"xlsx" xor:"form" placeholder:"FILE" help:"Write a workbook."`
}

func (c *reportCmd) onData(ctx context.Context, r *Run) error {
	s, err := c.sheet(ctx, r, c.Report)
	if err != nil {
		return err
	}
	switch {
	case c.JSON:
		return s.WriteJSON(ctx, r.Out)
	case c.CSV:
		return s.WriteCSV(ctx, r.Out, report.CSVOptions{})
	case c.XLSX != "":
		return writeSheet(ctx, r, s, r.path(c.XLSX), report.XLSX)
	default:
		return s.WriteText(ctx, r.Out)
	}
}

type exportCmd struct {
	asked
	Report string `arg:"" help:"What to export: calls, or any other report."`
	File   string `arg:"" optional:"" help:"File to write, as .csv, .xlsx, .json or .txt; without, a name is made up."`
	Format string `placeholder:"FORMAT" help:"csv, xlsx, json or txt, where the file's name does not say it."`
}

func (c *exportCmd) onData(ctx context.Context, r *Run) error {
	word := c.Format
	if word == "" {
		if word = strings.TrimPrefix(filepath.Ext(c.File), "."); word == "" {
			word = "csv"
		}
	}
	format, err := report.ParseFormat(word)
	if err != nil {
		return err
	}
	s, err := c.sheet(ctx, r, c.Report)
	if err != nil {
		return err
	}
	if c.File == "" {
		c.File = s.FileName(format)
	}
	path := r.path(c.File)
	if err := writeSheet(ctx, r, s, path, format); err != nil {
		return err
	}
	return r.printf("%s was written.\n", path)
}

// writeSheet writes a report to a file, which appears when it is whole.
func writeSheet(ctx context.Context, r *Run, s *report.Sheet, path string, format report.Format) error {
	return writeWhole(path, func(w io.Writer) error { return s.Write(ctx, w, format) })
}

// writeWhole writes a file, which appears when it is whole.
func writeWhole(path string, write func(w io.Writer) error) error {
	part, err := os.CreateTemp(filepath.Dir(path), ".parley-export-")
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "The file cannot be written to %s (%s).", filepath.Dir(path), plainReason(err))
	}
	if err = errors.Join(write(part), part.Close()); err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	return os.Rename(part.Name(), path)
}
