package row

import (
	"fmt"
	"math"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// JournalPosition is how far a copy of a shard has applied the shard's partition of the journal. It is written in the same
// write as the rows that it covers, so a copy is always a prefix of the partition's valid records.
type JournalPosition struct {
	Topic    [16]byte // the id that the broker gave the topic
	Next     int64    // the offset to read next
	Claim    int64    // the offset of the claim in force; NoNumber before the first
	Seq      uint64   // of the last record taken under that claim
	Sum      uint32   // checksum of the last record taken
	Rules    uint64   // version of the rules that the shard's log tail was written under
	Handlers uint64   // version of the handlers that the shard's log tail was written under
}

// SpaceJournal holds the positions of shards in the journal. It is the last space, so that a copy made in the order of keys
// gets its position after all rows that the position covers.
const SpaceJournal Space = 0x7f

var journalPositionKind = &kind{
	space: SpaceJournal, name: "journal position",
	key:   []field{shardField},
	about: "one row a shard, in a cluster",
	check: parses[JournalPosition]("journal position"),
}

// appendJournalPositionKey appends the key of a shard's position in the journal.
func appendJournalPositionKey(b []byte, shard graph.ShardID) []byte {
	return appendShard(b, SpaceJournal, shard)
}

// ParseJournalPositionKey reads the format of appendJournalPositionKey. It fails with ErrKeyShape.
func ParseJournalPositionKey(key []byte) (graph.ShardID, error) {
	return journalPositionKind.parseShard(key)
}

const journalPositionFields = 7

func (p *JournalPosition) encode(out *writer) {
	out.start(journalPositionVersion)
	out.array(journalPositionFields)
	out.blob(p.Topic[:])
	out.uint(uint64(p.Next))
	out.uint(uint64(p.Claim - NoNumber))
	out.uint(p.Seq)
	out.uint(uint64(p.Sum))
	out.uint(p.Rules)
	out.uint(p.Handlers)
}

func (p *JournalPosition) decode(in *reader) {
	in.version(journalPositionVersion)
	in.tuple(journalPositionFields)
	*p = JournalPosition{}
	in.fixed("topic id", p.Topic[:])
	p.Next = int64(in.upTo(math.MaxInt64))
	at := in.at
	p.Claim = in.number()
	if in.err == nil && p.Claim >= p.Next {
		in.fail(at, "claim at %d is not below the next offset, %d", p.Claim, p.Next)
	}
	p.Seq = in.uint()
	p.Sum = in.uint32()
	p.Rules = in.uint()
	p.Handlers = in.uint()
}

// PutJournalPosition writes a shard's position in the journal. REQUIRES: 0 <= p.Next, and NoNumber <= p.Claim < p.Next
func (e *Encoder) PutJournalPosition(b *storage.Batch, shard graph.ShardID, p *JournalPosition) {
	e.key = appendJournalPositionKey(e.key[:0], shard)
	p.encode(e.begin(e.value[:0]))
	e.set(b, e.finish())
}

// ReadJournalPosition reads a shard's position in the journal. It fails with ErrNotFound if the row is absent: the store has
// no copy of the shard, or is not of a cluster.
func ReadJournalPosition(s storage.Reader, shard graph.ShardID) (JournalPosition, error) {
	value, err := s.Get(nil, appendJournalPositionKey(nil, shard))
	if err != nil {
		return JournalPosition{}, err
	}
	p, err := ParseJournalPosition(value)
	if err != nil {
		return p, fmt.Errorf("journal position of shard %d: %w", shard, err)
	}
	return p, nil
}

// ParseJournalPosition reads the value of the row.
func ParseJournalPosition(value []byte) (JournalPosition, error) {
	return parse[JournalPosition]("journal position", value)
}
