package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/platform/fault"
)

const tagOrganisation = "Organisation"

// Organisation is the caller's organisation.
type Organisation struct {
	ID            account.OrgID `json:"id"`
	Name          string        `json:"name"`
	Country       string        `json:"country" doc:"ISO 3166-1 alpha-2" example:"IN"`
	Zone          string        `json:"zone" doc:"The zone whose days reports count" example:"Asia/Kolkata"`
	ContactName   string        `json:"contact_name"`
	ContactPhone  string        `json:"contact_phone"`
	Email         string        `json:"email"`
	Industry      string        `json:"industry"`
	Locale        string        `json:"locale" doc:"BCP 47" example:"en"`
	Workdays      []string      `json:"workdays" doc:"Short English names of days" example:"[\"mon\",\"tue\"]"`
	WorkFrom      string        `json:"work_from" example:"09:00"`
	WorkTo        string        `json:"work_to" example:"18:00"`
	ConnectedFrom int           `json:"connected_from_seconds" doc:"The talk time from which a call counts as connected"`
	GapMinutes    int           `json:"gap_minutes" doc:"The longest pause between calls that counts as active time"`
	Demo          bool          `json:"demo" doc:"Whether it is the demo organisation"`
	CreatedAt     *time.Time    `json:"created_at"`
}

// OrganisationChange is what to change; what is left out stays.
type OrganisationChange struct {
	Name          *string   `json:"name,omitempty" minLength:"1" maxLength:"200"`
	Country       *string   `json:"country,omitempty"`
	Zone          *string   `json:"zone,omitempty" doc:"A change has the days of all calls reckoned anew, which takes a moment"`
	ContactName   *string   `json:"contact_name,omitempty"`
	ContactPhone  *string   `json:"contact_phone,omitempty"`
	Email         *string   `json:"email,omitempty"`
	Industry      *string   `json:"industry,omitempty"`
	Locale        *string   `json:"locale,omitempty"`
	Workdays      *[]string `json:"workdays,omitempty" maxItems:"7"`
	WorkFrom      *string   `json:"work_from,omitempty"`
	WorkTo        *string   `json:"work_to,omitempty"`
	ConnectedFrom *int      `json:"connected_from_seconds,omitempty" minimum:"1" maximum:"600"`
	GapMinutes    *int      `json:"gap_minutes,omitempty" minimum:"1" maximum:"240"`
}

// Me is who the caller is.
type Me struct {
	Member       Member               `json:"member"`
	Organisation Organisation         `json:"organisation"`
	Permissions  []account.Permission `json:"permissions" doc:"What this token or session may do"`
	Token        *Token               `json:"token,omitempty"`
}

func (s *API) organisations() {
	handle(s, does(http.MethodGet, "/me", "get-me", account.ReadOwn, tagOrganisation, "Who you are").
		saying("The member that the token or session acts for, and what it may do."), s.me)
	handle(s, does(http.MethodGet, "/organisation", "get-organisation", account.ReadOwn, tagOrganisation, "The organisation"),
		func(ctx context.Context, _ *struct{}) (*body[Organisation], error) {
			return answerOf(organisationOf(callerOf(ctx).org)), nil
		})
	handle(s, does(http.MethodPatch, "/organisation", "update-organisation", account.ManageSettings, tagOrganisation, "Change settings").
		saying("A change of the zone, the threshold or the longest pause has all figures computed anew in the background."), s.updateOrganisation)
}

func organisationOf(o *account.Org) Organisation {
	return Organisation{
		ID: o.ID, Name: o.Name, Country: o.Country, Zone: o.Zone, ContactName: o.ContactName, ContactPhone: o.ContactPhone, Email: o.Email,
		Industry: o.Industry, Locale: o.Locale, Workdays: dayNames(o.Workdays), WorkFrom: clock(o.WorkFrom), WorkTo: clock(o.WorkTo),
		ConnectedFrom: o.ConnectedFrom, GapMinutes: o.GapMinutes, Demo: o.Demo, CreatedAt: at(o, o.CreatedAt),
	}
}

func (s *API) me(ctx context.Context, _ *struct{}) (*body[Me], error) {
	a := actorOf(ctx)
	me := Me{Member: memberOf(a.Org, a.Member), Organisation: organisationOf(a.Org), Permissions: []account.Permission{}}
	for _, p := range account.Permissions() {
		if a.Can(p) {
			me.Permissions = append(me.Permissions, p)
		}
	}
	if a.Token != nil {
		t := tokenOf(a.Org, a.Token)
		me.Token = &t
	}
	return answerOf(me), nil
}

type organisationInput struct{ Body OrganisationChange }

func (s *API) updateOrganisation(ctx context.Context, in *organisationInput) (*body[Organisation], error) {
	a := actorOf(ctx)
	settings, err := in.Body.over(a.Org.Settings())
	if err != nil {
		return nil, err
	}
	org, err := s.Accounts.UpdateOrg(ctx, a, a.Org.ID, settings)
	if err != nil {
		return nil, err
	}
	if org.Zone != a.Org.Zone || org.ConnectedFrom != a.Org.ConnectedFrom || org.GapMinutes != a.Org.GapMinutes {
		s.rebuild(ctx, org)
	}
	return answerOf(organisationOf(org)), nil
}

func (c *OrganisationChange) over(s account.OrgSettings) (account.OrgSettings, error) {
	set(&s.Name, c.Name)
	set(&s.Country, c.Country)
	set(&s.Zone, c.Zone)
	set(&s.ContactName, c.ContactName)
	set(&s.ContactPhone, c.ContactPhone)
	set(&s.Email, c.Email)
	set(&s.Industry, c.Industry)
	set(&s.Locale, c.Locale)
	set(&s.ConnectedFrom, c.ConnectedFrom)
	set(&s.GapMinutes, c.GapMinutes)
	var errs [3]error
	if c.Workdays != nil {
		s.Workdays, errs[0] = readDays("workdays", *c.Workdays)
	}
	if c.WorkFrom != nil {
		s.WorkFrom, errs[1] = readClock("work_from", *c.WorkFrom)
	}
	if c.WorkTo != nil {
		s.WorkTo, errs[2] = readClock("work_to", *c.WorkTo)
	}
	return s, fault.Join(errs[:]...)
}

// set puts a value in place when there is one.
func set[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}

// dayName is a weekday's short name, such as mon.
func dayName(d time.Weekday) string { return strings.ToLower(d.String()[:3]) }

func dayNames(w account.Weekdays) []string {
	out := []string{}
	for _, d := range []time.Weekday{1, 2, 3, 4, 5, 6, 0} {
		if w.Has(d) {
			out = append(out, dayName(d))
		}
	}
	return out
}

func readDays(field string, words []string) (account.Weekdays, error) {
	var w account.Weekdays
	for _, word := range words {
		i := slices.IndexFunc([]time.Weekday{0, 1, 2, 3, 4, 5, 6}, func(d time.Weekday) bool { return strings.EqualFold(word, dayName(d)) })
		if i < 0 {
			return 0, fault.Field(field, "%.20q is no day. Write mon, tue, wed, thu, fri, sat or sun.", word)
		}
		w = w.With(time.Weekday(i))
	}
	return w, nil
}

// clock writes minutes after midnight as 09:00.
func clock(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

func readClock(field, text string) (int, error) {
	if text == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fault.Field(field, "%.20q is no time of day. Write hours and minutes, for example 09:00 or 17:30.", text)
	}
	return t.Hour()*60 + t.Minute(), nil
}
