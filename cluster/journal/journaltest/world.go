// Package journaltest simulates a cluster on one goroutine: nodes, their disks and views, the journal, and what runs on the shards.
// A seed decides who does what next.
//
//	work ──► Machine ──► Owner ──► request ─ late, twice, lost ─► partition ──► audit: what counts
//	            ▲          │  ▲                                       │
//	            │          ▼  └──────────── fetch ◄───────────────────┘  holes, trims
//	         answers     disk: unsynced data lost, or all of it, one copy of a shard at a time
//
// Nodes crash, pause, are cut off from each other or from the journal, join, leave and are drained; each has a view of its own,
// which may be old or wrong. At the end all is well again, and all work has to be answered within bounded time.
package journaltest

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/cluster/place"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

var topic = [16]byte{7}

// A World is a simulated cluster.
type World struct {
	Shards int
	Met    Met
	Logf   func(format string, args ...any) // nil: no log

	rng         *rand.Rand
	deployment  journal.Deployment
	program     Program
	nodes       []*node
	partitions  []*partition
	requests    []*request
	unanswered  []*request
	shardRanges [][][2][]byte
	restored    []restored
	now         int64
	trace       uint64
	healed      bool
	resting     bool
	boots       uint64
	partBytes   int
}

// restored says since when a shard has two copies from which the log can be followed.
type restored struct {
	again bool
	lost  int64 // when a disk with a copy was lost last
}

// Met counts what a schedule met: one that never meets a lost disk proves nothing about lost disks.
type Met struct {
	Claims, Voids, Duplicates, Parts, Holes, LostAppends, LateAppends, RepeatedAppends     uint64
	Commits, Opened, Overtaken, Lost, Sealed, Crashes, Unsynced, LostDisks, Trims, Behind  uint64
	Copies, BrokenCopies, Dropped, Pauses, CutPeers, CutKafka, Drains, Upgrades, PowerCuts uint64
	StrongReads, LocalReads, Stale, Compared, WrongViews, Forwards, FiveForwards           uint64
	Holds, LostHolds                                                                       uint64
}

// Counts lists the counters by name.
func (m *Met) Counts() map[string]*uint64 {
	return map[string]*uint64{
		"claims": &m.Claims, "void records": &m.Voids, "duplicate records": &m.Duplicates, "parts": &m.Parts, "holes": &m.Holes,
		"lost appends": &m.LostAppends, "late appends": &m.LateAppends, "repeated appends": &m.RepeatedAppends, "commits": &m.Commits,
		"shards opened": &m.Opened, "claims overtaken": &m.Overtaken, "shards lost": &m.Lost, "shards sealed": &m.Sealed, "crashes": &m.Crashes,
		"crashes that lost unsynced data": &m.Unsynced, "disks lost": &m.LostDisks, "trims": &m.Trims, "copies behind the log": &m.Behind,
		"copies made": &m.Copies, "copies broken": &m.BrokenCopies, "copies dropped": &m.Dropped, "pauses": &m.Pauses,
		"cuts between nodes": &m.CutPeers, "cuts from the journal": &m.CutKafka, "drains": &m.Drains, "upgrades": &m.Upgrades, "power cuts": &m.PowerCuts,
		"strong reads": &m.StrongReads, "local reads": &m.LocalReads, "local reads refused": &m.Stale, "copies compared": &m.Compared, "views that were wrong": &m.WrongViews,
		"forwards": &m.Forwards, "five forwards over three nodes": &m.FiveForwards,
		"holds": &m.Holds, "holds that were lost": &m.LostHolds,
	}
}

// node is one process, or its absence.
type node struct {
	name               string
	zone               string
	i                  int
	up, paused         bool
	cutPeers, cutKafka bool
	weight             uint16
	handlers           uint64
	boot               uint64
	skew               int64 // of its clock, ms
	disk               *disk
	shards             []*hosted
	known              []*place.Node // by node, as this one believes; nil: not alive
	view               place.View
}

func (n *node) runs() bool { return n.up && !n.paused }

// clock is what a node takes the time for. It never goes back while the process runs.
func (w *World) clock(n *node) int64 { return w.now + n.skew }

// hosted is a shard on a node.
type hosted struct {
	id       graph.ShardID
	owner    *journal.Owner
	machine  Machine
	flight   bool // a batch is under way
	yielding bool
	claiming bool
	copy     *journal.Copy
	whole    int64            // from there on the rows are what the log says
	reports  []journal.Report // the last one of each node
	begins   int64            // where the log began when they were asked for
	reads    []waitingRead
}

type waitingRead struct {
	decided uint64
	check   func()
}

// Failure is what a world panics with when a check fails.
type Failure struct{ Text string }

// Failf ends the schedule: a check has failed.
func (w *World) Failf(format string, args ...any) { panic(Failure{fmt.Sprintf(format, args...)}) }

// Must ends the schedule if there is an error.
func (w *World) Must(err error, doing string) {
	if err != nil {
		w.Failf("%s: %v", doing, err)
	}
}

func (w *World) percent(n int) bool { return w.rng.IntN(100) < n }

// pick picks one of n; -1 of none.
func (w *World) pick(n int) int {
	if n == 0 {
		return -1
	}
	return w.rng.IntN(n)
}

func (w *World) note(what string, numbers ...uint64) {
	h := fnv.New64a()
	b := binary.LittleEndian.AppendUint64(nil, w.trace)
	b = append(b, what...)
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	_, _ = h.Write(b)
	w.trace = h.Sum64()
	if w.Logf != nil {
		w.Logf("%d %s %v", w.now, what, numbers)
	}
}

// New makes a world. Records have partBytes at most, or, if that is 0, what they have in earnest. Nodes are up, with empty disks, except some that join later.
func New(rng *rand.Rand, program Program, shards, partBytes int) *World {
	w := &World{Shards: shards, rng: rng, program: program, deployment: journal.Deployment{ID: [16]byte{3}, Shards: uint32(shards)}, now: begin, partBytes: partBytes}
	for id := range graph.ShardID(shards) {
		w.partitions = append(w.partitions, w.newPartition(id))
		r, _ := row.CopyRanges(id)
		w.shardRanges = append(w.shardRanges, r)
		w.restored = append(w.restored, restored{})
	}
	zones := 1 + rng.IntN(2)
	for i := range 3 + rng.IntN(3) {
		n := &node{name: fmt.Sprintf("n%d", i), zone: fmt.Sprint(i % zones), i: i, weight: 1, handlers: 1, disk: newDisk()}
		w.nodes = append(w.nodes, n)
	}
	for i, n := range w.nodes {
		if i < 2 || w.percent(70) {
			w.start(n)
		}
	}
	return w
}

// begin is when schedules begin: 2026-01-01, in ms.
const begin = 1_767_225_600_000

const hour = 3_600_000 // ms

// start starts a node on what its disk has.
func (w *World) start(n *node) {
	w.boots++
	n.up, n.paused, n.boot = true, false, w.boots
	if n.skew = 0; w.percent(30) {
		n.skew = w.rng.Int64N(2*hour) - hour
	}
	n.known = make([]*place.Node, len(w.nodes))
	n.view = place.View{}
	whole := make([]int64, w.Shards)
	for i, h := range n.shards {
		whole[i] = h.whole
	}
	n.shards = nil
	for id := range graph.ShardID(w.Shards) {
		c := journal.Config{
			Shard: id, Deployment: w.deployment, Topic: topic, Node: n.name, Boot: n.boot, Handlers: n.handlers, PartBytes: w.partBytes, Random: w.rng.Float64,
		}
		n.shards = append(n.shards, &hosted{id: id, owner: journal.NewOwner(c, position(n.disk.store, id)), whole: whole[id]})
	}
	w.note("start", uint64(n.i), n.boot)
}

// crash ends a process; its disk forgets what was not synced.
func (w *World) crash(n *node) {
	w.note("crash", uint64(n.i))
	w.Met.Crashes++
	n.up = false
	for _, h := range n.shards {
		w.close(h)
		if h.copy != nil {
			w.Met.BrokenCopies++
		}
		h.copy = nil
	}
	if n.disk.crash(w.rng) {
		w.Met.Unsynced++
	}
}

// loseDisk lets a node that is down come back with an empty disk.
func (w *World) loseDisk(n *node) {
	w.note("disk lost", uint64(n.i))
	w.Met.LostDisks++
	n.disk = newDisk()
	n.shards = nil
}

// mayLose reports whether the disk of a node may be lost: one copy of a shard at a time, and the next one only when there were two
// again, and what was said of the lost one is forgotten.
func (w *World) mayLose(n *node) bool {
	var with []graph.ShardID
	for id := range graph.ShardID(w.Shards) {
		if position(n.disk.store, id) != nil {
			if !w.restored[id].again {
				return false
			}
			with = append(with, id)
		}
	}
	for _, id := range with {
		w.restored[id] = restored{false, w.now}
	}
	return true
}

// watchCopies notes which shards have two copies again.
func (w *World) watchCopies() {
	for id := range w.restored {
		r := &w.restored[id]
		if r.again || w.now-r.lost <= 10_000 {
			continue
		}
		good := 0
		for _, n := range w.nodes {
			if at := position(n.disk.durable, graph.ShardID(id)); at != nil && at.Next >= w.partitions[id].start {
				good++
			}
		}
		r.again = good >= 2
	}
}

// close drops the machine of a shard.
func (w *World) close(h *hosted) {
	if h.machine != nil {
		h.machine.Close()
	}
	h.machine, h.flight, h.yielding, h.reads = nil, false, false, nil
}

// Rand is the source of all that is random.
func (w *World) Rand() *rand.Rand { return w.rng }

// Healed reports whether all is well again, so that all work has to be answered soon.
func (w *World) Healed() bool { return w.healed }

// Now is the time, in ms since 1970.
func (w *World) Now() int64 { return w.now }

// Owner is the machine of the node that owns a shard, when all is well; nil if there is none.
func (w *World) Owner(id graph.ShardID) Machine {
	for _, n := range w.nodes {
		if h := n.shards[id]; h.machine != nil && h.owner.State() == journal.Owning {
			return h.machine
		}
	}
	return nil
}

// Nodes is how many nodes there are.
func (w *World) Nodes() int { return len(w.nodes) }

// Process is which process of a node runs, and what it takes the time for. It is 0 while none runs, or a paused one.
func (w *World) Process(node int) (boot uint64, now int64) {
	n := w.nodes[node]
	if !n.runs() {
		return 0, 0
	}
	return n.boot, w.clock(n)
}

// Machines are those of the shards that a node believes to own.
func (w *World) Machines(node int) (all []Machine) {
	for _, h := range w.nodes[node].shards {
		if h.machine != nil {
			all = append(all, h.machine)
		}
	}
	return all
}

// Confirm calls fn once the journal has shown that nobody else had claimed the shard of a machine when Confirm was called. If that is
// not so, or does not become known, fn is not called.
func (w *World) Confirm(m Machine, fn func()) {
	for _, n := range w.nodes {
		for _, h := range n.shards {
			if h.machine != m || h.owner.State() != journal.Owning {
				continue
			}
			decided, do := h.owner.Strong(w.clock(n))
			h.reads = append(h.reads, waitingRead{decided, fn})
			w.run(n, h, do)
			return
		}
	}
}

// Machine is that of a random node which believes to own a shard and takes work; nil if none is found.
func (w *World) Machine(id graph.ShardID) Machine {
	start := w.rng.IntN(len(w.nodes))
	for i := range w.nodes {
		n := w.nodes[(start+i)%len(w.nodes)]
		if n.runs() && n.shards[id].machine != nil && !n.shards[id].yielding && (w.healed || w.percent(70)) {
			return n.shards[id].machine
		}
	}
	return nil
}

// run does what an owner asks for.
func (w *World) run(n *node, h *hosted, all []journal.Do) {
	for i := range all {
		do := &all[i]
		if do.Apply != nil {
			w.apply(n, h, do.Apply)
		}
		if do.Decided {
			w.decided(n, h)
		}
		if do.Lost {
			w.note("lost", uint64(n.i), uint64(h.id))
			w.Met.Lost++
			w.close(h)
			w.giveUp(h)
		}
		if do.Read && h.owner.State() == journal.Following && h.claiming {
			w.Met.Overtaken++
			w.giveUp(h)
		}
		if do.Halt != nil {
			w.Failf("node %d halts: %v", n.i, do.Halt)
		}
		if do.Drop {
			w.note("drop", uint64(n.i), uint64(h.id))
			w.Met.Dropped++
			h.copy = nil
			w.drop(n, h)
		}
		if do.Copy {
			w.beginCopy(n, h)
		}
		if do.Open {
			w.open(n, h)
		}
		if do.Yield {
			h.yielding = true
		}
		if do.Append != nil {
			w.requests = append(w.requests, &request{node: n, boot: n.boot, h: h, ticket: do.Ticket, record: do.Append, landed: -1})
		}
	}
	h.claiming = h.owner.State() == journal.Claiming
	if len(h.reads) > 0 {
		w.answerReads(h)
	}
}

// giveUp marks what a shard has under way: nobody waits for it.
func (w *World) giveUp(h *hosted) {
	for _, r := range w.requests {
		r.late = r.late || r.h == h
	}
}

// apply writes what the log says.
func (w *World) apply(n *node, h *hosted, c *journal.Commit) {
	b, err := row.OpsOf(c.Ops, c.Count, h.id)
	w.Must(err, "read a batch of the log")
	n.disk.put(b, h.id, c.Position)
	w.Must(n.disk.commit(b), "apply")
}

// decided is a batch of a machine that counts, and is written.
func (w *World) decided(n *node, h *hosted) {
	p := w.partitions[h.id]
	at := position(n.disk.store, h.id)
	if !p.valid[appended{at.Claim, at.Seq}] {
		w.Failf("node %d commits shard %d under claim %d, commit %d, which is not valid in the log", n.i, h.id, at.Claim, at.Seq)
	}
	w.Met.Commits++
	h.flight = false
	h.machine.Committed(w.clock(n))
}

func (w *World) open(n *node, h *hosted) {
	w.note("open", uint64(n.i), uint64(h.id))
	w.Met.Opened++
	m, err := w.program.Open(w, n.i, h.id, n.handlers, n.disk.store)
	w.Must(err, "open")
	h.machine = m
}

func (w *World) drop(n *node, h *hosted) {
	r, key := row.CopyRanges(h.id)
	var b storage.Batch
	journal.NewCopy(r).Begin(&b, key)
	w.Must(n.disk.commit(&b), "drop")
	h.whole = 0
}

func (w *World) beginCopy(n *node, h *hosted) {
	w.note("copy", uint64(n.i), uint64(h.id))
	w.drop(n, h)
	if w.partitions[h.id].start == 0 {
		w.run(n, h, h.owner.Copied(journal.Start(topic))) // the log has all of it
		return
	}
	r, _ := row.CopyRanges(h.id)
	h.copy = journal.NewCopy(r)
}

// source is a random node from which a shard can be copied.
func (w *World) source(n *node, id graph.ShardID) *node {
	from := w.nodes[w.rng.IntN(len(w.nodes))]
	if from == n || !from.runs() || from.cutPeers || n.cutPeers || from.shards[id].copy != nil || position(from.disk.store, id) == nil {
		return nil
	}
	return from
}

// copyRows copies some rows from a node: of one snapshot, with its position first.
func (w *World) copyRows(n *node, h *hosted) bool {
	if !n.runs() || h.copy == nil {
		return false
	}
	from := w.source(n, h.id)
	if from == nil {
		return false
	}
	if h.copy.From()[0] != w.shardRanges[h.id][0][0][0] || w.percent(10) {
		w.Met.BrokenCopies++ // another snapshot, in the middle
	}
	h.copy.Snapshot(*position(from.disk.store, h.id))
	h.whole = max(h.whole, from.shards[h.id].whole)
	w.note("snapshot", uint64(n.i), uint64(h.id), uint64(from.i), uint64(position(from.disk.store, h.id).Next))
	var b storage.Batch
	left := 1 + w.rng.IntN(20)
	for _, r := range w.shardRanges[h.id] {
		lower := r[0]
		if string(lower) < string(h.copy.From()) {
			lower = h.copy.From()
		}
		if string(lower) >= string(r[1]) {
			continue
		}
		err := from.disk.store.Iterate(lower, r[1], func(key, value []byte) error {
			if left--; left < 0 {
				return storage.ErrStop
			}
			return h.copy.Row(&b, key, value)
		})
		w.Must(err, "copy")
	}
	if left < 0 {
		w.Must(n.disk.commit(&b), "copy")
		return true
	}
	at, whole := h.copy.End()
	n.disk.put(&b, h.id, at)
	w.Must(n.disk.commit(&b), "copy")
	h.copy, h.whole = nil, max(whole, h.whole)
	w.Met.Copies++
	w.note("copied", uint64(n.i), uint64(h.id), uint64(at.Next))
	w.run(n, h, h.owner.Copied(at))
	return true
}

// step lets a machine prepare a batch, and appends it.
func (w *World) step(n *node, h *hosted) bool {
	if !n.runs() || h.machine == nil || h.flight {
		return false
	}
	var b *storage.Batch
	if h.yielding {
		if b = h.machine.Flush(w.clock(n)); b == nil {
			w.note("seal", uint64(n.i), uint64(h.id))
			w.Met.Sealed++
			w.close(h)
			w.run(n, h, h.owner.Seal(w.clock(n)))
			return true
		}
	} else if b = h.machine.Step(w.clock(n)); b == nil {
		return true
	}
	h.flight = true
	ops, count := b.Ops()
	w.run(n, h, h.owner.Commit(ops, count, w.clock(n)))
	return true
}

// read asks an owner: a strong read waits, a local one is answered at once or refused.
func (w *World) read(n *node, h *hosted) bool {
	m, ok := h.machine.(Reader)
	if !ok || h.owner.State() != journal.Owning {
		return false
	}
	if w.percent(50) {
		if h.owner.Fresh(w.clock(n)) {
			w.Met.LocalReads++
			m.Local()
		} else {
			w.Met.Stale++
		}
		return true
	}
	check := m.Strong()
	decided, do := h.owner.Strong(w.clock(n))
	h.reads = append(h.reads, waitingRead{decided, check})
	w.run(n, h, do)
	return true
}

func (w *World) answerReads(h *hosted) {
	if h.machine == nil {
		return
	}
	h.reads = slices.DeleteFunc(h.reads, func(r waitingRead) bool {
		if h.owner.Decided() < r.decided {
			return false
		}
		w.Met.StrongReads++
		r.check()
		return true
	})
}

// self is what a node says of itself.
func (w *World) self(n *node) *place.Node {
	s := &place.Node{Name: n.name, Zone: n.zone, Weight: n.weight, Boot: n.boot, Handlers: n.handlers}
	for _, h := range n.shards {
		if h.owner.Ready(w.clock(n)) {
			s.Copies.Set(h.id, true)
		}
	}
	return s
}

// gossip lets a node hear of some others.
func (w *World) gossip(n *node, share int) {
	if !n.runs() {
		return
	}
	for _, m := range w.nodes {
		switch reachable := m.runs() && (m == n || !m.cutPeers && !n.cutPeers); {
		case m == n:
			n.known[m.i] = w.self(m)
		case !w.percent(share):
		case reachable && (w.healed || !w.percent(2)):
			n.known[m.i] = w.self(m)
		default:
			if m.up && !m.cutPeers {
				w.Met.WrongViews++
			}
			n.known[m.i] = nil
		}
	}
	var alive []place.Node
	for _, known := range n.known {
		if known != nil {
			alive = append(alive, *known)
		}
	}
	n.view = n.view.With(alive, w.clock(n))
}

// tick lets a node place its shards and notice what time it is.
func (w *World) tick(n *node) {
	if !n.runs() || n.known[n.i] == nil {
		return
	}
	for _, h := range n.shards {
		stand := h.owner.Stand(w.clock(n))
		stand.Surplus = journal.Surplus(h.reports, w.owners(n, h.id), h.begins, w.clock(n))
		wish := place.Decide(h.id, &n.view, n.name, stand, w.clock(n))
		w.run(n, h, h.owner.Placed(wish, w.clock(n)))
		w.run(n, h, h.owner.Tick(w.clock(n)))
	}
}

func (w *World) owners(n *node, id graph.ShardID) (names []string) {
	for _, o := range place.Owners(id, &n.view, 2) {
		names = append(names, o.Name)
	}
	return names
}

// ask lets a node ask some others for their positions. Older answers of the rest stay.
func (w *World) ask(n *node, h *hosted) bool {
	if n.cutKafka {
		return false
	}
	h.begins = w.partitions[h.id].start
	for _, m := range w.nodes {
		if m != n && (!m.runs() || m.cutPeers || n.cutPeers) || !w.healed && w.percent(30) {
			continue
		}
		r := m.shards[h.id].owner.Report(position(m.disk.durable, h.id), w.clock(m))
		r.At = w.clock(n)
		h.reports = append(slices.DeleteFunc(h.reports, func(old journal.Report) bool { return old.Node == r.Node }), r)
	}
	w.run(n, h, h.owner.Heard(h.reports, w.owners(n, h.id), h.begins, w.clock(n)))
	return true
}

// trim deletes what copies hold.
func (w *World) trim(n *node, h *hosted) bool {
	if n.cutKafka || h.machine == nil {
		return false
	}
	p := w.partitions[h.id]
	if before, _ := journal.Trim(h.reports, journal.NoBackup, p.end(), w.clock(n)); before > p.start {
		w.note("trim", uint64(h.id), uint64(before))
		w.Met.Trims++
		p.start = before
	}
	return true
}

// compare compares the rows of a copy with what the valid log makes.
func (w *World) compare(n *node, h *hosted) bool {
	at := position(n.disk.store, h.id)
	if h.copy != nil || at == nil || at.Next < h.whole {
		return false
	}
	w.Met.Compared++
	if got, want := w.hash(n.disk.store, h.id), w.partitions[h.id].hashAt(at.Next); got != want {
		w.Failf("node %d: rows of shard %d at offset %d are not what the log says", n.i, h.id, at.Next)
	}
	return true
}
