package row

import (
	"math"
	"time"

	"github.com/kindred-id/kindred/graph"
)

// FeedBlock is a row of the change feed: what one commit of a shard tells. Its key has the number of
// its last entry.
type FeedBlock struct {
	Record  uint64 // the log record that it was committed with
	Order   uint64 // over all shards: what brought this about has a lower one
	At      int64  // ms since 1970 UTC
	First   uint64 // number of the first entry in the shard's feed; the others follow without a gap
	Rules   uint64 // version of the rules that decided
	Entries []graph.FeedEntry
}

// FeedState is a shard's end of the feed, written with every block.
type FeedState struct {
	Record uint64 // the log record that it was committed with
	Number uint64 // of the last entry
	Order  uint64 // of the last block
	Bytes  uint64 // of all blocks ever written
}

// FeedTrim is a shard's beginning of the feed.
type FeedTrim struct {
	Number uint64 // of the last entry that was deleted
	Bytes  uint64 // of all blocks deleted
}

// FeedSettings say that a deployment has a feed, and which rules its identities were told under.
type FeedSettings struct {
	Since int64 // ms since 1970 UTC
	// Rules are those under which identities may have been told. Roots without a mark were told under
	// the first ones; there is nothing when they were not told yet, and then First is false.
	First   bool
	Rules   []graph.Rules
	InForce uint64 // version of those that the deployment was last used with, which are among Rules
}

// FeedSink is a receiver of the feed whose place is kept here.
type FeedSink struct {
	Name    string
	Numbers []uint64 // by shard: of the last entry that it acknowledged
}

const (
	feedBlockFields    = 6
	feedStateFields    = 4
	feedTrimFields     = 2
	feedSettingsFields = 4
	feedRulesFields    = 11
	feedRulesFields1   = 8 // in version 1
	feedLimitFields    = 3
	feedMarkFields     = 1
	feedSinkFields     = 2

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

// cause writes a cause, nil for none.
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

// FeedState appends a shard's end of the feed.
func (e *Encoder) FeedState(dst []byte, s *FeedState) []byte {
	o := e.begin(dst, feedStateVersion)
	o.array(feedStateFields)
	for _, v := range [feedStateFields]uint64{s.Record, s.Number, s.Order, s.Bytes} {
		o.uint(v)
	}
	return e.finish()
}

// FeedState reads a shard's end of the feed.
func (d *Decoder) FeedState(src []byte) (FeedState, error) {
	in := d.begin("feed state", src, feedStateVersion)
	in.tuple(feedStateFields)
	s := FeedState{Record: in.uint(), Number: in.uint(), Order: in.uint(), Bytes: in.uint()}
	if err := d.finish(); err != nil {
		return FeedState{}, err
	}
	return s, nil
}

// FeedTrim appends a shard's beginning of the feed.
func (e *Encoder) FeedTrim(dst []byte, t *FeedTrim) []byte {
	o := e.begin(dst, feedTrimVersion)
	o.array(feedTrimFields)
	o.uint(t.Number)
	o.uint(t.Bytes)
	return e.finish()
}

// FeedTrim reads a shard's beginning of the feed.
func (d *Decoder) FeedTrim(src []byte) (FeedTrim, error) {
	in := d.begin("feed trim", src, feedTrimVersion)
	in.tuple(feedTrimFields)
	t := FeedTrim{Number: in.uint(), Bytes: in.uint()}
	if err := d.finish(); err != nil {
		return FeedTrim{}, err
	}
	return t, nil
}

// FeedMark appends a root's mark: the version of the rules under which its identities were told.
func (e *Encoder) FeedMark(dst []byte, rules uint64) []byte {
	o := e.begin(dst, feedMarkVersion)
	o.array(feedMarkFields)
	o.uint(rules)
	return e.finish()
}

// FeedMark reads a root's mark.
func (d *Decoder) FeedMark(src []byte) (rules uint64, err error) {
	in := d.begin("feed mark", src, feedMarkVersion)
	in.tuple(feedMarkFields)
	rules = in.uint()
	if err := d.finish(); err != nil {
		return 0, err
	}
	return rules, nil
}

// FeedSink appends the place of a receiver of the feed.
func (e *Encoder) FeedSink(dst []byte, s *FeedSink) []byte {
	o := e.begin(dst, feedSinkVersion)
	o.array(feedSinkFields)
	o.text(s.Name)
	o.array(len(s.Numbers))
	for _, n := range s.Numbers {
		o.uint(n)
	}
	return e.finish()
}

// FeedSink reads the place of a receiver of the feed.
func (d *Decoder) FeedSink(src []byte) (FeedSink, error) {
	in := d.begin("feed sink", src, feedSinkVersion)
	in.tuple(feedSinkFields)
	s := FeedSink{Name: d.text()}
	if n := in.list(1, 1); n > 0 {
		s.Numbers = make([]uint64, n)
	}
	for i := range s.Numbers {
		s.Numbers[i] = in.uint()
	}
	if err := d.finish(); err != nil {
		return FeedSink{}, err
	}
	return s, nil
}

// FeedSettings appends the settings of the feed.
func (e *Encoder) FeedSettings(dst []byte, s *FeedSettings) []byte {
	o := e.begin(dst, feedSettingsVersion)
	o.array(feedSettingsFields)
	o.int(s.Since)
	o.bool(s.First)
	o.uint(s.InForce)
	o.array(len(s.Rules))
	for i := range s.Rules {
		r := &s.Rules[i]
		o.array(feedRulesFields)
		o.text(r.Name)
		o.uint(r.Version)
		o.uint(uint64(r.Precedence))
		o.array(feedLimitFields * len(r.Limits))
		for _, l := range r.Limits {
			o.text(l.Namespace)
			o.uint(uint64(l.Max))
			o.uint(uint64(l.Within.Milliseconds()))
		}
		for _, n := range [...]int{r.GenericCustomers, r.GenericNeighbours, r.MaxMembers, r.MaxLinks, r.MaxIdentity} {
			o.uint(uint64(n))
		}
		o.bool(r.Former)
		o.uint(uint64(r.Alias))
	}
	return e.finish()
}

// FeedSettings reads the settings of the feed.
func (d *Decoder) FeedSettings(src []byte) (FeedSettings, error) {
	in := d.begin("feed settings", src, feedSettingsVersion)
	in.tuple(feedSettingsFields)
	s := FeedSettings{Since: in.int(), First: in.bool(), InForce: in.uint()}
	fields := feedRulesFields
	if d.version == 1 {
		fields = feedRulesFields1
	}
	if n := in.list(1, fields); n > 0 {
		s.Rules = make([]graph.Rules, n)
	}
	for i := range s.Rules {
		r := &s.Rules[i]
		in.tuple(fields)
		r.Name, r.Version, r.Precedence = d.text(), in.uint(), graph.Precedence(in.enum("precedence", 0, uint8(graph.LatestWins)))
		if n := in.list(feedLimitFields, feedLimitFields); n > 0 {
			r.Limits = make([]graph.Limit, n)
		}
		for l := range r.Limits {
			r.Limits[l] = graph.Limit{
				Namespace: d.text(), Max: int(in.upTo(math.MaxInt32)),
				Within: time.Duration(in.upTo(uint64(math.MaxInt64/time.Millisecond))) * time.Millisecond,
			}
		}
		for _, n := range [...]*int{&r.GenericCustomers, &r.GenericNeighbours, &r.MaxMembers, &r.MaxLinks} {
			*n = int(in.upTo(math.MaxInt32))
		}
		if d.version == 1 {
			r.Former, r.Alias = true, graph.AliasRefused
			continue
		}
		r.MaxIdentity = int(in.upTo(math.MaxInt32))
		r.Former, r.Alias = in.bool(), graph.AliasRule(in.enum("alias", 0, uint8(graph.AliasRefused)))
	}
	if err := d.finish(); err != nil {
		return FeedSettings{}, err
	}
	return s, nil
}
