package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"parley/platform/blob"
	"parley/platform/fault"
)

func folder(t *testing.T) (*blob.Folder, string) {
	t.Helper()
	dir := t.TempDir()
	f, err := blob.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f, dir
}

// bucket is one of a service in this process, and what the service keeps.
func bucket(t *testing.T, prefix string) (*blob.Bucket, *s3mem.Backend) {
	t.Helper()
	kept := s3mem.New()
	if err := kept.CreateBucket("backups"); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(gofakes3.New(kept).Server())
	t.Cleanup(s.Close)
	b, err := blob.OpenBucket(blob.BucketConfig{URL: "s3+" + s.URL + "/backups" + prefix, AccessKey: "key", SecretKey: "secret", Transport: http.DefaultTransport})
	if err != nil {
		t.Fatal(err)
	}
	return b, kept
}

// Every store behaves like this.
func TestStores(t *testing.T) {
	f, _ := folder(t)
	plain, _ := bucket(t, "")
	under, _ := bucket(t, "/parley/one")
	versioned, kept := bucket(t, "")
	if err := kept.SetVersioningConfiguration("backups", gofakes3.VersioningConfiguration{Status: gofakes3.VersioningEnabled}); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]blob.Store{"folder": f, "bucket": plain, "folder in a bucket": under, "bucket with versions": versioned} {
		t.Run(name, func(t *testing.T) { conform(t, s) })
	}
}

func put(t *testing.T, s blob.Store, name string, b []byte) {
	t.Helper()
	if err := s.Put(t.Context(), name, iotest.HalfReader(bytes.NewReader(b))); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s blob.Store, name string) []byte {
	t.Helper()
	r, err := s.Get(t.Context(), name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}

func names(t *testing.T, s blob.Store, prefix string) (out []string) {
	t.Helper()
	list, err := s.List(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		out = append(out, i.Name)
		if i.Modified.IsZero() {
			t.Errorf("%s has no time", i.Name)
		}
	}
	return out
}

func conform(t *testing.T, s blob.Store) {
	ctx := t.Context()
	if got := names(t, s, ""); len(got) != 0 {
		t.Errorf("an empty store lists %v", got)
	}
	if _, err := s.Get(ctx, "nothing"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a missing name gives %v", err)
	}
	if err := s.Delete(ctx, "nothing"); err != nil {
		t.Errorf("deleting nothing gives %v", err)
	}
	large := bytes.Repeat([]byte("sealed bytes "), 3<<20) // two parts of an upload and a bit
	put(t, s, "b/large", large)
	put(t, s, "b/empty", nil)
	put(t, s, "a", []byte("first"))
	put(t, s, "a", []byte("second"))
	put(t, s, "ab", []byte("x"))
	if got := get(t, s, "b/large"); !bytes.Equal(got, large) {
		t.Errorf("%d of %d bytes came back", len(got), len(large))
	}
	if got := get(t, s, "b/empty"); len(got) != 0 {
		t.Errorf("nothing came back as %q", got)
	}
	if got := get(t, s, "a"); string(got) != "second" {
		t.Errorf("what was put in its place is %q", got)
	}
	for prefix, want := range map[string][]string{"": {"a", "ab", "b/empty", "b/large"}, "a": {"a", "ab"}, "b/": {"b/empty", "b/large"}, "c": nil} {
		if got := names(t, s, prefix); !slices.Equal(got, want) {
			t.Errorf("under %q are %v, want %v", prefix, got, want)
		}
	}
	if list, err := s.List(ctx, "b/large"); err != nil || list[0].Size != int64(len(large)) {
		t.Errorf("the list says %+v (%v)", list, err)
	}
	broken := errors.New("the source broke")
	for _, name := range []string{"a", "never"} {
		if err := s.Put(ctx, name, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Errorf("a broken source gives %v", err)
		}
	}
	if got := get(t, s, "a"); string(got) != "second" {
		t.Errorf("a broken source left %q", got)
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if err := s.Put(stopped, "never", strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("a stopped upload gives %v", err)
	}
	if got := names(t, s, "never"); len(got) != 0 {
		t.Errorf("a broken upload left %v", got)
	}
	if err := s.Delete(ctx, "b/large"); err != nil {
		t.Error(err)
	}
	if _, err := s.Get(ctx, "b/large"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("what was deleted gives %v", err)
	}
	for _, bad := range []string{"", ".", "..", "../a", "/a", "a/../b", "a//b", "a/", "a b", "a\\b", ".part-a", "b/.hidden", "é"} {
		if err := s.Put(ctx, bad, strings.NewReader("x")); fault.KindOf(err) != fault.Internal {
			t.Errorf("the name %q gives %v", bad, err)
		}
		if _, err := s.Get(ctx, bad); err == nil {
			t.Errorf("the name %q is read", bad)
		}
		if err := s.Delete(ctx, bad); err == nil {
			t.Errorf("the name %q is deleted", bad)
		}
	}
	if strings.Contains(s.String(), "secret") {
		t.Errorf("%s shows a secret", s)
	}
}

func TestABucketWithVersionsKeepsNone(t *testing.T) {
	s, kept := bucket(t, "")
	if err := kept.SetVersioningConfiguration("backups", gofakes3.VersioningConfiguration{Status: gofakes3.VersioningEnabled}); err != nil {
		t.Fatal(err)
	}
	versions := func() (n int) {
		list, err := kept.ListBucketVersions("backups", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return len(list.Versions)
	}
	for range 3 {
		put(t, s, "epochs.keys", []byte("a key that will be destroyed"))
	}
	if n := versions(); n != 1 {
		t.Errorf("after three times there are %d versions, want the last", n)
	}
	if err := s.Delete(t.Context(), "epochs.keys"); err != nil {
		t.Fatal(err)
	}
	if n := versions(); n != 0 {
		t.Errorf("after the deletion there are %d versions", n)
	}
}

func TestAReplacedFileIsOverwritten(t *testing.T) {
	s, dir := folder(t)
	put(t, s, "epochs.keys", []byte("a key that will be destroyed"))
	place, err := os.Open(filepath.Join(dir, "epochs.keys")) // stays with the first content's place on the disk
	if err != nil {
		t.Fatal(err)
	}
	defer place.Close()
	put(t, s, "epochs.keys", []byte("another"))
	if old, err := io.ReadAll(place); err != nil || strings.Contains(string(old), "key") {
		t.Errorf("the old content is still on the disk: %q (%v)", old, err)
	}
	info, err := os.Stat(filepath.Join(dir, "epochs.keys"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v (%v)", info.Mode(), err)
	}
}

func TestALinkDoesNotLeadOutOfAFolder(t *testing.T) {
	s, dir := folder(t)
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "link"); err == nil {
		t.Error("a link out of the folder was followed")
	}
}

func TestPlacesThatCannotBeUsedSaySo(t *testing.T) {
	if _, err := blob.OpenFolder(filepath.Join(t.TempDir(), "unmounted")); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a missing folder gives %v", err)
	}
	for _, url := range []string{"s3://", "s3://host", "s3://host/", "s3://key:secret@host/bucket", "https://host/bucket", "s3://host/bucket/a b", "s3://host/bucket/../x"} {
		if _, err := blob.OpenBucket(blob.BucketConfig{URL: url}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s gives %v", url, err)
		}
	}
	gone, err := blob.OpenBucket(blob.BucketConfig{URL: "s3+http://127.0.0.1:1/backups", AccessKey: "k", SecretKey: "s", Transport: http.DefaultTransport})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.List(t.Context(), ""); fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.Sentence(err), "does not answer") {
		t.Errorf("a service that is not there gives %v", err)
	}
	s, kept := bucket(t, "")
	if err := kept.ForceDeleteBucket("backups"); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "a", strings.NewReader("x")); fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.Sentence(err), "no bucket") {
		t.Errorf("a missing bucket gives %v", err)
	}
}
