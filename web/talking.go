package web

import (
	"net/http"

	"parley/account"
	"parley/calls/number"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/web/ui"
)

// talkingRoutes keep two colleagues from calling the same person at once.
func (s *site) talkingRoutes() []route {
	return []route{{"POST /calling", account.WriteLeads, calling}}
}

// calling notes that the actor dials a number. It answers nothing: the page does not wait for it.
func calling(v *visit) error {
	n, ok, err := v.Book.Find(v.ctx(), v.DB, v.org().ID, phone.Parse(v.form("number"), v.org().Country).Canonical())
	if err != nil {
		return err
	}
	if ok {
		v.concernNumber(n)
		if _, err := v.Assign.Calling(v.ctx(), v.org(), v.actor.Member.ID, n, v.Now()); err != nil && fault.KindOf(err) != fault.Denied {
			return err
		}
	}
	v.w.WriteHeader(http.StatusNoContent)
	return nil
}

// talkNotes warn of colleagues who talk to one of somebody's numbers, or did just now.
func (d *desk) talkNotes(nums []number.ID) ([]ui.Note, error) {
	var out []ui.Note
	for _, n := range nums {
		all, err := d.Assign.Talking(d.ctx(), d.org(), n, d.Now())
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			if t.Member == d.actor.Member.ID || t.Member == "" {
				continue
			}
			key := "talking.now"
			switch {
			case t.Said:
				key = "talking.said"
			case !t.Ended.IsZero():
				key = "talking.just"
			}
			out = append(out, ui.Note{Kind: ui.Warn, Text: d.t(key, "Who", d.ownerName(t.Member), "Ago", d.words.Ago(t.Since, d.Now()))})
		}
	}
	return out, nil
}
