// Package vault keeps the tree of keys: master → root → organisation → subject. Its store, keys.db, stands apart from
// the data, so that a copy of the data alone opens nothing and a destroyed key takes its person along.
//
// All sealing is AES-256-GCM; all keys are random, none is derived from a key that outlives it, except that one key may
// be expanded by HKDF into several for different uses.
package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"errors"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"parley/platform/db"
	"parley/platform/fault"
)

//go:embed schema/*.sql
var schema embed.FS

const (
	rootFile  = "root.key"
	storeFile = "keys.db"
	keyBytes  = 32
)

// Keys is an open key store.
type Keys struct {
	root  []byte
	store *db.DB

	mu   sync.Mutex
	orgs map[int64]*OrgKeys
}

// Open opens the key store in dir, or makes one there.
func Open(ctx context.Context, dir string, master Master) (*Keys, error) {
	root, err := openRoot(filepath.Join(dir, rootFile), master)
	if err != nil {
		return nil, err
	}
	store, err := db.OpenSQLite(ctx, filepath.Join(dir, storeFile), derive(root, "parley keys.db", db.KeyBytes))
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx, "keys", schema); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &Keys{root: root, store: store, orgs: map[int64]*OrgKeys{}}, nil
}

func openRoot(path string, master Master) ([]byte, error) {
	wrapped, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		root := make([]byte, keyBytes)
		_, _ = rand.Read(root) // never fails, see crypto/rand
		if wrapped, err = master.Wrap(root); err != nil {
			return nil, err
		}
		return root, writeNew(path, wrapped, 0o600)
	}
	if err != nil {
		return nil, err
	}
	root, err := master.Unwrap(wrapped)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "The master key (%s) is not the one that this data was made with, so nothing can be read. "+
			"Start with the master key that belongs to it: the file master.key beside %s, or the value you keep in PARLEY_MASTER_KEY.", master.KeyID(), path)
	}
	return root, nil
}

// DatabaseKey is the 64-byte key of the data file.
func (k *Keys) DatabaseKey() []byte { return derive(k.root, "parley data", db.KeyBytes) }

// BackupKey is the 32-byte key that seals backups.
func (k *Keys) BackupKey() []byte { return derive(k.root, "parley backup", keyBytes) }

// CopyTo writes a consistent copy of the key store to path, encrypted like the store itself.
func (k *Keys) CopyTo(ctx context.Context, path string) error {
	return k.store.CopyTo(ctx, path, derive(k.root, "parley keys.db", db.KeyBytes))
}

// Close closes the store.
func (k *Keys) Close() error { return k.store.Close() }

// Org gives the keys of one organisation, made on first use. Organisation 0 stands for the installation itself.
func (k *Keys) Org(ctx context.Context, org int64) (*OrgKeys, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if o, ok := k.orgs[org]; ok {
		return o, nil
	}
	rootAEAD := newAEAD(derive(k.root, "parley org keys", keyBytes))
	aad := []byte("org_keys|" + strconv.FormatInt(org, 10))
	sealed, ok, err := db.One(ctx, k.store, scanBytes, `SELECT sealed FROM org_keys WHERE org_id = $1`, org)
	if err != nil {
		return nil, err
	}
	if !ok {
		fresh := make([]byte, 2*keyBytes)
		_, _ = rand.Read(fresh) // never fails, see crypto/rand
		sealed = rootAEAD.Seal(nil, nil, fresh, aad)
		if _, err := k.store.Exec(ctx, `INSERT INTO org_keys (org_id, sealed) VALUES ($1, $2)`, org, sealed); err != nil {
			return nil, err
		}
	}
	plain, err := rootAEAD.Open(nil, nil, sealed, aad)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "The keys of organisation %d cannot be opened: the key store is damaged. Restore a backup with \"parley restore\".", org)
	}
	o := &OrgKeys{org: org, store: k.store, aead: newAEAD(plain[:keyBytes]), blocks: map[int64][]byte{}}
	o.macs.New = func() any { return hmac.New(sha256.New, plain[keyBytes:]) }
	k.orgs[org] = o
	return o, nil
}

// InUse tells whether there are keys of organisations besides the installation's own.
func (k *Keys) InUse(ctx context.Context) (bool, error) {
	var n int
	err := k.store.Row(ctx, `SELECT count(*) FROM org_keys WHERE org_id > 0`).Scan(&n)
	return n > 0, err
}

// Destroy removes every key of an organisation: nothing sealed under them can be opened again.
func (k *Keys) Destroy(ctx context.Context, org int64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.orgs, org)
	err := k.store.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM subject_keys WHERE org_id = $1`, org); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM org_keys WHERE org_id = $1`, org)
		return err
	})
	return errors.Join(err, k.store.Checkpoint(ctx)) // the write-ahead log would keep them
}

// OrgKeys are the keys of one organisation.
type OrgKeys struct {
	org   int64
	store *db.DB
	aead  cipher.AEAD
	macs  sync.Pool

	mu     sync.Mutex
	blocks map[int64][]byte
}

// Seal encrypts a value of the organisation itself (a setting, a secret, a line's number). field says where the value
// belongs and must be given again to open it, so that sealed values cannot be swapped.
func (o *OrgKeys) Seal(field string, plain []byte) []byte {
	return o.aead.Seal(nil, nil, plain, []byte(field))
}

// Open is the reverse of Seal.
func (o *OrgKeys) Open(field string, sealed []byte) ([]byte, error) {
	plain, err := o.aead.Open(nil, nil, sealed, []byte(field))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "A sealed value (%s) does not open under the organisation's key.", field)
	}
	return plain, nil
}

// Index is the keyed blind index of text: 16 bytes that are equal for equal text and say nothing without the key.
func (o *OrgKeys) Index(field, text string) []byte {
	m := o.macs.Get().(hash.Hash)
	defer o.macs.Put(m)
	m.Reset()
	m.Write([]byte(field))
	m.Write([]byte{0})
	m.Write([]byte(text))
	return m.Sum(nil)[:16]
}

func newAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // only a wrong key length, which is ours
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// derive expands one random key into n bytes for one use.
func derive(key []byte, use string, n int) []byte {
	out, err := hkdf.Expand(sha256.New, key, use, n)
	if err != nil {
		panic(err) // only a length over 8160 bytes
	}
	return out
}

func scanBytes(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) }
