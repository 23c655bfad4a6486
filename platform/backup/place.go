package backup

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parley/platform/blob"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/revoke"
	"parley/platform/vault"
)

// Access is how a bucket is reached.
type Access struct {
	AccessKey, SecretKey string
	Transport            http.RoundTripper // the way out to it
}

// place is where backups lie.
type place struct {
	blob.Store
	close func() error
}

// openPlace opens a folder, by its absolute path, or a bucket, by its address.
func openPlace(where string, a Access) (*place, error) {
	if blob.IsBucket(where) {
		b, err := blob.OpenBucket(blob.BucketConfig{URL: where, AccessKey: a.AccessKey, SecretKey: a.SecretKey, Transport: a.Transport})
		if err != nil {
			return nil, err
		}
		return &place{b, func() error { return nil }}, nil
	}
	if !filepath.IsAbs(where) {
		return nil, fault.New(fault.Invalid, "The place for backups, %q, is no whole path. Write a path from the root, or s3://HOST/BUCKET/FOLDER.", where)
	}
	f, err := blob.OpenFolder(where)
	if err != nil {
		return nil, err
	}
	return &place{f, f.Close}, nil
}

// Set is one backup: its parts have the same name.
type Set struct {
	Name   string // "parley-20261124T020000Z"
	MadeAt time.Time
	Parts  []Part
	Bytes  int64
}

// Has tells whether the backup has a part.
func (s *Set) Has(p Part) bool { return slices.Contains(s.Parts, p) }

// OpensUntil is the last day on which it can be opened.
func (s *Set) OpensUntil() civil.Day {
	return civil.Today(s.MadeAt, time.UTC) + vault.EpochDays - 1
}

const (
	namePrefix = "parley-"
	nameStamp  = "20060102T150405Z"
)

func setName(at time.Time) string { return namePrefix + at.UTC().Format(nameStamp) }

// freshName is the name of a backup that is made now, a second later for each that has the name already.
func (p *place) freshName(ctx context.Context, now time.Time) (string, error) {
	sets, err := p.sets(ctx)
	if err != nil {
		return "", err
	}
	for {
		name := setName(now)
		if !slices.ContainsFunc(sets, func(s *Set) bool { return s.Name == name }) {
			return name, nil
		}
		now = now.Add(time.Second)
	}
}

func partName(set string, p Part) string { return set + "." + string(p) }

// IsSet tells whether a text is the name of a backup.
func IsSet(text string) bool {
	_, err := time.Parse(namePrefix+nameStamp, text)
	return err == nil
}

// sets lists the backups of a place, the newest first.
func (p *place) sets(ctx context.Context) ([]*Set, error) {
	list, err := p.List(ctx, namePrefix)
	if err != nil {
		return nil, err
	}
	var out []*Set
	for _, i := range list {
		name, part, ok := strings.Cut(i.Name, ".")
		at, err := time.Parse(namePrefix+nameStamp, name)
		if !ok || err != nil || part != string(Data) && part != string(Keys) {
			continue
		}
		if len(out) == 0 || out[len(out)-1].Name != name {
			out = append(out, &Set{Name: name, MadeAt: at})
		}
		s := out[len(out)-1]
		s.Parts, s.Bytes = append(s.Parts, Part(part)), s.Bytes+i.Size
	}
	slices.Reverse(out)
	return out, nil
}

// read gives a small file, nil when there is none.
func (p *place) read(ctx context.Context, name string) ([]byte, error) {
	r, err := p.Get(ctx, name)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	const most = 64 << 20
	raw, err := io.ReadAll(io.LimitReader(r, most))
	return raw, errors.Join(err, r.Close())
}

// refresh makes the copies of epochs.keys and the journals in a place equal to ours. A place where another installation
// keeps its backups is refused.
func (p *place) refresh(ctx context.Context, keys *vault.Keys, revoked *revoke.Journal) error {
	there, err := p.read(ctx, vault.EpochsFile)
	if err != nil {
		return err
	}
	if there != nil {
		if store, err := vault.EpochsStore(there); err == nil && store != keys.StoreID() {
			return fault.New(fault.Conflict, "In %s lie the backups of another installation, which ours would make useless. Choose another place.", p)
		}
	}
	for _, copied := range []struct {
		name string
		ours func() ([]byte, error)
	}{{vault.EpochsFile, func() ([]byte, error) { return keys.Epochs().File(), nil }}, {vault.ErasedFile, keys.ErasedFile}, {revoke.FileName, revoked.File}} {
		ours, err := copied.ours()
		if err != nil {
			return err
		}
		if ours == nil {
			continue
		}
		have, err := p.read(ctx, copied.name)
		if err != nil {
			return err
		}
		if bytes.Equal(have, ours) {
			continue
		}
		if err := p.Put(ctx, copied.name, bytes.NewReader(ours)); err != nil {
			return err
		}
	}
	return nil
}

// prune removes the backups that are older than so many days.
func (p *place) prune(ctx context.Context, now time.Time, days int) (removed int, err error) {
	sets, err := p.sets(ctx)
	if err != nil {
		return 0, err
	}
	today := civil.Today(now, time.UTC)
	for i, s := range sets {
		if i == 0 || today-civil.Today(s.MadeAt, time.UTC) < civil.Day(days) { // the newest stays, whatever the clock says
			continue
		}
		for _, part := range s.Parts {
			if err := p.Delete(ctx, partName(s.Name, part)); err != nil {
				return removed, err
			}
		}
		removed++
	}
	return removed, nil
}
