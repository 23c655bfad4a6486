package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"parley/platform/fault"
)

// Master wraps the root of all keys. A file or the environment holds one here; a key management service can stand
// behind the same three methods.
type Master interface {
	Wrap(plain []byte) ([]byte, error)
	Unwrap(wrapped []byte) ([]byte, error)
	// KeyID names the key without telling anything of it.
	KeyID() string
}

const masterBytes = 32

// localMaster is a master key whose bytes this process holds.
type localMaster struct {
	aead cipher.AEAD
	id   string
}

// MasterFile reads the master key at path, and makes one there when there is none and the folder holds no keys yet.
func MasterFile(path string) (Master, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), rootFile)); err == nil {
			return nil, fault.New(fault.Unavailable, "The master key %s is missing, but keys made with it exist. Put the file back, or set PARLEY_MASTER_KEY; without it the data cannot be read.", path)
		}
		return newMasterFile(path)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "The master key %s cannot be read. Check that it belongs to the user who runs Parley.", path)
	}
	return MasterText(string(text))
}

func newMasterFile(path string) (Master, error) {
	key := make([]byte, masterBytes)
	_, _ = rand.Read(key) // never fails, see crypto/rand
	text := base64.StdEncoding.EncodeToString(key)
	if err := writeNew(path, []byte(text+"\n"), 0o400); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "A master key cannot be written to %s. Check that the folder belongs to the user who runs Parley.", path)
	}
	return MasterText(text)
}

// MasterText reads a master key as 32 bytes in base64, the form it has in a file and in the environment.
func MasterText(text string) (Master, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != masterBytes {
		return nil, fault.New(fault.Invalid, "The master key is not 32 bytes written in base64. Use the text from the master.key file as it stands.")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &localMaster{aead: aead, id: base64.RawURLEncoding.EncodeToString(derive(key, "parley master key id", 9))}, nil
}

func (m *localMaster) KeyID() string { return m.id }

func (m *localMaster) Wrap(plain []byte) ([]byte, error) {
	return m.aead.Seal(nil, nil, plain, []byte("parley root")), nil
}

func (m *localMaster) Unwrap(wrapped []byte) ([]byte, error) {
	return m.aead.Open(nil, nil, wrapped, []byte("parley root"))
}

// writeNew writes a file that must not exist yet, and makes sure it is on disk before it returns.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}
