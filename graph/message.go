package graph

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
)

var kindNames = [...]string{"", "observe", "assert", "join", "absorb", "repoint", "refuse", "neighbour", "recheck"}

func (k MessageKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return ""
}

// Refusal is why a root won't unite over a node.
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
}

// ChangeKind is what became of identities.
type ChangeKind uint8

// The change kinds.
const (
	ChangeMerged  ChangeKind = 1 + iota // identities that had events became one
	ChangeSplit                         // an identity became several
	ChangeGeneric                       // Cause was found to be a generic value
	ChangeFull                          // a component at a cap left something out that a link names
)

var changeNames = [...]string{"", "merged", "split", "generic", "full"}

func (k ChangeKind) String() string {
	if int(k) < len(changeNames) {
		return changeNames[k]
	}
	return ""
}

// Change tells of identities that changed. It is derived, not state.
type Change struct {
	Kind ChangeKind
	Into Summary   // merged: the identity that remains. Split: what it was before. Else: the component
	From []Summary // merged: what it was before. Split: the identities that remain
	// What decided a merge: a link, with the event that made or last strengthened it, or an assertion.
	By        [2]NodeName
	Verb      Verb
	Mark      Mark
	Assertion string   // its id
	Cause     NodeName // generic: the value
}

// Summary names an identity and what it had.
type Summary struct {
	ID     NodeKey
	Name   NodeName // its highest-ranked identifier
	Events uint64
	Nodes  []NodeKey // its identifiers that have events of their own
}

// Outbox collects what handling a message brings about. It is reused.
type Outbox struct {
	Messages []Message
	Changes  []Change
}

// Reset empties the outbox and keeps its memory.
func (o *Outbox) Reset() {
	clear(o.Messages)
	clear(o.Changes)
	o.Messages, o.Changes = o.Messages[:0], o.Changes[:0]
}

func (o *Outbox) send(m Message) { o.Messages = append(o.Messages, m) }
