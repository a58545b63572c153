package shard

import "github.com/kindred-id/kindred/graph"

// A Host runs the identity actors of one shard: one for each resident root, started before its first message and stopped
// when it is passivated or becomes a forward. The shard makes all calls, one at a time, and expects each to return only
// when the actor has done its work: a shard commits what all of its identities say as one group.
type Host interface {
	// Start makes the actor of a root. The shard passes the handle back and never looks at it; it is not nil.
	Start(n *graph.Node) Handle
	// Handle lets the actor's node take a message.
	Handle(h Handle, n *graph.Node, m *graph.Message, out *graph.Outbox) error
	// Show lets the actor show its component.
	Show(h Handle, c *graph.Component, fn func(*graph.Component))
	// Stop ends the actor.
	Stop(h Handle)
}

// Handle names an actor to its Host. Only the Host knows what it holds.
type Handle any

// Plain is a Host without actors: it lets nodes take messages on the spot. Most schedules of the simulator run on it, and it
// is what actors are measured against.
type Plain struct{ Rules *graph.Rules }

// Start implements Host.
func (Plain) Start(*graph.Node) Handle { return struct{}{} }

// Handle implements Host.
func (p Plain) Handle(_ Handle, n *graph.Node, m *graph.Message, out *graph.Outbox) error {
	return n.Handle(m, p.Rules, out)
}

// Show implements Host.
func (Plain) Show(_ Handle, c *graph.Component, fn func(*graph.Component)) { fn(c) }

// Stop implements Host.
func (Plain) Stop(Handle) {}
