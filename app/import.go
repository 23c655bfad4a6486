package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/calls/ingest"
	"parley/calls/logfile"
	"parley/platform/fault"
)

type importCmd struct {
	inOrg
	asJSON
	Files     []string `arg:"" help:"Files of calls: SMS Backup & Restore, Asterisk, FreePBX, FreeSWITCH, Google Takeout, Termux, SMS Import/Export, or any CSV, TSV or XLSX."`
	Agent     string   `help:"Agent whose calls they are; without, the file says it."`
	Map       string   `placeholder:"FIELD=COLUMN,…" help:"What the columns of a table mean, such as \"number=Phone,start=Date,duration=Seconds\"."`
	DateOrder string   `placeholder:"ORDER" help:"How dates are written: dmy, mdy, ymd, epoch or epoch_ms."`
	Zone      string   `help:"Time zone of times that carry none; the organisation's when left out."`
	Ours      string   `placeholder:"WHICH" help:"Whose numbers are ours, for files that name caller and callee: agents, all, or the numbers with commas between."`
	Format    string   `help:"Format of the file; without, its content says it."`
	Sheet     string   `help:"Sheet of a workbook."`
	Delimiter string   `placeholder:"CHARACTER" help:"What parts the columns of a text file; \"tab\" for tabulators."`
	DryRun    bool     `help:"Do everything but write."`
	Rejected  string   `placeholder:"FILE" help:"Write the rows that were refused to this CSV file."`
}

// importView is an import as JSON.
type importView struct {
	ID        string             `json:"id"`
	File      string             `json:"file"`
	Format    string             `json:"format"`
	State     ingest.ImportState `json:"state"`
	DryRun    bool               `json:"dry_run"`
	Rows      int64              `json:"rows"`
	New       int64              `json:"new"`
	Known     int64              `json:"known"`
	Changed   int64              `json:"changed"`
	Excluded  int64              `json:"excluded"`
	Erased    int64              `json:"erased"`
	Refused   int64              `json:"refused"`
	Skipped   int64              `json:"skipped"`
	From      *time.Time         `json:"first_call_at"`
	To        *time.Time         `json:"last_call_at"`
	StartedAt time.Time          `json:"started_at"`
	Sentence  string             `json:"sentence,omitempty"`
}

func viewImport(m *ingest.Import, org *account.Org) importView {
	local := func(t time.Time) *time.Time { return orNil(t.In(org.Location())) }
	v := importView{
		ID: m.ID, File: m.Name, Format: m.Format, State: m.State, DryRun: m.DryRun, Rows: m.Rows, New: m.New, Known: m.Known, Changed: m.Changed,
		Excluded: m.Excluded, Erased: m.Erased, Refused: m.Refused, Skipped: m.Skipped, StartedAt: m.StartedAt.In(org.Location()), Sentence: m.Sentence,
	}
	if !m.From.IsZero() {
		v.From, v.To = local(m.From), local(m.To)
	}
	return v
}

func (c *importCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	if c.Rejected != "" && len(c.Files) > 1 {
		return invalidf("--rejected names one file, but %d files are imported. Import them one by one, or use \"parley imports rejected\" afterwards.", len(c.Files))
	}
	spec, err := c.spec(ctx, r, org)
	if err != nil {
		return err
	}
	var errs []error
	var out []importView
	for _, file := range c.Files {
		m, err := c.one(ctx, r, org, r.path(file), *spec)
		if err != nil {
			errs = append(errs, inFile(file, len(c.Files), err))
			if ctx.Err() != nil {
				break
			}
			continue
		}
		out = append(out, viewImport(m, org))
		if !c.JSON {
			errs = append(errs, c.tell(r, file, m))
		}
	}
	if c.JSON {
		errs = append(errs, writeJSON(r, out))
	}
	if !r.served && !c.DryRun { // a server does this when it is idle
		errs = append(errs, r.p.settle(ctx, org, func(time.Duration) error { return ctx.Err() }))
	}
	return errors.Join(errs...)
}

// inFile names the file that an error is about, where there are several.
func inFile(file string, of int, err error) error {
	if of == 1 || errors.Is(err, context.Canceled) {
		return err
	}
	return fault.Wrap(fault.KindOf(err), err, "%s: %s", file, fault.Sentence(err))
}

// spec reads the flags.
func (c *importCmd) spec(ctx context.Context, r *Run, org *account.Org) (*ingest.ImportSpec, error) {
	spec := &ingest.ImportSpec{Zone: c.Zone, DryRun: c.DryRun}
	if c.Agent != "" {
		m, err := r.p.Accounts.FindAgent(ctx, org.ID, c.Agent)
		if err != nil {
			return nil, err
		}
		spec.Agent = m.Agent
	}
	var errs [4]error
	spec.Format, errs[0] = logfile.ParseFormat(c.Format)
	mapping := &logfile.Mapping{Sheet: c.Sheet}
	mapping.DateOrder, errs[1] = logfile.ParseDateOrder(c.DateOrder)
	mapping.Delimiter, errs[2] = readDelimiter(c.Delimiter)
	if c.Map != "" {
		mapping.Columns, errs[3] = logfile.ParseMapping(c.Map)
	}
	if c.Map != "" || c.Sheet != "" || c.DateOrder != "" || c.Delimiter != "" {
		spec.Mapping = mapping
	}
	if numbers := strings.FieldsFunc(c.Ours, func(r rune) bool { return r == ',' || r == ';' }); strings.ContainsAny(c.Ours, "0123456789") {
		spec.Ours, spec.OurNumbers = ingest.OursList, numbers
	} else if ours, err := ingest.ParseOurs(strings.ToLower(strings.TrimSpace(c.Ours))); err != nil {
		return nil, err
	} else {
		spec.Ours = ours
	}
	return spec, fault.Join(errs[:]...)
}

func readDelimiter(text string) (rune, error) {
	if text == "" {
		return 0, nil
	}
	if slices.Contains([]string{"tab", `\t`}, strings.ToLower(text)) {
		return '\t', nil
	}
	c, n := utf8.DecodeRuneInString(text)
	if n != len(text) || c == '"' || c == '\n' || c == '\r' {
		return 0, fault.Field("delimiter", "--delimiter is %q. Give one character, such as ; or the word tab.", text)
	}
	return c, nil
}

// one imports one file.
func (c *importCmd) one(ctx context.Context, r *Run, org *account.Org, path string, spec ingest.ImportSpec) (*ingest.Import, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.NotFound, err, "The file %s cannot be opened (%s). Check its name and who may read it.", path, plainReason(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, invalidf("%s is not a file. Name the files themselves.", path)
	}
	spec.Name = filepath.Base(path)
	b := newBar(r, "Importing "+plainCell(spec.Name))
	m, err := r.p.Imports.Run(ctx, org, f, info.Size(), spec, func(m ingest.Import) { b.show(m.BytesDone, m.Bytes) })
	b.done()
	if err != nil {
		return nil, err
	}
	if c.Rejected == "" {
		return m, nil
	}
	return m, writeRejected(ctx, r, org, m.ID, r.path(c.Rejected))
}

// plainReason is what the system says of a file, without the operation and the path.
func plainReason(err error) string {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

func writeRejected(ctx context.Context, r *Run, org *account.Org, id, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "The refused rows cannot be written to %s (%s).", path, plainReason(err))
	}
	return errors.Join(r.p.Imports.Rejected(ctx, org, id, f), f.Close())
}

// tell writes what became of a file's rows.
func (c *importCmd) tell(r *Run, file string, m *ingest.Import) error {
	done := "imported as " + m.ID
	if m.DryRun {
		done = "tried and not written"
	}
	erased := ""
	if m.Erased > 0 {
		erased = fmt.Sprintf("%d of erased people, ", m.Erased)
	}
	if err := r.printf("%s (%s): %s\n  %d rows: %d new, %d known, %d changed, %d excluded, %s%d between our own numbers, %d refused\n", plainCell(file),
		logfile.Format(m.Format).Title(), done, m.Rows, m.New, m.Known, m.Changed, m.Excluded, erased, m.Skipped, m.Refused); err != nil {
		return err
	}
	if m.Refused > 0 && c.Rejected == "" {
		return r.printf("  Why rows were refused: parley imports rejected %s\n", m.ID)
	}
	return nil
}

type importsCmd struct {
	List     importsListCmd     `cmd:"" help:"List imports, newest first."`
	Undo     importsUndoCmd     `cmd:"" help:"Remove the calls that an import added."`
	Rejected importsRejectedCmd `cmd:"" help:"Write the rows that an import did not take, as CSV."`
}

type importsListCmd struct {
	inOrg
	asJSON
	Limit int `default:"50" help:"How many."`
}

func (c *importsListCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	all, err := r.p.Imports.List(ctx, org, c.Limit)
	if err != nil {
		return err
	}
	out := make([]importView, len(all))
	for i := range all {
		out[i] = viewImport(&all[i], org)
	}
	return c.write(r, out, func(t *table) {
		t.row("STARTED", "FILE", "STATE", "ROWS", "NEW", "KNOWN", "REFUSED", "ID")
		for _, v := range out {
			t.row(moment(&v.StartedAt, org), v.File, v.State, v.Rows, v.New, v.Known, v.Refused, v.ID)
		}
	})
}

type importsUndoCmd struct {
	inOrg
	Import string `arg:"" help:"Id of the import, from \"parley imports list\"."`
}

func (c *importsUndoCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	n, err := r.p.Imports.Undo(ctx, org, c.Import, "")
	if err != nil {
		return err
	}
	return r.printf("The import was undone: %d calls were removed.\n", n)
}

type importsRejectedCmd struct {
	inOrg
	Import string `arg:"" help:"Id of the import, from \"parley imports list\"."`
	File   string `arg:"" optional:"" help:"File to write; without, it is shown."`
}

func (c *importsRejectedCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	if c.File == "" {
		return r.p.Imports.Rejected(ctx, org, c.Import, r.Out)
	}
	return writeRejected(ctx, r, org, c.Import, r.path(c.File))
}
