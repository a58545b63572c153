package row

import (
	"fmt"

	"github.com/kindred-id/kindred/storage"
	"github.com/klauspost/compress/s2"
)

// Log records and timeline blocks are written twice, to the write-ahead log and to a table, and Pebble compresses
// only tables. So large ones are compressed before they are written (docs/decisions/0005):
//
//	 1 B
//	+------+-----------------------------+
//	|  00  | value                       |  up to packAbove bytes, or where compression gains nothing
//	+------+-----------------------------+
//	|  01  | value as a block of s2      |  the block names the length of the value
//	+------+-----------------------------+
//
// unpackMax bounds what a damaged length makes a reader allocate.
const (
	packedPlain byte = 0
	packedS2    byte = 1

	packAbove = 512      // bytes; smaller ones gain little
	unpackMax = 64 << 20 // bytes
)

// AppendPacked appends value, compressed if that makes it smaller.
func AppendPacked(dst, value []byte) []byte {
	if len(value) <= packAbove {
		return append(append(dst, packedPlain), value...)
	}
	start := len(dst)
	dst = append(dst, packedS2)
	room := s2.MaxEncodedLen(len(value))
	if cap(dst)-len(dst) < room {
		dst = append(make([]byte, 0, (len(dst)+room)/4*5), dst...) // a buffer that is used again grows a few times only
	}
	packed := s2.Encode(dst[len(dst):len(dst)+room], value)
	if len(packed) >= len(value) {
		return append(append(dst[:start], packedPlain), value...)
	}
	return dst[:len(dst)+len(packed)]
}

// Unpack returns the value given to AppendPacked, in memory of its own. It fails with ErrCorrupt.
func Unpack(packed []byte) ([]byte, error) {
	if len(packed) == 0 {
		return nil, fmt.Errorf("%w: packed value is empty", storage.ErrCorrupt)
	}
	switch packed[0] {
	case packedPlain:
		return append([]byte(nil), packed[1:]...), nil
	case packedS2:
		n, err := s2.DecodedLen(packed[1:])
		if err != nil || n > unpackMax {
			return nil, fmt.Errorf("%w: packed value of %d bytes", storage.ErrCorrupt, n)
		}
		value, err := s2.Decode(nil, packed[1:])
		if err != nil {
			return nil, fmt.Errorf("%w: packed value: %w", storage.ErrCorrupt, err)
		}
		return value, nil
	default:
		return nil, fmt.Errorf("%w: packed value of unknown kind %d", storage.ErrCorrupt, packed[0])
	}
}
