package audience

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph/signal"
)

// AudiencesMax bounds the audiences of a deployment.
const AudiencesMax = 1_000

// Catalog holds the audiences of a version of the definitions, ready to be evaluated. It never changes, and any number of
// goroutines may use it.
type Catalog struct {
	programs []program // an audience after those that it refers to (T7)
	computed []computed
	index    map[string]int
	signals  *signal.Index

	bySignal      map[signal.ID][]int
	byTrait       map[string][]int
	byIdentifiers []int
	byOrders      []int
	byScores      []int
	byMember      map[int][]int // from an audience to those that refer to it
}

type program struct {
	key  string
	root *Node
	// signals are those of the tree, by node: one of Events, two of Sequence.
	signals map[*Node][2]signal.ID
	members map[*Node]int
}

// NewCatalog prepares definitions, and the computed traits beside them. It fails with a *PlaceError if a key is wrong or given twice, an audience is not there or
// refers to itself through others, or the definitions need more than signal.LiveMax signals.
func NewCatalog(definitions []Definition, traits ...ComputedTrait) (*Catalog, error) {
	if len(definitions) > AudiencesMax {
		return nil, misplaced("", "%d audiences; at most %d", len(definitions), AudiencesMax)
	}
	c := &Catalog{
		index: map[string]int{}, bySignal: map[signal.ID][]int{}, byTrait: map[string][]int{}, byMember: map[int][]int{},
	}
	ordered, err := inOrder(definitions)
	if err != nil {
		return nil, err
	}
	var signals []signal.Definition
	for i := range ordered {
		c.index[ordered[i].Key] = i
		p := program{key: ordered[i].Key, root: ordered[i].Where, signals: map[*Node][2]signal.ID{}, members: map[*Node]int{}}
		ordered[i].Where.each(func(n *Node) { signals = append(signals, c.need(&p, i, n)...) })
		c.programs = append(c.programs, p)
	}
	more, err := c.compute(traits)
	if err != nil {
		return nil, err
	}
	signals = append(signals, more...)
	if c.signals, err = signal.NewIndex(signals); err != nil {
		return nil, &PlaceError{Err: err}
	}
	c.compact()
	return c, nil
}

// each calls fn with each node of the tree, parents first.
func (n *Node) each(fn func(*Node)) {
	fn(n)
	for _, child := range n.Children {
		child.each(fn)
	}
}

// need notes what a condition of an audience depends on, and returns its signals.
func (c *Catalog) need(p *program, audience int, n *Node) []signal.Definition {
	switch n.Kind {
	case Events:
		d := n.Events.signal()
		id := d.Canonical()
		p.signals[n] = [2]signal.ID{id}
		c.bySignal[id] = append(c.bySignal[id], audience)
		return []signal.Definition{d}
	case Sequence:
		first, then := n.Sequence.signals()
		ids := [2]signal.ID{first.Canonical(), then.Canonical()}
		p.signals[n] = ids
		for _, id := range ids {
			c.bySignal[id] = append(c.bySignal[id], audience)
		}
		return []signal.Definition{first, then}
	case Trait:
		name, _, _ := strings.Cut(n.Value.Path, ".")
		c.byTrait[name] = append(c.byTrait[name], audience)
	case Identifier:
		c.byIdentifiers = append(c.byIdentifiers, audience)
	case Orders:
		c.byOrders = append(c.byOrders, audience)
	case Score:
		c.byScores = append(c.byScores, audience)
	case Member:
		to := c.index[n.Name]
		p.members[n] = to
		c.byMember[to] = append(c.byMember[to], audience)
	}
	return nil
}

// compact drops what is in a list twice: an audience may have two conditions on one signal.
func (c *Catalog) compact() {
	for id, list := range c.bySignal {
		c.bySignal[id] = slices.Compact(list)
	}
	for name, list := range c.byTrait {
		c.byTrait[name] = slices.Compact(list)
	}
	for to, list := range c.byMember {
		c.byMember[to] = slices.Compact(list)
	}
	c.byIdentifiers, c.byOrders, c.byScores = slices.Compact(c.byIdentifiers), slices.Compact(c.byOrders), slices.Compact(c.byScores)
}

const keyMax = 64

func checkKey(key string) error {
	for i := range len(key) {
		if c := key[i]; (c < 'a' || c > 'z') && c != '_' && (i == 0 || c < '0' || c > '9') {
			return misplaced("key", "%q; use lower-case letters, digits and _, and begin with a letter", key)
		}
	}
	if key == "" || len(key) > keyMax {
		return misplaced("key", "a key of %d bytes; give 1 to %d", len(key), keyMax)
	}
	return nil
}

// inOrder sorts definitions so that each comes after those it refers to; apart from that, by key.
func inOrder(definitions []Definition) ([]Definition, error) {
	byKey := map[string]Definition{}
	for _, d := range definitions {
		if err := checkKey(d.Key); err != nil {
			return nil, err
		}
		if _, twice := byKey[d.Key]; twice {
			return nil, misplaced("key", "%q is that of another audience; choose another", d.Key)
		}
		byKey[d.Key] = d
	}
	s := sorter{byKey: byKey, done: map[string]bool{}}
	keys := make([]string, 0, len(byKey))
	for key := range byKey {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if err := s.visit(key); err != nil {
			return nil, err
		}
	}
	return s.ordered, nil
}

type sorter struct {
	byKey   map[string]Definition
	done    map[string]bool
	path    []string // audiences under way
	ordered []Definition
}

func (s *sorter) visit(key string) (err error) {
	if s.done[key] {
		return nil
	}
	if at := slices.Index(s.path, key); at >= 0 {
		return misplaced(key, "refers to itself: %s; take one reference out", strings.Join(append(s.path[at:], key), " → "))
	}
	s.path = append(s.path, key)
	s.byKey[key].Where.each(func(n *Node) {
		if n.Kind != Member || err != nil {
			return
		}
		if _, known := s.byKey[n.Name]; !known {
			err = misplaced(fmt.Sprintf("%s: condition %s", key, n.ID), "no audience %q; create it first", n.Name)
			return
		}
		err = s.visit(n.Name)
	})
	if err != nil {
		return err
	}
	s.path = s.path[:len(s.path)-1]
	s.done[key] = true
	s.ordered = append(s.ordered, s.byKey[key])
	return nil
}

// Len is the number of audiences. They are numbered from 0, each after those that it refers to.
func (c *Catalog) Len() int { return len(c.programs) }

// Key is the key of an audience by its number.
func (c *Catalog) Key(audience int) string { return c.programs[audience].key }

// Conditions are the conditions that an audience joins with "and"; the whole where it does not begin with one.
func (c *Catalog) Conditions(audience int) []*Node { return c.programs[audience].joined() }

func (p *program) joined() []*Node {
	if p.root.Kind == All {
		return p.root.Children
	}
	return []*Node{p.root}
}

// Find returns the number of an audience.
func (c *Catalog) Find(key string) (int, bool) {
	i, ok := c.index[key]
	return i, ok
}

// Signals returns the signals that the audiences read.
func (c *Catalog) Signals() *signal.Index { return c.signals }

// Traits returns the names of the traits that audiences read, each up to its first dot.
func (c *Catalog) Traits() []string {
	names := make([]string, 0, len(c.byTrait))
	for name := range c.byTrait {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Change says what of a person changed, so that only the audiences that read it are evaluated.
type Change struct {
	Signals     []signal.ID
	Traits      []string
	Identifiers bool
	Orders      bool
	Scores      bool // any event with money, offers or visits moves scores
}

// Affected returns the numbers of the audiences that read what changed, ascending. Those that refer to them are not among them:
// they are affected only if the membership changes (Dependents).
func (c *Catalog) Affected(change *Change) []int {
	var affected []int
	for _, id := range change.Signals {
		affected = append(affected, c.bySignal[id]...)
	}
	for _, name := range change.Traits {
		affected = append(affected, c.byTrait[name]...)
	}
	if change.Identifiers {
		affected = append(affected, c.byIdentifiers...)
	}
	if change.Orders {
		affected = append(affected, c.byOrders...)
	}
	if change.Scores {
		affected = append(affected, c.byScores...)
	}
	slices.Sort(affected)
	return slices.Compact(affected)
}

// Dependents returns the numbers of the audiences that refer to one.
func (c *Catalog) Dependents(audience int) []int { return c.byMember[audience] }
