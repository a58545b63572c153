package segment

import (
	"bytes"
	"math/bits"

	"github.com/cespare/xxhash/v2"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// The fingerprint of an event is a hash of its content: of all that enters profiles, links and timelines, as its
// client sent it. Two events are the same event if and only if they have the same message id and the same fingerprint
// (E5).
//
//	in:  type, name, identifiers as normalised (but that in a form), the client's times as sent, traits, properties, groupId,
//	     groupType of a group event
//	out: context except identifiers and traits in it, sentAt, receivedAt, additions of a retry (_metadata), the write
//	     key, integrations, the source
//
// Equal content has equal identifiers, hence one route, hence one shard: this makes the memory of duplicates exact
// for any number of shards. The fingerprint does not depend on the spelling of JSON: white space, escapes in strings
// and the order of keys do not count. The spelling of numbers does.
//
//	fingerprint   mix of type, name, identifiers, timestamp, originalTimestamp, properties, traits, and groupId if sent; of a
//	              group event also groupType if sent
//	identifiers   sum of mix(namespace, value)
//	objects       sum of mix(key, value); traits likewise
//	lists         mix of one element after the other
//
// A sum ignores order, and mix does not. A change of any of this makes another event of one that a client sends again:
// what a directory remembers of it no longer matches.
//
// It is neither secret nor keyed, because it breaks ties, which must break alike in every deployment. The key of the
// memory of duplicates is derived from it with a secret.

// Tags distinguish equal bytes of different kinds. They are large, odd and arbitrary.
const (
	tagString = 0x9ae16a3b2f90404f
	tagOther  = 0xc3a5c85c97cb3127
	tagObject = 0xb492b66fbe98f273
	tagArray  = 0x8cb92ba72f3d8dd7
	tagNone   = 0xd6e8feb86659fd93

	maskA = 0x9fb21c651e98df25
	maskB = 0xa0761d6478bd642f
)

// mix is a folded multiplication: every bit of both numbers affects every bit of the result. A factor of 0 would
// erase the other one, so no mixed value may equal a mask, except by chance.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^maskA, b^maskB)
	return hi ^ lo
}

// emptyObject is the digest of {}.
var emptyObject = mix(tagObject, tagObject)

// digestValue reads the next value of a scanner, and hashes its meaning.
func (t *texts) digestValue(s *jsonscan.Scanner) (jsonscan.Value, uint64) {
	kind := s.Peek()
	if kind != jsonscan.Object && kind != jsonscan.Array {
		v := s.Value()
		return v, t.digestScalar(v)
	}
	start := s.Pos()
	digest := t.digestNested(s, kind)
	return jsonscan.Value{Kind: kind, Raw: s.Since(start)}, digest
}

// digestNested hashes an object or an array. If it is too deep, the scan has failed.
func (t *texts) digestNested(s *jsonscan.Scanner, kind jsonscan.Kind) uint64 {
	if kind == jsonscan.Object {
		if !s.Object() {
			return 0
		}
		sum := uint64(tagObject)
		for s.Next() {
			key := xxhash.Sum64(s.Key())
			_, digest := t.digestValue(s)
			sum += mix(key, digest) // a sum ignores order
		}
		return mix(sum, tagObject)
	}
	if !s.Array() {
		return 0
	}
	sum := uint64(tagArray)
	for s.More() {
		_, digest := t.digestValue(s)
		sum = mix(sum, digest)
	}
	return mix(sum, tagArray)
}

func (t *texts) digestScalar(v jsonscan.Value) uint64 {
	switch {
	case v.Kind != jsonscan.String:
		return xxhash.Sum64(v.Raw) ^ tagOther
	case v.Escaped:
		return xxhash.Sum64(t.arena.Unescape(v.Inside())) ^ tagString
	}
	return xxhash.Sum64(v.Inside()) ^ tagString
}

// digestRaw hashes a value that was scanned before.
func (t *texts) digestRaw(raw []byte) uint64 {
	if len(raw) == 0 {
		return tagNone
	}
	switch raw[0] {
	case '{', '[':
		t.side.Reset(raw, &t.arena)
		_, digest := t.digestValue(&t.side)
		return digest
	case '"':
		return t.digestScalar(jsonscan.Value{Kind: jsonscan.String, Escaped: bytes.IndexByte(raw, '\\') >= 0, Raw: raw})
	default:
		return xxhash.Sum64(raw) ^ tagOther
	}
}

// fingerprinter computes the key of an event in the memory of duplicates.
type fingerprinter struct {
	*picker
	formerUntil int64 // Options.FormerUntil
}

// fingerprint returns that of the current event. REQUIRES: type, name, identifiers and traits of ev are set
func (p *fingerprinter) fingerprint(ev *graph.Event) uint64 {
	f := &p.fields
	sum := mix(uint64(ev.Type), xxhash.Sum64(ev.Name))
	ids := uint64(tagObject) // their keys, and thus their order, depend on the deployment's secret
	for i := range ev.Identifiers {
		id := &ev.Identifiers[i]
		digest := mix(xxhash.Sum64String(id.Namespace), xxhash.Sum64(id.Value))
		if i < len(ev.Alias) { // the roles: the user id, which is the route, and how the others relate to it
			digest = mix(digest, uint64(ev.Alias[i])<<1|uint64(min(i, 1)))
		}
		ids += digest
	}
	sum = mix(sum, ids)
	sum = mix(sum, p.digestTime(f.timestamp))
	sum = mix(sum, p.digestTime(f.originalTimestamp))
	if f.properties.Kind == jsonscan.Object {
		sum = mix(sum, f.propertiesDigest)
	} else { // absent, PHP's form of absent, or dropped
		sum = mix(sum, emptyObject)
	}
	traits := uint64(tagObject)
	for _, digest := range p.own.digests {
		traits += digest
	}
	if ev.Type == graph.TypeIdentify { // the context of other events repeats what their client remembers
		traits += p.digestTraits(ev.Traits[len(p.own.digests):])
	}
	sum = mix(sum, traits)
	if !absent(f.groupID) {
		sum = mix(sum, p.digestRaw(f.groupID.Raw))
	}
	if ev.Type == graph.TypeGroup && !absent(f.groupType) {
		sum = mix(sum, p.digestRaw(f.groupType.Raw))
	}
	return sum
}

// digestTime hashes a time as it was sent.
func (t *texts) digestTime(v jsonscan.Value) uint64 {
	if absent(v) {
		return tagNone
	}
	return xxhash.Sum64(t.text(v))
}

func (t *texts) digestTraits(traits []graph.Trait) (sum uint64) {
	for i := range traits {
		sum += mix(xxhash.Sum64(traits[i].Name), t.digestRaw(traits[i].Value))
	}
	return sum
}

// former returns the entry of an event in the memory of duplicates of a directory from before fingerprints: source and
// id.
func (p *fingerprinter) former(source, id []byte, received int64) uint64 {
	if received >= p.formerUntil {
		return 0
	}
	return p.registry.FormerSeenHash(source, id)
}

// key sets the event's key in the memory of duplicates, and its tie. The ids of a source that numbers independently
// differ from equal ids of other sources.
func (p *fingerprinter) key(ev *graph.Event) {
	print := p.fingerprint(ev)
	var apart []byte
	if ev.Apart {
		apart = ev.Source
	}
	ev.Seen = p.registry.SeenHash(apart, ev.ID, print)
	ev.Stamp.Tie = identifier.Tie(ev.ID, print)
	ev.Former = p.former(ev.Source, ev.ID, ev.Received)
}
