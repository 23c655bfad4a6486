package incident

import (
	"context"
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/trust/law"
)

// Count finds the people whom an incident concerns, and keeps how many they are. The countries of their numbers are added
// to the places whose law applies, so that the clocks of those run, too.
func (x *Incidents) Count(ctx context.Context, by *account.Actor, incident string) (*Incident, error) {
	i, err := x.open(ctx, by, incident)
	if err != nil {
		return nil, err
	}
	people, err := x.d.Affected(ctx, by.Org, i.Scope)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	for _, p := range people {
		sum.Write([]byte(p.Who.String() + "\n"))
		country := strings.ToUpper(p.Country)
		if _, err := law.ParsePlace(country); err == nil && country != "" && country != by.Org.Country && !slices.Contains(i.Places, country) {
			i.Places = append(i.Places, country)
		}
	}
	slices.Sort(i.Places)
	i.Affected, i.digest, i.CountedAt = int64(len(people)), sum.Sum(nil), x.d.Now()
	return i, x.d.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE incidents SET affected = $3, affected_digest = $4, counted_ms = $5, places = $6 WHERE org_id = $1 AND id = $2 AND state = 'open'`,
			i.Org, i.ID, i.Affected, i.digest, ms(i.CountedAt), words(i.Places)); err != nil {
			return err
		}
		return x.note(ctx, tx, by, i, "counted", map[string]string{"people": strconv.FormatInt(i.Affected, 10)})
	})
}

// People lists the people whom an incident concerns, for telling them. Who took the list stands in the audit log.
func (x *Incidents) People(ctx context.Context, by *account.Actor, incident string) ([]Person, error) {
	i, err := x.One(ctx, by, incident)
	if err != nil {
		return nil, err
	}
	people, err := x.d.Affected(ctx, by.Org, i.Scope)
	if err != nil {
		return nil, err
	}
	return people, x.d.Log.Record(ctx, int64(i.Org), audit.Entry{
		Actor: string(by.Member.ID), Action: audit.AffectedListed, Object: "incident/" + i.ID, Purpose: "legal", Details: map[string]string{"people": strconv.Itoa(len(people))},
	})
}
