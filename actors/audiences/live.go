package audiences

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/actors/signals"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/graph/signal"
)

// Live is the audiences that serve, with what is needed to evaluate only those that a change may concern. It never changes, and
// any number of goroutines may use it. It names an audience by its number, which never changes.
type Live struct {
	version uint64
	catalog *audience.Catalog
	signals *signals.Definitions
	numbers []uint32          // of the audiences of the catalog
	keys    map[uint32]string // by number; of those that are gone, too

	bySignal      map[uint32]Set
	byTrait       map[string]Set
	byIdentifiers Set
	byOrders      Set
	// always are the audiences that a person is in of whom nothing is known, such as those who have not bought.
	always Set
}

// Set is a set of audiences of a Live. The zero Set is empty.
type Set []uint64

func (s *Set) add(i int) {
	for len(*s) <= i/64 {
		*s = append(*s, 0)
	}
	(*s)[i/64] |= 1 << (i % 64)
}

// grow makes room for so many words.
func (s *Set) grow(words int) {
	for len(*s) < words {
		*s = append(*s, 0)
	}
}

// Add adds those of another set.
func (s *Set) Add(other Set) {
	s.grow(len(other))
	for i, word := range other {
		(*s)[i] |= word
	}
}

// Reset empties the set, and keeps its memory.
func (s *Set) Reset() { *s = (*s)[:0] }

// Empty reports whether there is nothing in the set.
func (s Set) Empty() bool {
	for _, word := range s {
		if word != 0 {
			return false
		}
	}
	return true
}

func newLive(s *State) *Live {
	c := s.Serving
	l := &Live{
		version: s.Served, catalog: c, signals: s.Signals, numbers: make([]uint32, c.Len()), keys: map[uint32]string{},
		bySignal: map[uint32]Set{}, byTrait: map[string]Set{},
	}
	for _, a := range s.Gone {
		l.keys[a.Number] = a.Key
	}
	for _, a := range s.Definitions.Newest { // one that comes back does not serve yet, and people may have to be told that they left it
		l.keys[a.Number] = a.Key
	}
	for _, a := range s.serving() {
		if i, ok := c.Find(a.Key); ok {
			l.numbers[i], l.keys[a.Number] = a.Number, a.Key
		}
	}
	set := func(change audience.Change) (set Set) {
		for _, i := range c.Affected(&change) {
			set.add(i)
		}
		return set
	}
	for _, id := range c.Signals().Signals() {
		if number, ok := s.Signals.Number(id); ok {
			l.bySignal[number] = set(audience.Change{Signals: []signal.ID{id}})
		}
	}
	for _, name := range c.Traits() {
		l.byTrait[name] = set(audience.Change{Traits: []string{name}})
	}
	l.byIdentifiers, l.byOrders = set(audience.Change{Identifiers: true}), set(audience.Change{Orders: true})
	e := c.NewEvaluation()
	e.Begin(nobody{}, 0)
	for i := range l.numbers {
		if e.Audience(i).Holds {
			l.always.add(i)
		}
	}
	return l
}

// Version is that of the definitions that brought the audiences; 0 of nil.
func (l *Live) Version() uint64 {
	if l == nil {
		return 0
	}
	return l.version
}

// Len is the number of audiences.
func (l *Live) Len() int { return len(l.numbers) }

// Key is the key of an audience, of one that is gone, too; empty for one that nobody knows any more.
func (l *Live) Key(number uint32) string { return l.keys[number] }

// Concern adds the audiences that an event may change for its person. The event must not change who that person is.
func (l *Live) Concern(e *graph.Event, into *Set) {
	for i := range e.Marks {
		into.Add(l.bySignal[e.Marks[i].Number])
	}
	if len(l.byTrait) > 0 {
		for i := range e.Traits {
			name, _, _ := strings.Cut(string(e.Traits[i].Name), ".")
			into.Add(l.byTrait[name])
		}
	}
	if e.Order.Kind != 0 {
		into.Add(l.byOrders)
	}
}

// ConcernPatch does so for a patch.
func (l *Live) ConcernPatch(p *graph.Patch, into *Set) {
	for i := range p.Signals {
		into.Add(l.bySignal[p.Signals[i].Number])
	}
}

// nobody is a person of whom nothing is known.
type nobody struct{}

func (nobody) Signal(signal.ID) *signal.State                         { return nil }
func (nobody) Trait(values []signal.Scalar, _ string) []signal.Scalar { return values }
func (nobody) Identifier(string) bool                                 { return false }
func (nobody) Orders() []audience.Order                               { return nil }
func (nobody) Score(string, int64) (signal.Scalar, int64, bool) {
	return signal.Scalar{}, audience.Never, false
}

// Evaluator evaluates the audiences of a Live for one person after the other. One goroutine at a time uses it.
type Evaluator struct {
	live       *Live
	evaluation *audience.Evaluation
	person     livePerson
	pending    Set
	evaluated  Set
	signals    []uint32
}

// Turn turns to the audiences of a Live.
func (e *Evaluator) Turn(l *Live) {
	if e.live != l {
		e.live, e.evaluation = l, l.catalog.NewEvaluation()
		e.person.signals = l.signals
	}
}

// All appends the numbers of all audiences that a person is in, ascending, and returns until when that can't change without an event. It
// evaluates those that read anything of what is known: of the others the answer is known.
func (e *Evaluator) All(v *graph.View, now int64, in []uint32) (numbers []uint32, until int64) {
	l := e.live
	e.pending.Reset()
	e.signals = v.Signals(e.signals[:0])
	for _, number := range e.signals {
		e.pending.Add(l.bySignal[number])
	}
	if len(l.byTrait) > 0 {
		v.EachTrait(func(name string) {
			first, _, _ := strings.Cut(name, ".")
			e.pending.Add(l.byTrait[first])
		})
	}
	e.pending.Add(l.byIdentifiers)
	if len(l.byOrders) > 0 && v.Ordered() {
		e.pending.Add(l.byOrders)
	}
	start := len(in)
	evaluated := &e.evaluated
	evaluated.Reset()
	evaluated.Add(e.pending)
	evaluated.grow(len(l.always))
	until = e.evaluate(v, now, func(i int, holds bool) {
		evaluated.add(i)
		if holds {
			in = append(in, l.numbers[i])
		}
	})
	for w, word := range l.always {
		for word &^= (*evaluated)[w]; word != 0; word &= word - 1 {
			in = append(in, l.numbers[w*64+bits.TrailingZeros64(word)])
		}
	}
	slices.Sort(in[start:])
	return in, until
}

// Some is All for a person who was in some audiences, where only those that may concern a change are evaluated. until is theirs alone.
func (e *Evaluator) Some(v *graph.View, now int64, concern Set, was, in []uint32) (numbers []uint32, until int64) {
	l := e.live
	e.pending.Reset()
	e.pending.Add(concern)
	start := len(in)
	in = append(in, was...)
	until = e.evaluate(v, now, func(i int, holds bool) {
		at, found := slices.BinarySearch(in[start:], l.numbers[i])
		switch {
		case holds && !found:
			in = slices.Insert(in, start+at, l.numbers[i])
		case !holds && found:
			in = slices.Delete(in, start+at, start+at+1)
		}
	})
	return in, until
}

// evaluate evaluates what is pending, and what refers to it: an audience comes after those that it refers to.
func (e *Evaluator) evaluate(v *graph.View, now int64, fn func(i int, holds bool)) (until int64) {
	e.person.view = v
	e.evaluation.Begin(&e.person, now)
	until = audience.Never
	for w := 0; w < len(e.pending); w++ {
		for e.pending[w] != 0 {
			i := w*64 + bits.TrailingZeros64(e.pending[w])
			e.pending[w] &= e.pending[w] - 1
			a := e.evaluation.Audience(i)
			until = min(until, a.Until)
			fn(i, a.Holds)
			for _, other := range e.live.catalog.Dependents(i) {
				e.pending.add(other)
			}
		}
	}
	return until
}

// livePerson is what conditions read of an identity. It implements audience.View.
type livePerson struct {
	view    *graph.View
	signals *signals.Definitions
	values  signals.Values
	orders  []audience.Order
}

// Signal implements audience.View.
func (p *livePerson) Signal(id signal.ID) *signal.State {
	if number, ok := p.signals.Number(id); ok {
		return p.view.Signal(number)
	}
	return nil
}

// Trait implements audience.View: a name may be that of a trait, or lead into one, with dots between.
func (p *livePerson) Trait(values []signal.Scalar, name string) []signal.Scalar {
	p.values.Reset()
	for head, rest := name, ""; head != ""; {
		if value := p.view.Trait(head); value != nil {
			values = p.values.Append(values, value, rest)
		}
		at := strings.LastIndexByte(head, '.')
		if at < 0 {
			break
		}
		head, rest = head[:at], name[at+1:]
	}
	return values
}

// Identifier implements audience.View.
func (p *livePerson) Identifier(namespace string) bool { return p.view.Identifier(namespace) }

// Orders implements audience.View.
func (p *livePerson) Orders() []audience.Order {
	p.orders = p.orders[:0]
	orders := p.view.Orders()
	for i := range orders {
		p.orders = append(p.orders, orderOf(&orders[i]))
	}
	return p.orders
}

// Score implements audience.View. A definition with a score is refused (checkLeaves), so nothing asks.
func (p *livePerson) Score(string, int64) (signal.Scalar, int64, bool) {
	return signal.Scalar{}, audience.Never, false
}
