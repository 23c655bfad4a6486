package app

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/intake"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/sheet"
)

// leadCmd brings lists of leads and contacts in, and out.
type leadCmd struct {
	Import   leadImportCmd   `cmd:"" help:"Bring a list of leads or contacts in: CSV, XLSX or vCard."`
	Lists    leadListsCmd    `cmd:"" help:"List what was brought in, newest first."`
	Rejected leadRejectedCmd `cmd:"" help:"Write the rows that were not taken, as CSV."`
	Undo     leadUndoCmd     `cmd:"" help:"Take a list back: what it made is deleted, what it changed is as before."`
	Export   leadExportCmd   `cmd:"" help:"Write leads, or contacts, to a file."`
}

type leadImportCmd struct {
	inOrg
	asJSON
	File      string   `arg:"" help:"The list."`
	Contacts  bool     `help:"The rows become contacts without leads."`
	Policy    string   `placeholder:"WHAT" help:"For persons who are known: skip (as left out), update or both."`
	Give      string   `placeholder:"WHOM" help:"Who gets the new rows: rules, or a member by name, e-mail address or id."`
	Map       string   `placeholder:"FIELD=COLUMN,…" help:"What the columns mean, such as \"first=First name,number=Phone\"; as the headers say when left out."`
	DateOrder string   `placeholder:"ORDER" help:"How dates are written: dmy, mdy or ymd."`
	Sheet     string   `help:"Sheet of a workbook."`
	Pipeline  string   `help:"Pipeline of the leads, by key; the first when left out."`
	Stage     string   `help:"Stage of the leads, by key; the first when left out."`
	Origin    string   `name:"source" help:"Source of leads that name none."`
	OriginDay string   `name:"source-day" placeholder:"2026-03-02" help:"Day of enquiries that name none."`
	Tags      []string `help:"Tags of all rows."`
	DryRun    bool     `help:"Do everything but write."`
}

// listView is a list as JSON.
type listView struct {
	ID        string        `json:"id"`
	Kind      intake.Kind   `json:"kind"`
	File      string        `json:"file"`
	Format    string        `json:"format"`
	State     intake.State  `json:"state"`
	Counts    intake.Counts `json:"counts"`
	StartedAt time.Time     `json:"started_at"`
	Sentence  string        `json:"sentence,omitempty"`
}

func viewList(m *intake.Import, org *account.Org) listView {
	return listView{ID: m.ID, Kind: m.Spec.Kind, File: m.Spec.Name, Format: m.Format, State: m.State, Counts: m.Counts, StartedAt: m.StartedAt.In(org.Location()), Sentence: m.Sentence}
}

func (c *leadImportCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	spec, err := c.spec(ctx, r, org)
	if err != nil {
		return err
	}
	path := r.path(c.File)
	f, err := os.Open(path)
	if err != nil {
		return fault.Wrap(fault.NotFound, err, "The file %s cannot be opened (%s). Check its name and who may read it.", path, plainReason(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return invalidf("%s is not a file. Name the file itself.", path)
	}
	spec.Name = filepath.Base(path)
	b := newBar(r, "Importing "+plainCell(spec.Name))
	m, err := r.p.Intake.Run(ctx, r.p.Accounts.Operator(org), f, info.Size(), *spec, func(m intake.Import) { b.show(m.BytesDone, m.Bytes) })
	b.done()
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(r, viewList(m, org))
	}
	done, n := "imported as "+m.ID, &m.Counts
	if m.Spec.DryRun {
		done = "tried and not written"
	}
	if err := r.printf("%s: %s\n  %d rows: %d leads and %d contacts made, %d updated, %d skipped, %d refused\n", plainCell(c.File), done, n.Rows, n.Leads, n.Contacts, n.Updated, n.Skipped, n.Refused); err != nil || n.Refused == 0 {
		return err
	}
	return r.printf("  Why rows were refused: parley lead rejected %s\n", m.ID)
}

// spec reads the flags.
func (c *leadImportCmd) spec(ctx context.Context, r *Run, org *account.Org) (*intake.Spec, error) {
	spec := &intake.Spec{Kind: intake.Leads, Pipeline: c.Pipeline, Stage: c.Stage, Source: c.Origin, Tags: c.Tags, DryRun: c.DryRun}
	if c.Contacts {
		spec.Kind = intake.Contacts
	}
	var err error
	if spec.Policy, err = intake.ParsePolicy(c.Policy); err != nil {
		return nil, err
	}
	if c.OriginDay != "" {
		if spec.SourceDay, err = civil.Parse(c.OriginDay); err != nil {
			return nil, err
		}
	}
	switch c.Give {
	case "":
	case string(intake.ByRules):
		spec.Give = intake.ByRules
	default:
		m, err := findMember(ctx, r, org, c.Give)
		if err != nil {
			return nil, err
		}
		spec.Give, spec.Member = intake.Fixed, m.ID
	}
	if c.Map == "" && (c.Sheet != "" || c.DateOrder != "") {
		return nil, invalidf("--sheet and --date-order go with --map, which says what the columns mean.")
	}
	if c.Map != "" {
		spec.Mapping = &intake.Mapping{Columns: intake.ParseColumns(c.Map), Sheet: c.Sheet, DateOrder: sheet.DateOrder(c.DateOrder)}
	}
	return spec, nil
}

type leadListsCmd struct {
	inOrg
	asJSON
	Limit int `default:"50" help:"How many."`
}

func (c *leadListsCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	all, err := r.p.Intake.List(ctx, org.ID, c.Limit)
	if err != nil {
		return err
	}
	out := make([]listView, len(all))
	for i := range all {
		out[i] = viewList(all[i], org)
	}
	return c.write(r, out, func(t *table) {
		t.row("STARTED", "FILE", "KIND", "STATE", "ROWS", "LEADS", "CONTACTS", "REFUSED", "ID")
		for _, v := range out {
			t.row(moment(&v.StartedAt, org), v.File, v.Kind, v.State, v.Counts.Rows, v.Counts.Leads, v.Counts.Contacts, v.Counts.Refused, v.ID)
		}
	})
}

type leadRejectedCmd struct {
	inOrg
	List string `arg:"" help:"Id of the list, from \"parley lead lists\"."`
}

func (c *leadRejectedCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	m, err := r.p.Intake.One(ctx, org.ID, c.List)
	if err != nil {
		return err
	}
	return r.p.Intake.Rejected(ctx, org.ID, m, r.Out)
}

type leadUndoCmd struct {
	inOrg
	List string `arg:"" help:"Id of the list, from \"parley lead lists\"."`
}

func (c *leadUndoCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	m, err := r.p.Intake.Undo(ctx, r.p.Accounts.Operator(org), c.List)
	if err != nil {
		return err
	}
	return r.printf("The list was taken back: %d contacts and leads were removed, %d are as before, %d stay, since they were changed or used.\n", m.Counts.Removed, m.Counts.Restored, m.Counts.Kept)
}

type leadExportCmd struct {
	inOrg
	File     string `arg:"" help:"File to write: .csv, .xlsx or, of contacts, .vcf."`
	Contacts bool   `help:"Contacts in place of leads."`
	State    string `help:"Only leads that are open, won or lost."`
}

func (c *leadExportCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	formats := map[string]intake.Format{".csv": intake.CSV, ".xlsx": intake.XLSX, ".vcf": intake.VCard4}
	format, ok := formats[strings.ToLower(filepath.Ext(c.File))]
	if !ok || format == intake.VCard4 && !c.Contacts {
		return invalidf("%s names no format. Let it end in .csv or .xlsx, or for contacts in .vcf.", c.File)
	}
	var f lead.Filter
	if c.State != "" {
		st, err := lead.ParseState(c.State)
		if err != nil {
			return err
		}
		f.States = []lead.State{st}
	}
	path := r.path(c.File)
	if err := writeWhole(path, func(w io.Writer) error {
		if c.Contacts {
			return r.p.Intake.ExportContacts(ctx, r.p.Accounts.Operator(org), contact.Ask{}, format, w)
		}
		return r.p.Intake.ExportLeads(ctx, r.p.Accounts.Operator(org), f, format, w)
	}); err != nil {
		return err
	}
	return r.printf("%s was written.\n", path)
}
