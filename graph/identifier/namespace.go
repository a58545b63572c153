package identifier

import (
	"fmt"
	"strings"

	"github.com/kindred-id/kindred/graph"
)

// nameBytesMax bounds the name of a namespace.
const nameBytesMax = 64

// Namespace is a registered namespace. It never changes; compare it by its pointer.
type Namespace struct {
	graph.Namespace
	kind    kind
	prefix  string              // what goes under the hash before a value
	blocked map[string]struct{} // configured values, in lower case; nil without any
	hashed  *Namespace          // where the SHA-256 of its values stand; nil when nowhere
	hashes  bool                // its values are the SHA-256 of another one's
	allowed map[string]struct{} // likewise, values that the built-in words do not block
}

// kind is a normaliser, as a number to switch on.
type kind uint8

const (
	kindTrim kind = iota
	kindLower
	kindEmail
	kindPhone
	kindUUID
)

var kinds = map[graph.Normaliser]kind{
	graph.NormaliseTrim:  kindTrim,
	graph.NormaliseLower: kindLower,
	graph.NormaliseEmail: kindEmail,
	graph.NormalisePhone: kindPhone,
	graph.NormaliseUUID:  kindUUID,
}

func newNamespace(n graph.Namespace) (*Namespace, error) {
	if !validName(n.Name) {
		return nil, fmt.Errorf("namespace %q: want 1 to %d of the characters a-z, 0-9 and _ in its name", n.Name, nameBytesMax)
	}
	if n.Class < graph.ClassCookie || n.Class > graph.ClassCustomer {
		return nil, fmt.Errorf("namespace %q: %s: want customer, contact, device or cookie", n.Name, n.Class)
	}
	k, ok := kinds[n.Normaliser]
	if !ok {
		return nil, fmt.Errorf("namespace %q: unknown normaliser %q: want trim, lower, email, phone or uuid", n.Name, n.Normaliser)
	}
	return &Namespace{Namespace: n, kind: k, prefix: n.Name + "\x00"}, nil
}

func validName(name string) bool {
	return name != "" && len(name) <= nameBytesMax && !strings.ContainsFunc(name, notNameRune)
}

func notNameRune(r rune) bool {
	return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
}
