//go:build !race

// The library sets the logger of gRPC, which all nodes of a process share, at each start: with several nodes in one process
// the race detector sees that and nothing else. `make wires` runs these tests without it.

package proto

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindred-id/kindred/internal/peertls"
	"github.com/kindred-id/kindred/internal/testkit/certs"
)

const shards = 16

// group is some nodes in one process, over loopback.
type group struct {
	t       testing.TB
	files   func(name string) peertls.Files // nil: without TLS
	mu      sync.Mutex                      // guards the following
	members []Member
	nodes   []*testNode
}

type testNode struct {
	*Node
	name    string
	address string
	shards  *echo
}

// echo answers with what it is asked, and keeps what it is sent.
type echo struct {
	name     string
	mu       sync.Mutex // guards the following
	received [][]byte
	mute     int           // so many requests get no answer
	block    chan struct{} // envelopes wait for it, unless nil
	// fixed are answers by the length of the question, for measurements.
	fixed map[int][]byte
}

func newGroup(t testing.TB, secure bool) *group {
	g := &group{t: t}
	if secure {
		a := certs.New(t)
		g.files = func(name string) peertls.Files { return a.Node(name, "n1", "n2", "n3") }
	}
	return g
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start starts a node, and tells everybody.
func (g *group) start(name string) *testNode {
	g.t.Helper()
	n := &testNode{name: name, address: freeAddress(g.t), shards: &echo{name: name}}
	c := Config{
		Cluster: "shop", Bind: n.address, Shards: shards, ShardOf: shardOf, OwnerOf: g.ownerOf, Handler: n.shards, InsecureDev: g.files == nil,
	}
	if g.files != nil {
		c.TLS = g.files(name)
	}
	var err error
	if n.Node, err = Start(c); err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(n.Close)
	g.mu.Lock()
	g.nodes = append(g.nodes, n)
	g.members = append(g.members, Member{Name: name, Boot: 1, Address: n.address})
	g.mu.Unlock()
	g.update(g.nodes...)
	return n
}

// update tells every node that these are there.
func (g *group) update(here ...*testNode) {
	g.t.Helper()
	var members []Member
	for _, n := range here {
		members = append(members, Member{Name: n.name, Boot: 1, Address: n.address})
	}
	for _, n := range g.nodes {
		if err := n.Update(members); err != nil {
			g.t.Fatal(err)
		}
	}
}

func shardOf(identity string) (uint32, error) {
	if identity == "" {
		return 0, errors.New("no id")
	}
	h := fnv.New32a()
	h.Write([]byte(identity))
	return h.Sum32() % shards, nil
}

func (g *group) ownerOf(shard uint32) (string, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.members) == 0 {
		return "", false
	}
	return g.members[int(shard)%len(g.members)].Address, true
}

// Envelope implements Handler.
func (n *echo) Envelope(shard uint32, body []byte) {
	if n.block != nil {
		<-n.block
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.received = append(n.received, fmt.Appendf(nil, "%d %s", shard, body))
}

// Ask implements Handler.
func (n *echo) Ask(shard uint32, kind Kind, body []byte, answer func([]byte)) {
	if fixed := n.fixed[len(body)]; fixed != nil {
		answer(fixed)
		return
	}
	n.mu.Lock()
	mute := n.mute > 0
	n.mute--
	n.mu.Unlock()
	if !mute {
		answer(fmt.Appendf(nil, "%s %d %d %s", n.name, shard, kind, body))
	}
}

func (n *echo) got() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.received)
}

func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for begun := time.Now(); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatalf("never: %s", what)
		}
	}
}

func ask(t testing.TB, n, at *testNode, body string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b, err := n.Ask(ctx, at.address, 3, KindQuery, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Three nodes with TLS: every one finds every identity at the same place, and what is sent there arrives, whole and with its
// shard; a shard of this node is reached without the network.
func TestNodesTalk(t *testing.T) {
	t.Parallel() // the library waits a second to start
	g := newGroup(t, true)
	n1, n2, n3 := g.start("n1"), g.start("n2"), g.start("n3")
	for i := range 100 {
		id := fmt.Sprint("user-", i)
		address, shard, ok := n1.Find(id)
		want, _ := shardOf(id)
		owner, _ := g.ownerOf(want)
		if !ok || shard != want || address != owner {
			t.Fatalf("%s: %s, shard %d; want %s, %d", id, address, shard, owner, want)
		}
		for _, n := range []*testNode{n2, n3} {
			if a, s, ok := n.Find(id); !ok || a != address || s != shard {
				t.Fatalf("%s: %s says %s, shard %d", id, n.name, a, s)
			}
		}
	}
	if _, _, ok := n1.Find(""); ok {
		t.Error("an id that is none was found")
	}
	if pid := n1.cluster.Get("user-2", "identity"); pid == nil || !strings.HasPrefix(pid.Id, "shard-") {
		t.Errorf("the library's own way: %v", pid)
	}
	if pid := n1.cluster.Get("user-2", "other"); pid != nil {
		t.Errorf("another kind: %v", pid)
	}
	large := strings.Repeat("x", 2<<20)
	for _, at := range g.nodes {
		for _, body := range []string{"hello", large} {
			if got := ask(t, n1, at, body); got != at.name+" 3 2 "+body {
				t.Errorf("%s answers %.40q", at.name, got)
			}
		}
		if !n1.Post(at.address, 5, []byte("news")) {
			t.Errorf("nothing was posted to %s", at.name)
		}
		until(t, "news", func() bool { return at.shards.got() == 1 })
		if !bytes.Equal(at.shards.received[0], []byte("5 news")) {
			t.Errorf("%s received %q", at.name, at.shards.received[0])
		}
	}
	if got := n1.Stats(); got != (Stats{}) {
		t.Errorf("%+v", got)
	}
}

// An answer that is lost is asked for once more; a request without one ends with its context, and so does one to nobody.
func TestAskAgain(t *testing.T) {
	t.Parallel() // the library waits a second to start
	g := newGroup(t, false)
	n1, n2 := g.start("n1"), g.start("n2")
	ask(t, n1, n2, "hello")
	n2.shards.mu.Lock()
	n2.shards.mute = 1
	n2.shards.mu.Unlock()
	if got := ask(t, n1, n2, "again"); got != "n2 3 2 again" {
		t.Error(got)
	}
	n2.shards.mu.Lock()
	n2.shards.mute = 1 << 30
	n2.shards.mu.Unlock()
	for _, address := range []string{n2.address, "127.0.0.1:1"} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if _, err := n1.Ask(ctx, address, 1, KindDelivery, nil); !errors.Is(err, ErrNoAnswer) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", address, err)
		}
		cancel()
	}
	if len(n1.answers.waiting) != 0 {
		t.Error("a request still waits")
	}
	if _, err := n1.Ask(t.Context(), n2.address, 1, KindEnvelope, nil); err == nil {
		t.Error("an envelope has no answer")
	}
	if _, err := n1.Ask(t.Context(), n2.address, 1, KindQuery, make([]byte, MessageMost+1)); err == nil {
		t.Error("too long a request")
	}
}

// T4: a member may leave and return many times; under one id the library would keep it out for ever.
func TestMembersReturn(t *testing.T) {
	t.Parallel() // the library waits a second to start
	g := newGroup(t, false)
	n1, n2 := g.start("n1"), g.start("n2")
	for i := range 3 {
		ask(t, n1, n2, fmt.Sprint(i))
		g.update(n1)
		if n := n1.cluster.MemberList.Length(); n != 1 {
			t.Fatalf("%d members after one left", n)
		}
		if n1.Post(n2.address, 1, nil) {
			t.Error("posted to a node that left")
		}
		g.update(n1, n2)
		if n := n1.cluster.MemberList.Length(); n != 2 {
			t.Fatalf("return %d: %d members", i, n)
		}
	}
	ask(t, n1, n2, "last")
}

// T3: what waits for a peer that does not read is bounded; what is above is dropped and counted; then all goes on.
func TestBudget(t *testing.T) {
	t.Parallel() // the library waits a second to start
	g := newGroup(t, false)
	n1, n2 := g.start("n1"), g.start("n2")
	ask(t, n1, n2, "hello")
	n2.shards.block = make(chan struct{})
	body := make([]byte, 1<<20)
	posted := 0
	for range 100 {
		if n1.Post(n2.address, 1, body) {
			posted++
		}
		if used := n1.budget(n2.address).used.Load(); used > budgetMost {
			t.Fatalf("%d bytes wait", used)
		}
	}
	if posted == 100 || n1.Stats().Dropped == 0 {
		t.Fatalf("%d posted, %+v", posted, n1.Stats())
	}
	close(n2.shards.block)
	until(t, "what was posted", func() bool { return n2.shards.got() == posted })
	until(t, "an empty budget", func() bool { return n1.budget(n2.address).used.Load() == 0 })
	ask(t, n1, n2, "after")
}

// A node that dies takes its budget along, and the one that is in its place is reached.
func TestNodeDies(t *testing.T) {
	t.Parallel() // the library waits a second to start
	g := newGroup(t, false)
	n1, n2 := g.start("n1"), g.start("n2")
	ask(t, n1, n2, "hello")
	n2.Close()
	for range 30 {
		n1.Post(n2.address, 1, make([]byte, 1<<20))
	}
	g.nodes = g.nodes[:1]
	g.update(n1)
	until(t, "an empty budget", func() bool { return n1.budget(n2.address).used.Load() == 0 })
	again := &testNode{name: "n2", address: n2.address, shards: &echo{name: "n2"}}
	var err error
	if again.Node, err = Start(Config{Cluster: "shop", Bind: n2.address, Shards: shards, ShardOf: shardOf, OwnerOf: g.ownerOf, Handler: again.shards, InsecureDev: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.Close)
	g.nodes = append(g.nodes, again)
	g.update(n1, again)
	if got := ask(t, n1, again, "there"); got != "n2 3 2 there" {
		t.Error(got)
	}
}

// Settings with which a node must not start.
func TestStartIsRefused(t *testing.T) {
	t.Parallel() // the library waits a second to start
	g := newGroup(t, false)
	n1 := g.start("n1")
	for want, c := range map[string]Config{
		"choose another port": {Bind: n1.address, InsecureDev: true},
		"--insecure-dev":      {Bind: freeAddress(t)},
		"want host:port":      {Bind: "here", InsecureDev: true},
	} {
		if _, err := Start(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got: %v", want, err)
		}
	}
}
