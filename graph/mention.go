package graph

import (
	"bytes"
	"slices"
)

// A mention is an identifier that an event names but may have made up. Libraries for servers put a random anonymousId
// beside the userId of each event, unless their caller gives one. A node for each would fill a customer's component with
// cookies that no browser has; to drop them all would lose those that callers took from a browser.
//
// So a mention counts once something else speaks for it: another event that mentions the same identifier, or anything that
// makes it a node (an event that carries it, an assertion). Then it is a link like any other, of all events that mentioned it.
//
//	route of the event                     node of the mention
//	──────────────────                     ───────────────────
//	observe: fold, link others
//	   └──── Mention(event) ─────────────► never seen, no mention held:   hold it
//	                                       never seen, another one held:  a root; both count
//	link it ◄──────── Counts(event) ────── root or forward:               it counts
//	         Observe, Join, … ───────────► never seen, one held:          as without; the one held counts
//
// An assertion speaks for it once and for all: withdrawn, it leaves a node that was seen.
//
// The node of the mention judges, as it alone hears of everything that names it. So it does not matter which comes
// first (I1), and an event that is sent again, however late, speaks for nothing: it is the same event.
//
// It would be simpler if the route judged, and did without the messages: but it never hears of a visitor with that cookie.
// It would take one message less if the node made the link: but then an identity could be named after the route while the
// route's own evidence is elsewhere, and the change feed would tell of one name from two places (A9).

// toMentioned returns what the route of the event tells the node of its i-th mention: what a link remembers of an event,
// from the route to the mention. It shares the event's memory.
func (e *Event) toMentioned(i int) *Event {
	return &Event{
		ID: e.ID, Source: e.Source, Seen: e.Seen, Apart: e.Apart, Stamp: e.Stamp, Received: e.Received, Type: e.Type,
		Identifiers: []Identifier{e.Identifiers[0], e.Mentions[i]},
	}
}

// counts tells the route of what toMentioned made that the mention counts.
func (e *Event) counts() Message { return Message{Kind: KindCounts, To: e.Route(), Event: e} }

// hold keeps the event that mentions a node which was never seen. It reports false if another one is held.
func (n *Node) hold(e *Event) bool {
	if n.Mention != nil {
		return n.Mention.Seen == e.Seen
	}
	n.Mention = e.KeepMention()
	return true
}

// KeepMention copies what a node keeps of an event that mentions it. The copy shares no memory with the event.
func (e *Event) KeepMention() *Event {
	kept := Event{
		ID: bytes.Clone(e.ID), Source: bytes.Clone(e.Source), Seen: e.Seen, Apart: e.Apart, Stamp: e.Stamp,
		Received: e.Received, Type: e.Type, Identifiers: slices.Clone(e.Identifiers),
	}
	for i := range kept.Identifiers {
		id := &kept.Identifiers[i]
		id.Value, id.Raw = bytes.Clone(id.Value), bytes.Clone(id.Raw)
	}
	return &kept
}

// counts links the event's route to a mention that counts, as if the event had carried it. The event is folded already.
func (o observation) counts() {
	o.eventMember(&o.event.Identifiers[0])
	o.link()
}
