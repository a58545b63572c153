package protoactor

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"golang.org/x/sync/errgroup"
)

// System is an actor system of one process. All methods belong to the goroutine that opens and closes the engine.
type System struct {
	system *actor.ActorSystem
	pids   []*actor.PID // of what was spawned
}

// An Actor is run by its mailbox, one message at a time.
type Actor interface {
	Receive(message any, self Context)
}

// A Mailbox queues the messages of one actor and runs it, by the invoker, on goroutines of the dispatcher.
type Mailbox interface {
	// Bind is called once, before the first message.
	Bind(invoker Invoker, dispatcher Dispatcher)
	PostSystemMessage(message any)
	PostUserMessage(message any)
	UserMessageCount() int
}

// An Invoker lets an actor receive a message, on the goroutine of the caller.
type Invoker interface {
	InvokeSystemMessage(message any)
	InvokeUserMessage(message any)
}

// A Dispatcher runs functions on goroutines of its own.
type Dispatcher interface {
	Schedule(turn func())
	Throughput() int
}

// Context is that of an actor while it receives a message.
type Context struct{ context actor.Context }

// Host makes the host of a shard's identity actors: they are children of the actor whose context this is.
func (c Context) Host(rules *graph.Rules) shard.Host { return newHost(c.context, rules) }

// NewSystem starts a system without actors.
func NewSystem(logger *slog.Logger) *System {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return logger }))
	shrinkRegistry(system)
	return &System{system: system}
}

// Spawn starts an actor under a name of its own.
func (s *System) Spawn(name string, a Actor, m Mailbox, d Dispatcher) error {
	props := actor.PropsFromFunc(
		func(ctx actor.Context) { a.Receive(ctx.Message(), Context{ctx}) },
		actor.WithMailbox(func() actor.Mailbox { return mailbox{m} }),
		actor.WithDispatcher(d),
	)
	pid, err := s.system.Root.SpawnNamed(props, name)
	if err != nil {
		return fmt.Errorf("start actor %s: %w", name, err)
	}
	s.pids = append(s.pids, pid)
	return nil
}

// Stop stops the actors that were spawned, with their children, and waits for them. It fails where one does not stop in
// time.
func (s *System) Stop() error {
	var group errgroup.Group
	for _, pid := range s.pids {
		group.Go(func() error { return s.system.Root.StopFuture(pid).Wait() })
	}
	return group.Wait()
}

// Shutdown ends the system. Nothing may be posted from then on.
func (s *System) Shutdown() { s.system.Shutdown() }

// mailbox is a Mailbox as Proto.Actor has it.
type mailbox struct{ Mailbox }

// RegisterHandlers implements actor.Mailbox.
func (m mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.Bind(invoker, dispatcher)
}

// Start implements actor.Mailbox.
func (mailbox) Start() {}

// errEnded is why Run has no result.
var errEnded = errors.New("the actor ended before the function did")

// Run calls fn within an actor, with its context, and waits until it and the actors that it hosts have ended. It is for
// tests and measurements, which have no mailbox.
func (s *System) Run(fn func(Context)) error {
	err := errEnded
	var panicked any
	pid := s.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); !ok {
			return
		}
		defer func() { panicked = recover() }()
		fn(Context{ctx})
		err = nil
	}))
	if ended := s.system.Root.PoisonFuture(pid).Wait(); ended != nil {
		return ended
	}
	if panicked != nil {
		panic(panicked)
	}
	return err
}
