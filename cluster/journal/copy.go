package journal

import (
	"bytes"
	"errors"

	"github.com/kindred-id/kindred/storage"
)

// A Copy takes the rows of a shard from other nodes, until they can follow the log.
//
//	Begin ──► (Snapshot ──► Row, Row, …)* ──► End
//	 drops     position      in key order      the position is written
//	 the old
//
// A source reads one snapshot of its store and sends the position first. If it breaks off, another one goes on from the key
// where it ended, with a snapshot of its own. So the rows of a copy may be of several moments. That does no harm: the
// position is the least of them, and following the log from there writes again whatever is newer, in the order of the log.
//
// Until End the store has no position of the shard, so a crash in between leaves a copy that is begun anew (J8). The obvious
// design, the position of the last snapshot, lacks what happened between the first and the last.
type Copy struct {
	ranges   [][2][]byte // of the shard, in the order of keys; without the position
	next     []byte      // the first key that is missing
	position *Position
	whole    int64 // the highest Next of a snapshot: from there on the copy is what the log says
}

// ErrCopy is returned for a row that does not belong where it comes.
var ErrCopy = errors.New("copy of a shard: a row out of its place; ask another node")

// NewCopy begins a copy of the rows in some ranges, which ascend.
func NewCopy(ranges [][2][]byte) *Copy { return &Copy{ranges: ranges, next: ranges[0][0]} }

// Begin deletes what is there of the shard, its position first of all. REQUIRES: the ranges hold the position, or position is its key
func (c *Copy) Begin(b *storage.Batch, position []byte) {
	b.Delete(position)
	for _, r := range c.ranges {
		b.DeleteRange(r[0], r[1])
	}
}

// From is the first key that is missing.
func (c *Copy) From() []byte { return c.next }

// Snapshot notes the position of a snapshot from which the next rows come.
func (c *Copy) Snapshot(at Position) {
	if c.position == nil || at.Next < c.position.Next {
		c.position = &at
	}
	c.whole = max(c.whole, at.Next)
}

// Row adds the next row. It fails with ErrCopy.
func (c *Copy) Row(b *storage.Batch, key, value []byte) error {
	if c.position == nil || bytes.Compare(key, c.next) < 0 || !c.has(key) {
		return ErrCopy
	}
	b.Set(key, value)
	c.next = append(append(c.next[:0:0], key...), 0)
	return nil
}

func (c *Copy) has(key []byte) bool {
	for _, r := range c.ranges {
		if bytes.Compare(r[0], key) <= 0 && bytes.Compare(key, r[1]) < 0 {
			return true
		}
	}
	return false
}

// End says that a source has no more rows, and returns the position to write in the batch of the last ones. From whole on, the
// rows are exactly what the log says.
func (c *Copy) End() (at Position, whole int64) { return *c.position, c.whole }
