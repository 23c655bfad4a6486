package web

import (
	"strconv"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/web/ui"
)

// followUpForm plans a follow-up.
type followUpForm struct {
	Keep   []ui.Param
	Fields []ui.Field
}

// followUpFields ask what a follow-up is, with what is there of one.
func (d *desk) followUpFields(f *followup.FollowUp) []ui.Field {
	kind := ui.Field{Name: "kind", Label: d.t("followup.what"), Type: "select", Size: "medium", Value: string(f.Kind)}
	for _, k := range followup.Kinds() {
		kind.Options = append(kind.Options, ui.Option{Value: string(k), Title: d.t("followup.kind." + string(k))})
	}
	var due, day, until string
	switch {
	case f.ID == "":
	case f.AllDay:
		day = f.Day.String()
	default:
		due = f.Due.In(d.org().Location()).Format("2006-01-02T15:04")
	}
	if f.Repeat.Until != 0 {
		until = f.Repeat.Until.String()
	}
	fields := []ui.Field{kind,
		{Name: "due", Label: d.t("followup.at"), Type: "datetime-local", Optional: true, Size: "medium", Value: due},
		{Name: "day", Label: d.t("followup.day"), Help: d.t("followup.day.help"), Type: "date", Optional: true, Size: "short", Value: day}}
	if owners := d.owners()[1:]; len(owners) > 1 {
		fields = append(fields, ui.Field{Name: "owner", Label: d.t("followup.owner"), Type: "select", Size: "medium", Value: string(f.Owner), Options: owners})
	}
	unit := ui.Field{Name: "unit", Label: d.t("followup.repeat"), Type: "select", Size: "medium", Value: string(f.Repeat.Unit)}
	for _, u := range []followup.Unit{followup.Once, followup.Daily, followup.Weekly, followup.Monthly} {
		unit.Options = append(unit.Options, ui.Option{Value: string(u), Title: d.t("followup.unit." + nonEmpty(string(u), "once"))})
	}
	return append(fields, ui.Field{Name: "text", Label: d.t("followup.text"), Type: "textarea", Rows: 2, Optional: true, Value: f.Text}, unit,
		ui.Field{Name: "every", Label: d.t("followup.every"), Help: d.t("followup.every.help"), Type: "number", Min: "1", Max: "365", Value: strconv.Itoa(max(f.Repeat.Every, 1)), Size: "short"},
		ui.Field{Name: "last", Label: d.t("followup.last"), Type: "date", Optional: true, Size: "short", Value: until})
}

// repeatText says in words when a follow-up comes again.
func (v *visit) repeatText(r followup.Repeat) string {
	text := v.t("followup.each."+string(r.Unit), "Count", r.Every)
	if r.Until != 0 {
		text = v.t("followup.each.until", "Each", text, "Day", v.words.LongDate(r.Until))
	}
	return text
}

// followUpTime reads when it is to be done: a moment, or else a day.
func (v *visit) followUpTime() (due time.Time, day civil.Day, err error) {
	if due, err = v.moment("due"); err != nil || !due.IsZero() {
		return due, 0, err
	}
	if day, err = v.dayField("day"); err == nil && day == 0 {
		err = fault.Field("due", "Say when it is to be done: a day, or a day with a time.")
	}
	return due, day, err
}

// repeat reads when a follow-up comes again.
func (v *visit) repeat() (followup.Repeat, error) {
	r := followup.Repeat{Unit: followup.Unit(v.form("unit"))}
	if r.Unit == followup.Once {
		return r, nil
	}
	every, err := v.whole0("every")
	if err != nil {
		return r, err
	}
	r.Every = every
	r.Until, err = v.dayField("last")
	return r, err
}

func addFollowUp(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	n := followup.New{Kind: followup.Kind(v.form("kind")), Text: v.typed("text"), Owner: account.MemberID(v.form("owner"))}
	back := "/day"
	if id := lead.ID(v.form("lead")); id != "" {
		l, err := v.Leads.Get(v.ctx(), v.DB, v.org().ID, d.sight, id)
		if err != nil {
			return err
		}
		n.Lead, back = l.ID, "/leads/"+string(l.ID)
		n.Owner = account.MemberID(nonEmpty(string(n.Owner), string(l.Owner)))
	} else {
		c, err := v.Contacts.Get(v.ctx(), v.DB, v.org().ID, d.sight, contact.ID(v.form("contact")))
		if err != nil {
			return err
		}
		n.Contact, back = c.ID, contactPath(c.ID)
	}
	if n.Due, n.Day, err = v.followUpTime(); err != nil {
		return err
	}
	if n.Repeat, err = v.repeat(); err != nil {
		return err
	}
	var f *followup.FollowUp
	err = v.DB.Tx(v.ctx(), func(tx *db.Tx) (err error) {
		f, err = v.FollowUps.Add(v.ctx(), tx, v.org(), v.actor.Member.ID, n)
		return err
	})
	if err != nil {
		return err
	}
	return v.to(back, v.good("followup.added", "When", v.followUpWhen(f)))
}

func (d *desk) followUpPage(f *followup.FollowUp) *form {
	title := d.t("followup.kind." + string(f.Kind))
	return &form{Frame: d.under(d.t("followup.edit"), ui.Link{Title: d.t("nav.day"), Href: "/day"}, ui.Link{Title: title, Href: followup.Link(f.ID)}), Submit: d.t("followup.edit.submit"),
		Hidden: []ui.Param{{Name: "rev", Value: strconv.FormatInt(f.Rev, 10)}}, Sections: []section{{Fields: d.followUpFields(f)}}}
}

func editFollowUp(v *visit) error {
	d, f, err := v.theFollowUp()
	if err != nil {
		return err
	}
	return v.render("form", d.followUpPage(f))
}

// changeFollowUp changes what a follow-up is and who does it, both or neither.
func changeFollowUp(v *visit) error {
	d, f, err := v.theFollowUp()
	if err != nil {
		return err
	}
	rev, err := strconv.ParseInt(v.form("rev"), 10, 64)
	if err != nil {
		return fault.New(fault.Invalid, "The form did not arrive whole. Open it again.")
	}
	ch, err := d.followUpChange(f)
	if err == nil {
		err = v.DB.Tx(v.ctx(), func(tx *db.Tx) error {
			if _, err := v.FollowUps.Change(v.ctx(), tx, v.org(), v.actor.Member.ID, f.ID, rev, ch); err != nil {
				return err
			}
			to := account.MemberID(v.form("owner"))
			if to == "" {
				return nil
			}
			_, err := v.FollowUps.HandOver(v.ctx(), tx, v.org(), v.actor.Member.ID, f.ID, to)
			return err
		})
	}
	if err != nil {
		return v.again("form", d.followUpPage(f), err)
	}
	return v.to(followup.Link(f.ID), v.good("followup.changed"))
}

// followUpChange reads what the form changes; what stands as it was is no change, so that a series stays the same one.
func (d *desk) followUpChange(f *followup.FollowUp) (followup.Change, error) {
	kind, text := followup.Kind(d.form("kind")), d.typed("text")
	ch := followup.Change{Kind: &kind, Text: &text}
	due, day, err := d.followUpTime()
	if err != nil {
		return ch, err
	}
	switch {
	case due.IsZero() && !(f.AllDay && f.Day == day):
		ch.Day = &day
	case !due.IsZero() && (f.AllDay || !f.Due.Truncate(time.Minute).Equal(due)):
		ch.Due = &due
	}
	r, err := d.repeat()
	if err != nil {
		return ch, err
	}
	if r.Unit != f.Repeat.Unit || r.Unit != followup.Once && (max(r.Every, 1) != f.Repeat.Every || r.Until != f.Repeat.Until) {
		ch.Repeat = &r
	}
	return ch, nil
}
