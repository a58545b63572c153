package shard_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/actors/audit"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/cluster/journal/journaltest"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/dedupe"
	"github.com/kindred-id/kindred/storage/row"
)

// nodesProgram runs the shards themselves on the nodes of a simulated cluster, each built from the copy of the node that owns it.
// Events are handed to whichever node believes that it owns their shard, until they are answered; messages between shards go
// from node to node, and are lost, repeated and reordered. Whatever was answered is seen from then on, and the people must be the
// oracle's.
type nodesProgram struct {
	world   oracle.World
	shards  int
	limits  shard.Limits
	batch   int
	enc     *row.Encoder
	offers  []*nodeOffer
	packets []shard.Post
	opened  uint64
	hold    simHold
}

// nodeOffer is an input from outside that is handed over until it is answered.
type nodeOffer struct {
	in       shard.Input
	to       graph.ShardID
	answered bool
	at       int64 // when it was answered first
}

// nodeShard is a shard on a node.
type nodeShard struct {
	*shard.Shard
	of      *nodesProgram
	w       *journaltest.World
	node    int
	id      graph.ShardID
	store   storage.Store
	inbox   []nodeInput
	batch   []nodeInput
	inputs  []shard.Input
	flushed bool // all parts of a flush were prepared
	opening uint64
}

type nodeInput struct {
	shard.Input
	offer *nodeOffer
}

func newNodesProgram(rng *rand.Rand) *nodesProgram {
	one := func(of ...int64) int64 { return of[rng.IntN(len(of))] }
	p := &nodesProgram{
		world: oracle.RandomWorld(rng), shards: 1 + rng.IntN(4), batch: int(one(1, 3, 20)), enc: row.NewEncoder(),
		limits: shard.Limits{LogBytes: one(0, 600, 4000, 1<<30), ActorBytes: one(0, 3000, 1<<30), FlushBytes: int(one(0, 2000, 1<<20))},
	}
	for i := range p.world.Events {
		e := &p.world.Events[i]
		p.offers = append(p.offers, &nodeOffer{in: shard.Input{Event: e, Body: p.enc.Event(nil, e, true)}, to: e.Route().Shard(p.shards)})
	}
	for i := range p.world.Assertions {
		x := &p.world.Assertions[i]
		m := &graph.Message{Kind: graph.KindAssert, To: x.A.Key, Assertion: x}
		p.offers = append(p.offers, &nodeOffer{in: shard.Input{Message: m, Body: p.enc.Message(nil, m)}, to: x.A.Key.Shard(p.shards)})
	}
	return p
}

// Open implements journaltest.Program.
func (p *nodesProgram) Open(w *journaltest.World, node int, id graph.ShardID, _ uint64, store storage.Store) (journaltest.Machine, error) {
	sh, err := shard.Open(shard.Config{
		ID: id, Shards: p.shards, Store: store, Rules: p.world.Rules, Limits: p.limits, Seen: dedupe.Limits{}, Host: shard.Plain{Rules: p.world.Rules},
	})
	p.opened++
	return &nodeShard{Shard: sh, of: p, w: w, node: node, id: id, store: store, opening: p.opened}, err
}

// Step implements journaltest.Machine.
func (m *nodeShard) Step(now int64) *storage.Batch {
	n := min(len(m.inbox), m.of.batch)
	if n == 0 {
		m.of.packets = append(m.of.packets, clonePosts(m.Tick(now))...)
		return nil
	}
	m.batch, m.inbox = slices.Clone(m.inbox[:n]), m.inbox[n:]
	m.inputs = make([]shard.Input, n)
	for i := range m.batch {
		m.inputs[i] = m.batch[i].Input
		if m.batch[i].offer != nil {
			m.inputs[i].Outcome = new(shard.Outcome)
		}
	}
	changed, err := m.Shard.Step(m.inputs, now)
	m.w.Must(err, "step")
	if !changed {
		m.Committed(now)
		return nil
	}
	return m.Batch()
}

// Committed implements journaltest.Machine.
func (m *nodeShard) Committed(now int64) {
	m.of.packets = append(m.of.packets, clonePosts(m.Shard.Committed(now))...)
	for i := range m.batch {
		if m.batch[i].offer == nil {
			continue
		}
		switch got := *m.inputs[i].Outcome; got {
		case shard.Accepted, shard.Duplicate:
			m.batch[i].offer.answer(m.w.Now())
		default:
			m.w.Failf("an input is answered %d", got)
		}
	}
	m.batch, m.inputs = nil, nil
}

// Flush implements journaltest.Machine.
func (m *nodeShard) Flush(now int64) *storage.Batch {
	for !m.flushed {
		more, err := m.Shard.Flush(now)
		m.w.Must(err, "flush")
		m.flushed = !more
		if !m.Batch().Empty() {
			return m.Batch()
		}
		m.Committed(now)
	}
	return nil
}

func (o *nodeOffer) answer(now int64) {
	if !o.answered {
		o.answered, o.at = true, now
	}
}

// Strong implements journaltest.Reader.
func (m *nodeShard) Strong() (check func()) {
	e := m.of.answered(m.w, m.id, m.w.Now())
	return func() { m.sees(e, "strong") }
}

// Local implements journaltest.Reader.
func (m *nodeShard) Local() {
	m.sees(m.of.answered(m.w, m.id, m.w.Now()-journaltest.LocalAge-1), "local")
}

// answered is a random event of a shard that was answered by then; nil if none is found.
func (p *nodesProgram) answered(w *journaltest.World, id graph.ShardID, by int64) *graph.Event {
	start := w.Rand().IntN(len(p.offers))
	for i := range p.offers {
		if o := p.offers[(start+i)%len(p.offers)]; o.answered && o.at <= by && o.to == id && o.in.Event != nil {
			return o.in.Event
		}
	}
	return nil
}

// sees checks that a read sees an event.
func (m *nodeShard) sees(e *graph.Event, how string) {
	if e != nil && m.times(e) != 1 {
		m.w.Failf("a %s read of shard %d by node %d sees event %q, which was answered, %d times", how, m.id, m.node, e.ID, m.times(e))
	}
}

// times is how often an event is in the timeline of its route.
func (m *nodeShard) times(e *graph.Event) (n int) {
	dec := row.NewDecoder()
	m.w.Must(m.Timeline(e.Route(), func(encoded []byte) error {
		found, err := dec.Event(encoded)
		if err == nil && found.Seen == e.Seen {
			n++
		}
		return err
	}), "read a timeline")
	return n
}

func clonePosts(posts []shard.Post) []shard.Post {
	posts = slices.Clone(posts)
	for i := range posts {
		posts[i].Messages = slices.Clone(posts[i].Messages) // the list is the shard's
		for j := range posts[i].Messages {
			posts[i].Messages[j].Body = bytes.Clone(posts[i].Messages[j].Body)
			posts[i].Messages[j].Epoch = 0 // of another process
		}
	}
	return posts
}

// Work implements journaltest.Program.
func (p *nodesProgram) Work(w *journaltest.World) bool {
	for range 4 {
		p.carry(w)
	}
	p.hold.act(w, p)
	start := w.Rand().IntN(len(p.offers) + 1)
	for i := range p.offers {
		o := p.offers[(start+i)%len(p.offers)]
		if o.answered && (w.Healed() || w.Rand().IntN(50) > 0) {
			continue
		}
		if m, ok := w.Machine(o.to).(*nodeShard); ok && len(m.inbox) < 50 && !p.hold.waits(w, m.node) {
			m.inbox = append(m.inbox, nodeInput{Input: o.in, offer: o})
			return true
		}
	}
	return false
}

// nodeInboxMost is how many inputs wait before packets are lost. A shard that takes one input a step is otherwise sent more repetitions
// than it can take.
const nodeInboxMost = 200

// carry lets one packet arrive at some node that believes to own its shard, or get lost, or stay to arrive again.
func (p *nodesProgram) carry(w *journaltest.World) {
	if len(p.packets) == 0 {
		return
	}
	i := w.Rand().IntN(len(p.packets))
	packet := p.packets[i]
	if w.Rand().IntN(10) > 0 {
		p.packets = slices.Delete(p.packets, i, i+1)
	}
	m, ok := w.Machine(packet.To).(*nodeShard)
	if !ok || w.Rand().IntN(20) == 0 || len(m.inbox) > nodeInboxMost { // its sender sends it again
		return
	}
	if packet.HasAck {
		p.packets = append(p.packets, clonePosts(m.Acked(packet.From, packet.Acked, w.Now()))...)
	}
	for _, wire := range packet.Messages {
		m.inbox = append(m.inbox, nodeInput{Input: shard.Input{From: packet.From, Seq: wire.Seq, Body: bytes.Clone(wire.Body)}})
	}
}

// Done implements journaltest.Program: all is answered, and no message waits.
func (p *nodesProgram) Done(w *journaltest.World) bool {
	for _, o := range p.offers {
		if !o.answered {
			return false
		}
	}
	for id := range graph.ShardID(p.shards) {
		m, ok := w.Owner(id).(*nodeShard)
		if !ok || len(m.inbox) > 0 || m.batch != nil || m.Stats().Waiting > 0 {
			return false
		}
	}
	return len(p.packets) == 0
}

// Check implements journaltest.Program: the owners' shards together have the oracle's people, each event once, and rows in which an
// operator finds nothing wrong.
func (p *nodesProgram) Check(w *journaltest.World) {
	p.checkPeople(w)
	for _, o := range p.offers {
		if o.in.Event != nil {
			w.Owner(o.to).(*nodeShard).sees(o.in.Event, "last")
		}
	}
	var all storage.Batch
	for id := range graph.ShardID(p.shards) {
		w.Owner(id).(*nodeShard).rows(&all)
	}
	p.verify(w, &all)
}

// verify makes a data directory of the rows of all shards, in which an operator finds nothing wrong.
func (p *nodesProgram) verify(w *journaltest.World, all *storage.Batch) *storage.MemStore {
	whole := storage.NewMemStore()
	_, err := row.Initialise(whole, simDeployment(p.shards))
	w.Must(err, "begin a data directory")
	w.Must(whole.Commit(all), "gather rows")
	report, err := audit.Verify(context.Background(), whole, nil)
	w.Must(err, "verify")
	if !report.OK() {
		w.Failf("verify finds %d problems, the first is %v", report.ProblemsTotal, report.Problems[0])
	}
	return whole
}

func (p *nodesProgram) checkPeople(w *journaltest.World) {
	p.checkPeopleOf(w, func(id graph.ShardID) (*shard.Shard, int) {
		m, _ := w.Owner(id).(*nodeShard)
		return m.Shard, m.node
	})
}

// checkPeopleOf compares the people of shards with the oracle's. of says where a shard is, and on which node.
func (p *nodesProgram) checkPeopleOf(w *journaltest.World, of func(graph.ShardID) (*shard.Shard, int)) {
	var profiles []graph.Profile
	roots := map[graph.NodeKey]bool{}
	for i := range p.world.Events {
		e := &p.world.Events[i]
		for _, id := range slices.Concat(e.Identifiers, e.Mentions) {
			p.follow(w, of, id.Key, func(c *graph.Component) {
				if roots[c.Root()] {
					return
				}
				roots[c.Root()] = true
				for _, found := range c.Profiles(p.world.Rules, false) {
					for j := range found.Traits { // valid until the next message only
						found.Traits[j].Value = bytes.Clone(found.Traits[j].Value)
					}
					profiles = append(profiles, found)
				}
			})
		}
	}
	sortProfiles(profiles)
	want := oracle.Profiles(p.world.Events, p.world.Assertions, p.world.Rules)
	if d := oracle.Diff(oracle.Dump(want), oracle.Dump(profiles)); d != "" {
		w.Failf("the people are not the oracle's:\n%s", d)
	}
}

// follow follows the forwards of a node over the owners of their shards.
func (p *nodesProgram) follow(w *journaltest.World, of func(graph.ShardID) (*shard.Shard, int), key graph.NodeKey, fn func(*graph.Component)) {
	nodes := map[int]bool{}
	for hops := 0; ; hops++ {
		sh, node := of(key.Shard(p.shards))
		nodes[node] = true
		sight, err := sh.Read(key, fn)
		w.Must(err, "read")
		if !sight.Found || sight.Parent.IsZero() {
			if w.Met.Forwards += uint64(hops); len(nodes) >= 3 && hops >= 5 {
				w.Met.FiveForwards++
			}
			return
		}
		if !sight.Parent.Outranks(key) {
			w.Failf("H1: node %s forwards to %s, which does not outrank it", key, sight.Parent)
		}
		key = sight.Parent
	}
}

// rows adds the rows of the shard to a batch, without its position in the journal.
func (m *nodeShard) rows(to *storage.Batch) {
	ranges, _ := row.CopyRanges(m.id)
	for _, r := range ranges {
		m.w.Must(m.store.Iterate(r[0], r[1], func(key, value []byte) error {
			to.Set(key, value)
			return nil
		}), "read rows")
	}
}

// runNodes runs the schedule of a seed.
func runNodes(seed uint64, logf func(string, ...any)) (met journaltest.Met, trace uint64, err error) {
	rng := rand.New(rand.NewPCG(seed, 0x6e))
	p := newNodesProgram(rng)
	return journaltest.Simulate(seed, rng, p, p.shards, [...]int{0, 1500}[rng.IntN(2)], logf)
}

// TestSchedulesOnNodes: several nodes that crash, pause, lose disks and believe anything of each other make the people of one.
func TestSchedulesOnNodes(t *testing.T) {
	// Worlds are small, and forwards are shortened as they are used: five in a row, over three nodes, were not met in 300 schedules.
	journaltest.Each(t, "./actors/shard", schedulesFor(t, 1500), runNodes, "five forwards over three nodes")
}
