package graph

import (
	"errors"
	"math"
)

// ErrCorrupt is returned when a message arrives that no correct history can bring: a forward of
// lower rank, evidence for a node that never was. The shard stops: going on would spread it.
var ErrCorrupt = errors.New("graph: impossible message")

// Node is a node's own record. It is a root when Component is set, a forward when Parent is, and
// was never seen when neither is.
type Node struct {
	Key       NodeKey
	Parent    NodeKey
	Component *Component
	// Mention is the one event that mentioned a node which was never seen; nil without any.
	Mention *Event
	// Counted is how many of the component's identities are in its shard's count. It is kept with the
	// node, so that the count comes right when other rules divide the component differently.
	Counted int
	// Told is what was told of the audiences of the component's identities. It is kept with the node, too; nil where it was not
	// read yet.
	Told *Told
}

// Handle lets the node take one message. Its consequences, messages to other nodes and
// changes, is added to out. It touches no other node; with the same record, message and rules it
// always does the same, which is what recovery by replay rests on.
//
// After ErrCorrupt the node must not be used any more.
func (n *Node) Handle(m *Message, rules *Rules, out *Outbox) error {
	switch {
	case n.Component != nil:
		return n.handleRoot(m, rules, out)
	case !n.Parent.IsZero():
		return n.handleForward(m, out)
	default:
		return n.handleUnseen(m, rules, out)
	}
}

func (n *Node) handleUnseen(m *Message, rules *Rules, out *Outbox) error {
	if m.Kind == KindRecheck || m.Kind == KindMention && n.hold(m.Event) {
		return nil
	}
	held := n.Mention
	n.Mention = nil
	if err := n.begin(m, rules, out); err != nil || held == nil {
		return err
	}
	return n.Handle(&Message{Kind: KindMention, To: n.Key, Event: held}, rules, out)
}

// begin makes a node that was never seen a root or a forward.
func (n *Node) begin(m *Message, rules *Rules, out *Outbox) error {
	switch m.Kind {
	case KindObserve, KindAssert, KindNeighbour:
		n.Component = newComponent(n.Key)
		return n.handleRoot(m, rules, out)
	case KindMention:
		id := &m.Event.Identifiers[1]
		n.Component = newComponent(n.Key)
		n.Component.member(NodeName{n.Key, id.Namespace, string(id.Value)}, true)
		return n.handleRoot(m, rules, out)
	case KindJoin:
		if m.Node.Namespace != "" || !m.Root.Outranks(n.Key) { // that of an alias whose previousId is of higher rank: answer
			n.Component = newComponent(n.Key)
			n.Component.member(NodeName{Key: n.Key}, true) // the name is there, or what asks back brings it
			return n.handleRoot(m, rules, out)
		}
		return n.forwardTo(m.Root)
	default:
		return ErrCorrupt
	}
}

func (n *Node) handleForward(m *Message, out *Outbox) error {
	switch m.Kind {
	case KindObserve:
		up := *m
		if up.Via.IsZero() {
			up.Via = n.Key
		}
		if up.Hops < math.MaxUint8 {
			up.Hops++
		}
		up.To = n.Parent
		out.send(up)
	case KindJoin:
		if n.Parent != m.Root {
			n.pass(m, out)
		}
	case KindRepoint:
		// Roots only ever move up, so of two ancestors the higher is nearer to the root.
		if m.Root.Outranks(n.Parent) {
			return n.forwardTo(m.Root)
		}
	case KindMention:
		out.send(m.Event.counts())
	case KindRecheck: // the evidence that it was meant for has moved, and another follows that
	case KindGroup:
		return ErrCorrupt
	default:
		n.pass(m, out)
	}
	return nil
}

func (n *Node) pass(m *Message, out *Outbox) {
	up := *m
	up.To = n.Parent
	out.send(up)
}

// forwardTo makes the node a forward; H1 is checked here and nowhere else.
func (n *Node) forwardTo(root NodeKey) error {
	if !root.Outranks(n.Key) {
		return ErrCorrupt
	}
	n.Parent = root
	return nil
}

func (n *Node) handleRoot(m *Message, rules *Rules, out *Outbox) error {
	h := handler{n.Component, rules, out}
	switch m.Kind {
	case KindObserve:
		observation{h, m.Event}.observe()
		if m.Hops > 1 { // shorten the chain for events to come
			out.send(Message{Kind: KindRepoint, To: m.Via, Root: n.Key, Passed: m.Passed})
		}
	case KindAssert:
		h.assert(m.Assertion)
	case KindJoin:
		return n.join(m, h)
	case KindAbsorb:
		h.absorb(m.Evidence)
	case KindRefuse:
		h.refused(m)
	case KindNeighbour:
		h.neighbour(m.Node, m.Neighbour)
	case KindRecheck:
		h.recheck()
	case KindMention:
		out.send(m.Event.counts())
	case KindCounts:
		observation{h, m.Event}.counts()
	case KindPatch:
		return h.patch(m.Patch)
	case KindRepoint, KindGroup: // a group is no node
		return ErrCorrupt
	}
	return nil
}

func (n *Node) join(m *Message, h handler) error {
	if m.Root == n.Key {
		return nil
	}
	if m.Node.Namespace != "" {
		if via := h.find(m.Via); via != nil {
			h.name(via, m.Node)
		}
	}
	if !m.Via.IsZero() && !m.Force {
		if via := h.find(m.Via); via != nil && h.stillGeneric(via) {
			h.out.send(Message{Kind: KindRefuse, To: m.Root, Via: m.Via, Root: n.Key, Reason: RefusedGeneric})
			return nil
		}
		if h.Full(h.rules) {
			h.out.send(Message{Kind: KindRefuse, To: m.Root, Via: m.Via, Root: n.Key, Reason: RefusedFull})
			return nil
		}
	}
	if !m.Root.Outranks(n.Key) {
		h.out.send(Message{Kind: KindJoin, To: m.Root, Root: n.Key, Force: m.Force})
		return nil
	}
	n.Component = nil
	h.leave(m.Root)
	return n.forwardTo(m.Root)
}
