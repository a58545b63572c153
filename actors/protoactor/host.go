package protoactor

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
)

// host runs identity actors as children of the shard actor whose context it holds. Only that shard calls it, from its own
// goroutine: what it asks of an actor is in one place that is used again, so that asking costs no memory.
type host struct {
	parent   actor.Context
	rules    *graph.Rules
	props    *actor.Props // of all identity actors: they make what starting is
	starting *identity    // while it is spawned
	handling handling     // one at a time: reused
	showing  showing
}

func newHost(parent actor.Context, rules *graph.Rules) *host {
	h := &host{parent: parent, rules: rules}
	h.props = actor.PropsFromProducer(
		func() actor.Actor { return h.starting },
		actor.WithMailbox(func() actor.Mailbox { return &h.starting.mailbox }),
	)
	return h
}

// Start implements shard.Host.
func (h *host) Start(n *graph.Node) shard.Handle {
	a := &identity{rules: h.rules}
	h.starting = a
	pid, err := h.parent.SpawnNamed(h.props, n.Key.String())
	h.starting = nil
	if err != nil {
		// Names are node keys and a node has one actor: a second one is a defect, set aside as poison.
		panic(err)
	}
	a.pid = pid
	return a
}

// Handle implements shard.Host.
func (h *host) Handle(handle shard.Handle, n *graph.Node, m *graph.Message, out *graph.Outbox) error {
	h.handling = handling{node: n, message: m, out: out}
	handle.(*identity).mailbox.PostUserMessage(&h.handling)
	err := h.handling.err
	h.handling = handling{}
	return err
}

// Show implements shard.Host.
func (h *host) Show(handle shard.Handle, c *graph.Component, fn func(*graph.Component)) {
	h.showing = showing{component: c, fn: fn}
	handle.(*identity).mailbox.PostUserMessage(&h.showing)
	h.showing = showing{}
}

// Stop implements shard.Host.
func (h *host) Stop(handle shard.Handle) { h.parent.Stop(handle.(*identity).pid) }

// identity is the actor of one resident component: a real actor with its own PID, a child of its
// shard's actor. Its mailbox is driven: messages of the shard are invoked at once, on the shard's
// goroutine, so that a whole shard can commit as a group (docs/decisions/0003).
type identity struct {
	rules   *graph.Rules
	pid     *actor.PID
	mailbox drivenMailbox
}

// handling is what a shard asks of an identity actor: let the node take a message.
type handling struct {
	node    *graph.Node
	message *graph.Message
	out     *graph.Outbox
	err     error
}

// showing is what a shard asks of an identity actor: show the component.
type showing struct {
	component *graph.Component
	fn        func(*graph.Component)
}

// Receive implements actor.Actor.
func (a *identity) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *handling:
		m.err = m.node.Handle(m.message, a.rules, m.out)
	case *showing:
		m.fn(m.component)
	}
}

// drivenMailbox is a mailbox without a queue: posting a message runs the actor, on the goroutine of the caller. Only the
// shard posts to it.
type drivenMailbox struct{ invoker actor.MessageInvoker }

// RegisterHandlers implements actor.Mailbox.
func (m *drivenMailbox) RegisterHandlers(invoker actor.MessageInvoker, _ actor.Dispatcher) {
	m.invoker = invoker
}

// PostUserMessage implements actor.Mailbox.
func (m *drivenMailbox) PostUserMessage(message any) { m.invoker.InvokeUserMessage(message) }

// PostSystemMessage implements actor.Mailbox.
func (m *drivenMailbox) PostSystemMessage(message any) { m.invoker.InvokeSystemMessage(message) }

// Start implements actor.Mailbox.
func (m *drivenMailbox) Start() {}

// UserMessageCount implements actor.Mailbox.
func (m *drivenMailbox) UserMessageCount() int { return 0 }
