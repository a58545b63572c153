package shard

import (
	"encoding/binary"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Counters count what a shard has committed since the deployment began.
type Counters struct {
	Accepted    uint64 // distinct events
	Duplicates  uint64
	Conflicting uint64 // events whose message id had another content before: events less ids
	Splits      uint64 // as they came about: in another order there may be others
	Generic     uint64
	Quarantined uint64
	Identities  int64 // that have at least one event
	Active      int64 // identifiers under which at least one event came in
}

// counting is the Observer that keeps a shard's Counters: it adds them to every record, and the last record of the log has
// them. The shard itself counts what becomes of inputs; identities and identifiers are counted here, by what each
// visit and each step makes of them.
//
// Counts are in the record, so they are as durable as what they count, and a step that is undone takes its counts
// with it. A recovery takes the counts of the last record as they are. What it adds while it replays is thrown
// away, but for one thing: each root that the replay touched must say for how many identities it counts
// (Node.Counted), or the next step would count them once more.
type counting struct {
	Counters
	shard  *Shard
	logged Counters // of the last record that was replayed
	active int      // identifiers with events of the node under way
	body   []byte   // scratch
}

// Source implements replayer.
func (*counting) Source() uint16 { return sourceCounters }

// Replay implements replayer.
func (c *counting) Replay(in *row.Input) error { return c.logged.Decode(in.Body) }

// Before implements Observer.
func (c *counting) Before(v *Visit) error {
	c.active = 0
	if v.Node.Component != nil {
		c.active = v.Node.Component.Active()
	}
	return nil
}

// After implements Observer.
func (c *counting) After(v *Visit) {
	if !v.Replay {
		c.Generic += uint64(len(v.Out.Generic))
	}
	n := v.Node
	if n.Component != nil {
		c.Active += int64(n.Component.Active() - c.active)
		return
	}
	c.Active -= int64(c.active)
	c.Identities -= int64(n.Counted)
	n.Counted = 0
}

// Changed implements Observer.
func (c *counting) Changed(d *graph.Diff) {
	for i := range d.Splits {
		if d.Splits[i].Divided {
			c.Splits++
		}
	}
}

// Close implements Observer.
func (c *counting) Close(closing *Closing) {
	c.identities(closing.touched)
	c.body = c.append(c.body[:0])
	closing.Log.AddInput(sourceCounters, 0, c.body)
}

// identities counts those of the components that were touched.
func (c *counting) identities(roots touched) {
	for _, n := range roots.Roots() {
		identities := n.Component.Identities(c.shard.config.Rules)
		c.Identities += int64(identities - n.Counted)
		n.Counted = identities
	}
}

// Committed implements Observer.
func (*counting) Committed() {}

// Recover implements Observer.
func (c *counting) Recover(r *Recovery) (err error) {
	c.identities(r.touched) // so that nodes say for how many they count
	c.Counters, c.logged = c.logged, Counters{}
	if c.Active == unknownActive {
		c.Active, err = c.countActive()
	}
	return err
}

// countActive counts the identifiers with events of a shard whose log does not say.
func (c *counting) countActive() (n int64, err error) {
	s := c.shard
	for _, r := range s.residents.ring {
		if r.Component != nil {
			n += int64(r.Component.Active())
		}
	}
	err = row.ScanNodes(s.config.Store, s.config.ID, func(node graph.NodeKey, value []byte) error {
		if s.residents.get(node) != nil {
			return nil
		}
		stored, _, err := s.codec.dec.Node(node, value)
		if err != nil {
			return fmt.Errorf("row of node %s: %w", node, err)
		}
		if stored.Component != nil {
			n += int64(stored.Component.Active())
		}
		return nil
	})
	return n, err
}

// unknownActive is the count of a record from before there was one.
const unknownActive = -1

// Counters are written as their fields, Active and Conflicting, of which logs from before lack the last, or both. The third field was a count of merges as they came about.
func (c *Counters) fields() [7]*uint64 {
	identities := uint64(c.Identities)
	return [7]*uint64{&c.Accepted, &c.Duplicates, new(uint64), &c.Splits, &c.Generic, &c.Quarantined, &identities}
}

func (c *Counters) append(b []byte) []byte {
	for _, f := range c.fields() {
		b = binary.AppendUvarint(b, *f)
	}
	b = binary.AppendVarint(b, c.Active)
	return binary.AppendUvarint(b, c.Conflicting)
}

// Decode reads what a record has.
func (c *Counters) Decode(b []byte) error {
	fields := c.fields()
	for _, f := range fields {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return fmt.Errorf("%w: counters end early", storage.ErrCorrupt)
		}
		*f, b = v, b[n:]
	}
	c.Identities, c.Active = int64(*fields[6]), unknownActive
	if len(b) > 0 {
		active, n := binary.Varint(b)
		if n <= 0 {
			return fmt.Errorf("%w: counters end early", storage.ErrCorrupt)
		}
		c.Active, b = active, b[n:]
	}
	if c.Conflicting = 0; len(b) > 0 {
		conflicting, n := binary.Uvarint(b)
		if n <= 0 {
			return fmt.Errorf("%w: counters end early", storage.ErrCorrupt)
		}
		c.Conflicting = conflicting
	}
	return nil
}
