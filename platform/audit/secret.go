package audit

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

const secretField = "audit_secrets.sealed"

// Under which key an opening lies; the first byte of what is sealed.
const (
	underOrg     = 'o'
	underSubject = 's'
)

// numberKind are the persons that have keys of their own. An opening about one of them dies with their key, in backups too.
const numberKind = "number/"

// seal puts an opening away.
func seal(ctx context.Context, k *vault.OrgKeys, about string, opening []byte) ([]byte, error) {
	if num := numberOf(about); num > 0 {
		sealed, err := k.SealSubject(ctx, num, secretField, opening)
		if err == nil {
			return append(strconv.AppendInt([]byte{underSubject}, num, 10), append([]byte{'|'}, sealed...)...), nil
		}
		if kind := fault.KindOf(err); kind != fault.Gone && kind != fault.Internal { // erased, or never there: there is nothing of them to protect
			return nil, err
		}
	}
	return append([]byte{underOrg}, k.Seal(secretField, opening)...), nil
}

func numberOf(about string) int64 {
	text, ok := strings.CutPrefix(about, numberKind)
	if !ok {
		return 0
	}
	num, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return num
}

// unseal gives an opening; ok is false when its person was erased.
func unseal(ctx context.Context, k *vault.OrgKeys, sealed []byte) (opening []byte, ok bool, err error) {
	if len(sealed) == 0 {
		return nil, false, nil
	}
	if sealed[0] == underOrg {
		opening, err = k.Open(secretField, sealed[1:])
		return opening, err == nil, err
	}
	num, rest, _ := strings.Cut(string(sealed[1:]), "|")
	n, err := strconv.ParseInt(num, 10, 64)
	if err != nil || sealed[0] != underSubject {
		return nil, false, fault.New(fault.Internal, "What is sealed beside an entry of the audit log has a form this version does not know.")
	}
	opening, err = k.OpenSubject(ctx, n, secretField, []byte(rest))
	if fault.KindOf(err) == fault.Gone {
		return nil, false, nil
	}
	return opening, err == nil, err
}

// readOpening gives the payload of an opening that is the one of a commitment.
func readOpening(opening []byte, commitment string) (*payload, error) {
	p := &payload{}
	if len(opening) < saltBytes || commitmentOf(opening) != commitment {
		return nil, fault.New(fault.Internal, "What is kept beside an entry of the audit log is not what was logged.")
	}
	return p, json.Unmarshal(opening[saltBytes:], p)
}

// Forget deletes what is kept beside the entries about a person, and beside those of what they did. The entries stay, with
// keyed hashes in them, and every proof holds. It tells how many were there.
func (l *Log) Forget(ctx context.Context, tx *db.Tx, org int64, about string) (int64, error) {
	h, ok, err := l.head(ctx, tx, org, false)
	if err != nil || !ok || about == "" {
		return 0, err
	}
	key := searchKey(h.hasher.pseudonym(about))
	n, err := tx.Exec(ctx, `DELETE FROM audit_secrets WHERE org_id = $1 AND n IN (SELECT n FROM audit_entries WHERE org_id = $1 AND about = $2)`, org, key)
	if err != nil {
		return 0, err
	}
	did, err := tx.Exec(ctx, `DELETE FROM audit_secrets WHERE org_id = $1 AND n IN (SELECT n FROM audit_entries WHERE org_id = $1 AND actor = $2)`, org, key)
	return n + did, err
}
