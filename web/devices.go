package web

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"parley/account"
	"parley/calls/device"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/web/ui"
)

// deviceRoutes are the paired phones.
func (s *site) deviceRoutes() []route {
	return []route{
		{"GET /devices", account.ReadDevices, devices},
		{"GET /devices/pair", account.ManageDevices, pairForm},
		{"POST /devices/pair", account.ManageDevices, pair},
		{"GET /devices/settings", account.ManageDevices, deviceSettings},
		{"POST /devices/settings", account.ManageDevices, setDeviceSettings},
		{"GET /devices/{device}", account.ReadDevices, oneDevice},
		{"POST /devices/{device}/rename", account.ManageDevices, renameDevice},
		{"POST /devices/{device}/unpair", account.ManageDevices, unpairDevice},
	}
}

// devicesPage lists the phones.
type devicesPage struct {
	ui.Frame
	Note     *ui.Note
	Tiles    []ui.Tile
	Table    ui.Table
	Unpaired ui.Table
	Actions  []ui.Action
}

func devices(v *visit) error {
	agents, err := v.actor.Agents(v.ctx())
	if err != nil {
		return err
	}
	all, err := v.Devices.Devices(v.ctx(), v.org(), agents)
	if err != nil {
		return err
	}
	sum, err := v.Devices.Health(v.ctx(), v.org(), agents)
	if err != nil {
		return err
	}
	p := &devicesPage{Frame: v.frame(v.t("nav.devices"))}
	p.Lead = v.words.Rich("devices.lead", "Count", sum.Paired, "Online", v.words.Number(int64(sum.Online)))
	if sum.Silent > 0 {
		p.Note = &ui.Note{Kind: ui.Warn, Text: v.t("devices.silent_note", "Count", sum.Silent)}
	}
	p.Tiles = v.deviceTiles(&sum)
	if v.actor.Can(account.ManageDevices) {
		p.Actions = []ui.Action{{Title: v.t("devices.settings"), Href: "/devices/settings", Icon: "settings"}, {Title: v.t("devices.pair"), Href: "/devices/pair", Icon: "plus", Primary: true}}
	}
	return v.listDevices(p, all)
}

func (v *visit) deviceTiles(s *device.Summary) []ui.Tile {
	if s.Paired == 0 {
		return nil
	}
	tile := func(key string, n int, kind ui.Kind) ui.Tile {
		if n == 0 {
			kind = ui.Plain
		}
		return ui.Tile{Title: v.t("devices." + key), Figure: v.words.Number(int64(n)), Kind: kind, How: v.t("devices." + key + ".how")}
	}
	return []ui.Tile{
		tile("online", s.Online, ui.Plain), tile("away", s.Away, ui.Plain), tile("offline", s.Offline+s.Never, ui.Warn),
		tile("silent", s.Silent, ui.Bad), tile("waiting", s.Waiting, ui.Plain),
	}
}

func (v *visit) listDevices(p *devicesPage, all []device.View) error {
	names, err := v.agentNames()
	if err != nil {
		return err
	}
	columns := []ui.Column{
		{Title: v.t("devices.phone")}, {Title: v.t("role.agent")}, {Title: v.t("devices.health")}, {Title: v.t("devices.seen")},
		{Title: v.t("devices.waiting"), Numeric: true}, {Title: v.t("devices.app")},
	}
	p.Table = ui.Table{Title: v.t("devices.paired"), Columns: columns, Empty: &ui.Empty{Icon: "device", Title: v.t("devices.none"), Text: v.t("devices.none.text")}}
	if v.actor.Can(account.ManageDevices) {
		p.Table.Empty.Action = &ui.Action{Title: v.t("devices.pair"), Href: "/devices/pair", Icon: "plus"}
	}
	p.Unpaired = ui.Table{Title: v.t("devices.unpaired"), Columns: columns}
	for i := range all {
		to := &p.Table
		if all[i].Health == device.Unpaired {
			to = &p.Unpaired
		}
		to.Rows = append(to.Rows, v.deviceRow(&all[i], names))
	}
	return v.render("devices", p)
}

func (v *visit) deviceRow(d *device.View, names map[account.AgentNo]*account.Member) ui.Row {
	who := ui.Cell{Text: "–"}
	if m := names[d.Agent]; m != nil {
		who = ui.Cell{Text: m.Name}
	}
	seen := ui.Cell{Ago: d.SeenAt}
	if d.SeenAt.IsZero() {
		seen = ui.Cell{Text: v.t("people.phone.never"), Muted: true}
	}
	health := ui.Cell{Text: v.phoneWord(d), Dot: true, State: phoneKind(d)}
	for _, w := range v.deviceWarnings(d) {
		health.Tags = append(health.Tags, ui.Tag{Text: w, Kind: ui.Warn})
	}
	name, model := nonEmpty(d.Name, nonEmpty(d.Model, d.ID)), d.Model
	if model == name {
		model = ""
	}
	return ui.Row{Cells: []ui.Cell{
		{Text: name, Href: devicePath(d.ID), Strong: true, Sub: model}, who, health, seen,
		{Text: v.words.Number(int64(d.Waiting))}, {Text: nonEmpty(d.AppVersion, "–"), Sub: d.OS},
	}}
}

// deviceWarnings are what is wrong with a phone besides its health.
func (v *visit) deviceWarnings(d *device.View) []string {
	if d.Health == device.Unpaired {
		return nil
	}
	var out []string
	if d.AtRisk {
		out = append(out, v.t("devices.at_risk"))
	}
	if d.ClockOff {
		out = append(out, v.t("devices.clock_off"))
	}
	if len(d.Permissions) > 0 {
		out = append(out, v.t("devices.permissions"))
	}
	return out
}

func devicePath(id string) string { return "/devices/" + url.PathEscape(id) }

// agentNames are the organisation's agents by number.
func (v *visit) agentNames() (map[account.AgentNo]*account.Member, error) {
	agents, err := v.Accounts.Agents(v.ctx(), v.org().ID)
	out := make(map[account.AgentNo]*account.Member, len(agents))
	for _, m := range agents {
		out[m.Agent] = m
	}
	return out, err
}

// devicePage shows one phone.
type devicePage struct {
	ui.Frame
	Notes   []ui.Note
	Facts   []ui.Fact
	Lines   ui.Table
	Days    ui.Table
	Rename  *form
	Actions []ui.Action
}

// shownDays is over how many days a phone's page tells what is lacking.
const shownDays = 30

// seenDevice gives a phone of an agent whom the actor may see.
func (v *visit) seenDevice() (device.View, error) {
	d, err := v.Devices.View(v.ctx(), v.org(), v.r.PathValue("device"))
	if err != nil {
		return d, err
	}
	ok, err := v.actor.Sees(v.ctx(), d.Agent)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no phone %s here.", v.r.PathValue("device"))
	}
	return d, err
}

func oneDevice(v *visit) error {
	d, err := v.seenDevice()
	if err != nil {
		return err
	}
	p := &devicePage{Frame: v.frame(nonEmpty(d.Name, nonEmpty(d.Model, d.ID)))}
	p.Crumbs = []ui.Link{{Title: v.t("nav.devices"), Href: "/devices"}}
	if err := v.deviceFacts(p, &d); err != nil {
		return err
	}
	if err := v.deviceLines(p, &d); err != nil {
		return err
	}
	if d.Health != device.Unpaired {
		if err := v.deviceDays(p, &d); err != nil {
			return err
		}
		v.deviceDeeds(p, &d)
	}
	return v.render("device", p)
}

func (v *visit) deviceFacts(p *devicePage, d *device.View) error {
	names, err := v.agentNames()
	if err != nil {
		return err
	}
	if m := names[d.Agent]; m != nil {
		p.Facts = append(p.Facts, ui.Fact{Title: v.t("role.agent"), Cell: ui.Cell{Text: m.Name, Href: "/agents/" + url.PathEscape(string(m.ID))}})
	}
	add := func(key string, c ui.Cell) {
		if c.Text != "" || !c.Time.IsZero() || !c.Ago.IsZero() {
			p.Facts = append(p.Facts, ui.Fact{Title: v.t("devices." + key), Cell: c})
		}
	}
	add("health", ui.Cell{Text: v.phoneWord(d), Dot: true, State: phoneKind(d)})
	add("seen", ui.Cell{Ago: d.SeenAt})
	add("synced", ui.Cell{Ago: d.SyncedAt})
	add("complete", ui.Cell{Ago: d.CompleteAt})
	add("last_call", ui.Cell{Time: d.LastCallAt})
	add("waiting", ui.Cell{Text: v.words.Number(int64(d.Waiting))})
	add("model", ui.Cell{Text: d.Model})
	add("os", ui.Cell{Text: d.OS})
	add("app", ui.Cell{Text: d.AppVersion})
	if d.Battery != nil {
		add("battery", ui.Cell{Text: v.words.Percent(float64(*d.Battery) / 100)})
	}
	add("paired_at", ui.Cell{Time: d.PairedAt})
	add("unpaired_at", ui.Cell{Time: d.UnpairedAt})
	v.deviceNotes(p, d)
	return nil
}

// deviceNotes say what is wrong and what to do.
func (v *visit) deviceNotes(p *devicePage, d *device.View) {
	if d.Health == device.Unpaired {
		return
	}
	note := func(kind ui.Kind, key string, args ...any) {
		p.Notes = append(p.Notes, ui.Note{Kind: kind, Title: v.t("devices." + key), Text: v.t("devices."+key+".todo", args...)})
	}
	if d.Silent {
		note(ui.Bad, "silent", "For", v.words.Duration(int64(d.SilentFor/time.Second)))
	}
	if d.AtRisk {
		note(ui.Warn, "at_risk")
	}
	if d.ClockOff {
		note(ui.Warn, "clock_off", "By", v.words.Duration(int64(d.ClockSkew.Abs()/time.Second)))
	}
	for _, name := range d.Permissions {
		note(ui.Warn, "permissions", "Name", name)
	}
}

func (v *visit) deviceLines(p *devicePage, d *device.View) error {
	p.Lines = ui.Table{Title: v.t("devices.lines"), Columns: []ui.Column{{Title: v.t("devices.line")}, {Title: v.t("devices.sim")}}}
	all, err := v.Devices.Lines(v.ctx(), v.org())
	if err != nil {
		return err
	}
	for _, mine := range d.Lines {
		slot := "–"
		if mine.Slot > 0 {
			slot = strconv.Itoa(mine.Slot)
		}
		for _, l := range all {
			if l.No == mine.No {
				p.Lines.Rows = append(p.Lines.Rows, ui.Row{Cells: []ui.Cell{{Text: v.lineTitle(l), Strong: true, Sub: l.Label}, {Text: slot}}})
			}
		}
	}
	return nil
}

// deviceDays tells of which days the phone has calls that we lack.
func (v *visit) deviceDays(p *devicePage, d *device.View) error {
	today := v.today()
	c, err := v.Devices.Complete(v.ctx(), v.org(), []account.AgentNo{d.Agent}, today-shownDays+1, today+1)
	if err != nil {
		return err
	}
	p.Days = ui.Table{Title: v.t("devices.days"), Columns: []ui.Column{{Title: v.t("devices.day")}, {Title: v.t("devices.state")}},
		Empty: &ui.Empty{Icon: "check", Title: v.t("devices.days.none"), Text: v.t("devices.days.none.text")}}
	i := slices.IndexFunc(c.Waiting, func(w device.WaitingDevice) bool { return w.DeviceID == d.ID })
	if i < 0 {
		return nil
	}
	for _, day := range c.Waiting[i].MissingDays {
		p.Days.Rows = append(p.Days.Rows, ui.Row{Cells: []ui.Cell{{Text: v.words.LongDate(day), Strong: true}, {Text: v.t("devices.days.lacking")}}})
	}
	return nil
}

func (v *visit) deviceDeeds(p *devicePage, d *device.View) {
	if !v.actor.Can(account.ManageDevices) {
		return
	}
	p.Rename = &form{Action: devicePath(d.ID) + "/rename", Submit: v.t("devices.rename"), Sections: []section{{Fields: []ui.Field{
		{Name: "name", Label: v.t("devices.name"), Value: d.Name, Size: "medium"},
	}}}}
	p.Actions = []ui.Action{{Title: v.t("devices.unpair"), Href: devicePath(d.ID) + "/unpair", Post: true, Danger: true, Icon: "close",
		Confirm: v.t("devices.unpair.title"), ConfirmText: v.t("devices.unpair.text")}}
}

func renameDevice(v *visit) error {
	d, err := v.seenDevice()
	if err != nil {
		return err
	}
	if _, err := v.Devices.RenameDevice(v.ctx(), v.org(), d.ID, v.form("name")); err != nil {
		return err
	}
	return v.to(devicePath(d.ID), v.good("devices.renamed"))
}

func unpairDevice(v *visit) error {
	d, err := v.seenDevice()
	if err != nil {
		return err
	}
	if err := v.Devices.Unpair(v.ctx(), v.org(), d.ID); err != nil {
		return err
	}
	return v.to("/devices", v.good("devices.unpaired_now"))
}

// pairPage makes a code and says what to do with it.
type pairPage struct {
	form
	Code    string
	Until   string
	Address string
	Name    string
}

func pairForm(v *visit) error {
	p, err := v.pairPage()
	if err != nil {
		return err
	}
	return v.render("pair", p)
}

func (v *visit) pairPage() (*pairPage, error) {
	p := &pairPage{form: form{Frame: v.frame(v.t("devices.pair")), Submit: v.t("devices.pair.make")}, Address: v.base(v.r)}
	p.Crumbs = []ui.Link{{Title: v.t("nav.devices"), Href: "/devices"}}
	p.Lead = v.words.Rich("devices.pair.lead")
	f := ui.Field{Name: "agent", Label: v.t("role.agent"), Help: v.t("devices.pair.agent"), Type: "select", Size: "medium", Value: v.query("agent")}
	agents, err := v.Accounts.Agents(v.ctx(), v.org().ID)
	for _, m := range agents {
		if m.Active {
			f.Options = append(f.Options, ui.Option{Value: string(m.ID), Title: m.Name})
		}
	}
	p.Sections = []section{{Fields: []ui.Field{f}}}
	return p, err
}

func pair(v *visit) error {
	p, err := v.pairPage()
	if err != nil {
		return err
	}
	m, err := v.Accounts.Member(v.ctx(), v.org().ID, account.MemberID(v.form("agent")))
	if err == nil && m.Agent == 0 {
		err = fault.Field("agent", "%s is no agent, so no phone can report for them. Make them an agent first, under People.", m.Name)
	}
	if err != nil {
		return v.again("pair", p, err)
	}
	code, until, err := v.Devices.PairingCode(v.ctx(), v.org(), m.Agent)
	if err != nil {
		return v.again("pair", p, err)
	}
	p.Code, p.Until, p.Name = code, v.words.Time(until), m.Name
	return v.render("pair", p)
}

func deviceSettings(v *visit) error {
	s, err := v.Devices.Settings(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	return v.render("form", v.deviceSettingsPage(&s))
}

func (v *visit) deviceSettingsPage(s *device.Settings) *form {
	p := &form{Frame: v.frame(v.t("devices.settings")), Submit: v.t("devices.settings.save")}
	p.Crumbs = []ui.Link{{Title: v.t("nav.devices"), Href: "/devices"}}
	p.Lead = v.words.Rich("devices.settings.lead")
	from := ""
	if s.CollectFrom != 0 {
		from = s.CollectFrom.String()
	}
	hours := ui.Field{Name: "hours", Label: v.t("devices.settings.hours"), Type: "check", Checked: s.TrackFrom != 0 || s.TrackTo != 0, Help: v.t("devices.settings.hours.help")}
	start, end := s.TrackFrom, s.TrackTo
	if start == 0 && end == 0 {
		start, end = v.org().WorkFrom, v.org().WorkTo
	}
	p.Sections = []section{
		{Title: v.t("devices.settings.what"), Fields: []ui.Field{
			{Name: "collect_from", Label: v.t("devices.settings.from"), Help: v.t("devices.settings.from.help"), Type: "date", Size: "short", Optional: true, Value: from},
			weekdaysField(v.words, "track_days", v.t("devices.settings.days"), s.TrackDays),
			hours,
			{Name: "track_from", Label: v.t("devices.settings.start"), Type: "time", Size: "short", Value: clockField(start)},
			{Name: "track_to", Label: v.t("devices.settings.end"), Type: "time", Size: "short", Value: clockField(end)},
		}},
		{Title: v.t("devices.settings.more"), Fields: []ui.Field{{Name: "battery", Label: v.t("devices.settings.battery"), Help: v.t("devices.settings.battery.help"), Type: "check", Checked: s.Battery}}},
	}
	return p
}

func setDeviceSettings(v *visit) error {
	s, err := v.readDeviceSettings()
	if err == nil {
		err = v.Devices.SetSettings(v.ctx(), v.org().ID, s)
	}
	if err != nil {
		return v.again("form", v.deviceSettingsPage(&s), err)
	}
	return v.to("/devices/settings", v.good("devices.settings.saved"))
}

func (v *visit) readDeviceSettings() (device.Settings, error) {
	s := device.Settings{Battery: v.checked("battery"), TrackDays: v.weekdays("track_days")}
	var errs [3]error
	if day := v.form("collect_from"); day != "" {
		var d civil.Day
		if d, errs[0] = civil.Parse(day); errs[0] != nil {
			errs[0] = fault.Field("collect_from", "%s", fault.Sentence(errs[0]))
		}
		s.CollectFrom = d
	}
	if v.checked("hours") {
		s.TrackFrom, errs[1] = v.time("track_from", false)
		s.TrackTo, errs[2] = v.time("track_to", true)
	}
	return s, fault.Join(errs[:]...)
}
