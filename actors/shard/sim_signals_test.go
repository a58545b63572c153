package shard_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/actors/signals"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/signal"
	"github.com/kindred-id/kindred/storage/row"
)

// simSignals is what a schedule does to the definitions of signals: they change in the middle of things, come and go, and are
// filled from stored events while others come in. In the end, each fragment must know of each live signal what its events say,
// whether they came before the definition or after it (T2).
type simSignals struct {
	part    int // events that one part of a fill reads
	rng     *rand.Rand
	left    int // how many more versions come
	version uint64
	next    uint32
	numbers map[signal.ID]row.NumberedSignal // of the live ones
	now     *signals.Definitions
	marker  signals.Marker
	marks   signals.Marks
	filling int // parts of fills that were asked for
	filled  int // signals with a state that were compared
	marked  int // events that their caller has marked
}

// simSignalPool is what definitions are drawn from.
var simSignalPool = []signal.Definition{
	{Event: signal.EventFilter{Type: "track"}, Kind: signal.Newest, N: 2},
	{Event: signal.EventFilter{Type: "identify"}, Kind: signal.Oldest, N: 2},
	{Event: signal.EventFilter{Type: "page"}, Kind: signal.Newest, N: 64},
	{Event: simWhere("track", "n", signal.Ge, 3), Kind: signal.Days, Of: "n"},
	{Event: signal.EventFilter{Name: "Order Completed"}, Kind: signal.Days},
	{Event: signal.EventFilter{Type: "track"}, Kind: signal.Distinct, N: 2, Of: "of.list"},
	{Event: signal.EventFilter{Type: "screen"}, Kind: signal.Recent, N: 2, Of: "of.list"},
	{Event: signal.EventFilter{Type: "track"}, Kind: signal.First, Of: "s"},
	{Event: simWhere("alias", "n", signal.Lt, 7), Kind: signal.Last, Of: "s"},
}

func simWhere(eventType, path string, op signal.Op, n float64) signal.EventFilter {
	where := signal.Condition{Path: path, Op: op, Values: []signal.Operand{{Kind: signal.Number, Num: n}}}
	return signal.EventFilter{Type: eventType, Where: []signal.Condition{where}}
}

func newSimSignals(seed uint64, most int) simSignals {
	rng := rand.New(rand.NewPCG(seed, 3))
	part := [...]int{1, 3, 1000}[rng.IntN(3)]
	return simSignals{rng: rng, part: part, left: rng.IntN(most + 1), numbers: map[signal.ID]row.NumberedSignal{}}
}

// properties gives an event properties that follow from which event it is.
func (sg *simSignals) properties(e *graph.Event) {
	n := e.Seen % 11
	e.Properties = fmt.Appendf(nil, `{"n":%d,"s":"v%d","of":{"list":["a%d","b\u00e9%d"]}}`, n, n%3, n%4, n%5)
	if n == 10 {
		e.Properties = []byte(`{"n":"4.5"}`)
	}
}

// define changes the definitions: some of the pool are live from here on.
func (s *simulation) define() bool {
	sg := &s.signals
	if sg.left == 0 {
		return false
	}
	sg.left--
	sg.version++
	var live []signal.Definition
	numbers := map[signal.ID]row.NumberedSignal{}
	for _, d := range simSignalPool {
		if sg.rng.IntN(2) == 0 {
			continue
		}
		live = append(live, d)
		id := d.Canonical()
		n, known := sg.numbers[id]
		if !known {
			n = row.NumberedSignal{ID: id, Number: sg.next, Since: sg.version}
			sg.next++
		}
		numbers[id] = n
	}
	index, err := signal.NewIndex(live)
	s.must(err, "index signals")
	sg.numbers = numbers
	var list []row.NumberedSignal
	for _, n := range numbers {
		list = append(list, n)
	}
	slices.SortFunc(list, func(a, b row.NumberedSignal) int { return cmp.Compare(a.Number, b.Number) })
	sg.now, err = signals.New(sg.version, index, list)
	s.must(err, "define signals")
	s.note("define", sg.version, uint64(len(live)))
	return true
}

// fill asks shards to do a part of what they have to look through.
func (s *simulation) fill() bool {
	sg := &s.signals
	return s.fillSome(func(*simShard) bool { return sg.rng.IntN(2) == 0 })
}

func (s *simulation) fillSome(which func(*simShard) bool) bool {
	sg := &s.signals
	asked := s.ask(func(sh *simShard) bool { return sh.Filled() < sg.version && which(sh) }, shard.Input{Fill: true})
	if asked {
		sg.filling++
	}
	return asked
}

// mark marks an event as its caller does, at some time before the shard takes it.
func (sg *simSignals) mark(s *simulation, e *graph.Event, body []byte) []byte {
	if sg.version == 0 || sg.rng.IntN(3) == 0 {
		return body
	}
	sg.marks.Reset()
	e.Marked, e.Marks = sg.version, slices.Clone(sg.marker.Mark(sg.now, e, 0, sg.version, &sg.marks))
	for i := range e.Marks {
		e.Marks[i].Value = slices.Clone(e.Marks[i].Value)
	}
	sg.marked++
	return s.enc.Event(nil, e, true)
}

// fillAll fills until every shard has looked through all.
func (s *simulation) fillAll() {
	for range 10_000 {
		if !s.fillSome(func(*simShard) bool { return true }) {
			return
		}
		s.drain(func() {}, func() bool { return true }, func() bool { return false })
	}
	s.failf("shards do not become filled")
}

// checkSignals compares what fragments remember with what their events say.
func (s *simulation) checkSignals() {
	sg := &s.signals
	if sg.version == 0 {
		return
	}
	byRoute := map[graph.NodeKey][]*graph.Event{}
	for _, key := range s.keys() {
		s.timeline(key, func(e *graph.Event) { byRoute[key] = append(byRoute[key], e) })
	}
	seen := map[graph.NodeKey]bool{}
	for _, key := range s.keys() {
		_, err := s.shardOf(key).Read(key, func(c *graph.Component) {
			for _, m := range c.Evidence().Members {
				if m.Fragment == nil || m.Fragment.Events == 0 {
					continue
				}
				if seen[m.Key] {
					s.failf("node %s has fragments in two components", m.Key)
				}
				seen[m.Key] = true
				s.checkFragment(m.Key, m.Fragment, byRoute[m.Key])
			}
		})
		s.must(err, "view a node")
	}
	if len(seen) != len(byRoute) {
		s.failf("%d fragments have events, want %d", len(seen), len(byRoute))
	}
}

func (s *simulation) checkFragment(node graph.NodeKey, f *graph.Fragment, events []*graph.Event) {
	sg := &s.signals
	for _, d := range simSignalPool {
		n, live := sg.numbers[d.Canonical()]
		if !live {
			continue
		}
		got := signal.State{Kind: d.Kind, N: d.N}
		if f.Sections != nil {
			for i := range f.Sections.Signals {
				if f.Sections.Signals[i].Number == n.Number {
					got = f.Sections.Signals[i].State
				}
			}
		}
		want := simRemembered(&d, events)
		if got.Empty() && want.Empty() {
			continue
		}
		sg.filled++
		if !reflect.DeepEqual(got, want) {
			s.failf("signal %d, since version %d of %d, of node %s with %d events:\n got %+v\nwant %+v", n.Number, n.Since, sg.version, node, len(events), got, want)
		}
	}
}

// simRemembered computes plainly from events what a signal should remember of them.
func simRemembered(d *signal.Definition, events []*graph.Event) signal.State {
	var all []simMatch
	for _, e := range events {
		if d.Event.Type != "" && e.Type.String() != d.Event.Type || d.Event.Name != "" && string(e.Name) != d.Event.Name {
			continue
		}
		var p struct {
			N  any
			S  *string
			Of struct{ List []string }
		}
		if err := json.Unmarshal(e.Properties, &p); err != nil {
			panic(err)
		}
		n, _ := p.N.(float64)
		if text, ok := p.N.(string); ok {
			n, _ = strconv.ParseFloat(text, 64)
		}
		if len(d.Event.Where) > 0 {
			bound := d.Event.Where[0].Values[0].Num
			if d.Event.Where[0].Op == signal.Ge && n < bound || d.Event.Where[0].Op == signal.Lt && n >= bound {
				continue
			}
		}
		m := simMatch{at: signal.Moment{Time: e.Stamp.Time, Tie: e.Stamp.Tie}}
		switch d.Of {
		case "n":
			m.sum = int64(n * 10_000)
		case "s":
			if p.S != nil {
				m.values = []string{*p.S}
			}
		case "of.list":
			m.values = p.Of.List
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b simMatch) int { return a.at.Compare(b.at) })
	return simRemember(d, all)
}

type simMatch struct {
	at     signal.Moment
	sum    int64
	values []string
}

// simRemember is what remains of events, the oldest first.
func simRemember(d *signal.Definition, all []simMatch) signal.State {
	want := signal.State{Kind: d.Kind, N: d.N}
	newest, count := map[string]signal.Moment{}, map[string]uint32{}
	var texts []string
	for i := range all {
		switch d.Kind {
		case signal.Newest, signal.Oldest:
			want.Moments = append(want.Moments, all[i].at)
		case signal.Days:
			day := int32(all[i].at.Time / signal.DayMillis)
			if n := len(want.Days); n == 0 || want.Days[n-1].Day != day {
				want.Days = append(want.Days, signal.Day{Day: day})
			}
			last := &want.Days[len(want.Days)-1]
			last.Count++
			last.Sum += all[i].sum
		}
		for _, text := range all[i].values {
			if count[text]++; count[text] == 1 {
				texts = append(texts, text)
			}
			if _, first := newest[text]; !first || d.Kind != signal.First {
				newest[text] = all[i].at
			}
		}
	}
	switch d.Kind {
	case signal.Newest:
		slices.Reverse(want.Moments)
		want.Moments = want.Moments[:min(len(want.Moments), d.N)]
	case signal.Oldest:
		want.Moments = want.Moments[:min(len(want.Moments), d.N)]
	case signal.First:
		texts = texts[:min(len(texts), 1)]
	case signal.Last, signal.Recent:
		slices.SortFunc(texts, func(a, b string) int { return cmp.Or(newest[b].Compare(newest[a]), cmp.Compare(a, b)) })
		texts = texts[:min(len(texts), max(d.N, 1))]
	case signal.Distinct:
		hash := func(text string) uint64 { h := fnv.New64a(); _, _ = h.Write([]byte(text)); return h.Sum64() }
		slices.SortFunc(texts, func(a, b string) int { return cmp.Compare(hash(a), hash(b)) })
		texts = texts[:min(len(texts), d.N)]
	}
	for _, text := range texts {
		v := signal.Value{Text: text, Newest: newest[text]}
		if d.Kind == signal.Distinct {
			v.Count = count[text]
		}
		want.Values = append(want.Values, v)
	}
	if !want.Restore() {
		panic(fmt.Sprintf("not a state: %+v", want))
	}
	return want
}

// TestSchedulesSignals: definitions change while everything happens, and each fragment ends with what its events say of every
// signal, whichever came first.
func TestSchedulesSignals(t *testing.T) {
	sc := schedule{make: amongSignals, disk: inMemory, meets: []string{"definitions", "parts of fills", "signals compared", "events marked ahead"}}
	sc.each(t, 1500)
}

// amongSignals is a world in which definitions change up to six times.
func amongSignals(seed uint64, rng *rand.Rand) (simParams, *graph.Rules, []act) {
	p, rules, acts := [...]func(uint64, *rand.Rand) (simParams, *graph.Rules, []act){plainly, mergedAndSplit, plainly, amongAliases}[seed%4](seed, rng)
	p.signals = 6
	return p, rules, acts
}
