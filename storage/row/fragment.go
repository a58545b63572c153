package row

import (
	"math"

	"github.com/kindred-id/kindred/graph"
)

// Fields of a fragment, and of a trait in its list.
const (
	fragmentFields = 9
	fragmentV1     = 6 // fields, without offers, interests and visits
	registerFields = 5

	countsKept    = graph.EventTypes - 1 // type zero is not a type of event
	registerLeast = 5                    // bytes

	// never is the graph's time of an event that has not happened. It is stored as nil.
	never = math.MinInt64
)

func (o *output) fragment(f *graph.Fragment) {
	if f == nil {
		o.null()
		return
	}
	if o.version.event == 1 {
		o.array(fragmentV1)
	} else {
		o.array(fragmentFields)
	}
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
	if o.version.event < 3 {
		o.formerOrders(f.Orders)
	} else {
		o.orders(f.Orders)
	}
	if o.version.event == 1 {
		o.leave(f.Offers != nil || f.Interests != nil || len(f.Visits.Periods()) > 0)
		return
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

// fragment reads a fragment of the version that belongs to its node's or message's version.
func (d *Decoder) fragment() *graph.Fragment {
	in := &d.in
	if in.null() {
		return nil
	}
	f := &graph.Fragment{}
	old := d.fragments == 1
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
	if d.fragments < 3 {
		d.formerOrders(f)
	} else {
		d.orders(f)
	}
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
