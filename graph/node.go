package graph

import (
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
)

// NodeKey names a node of the identity graph: an identifier, whichever person uses it.
//
//	 3 bits   125 bits
//	+-------+------------------------------------------------+
//	| class | keyed hash of namespace and normalised value   |
//	+-------+------------------------------------------------+
//
// The class is the top of the key, so a node's rank (class, key) is the key itself, compared as
// an unsigned number: rank never changes, and the holder of a key knows its rank.
// The zero key names no node.
type NodeKey struct{ Hi, Lo uint64 }

const classShift = 61

// MakeNodeKey puts a class on top of a 128-bit hash; the hash gives up its top three bits.
func MakeNodeKey(class Class, hi, lo uint64) NodeKey {
	return NodeKey{Hi: uint64(class)<<classShift | hi&(1<<classShift-1), Lo: lo}
}

// Class is the class of the node's namespace.
func (k NodeKey) Class() Class { return Class(k.Hi >> classShift) }

// IsZero reports whether k names no node.
func (k NodeKey) IsZero() bool { return k == NodeKey{} }

// Compare orders keys by rank: negative when k ranks below other.
func (k NodeKey) Compare(other NodeKey) int {
	switch {
	case k.Hi != other.Hi:
		if k.Hi < other.Hi {
			return -1
		}
		return 1
	case k.Lo < other.Lo:
		return -1
	case k.Lo > other.Lo:
		return 1
	}
	return 0
}

// Outranks reports whether k is of strictly higher rank than other.
func (k NodeKey) Outranks(other NodeKey) bool {
	return k.Hi > other.Hi || k.Hi == other.Hi && k.Lo > other.Lo
}

// Shard is the shard, of shards in all, in which the node lives. It is a function of the key alone.
func (k NodeKey) Shard(shards int) ShardID { return ShardID(k.Lo % uint64(shards)) }

// ShardID numbers a shard, from 0.
type ShardID uint16

// AppendBinary appends the key as 16 bytes, big-endian, so that bytes sort as ranks do.
func (k NodeKey) AppendBinary(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, k.Hi)
	return binary.BigEndian.AppendUint64(b, k.Lo)
}

// nodeKeyFromBinary reads what AppendBinary wrote. It fails on any length but 16.
func nodeKeyFromBinary(b []byte) (NodeKey, error) {
	if len(b) != 16 {
		return NodeKey{}, fmt.Errorf("node key of %d bytes, want 16", len(b))
	}
	return NodeKey{Hi: binary.BigEndian.Uint64(b), Lo: binary.BigEndian.Uint64(b[8:])}, nil
}

// Public ids are "k" and 26 characters of Crockford's base 32 in lower case. The alphabet ascends,
// so ids sort as keys do.
var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

const idLength = 27

// errNotAnID is returned when a string is not the encoding of a node key.
var errNotAnID = errors.New("not a public id")

// String is the public id of the identity that this node heads.
func (k NodeKey) String() string {
	var raw [16]byte
	k.AppendBinary(raw[:0])
	id := [idLength]byte{'k'}
	idEncoding.Encode(id[1:], raw[:])
	return string(id[:])
}

// ParseNodeKey reads a public id, in the one form that String gives it: a second spelling would be a second address of the
// same person, for caches, logs and programs that compare ids. Any other text is errNotAnID.
func ParseNodeKey(id string) (NodeKey, error) {
	if len(id) != idLength || id[0] != 'k' {
		return NodeKey{}, errNotAnID
	}
	raw, err := idEncoding.DecodeString(id[1:])
	if err != nil {
		return NodeKey{}, errNotAnID
	}
	key, err := nodeKeyFromBinary(raw)
	if err != nil || key.String() != id { // the last character has two bits that the key lacks
		return NodeKey{}, errNotAnID
	}
	return key, nil
}
