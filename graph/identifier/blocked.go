package identifier

import (
	"bytes"
	"fmt"
	"strings"
)

// blocked tells whether a value stands for nobody wherever it is sent: what programs print in place
// of a value that they don't have, and addresses that nobody reads.
// REQUIRES: value is not empty; seen are its marks, or those of the value that it was made of.
func blocked(value []byte, seen marks) bool {
	switch lowerByte(value[0]) {
	case '0', '-':
		if isZeros(value) {
			return true
		}
	case 'n':
		if at := bytes.IndexByte(value, '@'); at > 0 && (equalFold(value[:at], "noreply") || equalFold(value[:at], "no-reply")) {
			return true
		}
	}
	return isBlockedWord(value) || seen&markTemplate != 0 && isTemplate(value)
}

// isZeros tells whether a value is nothing but zeros and dashes: 0, 000-00-0000, ---, the zero UUID.
func isZeros(value []byte) bool {
	for _, b := range value {
		if b != '0' && b != '-' {
			return false
		}
	}
	return true
}

// blockedWordBytesMax is the length of the longest word of isBlockedWord.
const blockedWordBytesMax = len("[object object]")

func isBlockedWord(value []byte) bool {
	if len(value) > blockedWordBytesMax {
		return false
	}
	var lower [blockedWordBytesMax]byte
	for i, b := range value {
		lower[i] = lowerByte(b)
	}
	switch string(lower[:len(value)]) {
	case "null", "undefined", "nan", "none", "-1", "true", "false", "anonymous", "guest", "unknown",
		"n/a", "test", "[object object]", "test@test.com":
		return true
	}
	return false
}

// templates are how the common languages mark a place that was to be filled in.
var templates = [...]struct{ open, end []byte }{
	{[]byte("%%"), []byte("%%")},
	{[]byte("{{"), []byte("}}")},
	{[]byte("${"), []byte("}")},
	{[]byte("<%"), []byte("%>")},
}

// isTemplate tells whether a value holds a place that was to be filled in and was not.
func isTemplate(value []byte) bool {
	for _, t := range templates {
		if _, rest, ok := bytes.Cut(value, t.open); ok && bytes.Contains(rest, t.end) {
			return true
		}
	}
	return false
}

// block adds a configured value, "value" or "namespace:value": as it is and, since people write down
// what they saw, as it is normalised. Not so for phone numbers that don't say that they are: "room 12"
// must not block the number 12.
func (r *Registry) block(text string) error {
	ns, value := r.scope(text)
	bare := trim([]byte(value))
	if len(bare) == 0 {
		return fmt.Errorf("blocked value %q: empty; empty values are always blocked, leave it out", text)
	}
	if ns != nil {
		r.blockIn(ns, bare, true)
		return nil
	}
	for _, ns := range r.namespaces {
		r.blockIn(ns, bare, ns.kind != kindPhone)
	}
	return nil
}

// scope splits "namespace:value". A text that does not begin with a namespace is a value as a whole.
func (r *Registry) scope(text string) (*Namespace, string) {
	if name, value, ok := strings.Cut(text, ":"); ok && r.namespaces[name] != nil {
		return r.namespaces[name], value
	}
	return nil, text
}

func (r *Registry) blockIn(ns *Namespace, value []byte, normalise bool) {
	if ns.blocked == nil {
		ns.blocked = make(map[string]struct{})
	}
	ns.blocked[string(appendLower(nil, value))] = struct{}{}
	seen, err := scan(value)
	if err != nil || !normalise {
		return
	}
	if normal, err := r.NewNormaliser().normalise(ns.kind, value, seen); err == nil {
		ns.blocked[string(appendLower(nil, normal))] = struct{}{}
	}
}

// blockedByConfig tells whether a value was blocked by name.
func (n *Normaliser) blockedByConfig(ns *Namespace, value []byte) bool {
	if ns.blocked == nil {
		return false
	}
	n.fold = appendLower(n.fold[:0], value)
	_, ok := ns.blocked[string(n.fold)]
	return ok
}

// blockedByPattern tells whether a normalised value matches a configured expression.
func (r *Registry) blockedByPattern(value []byte) bool {
	for _, p := range r.patterns {
		if p.Match(value) {
			return true
		}
	}
	return false
}
