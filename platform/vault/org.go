package vault

import (
	"context"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"strconv"
	"sync"
	"sync/atomic"

	"parley/platform/db"
	"parley/platform/fault"
)

// The keys that an organisation's wrapping key seals.
const (
	kindContent     = "content"
	kindIndex       = "index"
	kindNextIndex   = "index.next"
	kindSuppression = "suppression"
	kindArchive     = "archive"
)

// The forms of a row of org_keys.
const (
	formPair = 1 // content key and index key under the root key
	formWrap = 2 // wrapping key under the root key
)

// OrgKeys are the keys of one organisation.
type OrgKeys struct {
	org         int64
	keys        *Keys
	content     cipher.AEAD
	archive     cipher.AEAD
	suppression *mac
	index       atomic.Pointer[mac]

	// turn is held for reading by whoever uses wrap, and for writing while it changes.
	turn sync.RWMutex
	wrap cipher.AEAD

	mu        sync.Mutex
	blocks    map[int64][]byte
	destroyed int // how often keys were destroyed
}

// mac makes keyed hashes, 16 bytes each.
type mac struct{ pool sync.Pool }

func newMAC(key []byte) *mac {
	m := &mac{}
	m.pool.New = func() any { return hmac.New(sha256.New, key) }
	return m
}

func (m *mac) sum(field, text string) []byte {
	h := m.pool.Get().(hash.Hash)
	defer m.pool.Put(h)
	h.Reset()
	h.Write([]byte(field))
	h.Write([]byte{0})
	h.Write([]byte(text))
	return h.Sum(nil)[:16]
}

// Org gives the keys of one organisation, made on first use. Organisation 0 stands for the installation itself.
func (k *Keys) Org(ctx context.Context, org int64) (*OrgKeys, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if o, ok := k.orgs[org]; ok {
		return o, nil
	}
	wrap, ok, err := k.wrapping(ctx, k.store, org)
	if err != nil {
		return nil, err
	}
	if !ok {
		if wrap, err = k.make(ctx, org); err != nil {
			return nil, err
		}
	}
	o, err := k.load(ctx, org, wrap, kindIndex)
	if err == nil {
		k.orgs[org] = o
	}
	return o, err
}

func orgField(org int64) []byte { return []byte("org_keys|" + strconv.FormatInt(org, 10)) }

func kindField(org int64, kind string, generation int64) []byte {
	return []byte("wrapped_keys|" + strconv.FormatInt(org, 10) + "|" + kind + "|" + strconv.FormatInt(generation, 10))
}

func (k *Keys) rootAEAD() cipher.AEAD { return newAEAD(derive(k.root, "parley org keys", keyBytes)) }

// wrapping opens an organisation's wrapping key.
func (k *Keys) wrapping(ctx context.Context, c db.Conn, org int64) (cipher.AEAD, bool, error) {
	sealed, ok, err := db.One(ctx, c, scanBytes, `SELECT sealed FROM org_keys WHERE org_id = $1`, org)
	if err != nil || !ok {
		return nil, false, err
	}
	plain, err := k.rootAEAD().Open(nil, nil, sealed, orgField(org))
	if err != nil {
		return nil, false, damaged(err, org)
	}
	return newAEAD(plain), true, nil
}

func damaged(err error, org int64) error {
	return fault.Wrap(fault.Unavailable, err, "The keys of organisation %d cannot be opened: the key store is damaged. Restore a backup with \"parley restore\".", org)
}

// make makes a new organisation's keys.
func (k *Keys) make(ctx context.Context, org int64) (wrap cipher.AEAD, err error) {
	err = k.store.Tx(ctx, func(tx *db.Tx) error {
		wrap, err = k.setWrapping(ctx, tx, org)
		if err != nil {
			return err
		}
		for _, kind := range []string{kindContent, kindIndex, kindSuppression, kindArchive} {
			if err := putKey(ctx, tx, wrap, org, kind, 1, newKey()); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap, err
}

// setWrapping gives an organisation a new wrapping key.
func (k *Keys) setWrapping(ctx context.Context, tx *db.Tx, org int64) (cipher.AEAD, error) {
	key := newKey()
	_, err := tx.Exec(ctx, `INSERT INTO org_keys (org_id, sealed, form) VALUES ($1, $2, $3)
		ON CONFLICT (org_id) DO UPDATE SET sealed = excluded.sealed, form = excluded.form`, org, k.rootAEAD().Seal(nil, nil, key, orgField(org)), formWrap)
	return newAEAD(key), err
}

func putKey(ctx context.Context, tx *db.Tx, wrap cipher.AEAD, org int64, kind string, generation int64, key []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO wrapped_keys (org_id, kind, generation, sealed) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org_id, kind) DO UPDATE SET generation = excluded.generation, sealed = excluded.sealed`,
		org, kind, generation, wrap.Seal(nil, nil, key, kindField(org, kind, generation)))
	return err
}

// wrapped is one opened row of wrapped_keys.
type wrapped struct {
	generation int64
	key        []byte
}

// opened opens all keys that a wrapping key seals.
func opened(ctx context.Context, c db.Conn, wrap cipher.AEAD, org int64) (map[string]wrapped, error) {
	out := map[string]wrapped{}
	_, err := db.Select(ctx, c, func(r db.Scanner) (struct{}, error) {
		var kind string
		var w wrapped
		var sealed []byte
		if err := r.Scan(&kind, &w.generation, &sealed); err != nil {
			return struct{}{}, err
		}
		key, err := wrap.Open(nil, nil, sealed, kindField(org, kind, w.generation))
		if err != nil {
			return struct{}{}, damaged(err, org)
		}
		w.key = key
		out[kind] = w
		return struct{}{}, nil
	}, `SELECT kind, generation, sealed FROM wrapped_keys WHERE org_id = $1`, org)
	return out, err
}

// load opens an organisation's keys. index is the kind of index key to use.
func (k *Keys) load(ctx context.Context, org int64, wrap cipher.AEAD, index string) (*OrgKeys, error) {
	all, err := opened(ctx, k.store, wrap, org)
	if err != nil {
		return nil, err
	}
	for _, kind := range []string{kindContent, index, kindSuppression, kindArchive} {
		if len(all[kind].key) != keyBytes {
			return nil, damaged(nil, org)
		}
	}
	o := &OrgKeys{org: org, keys: k, wrap: wrap, blocks: map[int64][]byte{}, content: newAEAD(all[kindContent].key),
		archive: newAEAD(all[kindArchive].key), suppression: newMAC(all[kindSuppression].key)}
	o.index.Store(newMAC(all[index].key))
	return o, nil
}

// Seal encrypts a value of the organisation itself (a setting, a secret, a line's number). field says where the value
// belongs and must be given again to open it, so that sealed values cannot be swapped.
func (o *OrgKeys) Seal(field string, plain []byte) []byte {
	return o.content.Seal(nil, nil, plain, []byte(field))
}

// Open is the reverse of Seal.
func (o *OrgKeys) Open(field string, sealed []byte) ([]byte, error) {
	plain, err := o.content.Open(nil, nil, sealed, []byte(field))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "A sealed value (%s) does not open under the organisation's key.", field)
	}
	return plain, nil
}

// SealArchive encrypts what was put into the archive, under a key that nothing else uses.
func (o *OrgKeys) SealArchive(field string, plain []byte) []byte {
	return o.archive.Seal(nil, nil, plain, []byte(field))
}

// OpenArchive is the reverse of SealArchive.
func (o *OrgKeys) OpenArchive(field string, sealed []byte) ([]byte, error) {
	plain, err := o.archive.Open(nil, nil, sealed, []byte(field))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "An archived value (%s) does not open under the archive's key.", field)
	}
	return plain, nil
}

// Index is the keyed blind index of text: 16 bytes that are equal for equal text and say nothing without the key. The key
// may be changed, and then every index is made anew: see NextIndex.
func (o *OrgKeys) Index(field, text string) []byte { return o.index.Load().sum(field, text) }

// Suppress is a keyed hash of text, 16 bytes, for lists that outlive the person: do not call, do not bring back. Its key
// survives every erasure and every change of the index key.
func (o *OrgKeys) Suppress(text string) []byte { return o.suppression.sum("suppress", text) }
