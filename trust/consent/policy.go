package consent

import (
	"context"
	"slices"
	"strings"

	"parley/account"
	"parley/platform/db"
	"parley/platform/phone"
	"parley/trust/law"
	"parley/trust/policy"
)

// preferencePage is the consent point of purposes that are asked about on the preference page.
const preferencePage = "preference_page"

// FromPolicy gives the purposes of a policy about which people have a choice: those whose consent is asked on the
// preference page, and the messages of the service. Those that need consent come first.
func FromPolicy(doc *policy.Document) []Purpose {
	var out []Purpose
	for key, use := range doc.Purposes {
		if use.ConsentPoint == preferencePage || key == "service_notice" {
			out = append(out, Purpose{Key: key, Basis: Basis(use.Basis), Plain: key == "personalise", Title: use.Title})
		}
	}
	slices.SortFunc(out, func(a, b Purpose) int {
		if x, y := a.Basis == ByConsent, b.Basis == ByConsent; x != y {
			if x {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Key, b.Key)
	})
	return out
}

// Hours is the bar of the hours in which the law of the person's place lets people be contacted. The place is told from
// the number; e-mail has no hours.
func Hours(tables *law.Tables) Bar {
	return func(_ context.Context, _ db.Conn, _ account.OrgID, q Question) (Check, error) {
		out := Check{Rule: "hours"}
		if q.Channel == None || q.Channel == Email || unstoppable(q.Purpose) {
			return out, nil
		}
		why := law.Service
		if q.Purpose == "marketing" {
			why = law.Promotion
		}
		h := tables.Hours(law.Place{Country: phone.Country(q.Who.Number)}, q.At, why)
		if !h.Allowed {
			out.Against, out.Reason = true, OutsideHours
		}
		out.Detail = h.Why
		return out, nil
	}
}
