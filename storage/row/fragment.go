package row

import "github.com/kindred-id/kindred/graph"

// Fields of a fragment, and of a trait in its list.
const (
	fragmentFields = 10
	fragmentV2     = 9 // without sections; until version 4
	fragmentV1     = 6 // fields, without offers, interests and visits
	registerFields = 5

	countsKept    = graph.EventTypes - 1 // type zero is not a type of event
	registerLeast = 5                    // bytes
)

// fragment writes the sum of what the events of one identifier said, or nil for a member without events of its own:
//
//	+--------+--------+-------+------+------------+------------+-------------+---------------+------------+----------+
//	| events | counts | first | last | traits, 5n | orders, 8n | offers, 10n | interests, 3n | visits, 3n | sections |
//	+--------+--------+-------+------+------------+------------+-------------+---------------+------------+----------+
//
// counts has one number for each type of event, in the order of graph.EventType. A list is one flat array, n items of
// so many values each, sorted and with no two items of one key, so that equal fragments have equal bytes (C1).
// Version 1 ends after the orders, and versions 2 to 4 after the visits.
func (out evidenceWriter) fragment(f *graph.Fragment) {
	if f == nil {
		out.null()
		return
	}
	switch {
	case out.formats.event == 1:
		out.array(fragmentV1)
	case out.formats.event < marksSince:
		out.array(fragmentV2)
	default:
		out.array(fragmentFields)
	}
	out.uint(f.Events)
	out.array(countsKept)
	for _, n := range f.Counts[1:] {
		out.uint(n)
	}
	out.int(f.First)
	out.int(f.Last)
	out.array(registerFields * len(f.Traits))
	for i := range f.Traits {
		r := &f.Traits[i]
		out.text(r.Name)
		out.bytes(r.Value)
		out.stamp(r.Stamp)
	}
	if orders := orderWriter(out); out.formats.event < 3 {
		orders.formerOrders(f.Orders)
	} else {
		orders.orders(f.Orders)
	}
	if out.formats.event == 1 {
		out.leave(f.Offers != nil || f.Interests != nil || len(f.Visits.Periods()) > 0 || f.Sections != nil)
		return
	}
	dealings := dealingsWriter(out)
	dealings.offers(f.Offers)
	dealings.interests(f.Interests)
	dealings.visits(&f.Visits)
	if out.formats.event < marksSince {
		out.leave(f.Sections != nil)
		return
	}
	signalsWriter(out).sections(f.Sections)
}

// fragment reads a fragment of the version that belongs to its node's or message's version.
func (in evidenceReader) fragment() *graph.Fragment {
	if in.null() {
		return nil
	}
	f := &graph.Fragment{}
	old := in.fragments == 1
	switch {
	case old:
		in.tuple(fragmentV1)
	case in.fragments < marksSince:
		in.tuple(fragmentV2)
	default:
		in.tuple(fragmentFields)
	}
	f.Events = in.uint()
	in.tuple(countsKept)
	for t := range countsKept {
		f.Counts[1+t] = in.uint()
	}
	f.First = in.int()
	f.Last = in.int()
	in.registers(f)
	if orders := (orderReader{in.reader}); in.fragments < 3 {
		orders.formerOrders(f)
	} else {
		orders.orders(f)
	}
	if !old {
		dealings := dealingsReader{in.reader}
		f.Offers = dealings.offers()
		f.Interests = dealings.interests()
		f.Visits = dealings.visits()
	}
	if in.fragments >= marksSince {
		f.Sections = signalsReader{in.reader}.sections()
	}
	return f
}

// registers reads a fragment's traits, in ascending order of distinct names.
func (in evidenceReader) registers(f *graph.Fragment) {
	n := in.list(registerFields, registerLeast)
	if n == 0 {
		return
	}
	f.Traits = make([]graph.Register, 0, n)
	for i := range n {
		at := in.at
		r := graph.Register{Name: in.text(), Value: in.ownBytes(), Stamp: in.stamp()}
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
