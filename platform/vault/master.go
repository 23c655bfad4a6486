package vault

import (
	"context"
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

// Master wraps the root of all keys and the keys of epochs. A file or the environment holds one here, or a key management
// service does.
type Master interface {
	// Wrap seals a few kilobytes. use says for what, and must be given again to unwrap.
	Wrap(ctx context.Context, use string, plain []byte) ([]byte, error)
	// Unwrap is the reverse. An Unavailable fault means that the key could not be asked; any other error, that what was
	// wrapped belongs to another key.
	Unwrap(ctx context.Context, use string, wrapped []byte) ([]byte, error)
	// KeyID names the key without telling anything of it.
	KeyID() string
}

// What a master key wraps.
const (
	useRoot   = "root"
	useEpochs = "epochs"
)

const (
	masterBytes = 32
	// nextEnding is of the file of a master key that is about to take over.
	nextEnding = ".next"
)

// localMaster is a master key whose bytes this process holds.
type localMaster struct {
	aead cipher.AEAD
	id   string
}

// MasterFile reads the master key at path, and makes one there when there is none and the folder holds no keys yet. A
// change of the master key that was broken off is finished.
func MasterFile(path string) (Master, error) {
	if err := settleMaster(path); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), rootFile)); err == nil {
			return nil, fault.New(fault.Unavailable, "The master key %s is missing, but keys made with it exist. Put the file back, or set PARLEY_MASTER_KEY. "+
				"If no copy of it is left anywhere, the data is gone: nobody can open it, and neither can we.", path)
		}
		return NewMasterFile(path)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "The master key %s cannot be read. Check that it belongs to the user who runs Parley.", path)
	}
	return MasterText(string(text))
}

// NewMasterFile makes a master key in a file that must not exist yet.
func NewMasterFile(path string) (Master, error) {
	key := make([]byte, masterBytes)
	_, _ = rand.Read(key) // never fails, see crypto/rand
	text := base64.StdEncoding.EncodeToString(key)
	if err := writeNew(path, []byte(text+"\n"), 0o400); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "A master key cannot be written to %s. Check that the folder belongs to the user who runs Parley.", path)
	}
	return MasterText(text)
}

// NextMaster makes a master key beside the one at path. When RotateMaster has moved everything under it, AdoptMaster puts
// it in the place of the old one.
func NextMaster(path string) (Master, error) {
	if err := shred(path + nextEnding); err != nil {
		return nil, err
	}
	return NewMasterFile(path + nextEnding)
}

// AdoptMaster puts the key that NextMaster made in the place of the one at path, which is overwritten.
func AdoptMaster(path string) error { return replaceFile(path+nextEnding, path) }

// settleMaster finishes or forgets a change of the master key that was broken off, whichever the root key fits.
func settleMaster(path string) error {
	text, err := os.ReadFile(path + nextEnding)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	next, err := readMaster(string(text))
	if err != nil { // broken off while it was written
		return shred(path + nextEnding)
	}
	wrapped, err := os.ReadFile(filepath.Join(filepath.Dir(path), rootFile))
	if err != nil {
		return err
	}
	if _, err := next.open(useRoot, wrapped); err != nil {
		return shred(path + nextEnding)
	}
	return AdoptMaster(path)
}

// MasterText reads a master key as 32 bytes in base64, the form it has in a file and in the environment.
func MasterText(text string) (Master, error) {
	m, err := readMaster(text)
	if err != nil {
		return nil, err
	}
	return m, nil
}

func readMaster(text string) (*localMaster, error) {
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

func (m *localMaster) Wrap(_ context.Context, use string, plain []byte) ([]byte, error) {
	return m.aead.Seal(nil, nil, plain, []byte("parley "+use)), nil
}

func (m *localMaster) Unwrap(_ context.Context, use string, wrapped []byte) ([]byte, error) {
	return m.open(use, wrapped)
}

func (m *localMaster) open(use string, wrapped []byte) ([]byte, error) {
	return m.aead.Open(nil, nil, wrapped, []byte("parley "+use))
}
