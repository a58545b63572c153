package gossip

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/memberlist"
	"go.uber.org/goleak"
)

// A probe of the library outlives its node by some seconds.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/hashicorp/memberlist.(*Memberlist).probe"))
}

// network carries packets and streams between nodes of a test, in a bubble of virtual time.
type network struct {
	mu    sync.Mutex // guards the following
	nodes map[string]*wire
	cut   func(from, to string) bool // or nil
	seen  []byte                     // all packets
}

// wire is one node's end. It implements memberlist.Transport.
type wire struct {
	net     *network
	address string
	packets chan *memberlist.Packet
	streams chan net.Conn
}

// wire returns the end of 10.0.0.n. It replaces the one before.
func (n *network) wire(number int) *wire {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := &wire{n, fmt.Sprintf("10.0.0.%d:7946", number), make(chan *memberlist.Packet, 1000), make(chan net.Conn, 10)}
	if n.nodes == nil {
		n.nodes = map[string]*wire{}
	}
	n.nodes[w.address] = w
	return w
}

// peer returns the end that is reached at an address; nil if there is none, or the way is cut.
func (n *network) peer(from, to string) *wire {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.nodes[from] == nil || n.cut != nil && n.cut(from, to) {
		return nil
	}
	return n.nodes[to]
}

func (n *network) cutBetween(cut func(from, to string) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = cut
}

// FinalAdvertiseAddr implements memberlist.Transport.
func (w *wire) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	host, port, err := net.SplitHostPort(w.address)
	if err != nil {
		return nil, 0, err
	}
	number, err := strconv.Atoi(port)
	return net.ParseIP(host), number, err
}

// WriteTo implements memberlist.Transport.
func (w *wire) WriteTo(b []byte, to string) (time.Time, error) {
	if peer := w.net.peer(w.address, to); peer != nil {
		w.net.mu.Lock()
		w.net.seen = append(w.net.seen, b...)
		w.net.mu.Unlock()
		select {
		case peer.packets <- &memberlist.Packet{Buf: bytes.Clone(b), From: address(w.address), Timestamp: time.Now()}:
		default: // as UDP does
		}
	}
	return time.Now(), nil
}

// PacketCh implements memberlist.Transport.
func (w *wire) PacketCh() <-chan *memberlist.Packet { return w.packets }

// DialTimeout implements memberlist.Transport.
func (w *wire) DialTimeout(to string, _ time.Duration) (net.Conn, error) {
	peer := w.net.peer(w.address, to)
	if peer == nil {
		return nil, errors.New("no way")
	}
	near, far := net.Pipe()
	select {
	case peer.streams <- far:
		return near, nil
	default:
		return nil, errors.New("busy")
	}
}

// StreamCh implements memberlist.Transport.
func (w *wire) StreamCh() <-chan net.Conn { return w.streams }

// Shutdown implements memberlist.Transport.
func (w *wire) Shutdown() error {
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	if w.net.nodes[w.address] == w {
		delete(w.net.nodes, w.address)
	}
	return nil
}

type address string

func (a address) Network() string { return "test" }
func (a address) String() string  { return string(a) }

// world has nodes 1, 2, … that join through node 1.
type world struct {
	t    *testing.T
	net  network
	keys string // a file, or empty
	boot uint64
	// nodes were started, and are closed at the end.
	nodes []*Gossip
}

func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		defer func() {
			for _, g := range w.nodes {
				g.Close()
			}
			time.Sleep(time.Minute) // a probe of the library outlives its node
		}()
		test(t, w)
	})
}

func (w *world) config(number int) Config {
	w.boot++
	return Config{
		Cluster: "shop", Join: []string{"10.0.0.1", "10.0.0.2:7946"}, KeyFile: w.keys, InsecureDev: w.keys == "",
		Self:      Member{Name: fmt.Sprint("n", number), Boot: w.boot, Remote: fmt.Sprintf("10.0.0.%d:7001", number), Weight: 100, Zone: "a", Version: "v1"},
		transport: w.net.wire(number),
	}
}

func (w *world) start(number int) *Gossip {
	w.t.Helper()
	return w.startWith(w.config(number))
}

func (w *world) startWith(c Config) *Gossip {
	w.t.Helper()
	g, err := Start(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.nodes = append(w.nodes, g)
	return g
}

// crash takes a node off the network, without a word.
func (w *world) crash(number int, g *Gossip) {
	w.net.mu.Lock()
	delete(w.net.nodes, fmt.Sprintf("10.0.0.%d:7946", number))
	w.net.mu.Unlock()
	g.Close()
}

// until waits until a condition holds and returns how long it took.
func (w *world) until(what string, holds func() bool) time.Duration {
	w.t.Helper()
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if holds() {
			return time.Since(begun)
		}
		if time.Since(begun) > 2*time.Minute {
			w.t.Fatalf("never: %s", what)
		}
	}
}

func names(g *Gossip) string {
	var s string
	for _, m := range g.View().Members {
		s += m.Name + " "
	}
	return s
}

func all(names_ string, of ...*Gossip) func() bool {
	return func() bool {
		for _, g := range of {
			if names(g) != names_ {
				return false
			}
		}
		return true
	}
}
