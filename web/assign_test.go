package web_test

import (
	"maps"
	"net/url"
	"regexp"
	"testing"

	"parley/account"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// Rules are made, put into an order and tried; a lead is given by them, and the page says why.
func TestRulesOfAssignmentOnPages(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		o := w.owner()
		const path = "/leads/settings/assignment"
		o.get(path).want(t, "no rules", 200, "No rules yet", "Nobody is away", "Nothing was decided yet")
		bina := w.member(account.Agent, "Bina")
		rule := func(name string, more url.Values) url.Values {
			v := url.Values{"rev": {"0"}, "name": {name}, "members": {string(bina.ID)}, "way": {"round_robin"}, "phoneless": {"1"}}
			maps.Copy(v, more)
			return v
		}
		o.get(path+"/rule").want(t, "the form", 200, "Back to whoever spoke", "in turn, by weights")
		o.post(path+"/rule", rule("", nil)).want(t, "a rule without a name", 422, "Give the rule a name")
		o.post(path+"/rule", rule("Nobody", url.Values{"members": nil})).want(t, "a rule for nobody", 422)
		o.post(path+"/rule", rule("Heavy", url.Values{"way": {"weighted"}, "weights": {"Nobody = x"}})).want(t, "a weight of nobody", 422, "is no weight")
		o.post(path+"/rule", rule("The fair", url.Values{"sources": {"Fair, Expo"}, "territories": {"in / Kerala / 68"}, "spoke_days": {"30"}})).want(t, "a rule", 200, "The fair", "Fair, Expo", "IN / Kerala / 68", "in the last 30 days", "Bina")
		page := o.post(path+"/rule", rule("All others", nil)).want(t, "another rule", 200, "All leads")
		second := regexp.MustCompile(path + `/rules/(rul_\w+)/up`).FindStringSubmatch(page.text)
		o.post(path+"/rules/"+second[1]+"/up", nil).want(t, "the second goes up", 200, `All others`)
		changed := rule("Everybody else", url.Values{"rev": {"1"}})
		o.post(path+"/rule?rule="+second[1], changed).want(t, "a change", 200, "Everybody else")
		o.post(path+"/rule?rule="+second[1], changed).want(t, "a change of what was changed meanwhile", 409)

		lead := o.post("/leads/new", url.Values{"first": {"Meera"}, "number": {"9812311111"}, "stage": {"sales/new"}, "owner": {""}}).want(t, "a lead", 200, "Nobody")
		o.post(lead.path+"/assign", nil).want(t, "by the rules", 200, "The rules were asked", "Bina", "By the rule “Everybody else”. It was their turn.")
		o.get(path).want(t, "the log", 200, "Meera", "It was their turn.")

		o.post(path+"/away", url.Values{"member": {string(bina.ID)}, "from": {"2026-04-15T08:00"}, "until": {"2026-04-14T08:00"}}).want(t, "an absence that ends before", 422)
		away := o.post(path+"/away", url.Values{"member": {string(bina.ID)}, "from": {"2026-04-15T08:00"}, "until": {"2026-04-20T08:00"}}).want(t, "an absence", 200, "The absence is noted", "Bina")
		other := o.post("/leads/new", url.Values{"first": {"Sara"}, "number": {"9812311112"}, "stage": {"sales/new"}, "owner": {""}}).want(t, "another lead", 200)
		o.post(other.path+"/assign", nil).want(t, "nobody is there", 200, "Nobody of the rule’s people can have it now", "Bina (away)")
		o.post(regexp.MustCompile(path+`/away/abs_\w+/delete`).FindString(away.text), nil).want(t, "back", 200, "Nobody is away")

		o.post(path+"/rescue", url.Values{"rev": {"0"}, "name": {"Lying about"}, "reason": {"attempt"}, "after": {"0"}, "most": {"2"}, "by_rule": {"1"}, "way": {"round_robin"}}).want(t, "at once", 422)
		o.post(path+"/rescue", url.Values{"rev": {"0"}, "name": {"Lying about"}, "reason": {"attempt"}, "after": {"240"}, "most": {"2"}, "by_rule": {"1"}, "way": {"round_robin"}}).
			want(t, "a rule about leads left lying", 200, "Lying about", "Nobody tried to call within 4 h", "As the rules above say")
		o.post(path+"/closed", url.Values{"rev": {"0"}, "closed": {"Diwali"}}).want(t, "no day", 422, "is no day", "Diwali")
		o.post(path+"/closed", url.Values{"rev": {"0"}, "closed": {"2026-11-08 Diwali"}, "holidays": {"1"}}).want(t, "a closed day", 200)
		o.get(path+"/closed").want(t, "the closed days", 200, "2026-11-08 Diwali")
		o.post(path+"/rules/"+second[1]+"/delete", nil).want(t, "deleted", 200, "The rule was deleted")

		agent := w.as(bina)
		agent.get(path).want(t, "the rules for an agent", 200, "The fair")
		agent.get(path+"/rule").want(t, "the form for an agent", 403)
		agent.post(path+"/away", url.Values{"from": {"2026-05-01T08:00"}, "until": {"2026-05-02T08:00"}}).want(t, "an agent's own absence", 200, "The absence is noted")
	}, schemas()...)
}

// What is asked of calls, and when somebody is reminded, is arranged.
func TestFollowUpSettingsOnPages(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		o := w.owner()
		const path = "/leads/settings/follow-ups"
		o.get(path).want(t, "the form", 200, "Ask for the outcome", `value="10"`)
		set := url.Values{"rev": {"0"}, "after_connected": {"1"}, "reminders": {"60, 5"}, "escalate": {"4"}, "recovery": {"30"}, "response": {"20"}, "stale": {"7"}}
		bad := url.Values{}
		maps.Copy(bad, set)
		bad.Set("reminders", "soon")
		o.post(path, bad).want(t, "no minutes", 422, "is no number of minutes")
		o.post(path, set).want(t, "kept", 200)
		o.get(path).want(t, "the form again", 200, `value="60, 5"`, `name="after_connected" value="1" checked`)
		o.post(path, set).want(t, "what was changed meanwhile", 409)
		rows := url.Values{"rev": {"1"}, "title-0": {"Interested"}, "key-0": {"interested"}, "place-0": {"2"}, "next-0": {"1"}, "title-1": {"Wants a visit"}, "place-1": {"1"}}
		o.post(path+"/outcomes", rows).want(t, "other outcomes", 200)
		o.get(path+"/outcomes").want(t, "the outcomes", 200, "Wants a visit", "Interested", "Settled")
		w.as(w.member(account.Agent, "Bina")).get(path).want(t, "an agent", 403)
	}, schemas()...)
}
