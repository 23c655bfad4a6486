package consent

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// Scope is what a suppression stops: "" stands for every purpose or channel.
type Scope struct {
	Purpose string
	Channel Channel
}

func (s Scope) stops(purpose string, channel Channel) bool {
	return (s.Purpose == "" || s.Purpose == purpose) && (s.Channel == None || s.Channel == channel)
}

// Suppression is one entry of the list as it is kept.
type Suppression struct {
	Hash   []byte
	Scope  Scope
	Source string // such as preference_page, reply, staff, api
	At     time.Time
}

// hashes are the keyed hashes of what is known of a person: number and e-mail address.
func hashes(k *vault.OrgKeys, who Who) []any {
	var out []any
	if who.Number != "" {
		out = append(out, k.Suppress("number:"+who.Number))
	}
	if who.Email != "" {
		out = append(out, k.Suppress("email:"+foldEmail(who.Email)))
	}
	return out
}

// Block stops contacts because somebody of the organisation, or another service, says so. by is who; "" the person.
func (s *Consents) Block(ctx context.Context, org account.OrgID, who Who, scope Scope, source string, by account.MemberID) error {
	if scope.Channel != None {
		if _, err := ParseChannel(string(scope.Channel)); err != nil {
			return err
		}
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := s.Suppress(ctx, tx, org, who, scope, source); err != nil {
			return err
		}
		in := Change{Who: who, State: Withdrawn, How: How(source), By: by}
		if scope.Purpose != "" {
			in.Purposes = []string{scope.Purpose}
		}
		if scope.Channel != None {
			in.Channels = []Channel{scope.Channel}
		}
		return s.logStop(ctx, tx, org, &in)
	})
}

// Suppress stops contacts. It outlives an erasure of the person.
func (s *Consents) Suppress(ctx context.Context, tx *db.Tx, org account.OrgID, who Who, scope Scope, source string) error {
	who, err := s.full(ctx, tx, org, who)
	if err != nil {
		return err
	}
	k, err := s.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	all := hashes(k, who)
	if len(all) == 0 {
		return fault.Field("number", "Give the number or e-mail address that is not to be contacted.")
	}
	for _, h := range all {
		if err := s.PutSuppression(ctx, tx, org, Suppression{h.([]byte), scope, source, s.Now()}); err != nil {
			return err
		}
	}
	return nil
}

// PutSuppression enters an entry as it is, for a restored backup that lacks it. The older of two stays.
func (s *Consents) PutSuppression(ctx context.Context, tx *db.Tx, org account.OrgID, e Suppression) error {
	_, err := tx.Exec(ctx, `INSERT INTO suppressions (org_id, hash, purpose, channel, source, at_ms) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		org, e.Hash, e.Scope.Purpose, e.Scope.Channel, e.Source, e.At.UnixMilli())
	return err
}

// Suppressions lists the entries about a person.
func (s *Consents) Suppressions(ctx context.Context, c db.Conn, org account.OrgID, who Who) ([]Suppression, error) {
	who, err := s.full(ctx, c, org, who)
	if err != nil {
		return nil, err
	}
	k, err := s.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	all := hashes(k, who)
	if len(all) == 0 {
		return nil, nil
	}
	return db.Select(ctx, c, scanSuppression, `SELECT hash, purpose, channel, source, at_ms FROM suppressions WHERE org_id = $1 AND hash IN `+db.In(2, len(all))+`
		ORDER BY purpose, channel, hash`, append([]any{org}, all...)...)
}

// AllSuppressions lists the whole list of an organisation, for a backup and whoever checks it.
func (s *Consents) AllSuppressions(ctx context.Context, c db.Conn, org account.OrgID) ([]Suppression, error) {
	return db.Select(ctx, c, scanSuppression, `SELECT hash, purpose, channel, source, at_ms FROM suppressions WHERE org_id = $1 ORDER BY hash, purpose, channel`, org)
}

func scanSuppression(r db.Scanner) (e Suppression, err error) {
	var at int64
	err = r.Scan(&e.Hash, &e.Scope.Purpose, &e.Scope.Channel, &e.Source, &at)
	e.At = time.UnixMilli(at)
	return e, err
}

// lift opens one purpose on one channel again, because the person said so; everything else that was stopped stays so.
func (s *Consents) lift(ctx context.Context, tx *db.Tx, org account.OrgID, who Who, at Scope, purposes []Purpose) error {
	all, err := s.Suppressions(ctx, tx, org, who)
	if err != nil {
		return err
	}
	for _, e := range all {
		if !e.Scope.stops(at.Purpose, at.Channel) {
			continue
		}
		if _, err := tx.Exec(ctx, `DELETE FROM suppressions WHERE org_id = $1 AND hash = $2 AND purpose = $3 AND channel = $4`, org, e.Hash, e.Scope.Purpose, e.Scope.Channel); err != nil {
			return err
		}
		for _, rest := range without(e.Scope, at.Purpose, at.Channel, purposes) {
			if err := s.PutSuppression(ctx, tx, org, Suppression{e.Hash, rest, e.Source, e.At}); err != nil {
				return err
			}
		}
	}
	return nil
}

// without splits a scope into those that stop the same, later purposes too, less one purpose on one channel.
func without(scope Scope, purpose string, channel Channel, purposes []Purpose) []Scope {
	var out []Scope
	if scope.Channel == None {
		for _, c := range Channels() {
			if c != channel && (scope.Purpose == "" || channel != None) {
				out = append(out, Scope{scope.Purpose, c})
			}
		}
	}
	if scope.Purpose != "" {
		return out
	}
	for _, p := range purposes {
		switch {
		case p.Key == purpose:
		case !p.Plain && channel != None:
			out = append(out, Scope{p.Key, channel})
		case p.Plain && scope.Channel == None:
			out = append(out, Scope{p.Key, None})
		}
	}
	return out
}

// unstoppable are purposes that a stop does not end: answers to what the person asked, and what law or safety demands.
func unstoppable(purpose string) bool {
	return slices.Contains([]string{"rights", "legal", "security"}, purpose)
}
