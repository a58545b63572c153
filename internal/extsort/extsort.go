// Package extsort sorts more lines than fit into memory: sorted runs in temporary files, then a merge.
//
//	Add ─► buffer ─full─► sort ─► run file ─┐
//	Add ─► buffer ─full─► sort ─► run file ─┼─► merge ─► Each
//	Add ─► buffer ────────sort──────────────┘
//
// Lines with equal keys keep the order in which they were added. Invariants:
//
//   - E1: Each passes on every added line once, in ascending order of keys (bytes.Compare).
//   - E2: memory stays within the limit plus one line; at most maxFan files are read at once.
//   - E3: Close leaves no file behind, even after errors.
package extsort

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

const (
	maxFan    = 64 // runs merged at once
	minBuffer = 4 << 10
	entrySize = 32 // bytes of memory for an entry, besides its key and line
)

// Sorter sorts lines by key. Use: New, Add any number of times, Each any number of times, Close.
// One goroutine at a time uses a Sorter.
//
// runs are in the order of addition, and so are the lines within the buffer, which come after all of them. Every merge
// keeps that order among adjacent runs: this is all that makes the sort stable, so that items need no number of their
// own.
type Sorter struct {
	dir    string // made on the first spill
	tmp    string
	memory int
	buf    []byte // keys and lines, one after the other
	items  []item
	runs   []string // files, the oldest lines first
	made   int
}

// An item is a key and its line in the buffer.
type item struct {
	at        int // of the key; the line follows
	key, line uint32
}

// New returns a sorter that keeps its files in a new directory inside tmpDir (the system's if empty), and uses about
// memoryBytes, at least 64 KiB.
func New(tmpDir string, memoryBytes int) *Sorter {
	return newSorter(tmpDir, max(memoryBytes, 64<<10))
}

// newSorter is New without the lower bound of memory, for tests that spill early.
func newSorter(tmpDir string, memory int) *Sorter { return &Sorter{tmp: tmpDir, memory: memory} }

// Add adds a line; key and line are copied. Either may be empty, neither above 1 GiB.
func (s *Sorter) Add(key, line []byte) error {
	const most = 1 << 30
	if len(key) > most || len(line) > most {
		return fmt.Errorf("sort: line of %d bytes with a key of %d: at most %d fit", len(line), len(key), most)
	}
	need := len(key) + len(line) + entrySize
	if len(s.items) > 0 && len(s.buf)+len(s.items)*entrySize+need > s.memory {
		if err := s.spill(); err != nil {
			return err
		}
	}
	if s.buf == nil {
		s.buf = make([]byte, 0, s.memory) // at full size: growing needs both the old and the new buffer
	}
	s.items = append(s.items, item{at: len(s.buf), key: uint32(len(key)), line: uint32(len(line))})
	s.buf = append(s.buf, key...)
	s.buf = append(s.buf, line...)
	return nil
}

func (s *Sorter) key(i item) []byte { return s.buf[i.at : i.at+int(i.key)] }

func (s *Sorter) line(i item) []byte {
	return s.buf[i.at+int(i.key) : i.at+int(i.key)+int(i.line)]
}

// sort sorts the lines in the buffer. The position in the buffer is the order of addition, so the sort need not be
// stable.
func (s *Sorter) sort() {
	slices.SortFunc(s.items, func(a, b item) int { return cmp.Or(bytes.Compare(s.key(a), s.key(b)), cmp.Compare(a.at, b.at)) })
}

// Each calls fn with every line, in order. The line is valid only during the call. An error of fn ends the iteration
// and is returned unchanged.
func (s *Sorter) Each(fn func(line []byte) error) error {
	if len(s.runs) == 0 {
		s.sort()
		for _, i := range s.items {
			if err := fn(s.line(i)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(s.items) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.buf, s.items = nil, nil // the readers need the memory
	for len(s.runs) > maxFan {
		if err := s.mergePass(); err != nil {
			return err
		}
	}
	return s.merge(s.runs, func(_, line []byte) error { return fn(line) })
}

// Close removes the files. The sorter can't be used afterwards.
func (s *Sorter) Close() error {
	s.buf, s.items, s.runs = nil, nil, nil
	if s.dir == "" {
		return nil
	}
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("sort: remove temporary files: %w", err)
	}
	s.dir = ""
	return nil
}

// spill writes the buffer as a run, and keeps its memory for the next lines. After an error the lines are still in the
// buffer, but the sorter is of no more use: a caller can only Close it.
func (s *Sorter) spill() error {
	s.sort()
	name, err := s.writeRun(func(w *runWriter) error {
		for _, i := range s.items {
			if err := w.write(s.key(i), s.line(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.runs = append(s.runs, name)
	s.buf, s.items = s.buf[:0], s.items[:0]
	return nil
}

// mergePass merges each group of maxFan adjacent runs into one, which preserves the order of equal keys.
func (s *Sorter) mergePass() error {
	var merged []string
	for group := range slices.Chunk(s.runs, maxFan) {
		name, err := s.writeRun(func(w *runWriter) error { return s.merge(group, w.write) })
		if err != nil {
			return err
		}
		for _, old := range group {
			if err := os.Remove(old); err != nil {
				return fmt.Errorf("sort: %w", err)
			}
		}
		merged = append(merged, name)
	}
	s.runs = merged
	return nil
}

// merge calls fn with the lines of the runs, in order. It holds one line of each run and a share of the memory as
// buffers. Of equal keys the line of the earlier run comes first, since runs are in the order of addition.
func (s *Sorter) merge(runs []string, fn func(key, line []byte) error) (err error) {
	heads := make(mergeHeap, 0, len(runs))
	defer func() {
		for _, r := range heads {
			err = errors.Join(err, r.close())
		}
	}()
	for order, name := range runs {
		r, err := openRun(name, order, max(minBuffer, s.memory/maxFan))
		if err != nil {
			return err
		}
		heads = append(heads, r)
		if err := r.next(); err != nil {
			return err
		}
	}
	heads = slices.DeleteFunc(heads, func(r *runReader) bool {
		if r.done {
			err = errors.Join(err, r.close())
		}
		return r.done
	})
	heads.init()
	for len(heads) > 0 && err == nil {
		r := heads[0]
		if err := fn(r.key, r.line); err != nil {
			return err
		}
		if err := r.next(); err != nil {
			return err
		}
		if r.done {
			err = r.close()
			heads[0] = heads[len(heads)-1]
			heads = heads[:len(heads)-1]
		}
		heads.down(0)
	}
	return err
}

// writeRun makes a file and fills it. Files have names that are never used again, so a merge writes beside the runs
// that it reads. A file that could not be completed stays until Close removes the directory.
func (s *Sorter) writeRun(fill func(w *runWriter) error) (string, error) {
	if s.dir == "" {
		dir, err := os.MkdirTemp(s.tmp, "kindred-sort-")
		if err != nil {
			return "", fmt.Errorf("sort: %w", err)
		}
		s.dir = dir
	}
	s.made++
	name := fmt.Sprintf("%s/%06d.run", s.dir, s.made)
	f, err := os.Create(name)
	if err != nil {
		return "", fmt.Errorf("sort: %w", err)
	}
	w := &runWriter{w: bufio.NewWriterSize(f, 64<<10)}
	err = fill(w)
	if err == nil {
		err = w.w.Flush()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("sort: write a temporary file: %w", err)
	}
	return name, nil
}

// A run is a file of lines, each with its key, without anything between them:
//
//	┌───────────────────┬────────────────────┬─────┬──────┐
//	│ varint len of key │ varint len of line │ key │ line │ …
//	└───────────────────┴────────────────────┴─────┴──────┘
type runWriter struct {
	w      *bufio.Writer
	header []byte
}

func (w *runWriter) write(key, line []byte) error {
	w.header = binary.AppendUvarint(w.header[:0], uint64(len(key)))
	w.header = binary.AppendUvarint(w.header, uint64(len(line)))
	_, _ = w.w.Write(w.header) // bufio.Writer remembers the error
	_, _ = w.w.Write(key)
	_, err := w.w.Write(line)
	return err
}

// A runReader is a cursor over a run. key and line are valid until the next call of next.
type runReader struct {
	order     int // position of the run, which orders equal keys
	f         *os.File
	r         *bufio.Reader
	buf       []byte
	key, line []byte // current
	done      bool
}

func openRun(name string, order, buffer int) (*runReader, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("sort: %w", err)
	}
	return &runReader{order: order, f: f, r: bufio.NewReaderSize(f, buffer)}, nil
}

// next reads the next line, or sets done at the end of the file. A file that ends within a line is an error: it was
// cut short by somebody else, since writeRun returns only complete files.
func (r *runReader) next() error {
	key, err := binary.ReadUvarint(r.r)
	if err == io.EOF { //nolint:errorlint // only the end between two lines, not within one
		r.done = true
		return nil
	}
	var line uint64
	if err == nil {
		line, err = binary.ReadUvarint(r.r)
	}
	if err == nil {
		r.buf = slices.Grow(r.buf[:0], int(key+line))[:key+line]
		r.key, r.line = r.buf[:key], r.buf[key:]
		_, err = io.ReadFull(r.r, r.buf)
	}
	if err != nil {
		return fmt.Errorf("sort: read %s: %w", r.f.Name(), err)
	}
	return nil
}

func (r *runReader) close() error { return r.f.Close() }

// mergeHeap is a binary heap: the least line first.
type mergeHeap []*runReader

func (h mergeHeap) less(i, j int) bool {
	if c := bytes.Compare(h[i].key, h[j].key); c != 0 {
		return c < 0
	}
	return h[i].order < h[j].order
}

func (h mergeHeap) init() {
	for i := len(h)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
}

func (h mergeHeap) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h.less(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
