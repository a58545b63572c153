package row

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/storage"
)

func FuzzUnpack(f *testing.F) {
	for _, value := range []string{"", "short", strings.Repeat("the same again ", 100)} {
		f.Add(AppendPacked(nil, []byte(value)))
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		value, err := Unpack(packed)
		if err != nil {
			if !errors.Is(err, storage.ErrCorrupt) {
				t.Fatalf("not corrupt: %v", err)
			}
			return
		}
		again, err := Unpack(AppendPacked([]byte("before"), value)[6:])
		if err != nil || !bytes.Equal(again, value) {
			t.Fatalf("packed and unpacked: %x, %v; want %x", again, err, value)
		}
	})
}
