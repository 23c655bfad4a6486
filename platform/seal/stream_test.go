package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"

	"parley/platform/seal"
)

const (
	segment = 64 << 10 // sealed
	first   = segment - 40 - 16
	other   = segment - 16
)

// edges are lengths about which a segment begins or ends.
func edges() []int {
	var out []int
	for _, at := range []int{0, first, first + other, first + 2*other} {
		for d := -1; d <= 1; d++ {
			if at+d >= 0 {
				out = append(out, at+d)
			}
		}
	}
	return append(out, 100, 150_000)
}

func key(n byte) []byte { return bytes.Repeat([]byte{n}, 32) }

// sample is text of n bytes that is different everywhere.
func sample(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(i) ^ byte(i>>8)*7 ^ byte(i>>16)*31
	}
	return out
}

func sealed(t testing.TB, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := seal.NewWriter(&out, key(1), []byte("header"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, iotest.HalfReader(bytes.NewReader(plain))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// opened reads a stream in each way there is. Both must agree.
func opened(t *testing.T, k byte, associated string, b []byte) ([]byte, error) {
	t.Helper()
	inOrder, err := readAll(k, associated, b)
	anywhere, errAt := readAt(k, associated, b)
	if (err == nil) != (errAt == nil) || err == nil && !bytes.Equal(inOrder, anywhere) {
		t.Errorf("of %d sealed bytes, reading on gives %d (%v) and seeking %d (%v)", len(b), len(inOrder), err, len(anywhere), errAt)
	}
	return inOrder, err
}

func readAll(k byte, associated string, b []byte) ([]byte, error) {
	r, err := seal.NewReader(bytes.NewReader(b), key(k), []byte(associated))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func readAt(k byte, associated string, b []byte) ([]byte, error) {
	r, err := seal.NewReaderAt(bytes.NewReader(b), int64(len(b)), key(k), []byte(associated))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r.Seeker())
}

func TestAStreamComesBackWhole(t *testing.T) {
	for _, n := range edges() {
		plain := sample(n)
		got, err := opened(t, 1, "header", sealed(t, plain))
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes came back as %d (%v)", n, len(got), err)
		}
	}
}

func TestTinkReadsOursAndWeReadTinks(t *testing.T) {
	theirs, err := subtle.NewAESGCMHKDF(key(1), "SHA256", 32, segment, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range edges() {
		plain := sample(n)
		r, err := theirs.NewDecryptingReader(bytes.NewReader(sealed(t, plain)), []byte("header"))
		if err != nil {
			t.Fatalf("%d bytes: Tink says %v", n, err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("Tink reads %d of our %d bytes (%v)", len(got), n, err)
		}
		var out bytes.Buffer
		w, err := theirs.NewEncryptingWriter(&out, []byte("header"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := opened(t, 1, "header", out.Bytes()); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("we read %d of Tink's %d bytes (%v)", len(got), n, err)
		}
	}
}

func TestEveryPlaceCanBeReadAlone(t *testing.T) {
	plain := sample(first + 2*other + 5)
	whole := sealed(t, plain)
	for _, at := range edges() {
		r, err := seal.NewReaderAt(bytes.NewReader(whole), int64(len(whole)), key(1), []byte("header"))
		if err != nil {
			t.Fatal(err)
		}
		if r.Size() != int64(len(plain)) {
			t.Fatalf("the size is %d, want %d", r.Size(), len(plain))
		}
		got := make([]byte, 100)
		n, err := r.ReadAt(got, int64(at))
		want := plain[min(at, len(plain)):min(at+100, len(plain))]
		if !bytes.Equal(got[:n], want) || (len(want) < 100) != errors.Is(err, io.EOF) {
			t.Errorf("at %d: %d bytes (%v), want %d", at, n, err, len(want))
		}
	}
}

func TestABrowserCanSeekInASealedStream(t *testing.T) {
	plain := sample(200_000)
	whole := sealed(t, plain)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r, err := seal.NewReaderAt(bytes.NewReader(whole), int64(len(whole)), key(1), []byte("header"))
		if err != nil {
			t.Error(err)
			return
		}
		http.ServeContent(w, req, "call.ogg", time.Time{}, r.Seeker())
	}))
	defer s.Close()
	for _, span := range [][2]int{{0, 10}, {first - 5, first + 5}, {first, first}, {65_480, 131_000}, {199_990, 199_999}} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", span[0], span[1]))
		answer, err := s.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(answer.Body)
		if cerr := answer.Body.Close(); cerr != nil || err != nil {
			t.Fatal(err, cerr)
		}
		if answer.StatusCode != http.StatusPartialContent || !bytes.Equal(got, plain[span[0]:span[1]+1]) {
			t.Errorf("%v: %s and %d bytes", span, answer.Status, len(got))
		}
	}
}

// damages are what may happen to a stream of three segments and a bit.
func damages(whole []byte) map[string][]byte {
	out := map[string][]byte{
		"empty": nil, "header only": whole[:40], "less than a tag": whole[:50],
		"cut at the first edge": whole[:segment], "cut at the second edge": whole[:2*segment], "cut by one byte": whole[:len(whole)-1],
		"cut by the last segment's text": whole[:3*segment+16], "cut inside the last tag": whole[:3*segment+7],
		"longer": append(bytes.Clone(whole), 0), "longer by a segment": append(bytes.Clone(whole), whole[segment:2*segment]...),
		"swapped":  slices.Concat(whole[:segment], whole[2*segment:3*segment], whole[segment:2*segment], whole[3*segment:]),
		"repeated": slices.Concat(whole[:2*segment], whole[segment:]),
		"dropped":  slices.Concat(whole[:segment], whole[2*segment:]),
	}
	for _, at := range []int{0, 1, 32, 33, 39, 40, 1000, segment - 1, segment, 2*segment + 5, len(whole) - 1} {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 1
		out[fmt.Sprintf("a bit flipped in byte %d", at)] = flipped
	}
	return out
}

func TestAStreamThatWasTouchedIsRefused(t *testing.T) {
	whole := sealed(t, sample(first+2*other+1000))
	for name, b := range damages(whole) {
		if _, err := opened(t, 1, "header", b); !errors.Is(err, seal.ErrBroken) {
			t.Errorf("%s: the error is %v, want ErrBroken", name, err)
		}
	}
	// A stream that ends with a full segment has nothing after it either (tink-crypto/tink-cc, issue 20).
	full := sealed(t, sample(first+other))
	for _, more := range []int{1, 15, 16, 17, segment} {
		if _, err := opened(t, 1, "header", append(bytes.Clone(full), make([]byte, more)...)); !errors.Is(err, seal.ErrBroken) {
			t.Errorf("%d bytes after a full last segment: the error is %v", more, err)
		}
	}
	if _, err := opened(t, 2, "header", whole); !errors.Is(err, seal.ErrBroken) {
		t.Errorf("another key: the error is %v", err)
	}
	if _, err := opened(t, 1, "another", whole); !errors.Is(err, seal.ErrBroken) {
		t.Errorf("other associated data: the error is %v", err)
	}
}

// A cut or lengthened stream must be known before its first byte is played.
func TestACutIsSeenBeforeTheFirstByte(t *testing.T) {
	whole := sealed(t, sample(first+2*other+1000))
	for _, b := range [][]byte{whole[:len(whole)-1], whole[:2*segment], append(bytes.Clone(whole), 1)} {
		if _, err := seal.NewReaderAt(bytes.NewReader(b), int64(len(b)), key(1), []byte("header")); !errors.Is(err, seal.ErrBroken) {
			t.Errorf("%d of %d bytes: opening gives %v", len(b), len(whole), err)
		}
	}
}

func TestAFailingDiskIsNotTakenForTampering(t *testing.T) {
	whole := sealed(t, sample(200_000))
	dead := errors.New("the disk is dead")
	r, err := seal.NewReader(io.MultiReader(bytes.NewReader(whole[:segment]), iotest.ErrReader(dead)), key(1), []byte("header"))
	if err == nil {
		_, err = io.ReadAll(r)
	}
	if !errors.Is(err, dead) {
		t.Errorf("the error is %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(sealed(f, sample(100)))
	f.Add([]byte{40})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := opened(t, 3, "header", b); err == nil { // nobody has key 3
			t.Errorf("%d strange bytes opened", len(b))
		}
	})
}

// The promise: at most 5 ms to the first byte from the middle of 50 MB.
func BenchmarkFirstByteFromTheMiddle(b *testing.B) {
	whole := sealed(b, make([]byte, 50<<20))
	out := make([]byte, 1)
	for b.Loop() {
		r, err := seal.NewReaderAt(bytes.NewReader(whole), int64(len(whole)), key(1), []byte("header"))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.ReadAt(out, 25<<20); err != nil {
			b.Fatal(err)
		}
	}
}
