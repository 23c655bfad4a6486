package web

import (
	"cmp"
	"context"
	"errors"
	"html/template"
	"mime"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/platform/fault"
	"parley/trust/prove"
	"parley/web/ui"
)

// proofRoutes show how the promises of the policy were proved, and have them proved now.
func (s *site) proofRoutes() []route {
	return []route{
		{"GET /trust/proof", account.ReadPrivacy, proofs},
		{"GET /trust/proof/progress", account.ReadPrivacy, proofProgress},
		{"GET /trust/proof/report.json", account.ReadPrivacy, proofReport},
		{"POST /trust/proof/run", account.ManagePrivacy, runProof},
		{"POST /trust/proof/publish", account.ManageOrg, publishProof},
	}
}

const proofHome = "/trust/proof"

// proofPage is the last run, and the one under way.
type proofPage struct {
	ui.Frame
	Proving
	Notes  []ui.Note
	Acts   []ui.Action
	Facts  []ui.Fact
	Steps  *ui.Table
	Filter *ui.Filter
	Table  *ui.Table
	Empty  *ui.Empty
	Choice *ui.Action // shows or hides it on the public page; nil for those who may not
	Shown  string     // whether it is shown
	Public *ui.Link
}

// Proving is the run under way. It is a part of the page that renews itself.
type Proving struct {
	Watch    string // address to ask for progress; "" when nothing runs
	Progress *ui.Progress
}

func (v *visit) proving(at prove.Progress) Proving {
	if !at.Running {
		return Proving{}
	}
	p := &ui.Progress{Title: v.t("proof.running"), Busy: true}
	if at.Of > 0 {
		p.Busy, p.Ratio = at.Done == 0, float64(at.Done)/float64(at.Of)
		p.Text = v.t("proof.step", "N", at.Done+1, "Of", at.Of)
	}
	return Proving{Watch: proofHome + "/progress", Progress: p}
}

// proofProgress renews the part about the run under way, and the whole page once it is done.
func proofProgress(v *visit) error {
	at := v.Proofs.Progress(v.org().ID)
	if !at.Running {
		return v.to(proofHome)
	}
	return v.fragment("proof", "proving", v.proving(at))
}

func proofs(v *visit) error {
	org := v.org()
	last, _, ok, err := v.Proofs.Last(v.ctx(), org.ID)
	if err != nil {
		return err
	}
	at := v.Proofs.Progress(org.ID)
	p := &proofPage{Frame: v.trustFrame(v.t("proof.title")), Proving: v.proving(at)}
	if at.Failure != "" {
		p.Notes = append(p.Notes, ui.Note{Kind: ui.Bad, Title: v.t("proof.unfinished"), Text: at.Failure})
	}
	run := ui.Action{Title: v.t("proof.run"), Href: proofHome + "/run", Icon: "check", Post: true, Primary: true}
	if err := v.proofChoice(p); err != nil {
		return err
	}
	if !ok {
		p.Lead = v.words.Rich("proof.lead.never")
		if !at.Running {
			p.Empty = &ui.Empty{Icon: "shield", Title: v.t("proof.none"), Text: v.t("proof.none.text"), Action: v.forKeepers(run)}
		}
		return v.render("proof", p)
	}
	if !at.Running && v.keeps() {
		p.Acts = append(p.Acts, run)
	}
	p.Acts = append(p.Acts, ui.Action{Title: v.t("proof.download"), Href: proofHome + "/report.json", Icon: "download"})
	p.Lead = v.proofLead(last)
	p.Facts = append(v.proofFacts(last), ui.Fact{Title: v.t("proof.took"), Cell: ui.Cell{Text: v.took(last.Millis)}})
	steps := v.stepsTable(last, true)
	p.Steps = &steps
	since, err := v.Proofs.Since(v.ctx(), org.ID)
	if err != nil {
		return err
	}
	p.Filter = v.proofFilter()
	t := v.promisesTable(last, since, v.query("result"))
	p.Table = &t
	return v.render("proof", p)
}

func (v *visit) proofLead(r *prove.Report) template.HTML {
	when := v.words.DateTime(r.At)
	if broken := len(r.Broken()); broken > 0 {
		return v.words.Rich("proof.lead.broken", "Count", broken, "When", when)
	}
	if !r.Passed { // a step failed whose promises are none
		return v.words.Rich("proof.lead.failed", "When", when)
	}
	return v.words.Rich("proof.lead", "Count", counted(r, prove.Passed), "When", when)
}

func counted(r *prove.Report, result prove.Result) (n int) {
	for _, p := range r.Promises {
		if p.Result == result {
			n++
		}
	}
	return n
}

// proofFacts are what anybody may know of a run.
func (v *visit) proofFacts(r *prove.Report) []ui.Fact {
	tag := &ui.Tag{Text: v.t("proof.holds"), Kind: ui.Good, Icon: "check"}
	if !r.Passed {
		tag = &ui.Tag{Text: v.t("proof.broken"), Kind: ui.Bad, Icon: "alert"}
	}
	counts := v.t("proof.counts", "Proved", counted(r, prove.Passed), "Tested", counted(r, prove.Tested), "Untested", counted(r, prove.Untested), "Broken", counted(r, prove.Broken), "Open", counted(r, prove.NotYet))
	return []ui.Fact{
		{Title: v.t("proof.result"), Cell: ui.Cell{Tag: tag}}, {Title: v.t("proof.promises"), Cell: ui.Cell{Text: counts}},
		{Title: v.t("proof.when"), Cell: ui.Cell{Text: v.words.DateTime(r.At)}},
		{Title: v.t("proof.version"), Cell: ui.Cell{Text: r.Version, Sub: v.t("proof.policy", "Version", r.Policy)}},
	}
}

// took writes how long something took.
func (v *visit) took(millis int64) string {
	const whole = 10_000 // from here on tenths of a second tell nothing
	if millis < whole {
		return v.t("duration.s", "S", v.words.Decimal(float64(millis)/1000, 1))
	}
	return v.words.Duration(millis / 1000)
}

func (v *visit) stepTitle(id, otherwise string) string {
	if key := "proof.step." + id; v.words.Has(key) {
		return v.t(key)
	}
	return otherwise
}

func (v *visit) resultTag(r prove.Result) *ui.Tag {
	t := &ui.Tag{Text: v.t("proof.result." + string(r)), Kind: ui.Off}
	switch r {
	case prove.Broken:
		t.Kind, t.Icon = ui.Bad, "alert"
	case prove.Passed:
		t.Kind, t.Icon = ui.Good, "check"
	case prove.Tested:
		t.Kind = ui.Info
	case prove.Untested, prove.NotTried:
		t.Kind = ui.Warn
	case prove.NotYet:
	}
	return t
}

// stepsTable lists the steps of a run, failed ones first. What they found is for members: it tells how many people there are.
func (v *visit) stepsTable(r *prove.Report, inside bool) ui.Table {
	t := ui.Table{Title: v.t("proof.steps"), Columns: []ui.Column{{Title: v.t("proof.step_title")}, {Title: v.t("proof.result")}, {Title: v.t("proof.took"), Numeric: true}}}
	if inside {
		t.Columns = append(t.Columns, ui.Column{Title: v.t("proof.found")})
	}
	steps := slices.Clone(r.Steps)
	slices.SortStableFunc(steps, func(a, b prove.StepResult) int {
		return cmp.Compare(rank(a.Result != prove.Broken), rank(b.Result != prove.Broken))
	})
	for _, s := range steps {
		cells := []ui.Cell{{Text: v.stepTitle(s.ID, s.Title), Strong: true}, {Tag: v.resultTag(s.Result)}, {Text: v.took(s.Millis)}}
		if inside {
			found := ui.Cell{Text: strings.Join(s.Facts, " ")}
			if wrong := append(slices.Clone(s.Failures), s.Stopped...); len(wrong) > 0 {
				found = ui.Cell{Text: strings.Join(wrong, " "), Sub: strings.Join(s.Facts, " "), Strong: true}
			}
			cells = append(cells, found)
		}
		t.Rows = append(t.Rows, ui.Row{ID: "step-" + s.ID, Cells: cells})
	}
	return t
}

// kinds are what the list of promises can be narrowed down to.
func kinds() []string { return []string{"broken", "proved", "tested", "open"} }

// kindOf is the kind of a result: what nothing speaks for is open, too.
func kindOf(r prove.Result) string {
	switch r {
	case prove.Broken:
		return "broken"
	case prove.Passed:
		return "proved"
	case prove.Tested:
		return "tested"
	default:
		return "open"
	}
}

func (v *visit) proofFilter() *ui.Filter {
	f := &ui.Filter{Action: proofHome, Clear: proofHome}
	field := ui.Field{Name: "result", Label: v.t("proof.result"), Type: "select", Value: v.query("result"), Options: []ui.Option{{Title: v.t("proof.any")}}}
	for _, k := range kinds() {
		field.Options = append(field.Options, ui.Option{Value: k, Title: v.t("proof.kind." + k)})
		if k == field.Value {
			f.Active = []ui.Link{{Title: v.t("proof.kind." + k), Href: proofHome}}
		}
	}
	f.Scope = []ui.Field{field}
	return f
}

// promisesTable lists promises, broken ones first; kind narrows it down.
func (v *visit) promisesTable(r *prove.Report, since map[string]time.Time, kind string) ui.Table {
	t := ui.Table{ID: "promises", Title: v.t("proof.promises"), Columns: []ui.Column{{Title: v.t("proof.promise")}, {Title: v.t("proof.result")}, {Title: v.t("proof.rule")}, {Title: v.t("proof.tests")}, {Title: v.t("proof.since")}}}
	t.Empty = &ui.Empty{Icon: "check", Title: v.t("proof.none_such"), Text: v.t("proof.none_such.text"), Action: &ui.Action{Title: v.t("filter.clear"), Href: proofHome}}
	titles := prove.Titles(v.words.Lang())
	for _, x := range r.Ordered() {
		if slices.Contains(kinds(), kind) && kindOf(x.Result) != kind {
			continue
		}
		tests := ui.Cell{Text: "–", Sub: strings.Join(x.Tests, " ")}
		if len(x.Tests) > 0 {
			tests.Text = v.t("proof.by_tests")
		}
		if len(x.Steps) > 0 {
			var steps []string
			for _, s := range x.Steps {
				steps = append(steps, v.stepTitle(s, s))
			}
			tests.Text = strings.Join(steps, "; ")
		}
		t.Rows = append(t.Rows, ui.Row{ID: x.ID, Muted: x.Result == prove.NotYet, Cells: []ui.Cell{
			{Text: nonEmpty(titles[x.ID], x.Title), Sub: x.ID, Strong: x.Result == prove.Broken}, {Tag: v.resultTag(x.Result)}, {Text: x.Rule}, tests, v.provedCell(since[x.ID], x.Result),
		}})
	}
	return t
}

// provedCell says when a promise was last found kept. What the tests of a version show has no such time.
func (v *visit) provedCell(at time.Time, r prove.Result) ui.Cell {
	switch {
	case !at.IsZero():
		return ui.Cell{Text: v.words.DateTime(at)}
	case r == prove.Broken:
		return ui.Cell{Text: v.t("proof.never")}
	default:
		return ui.Cell{Text: "–", Muted: true}
	}
}

// proofChoice says whether the public page shows the proofs; the owner may choose.
func (v *visit) proofChoice(p *proofPage) error {
	on, err := v.Proofs.Published(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	name, err := v.Policies.Name(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	p.Shown = v.t("proof.hidden.text")
	choice := ui.Action{Title: v.t("proof.show"), Href: proofHome + "/publish", Icon: "eye", Post: true, Fields: []ui.Param{{Name: "on", Value: "yes"}}}
	if on {
		p.Shown = v.t("proof.shown.text")
		p.Public = &ui.Link{Title: v.t("proof.public"), Href: privacyPath + name + "/proof"}
		choice = ui.Action{Title: v.t("proof.hide"), Href: proofHome + "/publish", Icon: "eye-off", Post: true}
	}
	if v.actor.Can(account.ManageOrg) {
		p.Choice = &choice
	}
	return nil
}

func publishProof(v *visit) error {
	on := v.checked("on")
	if err := v.Proofs.Publish(v.ctx(), v.actor, on); err != nil {
		return err
	}
	if on {
		return v.to(proofHome, v.good("proof.now_shown"))
	}
	return v.to(proofHome, v.good("proof.now_hidden"))
}

// runProof begins a run. The page does not wait for it.
func runProof(v *visit) error {
	org, actor := v.org(), string(v.actor.Member.ID)
	turn, err := v.Proofs.Begin(org.ID, v.Now())
	if fault.KindOf(err) == fault.Conflict {
		return v.to(proofHome, ui.Flash{Kind: ui.Warn, Text: fault.Sentence(err)})
	}
	if err != nil {
		return err
	}
	v.Background("proof", func(ctx context.Context) error { return v.Prove(ctx, org, actor, turn) })
	return v.to(proofHome, v.good("proof.begun"))
}

// proofReport gives the last report as it was signed.
func proofReport(v *visit) error {
	r, certified, ok, err := v.Proofs.Last(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.NotFound, "The policy was not proved yet, so there is no report. Start a run first.")
	}
	v.w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "proof-" + r.At.UTC().Format(time.DateOnly) + ".json"}))
	v.w.Header().Set("Cache-Control", "private, no-store")
	return v.text("application/json", certified)
}

// publicProofPage is what everybody sees of the last run.
type publicProofPage struct {
	ui.Frame
	Facts []ui.Fact
	Steps *ui.Table
	Table *ui.Table
	Empty *ui.Empty
	Whole ui.Link // the privacy page
}

// privacyProof shows everybody how the promises stand, without what the steps found: that is about people's data.
func privacyProof(v *visit) error {
	org, x, err := v.reads(v.current)
	if err != nil {
		return err
	}
	on, err := v.Proofs.Published(v.ctx(), org.ID)
	if err == nil && !on {
		err = fault.New(fault.NotFound, "%s does not show how its promises were proved.", org.Name)
	}
	if err != nil {
		return err
	}
	last, _, ok, proofErr := v.Proofs.Last(v.ctx(), org.ID)
	since, sinceErr := v.Proofs.Since(v.ctx(), org.ID)
	if err := errors.Join(proofErr, sinceErr); err != nil {
		return err
	}
	p := &publicProofPage{Frame: v.public(org, x.Document.Languages), Whole: ui.Link{Title: v.t("privacy.whole"), Href: privacyPath + v.r.PathValue("org")}}
	p.Title = v.t("proof.public.title", "Organisation", org.Name)
	if !ok {
		p.Lead = v.words.Rich("proof.lead.never")
		p.Empty = &ui.Empty{Icon: "shield", Title: v.t("proof.none"), Text: v.t("proof.public.none")}
		return v.render("privacy-proof", p)
	}
	p.Lead, p.Facts = v.proofLead(last), v.proofFacts(last)
	steps, promises := v.stepsTable(last, false), v.promisesTable(last, since, "")
	p.Steps, p.Table = &steps, &promises
	return v.render("privacy-proof", p)
}
