package app

import (
	"context"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/platform/fault"
)

func notFoundf(format string, a ...any) error { return fault.New(fault.NotFound, format, a...) }
func conflictf(format string, a ...any) error { return fault.New(fault.Conflict, format, a...) }
func invalidf(format string, a ...any) error  { return fault.New(fault.Invalid, format, a...) }

// link is the address of a page with a secret, as mails and the command line give it.
func (c *Config) link(page, secret string) string { return c.base() + "/" + page + "/" + secret }

// base is the address that people reach the server at.
func (c *Config) base() string {
	if c.URL != "" {
		return c.URL
	}
	listen := c.Listen
	if strings.HasPrefix(listen, ":") || strings.HasPrefix(listen, "0.0.0.0:") || strings.HasPrefix(listen, "[::]:") {
		listen = "localhost" + listen[strings.LastIndexByte(listen, ':'):]
	}
	if c.TLS.on() {
		return "https://" + listen
	}
	return "http://" + listen
}

type orgCmd struct {
	Create  orgCreateCmd  `cmd:"" help:"Make an organisation and invite its owner."`
	List    orgListCmd    `cmd:"" help:"List all organisations."`
	Show    orgShowCmd    `cmd:"" help:"Show one organisation's settings."`
	Set     orgSetCmd     `cmd:"" help:"Change an organisation's settings."`
	Rebuild orgRebuildCmd `cmd:"" help:"Reckon all figures anew from the calls."`
	Close   orgCloseCmd   `cmd:"" help:"Close an organisation: it is locked, and gone after a time to take it back."`
	Reopen  orgReopenCmd  `cmd:"" help:"Take the closing of an organisation back."`
	Receipt orgReceiptCmd `cmd:"" help:"Show the receipt of an organisation that was closed."`
	Delete  orgDeleteCmd  `cmd:"" help:"Delete an organisation with everything it has, for good."`
}

type orgCreateCmd struct {
	asJSON
	Name      string `required:"" help:"Name of the organisation."`
	Country   string `required:"" placeholder:"IN" help:"Country, as its two letters; numbers are read in it."`
	Zone      string `required:"" placeholder:"Asia/Kolkata" help:"Time zone; days are those of this zone."`
	Owner     string `required:"" placeholder:"EMAIL" help:"E-mail address of the owner."`
	OwnerName string `placeholder:"NAME" help:"Name of the owner."`
	Industry  string `help:"Industry."`
	Locale    string `help:"Language of its pages: en or hi."`
}

func (c *orgCreateCmd) founds() bool { return true }

func (c *orgCreateCmd) onData(ctx context.Context, r *Run) error {
	org, err := r.p.Accounts.CreateOrg(ctx, account.NewOrg{
		Name: c.Name, Country: c.Country, Zone: c.Zone, Industry: c.Industry, Locale: c.Locale, OwnerName: c.OwnerName, OwnerEmail: c.Owner,
	})
	if err != nil {
		return err
	}
	owner, err := r.p.Accounts.Owner(ctx, org.ID)
	if err != nil {
		return err
	}
	secret, _, err := r.p.Accounts.Invite(ctx, r.p.Accounts.Operator(org), account.NewInvitation{Member: owner.ID})
	if err != nil {
		return err
	}
	link := r.Config.link("invitation", secret)
	if c.JSON {
		return writeJSON(r, struct {
			ID         account.OrgID    `json:"id"`
			Name       string           `json:"name"`
			Owner      account.MemberID `json:"owner"`
			Invitation string           `json:"invitation"`
		}{org.ID, org.Name, owner.ID, link})
	}
	how := "Start \"parley serve\" and open it there."
	if r.served {
		how = "It works once, within 7 days."
	}
	return r.printf("Organisation %q has number %d.\nThe owner chooses a password at\n  %s\n%s\n", org.Name, org.ID, link, how)
}

// orgView is an organisation as JSON.
type orgView struct {
	ID            account.OrgID `json:"id"`
	Name          string        `json:"name"`
	Country       string        `json:"country"`
	Zone          string        `json:"zone"`
	Locale        string        `json:"locale"`
	Industry      string        `json:"industry"`
	ContactName   string        `json:"contact_name"`
	ContactPhone  string        `json:"contact_phone"`
	Email         string        `json:"email"`
	Workdays      string        `json:"workdays"`
	WorkFrom      string        `json:"work_from"`
	WorkTo        string        `json:"work_to"`
	ConnectedFrom int           `json:"connected_from_seconds"`
	GapMinutes    int           `json:"gap_minutes"`
	Demo          bool          `json:"demo"`
	CreatedAt     time.Time     `json:"created_at"`
}

func viewOrg(o *account.Org) orgView {
	return orgView{
		ID: o.ID, Name: o.Name, Country: o.Country, Zone: o.Zone, Locale: o.Locale, Industry: o.Industry, ContactName: o.ContactName,
		ContactPhone: o.ContactPhone, Email: o.Email, Workdays: writeWorkdays(o.Workdays), WorkFrom: clock(o.WorkFrom), WorkTo: clock(o.WorkTo),
		ConnectedFrom: o.ConnectedFrom, GapMinutes: o.GapMinutes, Demo: o.Demo, CreatedAt: o.CreatedAt,
	}
}

type orgListCmd struct{ asJSON }

func (c *orgListCmd) onData(ctx context.Context, r *Run) error {
	orgs, err := r.p.Accounts.Orgs(ctx)
	if err != nil {
		return err
	}
	out := make([]orgView, len(orgs))
	for i, o := range orgs {
		out[i] = viewOrg(o)
	}
	return c.write(r, out, func(t *table) {
		t.row("NUMBER", "NAME", "COUNTRY", "ZONE", "DEMO")
		for _, o := range out {
			t.row(o.ID, o.Name, o.Country, o.Zone, yes(o.Demo))
		}
	})
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

type orgShowCmd struct {
	inOrg
	asJSON
}

func (c *orgShowCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	return c.show(r, org)
}

func (j asJSON) show(r *Run, org *account.Org) error {
	o := viewOrg(org)
	return j.write(r, o, func(t *table) {
		for _, line := range [...][2]any{
			{"number", o.ID}, {"name", o.Name}, {"country", o.Country}, {"zone", o.Zone}, {"locale", o.Locale}, {"industry", o.Industry},
			{"contact name", o.ContactName}, {"contact phone", o.ContactPhone}, {"e-mail", o.Email}, {"working days", o.Workdays},
			{"working hours", o.WorkFrom + " to " + o.WorkTo}, {"connected from", strconv.Itoa(o.ConnectedFrom) + " s"},
			{"longest gap in active time", strconv.Itoa(o.GapMinutes) + " min"}, {"demo", yes(o.Demo)},
		} {
			t.row(line[0], line[1])
		}
	})
}

type orgDeleteCmd struct {
	Name string `arg:"" help:"Name or number of the organisation."`
	Yes  bool   `help:"Really delete it."`
}

func (c *orgDeleteCmd) onData(ctx context.Context, r *Run) error {
	org, err := r.p.Accounts.FindOrg(ctx, c.Name)
	if err != nil {
		return err
	}
	if !c.Yes {
		return invalidf("This deletes %q with all calls, people and devices, and destroys its keys; only a backup made before could bring it back. Repeat it with --yes.", org.Name)
	}
	if err := r.p.RemoveOrg(ctx, org.ID); err != nil {
		return err
	}
	return r.printf("Organisation %q was deleted.\n", org.Name)
}

// clock writes minutes after midnight as 09:30.
func clock(minutes int) string {
	return time.Date(2000, 1, 1, minutes/60, minutes%60, 0, 0, time.UTC).Format("15:04")
}

// readClock reads 09:30, and 24:00 as the day's end.
func readClock(flag, text string) (int, error) {
	if text == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fault.Field(flag, "--%s is %q. Write a time of day such as 09:30.", flag, text)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// weekdays are the days as flags name them, Sunday first.
func weekdays() [7]string { return [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

func writeWorkdays(w account.Weekdays) string {
	var out []string
	for d, name := range weekdays() {
		if w.Has(time.Weekday(d)) {
			out = append(out, name)
		}
	}
	return strings.Join(out, ",")
}

// readWorkdays reads days such as mon,tue,fri or mon-sat.
func readWorkdays(text string) (account.Weekdays, error) {
	var days account.Weekdays
	names := weekdays()
	find := func(name string) int {
		for d, n := range names {
			if strings.HasPrefix(strings.ToLower(strings.TrimSpace(name)), n) {
				return d
			}
		}
		return -1
	}
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		from := find(first)
		to := from
		if isRange {
			to = find(last)
		}
		if from < 0 || to < 0 {
			return 0, fault.Field("workdays", "--workdays has %q. Write days such as mon-fri or mon,wed,sat.", part)
		}
		for d := from; ; d = (d + 1) % 7 {
			days = days.With(time.Weekday(d))
			if d == to {
				break
			}
		}
	}
	return days, nil
}
