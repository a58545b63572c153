package audience

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/kindred-id/kindred/graph/signal"
)

// ComputedTrait is a value of a person that follows from events or orders, under a name: how often they bought, the size that they took
// last. It is measured as conditions are, from the same signals, and always as of now.
type ComputedTrait struct {
	Key string // as that of an audience, and of none
	Of  *Expression
}

// Expression is what is measured of a person: a condition without a comparison.
type Expression struct {
	Orders   bool               // of orders; else of events
	Filter   signal.EventFilter // of events
	Measure  Measure
	Of       string // a property, of Sum, DistinctOf and the measures of values
	N        int    // of NewestValues, how many
	Currency string // of Net
	Window   Window
}

// The measures that only an Expression has.
const (
	Net          Measure = "net"           // what orders of a currency are worth, less refunds
	FirstTime    Measure = "first_time"    // when the first event or order was
	LastTime     Measure = "last_time"     // when the newest was
	NewestValues Measure = "newest"        // the values of a property that came last, the newest first
	MostFrequent Measure = "most_frequent" // the value of a property that came in most events; of equals, the one that came last
)

// Bounds of computed traits.
const (
	ComputedMax = 200 // of a deployment
	NewestMax   = 64  // values of NewestValues
)

// signal returns the signal that the expression reads. REQUIRES: it is of events
func (x *Expression) signal() signal.Definition {
	d := signal.Definition{Event: x.Filter}
	switch x.Measure {
	case Count:
		d.Kind = signal.Days
	case Sum:
		d.Kind, d.Of = signal.Days, x.Of
	case DistinctOf, MostFrequent:
		d.Kind, d.Of, d.N = signal.Distinct, x.Of, signal.DistinctMax
	case FirstValue:
		d.Kind, d.Of = signal.First, x.Of
	case LastValue:
		d.Kind, d.Of = signal.Last, x.Of
	case FirstTime:
		d.Kind, d.N = signal.Oldest, 1
	case LastTime:
		d.Kind, d.N = signal.Newest, 1
	case NewestValues:
		d.Kind, d.Of, d.N = signal.Recent, x.Of, 1<<bits.Len(uint(x.N-1)) // a power of two, so that more of them share it
	}
	return d
}

// ValueKind is the type of a Value.
type ValueKind uint8

// The kinds of values.
const (
	NoValue ValueKind = iota // there is nothing to measure
	NumberValue
	TextValue
	TimeValue
	ListValue
)

// Value is what an expression gives for one person at one time.
type Value struct {
	Kind     ValueKind
	Number   int64 // of a NumberValue, in units of 10^-Decimals; of a TimeValue ms since 1970 UTC
	Decimals int
	Text     string
	List     []string // of texts; valid until the next value is computed
}

// computed is a ComputedTrait of a catalog.
type computed struct {
	key    string
	of     *Expression
	signal signal.ID // of events
}

// compute adds the computed traits of a catalog, by key, and returns their signals.
func (c *Catalog) compute(traits []ComputedTrait) (signals []signal.Definition, err error) {
	if len(traits) > ComputedMax {
		return nil, misplaced("", "%d computed traits; at most %d", len(traits), ComputedMax)
	}
	traits = slices.Clone(traits)
	slices.SortFunc(traits, func(a, b ComputedTrait) int { return cmp.Compare(a.Key, b.Key) })
	for i, t := range traits {
		if err := checkKey(t.Key); err != nil {
			return nil, err
		}
		if _, taken := c.index[t.Key]; taken || i > 0 && traits[i-1].Key == t.Key {
			return nil, misplaced("key", "%q is that of an audience or of another computed trait; choose another", t.Key)
		}
		p := computed{key: t.Key, of: t.Of}
		if !t.Of.Orders {
			d := t.Of.signal()
			p.signal = d.Canonical()
			signals = append(signals, d)
		}
		c.computed = append(c.computed, p)
	}
	return signals, nil
}

// Computed is the number of computed traits. They are numbered from 0, by key.
func (c *Catalog) Computed() int { return len(c.computed) }

// ComputedKey is the key of a computed trait by its number.
func (c *Catalog) ComputedKey(number int) string { return c.computed[number].key }

// Value computes a trait by its number, and says until when it stays so without an event (T5).
func (e *Evaluation) Value(number int) (v Value, until int64) {
	t := &e.catalog.computed[number]
	if t.of.Orders {
		return e.orderValue(t.of)
	}
	s := e.view.Signal(t.signal)
	if s == nil {
		s = &noEvents
	}
	switch t.of.Measure {
	case Count:
		n, until := e.total(t.of.Window, false, s)
		return Value{Kind: NumberValue, Number: n}, until
	case Sum:
		n, until := e.total(t.of.Window, true, s)
		return Value{Kind: NumberValue, Number: n, Decimals: SumDecimals}, until
	case DistinctOf:
		return Value{Kind: NumberValue, Number: int64(len(s.Values))}, Never
	case FirstTime, LastTime:
		return e.timeOf(s)
	case NewestValues:
		return e.newest(s, t.of.N), Never
	case MostFrequent:
		return mostFrequent(s), Never
	}
	if len(s.Values) == 0 {
		return Value{}, Never
	}
	return Value{Kind: TextValue, Text: s.Values[0].Text}, Never
}

func (e *Evaluation) timeOf(s *signal.State) (Value, int64) {
	switch {
	case len(s.Moments) == 0:
		return Value{}, Never
	case s.Moments[0].Time > e.now:
		return Value{}, s.Moments[0].Time
	}
	return Value{Kind: TimeValue, Number: s.Moments[0].Time}, Never
}

func (e *Evaluation) newest(s *signal.State, n int) Value {
	if len(s.Values) == 0 {
		return Value{}
	}
	e.list = e.list[:0]
	for i := range s.Values[:min(n, len(s.Values))] {
		e.list = append(e.list, s.Values[i].Text)
	}
	return Value{Kind: ListValue, List: e.list}
}

// mostFrequent is the value with the most events. Once more values came than are counted, a value that is not counted might have more:
// then there is none.
func mostFrequent(s *signal.State) Value {
	if len(s.Values) == 0 || s.Full() {
		return Value{}
	}
	most := &s.Values[0]
	for i := range s.Values[1:] {
		v := &s.Values[i+1]
		if cmp.Or(cmp.Compare(v.Count, most.Count), v.Newest.Compare(most.Newest), cmp.Compare(most.Text, v.Text)) > 0 {
			most = v
		}
	}
	return Value{Kind: TextValue, Text: most.Text}
}

func (e *Evaluation) orderValue(x *Expression) (v Value, until int64) {
	n, first, last := int64(0), int64(Never), int64(Never)
	until = Never
	orders := e.view.Orders()
	for i := range orders {
		o := &orders[i]
		if o.Cancelled || x.Measure == Net && o.Currency != x.Currency {
			continue
		}
		until = min(until, x.Window.next(o.PlacedAt, e.now))
		if !x.Window.holds(o.PlacedAt, e.now) {
			continue
		}
		if n++; x.Measure == Net {
			n += o.Net - 1
		}
		if first = min(first, o.PlacedAt); last == Never || o.PlacedAt > last {
			last = o.PlacedAt
		}
	}
	switch x.Measure {
	case Count:
		return Value{Kind: NumberValue, Number: n}, until
	case Net:
		return Value{Kind: NumberValue, Number: n, Decimals: x.decimals()}, until
	case FirstTime:
		last = first
	}
	if last == Never {
		return Value{}, until
	}
	return Value{Kind: TimeValue, Number: last}, until
}
