package signals

import (
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/signal"
	"github.com/kindred-id/kindred/storage/row"
)

// Definitions are the signals of a version of the definitions. They never change, and any number of goroutines may use them. Nil
// is version 0, without any.
type Definitions struct {
	version uint64
	index   *signal.Index
	live    map[signal.ID]numbered
}

type numbered struct {
	graph.SignalMark        // without a value
	since            uint64 // the version that brought the signal
}

// New returns the definitions of a version. It fails if a signal of the index has no number.
func New(version uint64, index *signal.Index, numbers []row.NumberedSignal) (*Definitions, error) {
	d := &Definitions{version: version, index: index, live: map[signal.ID]numbered{}}
	for i := range numbers {
		n := &numbers[i]
		def, ok := index.Definition(n.ID)
		if !ok {
			continue // of audiences that serve no more
		}
		d.live[n.ID] = numbered{graph.SignalMark{Number: n.Number, Kind: def.Kind, N: uint16(def.N)}, n.Since}
	}
	if all := index.Signals(); len(all) != len(d.live) {
		return nil, fmt.Errorf("%d signals, and %d of them have a number", len(all), len(d.live))
	}
	return d, nil
}

// Version is that of the definitions.
func (d *Definitions) Version() uint64 {
	if d == nil {
		return 0
	}
	return d.version
}

// Number returns the number of a signal.
func (d *Definitions) Number(id signal.ID) (uint32, bool) {
	if d == nil {
		return 0, false
	}
	n, ok := d.live[id]
	return n.Number, ok
}

// Since reports whether any signal came after version from, and not after to.
func (d *Definitions) Since(from, to uint64) bool {
	if d == nil {
		return false
	}
	for _, n := range d.live {
		if n.since > from && n.since <= to {
			return true
		}
	}
	return false
}
