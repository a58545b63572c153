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
	check: func(d *Decoder, _, value []byte) error {
		_, err := d.Quarantined(value)
		return err
	},
}

// appendQuarantineKey appends the key of message seq in the shard's quarantine.
func appendQuarantineKey(b []byte, shard graph.ShardID, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(appendShard(b, SpaceQuarantine, shard), seq)
}

// parseQuarantineKey reads the format of appendQuarantineKey. It fails with ErrKeyShape.
func parseQuarantineKey(key []byte) (graph.ShardID, uint64, error) {
	return quarantineKind.parseSeq(key)
}

const quarantineFields = 5

// Quarantined appends the row of an input that was set aside.
func (e *Encoder) Quarantined(dst []byte, q *Quarantined) []byte {
	o := e.begin(dst, quarantineVersion)
	o.array(quarantineFields)
	o.text(q.Reason)
	o.int(q.At)
	o.uint(uint64(q.Input.Source))
	o.uint(q.Input.Seq)
	o.blob(q.Input.Body)
	return e.finish()
}

// Quarantined reads the row of an input that was set aside. Its body shares src's memory.
func (d *Decoder) Quarantined(src []byte) (Quarantined, error) {
	in := d.begin("quarantine row", src, quarantineVersion)
	in.tuple(quarantineFields)
	q := Quarantined{Reason: d.text(), At: in.int()}
	q.Input = Input{Source: in.uint16(), Seq: in.uint(), Body: in.blob()}
	if err := d.finish(); err != nil {
		return Quarantined{}, err
	}
	return q, nil
}

// PutQuarantined writes the row of an input that was set aside.
func (e *Encoder) PutQuarantined(b *storage.Batch, shard graph.ShardID, seq uint64, q *Quarantined) {
	e.key, e.value = appendQuarantineKey(e.key[:0], shard, seq), e.Quarantined(e.value[:0], q)
	e.set(b)
}
