package seal_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"parley/platform/seal"
)

func sealed(t *testing.T, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := seal.NewWriter(&out, bytes.Repeat([]byte{1}, 32), []byte("header"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func opened(key byte, header string, b []byte) ([]byte, error) {
	r, err := seal.NewReader(bytes.NewReader(b), bytes.Repeat([]byte{key}, 32), []byte(header))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func TestAStreamComesBackWhole(t *testing.T) {
	for _, n := range []int{0, 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 200_000} {
		plain := bytes.Repeat([]byte("call"), n/4+1)[:n]
		got, err := opened(1, "header", sealed(t, plain))
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes came back as %d (%v)", n, len(got), err)
		}
	}
}

func TestAStreamThatWasTouchedIsRefused(t *testing.T) {
	whole := sealed(t, bytes.Repeat([]byte{9}, 200_000))
	flipped := bytes.Clone(whole)
	flipped[100_000] ^= 1
	const segment = 64<<10 + 16
	swapped := append(append(append(bytes.Clone(whole[:32]), whole[32+segment:32+2*segment]...), whole[32:32+segment]...), whole[32+2*segment:]...)
	for name, b := range map[string][]byte{
		"flipped": flipped, "cut in a segment": whole[:150_000], "cut between segments": whole[:32+2*segment], "swapped": swapped,
		"longer": append(bytes.Clone(whole), 0), "empty": nil, "salt only": whole[:32],
	} {
		if _, err := opened(1, "header", b); !errors.Is(err, seal.ErrBroken) {
			t.Errorf("%s: the error is %v, want ErrBroken", name, err)
		}
	}
	if _, err := opened(2, "header", whole); !errors.Is(err, seal.ErrBroken) {
		t.Errorf("another key: the error is %v", err)
	}
	if _, err := opened(1, "another", whole); !errors.Is(err, seal.ErrBroken) {
		t.Errorf("another header: the error is %v", err)
	}
}
