package api

import (
	"context"
	"net/http"
	"slices"

	"parley/account"
	"parley/platform/fault"
)

const tagPeople = "Teams and members"

// Team is a group of members.
type Team struct {
	ID      account.TeamID `json:"id"`
	Name    string         `json:"name"`
	Members int            `json:"members" doc:"Active ones"`
}

// TeamName is what a team is called.
type TeamName struct {
	Name string `json:"name" minLength:"1" maxLength:"200"`
}

// TeamPath names a team.
type TeamPath struct {
	Team account.TeamID `path:"team"`
}

func (s *API) teams() {
	handle(s, does(http.MethodGet, "/teams", "list-teams", account.ReadPeople, tagPeople, "List teams").
		saying("A manager sees their own."), s.listTeams)
	handle(s, does(http.MethodPost, "/teams", "create-team", account.ManageTeams, tagPeople, "Make a team").giving(http.StatusCreated), s.createTeam)
	handle(s, does(http.MethodGet, "/teams/{team}", "get-team", account.ReadPeople, tagPeople, "One team"), s.getTeam)
	handle(s, does(http.MethodPatch, "/teams/{team}", "rename-team", account.ManageTeams, tagPeople, "Rename a team"), s.renameTeam)
	handle(s, does(http.MethodDelete, "/teams/{team}", "delete-team", account.ManageTeams, tagPeople, "Delete a team").
		saying("Its members and their calls stay.").giving(http.StatusNoContent),
		func(ctx context.Context, in *TeamPath) (*struct{}, error) {
			return nil, s.Accounts.DeleteTeam(ctx, callerOf(ctx).org.ID, in.Team)
		})
}

// visibleTeams are the teams that the caller sees.
func (s *API) visibleTeams(ctx context.Context) ([]Team, error) {
	a := actorOf(ctx)
	all, err := s.Accounts.Teams(ctx, a.Org.ID)
	out := []Team{}
	for _, t := range all {
		if a.Member.Role != account.Manager || slices.Contains(a.Member.Teams, t.ID) {
			out = append(out, Team{ID: t.ID, Name: t.Name, Members: t.Members})
		}
	}
	return out, err
}

func (s *API) listTeams(ctx context.Context, in *struct{ Paging }) (*body[Page[Team]], error) {
	all, err := s.visibleTeams(ctx)
	if err != nil {
		return nil, err
	}
	return pageOf(all, in.Paging, func(t Team) string { return string(t.ID) })
}

func (s *API) team(ctx context.Context, id account.TeamID) (*body[Team], error) {
	all, err := s.visibleTeams(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		if t.ID == id {
			return answerOf(t), nil
		}
	}
	return nil, fault.New(fault.NotFound, "There is no team %.60s.", id)
}

func (s *API) getTeam(ctx context.Context, in *TeamPath) (*body[Team], error) {
	return s.team(ctx, in.Team)
}

func (s *API) createTeam(ctx context.Context, in *struct{ Body TeamName }) (*body[Team], error) {
	t, err := s.Accounts.CreateTeam(ctx, callerOf(ctx).org.ID, in.Body.Name)
	return answerOf(Team{ID: t.ID, Name: t.Name, Members: t.Members}), err
}

func (s *API) renameTeam(ctx context.Context, in *struct {
	TeamPath
	Body TeamName
}) (*body[Team], error) {
	if err := s.Accounts.RenameTeam(ctx, callerOf(ctx).org.ID, in.Team, in.Body.Name); err != nil {
		return nil, err
	}
	return s.team(ctx, in.Team)
}
