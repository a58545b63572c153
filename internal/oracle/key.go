package oracle

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/kindred-id/kindred/graph"
)

// secret keys the hashes of cases and worlds. It is fixed, so that ranks, and with them ties, are
// the same in every run.
const secret = "kindred oracle"

// classes are those of the default namespaces, and of one that a company made for itself.
var classes = func() map[string]graph.Class {
	m := map[string]graph.Class{"loyalty_card": graph.ClassCustomer}
	for _, n := range graph.DefaultNamespaces() {
		m[n.Name] = n.Class
	}
	return m
}()

// hashOf says of which namespace's values another one holds the SHA-256, in hexadecimal.
var hashOf = map[string]string{"email_sha256": "email", "phone_sha256": "phone"}

// hashed is the SHA-256 of a value as systems send it.
func hashed(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

// Key is the key of a node in cases and worlds. A value and its hash are one node.
// REQUIRES: namespace is one of graph.DefaultNamespaces, or loyalty_card.
func Key(namespace, value string) graph.NodeKey {
	class, ok := classes[namespace]
	if !ok {
		panic("oracle: no namespace " + namespace)
	}
	for of, plain := range hashOf {
		if namespace == plain {
			namespace, value = of, hashed(value)
			break
		}
	}
	hi, lo := hash("node", namespace, value)
	return graph.MakeNodeKey(class, hi, lo)
}

// Name is a node of a case or world with its key.
func Name(namespace, value string) graph.NodeName {
	return graph.NodeName{Key: Key(namespace, value), Namespace: namespace, Value: value}
}

// hash is 128 bits of a keyed hash of the parts.
func hash(parts ...string) (hi, lo uint64) {
	text := secret
	for _, p := range parts {
		text += "\x00" + p
	}
	sum := sha256.Sum256([]byte(text))
	return binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])
}

// message is the hash by which an event is known (Event.Seen), and the one that settles equal
// stamps (Stamp.Tie).
func message(source, id string) (seen, tie uint64) { return hash("message", source, id) }
