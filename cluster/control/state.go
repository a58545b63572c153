// Package control decides about the rows that belong to no shard: which changes of them count. It is the machine of the control
// partition, the last one of the journal: the node that owns the partition decides, and every node applies what was decided.
//
//	change of any node: rows that it rests on, rows to write ──► State.Step ──► batch ──► journal ──► store of every node
//	                                                                │ a row has changed meanwhile
//	                                                                └──► ErrConflict: read again, decide again
//
// A change counts whole or not at all, and rests on rows by their values (J9). Changes of one step see those before them. The
// obvious design, a check by every node as it applies, would put changes that count for nothing into the log, and nodes of
// several versions would have to judge them alike.
package control

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Rows are values by key; nil stands for a row that is absent.
type Rows = map[string][]byte

// A Change is what a node wants to write, and the rows that it rests on.
type Change struct {
	Was   Rows
	Batch *storage.Batch
}

// The reasons why a change does not count.
var (
	ErrConflict = errors.New("a row that the change rests on has changed; decide again")
	ErrKey      = errors.New("change of rows of no shard: a key is a shard's; write it in the batches of that shard")
	ErrReused   = errors.New("change of an external channel: its id had another name; take the next id")
	ErrSize     = errors.New("change of rows of no shard: larger than 16 MiB; write less at once")
)

// maxBytes bounds a change: rules and parameters have 4 MiB at most.
const maxBytes = 16 << 20

// State is the rows of no shard on the node that decides about them. One step is under way at a time.
type State struct {
	rows    storage.Reader
	written Rows // by the step under way; nil where it deletes
}

// New returns the state that a store has. REQUIRES: the store has all up to the own claim of the control partition
func New(rows storage.Reader) *State {
	return &State{rows: rows, written: Rows{}}
}

// Committed says that the step counts and is written.
func (s *State) Committed() { s.written = Rows{} }

// Step decides about changes, in this order. It returns the batch of those that count, to be committed, and why each of the others
// does not. Nothing of it may be told before Committed.
func (s *State) Step(changes []Change) (batch *storage.Batch, refused []error, err error) {
	batch, refused = &storage.Batch{}, make([]error, len(changes))
	for i := range changes {
		c := &changes[i]
		if refused[i], err = s.refuse(c); err != nil {
			return nil, nil, err
		}
		if refused[i] != nil {
			continue
		}
		batch.Append(c.Batch)
		for key, value := range c.Batch.Rows() {
			s.written[string(key)] = value
		}
	}
	return batch, refused, nil
}

// refuse says why a change does not count; nil if it does.
func (s *State) refuse(c *Change) (refused, err error) {
	if c.Batch.Size() > maxBytes {
		return ErrSize, nil
	}
	for key, upper := range c.Batch.Keys() {
		if !row.InCatalog(key) || upper != nil {
			return fmt.Errorf("%w: key % x", ErrKey, key), nil
		}
	}
	for key, was := range c.Was {
		now, err := get(s, []byte(key))
		if err != nil {
			return nil, err
		}
		if (now == nil) != (was == nil) || !bytes.Equal(now, was) {
			return ErrConflict, nil
		}
	}
	return s.reuses(c)
}

// reuses refuses a channel whose id had another name: a consumer that is late would deliver into a channel that is not its own. So
// a row of a channel stays, and one without a name gets none.
func (s *State) reuses(c *Change) (refused, err error) {
	after := State{rows: s, written: Rows{}}
	for key, value := range c.Batch.Rows() {
		after.written[string(key)] = value
	}
	for key := range c.Batch.Keys() {
		if !row.IsChannel(key) {
			continue
		}
		id := row.ChannelID(binary.BigEndian.Uint16(key[1:]))
		was, err := row.ReadChannel(s, id)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		next, err := row.ReadChannel(&after, id)
		switch {
		case errors.Is(err, storage.ErrNotFound), err == nil && !next.Dropped() && next.Name != was.Name:
			return fmt.Errorf("%w: id %d", ErrReused, id), nil
		case err != nil:
			return nil, err
		}
	}
	return nil, nil
}

// get returns the value of a row; nil if it is absent.
func get(s storage.Reader, key []byte) ([]byte, error) {
	value, err := s.Get([]byte{}, key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	return value, err
}

// Get implements storage.Reader, with what the step under way writes.
func (s *State) Get(dst, key []byte) ([]byte, error) {
	value, written := s.written[string(key)]
	switch {
	case !written:
		return s.rows.Get(dst, key)
	case value == nil:
		return dst, storage.ErrNotFound
	}
	return append(dst, value...), nil
}

// Iterate implements storage.Reader, without what the step under way writes.
func (s *State) Iterate(lower, upper []byte, fn func(key, value []byte) error) error {
	return s.rows.Iterate(lower, upper, fn)
}
