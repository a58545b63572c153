package graph

import "github.com/kindred-id/kindred/graph/score"

// MessageKind is what a message asks of a node.
type MessageKind uint8

// The message kinds.
const (
	KindObserve   MessageKind = 1 + iota // Event; Via is the first forward it passed, Hops how many, Passed when it passed Via
	KindAssert                           // Assertion, to the higher-ranked of the two nodes
	KindJoin                             // come under Root; Via is the node that was asked for, zero in an answer
	KindAbsorb                           // Evidence of a root that became a forward
	KindRepoint                          // Root is where an Observe of yours ended, and Passed is its
	KindRefuse                           // the answer to Join: Via stays where it is, under Root, for Reason
	KindNeighbour                        // a generic value, Neighbour, is linked to you: count it
	KindRecheck                          // the rules have changed: judge again what was judged when it came
	KindMention                          // Event, as told by its route to the node that it mentions
	KindCounts                           // the answer to Mention: what Event mentions counts, link it
	KindPatch                            // Patch: what is remembered of events from before a signal was defined
	KindGroup                            // Event names the group To, which is no node: see Group
)

var kindNames = [...]string{"", "observe", "assert", "join", "absorb", "repoint", "refuse", "neighbour", "recheck", "mention", "counts", "patch", "group"}

func (k MessageKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return ""
}

// Refusal is the reason for which a root does not unite over a node.
type Refusal uint8

// The refusals.
const (
	RefusedGeneric Refusal = 1 + iota // the node is a generic value
	RefusedFull                       // the component is at a cap
)

// Message is addressed to a node. Which fields count depends on Kind.
type Message struct {
	Kind      MessageKind
	Force     bool // Join: asked by an operator's assertion, generic values included
	Reason    Refusal
	Hops      uint8
	Passed    uint64 // a record of Via's shard, which alone reads it; 0 is unknown
	To        NodeKey
	Root      NodeKey
	Via       NodeKey
	Node      NodeName // Neighbour: the name of To; Join: that of Via, where it may be known by a hash alone, or is to answer though never seen
	Neighbour NodeName
	Event     *Event
	Evidence  *Evidence
	Assertion *Assertion
	Patch     *Patch
}

// Outbox collects what handling a message brings about. It is reused.
type Outbox struct {
	Messages []Message
	Generic  []NodeName // values that were found to be generic
	LeftOut  int        // links that a component at a cap did not take

	openings slab[openingRoom] // closed with the step
	evidence slab[Evidence]    // of messages: gone with the step that takes them
	names    score.Names       // of traits and categories
}

// Reset empties the outbox and keeps its memory.
func (o *Outbox) Reset() {
	clear(o.Messages)
	clear(o.Generic)
	o.Messages, o.Generic, o.LeftOut = o.Messages[:0], o.Generic[:0], 0
}

func (o *Outbox) send(m Message) { o.Messages = append(o.Messages, m) }
