package oracle

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph"
)

// secret keys the hashes of cases and worlds. It is fixed, so that ranks, and with them ties, are
// the same in every run.
const secret = "kindred oracle"

// classes holds the classes of the default namespaces, and of one custom namespace.
var classes = func() map[string]graph.Class {
	m := map[string]graph.Class{"loyalty_card": graph.ClassCustomer}
	for _, n := range graph.DefaultNamespaces() {
		m[n.Name] = n.Class
	}
	return m
}()

// hashOf maps a namespace of SHA-256 hashes, in hexadecimal, to the namespace of the hashed values.
var hashOf = map[string]string{"email_sha256": "email", "phone_sha256": "phone"}

// hashed returns the SHA-256 of a value in the form that systems send.
func hashed(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

// Key returns the key of a node in cases and worlds. A value and its hash are one node.
//
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

// seal sets the hash that identifies an event (Event.Seen), and the one that orders equal stamps (Stamp.Tie).
//
// REQUIRES: its id and its content are complete
func seal(e *graph.Event) { e.Seen, e.Stamp.Tie = hash("message", string(e.ID), content(e)) }

// content writes the content of an event as text. Events with one message id are one event if their content is equal (E1).
func content(e *graph.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %q at %d\n", e.Type, e.Name, e.Stamp.Time)
	var ids []string
	for i, id := range e.Identifiers {
		role := "" // of an alias: which of them is its user id, and what the others are
		if i < len(e.Alias) {
			role = fmt.Sprintf(" role %d, user id %t", e.Alias[i], i == 0)
		}
		ids = append(ids, fmt.Sprintf("identifier %s %q%s\n", id.Namespace, id.Value, role))
	}
	for _, id := range e.Mentions {
		ids = append(ids, fmt.Sprintf("mention %s %q\n", id.Namespace, id.Value))
	}
	slices.Sort(ids)
	b.WriteString(strings.Join(ids, ""))
	for _, t := range e.Traits {
		fmt.Fprintf(&b, "trait %q %q %t\n", t.Name, t.Value, t.Value == nil)
	}
	if g := e.Group; g != nil {
		fmt.Fprintf(&b, "group %q %q %q\n", g.Type, g.ID, g.Traits)
		for _, t := range g.Traits {
			fmt.Fprintf(&b, "deleted %t\n", t.Value == nil)
		}
	}
	fmt.Fprintf(&b, "order %+v\noffer %+v\ninterest %+v\nproperties %q\n", e.Order, e.Offer, e.Interest, e.Properties)
	return b.String()
}

// Conflicting returns the number of events beyond the first of their message id, with a different content.
func Conflicting(events []graph.Event) int {
	ids, all := map[string]bool{}, map[[2]string]bool{}
	for i := range events {
		id := string(events[i].ID)
		ids[id], all[[2]string{id, content(&events[i])}] = true, true
	}
	return len(all) - len(ids)
}
