package segment

import (
	"bytes"
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// alias reads an alias's previousId. Clients send either the cookie or a former user id, without saying which. So it
// is read as both, and later evidence about either decides who is who (graph/reading.go). The event belongs to
// userId, regardless of the rank of previousId: userId comes first and determines the route.
//
// Without a userId there is no one to join previousId with. It is then dropped, unless the event has no other
// identifier: then previousId becomes the event's identifier, in the namespace that its form suggests. A previousId
// equal to the userId adds nothing.
//
// REQUIRES: the event carries a previousId; named reports whether user is its userId
//
//	userId   previousId                          identifiers of the event
//	absent   with another identifier             the others; previousId is dropped
//	absent   alone                               previousId, by its form, as a cookie if the form says nothing
//	present  equal to userId                     userId and the others
//	present  valid in one or both namespaces     userId first, the others, one or two readings
//	present  valid in neither                    userId first, the others; previousId is reported
func (r *identifierReader) alias(ev *graph.Event, user graph.NodeKey, named bool) {
	previous := r.fields.previousID
	likely := r.formOf(r.idText(previous))
	if !named {
		if len(ev.Identifiers) == 0 {
			if likely == nil {
				likely = r.namespaces.anonymousID
			}
			r.add(ev, previousID, likely, previous)
		}
		return
	}
	first := slices.IndexFunc(ev.Identifiers, func(id graph.Identifier) bool { return id.Key == user })
	id := ev.Identifiers[first]
	copy(ev.Identifiers[1:first+1], ev.Identifiers[:first])
	ev.Identifiers[0] = id

	asUser, isUser := r.reading(r.namespaces.userID)
	if isUser && asUser.Key == user {
		return
	}
	asCookie, isCookie := r.reading(r.namespaces.anonymousID)
	if !isUser && !isCookie { // reported and counted once
		r.aside.Identifiers = r.aside.Identifiers[:0]
		r.add(&r.aside, previousID, r.namespaces.userID, previous)
		return
	}
	for range ev.Identifiers {
		ev.Alias = append(ev.Alias, graph.AliasCarried)
	}
	if isUser {
		addReading(ev, asUser, likely == r.namespaces.userID)
	}
	if isCookie {
		addReading(ev, asCookie, likely == r.namespaces.anonymousID)
	}
}

const previousID = "previousId"

// reading returns the identifier that previousId names in a namespace.
func (r *identifierReader) reading(ns *identifier.Namespace) (id graph.Identifier, ok bool) {
	v := r.fields.previousID
	if v.Kind != jsonscan.String && v.Kind != jsonscan.Number || len(v.Raw) > 8*identifier.MaxBytes {
		return id, false
	}
	text := r.idText(v) // may be in the arena, so read it before reserving room there
	if hasReplacement(text) {
		return id, false
	}
	grown, err := r.normaliser.Identify(&id, ns, text, r.arena.Reserve(identifier.MaxBytes))
	if err != nil {
		return id, false
	}
	r.arena.Keep(grown)
	return id, true
}

// addReading adds a reading of the previousId to an alias, which may also carry it in another field.
func addReading(ev *graph.Event, id graph.Identifier, likely bool) {
	role := graph.AliasPrevious
	if likely {
		role |= graph.AliasLikely
	}
	at := 1
	for at < len(ev.Identifiers) && ev.Identifiers[at].Key.Outranks(id.Key) {
		at++
	}
	if at < len(ev.Identifiers) && ev.Identifiers[at].Key == id.Key {
		ev.Alias[at] |= role
		return
	}
	ev.Identifiers = slices.Insert(ev.Identifiers, at, id)
	ev.Alias = slices.Insert(ev.Alias, at, role)
}

// formOf returns the namespace that the form of a previousId suggests: libraries create cookies that are UUIDs, while
// user ids are addresses or the short numbers of a database. It returns nil for any other form, which may be either.
func (r *identifierReader) formOf(previous []byte) *identifier.Namespace {
	previous = bytes.TrimSpace(previous)
	switch {
	case identifier.IsUUID(previous):
		return r.namespaces.anonymousID
	case bytes.Count(previous, []byte("@")) == 1, len(previous) <= userDigitsMax && isDigits(previous):
		return r.namespaces.userID
	}
	return nil
}

// userDigitsMax is the longest number that counts as a database id: cookie ids in digits are longer.
const userDigitsMax = 9

func isDigits(text []byte) bool {
	return len(text) > 0 && !slices.ContainsFunc(text, func(c byte) bool { return c < '0' || c > '9' })
}
