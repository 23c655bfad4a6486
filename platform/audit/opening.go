package audit

import (
	"context"

	"parley/platform/db"
	"parley/platform/fault"
)

// Opening gives what the commitment of an entry was made of, so that somebody who has it and a Proof can see what was
// logged; ok is false when an erasure took it away.
func (l *Log) Opening(ctx context.Context, org, n int64) (opening []byte, ok bool, err error) {
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		h, there, err := l.head(ctx, tx, org, false)
		if err != nil || !there {
			return err
		}
		sealed, there, err := db.One(ctx, tx, func(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) }, `SELECT sealed FROM audit_secrets WHERE org_id = $1 AND n = $2`, org, n)
		if err != nil || !there {
			return err
		}
		opening, ok, err = unseal(ctx, h.keys, sealed)
		return err
	})
	return opening, ok, err
}

// Open gives the entry of a proof that was checked, as its opening tells it. An opening of another entry is refused.
func (p *Proof) Open(opening []byte) (*Entry, error) {
	f, _, ok := parseLeaf([]byte(p.Leaf))
	if !ok {
		return nil, fault.New(fault.Invalid, "The entry %d of the proof cannot be read.", p.N)
	}
	said, err := readOpening(opening, f.Commitment)
	if err != nil {
		return nil, fault.New(fault.Invalid, "What is said to be entry %d of the audit log is not what was logged.", p.N)
	}
	return &Entry{Actor: actorOf(said.Actor), Action: f.Action, About: said.About, Object: said.Object, Purpose: f.Purpose, Policy: f.Policy, Result: f.Result, Details: said.Details}, nil
}
