package msgpack

import (
	"bytes"
	"math"
	"strings"
	"testing"

	library "github.com/vmihailenco/msgpack/v5"
)

// TestLikeLibrary compares every width, at both sides of every bound, with an independent library.
func TestLikeLibrary(t *testing.T) {
	var want bytes.Buffer
	enc := library.NewEncoder(&want)
	check := func(what string, v any, got []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s %v: got % .20x, the library has % .20x", what, v, got, want.Bytes())
		}
		want.Reset()
	}
	var bounds []uint64
	for _, bits := range []uint{0, 5, 7, 8, 15, 16, 31, 32, 63} {
		bounds = append(bounds, 1<<bits-1, 1<<bits, 1<<bits+1)
	}
	for _, v := range append(bounds, math.MaxUint64) {
		check("uint", v, AppendUint(nil, v), enc.EncodeUint(v))
		check("int", int64(v), AppendInt(nil, int64(v)), enc.EncodeInt(int64(v)))
		check("int", -int64(v), AppendInt(nil, -int64(v)), enc.EncodeInt(-int64(v)))
		if n := int(v); v <= 1<<16+1 {
			check("string of", n, AppendString(nil, strings.Repeat("x", n)), enc.EncodeString(strings.Repeat("x", n)))
		}
		if n := int(v); v <= 1<<31 {
			check("bytes of", n, AppendBytesLen(nil, n), enc.EncodeBytesLen(n))
			check("array of", n, AppendArrayLen(nil, n), enc.EncodeArrayLen(n))
		}
	}
	for _, v := range []bool{false, true} {
		check("bool", v, AppendBool(nil, v), enc.EncodeBool(v))
	}
}
