package call

import (
	"context"

	"parley/account"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
)

// Written is what people wrote on one call.
type Written struct {
	Key  Key
	Note string           `json:",omitempty"`
	By   account.MemberID `json:",omitempty"`
	At   int64            `json:",omitempty"` // Unix milliseconds
	Tags []string         `json:",omitempty"`
	Said Said             `json:",omitzero"`
}

// Written gives what people wrote on the calls with a number: on all of them, or with an agent on those of one agent's day.
func (s *Store) Written(ctx context.Context, c db.Conn, org account.OrgID, day civil.Day, agent account.AgentNo, n number.ID) ([]Written, error) {
	where, args := ` WHERE org_id = $1 AND num = $2`, []any{org, n}
	if agent != 0 {
		where, args = where+` AND day = $3 AND agent = $4`, append(args, day, agent)
	}
	type row struct {
		note
		at int64
	}
	notes, err := db.Select(ctx, c, func(r db.Scanner) (x row, err error) {
		k := &x.key
		return x, r.Scan(&k.Day, &k.Agent, &k.Start, &k.Number, &k.Direction, &k.Line, &x.sealed, &x.by, &x.at)
	}, `SELECT day, agent, start, num, dir, line, sealed, by_member, at FROM call_notes`+where+` ORDER BY day, agent, start, dir, line`, args...)
	if err != nil {
		return nil, err
	}
	var out []Written
	at := map[Key]int{}
	for _, x := range notes {
		text, err := s.openNote(ctx, org, x.note)
		if err != nil {
			return nil, err
		}
		at[x.key] = len(out)
		out = append(out, Written{Key: x.key, Note: text, By: x.by, At: x.at})
	}
	of := func(k Key) *Written {
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k], out = i, append(out, Written{Key: k})
		}
		return &out[i]
	}
	tags, err := c.Rows(ctx, `SELECT day, agent, start, num, dir, line, tag FROM call_tags`+where+` ORDER BY day, agent, start, dir, line, tag`, args...)
	if err != nil {
		return nil, err
	}
	if err := eachKeyed(tags, func(k Key, tag *string) error {
		of(k).Tags = append(of(k).Tags, *tag)
		return nil
	}); err != nil {
		return nil, err
	}
	said, err := db.Select(ctx, c, scanSaid, `SELECT `+saidColumns+` FROM call_outcomes`+where+` ORDER BY day, agent, start, dir, line`, args...)
	for _, x := range said {
		of(x.key).Said = x.Said
	}
	return out, err
}

// Rewrite writes on calls what Written gave, inside a running transaction.
func (s *Store) Rewrite(ctx context.Context, tx *db.Tx, org account.OrgID, all []Written) error {
	keys, err := s.keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	for _, w := range all {
		if w.Note != "" {
			if err := WriteNote(ctx, tx, keys, org, w.Key, w.Note, w.By, w.At); err != nil {
				return err
			}
		}
		if err := WriteTags(ctx, tx, org, w.Key, w.Tags); err != nil {
			return err
		}
		if w.Said.Outcome != "" {
			if err := WriteSaid(ctx, tx, org, w.Key, w.Said); err != nil {
				return err
			}
		}
	}
	return nil
}

// RemoveNotesOf removes the notes and tags of the calls of one agent's day with a number, inside a running transaction.
func RemoveNotesOf(ctx context.Context, tx *db.Tx, org account.OrgID, day civil.Day, agent account.AgentNo, n number.ID) (rows int64, err error) {
	if rows, err = dropNotes(ctx, tx, `org_id = $1 AND day = $2 AND agent = $3 AND num = $4`, org, day, agent, n); err != nil {
		return rows, err
	}
	for _, q := range []string{`DELETE FROM call_tags WHERE org_id = $1 AND day = $2 AND agent = $3 AND num = $4`,
		`DELETE FROM call_outcomes WHERE org_id = $1 AND day = $2 AND agent = $3 AND num = $4`} {
		gone, err := tx.Exec(ctx, q, org, day, agent, n)
		if err != nil {
			return rows, err
		}
		rows += gone
	}
	return rows, nil
}
