package row

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/signal"
)

// Versions since which events have marks, fragments sections, and shards send patches.
const (
	marksSince = 5 // of events
	patchSince = 7 // of messages
)

// Fields of a mark in an event's list, of a section in a fragment's, and of what a signal's state begins with and lists.
const (
	signalMarkFields = 4
	sectionFields    = 2
	stateFields      = 3
	momentFields     = 2
	dayFields        = 4
	valueFields      = 4

	signalMarkLeast = 4 // bytes
	sectionLeast    = 2
	stateLeast      = 4
)

// Sections of a fragment, by number. 2 to 5 are kept for products, touches, consent and runs.
const sectionSignals = 1

// A signalsWriter writes what is remembered of events for conditions.
//
//	         +---------+--------+------+---+--------------+-----+
//	marks    | version | number | kind | n | value or nil | ... |  of an event; nil: of version 0
//	         +--------++--------+------+---+--------------+-----+
//	sections | number | content | ... |  of a fragment; nil: none
//	         +--------+---------+-----+
//	signal   | number | kind | n | item ... |  an array each; a section of signals is an array of them
//	         +--------+------+---+----------+
//
// An item is a moment (time, tie), a day (day, whether it is a period, count, sum) or a value (text, time, tie, count), as the
// signal's kind has it. It does not store what follows from the text of a value.
type signalsWriter struct{ *writer }

// A signalsReader reads what a signalsWriter writes.
type signalsReader struct{ *reader }

func (out signalsWriter) marks(ev *graph.Event) {
	if ev.Marked == 0 {
		out.null()
		return
	}
	out.array(1 + signalMarkFields*len(ev.Marks))
	out.uint(ev.Marked)
	for i := range ev.Marks {
		m := &ev.Marks[i]
		out.uint(uint64(m.Number))
		out.uint(uint64(m.Kind))
		out.uint(uint64(m.N))
		out.bytes(m.Value)
	}
}

// marks reads an event's marks. Their values share the memory of what is read.
func (in signalsReader) marks(ev *graph.Event) {
	ev.Marks, ev.Marked = ev.Marks[:0], 0
	if in.null() {
		return
	}
	at := in.at
	n := in.arrayLen()
	if in.err == nil && (n%signalMarkFields != 1 || n/signalMarkFields > in.left()/signalMarkLeast) {
		in.fail(at, "marks of %d values in %d bytes", n, in.left())
	}
	if ev.Marked = in.uint(); in.err == nil && ev.Marked == 0 {
		in.fail(at, "marks of version 0 are nil")
	}
	for range n / signalMarkFields {
		if in.err != nil {
			return
		}
		m := graph.SignalMark{Number: in.uint32()}
		m.Kind, m.N = in.memory()
		m.Value = in.bytes()
		ev.Marks = append(ev.Marks, m)
	}
}

// memory reads a kind of memory, and how much it holds.
func (in signalsReader) memory() (signal.Kind, uint16) {
	at := in.at
	kind := signal.Kind(in.enum("kind of signal", uint8(signal.Newest), uint8(signal.Recent)))
	n := in.uint16()
	if in.err == nil && !kind.Holds(int(n)) {
		in.fail(at, "signal of kind %d that keeps %d", kind, n)
	}
	return kind, n
}

func (out signalsWriter) sections(s *graph.Sections) {
	if s == nil || len(s.Signals) == 0 {
		out.null()
		return
	}
	out.array(sectionFields)
	out.uint(sectionSignals)
	out.states(s.Signals)
}

func (in signalsReader) sections() *graph.Sections {
	if in.null() {
		return nil
	}
	at := in.at
	n := in.list(sectionFields, sectionLeast)
	if in.err == nil && n != 1 {
		in.fail(at, "%d sections, want 1", n)
	}
	in.enum("section", sectionSignals, sectionSignals)
	return &graph.Sections{Signals: in.states()}
}

func (out signalsWriter) states(states []graph.SignalState) {
	out.array(len(states))
	for i := range states {
		s := &states[i]
		out.array(stateFields + momentFields*len(s.Moments) + dayFields*len(s.Days) + valueFields*len(s.Values))
		out.uint(uint64(s.Number))
		out.uint(uint64(s.Kind))
		out.uint(uint64(s.N))
		for _, m := range s.Moments {
			out.moment(m)
		}
		for i := range s.Days {
			d := &s.Days[i]
			out.int(int64(d.Day))
			out.bool(d.Long)
			out.uint(uint64(d.Count))
			out.int(d.Sum)
		}
		for i := range s.Values {
			v := &s.Values[i]
			out.text(v.Text)
			out.moment(v.Newest)
			out.uint(uint64(v.Count))
		}
	}
}

func (out signalsWriter) moment(m signal.Moment) {
	out.int(m.Time)
	out.uint(m.Tie)
}

// states reads one or more states of signals, by number.
func (in signalsReader) states() []graph.SignalState {
	at := in.at
	n := in.list(1, stateLeast)
	if n == 0 {
		in.fail(at, "no signals")
		return nil
	}
	states := make([]graph.SignalState, 0, n)
	for i := range n {
		at := in.at
		s := in.state()
		if in.err != nil {
			return nil
		}
		if i > 0 && states[i-1].Number >= s.Number {
			in.fail(at, "signal %d is not in the order of numbers", i)
			return nil
		}
		states = append(states, s)
	}
	return states
}

func (in signalsReader) state() graph.SignalState {
	at := in.at
	values := in.arrayLen() - stateFields
	s := graph.SignalState{Number: in.uint32()}
	kind, keeps := in.memory()
	s.Kind, s.N = kind, int(keeps)
	each := valueFields
	switch kind {
	case signal.Newest, signal.Oldest:
		each = momentFields
	case signal.Days:
		each = dayFields
	}
	if in.err == nil && (values < 0 || values%each != 0 || values > in.left()) {
		in.fail(at, "signal of %d values in %d bytes", values, in.left())
	}
	if in.err != nil {
		return s
	}
	switch n := values / each; each {
	case momentFields:
		in.moments(&s, n)
	case dayFields:
		in.items(&s, n, kind)
	}
	if in.err == nil && !s.Restore() {
		in.fail(at, "signal that is out of order or out of bounds")
	}
	return s
}

func (in signalsReader) moments(s *graph.SignalState, n int) {
	for range n {
		s.Moments = append(s.Moments, in.moment())
	}
}

// items reads days or values: both have four fields.
func (in signalsReader) items(s *graph.SignalState, n int, kind signal.Kind) {
	for range n {
		if kind == signal.Days {
			s.Days = append(s.Days, signal.Day{Day: in.int32(), Long: in.bool(), Count: in.uint32(), Sum: in.int()})
		} else {
			s.Values = append(s.Values, signal.Value{Text: in.text(), Newest: in.moment(), Count: in.uint32()})
		}
	}
}

func (in signalsReader) moment() signal.Moment {
	return signal.Moment{Time: in.int(), Tie: in.uint()}
}
