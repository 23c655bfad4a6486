package web

import (
	"context"
	"html/template"
	"time"

	"parley/account"
	"parley/platform/backup"
	"parley/platform/fault"
	"parley/web/ui"
)

// backupRoutes show how fresh backups are.
func (s *site) backupRoutes() []route {
	return []route{
		{"GET /settings/backups", account.ReadPrivacy, backups},
		{"POST /settings/backups/run", account.ManageOrg, backUp},
		{"POST /settings/backups/drill", account.ManageOrg, drill},
	}
}

// backupsPage tells where backups are, how old, and whether they were tried.
type backupsPage struct {
	ui.Frame
	Notes []ui.Note
	Tries []ui.Action
	Facts []ui.Fact
	Table ui.Table
}

func backups(v *visit) error {
	status, err := v.Backups.Status()
	if err != nil {
		return err
	}
	p := &backupsPage{Frame: v.settingsFrame("backup.title"), Facts: v.backupFacts(status)}
	p.Lead = v.backupLead(status)
	if status.State == backup.Failing {
		p.Notes = append(p.Notes, ui.Note{Kind: ui.Bad, Title: v.t("backup.failing"), Text: status.Target().Last.Sentence})
	}
	if status.State == backup.DrillFailed {
		p.Notes = append(p.Notes, ui.Note{Kind: ui.Bad, Title: v.t("backup.drill.failed"), Text: status.Target().Drill.Sentence})
	}
	for range status.Overdue {
		p.Notes = append(p.Notes, ui.Note{Kind: ui.Bad, Title: v.t("backup.overdue"), Text: v.t("backup.overdue.text")})
	}
	if status.KeysOnly {
		p.Notes = append(p.Notes, ui.Note{Kind: ui.Warn, Title: v.t("backup.keys_only"), Text: v.t("backup.keys_only.text")})
	}
	v.listBackups(p, status)
	return v.render("backups", p)
}

func (v *visit) backupLead(s *backup.Status) template.HTML {
	switch t := s.Target(); {
	case s.State == backup.NoPlace:
		return v.words.Rich("backup.none.lead")
	case t == nil || t.Good == nil:
		return v.words.Rich("backup.waiting.lead")
	case s.Fresh:
		return v.words.Rich("backup.fresh.lead", "When", v.words.DateTime(t.Good.At))
	default:
		return v.words.Rich("backup.late.lead", "When", v.words.DateTime(t.Good.At))
	}
}

func (v *visit) backupFacts(s *backup.Status) []ui.Fact {
	if !s.Configured {
		return nil
	}
	facts := []ui.Fact{{Title: v.t("backup.state"), Cell: ui.Cell{Tag: v.backupTag(s)}}, {Title: v.t("backup.place"), Cell: ui.Cell{Text: s.Where}}}
	if place := v.Backups.Config.Region; place != "" {
		facts = append(facts, ui.Fact{Title: v.t("backup.region"), Cell: ui.Cell{Text: v.countries([]string{place})}})
	}
	t := s.Target()
	if t == nil {
		return facts
	}
	if t.Good != nil {
		facts = append(facts, ui.Fact{Title: v.t("backup.last"), Cell: ui.Cell{Time: t.Good.At}})
	}
	tried := ui.Cell{Text: v.t("backup.drill.never")}
	if t.Drill != nil && t.Drill.OK {
		tried = ui.Cell{Time: t.Drill.At, Sub: v.t("backup.drill.good", "Count", int(t.Drill.Tables), "Rows", v.words.Number(t.Drill.Rows))}
	} else if t.Drill != nil {
		tried = ui.Cell{Time: t.Drill.At, Sub: v.t("backup.drill.failed")}
	}
	return append(facts, ui.Fact{Title: v.t("backup.drill"), Cell: tried})
}

func (v *visit) backupTag(s *backup.Status) *ui.Tag {
	if s.Fresh {
		return &ui.Tag{Text: v.t("backup.state.fresh"), Kind: ui.Good}
	}
	return &ui.Tag{Text: v.t("backup.state." + string(s.State)), Kind: ui.Bad, Icon: "alert"}
}

// listBackups lists what is in the place. One that cannot be asked is told in a note, and the rest of the page stands.
func (v *visit) listBackups(p *backupsPage, s *backup.Status) {
	p.Table = ui.Table{Title: v.t("backup.list"), Columns: []ui.Column{{Title: v.t("backup.made")}, {Title: v.t("backup.parts")}, {Title: v.t("backup.size"), Numeric: true}, {Title: v.t("backup.until")}}}
	p.Table.Empty = &ui.Empty{Icon: "shield", Title: v.t("backup.none"), Text: v.t("backup.none.text")}
	if !s.Configured {
		return
	}
	if v.actor.Can(account.ManageOrg) {
		p.Tries = []ui.Action{
			{Title: v.t("backup.drill.now"), Post: true, Href: "/settings/backups/drill", Icon: "check"},
			{Title: v.t("backup.now"), Post: true, Href: "/settings/backups/run", Icon: "download", Primary: true},
		}
	}
	sets, err := v.Backups.List(v.ctx(), "")
	if err != nil {
		p.Notes = append(p.Notes, ui.Note{Kind: ui.Bad, Title: v.t("backup.unreachable"), Text: fault.Sentence(err)})
		return
	}
	for _, set := range sets {
		parts := v.t("backup.part.both")
		if !set.Has(backup.Data) {
			parts = v.t("backup.part.keys")
		}
		p.Table.Rows = append(p.Table.Rows, ui.Row{Cells: []ui.Cell{
			{Text: v.words.DateTime(set.MadeAt), Strong: true}, {Text: parts}, {Text: v.kilobytes(set.Bytes)}, {Text: v.words.Date(set.OpensUntil())},
		}})
	}
}

func (v *visit) kilobytes(n int64) string { return v.words.Number((n+1023)/1024) + " KB" }

// leastBetween is how long after a backup a page may ask for the next: it is not a toy, and the server may be shared.
const leastBetween = 5 * time.Minute

func backUp(v *visit) error {
	status, err := v.Backups.Status()
	if err != nil {
		return err
	}
	if t := status.Target(); t != nil && t.Good != nil && v.Now().Sub(t.Good.At) < leastBetween {
		return v.to("/settings/backups", v.good("backup.just_made"))
	}
	if !status.Configured {
		return fault.New(fault.Conflict, "No place for backups is configured. Whoever runs the server sets backup.target.")
	}
	v.Background("backup", func(ctx context.Context) error {
		_, err := v.Backups.Run(ctx, "", false, nil)
		return err
	})
	return v.to("/settings/backups", v.good("backup.begun"))
}

func drill(v *visit) error {
	status, err := v.Backups.Status()
	if err != nil {
		return err
	}
	if t := status.Target(); t == nil || t.Good == nil {
		return fault.New(fault.Conflict, "There is no backup yet that could be tried. Make one first.")
	}
	v.Background("restore drill", func(ctx context.Context) error {
		_, err := v.Backups.Drill(ctx, "", nil)
		return err
	})
	return v.to("/settings/backups", v.good("backup.drill.begun"))
}
