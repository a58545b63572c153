package graph

import "slices"

// FeedKind is what an entry of the change feed tells.
type FeedKind uint8

// The feed's kinds.
const (
	FeedCreated FeedKind = 1 + iota // ID is new, or known again; Delta is all of it
	FeedLinked                      // Name came to ID, because of Cause; Delta of another entry has it, too
	FeedMerged                      // Others are one with ID now, because of Cause, and are no more
	FeedSplit                       // ID became Others; where it is not among them, it is no more
	FeedUpdated                     // Delta is what changed of ID
	FeedErased                      // ID is no more, and nothing is left of it
	FeedGeneric                     // Name, whose key is ID, is a generic value and joins nobody any more

	feedKindEnd
)

var feedKindNames = [feedKindEnd]string{"", "created", "linked", "merged", "split", "updated", "erased", "generic"}

func (k FeedKind) String() string {
	if k < feedKindEnd {
		return feedKindNames[k]
	}
	return ""
}

// ParseFeedKind reads a kind by its name; 0 when there is no such kind.
func ParseFeedKind(name string) FeedKind {
	for k := FeedCreated; k < feedKindEnd; k++ {
		if name == feedKindNames[k] {
			return k
		}
	}
	return 0
}

// FeedEntry is one entry of the change feed. Which fields count depends on Kind. Whoever takes the
// entries of a feed in causal order from its start, and does what each says, has every identity that
// has an event, as it stands:
//
//   - created, updated: Delta.Apply, to a new profile where ID is not known
//   - merged: forget Others
//   - split: forget ID, unless it is among Others
//   - erased: forget ID
//
// An identity of which all is told, twice, is the same one: evidence that was on its way between two
// shards has made it whole.
type FeedEntry struct {
	Kind   FeedKind
	ID     NodeKey // of the identity
	Delta  Delta
	Others []NodeKey // in descending rank
	Name   NodeName
	Cause  Cause
}

// Cause is the evidence that brought identifiers together: a link with the event that made or last
// strengthened it, or an assertion. It is zero where there is no such thing: other rules, for one.
type Cause struct {
	By        [2]NodeName
	Verb      Verb
	Mark      Mark
	Assertion string // its id
}

// Known is an identity as the feed's readers know it.
type Known struct {
	ID      NodeKey
	Nodes   []NodeKey // its identifiers, or some
	Profile *Profile  // nil where only the id is known
}

// Known lists the component's identities that have events, to be compared with those after some
// messages. It shares no memory that a message changes.
func (c *Component) Known(rules *Rules) []Known {
	profiles := c.profiles(rules, false, false) // the feed does not tell of dealings
	known := make([]Known, len(profiles))
	for i := range profiles {
		p := &profiles[i]
		p.Orders = nil // the feed tells of their sums
		size := 0
		for t := range p.Traits {
			size += len(p.Traits[t].Value)
		}
		values := make([]byte, 0, size)
		for t := range p.Traits {
			start := len(values)
			values = append(values, p.Traits[t].Value...)
			p.Traits[t].Value = values[start:len(values):len(values)]
		}
		known[i] = Known{ID: p.ID, Profile: p}
	}
	return known
}

// Arrivals lists the identities that come with an Absorb. Of evidence that comes in one piece, the
// profiles are those that the feed last told; of a part of it, only ids are known. The evidence stays
// as it is.
func (ev *Evidence) Arrivals(rules *Rules) []Known {
	if ev.whole() {
		return RestoreComponent(NodeKey{}, &Evidence{Members: slices.Clone(ev.Members), Links: ev.Links, Assertions: ev.Assertions}).Known(rules)
	}
	if !ev.More {
		return nil // the end of what came in parts, each with those of its own
	}
	return ev.headed()
}

// Ids lists the identities that come with an Absorb by their ids alone.
func (ev *Evidence) Ids() []Known {
	if !ev.whole() && !ev.More {
		return nil
	}
	return ev.headed()
}

func (ev *Evidence) headed() []Known {
	known := make([]Known, len(ev.Identities))
	for i := range ev.Identities {
		s := &ev.Identities[i]
		known[i] = Known{ID: s.ID, Nodes: append([]NodeKey{s.ID}, s.Nodes...)}
	}
	return known
}

// whole tells whether all evidence of a component came in one piece.
func (ev *Evidence) whole() bool { return !ev.More && len(ev.Members) > 0 }

// nodes are the identifiers that are known of an identity.
func (k *Known) nodes(each func(NodeKey)) {
	for _, node := range k.Nodes {
		each(node)
	}
	if k.Profile != nil {
		for i := range k.Profile.Identifiers {
			each(k.Profile.Identifiers[i].Key)
		}
	}
}

// AppendFeed appends what is to be told of the identities that a component had or that came to it,
// and of those that it has now. An identity may be known twice: as it was here, and as it came. changes are
// what the messages in between reported: the causes.
func (c *Component) AppendFeed(entries []FeedEntry, before []Known, rules *Rules, changes []Change) []FeedEntry {
	after := c.profiles(rules, false, false)
	if len(before) == 1 && len(after) == 1 && before[0].ID == after[0].ID && before[0].Profile != nil {
		return c.appendUpdate(entries, before, func(node NodeKey) bool { return holds(before, node) }, &after[0])
	}
	return c.appendMoves(entries, before, after, changes)
}

// appendUpdate tells what became of one identity that keeps its id.
// before are those known of it, or more; held reports whether any identity held an identifier.
func (c *Component) appendUpdate(entries []FeedEntry, before []Known, held func(NodeKey) bool, now *Profile) []FeedEntry {
	var delta Delta
	known := false
	for i := range before {
		switch k := &before[i]; {
		case k.ID != now.ID:
			continue
		case k.Profile == nil:
			return append(entries, FeedEntry{Kind: FeedUpdated, ID: now.ID, Delta: copied(everything(now))})
		case !known:
			delta, known = difference(k.Profile, now), true
		default:
			more := difference(k.Profile, now)
			delta.add(&more)
		}
	}
	if !known {
		return append(entries, FeedEntry{Kind: FeedCreated, ID: now.ID, Delta: copied(everything(now))})
	}
	if delta.Empty() {
		return entries
	}
	for i := range delta.Identifiers {
		if name := delta.Identifiers[i].NodeName; !held(name.Key) {
			entries = append(entries, FeedEntry{Kind: FeedLinked, ID: now.ID, Name: name, Cause: c.causeOf(name.Key)})
		}
	}
	return append(entries, FeedEntry{Kind: FeedUpdated, ID: now.ID, Delta: copied(delta)})
}

// copied gives a delta trait values of its own.
func copied(d Delta) Delta {
	for i := range d.Traits {
		d.Traits[i].Value = slices.Clone(d.Traits[i].Value)
	}
	return d
}

// holds tells whether a node is an identifier of any of the identities.
func holds(known []Known, node NodeKey) bool {
	for i := range known {
		found := false
		known[i].nodes(func(n NodeKey) { found = found || n == node })
		if found {
			return true
		}
	}
	return false
}

// appendMoves tells of identities that may have moved: which ids are no more, and where what they
// held is now.
func (c *Component) appendMoves(entries []FeedEntry, before []Known, after []Profile, changes []Change) []FeedEntry {
	owner := make(map[NodeKey]int, 2*len(after))
	for i := range after {
		for j := range after[i].Identifiers {
			owner[after[i].Identifiers[j].Key] = i
		}
	}
	known := make(map[NodeKey][]Known, len(before)) // by id: an identity may be known twice
	held := make(map[NodeKey]struct{}, 2*len(before))
	for i := range before {
		known[before[i].ID] = append(known[before[i].ID], before[i])
		before[i].nodes(func(n NodeKey) { held[n] = struct{}{} })
	}
	losers := make([][]NodeKey, len(after))
	told := make(map[NodeKey]struct{}, len(known))
	for i := range before {
		id := before[i].ID
		if _, twice := told[id]; twice {
			continue
		}
		told[id] = struct{}{}
		var homes []NodeKey
		for j := range known[id] {
			known[id][j].nodes(func(n NodeKey) {
				if at, ok := owner[n]; ok && !slices.Contains(homes, after[at].ID) {
					homes = append(homes, after[at].ID)
				}
			})
		}
		head, here := owner[id]
		switch {
		case len(homes) > 1 || !here:
			slices.SortFunc(homes, func(a, b NodeKey) int { return b.Compare(a) })
			entries = append(entries, FeedEntry{Kind: FeedSplit, ID: id, Others: homes})
		case after[head].ID != id:
			losers[head] = append(losers[head], id)
		}
	}
	for i := range after {
		if len(losers[i]) > 0 {
			slices.SortFunc(losers[i], func(a, b NodeKey) int { return b.Compare(a) })
			entries = append(entries, FeedEntry{Kind: FeedMerged, ID: after[i].ID, Others: losers[i], Cause: causeOfMerge(losers[i], changes)})
		}
	}
	for i := range after {
		entries = c.appendUpdate(entries, known[after[i].ID], func(node NodeKey) bool {
			_, ok := held[node]
			return ok
		}, &after[i])
	}
	return entries
}

// causeOfMerge is the cause of the last merge that was reported of any of the losers.
func causeOfMerge(losers []NodeKey, changes []Change) Cause {
	for i := len(changes) - 1; i >= 0; i-- {
		change := &changes[i]
		if change.Kind != ChangeMerged {
			continue
		}
		for j := range change.From {
			if slices.Contains(losers, change.From[j].ID) {
				return Cause{By: change.By, Verb: change.Verb, Mark: change.Mark, Assertion: change.Assertion}
			}
		}
	}
	return Cause{}
}

// causeOf is the newest observed link of a member.
func (c *Component) causeOf(node NodeKey) Cause {
	var newest *Link
	c.settle()
	for i := range c.links {
		l := &c.links[i]
		if l.Count > 0 && (l.A == node || l.B == node) && (newest == nil || l.Last.Stamp.Compare(newest.Last.Stamp) > 0) {
			newest = l
		}
	}
	if newest == nil {
		return Cause{}
	}
	return Cause{By: [2]NodeName{c.find(newest.A).NodeName, c.find(newest.B).NodeName}, Verb: newest.Verb, Mark: newest.Last.clone()}
}
