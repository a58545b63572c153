package row

import (
	"encoding/binary"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// Quarantined is an input that was set aside because its handler failed.
type Quarantined struct {
	Reason string
	At     int64 // ms since 1970 UTC
	Input  Input
}

// SpaceQuarantine holds the inputs that were set aside.
const SpaceQuarantine Space = 0x07

var quarantineKind = &kind{
	space: SpaceQuarantine, name: "quarantine",
	key:   []field{shardField, seqField},
	about: "one row an input that failed",
	check: parses[Quarantined]("quarantine row"),
}

// appendQuarantineKey appends the key of message seq in the shard's quarantine.
func appendQuarantineKey(b []byte, shard graph.ShardID, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(appendShard(b, SpaceQuarantine, shard), seq)
}

const quarantineFields = 5

func (q *Quarantined) encode(out *writer) {
	out.start(quarantineVersion)
	out.array(quarantineFields)
	out.text(q.Reason)
	out.int(q.At)
	out.uint(uint64(q.Input.Source))
	out.uint(q.Input.Seq)
	out.blob(q.Input.Body)
}

func (q *Quarantined) decode(in *reader) {
	in.version(quarantineVersion)
	in.tuple(quarantineFields)
	*q = Quarantined{Reason: in.text(), At: in.int()}
	q.Input = Input{Source: in.uint16(), Seq: in.uint(), Body: in.blob()}
}

// ParseQuarantined reads the value of the row of an input that was set aside. Its body shares value's memory. It
// fails with ErrCorrupt.
func ParseQuarantined(value []byte) (Quarantined, error) {
	return parse[Quarantined]("quarantine row", value)
}

// PutQuarantined writes the row of an input that was set aside.
func (e *Encoder) PutQuarantined(b *storage.Batch, shard graph.ShardID, seq uint64, q *Quarantined) {
	e.key = appendQuarantineKey(e.key[:0], shard, seq)
	q.encode(e.begin(e.value[:0]))
	e.set(b, e.finish())
}
