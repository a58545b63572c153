package segment

import (
	"bytes"
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// alias reads an alias's previousId. Clients send either the cookie or a former user id, and do not say which: it
// is read as both, and who is who is decided by what else is seen of the one and of the other (graph/reading.go).
// The event is userId's, whatever the rank of previousId: userId goes first, and all else goes with it.
//
// Without a userId there is nobody to join. Then previousId is left out, but where nothing else says whose the event
// is: then it is the event's identifier, by its form. A previousId that is the userId says nothing.
//
// REQUIRES: the event carries a previousId; named says whether user is its userId
func (d *Decoder) alias(ev *graph.Event, user graph.NodeKey, named bool) {
	previous := d.fields.previousID
	likely := d.formOf(d.idText(previous))
	if !named {
		if len(ev.Identifiers) == 0 {
			if likely == nil {
				likely = d.namespaces.anonymousID
			}
			d.add(ev, previousID, likely, previous)
		}
		return
	}
	first := slices.IndexFunc(ev.Identifiers, func(id graph.Identifier) bool { return id.Key == user })
	id := ev.Identifiers[first]
	copy(ev.Identifiers[1:first+1], ev.Identifiers[:first])
	ev.Identifiers[0] = id

	asUser, isUser := d.reading(d.namespaces.userID)
	if isUser && asUser.Key == user {
		return
	}
	asCookie, isCookie := d.reading(d.namespaces.anonymousID)
	if !isUser && !isCookie { // which is told and counted once
		d.aside.Identifiers = d.aside.Identifiers[:0]
		d.add(&d.aside, previousID, d.namespaces.userID, previous)
		return
	}
	for range ev.Identifiers {
		ev.Alias = append(ev.Alias, graph.AliasCarried)
	}
	if isUser {
		addReading(ev, asUser, likely == d.namespaces.userID)
	}
	if isCookie {
		addReading(ev, asCookie, likely == d.namespaces.anonymousID)
	}
}

const previousID = "previousId"

// reading is what previousId names if it is of a namespace.
func (d *Decoder) reading(ns *identifier.Namespace) (id graph.Identifier, ok bool) {
	v := d.fields.previousID
	if v.Kind != jsonscan.String && v.Kind != jsonscan.Number || len(v.Raw) > 8*identifier.MaxBytes {
		return id, false
	}
	text := d.idText(v) // may lie in the arena, so it comes before the room is reserved
	if hasReplacement(text) {
		return id, false
	}
	grown, err := d.normaliser.Identify(&id, ns, text, d.arena.Reserve(identifier.MaxBytes))
	if err != nil {
		return id, false
	}
	d.arena.Keep(grown)
	return id, true
}

// addReading gives an alias a reading of its previousId, which it may carry otherwise, too.
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

// formOf is the namespace that the form of a previousId speaks for: libraries make cookies that are UUIDs, and
// user ids are addresses, or the short numbers of a database. It is nil for anything else, which may be either.
func (d *Decoder) formOf(previous []byte) *identifier.Namespace {
	previous = bytes.TrimSpace(previous)
	switch {
	case identifier.IsUUID(previous):
		return d.namespaces.anonymousID
	case bytes.Count(previous, []byte("@")) == 1, len(previous) <= userDigitsMax && isDigits(previous):
		return d.namespaces.userID
	}
	return nil
}

// userDigitsMax is the most digits of a number that counts rows: ids of cookies in digits are longer.
const userDigitsMax = 9

func isDigits(text []byte) bool {
	return len(text) > 0 && !slices.ContainsFunc(text, func(c byte) bool { return c < '0' || c > '9' })
}
