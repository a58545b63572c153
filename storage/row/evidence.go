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

// Bits of a member's flags.
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

func (o *output) members(members []graph.Member) {
	o.array(len(members))
	for i := range members {
		m := &members[i]
		o.array(memberFields)
		o.nodeName(&m.NodeName)
		o.text(m.Raw)
		o.stamp(m.RawStamp)
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
		o.uint(flags)
		o.fragment(m.Fragment)
	}
}

// members reads members in strictly descending rank.
func (d *Decoder) members() []graph.Member {
	in := &d.in
	n := in.list(1, memberLeast)
	if n == 0 {
		return nil
	}
	members := make([]graph.Member, 0, n)
	for i := range n {
		at := in.at
		in.tuple(memberFields)
		m := graph.Member{NodeName: d.nodeName(), Raw: d.text(), RawStamp: in.stamp()}
		flags := in.enum("member flags", 0, memberFlags)
		m.Hosted, m.Generic, m.Refused = flags&memberHosted != 0, flags&memberGeneric != 0, flags&memberRefused != 0
		m.Here = flags&memberHere != 0
		m.Fragment = d.fragment()
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

func (o *output) links(links []graph.Link) {
	o.array(len(links))
	for i := range links {
		l := &links[i]
		o.array(linkFields)
		o.key(l.A)
		o.key(l.B)
		verb := uint64(l.Verb)
		if o.version.event < 3 {
			o.leave(l.Reading || l.Likely)
		} else {
			if l.Reading {
				verb |= linkReading
			}
			if l.Likely {
				verb |= linkLikely
			}
		}
		o.uint(verb)
		o.uint(l.Count)
		// A link of one event has two equal marks.
		o.mark(&l.First, &graph.Mark{})
		o.mark(&l.Last, &l.First)
	}
}

// mark writes a mark, or nil if it equals the mark that a reader assumes.
func (o *output) mark(m, assumed *graph.Mark) {
	if sameMark(m, assumed) {
		o.null()
		return
	}
	o.array(markFields)
	o.stamp(m.Stamp)
	o.bytes(m.ID)
	o.bytes(m.Source)
}

func sameMark(a, b *graph.Mark) bool {
	return a.Stamp == b.Stamp && sameBytes(a.ID, b.ID) && sameBytes(a.Source, b.Source)
}

// sameBytes compares byte slices and distinguishes nil from empty: their encodings differ.
func sameBytes(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// links reads links in the order of their keys, the upper end first.
func (d *Decoder) links() []graph.Link {
	in := &d.in
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
		l.First = d.mark(&graph.Mark{})
		l.Last = d.mark(&l.First)
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
func (d *Decoder) mark(assumed *graph.Mark) graph.Mark {
	in := &d.in
	if in.null() {
		left := len(assumed.ID) + len(assumed.Source) + in.left()
		return graph.Mark{Stamp: assumed.Stamp, ID: d.arena.bytes(assumed.ID, left), Source: d.arena.bytes(assumed.Source, left)}
	}
	at := in.at
	in.tuple(markFields)
	m := graph.Mark{Stamp: in.stamp(), ID: d.ownBytes(), Source: d.ownBytes()}
	if in.err == nil && sameMark(&m, assumed) {
		in.fail(at, "a mark that says nothing new is nil")
	}
	return m
}

func (o *output) assertions(assertions []graph.Assertion) {
	o.array(len(assertions))
	for i := range assertions {
		o.assertion(&assertions[i])
	}
}

func (o *output) assertion(a *graph.Assertion) {
	o.array(assertionFields)
	o.uint(uint64(a.Verb))
	o.bool(a.Withdrawn)
	o.nodeName(&a.A)
	o.optionalKey(a.B.Key)
	o.text(a.B.Namespace)
	o.text(a.B.Value)
	o.int(a.At)
	o.text(a.ID)
	o.text(a.By)
	o.text(a.Note)
}

// assertions reads assertions in the order of their subjects: verb, then A, then B.
func (d *Decoder) assertions() []graph.Assertion {
	in := &d.in
	n := in.list(1, assertionLeast)
	if n == 0 {
		return nil
	}
	assertions := make([]graph.Assertion, n)
	for i := range n {
		at := in.at
		d.assertion(&assertions[i])
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

func (d *Decoder) assertion(a *graph.Assertion) {
	in := &d.in
	at := in.at
	in.tuple(assertionFields)
	a.Verb = graph.AssertionVerb(in.enum("assertion", uint8(graph.AssertForce), uint8(graph.AssertForget)))
	a.Withdrawn = in.bool()
	a.A = d.nodeName()
	a.B = graph.NodeName{Key: in.optionalKey(), Namespace: d.namespace(), Value: d.text()}
	a.At = in.int()
	a.ID = d.text()
	a.By = d.text()
	a.Note = d.text()
	switch {
	case in.err != nil:
	case a.Verb == graph.AssertForget && a.B != (graph.NodeName{}):
		in.fail(at, "an assertion that forgets one node names two")
	case a.Verb != graph.AssertForget && (a.B.Key.IsZero() || !a.A.Key.Outranks(a.B.Key)):
		in.fail(at, "an assertion about two nodes does not name the upper and then the lower one")
	}
}

// heads writes the heads of the identities of evidence in parts. Each part has the heads that are among its members.
func (o *output) heads(heads []graph.NodeKey) {
	o.array(len(heads))
	for _, key := range heads {
		o.key(key)
	}
}

// heads reads keys in strictly descending rank.
func (d *Decoder) heads() []graph.NodeKey {
	in := &d.in
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
func (o *output) formerParts(ev *graph.Evidence) {
	heads := ev.Heads
	if !ev.Part && len(ev.Members) > 0 {
		heads = []graph.NodeKey{ev.Members[0].Key}
	}
	o.array(len(heads))
	for _, key := range heads {
		i := slices.IndexFunc(ev.Members, func(m graph.Member) bool { return m.Key == key })
		m := &ev.Members[i]
		o.array(summaryFields)
		o.key(key)
		o.nodeName(&m.NodeName)
		if m.Fragment == nil {
			o.uint(0)
		} else {
			o.uint(m.Fragment.Events)
		}
		o.array(1)
		o.key(key)
	}
	o.bool(ev.Part)
}

// formerParts reads the end of an Absorb before version 5: the identities of the component in full, and whether more
// parts follow. A part names the identities whose heads are among its members; the last of several parts holds
// nothing else and names all.
func (d *Decoder) formerParts(ev *graph.Evidence) {
	heads := d.formerHeads()
	more := d.in.bool()
	if ev.Part = more || len(ev.Members) == 0; more {
		ev.Heads = heads
	}
}

func (d *Decoder) formerHeads() []graph.NodeKey {
	in := &d.in
	heads := make([]graph.NodeKey, in.list(1, summaryLeast))
	for i := range heads {
		in.tuple(summaryFields)
		heads[i] = in.key()
		d.nodeName()
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
