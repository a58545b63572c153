package dedupe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/hashset"
)

// Rows of the memory of duplicates:
//
//	added, run   | version 1 B | hash 8 B | hash 8 B | ...
//	filter       | version 1 B | part of the description, at most 256 KiB |
//
// The hashes of a run ascend, across blocks as well. The description of a run, with its parts joined:
//
//	| entries 8 B | blocks 4 B | fence 8 B a block | filter word 8 B ... |
//
// A merged run has no filter, and the parts of its description have version 2.
const (
	rowVersion  = 1
	bareVersion = 2
	addedBlock  = 4096 // hashes
	runBlock    = 512  // hashes: the unit that one filter miss reads
	filterPart  = 256 << 10
)

func appendBlock(b []byte, hashes []uint64) []byte {
	b = append(b, rowVersion)
	for _, h := range hashes {
		b = binary.BigEndian.AppendUint64(b, h)
	}
	return b
}

// hashBlock is a block that is checked and not yet decoded: a search in it reads at most ten of its hashes, and
// decoding all of them would cost more than that.
type hashBlock []byte

func (h hashBlock) len() int        { return len(h) / 8 }
func (h hashBlock) at(i int) uint64 { return binary.BigEndian.Uint64(h[i*8:]) }

// decodeBlock rejects a block that appendBlock can't have written, or with more than most hashes.
func decodeBlock(b []byte, most int) (hashBlock, error) {
	switch {
	case len(b) == 0 || b[0] != rowVersion:
		return nil, fmt.Errorf("block of %d bytes is not of version %d", len(b), rowVersion)
	case len(b) == 1 || len(b)%8 != 1 || len(b)/8 > most:
		return nil, fmt.Errorf("block of %d bytes: want 1 to %d hashes", len(b), most)
	}
	return hashBlock(b[1:]), nil
}

// decodeRun decodes a block and also rejects hashes that don't ascend.
func decodeRun(b []byte) (hashBlock, error) {
	hashes, err := decodeBlock(b, runBlock)
	if err != nil {
		return nil, err
	}
	for i := 1; i < hashes.len(); i++ {
		if hashes.at(i-1) >= hashes.at(i) {
			return nil, errors.New("hashes of a run don't ascend")
		}
	}
	return hashes, nil
}

func appendDescription(b []byte, entries int, fences []uint64, f hashset.Filter) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(entries))
	b = binary.BigEndian.AppendUint32(b, uint32(len(fences)))
	for _, h := range fences {
		b = binary.BigEndian.AppendUint64(b, h)
	}
	for _, w := range f {
		b = binary.BigEndian.AppendUint64(b, w)
	}
	return b
}

func decodeDescription(version byte, b []byte) (entries int, fences []uint64, f hashset.Filter, err error) {
	if len(b) < 12 {
		return 0, nil, nil, fmt.Errorf("description of a run of %d bytes", len(b))
	}
	count, blocks := binary.BigEndian.Uint64(b), int(binary.BigEndian.Uint32(b[8:]))
	b = b[12:]
	// The row holds a fence for each block, so a number that passes this check can't make newFilter allocate much.
	if count == 0 || count > uint64(len(b))/8*runBlock || uint64(blocks) != (count+runBlock-1)/runBlock {
		return 0, nil, nil, fmt.Errorf("description of a run: %d entries in %d blocks, %d bytes", count, blocks, len(b))
	}
	entries = int(count)
	if version == rowVersion {
		if entries > len(b) { // the filter has 10 bits an entry
			return 0, nil, nil, fmt.Errorf("description of a run: %d entries, %d bytes", entries, len(b))
		}
		f = hashset.NewFilter(entries)
	}
	if len(b) != 8*(blocks+len(f)) {
		return 0, nil, nil, fmt.Errorf("description of a run: %d bytes for %d blocks and %d words", len(b), blocks, len(f))
	}
	fences = make([]uint64, blocks)
	for i := range fences {
		fences[i] = binary.BigEndian.Uint64(b[8*i:])
	}
	if !slices.IsSorted(fences) {
		return 0, nil, nil, errors.New("description of a run: fences don't ascend")
	}
	for i := range f {
		f[i] = binary.BigEndian.Uint64(b[8*(blocks+i):])
	}
	return entries, fences, f, nil
}

// writeRun sorts the hashes, writes them as a sorted run, and keeps its filter and fences.
func (s *Memory) writeRun(b *storage.Batch, generation uint64, hashes []uint64) {
	slices.Sort(hashes)
	run := sortedRun{generation: generation, number: s.nextRun, entries: len(hashes), filter: hashset.NewFilter(len(hashes)), unwritten: hashes}
	s.nextRun++
	key := rowKey{shard: s.shard, kind: runRow, generation: generation, run: run.number}
	for block := range slices.Chunk(hashes, runBlock) {
		run.fences = append(run.fences, block[0])
		s.value = appendBlock(s.value[:0], block)
		s.put(b, key, s.value)
		key.block++
	}
	for _, h := range hashes {
		run.filter.Add(h)
	}
	s.describe(b, &run)
	s.runs = append(s.runs, run)
	slices.SortFunc(s.runs, compareRuns)
}

// describe writes the description of a run.
func (r *rowStore) describe(b *storage.Batch, run *sortedRun) {
	version := byte(rowVersion)
	if run.filter == nil {
		version = bareVersion
	}
	key := rowKey{shard: r.shard, kind: filterRow, generation: run.generation, run: run.number}
	for part := range slices.Chunk(appendDescription(nil, run.entries, run.fences, run.filter), filterPart) {
		r.value = append(append(r.value[:0], version), part...)
		r.put(b, key, r.value)
		key.block++
	}
}

// runHas reads the one block of a run that may hold h: the last whose fence is not above h. A missing or a damaged
// block is an error and not "no", which would let a duplicate in.
func (r *rowStore) runHas(run *sortedRun, h uint64) (bool, error) {
	block, exact := slices.BinarySearch(run.fences, h)
	if !exact {
		block--
	}
	if block < 0 {
		return false, nil
	}
	var hashes hashBlock
	var err error
	if r.value, hashes, err = r.readRun(r.value, run, block); err != nil {
		return false, err
	}
	lo, hi := 0, hashes.len()
	for lo < hi {
		mid := (lo + hi) / 2
		if hashes.at(mid) < h {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < hashes.len() && hashes.at(lo) == h, nil
}

func (r *rowStore) iterate(kind rowKind, fn func(key rowKey, value []byte) error) error {
	kind += r.base
	lower := rowKey{shard: r.shard, kind: kind}.append(nil)
	upper := rowKey{shard: r.shard, kind: kind + 1}.append(nil)
	return r.store.Iterate(lower, upper, func(key, value []byte) error {
		k, err := parseKey(key)
		if err == nil {
			err = fn(k, value)
		}
		if err != nil {
			return r.corrupt(err)
		}
		return nil
	})
}

// loadAdded reads the "added" rows into the table, with the generations that their keys name.
func (s *Memory) loadAdded() error {
	return s.iterate(addedRow, func(key rowKey, value []byte) error {
		hashes, err := decodeBlock(value, addedBlock)
		if err != nil {
			return err
		}
		tag := s.tag(key.generation)
		s.next[key.generation] = key.block + 1
		for i := range hashes.len() {
			s.set.Add(hashes.at(i), tag)
		}
		return nil
	})
}

// loadRuns reads the descriptions of runs, and joins the parts of each. It reads no block: look-ups do, one at a time.
func (s *Memory) loadRuns() error {
	var last rowKey // of the run whose parts are being joined
	var description []byte
	var version byte
	finish := func() error {
		if description == nil {
			return nil
		}
		entries, fences, f, err := decodeDescription(version, description)
		if err != nil {
			return s.corrupt(err)
		}
		s.runs = append(s.runs, sortedRun{generation: last.generation, number: last.run, entries: entries, fences: fences, filter: f})
		s.nextRun = max(s.nextRun, last.run+1)
		description = nil
		return nil
	}
	err := s.iterate(filterRow, func(key rowKey, value []byte) error {
		if err := checkPart(value); err != nil {
			return err
		}
		if key.block == 0 {
			if err := finish(); err != nil {
				return err
			}
			version = value[0]
		} else if value[0] != version {
			return fmt.Errorf("description of run %d is of versions %d and %d", key.run, version, value[0])
		} else if description == nil || key.generation != last.generation || key.run != last.run || key.block != last.block+1 {
			return fmt.Errorf("description of run %d lacks the part before %d", key.run, key.block)
		}
		last = key
		description = append(description, value[1:]...)
		return nil
	})
	if err == nil {
		err = finish()
	}
	if err != nil {
		s.runs = nil
		return err
	}
	slices.SortFunc(s.runs, compareRuns)
	s.dropFilters()
	s.unswept = true
	return nil
}

// checkPart rejects a part of a description that describe can't have written.
func checkPart(value []byte) error {
	if len(value) < 2 || value[0] != rowVersion && value[0] != bareVersion {
		return fmt.Errorf("part of the description of a run, of %d bytes, is not of version %d or %d", len(value), rowVersion, bareVersion)
	}
	return nil
}
