package dedupe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/hashset"
)

// A Memory is the memory of duplicates of one shard: a set of keyed hashes of (source, message id), each remembered
// for at least the horizon after the event was received (S8).
//
//	Add ──► table (in memory) ──Flush──► "added" rows: the hashes added since the last Flush
//	              │
//	              └─ above its limit, oldest first ──► sorted run in the store + filter in memory
//
// Invariants:
//   - A hash is kept with its generation, an eighth of the horizon, and generations are forgotten whole: Expire
//     deletes ranges of rows and never searches for single hashes.
//   - The table may take a quarter of the limit, and the filters of runs take the rest: per hash, a filter needs a
//     tenth of the memory of the table. The table may exceed its quarter by the hashes added between two flushes,
//     and, while it grows, by half.
//   - A new run stays in memory until the next Flush, because only then is its commit known to be in the store.
//   - When the filters exceed their share, those of the oldest runs are dropped. Each Has then reads a block of such
//     a run, so these runs are merged (merge.go).
//
// After a crash the caller replays its log and adds the hashes again that it added since the last committed Flush:
// adding a hash twice changes nothing. One goroutine at a time uses a Memory.
//
// The obvious design, one row a hash, costs a random write for each event and a point read for each new one: 6–10 µs
// of processor time, against a third of a microsecond for a look-up in the table.
type Memory struct {
	rowStore
	table
	limit Limits
	width uint64 // of a generation, ms

	loaded  bool
	next    map[uint64]uint32 // number of the next "added" block, by generation
	runs    []sortedRun       // by generation, then number
	nextRun uint32
	merging *runMerge
	unswept bool // the store may hold blocks of a merge that a crash interrupted
}

// rowStore reads and writes the rows of one memory. Its buffers are reused, so a value is valid until the next call.
type rowStore struct {
	store storage.Store
	shard graph.ShardID
	base  rowKind // 0, or idRows: added to the kinds of rows
	key   []byte
	value []byte
}

// table holds the hashes of the newest generations in memory.
//   - Every hash in pending is in set, too, until Flush has written it.
//   - The tag of a hash is the index of its generation in tags. A tag is free again only after the hashes of its generation
//     have left set.
type table struct {
	set     hashset.Set // tag: index into tags
	tags    []generationTag
	pending []pendingHashes
}

// Limits bounds the memory of duplicates of one shard.
type Limits struct {
	Bytes   int64         // of main memory; default 16 MiB
	Horizon time.Duration // default 7 days; at least 8 ms
}

const defaultBytes = 16 << 20

// DefaultHorizon is how long a message id is remembered: longer than the retries of any known client.
const DefaultHorizon = 7 * 24 * time.Hour

// A hash is forgotten when all of its generation is older than the horizon. So it is remembered for up to an eighth
// longer than the horizon, and nine generations at most are alive. At 7 days a generation is 21 hours:
//
//	forgotten  │ horizon, 7 days                                        │
//	 …  g-9    │ g-8    g-7    g-6    g-5    g-4    g-3    g-2    g-1    g │ now
//	           └── alive: it may have hashes younger than 7 days
const generationsPerHorizon = 8

// generationTag is a generation with hashes in the table.
type generationTag struct {
	generation uint64
	live       bool
}

// pendingHashes are the hashes of one generation that no committed row holds yet. A crash loses them, and the caller
// replays the log that they came from (S8).
//
// The last one in table.pending is that of the newest hash, so that Add appends without a search.
type pendingHashes struct {
	generation uint64
	hashes     []uint64
}

// sortedRun is a sorted run in the store:
//
//	fences   h0          h512         h1024             in memory: the first hash of each block
//	blocks   h0 .. h511  h512 .. h1023  h1024 .. h1300    in the store, runBlock hashes each
//	filter   ten bits a hash                            in memory, and dropped if there is no room
//
// A look-up asks the filter, finds the block by the fences, and reads that block alone. entries, fences and filter are
// stored as the run's description, which makes it a run: blocks without one are left over from a merge.
type sortedRun struct {
	generation uint64
	number     uint32
	entries    int            // hashes
	fences     []uint64       // first hash of each block
	filter     hashset.Filter // nil if dropped or never built
	unwritten  []uint64       // its hashes, ascending, until the commit that writes them is known to be in the store
}

// New returns the memory of a shard. It reads nothing until its first use; see Load.
func New(store storage.Store, shard graph.ShardID, limit Limits) *Memory {
	if limit.Bytes <= 0 {
		limit.Bytes = defaultBytes
	}
	if limit.Horizon <= 0 {
		limit.Horizon = DefaultHorizon
	}
	limit.Horizon = max(limit.Horizon, generationsPerHorizon*time.Millisecond)
	width := uint64(limit.Horizon.Milliseconds()) / generationsPerHorizon
	return &Memory{
		rowStore: rowStore{store: store, shard: shard}, table: table{set: hashset.NewTagged()},
		limit: limit, width: width, next: map[uint64]uint32{},
	}
}

// NewIDs returns the memory of the message ids that belong to a shard. It works like New's, and has rows of its own.
func NewIDs(store storage.Store, shard graph.ShardID, limit Limits) *Memory {
	s := New(store, shard, limit)
	s.base = idRows
	return s
}

func (s *Memory) generation(now int64) uint64 { return uint64(max(now, 0)) / s.width }

// Has reports whether h was added within the horizon. It fails if the store does. It asks the table first and then the
// runs, the newest first: a duplicate mostly comes soon after its first copy. A new hash costs no read but where a
// filter errs or was dropped.
func (s *Memory) Has(h uint64) (bool, error) {
	if !s.loaded {
		if err := s.Load(); err != nil {
			return false, err
		}
	}
	if s.set.Has(h) {
		return true, nil
	}
	for i := len(s.runs) - 1; i >= 0; i-- {
		run := &s.runs[i]
		if run.unwritten != nil {
			if _, has := slices.BinarySearch(run.unwritten, h); has {
				return true, nil
			}
			continue
		}
		if run.filter == nil || run.filter.MayHave(h) {
			if has, err := s.runHas(run, h); has || err != nil {
				return has, err
			}
		}
	}
	return false, nil
}

// Add remembers h, the hash of an event received at now (ms since 1970 UTC).
func (s *Memory) Add(h uint64, now int64) {
	generation := s.generation(now)
	if !s.set.Add(h, s.tag(generation)) {
		return
	}
	if n := len(s.pending); n == 0 || s.pending[n-1].generation != generation {
		s.pendingOf(generation)
	}
	last := &s.pending[len(s.pending)-1]
	if n := len(last.hashes); n == cap(last.hashes) {
		last.hashes = slices.Grow(last.hashes, max(n, hashesFirst)) // append grows long lists by a quarter
	}
	last.hashes = append(last.hashes, h)
}

// hashesFirst is how many pending hashes there is room for at first.
const hashesFirst = 64

// pendingOf moves the pending hashes of a generation to the end of s.pending, where Add appends.
func (t *table) pendingOf(generation uint64) {
	for i := range t.pending {
		if t.pending[i].generation == generation {
			last := len(t.pending) - 1
			t.pending[i], t.pending[last] = t.pending[last], t.pending[i]
			return
		}
	}
	t.pending = append(t.pending, pendingHashes{generation: generation})
}

// tag returns the tag of a generation, new or existing. There are 256; about ten are in use. If a clock ran wild and
// used all of them, the newest generation takes the hashes: they are remembered at least as long.
func (t *table) tag(generation uint64) uint8 {
	free, newest := -1, 0
	for i := range t.tags {
		switch {
		case !t.tags[i].live:
			free = i
		case t.tags[i].generation == generation:
			return uint8(i)
		case t.tags[i].generation > t.tags[newest].generation:
			newest = i
		}
	}
	switch {
	case free >= 0:
		t.tags[free] = generationTag{generation: generation, live: true}
		return uint8(free)
	case len(t.tags) < 256:
		t.tags = append(t.tags, generationTag{generation: generation, live: true})
		return uint8(len(t.tags) - 1)
	}
	t.tags[newest].generation = max(t.tags[newest].generation, generation)
	return uint8(newest)
}

// Flush writes the hashes added since the last Flush to the batch, and moves the oldest generations to the store if
// the table exceeds its limit. Call it in the commit that deletes the log from which the hashes could be added again,
// and not again before that commit has returned.
//
// The steps are in this order for a reason. Runs of the last Flush are in the store by now, so reads may go to the
// store. A sweep must see no number of a new run. Spilling comes before the rest is written, as hashes that went to
// a run need no "added" row.
func (s *Memory) Flush(b *storage.Batch) error {
	if err := s.Load(); err != nil {
		return err
	}
	for i := range s.runs {
		s.runs[i].unwritten = nil
	}
	if s.unswept {
		s.sweepMerges(b)
	}
	if s.set.Bytes() > s.limit.Bytes/4 {
		for s.set.Bytes() > s.limit.Bytes/8 && s.set.Len() > 0 {
			s.spillOldest(b)
		}
		s.dropFilters()
	}
	if err := s.merge(b); err != nil {
		return err
	}
	for i := range s.pending {
		p := &s.pending[i]
		for block := range slices.Chunk(p.hashes, addedBlock) {
			key := rowKey{shard: s.shard, kind: addedRow, generation: p.generation, block: s.next[p.generation]}
			s.next[p.generation]++
			s.value = appendBlock(s.value[:0], block)
			s.put(b, key, s.value)
		}
		p.hashes = p.hashes[:0]
	}
	// Keep one buffer for the current generation; drop those of older generations and large ones.
	if n := len(s.pending); n > 0 {
		s.pending = append(s.pending[:0], s.pending[n-1])
		if cap(s.pending[0].hashes) > 1<<16 {
			s.pending[0].hashes = nil
		}
	}
	return nil
}

// Expire forgets the generations that ended more than the horizon before now (ms since 1970 UTC), and deletes their
// rows in the batch.
//
// Mostly nothing has expired, and then no row is touched: a range deletion is not free. A merge of the old
// generation ends without a trace, since the ranges include the blocks that it has written.
func (s *Memory) Expire(now int64, b *storage.Batch) error {
	if err := s.Load(); err != nil {
		return err
	}
	end := s.generation(now - s.limit.Horizon.Milliseconds()) // the first that stays
	old := func(generation uint64) bool { return generation < end }
	found := slices.ContainsFunc(s.runs, func(r sortedRun) bool { return old(r.generation) })
	for i := range s.tags {
		found = found || s.tags[i].live && old(s.tags[i].generation)
	}
	if !found {
		return nil
	}
	s.set.Remove(func(tag uint8) bool { return old(s.tags[tag].generation) }, func(uint64) {})
	for i := range s.tags {
		s.tags[i].live = s.tags[i].live && !old(s.tags[i].generation)
	}
	s.pending = slices.DeleteFunc(s.pending, func(p pendingHashes) bool { return old(p.generation) })
	maps.DeleteFunc(s.next, func(generation uint64, _ uint32) bool { return old(generation) })
	s.runs = slices.DeleteFunc(s.runs, func(r sortedRun) bool { return old(r.generation) })
	if s.merging != nil && old(s.merging.to.generation) {
		s.merging = nil
	}
	for kind := addedRow; kind < rowKinds; kind++ {
		s.deleteRows(b, kind, 0, end)
	}
	return nil
}

// Load reads the rows of earlier flushes. The other methods call it when they need it; a second call has no effect.
// It fails if the store does, and with ErrCorrupt.
func (s *Memory) Load() error {
	if s.loaded {
		return nil
	}
	if err := s.loadAdded(); err != nil {
		return err
	}
	if err := s.loadRuns(); err != nil {
		return err
	}
	s.loaded = true
	return nil
}

// SetBytes changes how much main memory it may take, from the next write on. 0 is the default.
func (s *Memory) SetBytes(bytes int64) { s.limit.Bytes = cmp.Or(max(bytes, 0), defaultBytes) }

// Bytes returns the main memory in use.
func (s *Memory) Bytes() int64 {
	n := s.set.Bytes()
	for i := range s.pending {
		n += int64(cap(s.pending[i].hashes)) * 8
	}
	for i := range s.runs {
		n += int64(len(s.runs[i].fences)+len(s.runs[i].filter)+len(s.runs[i].unwritten)) * 8
	}
	if s.merging != nil {
		n += int64(len(s.merging.to.fences)) * 8
	}
	return n
}

func (r *rowStore) put(b *storage.Batch, key rowKey, value []byte) {
	key.kind += r.base
	r.key = key.append(r.key[:0])
	b.Set(r.key, value)
}

// deleteRows deletes the rows of a kind with from <= generation < end, by one range: no row is read.
func (r *rowStore) deleteRows(b *storage.Batch, kind rowKind, from, end uint64) {
	kind += r.base
	r.key = rowKey{shard: r.shard, kind: kind, generation: from}.append(r.key[:0])
	n := len(r.key)
	r.key = rowKey{shard: r.shard, kind: kind, generation: end}.append(r.key)
	b.DeleteRange(r.key[:n], r.key[n:])
}

// spillOldest moves the oldest generation of the table to a sorted run, and deletes its "added" rows in the same batch:
// a start would otherwise take them into the table again. REQUIRES: a generation has hashes in the table
func (s *Memory) spillOldest(b *storage.Batch) {
	oldest := -1
	for i := range s.tags {
		if s.tags[i].live && (oldest < 0 || s.tags[i].generation < s.tags[oldest].generation) {
			oldest = i
		}
	}
	generation := s.tags[oldest].generation
	var hashes []uint64
	s.set.Remove(func(tag uint8) bool { return int(tag) == oldest }, func(h uint64) { hashes = append(hashes, h) })
	s.tags[oldest].live = false
	s.deleteRows(b, addedRow, generation, generation+1)
	delete(s.next, generation)
	s.pending = slices.DeleteFunc(s.pending, func(p pendingHashes) bool { return p.generation == generation })
	if len(hashes) > 0 {
		s.writeRun(b, generation, hashes)
	}
}

// dropFilters drops filters, the oldest first, until the others fit into three quarters of the limit. Each
// look-up of a new hash then costs a read for every run without a filter, until merges make these few.
func (s *Memory) dropFilters() {
	room := s.limit.Bytes / 4 * 3
	for i := len(s.runs) - 1; i >= 0; i-- {
		if room -= int64(len(s.runs[i].filter)) * 8; room < 0 {
			s.runs[i].filter = nil
		}
	}
}

func compareRuns(a, b sortedRun) int {
	return cmp.Or(cmp.Compare(a.generation, b.generation), cmp.Compare(a.number, b.number))
}

func (r *rowStore) corrupt(err error) error {
	return storage.Corrupt("read", fmt.Sprintf("memory of duplicates of shard %d", r.shard), err)
}
