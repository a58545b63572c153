package row

import (
	"encoding/binary"
	"fmt"

	"github.com/kindred-id/kindred/storage"
)

// Notes carry message ids from the shard that took the events to the shards of these ids, as messages between shards do:
//
//	| c1 | hash 8 B | hash 8 B | ...
//
// MessagePack never uses the first byte, so no other message begins with it.
const notesMark = 0xc1

// AppendNotes appends the body of notes: hashes of message ids.
func AppendNotes(b []byte, hashes []uint64) []byte {
	b = append(b, notesMark)
	for _, h := range hashes {
		b = binary.BigEndian.AppendUint64(b, h)
	}
	return b
}

// AreNotes reports whether the body of a message between shards holds notes.
func AreNotes(body []byte) bool { return len(body) > 0 && body[0] == notesMark }

// Notes calls fn with each hash. It fails with ErrCorrupt. REQUIRES: AreNotes(body)
func Notes(body []byte, fn func(h uint64) error) error {
	if len(body) == 1 || len(body)%8 != 1 {
		return fmt.Errorf("%w: notes of %d bytes", storage.ErrCorrupt, len(body))
	}
	for b := body[1:]; len(b) > 0; b = b[8:] {
		if err := fn(binary.BigEndian.Uint64(b)); err != nil {
			return err
		}
	}
	return nil
}
