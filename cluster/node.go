package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/cluster/bulk"
	"github.com/kindred-id/kindred/cluster/gossip"
	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/cluster/kafka"
	"github.com/kindred-id/kindred/cluster/proto"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/backoff"
	"github.com/kindred-id/kindred/internal/broker"
	"github.com/kindred-id/kindred/internal/peertls"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Config describes a node. Name, Cluster, the three addresses to listen on, and Brokers are required.
type Config struct {
	Cluster string // all nodes of a deployment name the same one
	Name    string // stable over restarts, and no other node's
	Zone    string // nodes of a zone fail together
	Weight  uint16 // how many shards it should have in relation to others; default 1

	Gossip string // host:port to listen on, by UDP and TCP, for who is alive
	Remote string // host:port to listen on for messages of other nodes
	Bulk   string // host:port to listen on for exports of other nodes
	// Advertise is the host under which others reach these ports. Default: those to listen on.
	Advertise string
	Join      []string // host:port of the gossip of members; a name stands for all its addresses

	Client  string // the address of the HTTP interface, and
	Version string // that of the program: for people who ask which nodes are there

	Brokers  broker.Connection // of the journal
	Replicas int               // of the journal's topic; default 3

	TLS     peertls.Files
	KeyFile string // of the gossip
	// InsecureDev allows to run without TLS and without keys of the gossip.
	InsecureDev bool

	// JournalKeep is how old a record of the journal has to be before it may be deleted; default DefaultJournalKeep. It is deleted
	// only once two nodes have it in their stores.
	JournalKeep time.Duration

	Logger *slog.Logger // default: discards
}

// Deployment is what all nodes of a cluster agree on. A node with another one is refused by the journal.
type Deployment struct {
	ID     [16]byte
	Shards int
	Rules  uint64 // the version of the rules in force
}

// Topic is the name of a cluster's journal.
func (c *Config) Topic() string { return c.Cluster + ".journal" }

// layout is what the journal's topic has to be like: a partition a shard, and one for what belongs to no shard.
func (c *Config) layout(shards int) kafka.Layout {
	replicas := c.Replicas
	if replicas == 0 {
		replicas = 3
	}
	return kafka.Layout{Topic: c.Topic(), Partitions: shards + 1, Replicas: replicas}
}

// Create makes the journal of a cluster. A topic of its name is an error: it may hold another journal.
func Create(ctx context.Context, c *Config, shards int) error {
	_, err := kafka.Create(ctx, c.Brokers, c.layout(shards))
	return err
}

// DefaultJournalKeep is how long the journal keeps what two nodes have.
const DefaultJournalKeep = 24 * time.Hour

// Node is one process of a cluster. It decides, with the journal, which shards are with the engine here, and carries what engines
// say to each other. It implements actors.Journal and actors.Network.
//
//	gossip ──► view ──► replica: Wish ──► journal.Owner ──► engine: Take, Yield, Lose
//	                       ▲  │ records                        │
//	 Kafka: a partition ───┘  └──► store: rows, position       └──► Commit ──► replica ──► Kafka ──► committer
//
// There is a replica for each shard of the deployment, and a goroutine that runs it. All that a replica is told goes through
// its mailbox, so that an Owner needs no lock.
//
// Not there yet: backups that count as a second copy, copies of the rows of no shard, whose journal is kept whole.
//
// The parts start in an order: the journal is found and checked, then messages can arrive, then others are told that the node
// is there. They stop in the other one.
type Node struct {
	config     Config
	deployment Deployment
	logger     *slog.Logger
	store      storage.Store
	boot       uint64
	began      time.Time

	log     *kafka.Log
	wires   *proto.Node
	gossip  *gossip.Gossip
	remote  string // host:port for messages, as others reach it
	rows    *bulk.Server
	serving *http.Server
	bulk    net.Listener
	client  bulk.Client

	engine   atomic.Pointer[actors.Engine]
	replicas []*replica // of each shard, and of the rows of no shard
	shared   *sharedRows
	started  atomic.Bool
	peers    peers
	asked    chan struct{} // a place for each question of another node that is being answered
	copies   chan struct{} // a place for each copy of a shard that is being made
	journal  keeping
	backup   backup

	said     atomic.Pointer[standings] // what operators have said of nodes
	excluded atomic.Bool               // that this one is removed
	outdated atomic.Bool               // this one does not read what others write by now
	topics   atomic.Pointer[[]uint32]  // that it consumes, a hash each
	posted   []atomic.Bool             // by shard: envelopes were sent to it since verify
	verifies atomic.Bool
	leaving  atomic.Bool
	asking   atomic.Pointer[asking]
	counted  counters
	stop     context.CancelFunc // ends ctx
	ctx      context.Context    //nolint:containedctx // of everything that goes on by itself: it ends with the node
	tasks    sync.WaitGroup
	once     sync.Once
}

const (
	tickEvery   = 200 * time.Millisecond
	answersMost = 1024 // questions of other nodes that are answered at a time
	leaveLimit  = 10 * time.Second
)

// New connects a node to its journal. It serves nothing, and nobody hears of it, before Start.
func New(ctx context.Context, c Config, d Deployment, store storage.Store) (*Node, error) {
	if c.Weight == 0 {
		c.Weight = 1
	}
	if c.JournalKeep == 0 {
		c.JournalKeep = DefaultJournalKeep
	}
	logger := c.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	log, err := kafka.Open(ctx, kafka.Config{Connection: c.Brokers, Layout: c.layout(d.Shards), Logger: logger})
	if err != nil {
		return nil, err
	}
	n := &Node{
		config: c, deployment: d, logger: logger, store: store, log: log,
		boot: rand.Uint64(), began: time.Now(), //nolint:forbidigo // the node is where clock and chance enter
		replicas: make([]*replica, d.Shards+1), posted: make([]atomic.Bool, d.Shards), asked: make(chan struct{}, answersMost), copies: make(chan struct{}, copiesMost),
	}
	n.ctx, n.stop = context.WithCancel(context.Background())
	n.shared = &sharedRows{node: n, own: catalog.Local(store)}
	for id := range n.replicas {
		var of tenant = engineShard{n, graph.ShardID(id)}
		if id == d.Shards {
			of = n.shared
		}
		if n.replicas[id], err = newReplica(n, graph.ShardID(id), of); err != nil {
			n.stop()
			log.Close()
			return nil, err
		}
	}
	n.shared.replica = n.replicas[d.Shards]
	kept, err := row.ReadDeployment(store)
	if err != nil {
		n.stop()
		log.Close()
		return nil, err
	}
	n.shared.secret = kept.Secret
	if err := n.admit(ctx); err != nil {
		n.stop()
		log.Close()
		return nil, err
	}
	return n, nil
}

// Catalog orders the changes of rows of no shard, over all nodes.
func (n *Node) Catalog() catalog.Log { return n.shared }

// Watch calls a function now, and soon after rows of no shard were written.
func (n *Node) Watch(fn func()) {
	news := n.shared.watch()
	fn()
	n.tasks.Go(func() {
		for {
			select {
			case <-news:
				fn()
			case <-n.ctx.Done():
				return
			}
		}
	})
}

// now is a clock that never goes back, in ms.
func (n *Node) now() int64 {
	return time.Since(n.began).Milliseconds() //nolint:forbidigo // the node is where the clock enters
}

// Start joins the cluster with an engine, which was opened with the node as its Journal and its Network and without shards.
func (n *Node) Start(ctx context.Context, e *actors.Engine) error {
	n.engine.Store(e)
	reached, err := n.config.reached(ctx)
	if err != nil {
		return err
	}
	n.remote = reached.remote
	if err := n.listen(); err != nil {
		return err
	}
	n.wires, err = proto.Start(proto.Config{
		Cluster: n.config.Cluster, Bind: n.config.Remote, Advertise: reached.remote, TLS: n.config.TLS, InsecureDev: n.config.InsecureDev,
		Shards: uint32(len(n.replicas)), ShardOf: n.shardOf, OwnerOf: n.ownerOf, Handler: (*handler)(n),
		Logger: slog.New(quiet{n.logger.Handler()}),
	})
	if err != nil {
		return err
	}
	n.gossip, err = gossip.Start(ctx, gossip.Config{
		Cluster: n.config.Cluster, Bind: n.config.Gossip, Advertise: reached.gossip, Join: n.config.Join, KeyFile: n.config.KeyFile,
		InsecureDev: n.config.InsecureDev, Logger: n.logger,
		Self: gossip.Member{
			Name: n.config.Name, Boot: n.boot, Remote: reached.remote, Bulk: reached.bulk, Reads: generation, Handlers: handlers,
			Client: n.config.Client, Version: n.config.Version, Zone: n.config.Zone, Weight: n.config.Weight,
		},
	})
	if err != nil {
		return err
	}
	n.readSaid()
	n.look()
	n.started.Store(true)
	for _, r := range n.replicas {
		n.tasks.Go(r.run)
	}
	n.tasks.Go(n.tick)
	n.tasks.Go(n.poll)
	n.tasks.Go(n.keep)
	n.tasks.Go(n.register)
	return nil
}

// listen serves exports, copies and what is said of them to other nodes.
func (n *Node) listen() error {
	listener, err := net.Listen("tcp", n.config.Bulk)
	if err != nil {
		return fmt.Errorf("cluster: listen on %s: %w; stop what listens there, or choose another port", n.config.Bulk, err)
	}
	n.bulk = listener
	n.rows = bulk.NewServer((*source)(n), 0)
	serves := http.NewServeMux()
	serves.Handle("/bulk/", n.rows)
	serves.HandleFunc("POST "+reportsPath, n.serveReports)
	n.serving = &http.Server{Handler: serves, ReadHeaderTimeout: 10 * time.Second}
	transport := &http.Transport{}
	if n.config.TLS.Cert != "" {
		if err := n.config.TLS.Check(); err != nil {
			return errors.Join(err, listener.Close())
		}
		n.serving.TLSConfig, transport.TLSClientConfig = n.config.TLS.Server(), n.config.TLS.Client()
	} else if !n.config.InsecureDev {
		return errors.Join(errors.New("cluster: no certificates; name them"), listener.Close())
	}
	n.client = bulk.Client{HTTP: &http.Client{Transport: transport}}
	n.tasks.Go(func() {
		if n.serving.TLSConfig != nil {
			_ = n.serving.ServeTLS(listener, "", "")
			return
		}
		_ = n.serving.Serve(listener)
	})
	return nil
}

// tick lets time pass for all replicas, and takes in what changed among the members.
func (n *Node) tick() {
	tick, verify := time.NewTicker(tickEvery), time.NewTicker(verifyEvery)
	defer tick.Stop()
	defer verify.Stop()
	for {
		select {
		case <-n.ctx.Done():
			return
		case <-n.gossip.Changes():
			n.look()
		case <-verify.C:
			n.verify()
		case <-tick.C:
		}
		if n.shared.changed.Swap(false) {
			n.readSaid()
			n.look()
		}
		for _, r := range n.replicas {
			r.tick()
		}
		n.announce()
	}
}

// poll asks the journal where its partitions end: a copy that has read all up to there is caught up. Records that a copy had
// read before the question must be there.
func (n *Node) poll() {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-n.ctx.Done():
			return
		case <-tick.C:
		}
		before := make([]int64, len(n.replicas))
		for i, r := range n.replicas {
			before[i] = r.next.Load()
		}
		ctx, cancel := context.WithTimeout(n.ctx, time.Second)
		ranges, err := n.log.Ranges(ctx)
		cancel()
		n.answered(ranges, err)
		if err != nil {
			n.logger.Debug("the journal does not say where it ends", "error", err)
			continue
		}
		for i, r := range n.replicas {
			r.ends(before[i], ranges[i])
		}
	}
}

// Leave gives all shards away in good order, as far as others can take them and ctx allows, and tells the others that the node goes.
func (n *Node) Leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, leaveLimit)
	defer cancel()
	n.leaving.Store(true)
	for ctx.Err() == nil && n.owned() > 0 {
		_ = backoff.Sleep(ctx, tickEvery) // the loop asks the context
	}
	return n.gossip.Leave()
}

// owned is how many shards are with the engine here.
func (n *Node) owned() (owned int) {
	for _, r := range n.replicas {
		if s := r.state(); s == journal.Owning || s == journal.Yielding {
			owned++
		}
	}
	return owned
}

// Close stops the node: its shards are lost, and it says nothing to others. It is safe twice. The engine must not be closed before.
func (n *Node) Close() {
	n.once.Do(func() {
		n.stop()
		if n.wires != nil {
			n.wires.Close()
		}
		if n.gossip != nil {
			n.gossip.Close()
		}
		if n.serving != nil {
			_ = n.serving.Close()
		}
		n.log.Close()
		n.tasks.Wait()
		if n.engine.Load() != nil {
			for _, r := range n.replicas {
				r.lost()
			}
		}
		if n.rows != nil {
			n.rows.Close()
		}
	})
}

// Commit implements actors.Journal.
func (n *Node) Commit(id graph.ShardID, b *storage.Batch, done func(error)) {
	n.replicas[id].commit(b, done)
}

// Fresh implements actors.Journal.
func (n *Node) Fresh(id graph.ShardID) bool { return n.now() <= n.replicas[id].fresh.Load() }

// Confirm implements actors.Journal.
func (n *Node) Confirm(ctx context.Context, id graph.ShardID) error {
	done := make(chan error, 1)
	n.replicas[id].confirm(done)
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// shardOf returns the shard of an identity's public id.
func (n *Node) shardOf(identity string) (uint32, error) {
	key, err := graph.ParseNodeKey(identity)
	if err != nil {
		return 0, err
	}
	return uint32(key.Shard(n.deployment.Shards)), nil
}

// partition is that of a shard.
func partition(id graph.ShardID) int32 { return int32(id) }

// positionOf is the position of a copy as its row has it.
func positionOf(p *journal.Position) row.JournalPosition {
	return row.JournalPosition{Topic: p.Topic, Next: p.Next, Claim: p.Claim, Seq: p.Seq, Sum: p.Sum, Rules: p.Rules, Handlers: p.Handlers}
}
