package row

import (
	"encoding/binary"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// FeedBlock is a row of the change feed: the entries of one commit of a shard. Its key has the number of its last
// entry.
type FeedBlock struct {
	Record  uint64 // the log record that it was committed with
	Order   uint64 // across all shards: the block of a cause has a lower order than the block of its effect
	At      int64  // ms since 1970 UTC
	First   uint64 // number of the first entry in the shard's feed; the others follow without a gap
	Rules   uint64 // version of the rules that decided
	Entries []graph.FeedEntry
}

// SpaceFeed holds the blocks of the change feed.
const SpaceFeed Space = 0x0a

var feedKind = &kind{
	space: SpaceFeed, name: "feed",
	key:   []field{shardField, numberField},
	about: "one row a commit with entries, packed",
	check: func(d *Decoder, key, value []byte) error {
		_, err := d.packedFeedBlock(binary.BigEndian.Uint64(key[shardPrefixLen:]), value)
		return err
	},
}

// AppendFeedKey appends the key of the block whose last entry has the given number in the shard's feed.
func AppendFeedKey(b []byte, shard graph.ShardID, number uint64) []byte {
	return binary.BigEndian.AppendUint64(appendShard(b, SpaceFeed, shard), number)
}

// ParseFeedKey reads the format of AppendFeedKey. It fails with ErrKeyShape.
func ParseFeedKey(key []byte) (graph.ShardID, uint64, error) { return feedKind.parseSeq(key) }

const (
	feedBlockFields = 6

	feedEntryLeast    = 1 + 1 + keyLen + 2 // bytes
	feedDeltaLists    = 5
	feedCauseFields   = 8
	feedSightingLeast = 2 + keyLen + 2 + 2
)

// How many values an entry of a kind has.
var feedEntryFields = [...]int{
	graph.FeedCreated: 3, // kind, id, delta
	graph.FeedLinked:  4, // kind, id, name, cause or nil
	graph.FeedMerged:  4, // kind, id, others, cause or nil
	graph.FeedSplit:   3, // kind, id, others
	graph.FeedUpdated: 3, // kind, id, delta
	graph.FeedErased:  2, // kind, id
	graph.FeedGeneric: 3, // kind, id, name
}

// Bits of a delta beside its plain fields.
const (
	deltaFull = 1 << 3
	deltaBits = deltaFull<<1 - 1
)

// FeedBlock appends a block of the feed.
func (e *Encoder) FeedBlock(dst []byte, b *FeedBlock) []byte {
	o := e.begin(dst, feedBlockVersion)
	o.array(feedBlockFields)
	o.uint(b.Record)
	o.uint(b.Order)
	o.int(b.At)
	o.uint(b.First)
	o.uint(b.Rules)
	o.array(len(b.Entries))
	for i := range b.Entries {
		o.feedEntry(&b.Entries[i])
	}
	return e.finish()
}

// FeedBlock reads a block of the feed. It shares no memory with src.
func (d *Decoder) FeedBlock(src []byte) (FeedBlock, error) {
	in := d.begin("feed block", src, feedBlockVersion)
	in.tuple(feedBlockFields)
	b := FeedBlock{Record: in.uint(), Order: in.uint(), At: in.int(), First: in.uint(), Rules: in.uint()}
	if n := in.list(1, feedEntryLeast); n > 0 {
		b.Entries = make([]graph.FeedEntry, n)
	}
	for i := range b.Entries {
		d.feedEntry(&b.Entries[i])
		if in.err != nil {
			break
		}
	}
	if err := d.finish(); err != nil {
		return FeedBlock{}, err
	}
	return b, nil
}

// PutFeedBlock writes a block of a shard's feed, packed, and returns the size of the packed block in bytes.
func (e *Encoder) PutFeedBlock(b *storage.Batch, shard graph.ShardID, block *FeedBlock) int {
	number := block.First + uint64(len(block.Entries)) - 1
	e.key, e.value = AppendFeedKey(e.key[:0], shard, number), e.FeedBlock(e.value[:0], block)
	return e.setPacked(b, e.value)
}

// FeedRow reads the row of a block and the number of its last entry, which is in the key, as is its shard.
func (d *Decoder) FeedRow(key, value []byte) (b FeedBlock, number uint64, err error) {
	shard, number, err := ParseFeedKey(key)
	if err != nil {
		return FeedBlock{}, 0, err
	}
	if b, err = d.packedFeedBlock(number, value); err != nil {
		return FeedBlock{}, 0, fmt.Errorf("feed of shard %d, block %d: %w", shard, number, err)
	}
	return b, number, nil
}

// packedFeedBlock reads the value of the row of the block with this number in its key.
func (d *Decoder) packedFeedBlock(number uint64, value []byte) (FeedBlock, error) {
	data, err := Unpack(value)
	if err != nil {
		return FeedBlock{}, err
	}
	b, err := d.FeedBlock(data)
	if err == nil && (b.First == 0 || b.First+uint64(len(b.Entries)) != number+1) {
		err = fmt.Errorf("%w: it holds %d entries from %d on", storage.ErrCorrupt, len(b.Entries), b.First)
	}
	return b, err
}

// ScanFeed calls fn with the rows of a shard's feed whose last entry has a number >= from. FeedRow reads them.
func ScanFeed(s storage.Store, shard graph.ShardID, from uint64, fn func(key, value []byte) error) error {
	return s.Iterate(AppendFeedKey(nil, shard, from), AppendShardUpper(nil, SpaceFeed, shard), fn)
}

// DeleteFeed deletes the blocks of a shard's feed whose last entry has a number with from <= number < to. REQUIRES:
// from < to
func DeleteFeed(b *storage.Batch, shard graph.ShardID, from, to uint64) {
	b.DeleteRange(AppendFeedKey(nil, shard, from), AppendFeedKey(nil, shard, to))
}

func (o *output) feedEntry(e *graph.FeedEntry) {
	o.array(feedEntryFields[e.Kind])
	o.uint(uint64(e.Kind))
	o.key(e.ID)
	switch e.Kind {
	case graph.FeedCreated, graph.FeedUpdated:
		o.delta(&e.Delta)
	case graph.FeedLinked:
		o.nodeName(&e.Name)
		o.cause(&e.Cause)
	case graph.FeedMerged:
		o.keys(e.Others)
		o.cause(&e.Cause)
	case graph.FeedSplit:
		o.keys(e.Others)
	case graph.FeedGeneric:
		o.nodeName(&e.Name)
	case graph.FeedErased:
	}
}

func (d *Decoder) feedEntry(e *graph.FeedEntry) {
	in := &d.in
	at := in.at
	n := in.arrayLen()
	e.Kind = graph.FeedKind(in.enum("kind of feed entry", uint8(graph.FeedCreated), uint8(graph.FeedGeneric)))
	if in.err == nil && n != feedEntryFields[e.Kind] {
		in.fail(at, "%s entry of %d values, want %d", e.Kind, n, feedEntryFields[e.Kind])
	}
	e.ID = in.key()
	switch e.Kind {
	case graph.FeedCreated, graph.FeedUpdated:
		d.delta(&e.Delta)
	case graph.FeedLinked:
		e.Name = d.nodeName()
		d.cause(&e.Cause)
	case graph.FeedMerged:
		e.Others = in.keys()
		d.cause(&e.Cause)
	case graph.FeedSplit:
		e.Others = in.keys()
	case graph.FeedGeneric:
		e.Name = d.nodeName()
	case graph.FeedErased:
	}
}

func (o *output) keys(keys []graph.NodeKey) {
	o.array(len(keys))
	for _, k := range keys {
		o.key(k)
	}
}

func (in *input) keys() []graph.NodeKey {
	n := in.list(1, keyLen+2)
	if n == 0 {
		return nil
	}
	keys := make([]graph.NodeKey, n)
	for i := range keys {
		keys[i] = in.key()
	}
	return keys
}

// cause writes a cause, or nil if the entry has no cause.
func (o *output) cause(c *graph.Cause) {
	if c.Verb == 0 {
		o.null()
		return
	}
	o.array(feedCauseFields)
	o.uint(uint64(c.Verb))
	for i := range c.By {
		o.optionalKey(c.By[i].Key)
		o.text(c.By[i].Namespace)
		o.text(c.By[i].Value)
	}
	o.feedMark(c)
}

func (o *output) feedMark(c *graph.Cause) {
	if c.Assertion != "" {
		o.text(c.Assertion)
		return
	}
	o.array(markFields)
	o.stamp(c.Mark.Stamp)
	o.bytes(c.Mark.ID)
	o.bytes(c.Mark.Source)
}

func (d *Decoder) cause(c *graph.Cause) {
	in := &d.in
	if in.null() {
		return
	}
	in.tuple(feedCauseFields)
	c.Verb = graph.Verb(in.enum("verb", uint8(graph.VerbObserve), uint8(graph.VerbForce)))
	for i := range c.By {
		c.By[i] = graph.NodeName{Key: in.optionalKey(), Namespace: d.namespace(), Value: d.text()}
	}
	if c.Verb == graph.VerbForce {
		at := in.at
		if c.Assertion = d.text(); in.err == nil && c.Assertion == "" {
			in.fail(at, "a forced cause without the id of an assertion")
		}
		return
	}
	in.tuple(markFields)
	c.Mark = graph.Mark{Stamp: in.stamp(), ID: d.ownBytes(), Source: d.ownBytes()}
}

func (o *output) delta(d *graph.Delta) {
	bits := uint64(d.Fields)
	if d.Full {
		bits |= deltaFull
	}
	plain := 0
	for f := d.Fields; f != 0; f &= f - 1 {
		plain++
	}
	o.array(1 + plain + feedDeltaLists)
	o.uint(bits)
	if d.Fields&graph.DeltaEvents != 0 {
		o.uint(d.Events)
	}
	if d.Fields&graph.DeltaFirst != 0 {
		o.int(d.First)
	}
	if d.Fields&graph.DeltaLast != 0 {
		o.int(d.Last)
	}
	o.array(2 * len(d.Counts))
	for _, c := range d.Counts {
		o.uint(uint64(c.Type))
		o.uint(c.Count)
	}
	o.array(5 * len(d.Identifiers))
	for i := range d.Identifiers {
		s := &d.Identifiers[i]
		o.nodeName(&s.NodeName)
		o.int(s.First)
		o.int(s.Last)
	}
	o.keys(d.Left)
	o.array(2 * len(d.Traits))
	for _, t := range d.Traits {
		o.text(t.Name)
		o.bytes(t.Value)
	}
	o.array(5 * len(d.Money))
	for i := range d.Money {
		m := &d.Money[i]
		o.blob(m.Currency[:])
		o.uint(m.Orders)
		o.int(m.Revenue)
		o.int(m.Discount)
		o.uint(m.Discounted)
	}
}

func (d *Decoder) delta(into *graph.Delta) {
	in := &d.in
	at := in.at
	n := in.arrayLen()
	bits := in.enum("fields of a delta", 0, deltaBits)
	into.Full, into.Fields = bits&deltaFull != 0, graph.DeltaFields(bits)&graph.DeltaAll
	plain := 0
	for f := into.Fields; f != 0; f &= f - 1 {
		plain++
	}
	if in.err == nil && n != 1+plain+feedDeltaLists {
		in.fail(at, "delta of %d values, want %d", n, 1+plain+feedDeltaLists)
	}
	if into.Fields&graph.DeltaEvents != 0 {
		into.Events = in.uint()
	}
	if into.Fields&graph.DeltaFirst != 0 {
		into.First = in.int()
	}
	if into.Fields&graph.DeltaLast != 0 {
		into.Last = in.int()
	}
	if n := in.list(2, 2); n > 0 {
		into.Counts = make([]graph.TypeCount, n)
	}
	for i := range into.Counts {
		into.Counts[i] = graph.TypeCount{Type: graph.EventType(in.enum("event type", 0, uint8(graph.EventTypes-1))), Count: in.uint()}
	}
	if n := in.list(5, feedSightingLeast); n > 0 {
		into.Identifiers = make([]graph.Sighting, n)
	}
	for i := range into.Identifiers {
		into.Identifiers[i] = graph.Sighting{NodeName: d.nodeName(), First: in.int(), Last: in.int()}
	}
	into.Left = in.keys()
	if n := in.list(2, 2); n > 0 {
		into.Traits = make([]graph.TraitValue, n)
	}
	for i := range into.Traits {
		into.Traits[i] = graph.TraitValue{Name: d.text(), Value: d.ownBytes()}
	}
	if n := in.list(5, 2+3+4); n > 0 {
		into.Money = make([]graph.Money, n)
	}
	for i := range into.Money {
		m := &into.Money[i]
		in.fixed("currency", m.Currency[:])
		m.Orders, m.Revenue, m.Discount, m.Discounted = in.uint(), in.int(), in.int(), in.uint()
	}
}
