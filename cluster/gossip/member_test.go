package gossip

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

// A member is decoded as it was encoded, also with what a newer program appends, but not if it is cut short.
func TestMemberCodec(t *testing.T) {
	m := Member{Name: "n1", Boot: 1 << 63, Remote: "a:1", Bulk: "b:2", Client: "c:3", Version: "v1.2.3", Reads: 300, Zone: "z", Weight: 65535, Copies: []uint64{1, 1 << 63}, Topics: []uint32{7, 1 << 31}, Handlers: 129}
	b := m.append(nil)
	for _, tail := range []string{"", "more"} {
		if got, err := parseMember("n1", append(bytes.Clone(b), tail...)); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	for n := range b {
		if _, err := parseMember("n1", b[:n]); !errors.Is(err, errMeta) {
			t.Errorf("%d bytes of %d: %v", n, len(b), err)
		}
	}
}

// No bytes make the parser panic or take more memory than they have, and what it reads it writes back.
func FuzzMember(f *testing.F) {
	f.Add((&Member{Boot: 7, Copies: []uint64{3}}).append(nil))
	f.Add([]byte{1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMember("n", b)
		if err != nil {
			return
		}
		again, err := parseMember("n", m.append(nil))
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("%+v, then %+v, %v", m, again, err)
		}
	})
}
