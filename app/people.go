package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/calls/device"
)

type teamCmd struct {
	Create teamCreateCmd `cmd:"" help:"Make a team."`
	List   teamListCmd   `cmd:"" help:"List teams."`
	Add    teamAddCmd    `cmd:"" help:"Put members into a team."`
}

type teamCreateCmd struct {
	inOrg
	Name string `required:"" help:"Name of the team."`
}

func (c *teamCreateCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	t, err := r.p.Accounts.CreateTeam(ctx, org.ID, c.Name)
	if err != nil {
		return err
	}
	return r.printf("Team %q was made (%s).\n", t.Name, t.ID)
}

type teamListCmd struct {
	inOrg
	asJSON
}

func (c *teamListCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	teams, err := r.p.Accounts.Teams(ctx, org.ID)
	if err != nil {
		return err
	}
	type view struct {
		ID      account.TeamID `json:"id"`
		Name    string         `json:"name"`
		Members int            `json:"members"`
	}
	out := []view{}
	for _, t := range teams {
		out = append(out, view{t.ID, t.Name, t.Members})
	}
	return c.write(r, out, func(t *table) {
		t.row("TEAM", "MEMBERS", "ID")
		for _, v := range out {
			t.row(v.Name, v.Members, v.ID)
		}
	})
}

// findTeam gives the team that somebody means: by id, or by name in any case.
func findTeam(ctx context.Context, r *Run, org *account.Org, name string) (account.Team, error) {
	teams, err := r.p.Accounts.Teams(ctx, org.ID)
	if err != nil {
		return account.Team{}, err
	}
	for _, t := range teams {
		if string(t.ID) == name || strings.EqualFold(t.Name, strings.TrimSpace(name)) {
			return t, nil
		}
	}
	return account.Team{}, notFoundf("There is no team %q. See \"parley team list\", or make it with \"parley team create\".", name)
}

func findTeams(ctx context.Context, r *Run, org *account.Org, names []string) ([]account.TeamID, error) {
	var out []account.TeamID
	for _, n := range names {
		t, err := findTeam(ctx, r, org, n)
		if err != nil {
			return nil, err
		}
		out = append(out, t.ID)
	}
	return out, nil
}

type teamAddCmd struct {
	inOrg
	Team   string   `arg:"" help:"Name of the team."`
	Member []string `arg:"" help:"Members, by name, e-mail address or id."`
}

func (c *teamAddCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	team, err := findTeam(ctx, r, org, c.Team)
	if err != nil {
		return err
	}
	for _, who := range c.Member {
		m, err := findMember(ctx, r, org, who)
		if err != nil {
			return err
		}
		if slices.Contains(m.Teams, team.ID) {
			continue
		}
		if _, err := r.p.Accounts.SetTeams(ctx, org.ID, m.ID, append(m.Teams, team.ID)); err != nil {
			return err
		}
	}
	return r.printf("Team %q has the members now.\n", team.Name)
}

type agentCmd struct {
	Add        agentAddCmd        `cmd:"" help:"Add an agent, with a line when its number is given."`
	List       agentListCmd       `cmd:"" help:"List agents and their lines."`
	Line       agentLineCmd       `cmd:"" help:"Give an agent a line, or move one to them."`
	Rename     agentRenameCmd     `cmd:"" help:"Rename an agent."`
	Deactivate agentDeactivateCmd `cmd:"" help:"End an agent's access. Their calls stay."`
}

type agentAddCmd struct {
	inOrg
	asJSON
	Name   string   `required:"" help:"Name of the agent."`
	Number string   `placeholder:"+919812300001" help:"Number of their line."`
	Label  string   `help:"Label of the line."`
	Email  string   `help:"E-mail address, to invite them later."`
	Team   []string `help:"Teams they are in."`
}

func (c *agentAddCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	teams, err := findTeams(ctx, r, org, c.Team)
	if err != nil {
		return err
	}
	if _, taken, err := r.p.Devices.FindLine(ctx, org, c.Number); err != nil {
		return err // before there is an agent without the line
	} else if taken {
		return conflictf("The number %s is a line already. See \"parley agent list\"; \"parley agent line\" moves it to another agent.", c.Number)
	}
	m, err := r.p.Accounts.AddAgent(ctx, org.ID, account.NewAgent{Name: c.Name, Email: c.Email, Teams: teams})
	if err != nil {
		return err
	}
	var line *device.Line
	if c.Number != "" {
		if line, err = r.p.Devices.AddLine(ctx, org, device.NewLine{Agent: m.Agent, Number: c.Number, Label: c.Label}); err != nil {
			return err
		}
	}
	if c.JSON {
		return writeJSON(r, viewAgent(m, line))
	}
	if line == nil {
		return r.printf("Agent %q was added (%s).\n", m.Name, m.ID)
	}
	return r.printf("Agent %q was added (%s) with the line %s.\n", m.Name, m.ID, line.Number)
}

type lineView struct {
	ID     device.LineID `json:"id"`
	Number string        `json:"number"`
	Label  string        `json:"label"`
}

type agentView struct {
	ID     account.MemberID `json:"id"`
	Agent  account.AgentNo  `json:"agent"`
	Name   string           `json:"name"`
	Email  string           `json:"email"`
	Active bool             `json:"active"`
	Lines  []lineView       `json:"lines"`
}

func viewAgent(m *account.Member, lines ...*device.Line) agentView {
	v := agentView{ID: m.ID, Agent: m.Agent, Name: m.Name, Email: m.Email, Active: m.Active, Lines: []lineView{}}
	for _, l := range lines {
		if l != nil {
			v.Lines = append(v.Lines, lineView{l.ID, l.Number, l.Label})
		}
	}
	return v
}

type agentListCmd struct {
	inOrg
	asJSON
}

func (c *agentListCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	agents, err := r.p.Accounts.Agents(ctx, org.ID)
	if err != nil {
		return err
	}
	lines, err := r.p.Devices.LinesOf(ctx, org, nil)
	if err != nil {
		return err
	}
	out := make([]agentView, len(agents))
	for i, m := range agents {
		out[i] = viewAgent(m, slices.DeleteFunc(slices.Clone(lines), func(l *device.Line) bool { return l.Agent != m.Agent })...)
	}
	return c.write(r, out, func(t *table) {
		t.row("AGENT", "NAME", "LINES", "ACTIVE", "ID")
		for _, v := range out {
			var numbers []string
			for _, l := range v.Lines {
				numbers = append(numbers, strings.TrimSpace(l.Number+" "+l.Label))
			}
			t.row(v.Agent, v.Name, strings.Join(numbers, ", "), yes(v.Active), v.ID)
		}
	})
}

type agentLineCmd struct {
	inOrg
	Agent  string `arg:"" help:"Agent, by name, e-mail address or id."`
	Number string `required:"" help:"Number of the line. One that another agent holds moves to this agent from now on."`
	Label  string `help:"Label of a new line."`
	SIM    int    `name:"sim" help:"SIM slot of a new line, from 1."`
}

func (c *agentLineCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	m, err := r.p.Accounts.FindAgent(ctx, org.ID, c.Agent)
	if err != nil {
		return err
	}
	line, known, err := r.p.Devices.FindLine(ctx, org, c.Number)
	if err != nil {
		return err
	}
	if !known {
		if line, err = r.p.Devices.AddLine(ctx, org, device.NewLine{Agent: m.Agent, Number: c.Number, Label: c.Label, SIMSlot: c.SIM}); err != nil {
			return err
		}
		return r.printf("%s has the new line %s (%s).\n", m.Name, line.Number, line.ID)
	}
	if line, err = r.p.Devices.MoveLine(ctx, org, line.ID, m.Agent, time.Time{}); err != nil {
		return err
	}
	return r.printf("%s holds the line %s from now on. Earlier calls stay with whoever held it.\n", m.Name, line.Number)
}

type agentRenameCmd struct {
	inOrg
	Agent string `arg:"" help:"Agent, by name, e-mail address or id."`
	Name  string `arg:"" help:"New name."`
}

func (c *agentRenameCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	m, err := r.p.Accounts.FindAgent(ctx, org.ID, c.Agent)
	if err != nil {
		return err
	}
	after, err := r.p.Accounts.Rename(ctx, org.ID, m.ID, c.Name)
	if err != nil {
		return err
	}
	return r.printf("Agent %q is called %q now.\n", m.Name, after.Name)
}

type agentDeactivateCmd struct {
	inOrg
	Agent string `arg:"" help:"Agent, by name, e-mail address or id."`
}

func (c *agentDeactivateCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	m, err := r.p.Accounts.FindAgent(ctx, org.ID, c.Agent)
	if err != nil {
		return err
	}
	if _, err := r.p.Accounts.Deactivate(ctx, r.p.Accounts.Operator(org), m.ID); err != nil {
		return err
	}
	return r.printf("Agent %q is deactivated. Their calls stay.\n", m.Name)
}
