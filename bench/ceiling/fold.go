package ceiling

import (
	"bytes"

	"github.com/cespare/xxhash/v2"
	"github.com/kindred-id/kindred/graph"
)

// person is the fold of the events of one person. Only that of a root is current. Times are in ms since 1970 UTC.
type person struct {
	first, last int64
	events      uint32
	counts      [graph.EventTypes]uint32
	traits      int32 // the first of a list in Resolver.traits, and one; 0 is an empty list
}

// trait is one trait of one person: an element of a list.
type trait struct {
	name     uint64 // hash
	stamp    graph.Stamp
	from     uint64 // in Resolver.text
	len, cap uint32
	next     int32 // and one
}

// order is one completed order of one person: its revenue is summed up when it is asked for, so that a merge need not.
type order struct {
	id            uint64 // hash
	net, discount int64
	node          int32 // and one; 0 is a free slot
}

func (r *Resolver) fold(root int32, e *graph.Event) {
	p := &r.people[root]
	if p.events == 0 {
		p.first, p.last = e.Stamp.Time, e.Stamp.Time
	}
	p.first, p.last = min(p.first, e.Stamp.Time), max(p.last, e.Stamp.Time)
	p.events++
	p.counts[e.Type]++
	for i := range e.Traits {
		r.set(p, xxhash.Sum64(e.Traits[i].Name), e.Stamp, e.Traits[i].Value)
	}
	if e.Order.Kind == graph.OrderCompleted {
		r.complete(root, &e.Order)
	}
}

// set writes a trait, if its stamp is the latest so far.
func (r *Resolver) set(p *person, name uint64, stamp graph.Stamp, value []byte) {
	for i := p.traits; i != 0; i = r.traits[i-1].next {
		t := &r.traits[i-1]
		if t.name != name {
			continue
		}
		if t.stamp.Compare(stamp) >= 0 {
			return
		}
		t.stamp = stamp
		if !bytes.Equal(r.text[t.from:t.from+uint64(t.len)], value) {
			r.write(t, value)
		}
		return
	}
	r.traits = append(r.traits, trait{name: name, stamp: stamp, next: p.traits})
	p.traits = int32(len(r.traits))
	r.write(&r.traits[len(r.traits)-1], value)
}

// write stores the value of a trait, in its former place if it fits there.
func (r *Resolver) write(t *trait, value []byte) {
	t.len = uint32(len(value))
	if t.len <= t.cap {
		copy(r.text[t.from:], value)
		return
	}
	t.from, t.cap = uint64(len(r.text)), t.len
	r.text = append(r.text, value...)
}

// complete notes a completed order, once a person.
func (r *Resolver) complete(root int32, o *graph.OrderChange) {
	if (r.ordered+1)*8 > len(r.orders)*5 {
		r.growOrders()
	}
	id := xxhash.Sum64(o.ID)
	mask := uint64(len(r.orders) - 1)
	for i := id & mask; ; i = (i + 1) & mask {
		slot := &r.orders[i]
		if slot.node == 0 {
			*slot = order{id: id, net: o.Net, discount: o.Discount, node: root + 1}
			r.ordered++
			return
		}
		if slot.id == id && r.find(slot.node-1) == root {
			return
		}
	}
}

func (r *Resolver) growOrders() {
	old := r.orders
	r.orders = make([]order, max(leastSlots, 2*len(old)))
	mask := uint64(len(r.orders) - 1)
	for _, o := range old {
		if o.node == 0 {
			continue
		}
		i := o.id & mask
		for r.orders[i].node != 0 {
			i = (i + 1) & mask
		}
		r.orders[i] = o
	}
}

// merge adds what is known of one person to another.
func (r *Resolver) merge(to, from int32) {
	p, o := &r.people[to], &r.people[from]
	if o.events > 0 {
		if p.events == 0 {
			p.first, p.last = o.first, o.last
		}
		p.first, p.last = min(p.first, o.first), max(p.last, o.last)
	}
	p.events += o.events
	for t := range p.counts {
		p.counts[t] += o.counts[t]
	}
	for i := o.traits; i != 0; {
		next := r.traits[i-1].next
		r.adopt(p, i)
		i = next
	}
}

// adopt moves a trait of another person to the list of p, or into the trait of that name there.
func (r *Resolver) adopt(p *person, moved int32) {
	t := &r.traits[moved-1]
	for i := p.traits; i != 0; i = r.traits[i-1].next {
		own := &r.traits[i-1]
		if own.name != t.name {
			continue
		}
		if own.stamp.Compare(t.stamp) < 0 {
			own.stamp, own.from, own.len, own.cap = t.stamp, t.from, t.len, t.cap
		}
		return
	}
	t.next, p.traits = p.traits, moved
}
