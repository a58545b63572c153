package row

import (
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// Marking is up to which version of the definitions a shard marks events, and what it still has to look through of its stored
// events. It is written in the batch of the step from which on the shard marks so: so each event of a record is marked by
// the version that the row had then.
type Marking struct {
	Version uint64
	Fills   []Fill // one after the other
}

// Fill is a pass over the stored timelines of a shard, on behalf of signals that are younger than what they hold.
type Fill struct {
	From, To uint64        // the versions between which these signals came: above From, up to To
	Barrier  uint64        // the last record with events that were marked by an older version
	Cursor   graph.NodeKey // the last node that is done; zero before the first
}

// spaceMarking holds up to which definitions shards mark.
const spaceMarking Space = 0x0f

var markingKind = &kind{
	space: spaceMarking, name: "marking",
	key:   []field{shardField},
	about: "one row a shard: its version of the definitions",
	check: parses[Marking]("marking"),
}

// appendMarkingKey appends the key of a shard's row.
func appendMarkingKey(b []byte, shard graph.ShardID) []byte {
	return appendShard(b, spaceMarking, shard)
}

const (
	markingFields = 2
	fillFields    = 4
	fillLeast     = 4 // bytes
)

func (m *Marking) encode(out *writer) {
	out.start(markingVersion)
	out.array(markingFields)
	out.uint(m.Version)
	out.array(fillFields * len(m.Fills))
	for i := range m.Fills {
		f := &m.Fills[i]
		out.uint(f.From)
		out.uint(f.To)
		out.uint(f.Barrier)
		out.optionalKey(f.Cursor)
	}
}

func (m *Marking) decode(in *reader) {
	in.version(markingVersion)
	in.tuple(markingFields)
	*m = Marking{Version: in.uint()}
	if n := in.list(fillFields, fillLeast); n > 0 {
		m.Fills = make([]Fill, n)
	}
	for i := range m.Fills {
		at := in.at
		f := Fill{From: in.uint(), To: in.uint(), Barrier: in.uint(), Cursor: in.optionalKey()}
		if in.err == nil && (f.To > m.Version || f.From >= f.To || i > 0 && m.Fills[i-1].To > f.From) {
			in.fail(at, "fill %d from version %d to %d of %d", i, f.From, f.To, m.Version)
		}
		m.Fills[i] = f
	}
}

// PutMarking writes the row of a shard.
func (e *Encoder) PutMarking(b *storage.Batch, shard graph.ShardID, m *Marking) {
	e.key = appendMarkingKey(e.key[:0], shard)
	m.encode(e.begin(e.value[:0]))
	e.set(b, e.finish())
}

// ReadMarking reads the row of a shard. It fails with ErrNotFound if the shard never marked an event.
func ReadMarking(s storage.Reader, shard graph.ShardID) (Marking, error) {
	value, err := s.Get(nil, appendMarkingKey(nil, shard))
	if err != nil {
		return Marking{}, err
	}
	m, err := parse[Marking]("marking", value)
	if err != nil {
		return m, fmt.Errorf("definitions of shard %d: %w", shard, err)
	}
	return m, nil
}
