package dedupe

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/storage"
)

// Runs are merged once some of them have lost their filters: such a run costs a read for every hash that is looked
// up, and without merges their number would grow as long as new hashes come. With merges, a generation has few:
// mergeLeast and the logarithm of its size.
//
//	Flush 1 ... n-1   writes mergeBlocks blocks of the new run each, with the next hashes of the old runs
//	Flush n           writes the last blocks and the description, which makes it a run
//	Flush n+1         deletes the rows of the old runs: the new run is known to be in the store
//
// Has uses the old runs until then, so the merge keeps only its position in memory. A crash leaves blocks without a
// description, which the first Flush after it deletes, or both the new run and the old ones, which hold the same
// hashes and are merged again.

const (
	mergeLeast  = 8 // runs at a time
	mergeBlocks = 8 // blocks of a run that one Flush writes: 32 KiB
)

// runMerge is a merge under way. It lives in memory only: a crash drops it, and another merge begins.
type runMerge struct {
	from   []mergeSource
	to     sortedRun // without filter
	merged bool      // the last Flush wrote its description
}

// mergeSource is the read position in a run.
//
// Between two flushes it keeps the position alone, and reads the block again: for eight or more runs at 4 KiB each,
// that is the cheaper side, as a Flush comes once for each truncation of the log.
type mergeSource struct {
	run      *sortedRun
	block    uint32 // of the next hash
	at       int    // the position of that hash in the block
	hashes   hashBlock
	buffer   []byte
	finished bool
}

// merge continues the merge under way, or begins one if it is worthwhile.
func (s *Memory) merge(b *storage.Batch) error {
	if s.merging != nil && s.merging.merged {
		s.endMerge(b)
	}
	if s.merging == nil {
		s.beginMerge()
	}
	if s.merging == nil {
		return nil
	}
	return s.goOnMerging(b)
}

// sweepMerges deletes the output of merges that a crash interrupted: blocks with a number that no run has. Only a
// generation with enough runs to merge can have such blocks. It is called before runs get new numbers.
func (s *Memory) sweepMerges(b *storage.Batch) {
	s.unswept = false
	for start := 0; start < len(s.runs); {
		end, generation := start, s.runs[start].generation
		for end < len(s.runs) && s.runs[end].generation == generation {
			end++
		}
		runs := s.runs[start:end]
		if start = end; len(runs) < mergeLeast {
			continue
		}
		from := uint32(0)
		for i := range runs {
			if from < runs[i].number {
				s.deleteRuns(b, runRow, generation, from, runs[i].number)
			}
			from = runs[i].number + 1
		}
		s.deleteRuns(b, runRow, generation, from, 0)
	}
}

// deleteRuns deletes the rows of one kind for the runs from ≤ number < to of a generation; to = 0 means all from there
// on.
func (r *rowStore) deleteRuns(b *storage.Batch, kind rowKind, generation uint64, from, to uint32) {
	upper := rowKey{shard: r.shard, kind: r.base + kind, generation: generation, run: to}
	if to == 0 {
		upper.generation++
	}
	r.key = rowKey{shard: r.shard, kind: r.base + kind, generation: generation, run: from}.append(r.key[:0])
	n := len(r.key)
	r.key = upper.append(r.key)
	b.DeleteRange(r.key[:n], r.key[n:])
}

// beginMerge searches for runs of one generation that are cheap to merge: the smallest ones, as long as none is
// larger than all before it together. Each hash is therefore written at most as often as the logarithm of the
// generation's size.
func (s *Memory) beginMerge() {
	if !slices.ContainsFunc(s.runs, func(r sortedRun) bool { return r.filter == nil && r.unwritten == nil }) {
		return
	}
	var best []*sortedRun
	for start := 0; start < len(s.runs); {
		end := start
		var runs []*sortedRun // of one generation
		for ; end < len(s.runs) && s.runs[end].generation == s.runs[start].generation; end++ {
			if s.runs[end].unwritten == nil {
				runs = append(runs, &s.runs[end])
			}
		}
		start = end
		slices.SortStableFunc(runs, func(a, b *sortedRun) int { return cmp.Compare(len(a.fences), len(b.fences)) })
		n, blocks := 0, 0
		for i, r := range runs {
			if len(r.fences) <= max(blocks, len(runs[0].fences)) {
				n = i + 1
			}
			blocks += len(r.fences)
		}
		if n >= mergeLeast && n > len(best) {
			best = runs[:n]
		}
	}
	if best == nil {
		return
	}
	m := &runMerge{to: sortedRun{generation: best[0].generation, number: s.nextRun}}
	s.nextRun++
	for _, r := range best {
		copied := *r // because append to s.runs may move r
		copied.filter = nil
		m.from = append(m.from, mergeSource{run: &copied})
	}
	s.merging = m
}

// goOnMerging writes the next blocks of the new run.
func (s *Memory) goOnMerging(b *storage.Batch) error {
	m := s.merging
	key := rowKey{shard: s.shard, kind: runRow, generation: m.to.generation, run: m.to.number, block: uint32(len(m.to.fences))}
	block := make([]uint64, 0, runBlock)
	for range mergeBlocks {
		for len(block) < runBlock {
			h, ok, err := s.nextMerged(m)
			if err != nil {
				return err
			}
			if !ok {
				m.merged = true
				break
			}
			block = append(block, h)
		}
		if len(block) > 0 {
			m.to.entries += len(block)
			m.to.fences = append(m.to.fences, block[0])
			s.value = appendBlock(s.value[:0], block)
			s.put(b, key, s.value)
			key.block++
			block = block[:0]
		}
		if m.merged {
			s.describe(b, &m.to)
			break
		}
	}
	for i := range m.from { // keep no block in memory between two flushes
		m.from[i].hashes, m.from[i].buffer = nil, nil
	}
	return nil
}

// nextMerged takes the least hash of all unfinished runs from each run that has it.
//
// Equal hashes of several runs become one. Each call looks at all runs, twice: a heap would be faster for many, and
// there are few.
func (s *Memory) nextMerged(m *runMerge) (least uint64, ok bool, err error) {
	for i := range m.from {
		from := &m.from[i]
		if from.finished {
			continue
		}
		if from.hashes == nil {
			if err := s.readMerged(from); err != nil {
				return 0, false, err
			}
		}
		if h := from.hashes.at(from.at); !ok || h < least {
			least, ok = h, true
		}
	}
	for i := range m.from {
		from := &m.from[i]
		if from.finished || from.hashes.at(from.at) != least {
			continue
		}
		if from.at++; from.at == from.hashes.len() {
			from.at, from.hashes = 0, nil
			from.block++
			from.finished = int(from.block) == len(from.run.fences)
		}
	}
	return least, ok, nil
}

// readMerged reads the block that holds the next hash of a run.
func (r *rowStore) readMerged(from *mergeSource) error {
	var err error
	from.buffer, from.hashes, err = r.readRun(from.buffer, from.run, int(from.block))
	if err == nil && from.at >= from.hashes.len() {
		err = r.corrupt(fmt.Errorf("block %d of run %d has %d hashes, and had more", from.block, from.run.number, from.hashes.len()))
	}
	return err
}

// readRun reads a block of a run into a buffer.
func (r *rowStore) readRun(buffer []byte, run *sortedRun, block int) ([]byte, hashBlock, error) {
	key := rowKey{shard: r.shard, kind: r.base + runRow, generation: run.generation, run: run.number, block: uint32(block)}
	r.key = key.append(r.key[:0])
	buffer, err := r.store.Get(buffer[:0], r.key)
	if err != nil {
		if errors.Is(err, storage.ErrNotFound) {
			err = r.corrupt(fmt.Errorf("block %d of run %d is missing", block, run.number))
		}
		return buffer, nil, err
	}
	hashes, err := decodeBlock(buffer, runBlock)
	if err != nil {
		return buffer, nil, r.corrupt(err)
	}
	return buffer, hashes, nil
}

// endMerge replaces the old runs by the new one, which is in the store, and deletes the rows of the old ones. A crash
// before this batch is durable leaves both, which hold the same hashes.
func (s *Memory) endMerge(b *storage.Batch) {
	m := s.merging
	s.merging = nil
	old := func(r *sortedRun) bool {
		return r.generation == m.to.generation && slices.ContainsFunc(m.from, func(from mergeSource) bool { return from.run.number == r.number })
	}
	s.runs = slices.DeleteFunc(s.runs, func(r sortedRun) bool { return old(&r) })
	for i := range m.from {
		for _, kind := range []rowKind{runRow, filterRow} {
			s.deleteRuns(b, kind, m.to.generation, m.from[i].run.number, m.from[i].run.number+1)
		}
	}
	s.runs = append(s.runs, m.to)
	slices.SortFunc(s.runs, compareRuns)
}
