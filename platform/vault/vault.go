// Package vault keeps the tree of keys. The master key wraps the root key; the root key seals each organisation's wrapping
// key; the wrapping key seals the organisation's content key, index key, suppression key, archive key and the keys of its
// subjects. Its store, keys.db, stands apart from the data, so that a copy of the data alone opens nothing and a destroyed
// key takes its person along. The keys that seal backups, one for each day, lie in epochs.keys under the master key.
//
// All sealing is AES-256-GCM; all keys are random, none is derived from a key that outlives it, except that one key may
// be expanded by HKDF into several for different uses.
//
// A new master key re-wraps the root key, a new wrapping key re-seals the keys under it: no content is written anew. The
// content key and a subject's key cannot be changed so, since they are what content is sealed under; the only cause to
// change one is that it became known, and then what it sealed must be sealed again anyway.
package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/journal"
)

// Schema is the tables of the key store, and what is in them.
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

const (
	rootFile  = "root.key"
	storeFile = "keys.db"
	keyBytes  = 32
)

// Keys is an open key store.
type Keys struct {
	Now func() time.Time // the clock; time.Now unless a test moves it
	// Destroyed, which may be nil, is told after keys were destroyed: those of so many subjects, or Everybody's. It is not
	// called inside a transaction.
	Destroyed func(ctx context.Context, org, subjects int64) error

	dir    string
	root   []byte
	store  *db.DB
	epochs *Epochs
	erased *journal.File

	mu     sync.Mutex
	master Master
	orgs   map[int64]*OrgKeys
}

// Open opens the key store in dir, or makes one there. A store of an older form is brought to the present one.
func Open(ctx context.Context, dir string, master Master) (*Keys, error) {
	root, err := openRoot(ctx, filepath.Join(dir, rootFile), master)
	if err != nil {
		return nil, err
	}
	k := &Keys{Now: time.Now, dir: dir, root: root, master: master, orgs: map[int64]*OrgKeys{}, erased: journal.At(filepath.Join(dir, ErasedFile))}
	if k.epochs, err = openEpochs(ctx, filepath.Join(dir, EpochsFile), master, k.StoreID()); err != nil {
		return nil, err
	}
	if k.store, err = db.OpenSQLite(ctx, filepath.Join(dir, storeFile), k.storeKey()); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return k.store.Migrate(ctx, "keys", Schema) }, k.upgrade, k.finishErasing,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, k.store.Close())
		}
	}
	return k, nil
}

func openRoot(ctx context.Context, path string, master Master) ([]byte, error) {
	wrapped, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		root := newKey()
		if wrapped, err = master.Wrap(ctx, useRoot, root); err != nil {
			return nil, err
		}
		return root, writeNew(path, wrapped, 0o600)
	}
	if err != nil {
		return nil, err
	}
	root, err := master.Unwrap(ctx, useRoot, wrapped)
	if fault.KindOf(err) == fault.Unavailable {
		return nil, err
	}
	if err != nil || len(root) != keyBytes {
		return nil, fault.Wrap(fault.Unavailable, err, "The master key (%s) is not the one that this data was made with, so nothing can be read. "+
			"Start with the master key that belongs to it: the file master.key beside %s, or the value you keep in PARLEY_MASTER_KEY. "+
			"If no copy of that key is left, the data is gone: nobody can open it, and neither can we.", master.KeyID(), path)
	}
	return root, nil
}

// WriteRoot wraps a root key from a backup under a master key, into a folder that has none.
func WriteRoot(ctx context.Context, dir string, master Master, root []byte) error {
	wrapped, err := master.Wrap(ctx, useRoot, root)
	if err != nil {
		return err
	}
	return writeNew(filepath.Join(dir, rootFile), wrapped, 0o600)
}

// Root is the root key itself, for a backup that seals it under the key of its epoch.
func (k *Keys) Root() []byte { return k.root }

// StoreID names the key store without telling anything of its keys.
func (k *Keys) StoreID() string {
	return base64.RawURLEncoding.EncodeToString(derive(k.root, "parley store id", 9))
}

// MasterID names the master key.
func (k *Keys) MasterID() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.master.KeyID()
}

// Epochs are the keys that seal backups.
func (k *Keys) Epochs() *Epochs { return k.epochs }

// DatabaseKey is the 64-byte key of the data file.
func (k *Keys) DatabaseKey() []byte { return derive(k.root, "parley data", db.KeyBytes) }

func (k *Keys) storeKey() []byte { return derive(k.root, "parley keys.db", db.KeyBytes) }

// CopyTo writes a consistent copy of the key store to path, encrypted like the store itself.
func (k *Keys) CopyTo(ctx context.Context, path string) error {
	return k.store.CopyTo(ctx, path, k.storeKey())
}

// Close closes the store.
func (k *Keys) Close() error { return k.store.Close() }

// InUse tells whether there are keys of organisations besides the installation's own.
func (k *Keys) InUse(ctx context.Context) (bool, error) {
	var n int
	err := k.store.Row(ctx, `SELECT count(*) FROM org_keys WHERE org_id > 0`).Scan(&n)
	return n > 0, err
}

// Orgs lists the organisations that have keys; 0 is the installation itself.
func (k *Keys) Orgs(ctx context.Context) ([]int64, error) {
	return db.Select(ctx, k.store, scanInt, `SELECT org_id FROM org_keys ORDER BY org_id`)
}

// Destroy removes every key of an organisation: nothing sealed under them can be opened again.
func (k *Keys) Destroy(ctx context.Context, org int64) error {
	if err := k.note(Erasure{At: k.Now(), Org: org, Subject: Everybody}); err != nil {
		return err
	}
	if err := k.destroyOrg(ctx, org); err != nil {
		return err
	}
	return k.tell(ctx, org, Everybody)
}

func (k *Keys) tell(ctx context.Context, org, subjects int64) error {
	if k.Destroyed == nil || subjects == 0 {
		return nil
	}
	return k.Destroyed(ctx, org, subjects)
}

func (k *Keys) destroyOrg(ctx context.Context, org int64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.orgs, org)
	err := k.store.Tx(ctx, func(tx *db.Tx) error {
		for _, q := range []string{
			`DELETE FROM subject_keys WHERE org_id = $1`, `DELETE FROM wrapped_keys WHERE org_id = $1`, `DELETE FROM org_keys WHERE org_id = $1`,
		} {
			if _, err := tx.Exec(ctx, q, org); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, k.store.Checkpoint(ctx)) // the write-ahead log would keep them
}

func newKey() []byte {
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key) // never fails, see crypto/rand
	return key
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

// derive32 is derive for 32 bytes, without its allocations: opening a field is mostly this. It is HKDF-Expand's first
// block, HMAC-SHA-256 of the use and a one (RFC 5869, 2.3), for a key of at most 64 bytes.
func derive32(key []byte, use string) []byte {
	const block = sha256.BlockSize
	var inner, outer [block]byte
	copy(inner[:], key)
	outer = inner
	for i := range inner {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	buf := make([]byte, 0, 3*block)
	sum := sha256.Sum256(append(append(append(buf, inner[:]...), use...), 1))
	sum = sha256.Sum256(append(append(buf[:0], outer[:]...), sum[:]...))
	return sum[:]
}

func scanBytes(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) }

func scanInt(r db.Scanner) (n int64, err error) { return n, r.Scan(&n) }
