// Package bench measures the engine: the hot merge path in memory, ingest end to end, and both against the ceiling, a
// plain resolver that stores nothing.
package bench

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest/segment"
)

// ceiling is the yardstick of the engine: a single-threaded resolver in memory over the same bytes. It parses each line with
// the same decoder, hashes its identifiers, drops duplicates, joins identifiers by union-find, and folds counts, times,
// traits and orders into the person. It applies no rules and writes nothing, so its time is that of the work that no
// resolver can avoid.
type ceiling struct {
	decoder *segment.Decoder
	event   graph.Event
	seen    map[uint64]struct{}
	nodes   map[graph.NodeKey]int32
	parent  []int32
	people  []*person // by node; nil except for roots
}

// person is the fold of one person's events.
type person struct {
	events, orders    uint64
	counts            [graph.EventTypes]uint64
	first, last       int64
	revenue, discount int64
	traits            map[string]trait
	seenOrders        map[string]int64
}

type trait struct {
	value []byte
	stamp graph.Stamp
}

// newCeiling returns an empty resolver.
func newCeiling(registry *identifier.Registry, options segment.Options) *ceiling {
	return &ceiling{
		decoder: segment.NewDecoder(registry, options),
		seen:    make(map[uint64]struct{}),
		nodes:   make(map[graph.NodeKey]int32),
	}
}

// Run ingests all lines of data and returns the number of events.
func (c *ceiling) Run(data []byte, received int64) (events int, err error) {
	for len(data) > 0 {
		line := data
		if end := bytes.IndexByte(data, '\n'); end >= 0 {
			line, data = data[:end], data[end+1:]
		} else {
			data = nil
		}
		if len(line) == 0 {
			continue
		}
		if events&1023 == 0 {
			c.decoder.Reset()
		}
		if err := c.decoder.Event(line, received, nil, &c.event); err != nil {
			var rejection *segment.Rejection
			if errors.As(err, &rejection) && rejection.Code == segment.CodeNoIdentifier {
				continue
			}
			return events, fmt.Errorf("event %d: %w", events, err)
		}
		events++
		c.take(&c.event)
	}
	return events, nil
}

// People returns the number of people.
func (c *ceiling) People() (n int) {
	for _, p := range c.people {
		if p != nil && p.events > 0 {
			n++
		}
	}
	return n
}

func (c *ceiling) take(e *graph.Event) {
	if _, known := c.seen[e.Seen]; known {
		return
	}
	c.seen[e.Seen] = struct{}{}
	root := c.find(c.node(e.Identifiers[0].Key))
	for i := range e.Identifiers[1:] {
		root = c.unite(root, c.find(c.node(e.Identifiers[1+i].Key)))
	}
	c.people[root].fold(e)
}

func (c *ceiling) node(key graph.NodeKey) int32 {
	if i, ok := c.nodes[key]; ok {
		return i
	}
	i := int32(len(c.parent))
	c.nodes[key] = i
	c.parent = append(c.parent, i)
	c.people = append(c.people, &person{})
	return i
}

func (c *ceiling) find(i int32) int32 {
	for c.parent[i] != i {
		c.parent[i] = c.parent[c.parent[i]]
		i = c.parent[i]
	}
	return i
}

func (c *ceiling) unite(a, b int32) int32 {
	if a == b {
		return a
	}
	if c.people[a].events < c.people[b].events {
		a, b = b, a
	}
	c.parent[b] = a
	c.people[a].merge(c.people[b])
	c.people[b] = nil
	return a
}

func (p *person) fold(e *graph.Event) {
	if p.events == 0 {
		p.first, p.last = e.Stamp.Time, e.Stamp.Time
	}
	p.first, p.last = min(p.first, e.Stamp.Time), max(p.last, e.Stamp.Time)
	p.events++
	p.counts[e.Type]++
	for i := range e.Traits {
		t := &e.Traits[i]
		if p.traits == nil {
			p.traits = make(map[string]trait)
		}
		old, ok := p.traits[string(t.Name)]
		if ok && old.stamp.Compare(e.Stamp) >= 0 {
			continue
		}
		if ok && bytes.Equal(old.value, t.Value) {
			old.stamp = e.Stamp
			p.traits[string(t.Name)] = old
			continue
		}
		p.traits[string(t.Name)] = trait{bytes.Clone(t.Value), e.Stamp}
	}
	if e.Order.Kind == graph.OrderCompleted {
		if p.seenOrders == nil {
			p.seenOrders = make(map[string]int64)
		}
		if _, known := p.seenOrders[string(e.Order.ID)]; !known {
			p.seenOrders[string(e.Order.ID)] = e.Order.Net
			p.orders++
			p.revenue += e.Order.Net
			p.discount += e.Order.Discount
		}
	}
}

func (p *person) merge(o *person) {
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
	for name, t := range o.traits {
		if p.traits == nil {
			p.traits = o.traits
			break
		}
		if old, ok := p.traits[name]; !ok || old.stamp.Compare(t.stamp) < 0 {
			p.traits[name] = t
		}
	}
	for id, net := range o.seenOrders {
		if p.seenOrders == nil {
			p.seenOrders = make(map[string]int64)
		}
		if _, known := p.seenOrders[id]; !known {
			p.seenOrders[id] = net
			p.orders++
			p.revenue += net
		}
	}
	p.discount += o.discount
}
