package row

import "github.com/kindred-id/kindred/graph"

const (
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
	graph.FeedEntered: 5, // kind, id, audience, why, mark of the event or nil
	graph.FeedExited:  5, // likewise
}

// Bits of a delta beside its plain fields.
const (
	deltaFull = 1 << 3
	deltaBits = deltaFull<<1 - 1
)

// A feedWriter writes the entries of the change feed. feedEntryFields lists the values of each kind. A delta is one
// array, in which events, first and last are present only if their bits are set:
//
//	+------+--------+-------+------+------------+-----------------+------+------------+-----------+
//	| bits | events | first | last | counts, 2n | identifiers, 5n | left | traits, 2n | money, 5n |
//	+------+--------+-------+------+------------+-----------------+------+------------+-----------+
//
// A cause is its verb, the names of the two nodes that were joined, and the mark of the event that joined them; in
// place of the mark, a forced one has the id of the assertion.
type feedWriter struct{ *writer }

// A feedReader reads what a feedWriter writes.
type feedReader struct{ *reader }

func (out feedWriter) entry(e *graph.FeedEntry) {
	out.array(feedEntryFields[e.Kind])
	out.uint(uint64(e.Kind))
	out.key(e.ID)
	switch e.Kind {
	case graph.FeedCreated, graph.FeedUpdated:
		out.delta(&e.Delta)
	case graph.FeedLinked:
		out.nodeName(&e.Name)
		out.cause(&e.Cause)
	case graph.FeedMerged:
		out.keys(e.Others)
		out.cause(&e.Cause)
	case graph.FeedSplit:
		out.keys(e.Others)
	case graph.FeedGeneric:
		out.nodeName(&e.Name)
	case graph.FeedEntered, graph.FeedExited:
		out.text(e.Audience)
		out.uint(uint64(e.Why))
		if e.Why == graph.ByEvent {
			out.mark(&e.Cause)
		} else {
			out.null()
		}
	case graph.FeedErased:
	}
}

func (in feedReader) entry(e *graph.FeedEntry) {
	at := in.at
	n := in.arrayLen()
	e.Kind = graph.FeedKind(in.enum("kind of feed entry", uint8(graph.FeedCreated), uint8(graph.FeedExited)))
	if in.err == nil && n != feedEntryFields[e.Kind] {
		in.fail(at, "%s entry of %d values, want %d", e.Kind, n, feedEntryFields[e.Kind])
	}
	e.ID = in.key()
	switch e.Kind {
	case graph.FeedCreated, graph.FeedUpdated:
		in.delta(&e.Delta)
	case graph.FeedLinked:
		e.Name = in.nodeName()
		in.cause(&e.Cause)
	case graph.FeedMerged:
		e.Others = in.keys()
		in.cause(&e.Cause)
	case graph.FeedSplit:
		e.Others = in.keys()
	case graph.FeedGeneric:
		e.Name = in.nodeName()
	case graph.FeedEntered, graph.FeedExited:
		e.Audience = in.text()
		e.Why = graph.AudienceCause(in.enum("cause", uint8(graph.ByEvent), uint8(graph.ByDefinition)))
		if e.Why != graph.ByEvent {
			if at := in.at; !in.null() {
				in.fail(at, "an event that is not the cause")
			}
			return
		}
		in.tuple(markFields)
		e.Cause.Mark = graph.Mark{Stamp: in.stamp(), ID: in.ownBytes(), Source: in.ownBytes()}
	case graph.FeedErased:
	}
}

func (in feedReader) keys() []graph.NodeKey {
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
func (out feedWriter) cause(c *graph.Cause) {
	if c.Verb == 0 {
		out.null()
		return
	}
	out.array(feedCauseFields)
	out.uint(uint64(c.Verb))
	for i := range c.By {
		out.optionalKey(c.By[i].Key)
		out.text(c.By[i].Namespace)
		out.text(c.By[i].Value)
	}
	out.mark(c)
}

func (out feedWriter) mark(c *graph.Cause) {
	if c.Assertion != "" {
		out.text(c.Assertion)
		return
	}
	out.array(markFields)
	out.stamp(c.Mark.Stamp)
	out.bytes(c.Mark.ID)
	out.bytes(c.Mark.Source)
}

func (in feedReader) cause(c *graph.Cause) {
	if in.null() {
		return
	}
	in.tuple(feedCauseFields)
	c.Verb = graph.Verb(in.enum("verb", uint8(graph.VerbObserve), uint8(graph.VerbForce)))
	for i := range c.By {
		c.By[i] = graph.NodeName{Key: in.optionalKey(), Namespace: in.namespace(), Value: in.text()}
	}
	if c.Verb == graph.VerbForce {
		at := in.at
		if c.Assertion = in.text(); in.err == nil && c.Assertion == "" {
			in.fail(at, "a forced cause without the id of an assertion")
		}
		return
	}
	in.tuple(markFields)
	c.Mark = graph.Mark{Stamp: in.stamp(), ID: in.ownBytes(), Source: in.ownBytes()}
}

func (out feedWriter) delta(d *graph.Delta) {
	bits := uint64(d.Fields)
	if d.Full {
		bits |= deltaFull
	}
	plain := 0
	for f := d.Fields; f != 0; f &= f - 1 {
		plain++
	}
	out.array(1 + plain + feedDeltaLists)
	out.uint(bits)
	if d.Fields&graph.DeltaEvents != 0 {
		out.uint(d.Events)
	}
	if d.Fields&graph.DeltaFirst != 0 {
		out.int(d.First)
	}
	if d.Fields&graph.DeltaLast != 0 {
		out.int(d.Last)
	}
	out.array(2 * len(d.Counts))
	for _, c := range d.Counts {
		out.uint(uint64(c.Type))
		out.uint(c.Count)
	}
	out.array(5 * len(d.Identifiers))
	for i := range d.Identifiers {
		s := &d.Identifiers[i]
		out.nodeName(&s.NodeName)
		out.int(s.First)
		out.int(s.Last)
	}
	out.keys(d.Left)
	out.array(2 * len(d.Traits))
	for _, t := range d.Traits {
		out.text(t.Name)
		out.bytes(t.Value)
	}
	out.array(5 * len(d.Money))
	for i := range d.Money {
		m := &d.Money[i]
		out.blob(m.Currency[:])
		out.uint(m.Orders)
		out.int(m.Revenue)
		out.int(m.Discount)
		out.uint(m.Discounted)
	}
}

func (in feedReader) delta(into *graph.Delta) {
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
		into.Identifiers[i] = graph.Sighting{NodeName: in.nodeName(), First: in.int(), Last: in.int()}
	}
	into.Left = in.keys()
	if n := in.list(2, 2); n > 0 {
		into.Traits = make([]graph.TraitValue, n)
	}
	for i := range into.Traits {
		into.Traits[i] = graph.TraitValue{Name: in.text(), Value: in.ownBytes()}
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
