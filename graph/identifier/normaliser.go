package identifier

import (
	"bytes"

	"github.com/kindred-id/kindred/graph"
)

// MaxBytes bounds a value, without the white space around it, before and after normalising.
const MaxBytes = 512

// Normaliser makes identifiers of raw values for one goroutine at a time. It holds scratch memory of
// a few kB, and remembers up to 2 x 4,096 phone numbers that the table does not know, which are slow to read.
type Normaliser struct {
	registry *Registry
	phones   phoneCache
	text     []byte // what goes under the hash
	out      []byte // a normalised value that differs from the raw one
	fold     []byte // a value in lower case, to compare with blocked ones
}

// NewNormaliser makes a normaliser.
func (r *Registry) NewNormaliser() *Normaliser { return &Normaliser{registry: r} }

// Identify makes an identifier of a raw value and appends to arena what it needs to hold: nothing,
// when the value is already normalised. It returns the arena, grown or not.
//
// dst.Value aliases raw when nothing but white space around it was changed, the arena otherwise.
// dst.Raw is the value as sent, less the white space around it, aliasing raw; nil when equal to
// Value. Identifiers that were made earlier stay valid when the arena grows: they keep its old
// memory.
//
// On ErrBlocked, ErrInvalid or a *TooLongError it leaves dst and arena alone.
func (n *Normaliser) Identify(dst *graph.Identifier, ns *Namespace, raw, arena []byte) ([]byte, error) {
	value := trim(raw)
	if len(value) == 0 {
		return arena, ErrEmpty
	}
	if len(value) > MaxBytes {
		return arena, &TooLongError{Namespace: ns.Name, Bytes: len(value)}
	}
	seen, err := scan(value)
	if err != nil {
		return arena, err
	}
	if ns.hashed != nil && isSHA256(value) {
		ns = ns.hashed // a hash where the value belongs
	}
	// The value as sent is looked at too, so that "null" is blocked rather than a bad phone number.
	if w := n.blockedBy(ns, value, seen); w != nil {
		return arena, w.err
	}
	normal, err := n.normalise(ns.kind, value, seen)
	if err != nil {
		return arena, err
	}
	changed := !bytes.Equal(normal, value)
	if changed {
		if len(normal) > MaxBytes {
			return arena, &TooLongError{Namespace: ns.Name, Bytes: len(normal)}
		}
		if w := n.blockedBy(ns, normal, marksOf(normal)); w != nil {
			return arena, w.err
		}
	}
	if n.registry.blockedByPattern(normal) {
		return arena, ruleConfigured.err
	}

	if ns.hashes {
		if w := hashedWord(normal); w != nil {
			return arena, w.err
		}
	}
	n.keyText(ns, normal)
	*dst = graph.Identifier{
		Key:       n.registry.nodeKey(ns.Class, n.text),
		Namespace: ns.Name,
		Value:     value[:len(value):len(value)],
	}
	if changed {
		start := len(arena)
		arena = append(arena, normal...)
		dst.Value = arena[start:len(arena):len(arena)]
		dst.Raw = value[:len(value):len(value)]
	}
	return arena, nil
}

// keyText sets text to the bytes whose hash is the key of a value: its namespace and the value. Where the namespace
// has another one for SHA-256s, they are those of the value's SHA-256, so that a value and its hash are one node.
func (n *Normaliser) keyText(ns *Namespace, normal []byte) {
	if ns.hashed == nil || n.registry.plainKeys {
		n.text = append(append(n.text[:0], ns.prefix...), normal...)
		return
	}
	n.text = appendSHA256(append(n.text[:0], ns.hashed.prefix...), normal)
}

// Same reports whether text, as a value of the namespace, normalises to normal.
func (n *Normaliser) Same(ns *Namespace, text, normal []byte) bool {
	value := trim(text)
	if bytes.Equal(value, normal) {
		return true
	}
	if len(value) < len(normal) || ns.kind == kindTrim {
		return false
	}
	seen, err := scan(value)
	if err != nil {
		return false
	}
	same, err := n.normalise(ns.kind, value, seen)
	return err == nil && bytes.Equal(same, normal)
}

// normalise gives value itself, or memory of the normaliser that is valid until it is called again.
// REQUIRES: value is trimmed and scanned.
func (n *Normaliser) normalise(k kind, value []byte, seen marks) ([]byte, error) {
	switch k {
	case kindLower:
		return n.lower(value, seen), nil
	case kindEmail:
		return n.email(value, seen)
	case kindPhone:
		return n.phone(value)
	case kindUUID:
		return n.uuid(value, seen), nil
	default:
		return value, nil
	}
}

// lower gives a value in lower case.
func (n *Normaliser) lower(value []byte, seen marks) []byte {
	if seen&(markUpper|markWide) == 0 {
		return value
	}
	n.out = appendLower(n.out[:0], value)
	return n.out
}
