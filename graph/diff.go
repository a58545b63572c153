package graph

import (
	"bytes"
	"slices"
)

// Identity is an identity with events as it stands at one moment: one side of a Diff.
type Identity struct {
	Summary
	Nodes   []NodeKey // its identifiers with events of their own; not set beside a Profile
	Profile *Profile  // without dealings and orders; nil where nobody reads the feed, or only the id is known
}

// Summary names an identity and says how much it holds.
type Summary struct {
	Name   NodeName // its highest-ranked identifier
	Events uint64
}

// ID is the public id of the identity.
func (s *Summary) ID() NodeKey { return s.Name.Key }

// Diff is what one step made of the identities of one component. Counters, the change feed and the news of merges
// all derive from it, so they cannot disagree.
//
// It is computed once, when a step closes (Component.Close), from the identities before and after, and from nothing
// else: no message says which identities it brings, and no change is collected along the way. An earlier design
// reported merges message by message and the feed compared profiles step by step; the two had to be reconciled, and
// each Absorb carried a list of identities for the first of them.
//
// A Diff is reused: its lists are valid until it is filled again. The data that the lists point to is never written again.
type Diff struct {
	Splits  []Split  // in the order of the identities before
	Merges  []Merge  // in the order of the identities after
	Updates []Update // in the order of the identities after; only where the feed is read

	// Told is the Diff for the readers of the feed where they know other identities than there were: while a sweep
	// tells identities under new rules. It is nil where this Diff serves them, too.
	Told *Diff

	summaries slab[Summary] // of Merge.From
	marks     []byte        // left for those of causes
}

// markBytes is the memory of the marks of causes that a Diff allocates at a time, in bytes: some ten of the usual size.
const markBytes = 512

// copyMark copies a mark, which later events overwrite in place.
func (d *Diff) copyMark(m *Mark) Mark {
	n := len(m.ID) + len(m.Source)
	if n > markBytes/4 {
		return m.clone()
	}
	if len(d.marks) < n {
		d.marks = make([]byte, markBytes)
	}
	room := d.marks[:0:n]
	d.marks = d.marks[n:]
	return m.copyInto(room)
}

// Split is an identity that lost its highest-ranked identifier, or became several.
type Split struct {
	ID   NodeKey
	Into []NodeKey // the identities that hold its identifiers now, in descending rank
	// Divided reports whether identifiers with events went to several identities: a split that counters count. Otherwise
	// the identity lost nothing but names.
	Divided bool
}

// Merge is an identity that took in others.
type Merge struct {
	Into Summary
	From []Summary // the identities whose events it holds; at least two, or none where only names moved
	Gone []NodeKey // identities that are no more, in descending rank; only where the feed is read
	Cause
}

// Cause is the evidence that brought identifiers together: a link with the event that made or last
// strengthened it, or an assertion. It is zero where no evidence did: other rules, for one.
type Cause struct {
	By        [2]NodeName
	Verb      Verb
	Mark      Mark
	Assertion string // its id
}

// Update is what changed of an identity's profile.
type Update struct {
	ID     NodeKey
	New    bool // nobody knew the identity; Delta is all of it
	Delta  Delta
	Joined []Joined // identifiers that no identity of the component had before
}

// Joined is an identifier that came to an identity.
type Joined struct {
	Name  NodeName
	Cause Cause
}

func (d *Diff) reset() {
	clear(d.Splits)
	clear(d.Merges)
	clear(d.Updates)
	d.Splits, d.Merges, d.Updates, d.Told = d.Splits[:0], d.Merges[:0], d.Updates[:0], nil
}

// size is how many identifiers are known of the identity; its id is always among them.
func (k *Identity) size() int {
	if k.Profile != nil {
		return len(k.Profile.Identifiers)
	}
	return 1 + len(k.Nodes)
}

// node is one of those identifiers, and whether events of its own are known.
func (k *Identity) node(i int) (key NodeKey, active bool) {
	switch {
	case k.Profile != nil:
		id := &k.Profile.Identifiers[i]
		return id.Key, id.active
	case i == 0:
		return k.ID(), false
	}
	return k.Nodes[i-1], true
}

// compare adds what became of the identities before. An identity may be among them twice: as it was here, and as it
// came with an Absorb. home is the place in after of the identity that holds an identifier, -1 where none does.
// With updates, it tells all that readers of the feed need, and otherwise what counters and news need.
func (d *Diff) compare(before, after []Identity, home func(NodeKey) int, updates bool) {
	was := newSameIDs(before)
	if len(before) != 1 || len(after) != 1 || before[0].ID() != after[0].ID() {
		d.moves(&was, after, home, updates)
	}
	for i := range after {
		if updates {
			d.update(&was, &after[i])
		}
	}
}

// flow says that one identity after holds something of one before.
type flow struct{ to, from int32 }

// moves finds splits and merges.
func (d *Diff) moves(was *sameIDs, after []Identity, home func(NodeKey) int, updates bool) {
	before := was.list
	var few [8]int32
	marks := few[:] // by identity after: the last of before that it holds a part of, and one
	if 2*len(after) > len(few) {
		marks = make([]int32, 2*len(after))
	}
	held, fed := marks[:len(after)], marks[len(after):]
	var some [4]flow
	flows := some[:0] // of identifiers with events
	var gone []flow
	var homes []int32
	for i := range before {
		if !was.first(i) {
			continue // told with its namesake
		}
		homes = homes[:0]
		divided := false
		for j := i; j >= 0; j = was.next(j) {
			parts := 0
			for n := range before[j].size() {
				node, active := before[j].node(n)
				at := home(node)
				if at < 0 {
					continue
				}
				if held[at] != int32(i)+1 {
					held[at] = int32(i) + 1
					homes = append(homes, int32(at))
				}
				if active && fed[at] != int32(j)+1 {
					fed[at] = int32(j) + 1
					flows = append(flows, flow{int32(at), int32(j)})
					parts++
				}
			}
			divided = divided || parts > 1
		}
		switch head := home(before[i].ID()); {
		case divided, updates && (len(homes) > 1 || head < 0):
			d.Splits = append(d.Splits, Split{ID: before[i].ID(), Into: idsOf(after, homes), Divided: divided})
		case updates && after[head].ID() != before[i].ID():
			gone = append(gone, flow{int32(head), int32(i)})
		}
	}
	d.merges(before, after, flows, gone)
}

// merges finds the identities that hold what several held, or whose new id replaces another.
func (d *Diff) merges(before, after []Identity, flows, gone []flow) {
	order := func(a, b flow) int {
		if a.to != b.to {
			return int(a.to) - int(b.to)
		}
		return int(a.from) - int(b.from)
	}
	slices.SortFunc(flows, order)
	slices.SortFunc(gone, order)
	for len(flows)+len(gone) > 0 {
		to := int32(len(after))
		if len(flows) > 0 {
			to = flows[0].to
		}
		if len(gone) > 0 {
			to = min(to, gone[0].to)
		}
		n, m := run(flows, to), run(gone, to)
		if n > 1 || m > 0 {
			merge := Merge{Into: after[to].Summary}
			if n > 1 {
				merge.From = d.summaries.many(n)
				for i := range merge.From {
					merge.From[i] = before[flows[i].from].Summary
				}
			}
			for _, f := range gone[:m] {
				merge.Gone = append(merge.Gone, before[f.from].ID())
			}
			slices.SortFunc(merge.Gone, descending)
			d.Merges = append(d.Merges, merge)
		}
		flows, gone = flows[n:], gone[m:]
	}
}

// run is how many of the first flows lead to one identity.
func run(flows []flow, to int32) (n int) {
	for n < len(flows) && flows[n].to == to {
		n++
	}
	return n
}

func descending(a, b NodeKey) int { return b.Compare(a) }

func idsOf(identities []Identity, places []int32) []NodeKey {
	ids := make([]NodeKey, len(places))
	for i, at := range places {
		ids[i] = identities[at].ID()
	}
	slices.SortFunc(ids, descending)
	return ids
}

// update adds what became of the profile of one identity.
func (d *Diff) update(was *sameIDs, now *Identity) {
	u := Update{ID: now.ID(), New: true}
	for i := was.find(now.ID()); i >= 0; i = was.next(i) {
		k := &was.list[i]
		switch {
		case k.Profile == nil: // the readers know it, and nobody knows how
			u.New, u.Delta = false, everything(now.Profile)
			d.Updates = append(d.Updates, u.owned())
			return
		case u.New:
			u.New, u.Delta = false, difference(k.Profile, now.Profile)
		default:
			more := difference(k.Profile, now.Profile)
			u.Delta.add(&more)
		}
	}
	if u.New {
		u.Delta = everything(now.Profile)
		d.Updates = append(d.Updates, u.owned())
		return
	}
	if u.Delta.Empty() {
		return
	}
	for i := range u.Delta.Identifiers {
		if name := u.Delta.Identifiers[i].NodeName; !was.holds(name.Key) {
			u.Joined = append(u.Joined, Joined{Name: name})
		}
	}
	d.Updates = append(d.Updates, u.owned())
}

// owned gives the delta trait values of its own: those of the profile are the component's.
func (u Update) owned() Update {
	for i := range u.Delta.Traits {
		u.Delta.Traits[i].Value = bytes.Clone(u.Delta.Traits[i].Value)
	}
	return u
}

// sameIDs finds identities by id in a list that may hold one twice. A short list is searched from its start; a long
// one gets an index.
type sameIDs struct {
	list   []Identity
	firsts map[NodeKey]int32
	nexts  []int32
	nodes  map[NodeKey]struct{} // all identifiers; made when asked for
}

const sameIDsScanned = 8

func newSameIDs(list []Identity) sameIDs {
	s := sameIDs{list: list}
	if len(list) <= sameIDsScanned {
		return s
	}
	s.firsts, s.nexts = make(map[NodeKey]int32, len(list)), make([]int32, len(list))
	for i := len(list) - 1; i >= 0; i-- {
		s.nexts[i] = -1
		if later, found := s.firsts[list[i].ID()]; found {
			s.nexts[i] = later
		}
		s.firsts[list[i].ID()] = int32(i)
	}
	return s
}

// find returns the first identity of an id; -1 if no identity has it.
func (s *sameIDs) find(id NodeKey) int {
	if s.firsts == nil {
		return slices.IndexFunc(s.list, func(k Identity) bool { return k.ID() == id })
	}
	if i, found := s.firsts[id]; found {
		return int(i)
	}
	return -1
}

func (s *sameIDs) first(i int) bool { return s.find(s.list[i].ID()) == i }

// next returns the next identity of the same id; -1 after the last.
func (s *sameIDs) next(i int) int {
	if s.nexts != nil {
		return int(s.nexts[i])
	}
	for j := i + 1; j < len(s.list); j++ {
		if s.list[j].ID() == s.list[i].ID() {
			return j
		}
	}
	return -1
}

// holds reports whether a node is an identifier of any of the identities.
func (s *sameIDs) holds(node NodeKey) bool {
	if s.firsts == nil {
		for i := range s.list {
			if s.list[i].holds(node) {
				return true
			}
		}
		return false
	}
	if s.nodes == nil {
		s.nodes = make(map[NodeKey]struct{}, 2*len(s.list))
		for i := range s.list {
			for n := range s.list[i].size() {
				key, _ := s.list[i].node(n)
				s.nodes[key] = struct{}{}
			}
		}
	}
	_, found := s.nodes[node]
	return found
}

func (k *Identity) holds(node NodeKey) bool {
	if k.Profile != nil {
		_, found := k.Profile.identifier(node)
		return found
	}
	return k.ID() == node || slices.Contains(k.Nodes, node)
}
