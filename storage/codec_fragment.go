package storage

import (
	"math"

	"github.com/kindred-id/kindred/graph"
)

// Fields of a fragment, of a trait and an order in its lists, and of an order's registers.
const (
	fragmentFields = 9
	fragmentV1     = 6 // fields, without offers, interests and visits
	registerFields = 5
	orderFields    = 5
	totalsFields   = 8
	outcomeFields  = 6

	countsKept    = graph.EventTypes - 1 // there is no event of type zero
	registerLeast = 5                    // bytes
	orderLeast    = 5

	// never is the time of what never happened, as the graph has it. It is stored as nil.
	never = math.MinInt64
)

func (o *output) fragment(f *graph.Fragment) {
	if f == nil {
		o.null()
		return
	}
	o.array(fragmentFields)
	o.uint(f.Events)
	o.array(countsKept)
	for _, n := range f.Counts[1:] {
		o.uint(n)
	}
	o.int(f.First)
	o.int(f.Last)
	o.array(registerFields * len(f.Traits))
	for i := range f.Traits {
		r := &f.Traits[i]
		o.text(r.Name)
		o.bytes(r.Value)
		o.stamp(r.Stamp)
	}
	o.array(orderFields * len(f.Orders))
	for i := range f.Orders {
		order := &f.Orders[i]
		o.text(order.ID)
		o.time(order.Completed)
		o.time(order.Updated)
		o.totals(&order.Totals)
		o.outcome(&order.Outcome)
	}
	o.offers(f.Offers)
	o.interests(f.Interests)
	o.visits(&f.Visits)
}

func (o *output) time(at int64) {
	if at == never {
		o.null()
		return
	}
	o.int(at)
}

func (o *output) totals(t *graph.OrderTotals) {
	if *t == (graph.OrderTotals{}) {
		o.null()
		return
	}
	o.array(totalsFields)
	o.stamp(t.Stamp)
	o.int(t.Net)
	o.int(t.Discount)
	o.blob(t.Currency[:])
	o.uint(uint64(t.Rule))
	o.text(t.Coupon)
}

func (o *output) outcome(c *graph.OrderOutcome) {
	if c.Kind == graph.OrderNone {
		o.null()
		return
	}
	o.array(outcomeFields)
	o.stamp(c.Stamp)
	o.uint(uint64(c.Kind))
	o.bool(c.Full)
	o.int(c.Refund)
}

// fragment reads a fragment of the version at hand: that of its node or message.
func (d *Decoder) fragment() *graph.Fragment {
	in := &d.in
	if in.null() {
		return nil
	}
	f := &graph.Fragment{}
	old := d.version == 1
	if old {
		in.tuple(fragmentV1)
	} else {
		in.tuple(fragmentFields)
	}
	f.Events = in.uint()
	in.tuple(countsKept)
	for t := range countsKept {
		f.Counts[1+t] = in.uint()
	}
	f.First = in.int()
	f.Last = in.int()
	d.registers(f)
	d.orders(f)
	if !old {
		f.Offers = d.offers()
		f.Interests = d.interests()
		f.Visits = d.visits()
	}
	return f
}

// registers reads a fragment's traits, in ascending order of distinct names.
func (d *Decoder) registers(f *graph.Fragment) {
	in := &d.in
	n := in.list(registerFields, registerLeast)
	if n == 0 {
		return
	}
	f.Traits = make([]graph.Register, 0, n)
	for i := range n {
		at := in.at
		r := graph.Register{Name: d.text(), Value: d.ownBytes(), Stamp: in.stamp()}
		if in.err != nil {
			return
		}
		if i > 0 && f.Traits[i-1].Name >= r.Name {
			in.fail(at, "trait %d is not in the order of names", i)
			return
		}
		f.Traits = append(f.Traits, r)
	}
}

// orders reads a fragment's orders, in ascending order of distinct ids.
func (d *Decoder) orders(f *graph.Fragment) {
	in := &d.in
	n := in.list(orderFields, orderLeast)
	if n == 0 {
		return
	}
	f.Orders = make([]graph.OrderEvidence, 0, n)
	for i := range n {
		at := in.at
		order := graph.OrderEvidence{
			ID: d.text(), Completed: in.time(), Updated: in.time(), Totals: d.totals(), Outcome: in.outcome(),
		}
		if in.err != nil {
			return
		}
		if i > 0 && f.Orders[i-1].ID >= order.ID {
			in.fail(at, "order %d is not in the order of ids", i)
			return
		}
		f.Orders = append(f.Orders, order)
	}
}

func (in *input) time() int64 {
	if in.null() {
		return never
	}
	at := in.at
	v := in.int()
	if in.err == nil && v == never {
		in.fail(at, "the time of what never happened is nil")
	}
	return v
}

func (d *Decoder) totals() (t graph.OrderTotals) {
	in := &d.in
	if in.null() {
		return t
	}
	at := in.at
	in.tuple(totalsFields)
	t.Stamp = in.stamp()
	t.Net = in.int()
	t.Discount = in.int()
	in.fixed("currency", t.Currency[:])
	t.Rule = in.netRule()
	t.Coupon = d.text()
	if t == (graph.OrderTotals{}) {
		in.fail(at, "totals without content are nil")
	}
	return t
}

func (in *input) outcome() (c graph.OrderOutcome) {
	if in.null() {
		return c
	}
	in.tuple(outcomeFields)
	c.Stamp = in.stamp()
	c.Kind = graph.OrderKind(in.enum("order outcome", uint8(graph.OrderCancelled), uint8(graph.OrderRefunded)))
	c.Full = in.bool()
	c.Refund = in.int()
	return c
}
