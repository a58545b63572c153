package row

import (
	"bytes"
	"slices"

	"github.com/kindred-id/kindred/graph"
)

// Fields of the items of evidence. Members, links and assertions are lists of arrays, because they are large; marks
// are arrays within links.
const (
	memberFields    = 9
	linkFields      = 6
	markFields      = 5
	assertionFields = 12
	summaryFields   = 6

	memberLeast    = 1 + keyLen + 2 + 8 // bytes
	linkLeast      = 1 + 2*(keyLen+2) + 4
	assertionLeast = 1 + keyLen + 2 + 10
	summaryLeast   = 1 + 2*(keyLen+2) + 4
)

// Bits of a member's flags: the fields of graph.Member with these names.
const (
	memberHosted  = 1 << 0
	memberGeneric = 1 << 1
	memberRefused = 1 << 2
	memberHere    = 1 << 3
	memberFlags   = memberHosted | memberGeneric | memberRefused | memberHere
)

// Bits beside the verb of a link. Links from before aliases had readings have neither.
const (
	linkReading = 1 << 3
	linkLikely  = 1 << 4
)

// An evidenceWriter writes evidence: members with their fragments, links, and assertions.
//
//	       +----------+-----------+-------+-----+-----------------+-------+-----------------+
//	member | key 16 B | namespace | value | raw | stamp of raw, 3 | flags | fragment or nil |
//	       +--------+-+------+----+-------+--+--+----+-------+----+-------+--------+--------+
//	link   | A 16 B | B 16 B | verb and bits | count | first | last; nil: as first |
//	       +--------+--------+---------------+-------+-------+---------------------+
//
// Members are in strictly descending rank, so that the end of a link is found by a binary search (checkEnds). Links are
// in the order of their keys, the higher end first. A reader rejects any other order: the graph relies on both.
type evidenceWriter struct{ *writer }

// An evidenceReader reads what an evidenceWriter writes.
type evidenceReader struct {
	*reader
	fragments uint64 // their version
}

func (out evidenceWriter) members(members []graph.Member) {
	out.array(len(members))
	for i := range members {
		m := &members[i]
		out.array(memberFields)
		out.nodeName(&m.NodeName)
		out.text(m.Raw)
		out.stamp(m.RawStamp)
		var flags uint64
		if m.Hosted {
			flags |= memberHosted
		}
		if m.Generic {
			flags |= memberGeneric
		}
		if m.Refused {
			flags |= memberRefused
		}
		if m.Here {
			flags |= memberHere
		}
		out.uint(flags)
		out.fragment(m.Fragment)
	}
}

// members reads members in strictly descending rank.
func (in evidenceReader) members() []graph.Member {
	n := in.list(1, memberLeast)
	if n == 0 {
		return nil
	}
	members := make([]graph.Member, 0, n)
	for i := range n {
		at := in.at
		in.tuple(memberFields)
		m := graph.Member{NodeName: in.nodeName(), Raw: in.text(), RawStamp: in.stamp()}
		flags := in.enum("member flags", 0, memberFlags)
		m.Hosted, m.Generic, m.Refused = flags&memberHosted != 0, flags&memberGeneric != 0, flags&memberRefused != 0
		m.Here = flags&memberHere != 0
		m.Fragment = in.fragment()
		if in.err != nil {
			return nil
		}
		if i > 0 && !members[i-1].Key.Outranks(m.Key) {
			in.fail(at, "member %d does not rank below the one before", i)
			return nil
		}
		members = append(members, m)
	}
	return members
}

func (out evidenceWriter) links(links []graph.Link) {
	out.array(len(links))
	for i := range links {
		l := &links[i]
		out.array(linkFields)
		out.key(l.A)
		out.key(l.B)
		verb := uint64(l.Verb)
		if out.formats.event < 3 {
			out.leave(l.Reading || l.Likely)
		} else {
			if l.Reading {
				verb |= linkReading
			}
			if l.Likely {
				verb |= linkLikely
			}
		}
		out.uint(verb)
		out.uint(l.Count)
		// A link of one event has two equal marks.
		out.mark(&l.First, &graph.Mark{})
		out.mark(&l.Last, &l.First)
	}
}

// mark writes a mark, or nil if it equals the mark that a reader assumes.
func (out evidenceWriter) mark(m, assumed *graph.Mark) {
	if sameMark(m, assumed) {
		out.null()
		return
	}
	out.array(markFields)
	out.stamp(m.Stamp)
	out.bytes(m.ID)
	out.bytes(m.Source)
}

func sameMark(a, b *graph.Mark) bool {
	return a.Stamp == b.Stamp && sameBytes(a.ID, b.ID) && sameBytes(a.Source, b.Source)
}

// sameBytes compares byte slices and distinguishes nil from empty: their encodings differ.
func sameBytes(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// links reads links in the order of their keys, the upper end first.
func (in evidenceReader) links() []graph.Link {
	n := in.list(1, linkLeast)
	if n == 0 {
		return nil
	}
	links := make([]graph.Link, 0, n)
	for i := range n {
		at := in.at
		in.tuple(linkFields)
		l := graph.Link{LinkKey: graph.LinkKey{A: in.key(), B: in.key()}}
		verb := in.enum("verb of a link", 0, uint8(graph.VerbForce)|linkReading|linkLikely)
		l.Reading, l.Likely = verb&linkReading != 0, verb&linkLikely != 0
		if l.Verb = graph.Verb(verb &^ (linkReading | linkLikely)); in.err == nil && l.Verb > graph.VerbForce {
			in.fail(at, "unknown verb %d", l.Verb)
		}
		l.Count = in.uint()
		l.First = in.mark(&graph.Mark{})
		l.Last = in.mark(&l.First)
		switch {
		case in.err != nil:
			return nil
		case !l.A.Outranks(l.B):
			in.fail(at, "link %d has its lower end first", i)
			return nil
		case i > 0 && links[i-1].Compare(l.LinkKey) >= 0:
			in.fail(at, "link %d is not in the order of keys", i)
			return nil
		}
		links = append(links, l)
	}
	return links
}

// mark reads a mark; nil stands for a copy of the assumed one.
func (in evidenceReader) mark(assumed *graph.Mark) graph.Mark {
	if in.null() {
		left := len(assumed.ID) + len(assumed.Source) + in.left()
		return graph.Mark{Stamp: assumed.Stamp, ID: in.arena.bytes(assumed.ID, left), Source: in.arena.bytes(assumed.Source, left)}
	}
	at := in.at
	in.tuple(markFields)
	m := graph.Mark{Stamp: in.stamp(), ID: in.ownBytes(), Source: in.ownBytes()}
	if in.err == nil && sameMark(&m, assumed) {
		in.fail(at, "a mark that says nothing new is nil")
	}
	return m
}

func (out evidenceWriter) assertions(assertions []graph.Assertion) {
	out.array(len(assertions))
	for i := range assertions {
		out.assertion(&assertions[i])
	}
}

// assertion writes what an operator said of one node or two:
//
//	+------+-----------+-----------+-------+------------+----------+----+----+----+------+
//	| verb | withdrawn | A, name 3 | B key | namespace  | value    | at | id | by | note |
//	+------+-----------+-----------+-------+------------+----------+----+----+----+------+
//
// A name is a key, a namespace and a value. Of two nodes A is the higher one, so that both ways to say it are one
// subject; an assertion that forgets a node has no B: its key is nil.
func (out evidenceWriter) assertion(a *graph.Assertion) {
	out.array(assertionFields)
	out.uint(uint64(a.Verb))
	out.bool(a.Withdrawn)
	out.nodeName(&a.A)
	out.optionalKey(a.B.Key)
	out.text(a.B.Namespace)
	out.text(a.B.Value)
	out.int(a.At)
	out.text(a.ID)
	out.text(a.By)
	out.text(a.Note)
}

// assertions reads assertions in the order of their subjects: verb, then A, then B.
func (in evidenceReader) assertions() []graph.Assertion {
	n := in.list(1, assertionLeast)
	if n == 0 {
		return nil
	}
	assertions := make([]graph.Assertion, n)
	for i := range n {
		at := in.at
		in.assertion(&assertions[i])
		if in.err != nil {
			return nil
		}
		if i > 0 && !about(&assertions[i-1], &assertions[i]) {
			in.fail(at, "assertion %d is not in the order of what it is about", i)
			return nil
		}
	}
	return assertions
}

// about reports whether the subject of a sorts before the subject of b.
func about(a, b *graph.Assertion) bool {
	if a.Verb != b.Verb {
		return a.Verb < b.Verb
	}
	if c := a.A.Key.Compare(b.A.Key); c != 0 {
		return c < 0
	}
	return a.B.Key.Compare(b.B.Key) < 0
}

func (in evidenceReader) assertion(a *graph.Assertion) {
	at := in.at
	in.tuple(assertionFields)
	a.Verb = graph.AssertionVerb(in.enum("assertion", uint8(graph.AssertForce), uint8(graph.AssertForget)))
	a.Withdrawn = in.bool()
	a.A = in.nodeName()
	a.B = graph.NodeName{Key: in.optionalKey(), Namespace: in.namespace(), Value: in.text()}
	a.At = in.int()
	a.ID = in.text()
	a.By = in.text()
	a.Note = in.text()
	switch {
	case in.err != nil:
	case a.Verb == graph.AssertForget && a.B != (graph.NodeName{}):
		in.fail(at, "an assertion that forgets one node names two")
	case a.Verb != graph.AssertForget && (a.B.Key.IsZero() || !a.A.Key.Outranks(a.B.Key)):
		in.fail(at, "an assertion about two nodes does not name the upper and then the lower one")
	}
}

// heads reads the heads of the identities of evidence in parts: keys in strictly descending rank. Each part has the
// heads that are among its members.
func (in evidenceReader) heads() []graph.NodeKey {
	n := in.list(1, keyLen+2)
	if n == 0 {
		return nil
	}
	heads := make([]graph.NodeKey, n)
	for i := range heads {
		at := in.at
		if heads[i] = in.key(); in.err == nil && i > 0 && !heads[i-1].Outranks(heads[i]) {
			in.fail(at, "head %d does not rank below the one before", i)
		}
		if in.err != nil {
			return nil
		}
	}
	return heads
}

// formerParts writes the end of an Absorb before version 5. It names the heads of a part, or the highest-ranked
// member of evidence in one piece, as if that evidence were one identity: readers of those versions use the heads
// only to announce merges.
func (out evidenceWriter) formerParts(ev *graph.Evidence) {
	heads := ev.Heads
	if !ev.Part && len(ev.Members) > 0 {
		heads = []graph.NodeKey{ev.Members[0].Key}
	}
	out.array(len(heads))
	for _, key := range heads {
		i := slices.IndexFunc(ev.Members, func(m graph.Member) bool { return m.Key == key })
		m := &ev.Members[i]
		out.array(summaryFields)
		out.key(key)
		out.nodeName(&m.NodeName)
		if m.Fragment == nil {
			out.uint(0)
		} else {
			out.uint(m.Fragment.Events)
		}
		out.array(1)
		out.key(key)
	}
	out.bool(ev.Part)
}

// formerParts reads the end of an Absorb before version 5: the identities of the component in full, and whether more
// parts follow. A part names the identities whose heads are among its members; the last of several parts holds
// nothing else and names all.
func (in evidenceReader) formerParts(ev *graph.Evidence) {
	heads := in.formerHeads()
	more := in.bool()
	if ev.Part = more || len(ev.Members) == 0; more {
		ev.Heads = heads
	}
}

func (in evidenceReader) formerHeads() []graph.NodeKey {
	heads := make([]graph.NodeKey, in.list(1, summaryLeast))
	for i := range heads {
		in.tuple(summaryFields)
		heads[i] = in.key()
		in.nodeName()
		in.uint() // events
		for range in.list(1, keyLen+2) {
			in.key() // of a node with events
		}
		if in.err != nil {
			return nil
		}
	}
	if len(heads) == 0 {
		return nil
	}
	slices.SortFunc(heads, func(a, b graph.NodeKey) int { return b.Compare(a) })
	return slices.Compact(heads)
}
