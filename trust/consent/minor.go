package consent

import (
	"context"
	"slices"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// minorHashes are those of number and e-mail address under which a person is known as a child.
func minorHashes(k *vault.OrgKeys, who Who) [][]byte {
	var out [][]byte
	if who.Number != "" {
		out = append(out, k.Suppress("minor number:"+who.Number))
	}
	if who.Email != "" {
		out = append(out, k.Suppress("minor email:"+foldEmail(who.Email)))
	}
	return out
}

// SetMinor marks a person as under age, or takes the mark back. It outlives an erasure: the child is not to be advertised to
// when they call again. source is staff, or the request that said so; by is who entered it, "" the program.
func (s *Consents) SetMinor(ctx context.Context, org account.OrgID, who Who, under bool, source string, by account.MemberID) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		who, err := s.full(ctx, tx, org, who)
		if err != nil {
			return err
		}
		k, err := s.Keys.Org(ctx, int64(org))
		if err != nil {
			return err
		}
		hashes := minorHashes(k, who)
		if len(hashes) == 0 {
			return fault.Field("number", "Give the number or e-mail address of the person who is under age.")
		}
		for _, h := range hashes {
			query, args := `DELETE FROM minors WHERE org_id = $1 AND hash = $2`, []any{org, h}
			if under {
				query = `INSERT INTO minors (org_id, hash, source, at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
				args = append(args, source, s.Now().UnixMilli())
			}
			if _, err := tx.Exec(ctx, query, args...); err != nil {
				return err
			}
		}
		e := audit.Entry{Actor: actor(by, BySystem), Action: audit.MinorChanged, Object: "minor", Purpose: "rights", Details: map[string]string{"source": source, "under_age": "no"}}
		if under {
			e.Details["under_age"] = "yes"
		}
		if ref := who.Ref.String(); who.Ref.ID != "" {
			e.About = ref
		}
		_, err = s.Log.Append(ctx, tx, int64(org), e)
		return err
	})
}

// Minor tells whether a person is marked as under age. It is asked before everything that a child cannot agree to: calls and
// messages that advertise, recordings, and letting a machine write down or judge what was said.
func (s *Consents) Minor(ctx context.Context, c db.Conn, org account.OrgID, who Who) (bool, error) {
	who, err := s.full(ctx, c, org, who)
	if err != nil {
		return false, err
	}
	k, err := s.Keys.Org(ctx, int64(org))
	if err != nil {
		return false, err
	}
	for _, h := range minorHashes(k, who) {
		_, ok, err := db.One(ctx, c, scanInt, `SELECT at_ms FROM minors WHERE org_id = $1 AND hash = $2`, org, h)
		if ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// forAdults are purposes for which children are not contacted, whatever their basis.
func forAdults(purpose string, basis Basis) bool {
	return basis == ByConsent || slices.Contains([]string{"marketing", "personalise"}, purpose)
}

func (s *Consents) checkAge(ctx context.Context, c db.Conn, org account.OrgID, q Question, basis Basis) (Check, error) {
	out := Check{Rule: "age"}
	if !forAdults(q.Purpose, basis) {
		return out, nil
	}
	under, err := s.Minor(ctx, c, org, q.Who)
	if out.Against = under && err == nil; out.Against {
		out.Reason = IsMinor
	}
	return out, err
}
