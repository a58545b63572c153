package proto

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/kindred-id/kindred/internal/hostport"
	"github.com/kindred-id/kindred/internal/peertls"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// Handler takes what other nodes send to shards. It is called from a goroutine of the connection, which reads nothing more
// until it returns: it must not wait for other nodes.
type Handler interface {
	// Envelope takes messages from other shards.
	Envelope(shard uint32, body []byte)
	// Ask takes a query or a delivery. answer is called once, or never; a node without the shard answers, too.
	Ask(shard uint32, kind Kind, body []byte, answer func(body []byte))
}

// Config describes a node. All but Advertise and Logger are required.
type Config struct {
	Cluster   string
	Bind      string // host:port to listen on
	Advertise string // host:port that others reach it at; default: Bind
	TLS       peertls.Files
	// InsecureDev allows to run without TLS, if no file is named.
	InsecureDev bool
	Shards      uint32
	// ShardOf returns the shard of an identity's public id.
	ShardOf func(identity string) (uint32, error)
	// OwnerOf returns the address of the node that is believed to own a shard.
	OwnerOf func(shard uint32) (address string, ok bool)
	Handler Handler
	Logger  *slog.Logger // default: discards
}

// Node is a node among others, for any number of goroutines.
type Node struct {
	config  Config
	system  *actor.ActorSystem
	cluster *cluster.Cluster
	members provider
	guard   guard
	answers *answers

	updating sync.Mutex // one Update at a time
	known    atomic.Pointer[map[string]bool]

	mu      sync.Mutex // guards the following
	budgets map[string]*budget

	dropped atomic.Uint64
	once    sync.Once
}

// Stats counts what a node did not let through.
type Stats struct {
	Dropped uint64 // messages to a peer with a full budget, or without a connection
	Refused uint64 // what the guard refused
}

const (
	writerBatch = 64
	writerQueue = 1024 // to begin with; the budget bounds it
	dialRetries = 1    // the library blocks a peer's queue for two seconds after each
	// neverGossips keeps the library's own gossip still: cluster/gossip is in its place.
	neverGossips = 24 * time.Hour
	neverExpires = 30 * 24 * time.Hour
)

// Start listens, and knows nobody but itself until Update.
func Start(c Config) (n *Node, err error) {
	host, port, err := hostport.Split(c.Bind)
	if err != nil {
		return nil, fmt.Errorf("cluster: the address to listen on: %w", err)
	}
	if c.Advertise == "" {
		c.Advertise = c.Bind
	}
	logger := c.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	n = &Node{config: c, answers: newAnswers(), budgets: map[string]*budget{}}
	n.known.Store(&map[string]bool{})
	n.guard = guard{address: func() string { return c.Advertise }, known: n.knows, shards: c.Shards}
	server, client := n.guard.options(), insecure.NewCredentials()
	if !c.InsecureDev || c.TLS.Cert != "" {
		if err := c.TLS.Check(); err != nil {
			return nil, err
		}
		server, client = append(server, grpc.Creds(credentials.NewTLS(c.TLS.Server()))), credentials.NewTLS(c.TLS.Client())
	}
	if err := free(c.Bind); err != nil {
		return nil, err
	}
	n.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return logger }))
	wires := remote.Configure(host, port,
		remote.WithAdvertisedHost(c.Advertise),
		remote.WithServerOptions(server...),
		remote.WithDialOptions(grpc.WithTransportCredentials(client)),
		remote.WithEndpointWriterBatchSize(writerBatch),
		remote.WithEndpointWriterQueueSize(writerQueue))
	wires.MaxRetryCount = dialRetries
	settings := cluster.Configure(c.Cluster, &n.members, &lookup{c.ShardOf, c.OwnerOf}, wires, cluster.WithHeartbeatExpiration(neverExpires))
	settings.GossipInterval = neverGossips
	defer func() { // the library panics where it cannot start
		if r := recover(); r != nil {
			n, err = nil, fmt.Errorf("cluster: start on %s: %v", c.Bind, r)
		}
	}()
	n.cluster = cluster.New(n.system, settings)
	n.system.ProcessRegistry.Add(n.answers, answersName)
	for shard := range c.Shards {
		n.system.ProcessRegistry.Add(&door{n, shard}, doorName(shard))
	}
	n.system.EventStream.Subscribe(n.event)
	n.cluster.StartMember()
	return n, nil
}

// free reports whether an address can be listened on: the library panics where it cannot.
func free(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("cluster: listen on %s: %w; stop what listens there, or choose another port", address, err)
	}
	return l.Close()
}

// event gives back the budget of what the library dropped.
func (n *Node) event(e any) {
	switch e := e.(type) {
	case *actor.DeadLetterEvent:
		if m, ok := e.Message.(*message); ok {
			m.free()
			n.dropped.Add(1)
		}
	case *remote.EndpointTerminatedEvent: // with all that waited for it
		n.mu.Lock()
		delete(n.budgets, e.Address)
		n.mu.Unlock()
	}
}

// Update tells who is there. Members leave and return as often as they like.
func (n *Node) Update(members []Member) error {
	n.updating.Lock()
	defer n.updating.Unlock()
	known := make(map[string]bool, len(members))
	for _, m := range members {
		known[m.Address] = true
	}
	n.known.Store(&known)
	return n.members.update(members)
}

func (n *Node) knows(address string) bool {
	return address == n.config.Advertise || (*n.known.Load())[address]
}

// Stats returns what the node did not let through so far.
func (n *Node) Stats() Stats { return Stats{n.dropped.Load(), n.guard.refused.Load()} }

// Find returns where the actor of an identity is believed to be: a node, and a shard there.
func (n *Node) Find(identity string) (address string, shard uint32, ok bool) {
	pid := n.cluster.Get(identity, identityKind)
	if pid == nil {
		return "", 0, false
	}
	shard, err := n.config.ShardOf(identity)
	return pid.Address, shard, err == nil
}

// Post sends messages to a shard on a node. It may lose them, and reports whether it has lost them already.
func (n *Node) Post(address string, shard uint32, body []byte) bool {
	return n.send(actor.NewPID(address, doorName(shard)), nil, &message{kind: KindEnvelope, body: body})
}

// Ask asks a shard on a node, and waits for its answer until ctx ends. The request may arrive several times.
func (n *Node) Ask(ctx context.Context, address string, shard uint32, kind Kind, body []byte) ([]byte, error) {
	if kind != KindQuery && kind != KindDelivery {
		return nil, errors.New("cluster: only queries and deliveries have answers")
	}
	if len(body) > MessageMost {
		return nil, fmt.Errorf("cluster: a request has %d bytes, and %d are the most; ask for less at once", len(body), MessageMost)
	}
	return n.answers.wait(ctx, func(number uint32) bool {
		sender := &actor.PID{Address: n.config.Advertise, Id: answersName, RequestId: number}
		return n.send(actor.NewPID(address, doorName(shard)), sender, &message{kind: kind, body: body})
	})
}

// send hands a message to the library, within the budget of its peer (T3).
func (n *Node) send(to, sender *actor.PID, m *message) bool {
	if len(m.body) > MessageMost || !n.knows(to.Address) || to.Address != n.config.Advertise && !n.budget(to.Address).take(m) {
		n.dropped.Add(1)
		return false
	}
	if sender == nil {
		n.system.Root.Send(to, m)
	} else {
		n.system.Root.RequestWithCustomSender(to, m, sender)
	}
	return true
}

func (n *Node) budget(address string) *budget {
	n.mu.Lock()
	defer n.mu.Unlock()
	b := n.budgets[address]
	if b == nil {
		b = &budget{}
		n.budgets[address] = b
	}
	return b
}

// Close stops. It is safe twice. It does not stop the library the graceful way: that takes away a map that its own
// goroutines still use, and a panic of theirs ends the process.
func (n *Node) Close() {
	n.once.Do(func() {
		defer func() { _ = recover() }()      // the library's gossip may be gone before it is told to go
		if err := n.Update(nil); err != nil { // which closes the connections to the others
			return
		}
		n.cluster.Shutdown(false)
		n.cluster.Gossip.Shutdown()
	})
}

// door is where a shard's messages arrive. It implements actor.Process.
type door struct {
	node  *Node
	shard uint32
}

// SendUserMessage implements actor.Process.
func (d *door) SendUserMessage(_ *actor.PID, sent any) {
	_, inner, sender := actor.UnwrapEnvelope(sent)
	m, ok := inner.(*message)
	if !ok {
		return
	}
	handler := d.node.config.Handler
	switch {
	case m.kind == KindEnvelope:
		handler.Envelope(d.shard, m.body)
	case sender != nil:
		handler.Ask(d.shard, m.kind, m.body, func(body []byte) {
			d.node.send(sender, nil, &message{kind: m.kind, body: body})
		})
	}
}

// SendSystemMessage implements actor.Process. Nobody stops or watches a door.
func (d *door) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process.
func (d *door) Stop(*actor.PID) {}
