package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Rows of the memory of duplicates:
//
//	added, run   | version 1 B | hash 8 B | hash 8 B | ...
//	filter       | version 1 B | part of the description, at most 256 KiB |
//
// A run's hashes ascend, from block to block as well. The description of a run, its parts put together:
//
//	| entries 8 B | blocks 4 B | fence 8 B a block | filter word 8 B ... |
const (
	seenVersion    = 1
	seenAddedBlock = 4096 // hashes
	seenRunBlock   = 512  // hashes: what one miss of a filter reads
	seenFilterPart = 256 << 10
)

func appendSeenBlock(b []byte, hashes []uint64) []byte {
	b = append(b, seenVersion)
	for _, h := range hashes {
		b = binary.BigEndian.AppendUint64(b, h)
	}
	return b
}

// seenHashes is a block, checked and not yet decoded.
type seenHashes []byte

func (h seenHashes) len() int        { return len(h) / 8 }
func (h seenHashes) at(i int) uint64 { return binary.BigEndian.Uint64(h[i*8:]) }

// decodeSeenBlock refuses what appendSeenBlock can't have written of at most most hashes.
func decodeSeenBlock(b []byte, most int) (seenHashes, error) {
	switch {
	case len(b) == 0 || b[0] != seenVersion:
		return nil, fmt.Errorf("block of %d bytes is not of version %d", len(b), seenVersion)
	case len(b) == 1 || len(b)%8 != 1 || len(b)/8 > most:
		return nil, fmt.Errorf("block of %d bytes: want 1 to %d hashes", len(b), most)
	}
	return seenHashes(b[1:]), nil
}

// decodeSeenRun also refuses hashes that don't ascend.
func decodeSeenRun(b []byte) (seenHashes, error) {
	hashes, err := decodeSeenBlock(b, seenRunBlock)
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

func appendSeenDescription(b []byte, entries int, fences []uint64, f filter) []byte {
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

func decodeSeenDescription(b []byte) (fences []uint64, f filter, err error) {
	if len(b) < 12 {
		return nil, nil, fmt.Errorf("description of a run of %d bytes", len(b))
	}
	entries, blocks := binary.BigEndian.Uint64(b), int(binary.BigEndian.Uint32(b[8:]))
	b = b[12:]
	// 10 bits an entry are there, so a number that passes this can't make newFilter allocate much.
	if entries == 0 || entries > uint64(len(b)) || uint64(blocks) != (entries+seenRunBlock-1)/seenRunBlock {
		return nil, nil, fmt.Errorf("description of a run: %d entries in %d blocks, %d bytes", entries, blocks, len(b))
	}
	f = newFilter(int(entries))
	if len(b) != 8*(blocks+len(f)) {
		return nil, nil, fmt.Errorf("description of a run: %d bytes for %d blocks and %d words", len(b), blocks, len(f))
	}
	fences = make([]uint64, blocks)
	for i := range fences {
		fences[i] = binary.BigEndian.Uint64(b[8*i:])
	}
	if !slices.IsSorted(fences) {
		return nil, nil, errors.New("description of a run: fences don't ascend")
	}
	for i := range f {
		f[i] = binary.BigEndian.Uint64(b[8*(blocks+i):])
	}
	return fences, f, nil
}

// writeRun writes a sorted run, and keeps its filter and fences. It sorts the hashes.
func (s *Seen) writeRun(b *Batch, generation uint64, hashes []uint64) {
	slices.Sort(hashes)
	run := seenRunRef{generation: generation, number: s.nextRun, filter: newFilter(len(hashes)), unwritten: hashes}
	s.nextRun++
	key := seenKey{shard: s.shard, kind: seenRun, generation: generation, run: run.number}
	for block := range slices.Chunk(hashes, seenRunBlock) {
		run.fences = append(run.fences, block[0])
		s.value = appendSeenBlock(s.value[:0], block)
		s.put(b, key, s.value)
		key.block++
	}
	for _, h := range hashes {
		run.filter.add(h)
	}
	key.kind, key.block = seenFilter, 0
	for part := range slices.Chunk(appendSeenDescription(nil, len(hashes), run.fences, run.filter), seenFilterPart) {
		s.value = append(append(s.value[:0], seenVersion), part...)
		s.put(b, key, s.value)
		key.block++
	}
	s.runs = append(s.runs, run)
	slices.SortFunc(s.runs, compareRuns)
}

// runHas reads the one block of a run that may hold h.
func (s *Seen) runHas(run *seenRunRef, h uint64) (bool, error) {
	block, exact := slices.BinarySearch(run.fences, h)
	if !exact {
		block--
	}
	if block < 0 {
		return false, nil
	}
	key := seenKey{shard: s.shard, kind: s.base + seenRun, generation: run.generation, run: run.number, block: uint32(block)}
	s.key = key.append(s.key[:0])
	var err error
	if s.value, err = s.store.Get(s.value[:0], s.key); err != nil {
		if errors.Is(err, ErrNotFound) {
			err = s.corrupt(fmt.Errorf("block %d of run %d is missing", block, run.number))
		}
		return false, err
	}
	hashes, err := decodeSeenBlock(s.value, seenRunBlock)
	if err != nil {
		return false, s.corrupt(err)
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

func (s *Seen) iterate(kind seenKind, fn func(key seenKey, value []byte) error) error {
	kind += s.base
	lower := seenKey{shard: s.shard, kind: kind}.append(nil)
	upper := seenKey{shard: s.shard, kind: kind + 1}.append(nil)
	return s.store.Iterate(lower, upper, func(key, value []byte) error {
		k, err := parseSeenKey(key)
		if err == nil {
			err = fn(k, value)
		}
		if err != nil {
			return s.corrupt(err)
		}
		return nil
	})
}

func (s *Seen) loadAdded() error {
	return s.iterate(seenAdded, func(key seenKey, value []byte) error {
		hashes, err := decodeSeenBlock(value, seenAddedBlock)
		if err != nil {
			return err
		}
		tag := s.tag(key.generation)
		s.next[key.generation] = key.block + 1
		for i := range hashes.len() {
			s.set.add(hashes.at(i), tag)
		}
		return nil
	})
}

func (s *Seen) loadRuns() error {
	var last seenKey // of the run whose parts are being put together
	var description []byte
	finish := func() error {
		if description == nil {
			return nil
		}
		fences, f, err := decodeSeenDescription(description)
		if err != nil {
			return s.corrupt(err)
		}
		s.runs = append(s.runs, seenRunRef{generation: last.generation, number: last.run, fences: fences, filter: f})
		s.nextRun = max(s.nextRun, last.run+1)
		description = nil
		return nil
	}
	err := s.iterate(seenFilter, func(key seenKey, value []byte) error {
		if len(value) < 2 || value[0] != seenVersion {
			return fmt.Errorf("description of a run of %d bytes is not of version %d", len(value), seenVersion)
		}
		if key.block == 0 {
			if err := finish(); err != nil {
				return err
			}
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
	return nil
}
