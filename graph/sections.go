package graph

import (
	"cmp"
	"slices"

	"github.com/kindred-id/kindred/graph/signal"
)

// Sections are the parts of a fragment that most fragments lack. In a row and in a message each has a number (package row), so
// that a new section changes neither the others nor fragments without it.
//
// A signal's state begins with the first event that carries a mark of it. Events from before the signal was defined are in a
// Patch, made of the stored timeline. As folding is order-free, a patch may come before or after any event.
type Sections struct {
	Signals []SignalState // by number
}

// SignalState is what a fragment remembers of one signal.
type SignalState struct {
	Number uint32 // of the signal in its deployment; a number is never used again
	signal.State
}

// SignalMark says that an event is of a signal. It says what the fold needs of the signal's definition, so that what an
// event does depends on the event alone, whatever definitions are live when a log is replayed.
type SignalMark struct {
	Number uint32
	Kind   signal.Kind
	N      uint16
	Value  []byte // of the property that the signal remembers, in the form of signal.Scalar.Key; nil if the event has none
}

// Patch is what a fragment lacks of signals that are younger than its events. It goes to the node whose events these are, and
// follows them wherever evidence of the node went.
type Patch struct {
	Node    NodeKey
	Signals []SignalState // by number
}

// Fold adds the marks of an event that the fragment was never told of.
func (p *Patch) Fold(e *Event) { p.Signals = foldMarks(p.Signals, e) }

// foldMarks adds an event to the signals that it is of. It allocates only for what it sees for the first time.
func foldMarks(signals []SignalState, e *Event) []SignalState {
	at := signal.Moment{Time: min(e.Stamp.Time, e.Received), Tie: e.Stamp.Tie} // S4 of package signal
	for i := range e.Marks {
		m := &e.Marks[i]
		place, found := slices.BinarySearchFunc(signals, m.Number, func(s SignalState, n uint32) int { return cmp.Compare(s.Number, n) })
		if !found {
			signals = slices.Insert(signals, place, SignalState{m.Number, signal.State{Kind: m.Kind, N: int(m.N)}})
		}
		signals[place].Fold(at, signal.Scalar{Kind: signal.Text, Text: m.Value}, m.Value != nil)
	}
	return signals
}

func (f *Fragment) foldMarks(e *Event) {
	if f.Sections == nil {
		f.Sections = &Sections{}
	}
	f.Sections.Signals = foldMarks(f.Sections.Signals, e)
}

// mergeSections adds sections of other events. It takes ownership of them.
func (f *Fragment) mergeSections(other *Sections) {
	switch {
	case other == nil:
	case f.Sections == nil:
		f.Sections = other
	default:
		f.Sections.Signals = mergeSorted(f.Sections.Signals, other.Signals,
			func(a, b *SignalState) int { return cmp.Compare(a.Number, b.Number) },
			func(a, b *SignalState) { a.Merge(&b.State) })
	}
}

// cutSections takes the sections off the fragment, in pieces that fit into a part.
func (f *Fragment) cutSections(pieces []*Fragment) []*Fragment {
	if f.Sections == nil {
		return pieces
	}
	for left := f.Sections.Signals; len(left) > 0; {
		n, size := 0, 0
		for n < len(left) && size < partBytes/2 {
			size += left[n].Size()
			n++
		}
		pieces = append(pieces, &Fragment{Sections: &Sections{Signals: left[:n:n]}})
		left = left[n:]
	}
	f.Sections = nil
	return pieces
}

func (s *Sections) clone() *Sections {
	if s == nil {
		return nil
	}
	clone := Sections{Signals: slices.Clone(s.Signals)}
	for i := range clone.Signals {
		clone.Signals[i].State = clone.Signals[i].Clone()
	}
	return &clone
}

func (s *Sections) size() int {
	if s == nil {
		return 0
	}
	size := 24
	for i := range s.Signals {
		size += 8 + s.Signals[i].Size()
	}
	return size
}

// Remembered sums up what the fragments of the identity that holds a node remember of signals, by number. It owns its memory. It
// returns false when the node is not hosted here.
func (c *Component) Remembered(node NodeKey, rules *Rules) ([]SignalState, bool) {
	group, ok := c.identityOf(node, rules)
	if !ok {
		return nil, false
	}
	var sum Fragment
	for _, i := range group {
		if f := c.members[i].Fragment; f != nil {
			sum.mergeSections(f.Sections.clone())
		}
	}
	if sum.Sections == nil {
		return nil, true
	}
	return sum.Sections.Signals, true
}

// patch adds what a fragment lacks of younger signals. The node was a route before the patch was made of its events, and
// everything that it sent since took the road of the patch or a longer one: so the member is here.
func (h handler) patch(p *Patch) error {
	m := h.find(p.Node)
	if m == nil {
		return ErrCorrupt
	}
	if m.Fragment == nil { // the patch overtook the events themselves
		m.Fragment = &Fragment{}
	}
	m.Fragment.mergeSections(&Sections{Signals: p.Signals})
	return nil
}
