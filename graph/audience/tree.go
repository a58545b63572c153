package audience

import (
	"math/bits"

	"github.com/kindred-id/kindred/graph/signal"
)

// Kind is the kind of a condition.
type Kind uint8

// The kinds of conditions.
const (
	All        Kind = 1 + iota // all children hold
	Any                        // one child holds
	Not                        // the only child does not hold
	Events                     // of the events that match a filter, how many there are, or another measure
	Sequence                   // an event, then another
	Trait                      // the value of a trait
	Identifier                 // there is an identifier of a namespace
	Orders                     // how many orders, or what they are worth
	Score                      // the value or the band of a score
	Member                     // is in another audience
)

// Node is a condition.
type Node struct {
	ID       string // unique in its tree
	Kind     Kind
	Children []*Node           // of All, Any, Not
	Events   *EventCondition   // of Events
	Sequence *SequenceOf       // of Sequence
	Value    *signal.Condition // of Trait and Score: Path is the trait's or score's name
	Orders   *OrderCondition   // of Orders
	Name     string            // of Identifier a namespace, of Member the key of an audience
}

// Measure is what a condition over events compares.
type Measure string

// The measures of events.
const (
	Count      Measure = "count"       // of the events in the window
	Sum        Measure = "sum"         // of a property over the events in the window
	DistinctOf Measure = "distinct"    // how many values a property ever had
	FirstEvent Measure = "first"       // the first event ever lies in the window
	FirstValue Measure = "first_value" // the value of a property in the first event that has it
	LastValue  Measure = "last_value"  // the value of a property in the newest event that has it
)

// Range bounds a number, both ends included. Of sums the bounds are in ten-thousandths, of money in the minor unit of its currency.
type Range struct {
	HasLow, HasHigh bool
	Low, High       int64
}

// holds reports whether a number lies in the range.
func (r Range) holds(n int64) bool { return (!r.HasLow || n >= r.Low) && (!r.HasHigh || n <= r.High) }

// EventCondition is a condition over events.
type EventCondition struct {
	Filter  signal.EventFilter
	Measure Measure
	Of      string            // the property of Sum, DistinctOf, FirstValue and LastValue
	Range   Range             // of Count, Sum and DistinctOf
	Value   *signal.Condition // of FirstValue and LastValue; its Path is Of
	Window  Window
}

// SequenceOf holds if an event of Then followed one of First within a time. At most 64 events of each are remembered.
type SequenceOf struct {
	First, Then signal.EventFilter
	Within      int64  // ms
	Window      Window // of the first event
}

// OrderMeasure is what a condition over orders compares.
type OrderMeasure string

// The measures of orders. Cancelled orders count for neither.
const (
	OrderCount OrderMeasure = "count"
	OrderNet   OrderMeasure = "net" // what the orders of a currency are worth, less refunds
)

// OrderCondition is a condition over orders, by when they were placed.
type OrderCondition struct {
	Measure  OrderMeasure
	Range    Range
	Currency string // of OrderNet
	Window   Window
}

// Definition is an audience.
type Definition struct {
	Key   string // lower-case letters, digits and _
	Where *Node
}

// signal returns the signal that the condition reads.
func (e *EventCondition) signal() signal.Definition {
	d := signal.Definition{Event: e.Filter}
	switch e.Measure {
	case Count:
		if n, ok := e.moments(); ok {
			d.Kind, d.N = signal.Newest, 1<<bits.Len(uint(n-1)) // a power of two, so that more conditions share it
		} else {
			d.Kind = signal.Days
		}
	case Sum:
		d.Kind, d.Of = signal.Days, e.Of
	case DistinctOf:
		d.Kind, d.Of, d.N = signal.Distinct, e.Of, signal.DistinctMax
	case FirstEvent:
		d.Kind, d.N = signal.Oldest, 1
	case FirstValue:
		d.Kind, d.Of = signal.First, e.Of
	case LastValue:
		d.Kind, d.Of = signal.Last, e.Of
	}
	return d
}

// moments returns how many of the newest moments decide a count: a lower bound needs as many, an upper bound one more. It
// returns false if whole days are counted instead.
func (e *EventCondition) moments() (int, bool) {
	n := int64(1)
	if e.Range.HasLow {
		n = max(n, e.Range.Low)
	}
	if e.Range.HasHigh {
		n = max(n, e.Range.High+1)
	}
	return int(n), n <= signal.MomentsMax && !e.Window.Days
}

// signals returns the two signals that the sequence reads.
func (s *SequenceOf) signals() (first, then signal.Definition) {
	return signal.Definition{Event: s.First, Kind: signal.Newest, N: signal.MomentsMax},
		signal.Definition{Event: s.Then, Kind: signal.Newest, N: signal.MomentsMax}
}
