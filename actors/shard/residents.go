package shard

import (
	"errors"
	"iter"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/hashset"
	"github.com/kindred-id/kindred/storage/row"
)

// residents are the nodes of a shard that are in memory: read from their rows when they are first needed, and passivated when
// they take more memory than they may.
//
// Invariants:
//   - A resident is ahead of its row from dirtySince on, and in the dirty queue for as long. Only a resident whose row
//     lacks nothing leaves memory, and only once that row is durable.
//   - A root has an actor from before its first message until it becomes a forward or leaves.
//   - A forward that leaves tells the outbox of its parent which message may carry its evidence: a look-up must go on to
//     wait for it (A10).
//
// Rows are written in the step, nodes leave after its commit, so a shard at its limit is above it by what one step adds.
//
// The life of a resident; the step writes rows, the commit lets residents go:
//
//	node, load ──► clean ──touch──► dirty, in the queue ──checkpoint.write──► clean, its row in the batch
//	                 ▲                                                          │ committed
//	                 └── needed still ◄─────────────────────────────────────────┴──► passivate: gone
//
// The obvious design, to drop what was used least recently at once when memory is full, needs a row that is durable
// at that moment: it would write in the middle of a step, or wait for a commit in it.
type residents struct {
	nodeTable
	id       graph.ShardID
	store    storage.Store
	host     Host
	limit    int64 // bytes
	dec      *row.Decoder
	channels *channels
	index    nodeIndex
	dirty    dirtyQueue
	leaving  []*resident // what excess has found, until it is durable
}

// node finds a node, in memory or in the store; one that was never seen is made.
func (rs *residents) node(key graph.NodeKey) (*resident, error) {
	if r := rs.get(key); r != nil {
		r.used = true
		return r, nil
	}
	r := &resident{Node: graph.Node{Key: key}, used: true}
	stored, err := rs.load(r)
	if err != nil {
		return nil, err
	}
	if !stored {
		rs.index.made(key)
	}
	rs.add(r)
	if r.Component != nil {
		rs.start(r)
		r.evidence = r.Component.Breadth()
	}
	return r, nil
}

// peek finds a node without making one; nil when it was never seen.
//
// A look-up must not make nodes: anybody may ask for identifiers that were never seen, and each would take memory
// and a place in the index. A stored node is read twice, once to see that it exists, which only a look-up of a node
// that is not in memory pays for.
func (rs *residents) peek(key graph.NodeKey) (*resident, error) {
	if r := rs.get(key); r == nil {
		stored, err := rs.load(&resident{Node: graph.Node{Key: key}})
		if err != nil || !stored {
			return nil, err
		}
	}
	return rs.node(key)
}

// load reads a node's row, if it has one.
func (rs *residents) load(r *resident) (bool, error) {
	if !rs.index.mayHave(r.Key) {
		return false, nil
	}
	n, applied, err := rs.dec.GetNode(rs.store, rs.id, r.Key)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	r.Node, r.applied, r.handed = *n, applied, applied
	return true, nil
}

// touch notes that a node's row is about to lack a record.
func (rs *residents) touch(r *resident, record uint64) {
	if r.dirtySince == 0 {
		r.dirtySince = record
		rs.dirty.push(r)
	}
}

// grown brings the estimate of a root's memory up to date, where it has grown or shrunk by much.
//
// To measure a component walks over all of its members, and a large one grows by one event at a time. So it is
// measured when its number of members and links has changed by enough to matter, and not by every step.
func (rs *residents) grown(r *resident) {
	if n := r.Component.Breadth(); n != r.evidence && r.Component.Outgrew(r.evidence) {
		r.evidence = n
		rs.measure(r)
	}
}

// handle lets a node take a message. Roots take it in their identity actors; a node that was never seen and becomes a root
// gets its actor, and one that becomes a forward loses it.
func (rs *residents) handle(r *resident, m *graph.Message, rules *graph.Rules, out *graph.Outbox) error {
	if r.Component == nil {
		unseen := r.Parent.IsZero()
		if err := r.Handle(m, rules, out); err != nil {
			return err
		}
		if unseen && r.Component != nil {
			rs.start(r)
		}
	} else if err := rs.host.Handle(r.actor, &r.Node, m, out); err != nil {
		return err
	}
	if r.Component == nil && r.actor != nil {
		rs.stop(r)
		rs.measure(r)
	}
	return nil
}

// start gives a root its actor.
func (rs *residents) start(r *resident) { r.actor = rs.host.Start(&r.Node) }

// stop ends a node's actor.
func (rs *residents) stop(r *resident) {
	rs.host.Stop(r.actor)
	r.actor = nil
}

// evictionsPerCommit bounds how many nodes one commit makes room of. It is above what a step may add, or memory would
// grow for as long as new visitors come.
const evictionsPerCommit = 2 * StepInputs

// excess finds the nodes that are to be passivated, once the rows that the caller writes of them are durable.
//
// It may yield a node that the caller need not write, since its row lacks nothing. The node is in leaving all the
// same.
func (rs *residents) excess() iter.Seq[*resident] {
	return func(yield func(*resident) bool) {
		clear(rs.leaving)
		rs.leaving = rs.leaving[:0]
		over := rs.bytes - rs.limit
		for n := 0; over > 0 && n < evictionsPerCommit; n++ {
			r := rs.candidate()
			if r == nil {
				return
			}
			over -= residentBytes + int64(r.size)
			if !yield(r) {
				return
			}
			rs.leaving = append(rs.leaving, r)
		}
	}
}

// passivate drops residents that memory has no room for. Only clean ones go: their rows are durable.
//
// A node in leaving stays after all if memory is below its limit by now. The second loop looks for clean nodes that
// excess did not find, and looks at no more candidates than there are residents.
func (rs *residents) passivate() {
	for _, r := range rs.leaving { // the clock's hand has passed them, and would come back only after all others
		if rs.bytes > rs.limit && r.dirtySince == 0 && rs.get(r.Key) == r {
			rs.drop(r)
		}
	}
	clear(rs.leaving)
	rs.leaving = rs.leaving[:0]
	for turns := len(rs.ring); rs.bytes > rs.limit && turns > 0; turns-- {
		r := rs.candidate()
		if r == nil {
			return
		}
		if r.dirtySince != 0 {
			continue
		}
		rs.drop(r)
	}
}

func (rs *residents) drop(r *resident) {
	if r.Component != nil {
		rs.stop(r)
	}
	if r.moved > 0 {
		rs.channels.to(r.Parent).noteMoved(r.Parent, r.moved)
	}
	rs.remove(r)
}

// clear forgets all residents. The index of stored nodes stays true: too much of it only costs a read.
func (rs *residents) clear() {
	for _, r := range rs.ring {
		if r.actor != nil { // a handler that failed may have left a root without one, or a forward with one
			rs.stop(r)
		}
	}
	rs.nodeTable, rs.dirty, rs.leaving = newNodeTable(), dirtyQueue{}, nil
}

// nodeIndex has a fingerprint of each node that has a row, so that a new node costs no read: mayHave errs on the side of a read,
// never of a missed row. The fingerprints are gathered while the shard works already. Until then the store is asked about every
// node that is not in memory, and fresh lists the nodes made meanwhile, which the scan may or may not have passed.
//
// The scan of rows goes on while the shard makes nodes. Such a node may be found by the scan or not, by where the
// scan stands when its row is written. It is in fresh in any case, and to add it twice does no harm.
type nodeIndex struct {
	rows  *hashset.Fingerprints
	fresh []graph.NodeKey
}

// mayHave reports whether a node may have a row.
func (x *nodeIndex) mayHave(key graph.NodeKey) bool { return x.rows == nil || x.rows.Has(key) }

// made notes a node that will have a row.
func (x *nodeIndex) made(key graph.NodeKey) {
	if x.rows != nil {
		x.rows.Add(key)
	} else {
		x.fresh = append(x.fresh, key)
	}
}

// gathered takes the nodes that have had a row.
func (x *nodeIndex) gathered(rows *hashset.Fingerprints) {
	for _, key := range x.fresh {
		rows.Add(key)
	}
	x.rows, x.fresh = rows, nil
}

// dirtyQueue holds nodes whose rows lack records, in the order in which they began to. An entry
// whose node has been written since is passed over.
//
// An entry has the record at which its node became dirty. The node may be written and become dirty again: it is
// then in the queue twice, and since tells the old entry from the new one. To remove the old entry at once would
// need a search, or a place of each node in the queue.
type dirtyQueue struct {
	entries []dirtyEntry
}

type dirtyEntry struct {
	r     *resident
	since uint64
}

func (q *dirtyQueue) push(r *resident) { q.entries = append(q.entries, dirtyEntry{r, r.dirtySince}) }

// head is the node that has been dirty for the longest; nil when none is.
func (q *dirtyQueue) head() *resident {
	for len(q.entries) > 0 {
		if e := q.entries[0]; e.r.dirtySince == e.since {
			return e.r
		}
		q.pop()
	}
	q.entries = nil
	return nil
}

func (q *dirtyQueue) pop() {
	q.entries[0] = dirtyEntry{}
	q.entries = q.entries[1:]
}

// residentBytes is what a resident takes beside its component: itself, its place in the map and
// the clock, and for a root its actor.
const (
	residentBytes = 232
	actorBytes    = 640
)

// nodeTable holds the residents of a shard and finds those to passivate: a clock, whose hand
// passes over what was used since its last turn.
//
// The clock costs a bit for each use, where a list in the order of use would move an entry for every message. byKey
// and ring hold the same residents; a resident knows its place in ring, so that the last one can take the place of
// one that leaves.
type nodeTable struct {
	byKey map[graph.NodeKey]*resident
	ring  []*resident
	hand  int
	bytes int64
}

func newNodeTable() nodeTable { return nodeTable{byKey: make(map[graph.NodeKey]*resident)} }

func (t *nodeTable) get(key graph.NodeKey) *resident { return t.byKey[key] }

func (t *nodeTable) add(r *resident) {
	t.byKey[r.Key] = r
	r.ring = len(t.ring)
	t.ring = append(t.ring, r)
	t.bytes += residentBytes
	t.measure(r)
}

// remove forgets a resident. REQUIRES: its actor was stopped.
func (t *nodeTable) remove(r *resident) {
	delete(t.byKey, r.Key)
	last := len(t.ring) - 1
	t.ring[r.ring] = t.ring[last]
	t.ring[r.ring].ring = r.ring
	t.ring[last] = nil
	t.ring = t.ring[:last]
	t.bytes -= residentBytes + int64(r.size)
}

// measure brings the estimate of a resident's memory up to date.
func (t *nodeTable) measure(r *resident) {
	size := 0
	if r.Component != nil {
		size = actorBytes + r.Component.Size() + r.Told.Size()
	}
	t.bytes += int64(size - r.size)
	r.size = size
}

// candidate moves the hand to the next resident that was not used since its last turn; nil when it
// went all the way round twice.
func (t *nodeTable) candidate() *resident {
	for range 2 * len(t.ring) {
		if t.hand >= len(t.ring) {
			t.hand = 0
		}
		r := t.ring[t.hand]
		t.hand++
		if !r.used {
			return r
		}
		r.used = false
	}
	return nil
}
