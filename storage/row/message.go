package row

import "github.com/kindred-id/kindred/graph"

// messageFields is the number of values in a message of each kind.
var messageFields = [...]int{
	graph.KindObserve:   7, // kind, to, via or nil, hops, passed, version of the event, event
	graph.KindAssert:    3, // kind, to, assertion
	graph.KindJoin:      7, // kind, to, root, via or nil, force, namespace and value of via
	graph.KindAbsorb:    8, // kind, to, members, links, assertions, part, heads, told
	graph.KindRepoint:   4, // kind, to, root, passed
	graph.KindRefuse:    5, // kind, to, via, root, reason
	graph.KindNeighbour: 8, // kind, to, node (key, namespace, value), neighbour (the same)
	graph.KindRecheck:   2, // kind, to
	graph.KindMention:   4, // kind, to, version of the event, event
	graph.KindCounts:    4, // likewise
	graph.KindPatch:     4, // kind, to, node, signals
	graph.KindGroup:     9, // kind, to, route, id, source, stamp (3 values), group
}

// toldSince is the version of messages since which evidence says in which audiences its people were.
const toldSince = 8

// messageValues is the number of values in a message of a kind and a version.
func messageValues(kind graph.MessageKind, version uint64) int {
	n := messageFields[kind]
	if version < 3 && (kind == graph.KindObserve || kind == graph.KindRepoint) {
		n-- // passed
	}
	if version < 4 && kind == graph.KindJoin {
		n -= 2 // the name
	}
	if version < toldSince && kind == graph.KindAbsorb {
		n-- // told
	}
	return n
}

// eventVersionIn is the version of the events and fragments in messages of a version.
func eventVersionIn(message uint64) uint64 {
	if message > uint64(newest) {
		return 0 // such a version was rejected before
	}
	return uint64(versions[message].event) // each generation has its own version of messages
}

// Message appends a message: the fields that its kind uses, and an event without its properties and its context.
func (e *Encoder) Message(dst []byte, m *graph.Message) []byte {
	out := messageWriter{e.begin(dst)}
	out.start(out.formats.message)
	out.message(m)
	return e.finish()
}

// BringsEvent reports whether the body of a message between shards brings an event, or what is handled like one, on to a node that
// takes it up there. The other kinds claim nodes, answer claims, or bring evidence that was taken up before. It reads the
// kind alone, as TellsGroup does.
func BringsEvent(body []byte) bool {
	if len(body) < 3 || AreNotes(body) {
		return false
	}
	switch graph.MessageKind(body[2]) {
	case graph.KindObserve, graph.KindAssert, graph.KindMention, graph.KindCounts, graph.KindRecheck, graph.KindPatch:
		return true
	case graph.KindJoin, graph.KindAbsorb, graph.KindRepoint, graph.KindRefuse, graph.KindNeighbour, graph.KindGroup:
	}
	return false
}

// TellsGroup reports whether the body of a message between shards is for a group. It reads the kind alone, which is the third
// byte: after the version and the length of an array that has fewer than 16 values.
func TellsGroup(body []byte) bool {
	return len(body) > 2 && body[2] == byte(graph.KindGroup) && !AreNotes(body)
}

// A messageWriter writes messages: an array of the kind, the node to which it goes, and what messageFields lists for
// the kind.
//
// An Observe, a Mention and a Counts name the version of their event apart from their own. The two change for different
// reasons, and a reader rejects a pair that no program wrote.
//
//	 1 B
//	+---------+------+----+--------------------+
//	| version | kind | to | fields of the kind |   one array, of messageValues values
//	+---------+------+----+--------------------+
type messageWriter struct{ *writer }

func (out messageWriter) message(m *graph.Message) {
	version := out.formats.message
	out.array(messageValues(m.Kind, uint64(version)))
	out.uint(uint64(m.Kind))
	out.key(m.To)
	switch m.Kind {
	case graph.KindObserve:
		out.optionalKey(m.Via)
		out.uint(uint64(m.Hops))
		if version >= 3 {
			out.uint(m.Passed)
		}
		out.uint(uint64(out.formats.event))
		eventWriter(out).event(m.Event, false)
	case graph.KindAssert:
		evidenceWriter(out).assertion(m.Assertion)
	case graph.KindJoin:
		out.key(m.Root)
		out.optionalKey(m.Via)
		out.bool(m.Force)
		if version >= 4 {
			out.text(m.Node.Namespace)
			out.text(m.Node.Value)
		}
	case graph.KindAbsorb:
		out.absorbed(m.Evidence)
	case graph.KindRepoint:
		out.key(m.Root)
		if version >= 3 {
			out.uint(m.Passed)
		}
	case graph.KindRefuse:
		out.key(m.Via)
		out.key(m.Root)
		out.uint(uint64(m.Reason))
	case graph.KindNeighbour:
		out.nodeName(&m.Node)
		out.nodeName(&m.Neighbour)
	case graph.KindMention, graph.KindCounts:
		out.leave(version < 6)
		out.uint(uint64(out.formats.event))
		eventWriter(out).event(m.Event, false)
	case graph.KindPatch:
		out.leave(version < patchSince)
		out.key(m.Patch.Node)
		signalsWriter(out).states(m.Patch.Signals)
	case graph.KindGroup:
		out.leave(version < patchSince)
		out.key(m.Event.Route())
		out.bytes(m.Event.ID)
		out.bytes(m.Event.Source)
		out.stamp(m.Event.Stamp)
		eventWriter(out).group(m.Event.Group)
	}
}

func (out messageWriter) absorbed(ev *graph.Evidence) {
	evidence := evidenceWriter(out)
	evidence.members(ev.Members)
	evidence.links(ev.Links)
	evidence.assertions(ev.Assertions)
	if out.formats.message < 5 {
		out.leave(len(ev.Told) > 0)
		evidence.formerParts(ev)
		return
	}
	out.bool(ev.Part)
	out.keys(ev.Heads)
	if out.formats.message < toldSince {
		out.leave(len(ev.Told) > 0)
		return
	}
	out.told(ev.Told)
}

// Message reads a message. An event's byte slices share src's memory; evidence does not.
//
// Links of an Absorb may have ends that are not among its members: evidence of a large component comes in parts.
func (d *Decoder) Message(src []byte) (*graph.Message, error) {
	m := &graph.Message{}
	if err := d.MessageInto(src, m, &graph.Event{}); err != nil {
		return nil, err
	}
	return m, nil
}

// MessageInto reads a message into m and overwrites it. The event of a message is read into event, as EventInto does. After an
// error the contents of both are undefined.
func (d *Decoder) MessageInto(src []byte, m *graph.Message, event *graph.Event) error {
	*m = graph.Message{}
	in := d.begin("message", src)
	messageReader{in, in.version(messageVersion), event}.message(m)
	return in.finish()
}

// A messageReader reads messages of a version.
type messageReader struct {
	*reader
	of   uint64
	into *graph.Event
}

func (in messageReader) message(m *graph.Message) {
	at := in.at
	n := in.arrayLen()
	last := graph.KindGroup
	switch {
	case in.of < 6:
		last = graph.KindRecheck
	case in.of < patchSince:
		last = graph.KindCounts
	}
	m.Kind = graph.MessageKind(in.enum("message kind", uint8(graph.KindObserve), uint8(last)))
	if in.err == nil && n != messageValues(m.Kind, in.of) {
		in.fail(at, "%s message of %d values, want %d", m.Kind, n, messageValues(m.Kind, in.of))
	}
	m.To = in.key()
	switch m.Kind {
	case graph.KindObserve:
		in.observed(m)
	case graph.KindAssert:
		m.Assertion = &graph.Assertion{}
		in.evidence().assertion(m.Assertion)
	case graph.KindJoin:
		in.joining(m)
	case graph.KindAbsorb:
		m.Evidence = in.absorbed()
	case graph.KindRepoint:
		m.Root = in.key()
		if in.of >= 3 {
			m.Passed = in.uint()
		}
	case graph.KindRefuse:
		m.Via = in.key()
		m.Root = in.key()
		m.Reason = graph.Refusal(in.enum("refusal", uint8(graph.RefusedGeneric), uint8(graph.RefusedFull)))
	case graph.KindNeighbour:
		m.Node = in.nodeName()
		m.Neighbour = in.nodeName()
	case graph.KindMention, graph.KindCounts:
		in.event(m)
		at := in.at
		if in.err == nil && len(m.Event.Identifiers) != 2 {
			in.fail(at, "mention with %d identifiers, want the route and what is mentioned", len(m.Event.Identifiers))
		}
	case graph.KindPatch:
		m.Patch = &graph.Patch{Node: in.key(), Signals: signalsReader{in.reader}.states()}
	case graph.KindGroup:
		in.grouped(m)
	}
}

// grouped reads what a group is told of an event that names it.
func (in messageReader) grouped(m *graph.Message) {
	m.Event = &graph.Event{Type: graph.TypeGroup, Identifiers: []graph.Identifier{{Key: in.key()}}}
	m.Event.ID, m.Event.Source, m.Event.Stamp = in.bytes(), in.bytes(), in.stamp()
	at := in.at
	m.Event.Group = eventReader{in.reader, eventVersionIn(in.of)}.group()
	if in.err == nil && (m.Event.Group == nil || m.Event.Group.Key != m.To) {
		in.fail(at, "message to a group that it does not name")
	}
}

func (in messageReader) evidence() evidenceReader {
	return evidenceReader{in.reader, eventVersionIn(in.of)}
}

func (in messageReader) observed(m *graph.Message) {
	m.Via = in.optionalKey()
	m.Hops = in.uint8()
	if in.of >= 3 {
		m.Passed = in.uint()
	}
	in.event(m)
}

// event reads the event of a message, and the event's version.
func (in messageReader) event(m *graph.Message) {
	at := in.at
	version := in.version(eventVersion)
	if in.err == nil && version != eventVersionIn(in.of) {
		in.fail(at, "event of version %d in a message of version %d", version, in.of)
	}
	m.Event = in.into
	eventReader{in.reader, version}.event(m.Event)
	if m.Event.Properties != nil || m.Event.Context != nil || m.Event.Group != nil {
		in.fail(at, "event with properties, a context or a group between shards")
	}
}

func (in messageReader) joining(m *graph.Message) {
	m.Root = in.key()
	m.Via = in.optionalKey()
	m.Force = in.bool()
	if in.of >= 4 {
		m.Node = graph.NodeName{Namespace: in.namespace(), Value: in.text()}
		if m.Node.Namespace != "" {
			m.Node.Key = m.Via
		}
	}
}

func (in messageReader) absorbed() *graph.Evidence {
	from := in.evidence()
	ev := &graph.Evidence{Members: from.members(), Links: from.links(), Assertions: from.assertions()}
	if in.of < 5 {
		from.formerParts(ev)
		return ev
	}
	ev.Part = in.bool()
	at := in.at
	if ev.Heads = from.heads(); in.err == nil && len(ev.Heads) > 0 && !ev.Part {
		in.fail(at, "evidence in one piece names its identities")
	}
	if in.of >= toldSince {
		ev.Told = in.told()
	}
	return ev
}
