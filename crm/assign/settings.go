package assign

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/freetext"
)

// Settings are what an organisation says about assignment beside its rules.
type Settings struct {
	// Closed are days on which nobody works, beside those that are no working days.
	Closed []ClosedDay `json:"closed,omitempty"`
	// Holidays takes the public holidays of the organisation's country for such days, as far as they are known.
	Holidays bool  `json:"holidays,omitempty"`
	Rev      int64 `json:"-"`
}

// ClosedDay is a day on which an organisation is closed.
type ClosedDay struct {
	Day   civil.Day `json:"day"`
	Title string    `json:"title,omitempty"`
}

const maxClosed = 200

// Settings gives an organisation's.
func (a *Assign) Settings(ctx context.Context, c db.Conn, org account.OrgID) (*Settings, error) {
	s, ok, err := db.One(ctx, c, func(r db.Scanner) (*Settings, error) {
		var s Settings
		var spec []byte
		if err := r.Scan(&spec, &s.Rev); err != nil {
			return nil, err
		}
		return &s, json.Unmarshal(spec, &s)
	}, `SELECT spec, rev FROM assign_settings WHERE org_id = $1`, org)
	if err == nil && !ok {
		s = &Settings{}
	}
	return s, err
}

// SetSettings changes them. Rev is the one that the editor saw. by needs manage_pipelines.
func (a *Assign) SetSettings(ctx context.Context, by *account.Actor, s Settings) (*Settings, error) {
	if err := by.Require(account.ManagePipelines); err != nil {
		return nil, err
	}
	var err error
	if s.Closed, err = closedDays(s.Closed); err != nil {
		return nil, err
	}
	spec, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	org, now := by.Org.ID, a.d.Now().UnixMilli()
	return &s, a.d.DB.Tx(ctx, func(tx *db.Tx) error {
		query := `INSERT INTO assign_settings (org_id, spec, rev, changed_ms, changed_by) VALUES ($1, $2, $5 + 1, $3, $4) ON CONFLICT (org_id) DO NOTHING`
		if s.Rev > 0 {
			query = `UPDATE assign_settings SET spec = $2, rev = rev + 1, changed_ms = $3, changed_by = $4 WHERE org_id = $1 AND rev = $5`
		}
		n, err := tx.Exec(ctx, query, org, string(spec), now, by.Member.ID, s.Rev)
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "Somebody changed the settings of assignment after you opened them. Nothing of yours was saved. Open them again.")
		}
		if err != nil {
			return err
		}
		s.Rev++
		return a.followAnew(ctx, tx, org)
	})
}

// closedDays puts closed days into order.
func closedDays(in []ClosedDay) ([]ClosedDay, error) {
	out := slices.Clone(in)
	for i := range out {
		d := &out[i]
		d.Title = tidy(strings.ToValidUTF8(d.Title, ""))
		if d.Day <= 0 {
			return nil, fault.Field("closed", "A closed day has no date. Write it, such as 2026-10-20.")
		}
		if utf8.RuneCountInString(d.Title) > maxEntry {
			return nil, fault.Field("closed", "The title of a closed day has more than %d characters. Shorten it.", maxEntry)
		}
		if err := freetext.Check("closed", d.Title); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out, func(a, b ClosedDay) int { return cmp.Compare(a.Day, b.Day) })
	out = slices.CompactFunc(out, func(a, b ClosedDay) bool { return a.Day == b.Day })
	if len(out) > maxClosed {
		return nil, fault.Field("closed", "There are %d closed days; at most %d fit. Remove those that are past.", len(out), maxClosed)
	}
	return out, nil
}
