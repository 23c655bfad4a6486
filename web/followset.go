package web

import (
	"slices"
	"strconv"
	"strings"

	"parley/account"
	"parley/crm/followup"
	"parley/platform/fault"
	"parley/web/ui"
)

const followSetPath = leadSettingsPath + "/follow-ups"

// followSetRoutes arrange what is asked of calls, and when somebody is reminded or told.
func (s *site) followSetRoutes() []route {
	return []route{
		{"GET " + followSetPath, account.ManagePipelines, followSetForm},
		{"POST " + followSetPath, account.ManagePipelines, saveFollowSet},
		{"GET " + followSetPath + "/outcomes", account.ManagePipelines, outcomesForm},
		{"POST " + followSetPath + "/outcomes", account.ManagePipelines, saveOutcomes},
	}
}

func (v *visit) followSetPage(set *followup.Settings) *form {
	p := &form{Frame: v.leadSettingsFrame(v.t("followset.title")), Submit: v.t("leadset.save"), Hidden: []ui.Param{{Name: "rev", Value: strconv.FormatInt(set.Rev, 10)}}}
	var reminders []string
	for _, m := range set.Reminders {
		reminders = append(reminders, strconv.Itoa(m))
	}
	number := func(name string, n, most int) ui.Field {
		return ui.Field{Name: name, Label: v.t("followset." + name), Help: v.t("followset." + name + ".help"), Type: "number", Min: "0", Max: strconv.Itoa(most), Value: strconv.Itoa(n), Size: "short"}
	}
	p.Sections = []section{
		{Title: v.t("followset.asked"), Text: v.t("followset.asked.text"), Link: &ui.Link{Title: v.t("followset.outcomes"), Href: followSetPath + "/outcomes"}, Fields: []ui.Field{
			{Name: "after_connected", Label: v.t("followset.after_connected"), Type: "check", Checked: !set.AfterConnected.IsZero()},
			{Name: "after_tried", Label: v.t("followset.after_tried"), Type: "check", Checked: !set.AfterTried.IsZero()},
		}},
		{Title: v.t("followset.told"), Fields: []ui.Field{
			{Name: "reminders", Label: v.t("followset.reminders"), Help: v.t("followset.reminders.help"), Value: strings.Join(reminders, ", "), Optional: true, Size: "medium"},
			{Name: "mail", Label: v.t("followset.mail"), Type: "check", Checked: set.Mail},
			number("escalate", set.Escalate, 200),
		}},
		{Title: v.t("followset.targets"), Fields: []ui.Field{number("recovery", set.Recovery, 10080), number("response", set.Response, 10080), number("stale", set.Stale, 3650)}},
		{Title: v.t("followset.calendar"), Fields: []ui.Field{{Name: "details", Label: v.t("followset.details"), Help: v.t("followset.details.help"), Type: "check", Checked: set.Details}}},
	}
	return p
}

func followSetForm(v *visit) error {
	set, err := v.FollowUps.Settings(v.ctx(), v.DB, v.org().ID)
	if err != nil {
		return err
	}
	return v.render("form", v.followSetPage(&set))
}

func saveFollowSet(v *visit) error {
	set, err := v.FollowUps.Settings(v.ctx(), v.DB, v.org().ID)
	if err != nil {
		return err
	}
	rev, err := strconv.ParseInt(v.form("rev"), 10, 64)
	if err != nil {
		return fault.New(fault.Invalid, "The form did not arrive whole. Open it again.")
	}
	n := followup.NewSettings{AfterConnected: new(v.checked("after_connected")), AfterTried: new(v.checked("after_tried")), Mail: new(v.checked("mail")), Details: new(v.checked("details"))}
	reminders := []int{}
	var errs []error
	for _, text := range v.commas("reminders") {
		m, err := strconv.Atoi(text)
		if err != nil {
			errs = append(errs, fault.Field("reminders", "%q is no number of minutes. Write whole numbers with commas, such as 60, 10.", text))
		}
		reminders = append(reminders, m)
	}
	n.Reminders = &reminders
	for name, to := range map[string]**int{"escalate": &n.Escalate, "recovery": &n.Recovery, "response": &n.Response, "stale": &n.Stale} {
		m, err := v.whole(name)
		errs = append(errs, err)
		*to = &m
	}
	if err = fault.Join(errs...); err == nil {
		_, err = v.FollowUps.SetSettings(v.ctx(), v.actor, rev, n)
	}
	if err != nil {
		return v.again("form", v.followSetPage(&set), err)
	}
	return v.to(leadSettingsPath, v.good("leadset.saved"))
}

// outcomesPage asks what calls can come to: a row each, and some for new ones.
func (v *visit) outcomesPage(set *followup.Settings) *rowsForm {
	p := &rowsForm{Rows: v.t("followset.outcomes"), Text: v.t("followset.outcomes.lead"), Name: "outcomes", Heads: []string{v.t("leadset.place"), v.t("leadset.name"), v.t("followset.next"), v.t("leadset.take_out")}}
	p.Frame, p.Submit, p.Hidden = v.leadSettingsFrame(v.t("followset.outcomes")), v.t("leadset.save"), []ui.Param{{Name: "rev", Value: strconv.FormatInt(set.Rev, 10)}}
	for i := range len(set.Outcomes) + emptyRows {
		n := strconv.Itoa(i)
		var o followup.Outcome
		if i < len(set.Outcomes) {
			o = set.Outcomes[i]
		}
		p.Lines = append(p.Lines, []ui.Field{
			{Name: "place-" + n, Label: v.t("leadset.place"), Type: "number", Min: "1", Max: "99", Value: strconv.Itoa(i + 1), Size: "short"},
			{Name: "title-" + n, Label: v.t("leadset.name"), Value: o.Title},
			{Name: "next-" + n, Label: v.t("followset.next"), Type: "check", Checked: o.Next},
			{Name: "gone-" + n, Label: v.t("leadset.take_out"), Type: "check", Checked: o.Retired},
			{Name: "key-" + n, Type: "hidden", Value: o.Key},
		})
	}
	return p
}

func outcomesForm(v *visit) error {
	set, err := v.FollowUps.Settings(v.ctx(), v.DB, v.org().ID)
	if err != nil {
		return err
	}
	return v.render("rows-form", v.outcomesPage(&set))
}

func saveOutcomes(v *visit) error {
	set, err := v.FollowUps.Settings(v.ctx(), v.DB, v.org().ID)
	if err != nil {
		return err
	}
	rev, err := strconv.ParseInt(v.form("rev"), 10, 64)
	if err != nil {
		return fault.New(fault.Invalid, "The form did not arrive whole. Open it again.")
	}
	before := set.Outcomes
	var all []followup.Outcome
	for i, r := range v.rows() {
		o := followup.Outcome{Key: r.key, Title: r.title, Next: r.next}
		if r.gone {
			continue // those that are left out are retired
		}
		if o.Key == "" {
			o.Key = outcomeKey(before, all, i)
		}
		all = append(all, o)
	}
	set.Outcomes = all
	if _, err := v.FollowUps.SetSettings(v.ctx(), v.actor, rev, followup.NewSettings{Outcomes: &all}); err != nil {
		return v.again("rows-form", v.outcomesPage(&set), err)
	}
	return v.to(followSetPath, v.good("leadset.saved"))
}

// outcomeKey is a key that no outcome has.
func outcomeKey(before, now []followup.Outcome, from int) string {
	for n := from + 1; ; n++ {
		key := "outcome_" + strconv.Itoa(n)
		has := func(o followup.Outcome) bool { return o.Key == key }
		if !slices.ContainsFunc(before, has) && !slices.ContainsFunc(now, has) {
			return key
		}
	}
}
