package gossip

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/kindred-id/kindred/internal/hostport"
)

// DefaultPort is that of an address without one.
const DefaultPort = 7946

// Config describes a node among others. Cluster, Self.Name and Bind are required.
type Config struct {
	Cluster   string   // members of other clusters are not heard
	Self      Member   // what this node says of itself at first
	Bind      string   // host:port to listen on, for UDP and TCP
	Advertise string   // host:port that others reach it at; default: Bind
	Join      []string // host:port or names of members; a name stands for all its addresses
	KeyFile   string   // see ReloadKeys
	// InsecureDev allows to run without keys.
	InsecureDev bool
	Logger      *slog.Logger // default: discards

	resolve   func(ctx context.Context, host string) ([]string, error) // default: DNS
	transport memberlist.Transport                                     // default: the network
}

// Times of finding out that a member died: it is asked every probeInterval by somebody, is suspected after no answer for
// probeTimeout, directly or through others, and dead if it does not object within suspicionMult intervals or so. Where
// too few others are there to confirm the suspicion it has suspicionMost times as long. The library's own factor, 6, would
// keep shards without an owner for 9 s when one of the last two nodes dies, and a wrong suspicion harms nobody.
const (
	probeInterval = 500 * time.Millisecond
	probeTimeout  = 200 * time.Millisecond
	suspicionMult = 3
	suspicionMost = 2
	// leavePatience bounds how long Leave waits until others have heard.
	leavePatience = 2 * time.Second
	// announcePatience bounds how long an announcement may take until it is on its way.
	announcePatience = 2 * time.Second
)

// Gossip is a node among others. It is for any number of goroutines.
type Gossip struct {
	config  Config
	logger  *slog.Logger
	address string // host:port that others reach this node at
	list    *memberlist.Memberlist
	keys    *memberlist.Keyring
	heard   *heard
	view    atomic.Pointer[View]
	// refused is why the last join was, by the gate.
	refused atomic.Pointer[error]

	changes  chan struct{} // of one: there is a newer view
	announce chan struct{} // of one: self changed

	mu   sync.Mutex // guards the following
	self Member

	stop    context.CancelFunc
	workers sync.WaitGroup
	once    sync.Once
}

// Start joins the others. It fails if a node of this name is alive, and not if nobody answers.
func Start(ctx context.Context, c Config) (*Gossip, error) {
	g, err := start(c)
	if err != nil {
		return nil, err
	}
	if err := g.join(ctx); err != nil {
		g.Close()
		return nil, err
	}
	background, stop := context.WithCancel(context.Background())
	g.stop = stop
	g.workers.Go(func() { g.build(background) })
	g.workers.Go(func() { g.tell(background) })
	g.workers.Go(func() { g.rejoin(background) })
	return g, nil
}

// start makes a node that knows itself alone.
func start(c Config) (*Gossip, error) {
	if c.resolve == nil {
		c.resolve = net.DefaultResolver.LookupHost
	}
	logger := c.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	if c.Cluster == "" || c.Self.Name == "" {
		return nil, errors.New("gossip: no name of the cluster or of the node; give both")
	}
	if n := len(c.Self.append(nil)); n > metaMost {
		return nil, fmt.Errorf("gossip: what node %s says of itself has %d bytes, and %d are the most; shorten its addresses and its zone", c.Self.Name, n, metaMost)
	}
	keys, err := c.keyring()
	if err != nil {
		return nil, err
	}
	g := &Gossip{
		config: c, logger: logger, keys: keys, self: c.Self, stop: func() {},
		heard:   &heard{alive: map[string]word{}, news: make(chan struct{}, 1)},
		changes: make(chan struct{}, 1), announce: make(chan struct{}, 1),
	}
	self := &memberlist.Node{Name: c.Self.Name} // its address is known once it listens
	settings, err := g.settings(self)
	if err != nil {
		return nil, err
	}
	if g.list, err = memberlist.Create(settings); err != nil {
		return nil, fmt.Errorf("gossip: listen on %s: %w", c.Bind, err)
	}
	local := g.list.LocalNode()
	self.Addr, self.Port, g.address = local.Addr, local.Port, local.Address()
	g.publish()
	return g, nil
}

func (g *Gossip) settings(self *memberlist.Node) (*memberlist.Config, error) {
	s := memberlist.DefaultLANConfig()
	s.Name, s.Label = g.config.Self.Name, g.config.Cluster
	s.Keyring = g.keys
	s.ProbeInterval, s.ProbeTimeout, s.SuspicionMult = probeInterval, probeTimeout, suspicionMult
	s.SuspicionMaxTimeoutMult = suspicionMost
	// A name is free again as soon as its node is dead: a restarted one may have another address.
	s.DeadNodeReclaimTime = time.Nanosecond
	s.Delegate, s.Events, s.Merge, s.Alive = (*delegate)(g), g.heard, gate{self, &g.refused}, (*delegate)(g)
	s.Logger = log.New(lines{g.logger}, "", 0)
	if s.Transport = g.config.transport; s.Transport != nil {
		return s, nil
	}
	var err error
	if s.BindAddr, s.BindPort, err = hostport.Split(g.config.Bind); err != nil {
		return nil, fmt.Errorf("gossip: the address to listen on: %w", err)
	}
	if g.config.Advertise != "" {
		if s.AdvertiseAddr, s.AdvertisePort, err = hostport.Split(g.config.Advertise); err != nil {
			return nil, fmt.Errorf("gossip: the address to advertise: %w", err)
		}
	}
	return s, nil
}

// View returns the newest view.
func (g *Gossip) View() *View { return g.view.Load() }

// Changes receives after a view newer than the last one received for. It is for one reader.
func (g *Gossip) Changes() <-chan struct{} { return g.changes }

// Address returns the host:port that others reach this node at.
func (g *Gossip) Address() string { return g.address }

// Announce changes what this node says of itself: its weight, its copies. The name stays. Others hear soon, and of several
// changes perhaps the last one only.
func (g *Gossip) Announce(change func(*Member)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := g.self
	next.Copies = slices.Clone(next.Copies)
	change(&next)
	next.Name = g.self.Name
	if n := len(next.append(nil)); n > metaMost {
		return fmt.Errorf("gossip: what node %s says of itself has %d bytes, and %d are the most", next.Name, n, metaMost)
	}
	g.self = next
	select {
	case g.announce <- struct{}{}:
	default:
	}
	return nil
}

// build makes views of what the callbacks heard (V2).
func (g *Gossip) build(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.heard.news:
			g.publish()
		}
	}
}

func (g *Gossip) publish() {
	next := &View{Number: 1, Members: g.heard.members()}
	if was := g.view.Load(); was != nil {
		next.Number = was.Number + 1
	}
	g.view.Store(next)
	select {
	case g.changes <- struct{}{}:
	default:
	}
}

// tell sends what Announce changed.
func (g *Gossip) tell(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.announce:
			if err := g.list.UpdateNode(announcePatience); err != nil {
				g.logger.Warn("gossip: an announcement was not sent to anybody yet", "error", err)
			}
		}
	}
}

// Leave tells others that this node goes, and stops. Without it, they find out by themselves after some seconds.
func (g *Gossip) Leave() error {
	g.stop() // the library sends no announcement of a node that has left, and would let it wait in vain
	g.workers.Wait()
	err := g.list.Leave(leavePatience)
	g.Close()
	if err != nil {
		return fmt.Errorf("gossip: leave: %w", err)
	}
	return nil
}

// Close stops without a word. It is safe twice.
func (g *Gossip) Close() {
	g.once.Do(func() {
		g.stop()
		g.workers.Wait()
		if err := g.list.Shutdown(); err != nil {
			g.logger.Warn("gossip: stop", "error", err)
		}
	})
}

// delegate answers the library's questions about this node.
type delegate Gossip

// NodeMeta implements memberlist.Delegate.
func (d *delegate) NodeMeta(int) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.self.append(nil)
}

// NotifyAlive implements memberlist.AliveDelegate. It refuses a node whose word cannot be read.
func (d *delegate) NotifyAlive(n *memberlist.Node) error {
	_, err := parseMember(n.Name, n.Meta)
	return err
}

// The rest of memberlist.Delegate is not used.

// NotifyMsg implements memberlist.Delegate.
func (d *delegate) NotifyMsg([]byte) {}

// GetBroadcasts implements memberlist.Delegate.
func (d *delegate) GetBroadcasts(int, int) [][]byte { return nil }

// LocalState implements memberlist.Delegate.
func (d *delegate) LocalState(bool) []byte { return nil }

// MergeRemoteState implements memberlist.Delegate.
func (d *delegate) MergeRemoteState([]byte, bool) {}

// lines forwards the library's log, by the level that each line begins with.
type lines struct{ logger *slog.Logger }

// Write implements io.Writer.
func (l lines) Write(p []byte) (int, error) {
	level, text := slog.LevelDebug, strings.TrimSpace(string(p))
	for mark, at := range map[string]slog.Level{"[ERR] ": slog.LevelWarn, "[WARN] ": slog.LevelInfo, "[INFO] ": slog.LevelDebug, "[DEBUG] ": slog.LevelDebug} {
		if rest, ok := strings.CutPrefix(text, mark); ok {
			level, text = at, rest
		}
	}
	l.logger.Log(context.Background(), level, text)
	return len(p), nil
}
