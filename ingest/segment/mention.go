package segment

import (
	"slices"

	"github.com/kindred-id/kindred/graph"
)

// mention makes the event's anonymousId a mention, if it stands beside a userId and its library is one for servers: such
// libraries put a random one into each event, unless their caller gives one. What becomes of it is in graph/mention.go. An
// alias says of its identifiers what they are, and what context.externalIds names is carried.
//
// It comes after the fingerprint, so that an event which an earlier version took is still known.
//
// REQUIRES: the event's identifiers are complete
func (r *identifierReader) mention(ev *graph.Event, clock *eventClock) {
	ev.Mentions = ev.Mentions[:0]
	if r.cookie.IsZero() || ev.Type == graph.TypeAlias || clock.clockOf() != clockServer {
		return
	}
	for i := range r.found {
		if r.found[i].namespace == r.namespaces.anonymousID {
			return
		}
	}
	at := slices.IndexFunc(ev.Identifiers, func(id graph.Identifier) bool { return id.Key == r.cookie })
	ev.Mentions = append(ev.Mentions, ev.Identifiers[at])
	ev.Identifiers = slices.Delete(ev.Identifiers, at, at+1)
}
