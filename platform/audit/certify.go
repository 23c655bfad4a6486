package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// Certified is a statement, such as a receipt, with the proof that it stands in a log: the log's entry has the statement's
// hash as its object, and the log's signature is on the proof's checkpoint.
type Certified struct {
	Statement json.RawMessage `json:"statement"`
	Proof     *Proof          `json:"proof"`
}

// objectOf is how the hash of a statement stands in the log.
func objectOf(statement []byte) string {
	sum := sha256.Sum256(statement)
	return "sha256." + id.Encode(sum[:])
}

// Certify enters a statement in a log, as the object of e, and gives it with its proof, as JSON.
func (l *Log) Certify(ctx context.Context, org int64, e Entry, statement any) ([]byte, error) {
	text, err := json.Marshal(statement)
	if err != nil {
		return nil, err
	}
	e.Object = objectOf(text)
	var n int64
	if err := l.db.Tx(ctx, func(tx *db.Tx) (err error) {
		n, err = l.Append(ctx, tx, org, e)
		return err
	}); err != nil {
		return nil, err
	}
	proof, err := l.Prove(ctx, org, n)
	if err != nil {
		return nil, err
	}
	return json.Marshal(Certified{text, proof})
}

// ReadCertified verifies what Certify wrote, without the log; key is the log's public key, and "" takes the one in the
// file, which shows only that nothing was changed since it was signed.
func ReadCertified(text []byte, key string) (*Certified, *Checkpoint, error) {
	c := &Certified{}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "This is no certified statement: it is not JSON.")
	}
	if c.Proof == nil || len(c.Statement) == 0 {
		return nil, nil, fault.New(fault.Invalid, "The file has no statement or no proof.")
	}
	point, err := c.Proof.Check(strings.TrimSpace(key))
	if err != nil {
		return nil, nil, err
	}
	var leaf Leaf
	if err := json.Unmarshal([]byte(c.Proof.Leaf), &leaf); err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "The proof's entry cannot be read.")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, c.Statement); err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "The statement cannot be read.")
	}
	if leaf.Object != objectOf(compact.Bytes()) {
		return nil, nil, fault.New(fault.Invalid, "The statement is not the one that was entered in the audit log: it was changed.")
	}
	return c, point, nil
}
