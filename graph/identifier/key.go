package identifier

import (
	"encoding/binary"

	"github.com/dchest/siphash"

	"github.com/kindred-id/kindred/graph"
)

// hashKey keys a SipHash.
type hashKey struct{ k0, k1 uint64 }

// derive makes the key for another purpose out of a secret, so that no two purposes share one. The
// label is put where no namespace can stand.
func (k hashKey) derive(label string) hashKey {
	k0, k1 := siphash.Hash128(k.k0, k.k1, append([]byte{0}, label...))
	return hashKey{k0, k1}
}

// nodeKey hashes text, which is a namespace, a zero byte and a normalised value, or its SHA-256 (keyText):
//
//	+-----------+----+-------+
//	| namespace | 00 | value |  ──SipHash-128──► hi, lo; the class replaces the top three bits: keys sort by rank
//	+-----------+----+-------+
//
// The hash takes the secret, so that nobody without it can choose values whose nodes all fall into one shard, or find
// the value of a key by hashing candidates.
func (r *Registry) nodeKey(class graph.Class, text []byte) graph.NodeKey {
	hi, lo := siphash.Hash128(r.secret.k0, r.secret.k1, text)
	return graph.MakeNodeKey(class, hi, lo)
}

// GroupKey is the key of a group: a keyed hash of its type and its id, of no class, so that it is no node's. The length of
// the type goes before it, so no two texts are the same:
//
//	 4 B, little-endian
//	+---------------------+------+----+
//	|   length of type    | type | id |  ──SipHash-128──► hi, lo
//	+---------------------+------+----+
func (r *Registry) GroupKey(typ, id []byte) graph.NodeKey {
	text := binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(typ)+len(id)), uint32(len(typ)))
	text = append(append(text, typ...), id...)
	hi, lo := siphash.Hash128(r.group.k0, r.group.k1, text)
	return graph.MakeNodeKey(0, hi, lo)
}

// SeenHash is the key of an event in the memory of duplicates: a keyed hash of its message id, of the fingerprint of
// its content, and of its source where that numbers its ids apart, else of none. The length of the source goes
// before it, so no two texts are the same:
//
//	 4 B, little-endian    8 B, little-endian
//	+---------------------+-------------+--------+------------+
//	| length of source    | fingerprint | source | message id |
//	+---------------------+-------------+--------+------------+
func (r *Registry) SeenHash(apart, messageID []byte, fingerprint uint64) uint64 {
	var space [256]byte // enough for any message id and a sane source: then nothing is allocated
	text := binary.LittleEndian.AppendUint32(space[:0], uint32(len(apart)))
	text = binary.LittleEndian.AppendUint64(text, fingerprint)
	text = append(text, apart...)
	text = append(text, messageID...)
	return siphash.Hash(r.seen.k0, r.seen.k1, text)
}

// FormerSeenHash is what the memory of duplicates held of an event before it knew fingerprints: a hash of its source
// and id.
func (r *Registry) FormerSeenHash(source, messageID []byte) uint64 {
	var space [256]byte
	text := binary.LittleEndian.AppendUint32(space[:0], uint32(len(source)))
	text = append(text, source...)
	text = append(text, messageID...)
	return siphash.Hash(r.seen.k0, r.seen.k1, text)
}

// Tie hashes a message id and the fingerprint of its event to break ties between events of one time and rank. It is
// not keyed: which of them wins must be the same in every deployment that is fed the same events.
func Tie(messageID []byte, fingerprint uint64) uint64 {
	// Any constants will do, as long as they never change. These are ASCII: "kindred ", "tiebreak".
	const k0, k1 = 0x6b696e6472656420, 0x746965627265616b
	return siphash.Hash(k0^fingerprint, k1, messageID)
}
