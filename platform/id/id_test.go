package id_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"parley/platform/id"
)

func TestIdentifiersSortByTheTimeTheyWereMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := id.New("mem")
		time.Sleep(2 * time.Millisecond)
		if second := id.New("mem"); second <= first {
			t.Errorf("%s was made after %s and sorts before it", second, first)
		}
	})
}

func TestEncodeRoundTrips(t *testing.T) {
	want := []byte{0, 1, 254, 255, 7}
	got, err := id.Decode(id.Encode(want))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}
