package row

import "github.com/kindred-id/kindred/graph"

// messageFields is the number of values in a message of each kind.
var messageFields = [...]int{
	graph.KindObserve:   7, // kind, to, via or nil, hops, passed, version of the event, event
	graph.KindAssert:    3, // kind, to, assertion
	graph.KindJoin:      7, // kind, to, root, via or nil, force, namespace and value of via
	graph.KindAbsorb:    7, // kind, to, members, links, assertions, part, heads
	graph.KindRepoint:   4, // kind, to, root, passed
	graph.KindRefuse:    5, // kind, to, via, root, reason
	graph.KindNeighbour: 8, // kind, to, node (key, namespace, value), neighbour (the same)
	graph.KindRecheck:   2, // kind, to
}

// messageValues is the number of values in a message of a kind and a version.
func messageValues(kind graph.MessageKind, version uint64) int {
	n := messageFields[kind]
	if version < 3 && (kind == graph.KindObserve || kind == graph.KindRepoint) {
		n-- // passed
	}
	if version < 4 && kind == graph.KindJoin {
		n -= 2 // the name
	}
	return n
}

// eventVersionIn is the version of the events and fragments in messages of a version.
func eventVersionIn(message uint64) uint64 {
	if message > uint64(Newest) {
		return 0 // such a version was rejected before
	}
	return uint64(versions[message].event) // each generation has its own version of messages
}

// Message appends a message: the fields that its kind uses, and an event without its properties and its context.
func (e *Encoder) Message(dst []byte, m *graph.Message) []byte {
	version := uint64(e.out.version.message)
	o := e.begin(dst, e.out.version.message)
	o.array(messageValues(m.Kind, version))
	o.uint(uint64(m.Kind))
	o.key(m.To)
	switch m.Kind {
	case graph.KindObserve:
		o.optionalKey(m.Via)
		o.uint(uint64(m.Hops))
		if version >= 3 {
			o.uint(m.Passed)
		}
		o.uint(uint64(o.version.event))
		o.event(m.Event, false)
	case graph.KindAssert:
		o.assertion(m.Assertion)
	case graph.KindJoin:
		o.key(m.Root)
		o.optionalKey(m.Via)
		o.bool(m.Force)
		if version >= 4 {
			o.text(m.Node.Namespace)
			o.text(m.Node.Value)
		}
	case graph.KindAbsorb:
		o.members(m.Evidence.Members)
		o.links(m.Evidence.Links)
		o.assertions(m.Evidence.Assertions)
		if version < 5 {
			o.formerParts(m.Evidence)
			break
		}
		o.bool(m.Evidence.Part)
		o.heads(m.Evidence.Heads)
	case graph.KindRepoint:
		o.key(m.Root)
		if version >= 3 {
			o.uint(m.Passed)
		}
	case graph.KindRefuse:
		o.key(m.Via)
		o.key(m.Root)
		o.uint(uint64(m.Reason))
	case graph.KindNeighbour:
		o.nodeName(&m.Node)
		o.nodeName(&m.Neighbour)
	}
	return e.finish()
}

// Message reads a message. An event's byte slices share src's memory; evidence does not.
//
// Links of an Absorb may have ends that are not among its members: evidence of a large component comes in parts.
func (d *Decoder) Message(src []byte) (*graph.Message, error) {
	m := &graph.Message{}
	if err := d.MessageInto(src, m); err != nil {
		return nil, err
	}
	return m, nil
}

// MessageInto reads a message into m and overwrites it. After an error the contents of m are undefined.
func (d *Decoder) MessageInto(src []byte, m *graph.Message) error {
	*m = graph.Message{}
	d.begin("message", src, messageVersion)
	d.fragments = eventVersionIn(d.version)
	d.message(m)
	return d.finish()
}

func (d *Decoder) message(m *graph.Message) {
	in := &d.in
	at := in.at
	n := in.arrayLen()
	m.Kind = graph.MessageKind(in.enum("message kind", uint8(graph.KindObserve), uint8(graph.KindRecheck)))
	if in.err == nil && n != messageValues(m.Kind, d.version) {
		in.fail(at, "%s message of %d values, want %d", m.Kind, n, messageValues(m.Kind, d.version))
	}
	m.To = in.key()
	switch m.Kind {
	case graph.KindObserve:
		m.Via = in.optionalKey()
		m.Hops = in.uint8()
		if d.version >= 3 {
			m.Passed = in.uint()
		}
		at := in.at
		version := in.version(eventVersion)
		if in.err == nil && version != eventVersionIn(d.version) {
			in.fail(at, "event of version %d in a message of version %d", version, d.version)
		}
		m.Event = &graph.Event{}
		d.event(m.Event, version)
		if m.Event.Properties != nil || m.Event.Context != nil {
			in.fail(at, "event with properties or a context between shards")
		}
	case graph.KindAssert:
		m.Assertion = &graph.Assertion{}
		d.assertion(m.Assertion)
	case graph.KindJoin:
		m.Root = in.key()
		m.Via = in.optionalKey()
		m.Force = in.bool()
		if d.version >= 4 {
			m.Node = graph.NodeName{Namespace: d.namespace(), Value: d.text()}
			if m.Node.Namespace != "" {
				m.Node.Key = m.Via
			}
		}
	case graph.KindAbsorb:
		m.Evidence = &graph.Evidence{Members: d.members(), Links: d.links(), Assertions: d.assertions()}
		if d.version < 5 {
			d.formerParts(m.Evidence)
			break
		}
		m.Evidence.Part = in.bool()
		at := in.at
		if m.Evidence.Heads = d.heads(); in.err == nil && len(m.Evidence.Heads) > 0 && !m.Evidence.Part {
			in.fail(at, "evidence in one piece names its identities")
		}
	case graph.KindRepoint:
		m.Root = in.key()
		if d.version >= 3 {
			m.Passed = in.uint()
		}
	case graph.KindRefuse:
		m.Via = in.key()
		m.Root = in.key()
		m.Reason = graph.Refusal(in.enum("refusal", uint8(graph.RefusedGeneric), uint8(graph.RefusedFull)))
	case graph.KindNeighbour:
		m.Node = d.nodeName()
		m.Neighbour = d.nodeName()
	}
}
