package app

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"parley/account"
)

// commands is the command line.
type commands struct {
	Help       helpFlag          `short:"h" help:"Show help for a command."`
	Data       string            `placeholder:"DIR" help:"Folder of everything that is kept (./data; PARLEY_DATA)."`
	ConfigFile string            `name:"config" placeholder:"FILE" help:"Configuration file (parley.toml in the data folder; PARLEY_CONFIG)."`
	Set        map[string]string `placeholder:"NAME=VALUE" help:"Any setting of \"parley config\", for this run."`

	Serve    serveCmd    `cmd:"" help:"Run the server: pages, API and all that works by itself."`
	Demo     demoCmd     `cmd:"" help:"Make the demo organisation, or remove it."`
	Org      orgCmd      `cmd:"" help:"Organisations."`
	Team     teamCmd     `cmd:"" help:"Teams."`
	Agent    agentCmd    `cmd:"" help:"Agents: people whose calls are kept, and their lines."`
	User     userCmd     `cmd:"" help:"Members: people who can sign in."`
	Token    tokenCmd    `cmd:"" help:"API tokens."`
	Device   deviceCmd   `cmd:"" help:"Paired phones."`
	Exclude  excludeCmd  `cmd:"" help:"Numbers that are kept out."`
	Consent  consentCmd  `cmd:"" help:"What people agreed to, and what they do not want."`
	Hold     holdCmd     `cmd:"" help:"Legal holds: what must not be deleted."`
	Policy   policyCmd   `cmd:"" help:"The privacy policy: read, checked, published, and the texts made from it."`
	Rights   rightsCmd   `cmd:"" help:"Requests of people about their own data."`
	Prove    proveCmd    `cmd:"" help:"Try on the living installation whether the policy holds, and sign what was found."`
	Attest   attestCmd   `cmd:"" help:"Audits, trainings and scans: what is due, and what came of it."`
	Retain   retainCmd   `cmd:"" help:"Retention: what is kept how long, and what goes."`
	Incident incidentCmd `cmd:"" help:"Incidents with people's data, and the clocks of the laws."`
	Legal    legalCmd    `cmd:"" help:"Requests of authorities for data."`
	Transfer transferCmd `cmd:"" help:"Handing the business over to a successor."`
	Import   importCmd   `cmd:"" help:"Bring in calls from files."`
	Imports  importsCmd  `cmd:"" help:"Imports that were made."`
	Lead     leadCmd     `cmd:"" help:"Lists of leads and contacts, in and out."`
	Report   reportCmd   `cmd:"" help:"Show a report."`
	Export   exportCmd   `cmd:"" help:"Write calls, or another report, to a file."`
	Audit    auditCmd    `cmd:"" help:"The log of who saw and changed what, and its proofs."`
	Keys     keysCmd     `cmd:"" help:"The keys that everything is sealed under."`
	Backup   backupCmd   `cmd:"" help:"Backups, also while the server runs."`
	Restore  restoreCmd  `cmd:"" help:"Put a backup in the place of the data."`
	Drill    drillCmd    `cmd:"" help:"Restore the newest backup for trial, and remove it again."`
	Law      lawCmd      `cmd:"" help:"What the law tables say about a place: recordings, hours, clocks, floors."`
	Out      outCmd      `cmd:"" name:"recipients" help:"Whom data can go to, and connections that were refused."`
	Doctor   doctorCmd   `cmd:"" help:"Check the installation, and show where each setting comes from."`
	Config   configCmd   `cmd:"" help:"Show all settings and where they come from."`
	Openapi  openapiCmd  `cmd:"" help:"Write the description of the API (OpenAPI 3.1)."`
	Version  versionCmd  `cmd:"" help:"Show the version."`
}

// overrider is a command with flags that are settings.
type overrider interface{ overrides() map[string]string }

// config puts the configuration together for the command that was chosen.
func (c *commands) config(command *kong.Context, env func(string) (string, bool)) (*Config, error) {
	flags := map[string]string{}
	if o, ok := command.Selected().Target.Addr().Interface().(overrider); ok {
		for name, v := range o.overrides() {
			if v != "" {
				flags[name] = v
			}
		}
	}
	maps.Copy(flags, c.Set)
	if c.Data != "" {
		flags["data"] = c.Data
	}
	return readConfig(flags, c.ConfigFile, env)
}

// inOrg is a command about one organisation.
type inOrg struct {
	Org string `placeholder:"NAME" help:"Organisation, by name or number; needed where there are several."`
}

func (o inOrg) find(ctx context.Context, r *Run) (*account.Org, error) {
	return r.p.Accounts.FindOrg(ctx, o.Org)
}

// asJSON is a command whose output is data.
type asJSON struct {
	JSON bool `name:"json" help:"Write JSON."`
}

// write gives v as JSON where that was asked for, and otherwise the table.
func (j asJSON) write(r *Run, v any, fill func(t *table)) error {
	if j.JSON {
		return writeJSON(r, v)
	}
	t := &table{w: tabwriter.NewWriter(r.Out, 0, 0, 2, ' ', 0)}
	fill(t)
	return t.w.Flush()
}

func writeJSON(r *Run, v any) error {
	e := json.NewEncoder(r.Out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table writes columns. What goes wrong shows when it is flushed.
type table struct{ w *tabwriter.Writer }

func (t *table) row(cells ...any) {
	for i, c := range cells {
		if i > 0 {
			_, _ = fmt.Fprint(t.w, "\t")
		}
		_, _ = fmt.Fprint(t.w, plainCell(fmt.Sprint(c)))
	}
	_, _ = fmt.Fprintln(t.w)
}

// plainCell keeps a terminal from being steered by names, and a row in its line.
func plainCell(s string) string {
	if s == "" {
		return "-"
	}
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c >= 0x7f && c < 0xa0 {
			return ' '
		}
		return c
	}, s)
}

// findMember gives the member that somebody means: by id, by e-mail address, or by name in any case.
func findMember(ctx context.Context, r *Run, org *account.Org, who string) (*account.Member, error) {
	all, err := r.p.Accounts.Members(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	want := strings.Join(strings.Fields(who), " ")
	named := slices.DeleteFunc(slices.Clone(all), func(m *account.Member) bool { return !strings.EqualFold(m.Name, want) })
	for _, m := range all {
		if want != "" && (string(m.ID) == want || strings.EqualFold(m.Email, want)) {
			return m, nil
		}
	}
	switch len(named) {
	case 0:
		return nil, notFoundf("There is no member %q. See \"parley user list\".", want)
	case 1:
		return named[0], nil
	default:
		return nil, conflictf("%d members are called %q. Give the id or e-mail address of one, from \"parley user list\".", len(named), want)
	}
}

type versionCmd struct {
	asJSON
	BOM bool `name:"bom" help:"Write the bill of materials: every library with its version, as CycloneDX 1.5."`
}

func (c *versionCmd) plain(_ context.Context, r *Run) error {
	if c.BOM {
		b, err := bill()
		if err != nil {
			return err
		}
		text, err := b.CycloneDX()
		if err != nil {
			return err
		}
		return r.printf("%s\n", text)
	}
	v := struct {
		Version  string `json:"version"`
		Go       string `json:"go"`
		Platform string `json:"platform"`
	}{version(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	if c.JSON {
		return writeJSON(r, v)
	}
	return r.printf("parley %s (%s, %s)\n", v.Version, v.Go, v.Platform)
}

type configCmd struct{ asJSON }

func (c *configCmd) plain(_ context.Context, r *Run) error {
	lines := r.Config.Lines()
	return c.write(r, lines, func(t *table) {
		t.row("SETTING", "VALUE", "FROM", "WHAT IT IS")
		for _, l := range lines {
			t.row(l.Name, l.Value, l.From, l.About)
		}
	})
}
