package audience

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kindred-id/kindred/graph/signal"
)

// The oracle evaluates a definition from raw events and a clock. It knows neither signals nor moments at which answers change: it
// counts again each time.

type event struct {
	at   int64
	typ  string
	name string
	// props: category a text, price a number, tags a list of texts; each may be missing.
	category string
	price    float64
	priced   bool
	tags     []string
}

type person struct {
	events []event
	plan   string // the only trait; empty: not set
	email  bool
	orders []Order
	score  float64
}

func (e *event) values(path string) []any {
	switch path {
	case "category":
		if e.category != "" {
			return []any{e.category}
		}
	case "price":
		if e.priced {
			return []any{e.price}
		}
	case "tags":
		var values []any
		for _, tag := range e.tags {
			values = append(values, tag)
		}
		return values
	}
	return nil
}

func oracleCompare(values []any, c *signal.Condition) bool {
	is := func(v any, o signal.Operand) bool {
		switch v := v.(type) {
		case string:
			return o.Kind == signal.Text && v == o.Text
		case float64:
			return o.Kind == signal.Number && v == o.Num
		}
		return false
	}
	some := func(hit func(v any) bool) bool { return slices.ContainsFunc(values, hit) }
	switch c.Op {
	case signal.Exists:
		return len(values) > 0
	case signal.Missing:
		return len(values) == 0
	case signal.Eq, signal.In:
		return some(func(v any) bool {
			return slices.ContainsFunc(c.Values, func(o signal.Operand) bool { return is(v, o) })
		})
	case signal.Ne, signal.NotIn:
		return !some(func(v any) bool {
			return slices.ContainsFunc(c.Values, func(o signal.Operand) bool { return is(v, o) })
		})
	case signal.Gt:
		return some(func(v any) bool { n, ok := v.(float64); return ok && n > c.Values[0].Num })
	case signal.Le:
		return some(func(v any) bool { n, ok := v.(float64); return ok && n <= c.Values[0].Num })
	}
	panic(string(c.Op))
}

func (p *person) matching(f *signal.EventFilter, now int64) []event {
	var matching []event
	for _, e := range p.events {
		if e.at > now || f.Type != "" && f.Type != e.typ || f.Name != "" && f.Name != e.name {
			continue
		}
		if !slices.ContainsFunc(f.Where, func(c signal.Condition) bool { return !oracleCompare(e.values(c.Path), &c) }) {
			matching = append(matching, e)
		}
	}
	slices.SortStableFunc(matching, func(a, b event) int { return int(a.at - b.at) })
	return matching
}

func inWindow(w Window, at, now int64) bool {
	if w.Days {
		today, that := now/day, at/day
		return that >= today-int64(w.From) && that <= today-int64(w.To)
	}
	return w.Last == 0 || now-at < w.Last
}

func oracleRange(r Range, n float64) bool {
	return !(r.HasLow && n < float64(r.Low)) && !(r.HasHigh && n > float64(r.High))
}

func (p *person) holds(n *Node, now int64) bool {
	switch n.Kind {
	case All:
		return !slices.ContainsFunc(n.Children, func(c *Node) bool { return !p.holds(c, now) })
	case Any:
		return slices.ContainsFunc(n.Children, func(c *Node) bool { return p.holds(c, now) })
	case Not:
		return !p.holds(n.Children[0], now)
	case Events:
		return p.holdsEvents(n.Events, now)
	case Sequence:
		for _, a := range p.matching(&n.Sequence.First, now) {
			for _, b := range p.matching(&n.Sequence.Then, now) {
				if b.at > a.at && b.at-a.at <= n.Sequence.Within && inWindow(n.Sequence.Window, a.at, now) {
					return true
				}
			}
		}
		return false
	case Trait:
		var values []any
		if p.plan != "" {
			values = append(values, p.plan)
		}
		return oracleCompare(values, n.Value)
	case Identifier:
		return n.Name == "email" && p.email
	case Score:
		return oracleCompare([]any{scoreAt(p.score, now)}, n.Value)
	case Orders:
		return p.holdsOrders(n.Orders, now)
	}
	panic(n.Kind)
}

// scoreAt falls by one each UTC day.
func scoreAt(score float64, now int64) float64 { return score - float64(now/day) }

func (p *person) holdsOrders(c *OrderCondition, now int64) bool {
	n := 0.0
	for _, o := range p.orders {
		switch {
		case o.PlacedAt > now || o.Cancelled || !inWindow(c.Window, o.PlacedAt, now):
		case c.Measure == OrderCount:
			n++
		case o.Currency == c.Currency:
			n += float64(o.Net)
		}
	}
	return oracleRange(c.Range, n)
}

func (p *person) holdsEvents(c *EventCondition, now int64) bool {
	matching := p.matching(&c.Filter, now)
	var within []event
	for _, e := range matching {
		if inWindow(c.Window, e.at, now) {
			within = append(within, e)
		}
	}
	switch c.Measure {
	case Count:
		return oracleRange(c.Range, float64(len(within)))
	case Sum:
		sum := 0.0
		for _, e := range within {
			if v := e.values(c.Of); len(v) > 0 {
				n, _ := v[0].(float64)
				sum += n * 10_000
			}
		}
		return oracleRange(c.Range, sum)
	case DistinctOf:
		seen := map[any]bool{}
		for _, e := range matching {
			for _, v := range e.values(c.Of) {
				seen[v] = true
			}
		}
		return oracleRange(c.Range, float64(len(seen)))
	case FirstEvent:
		return len(matching) > 0 && inWindow(c.Window, matching[0].at, now)
	}
	if c.Measure == LastValue {
		slices.Reverse(matching)
	}
	for _, e := range matching {
		if v := e.values(c.Of); len(v) > 0 {
			return oracleCompare(v[:1], c.Value)
		}
	}
	return oracleCompare(nil, c.Value)
}

// signalView is the view as the engine would make it: from states of signals, in fragments.
type signalView struct {
	*person
	states map[signal.ID]*signal.State
}

// Append implements signal.Properties.
func (e *event) Append(values []signal.Scalar, path string) []signal.Scalar {
	for _, v := range e.values(path) {
		values = append(values, scalar(v))
	}
	return values
}

func scalar(v any) signal.Scalar {
	switch v := v.(type) {
	case string:
		return signal.Scalar{Kind: signal.Text, Text: []byte(v)}
	case float64:
		return signal.Scalar{Kind: signal.Number, Num: v, Text: strconv.AppendFloat(nil, v, 'g', -1, 64)}
	}
	panic(fmt.Sprint(v))
}

// view folds the events up to now, in the given order, into fragments, and merges them.
func (p *person) view(x *signal.Index, order []int, fragments int, now int64) *signalView {
	parts := make([]map[signal.ID]*signal.State, fragments)
	for i := range parts {
		parts[i] = map[signal.ID]*signal.State{}
	}
	for _, i := range order {
		e := &p.events[i]
		if e.at > now {
			continue
		}
		part := parts[i%fragments]
		for _, m := range x.Match(nil, e.typ, []byte(e.name), e, &signal.Scratch{}) {
			if part[m.Signal] == nil {
				d, _ := x.Definition(m.Signal)
				s := d.NewState()
				part[m.Signal] = &s
			}
			part[m.Signal].Fold(signal.Moment{Time: e.at, Tie: uint64(i)}, m.Value, m.Has)
		}
	}
	v := &signalView{p, parts[0]}
	for _, part := range parts[1:] {
		for _, id := range slices.Sorted(maps.Keys(part)) {
			if v.states[id] == nil {
				d, _ := x.Definition(id)
				s := d.NewState()
				v.states[id] = &s
			}
			v.states[id].Merge(part[id])
		}
	}
	return v
}

func (v *signalView) Signal(id signal.ID) *signal.State { return v.states[id] }

func (v *signalView) Trait(values []signal.Scalar, name string) []signal.Scalar {
	if name == "plan" && v.plan != "" {
		values = append(values, scalar(v.plan))
	}
	return values
}

func (v *signalView) Identifier(namespace string) bool { return namespace == "email" && v.email }
func (v *signalView) Orders() []Order                  { return v.orders }

func (v *signalView) Score(name string, now int64) (signal.Scalar, int64, bool) {
	return scalar(scoreAt(v.score, now)), (now/day + 1) * day, strings.HasPrefix(name, "clv")
}
