package oracle

import (
	"slices"

	"github.com/kindred-id/kindred/graph"
)

// pair is two nodes, of which a outranks b.
type pair struct{ a, b graph.NodeKey }

// link is the evidence of all events on one pair.
type link struct {
	pair
	verb        graph.Verb // the strongest
	first, last int64      // ms since 1970 UTC
	otherwise   bool       // seen other than between an alias's userId and a reading of its previousId
}

// evidence is everything that was seen, each event once.
type evidence struct {
	names      map[graph.NodeKey]graph.NodeName // every node
	fragments  map[graph.NodeKey][]graph.Event  // by route (E2)
	links      map[pair]*link
	neighbours map[graph.NodeKey]map[graph.NodeKey]bool
	twins      map[graph.NodeKey]map[graph.NodeKey]bool // the other readings of the same previousId
	likely     map[graph.NodeKey]bool                   // the readings that the form of a previousId suggests

	forced    map[pair]int64 // when
	cannot    map[pair]bool
	retracted map[pair]bool
	forgotten map[graph.NodeKey]bool
}

// gather collects evidence. An event counts once for each message id and content, so a retry with other content is
// another event (E1). The order of events has no effect: a field is a set, a minimum, a maximum, or a list whose order
// no later step depends on (R4).
func gather(events []graph.Event, assertions []graph.Assertion) *evidence {
	ev := &evidence{
		names:      map[graph.NodeKey]graph.NodeName{},
		fragments:  map[graph.NodeKey][]graph.Event{},
		links:      map[pair]*link{},
		neighbours: map[graph.NodeKey]map[graph.NodeKey]bool{},
		twins:      map[graph.NodeKey]map[graph.NodeKey]bool{},
		likely:     map[graph.NodeKey]bool{},
		forced:     map[pair]int64{},
		cannot:     map[pair]bool{},
		retracted:  map[pair]bool{},
		forgotten:  map[graph.NodeKey]bool{},
	}
	seen := map[[2]string]bool{}
	var mentions []mention
	for _, e := range events {
		message := [2]string{string(e.ID), content(&e)}
		if seen[message] {
			continue
		}
		seen[message] = true
		ev.observe(e)
		for _, id := range e.Mentions {
			mentions = append(mentions, mention{e, id})
		}
	}
	for _, a := range assertions {
		ev.exists(a.A)
		if a.Verb == graph.AssertForce && !a.Withdrawn {
			ev.exists(a.B)
		}
	}
	ev.mention(mentions)
	for _, a := range assertions {
		// An event that saw B names it; the assertion does so only if no event did.
		if _, seen := ev.names[a.B.Key]; !seen && a.Verb != graph.AssertForget {
			ev.exists(a.B)
		}
	}
	for _, a := range holding(assertions) {
		ev.assert(a)
	}
	return ev
}

// exists notes a node. A node seen by its value and by its hash is named by the value, whichever came first.
func (ev *evidence) exists(n graph.NodeName) {
	if old, ok := ev.names[n.Key]; ok && hashOf[n.Namespace] == old.Namespace {
		return
	}
	ev.names[n.Key] = n
}

// observe adds one event. Its first identifier is the route: the event becomes a fragment of it, and each other
// identifier gets a link with it (E2). An alias has its userId first, which need not have the highest rank.
func (ev *evidence) observe(e graph.Event) {
	for _, id := range e.Identifiers {
		ev.exists(nodeName(id))
	}
	route := e.Identifiers[0].Key
	ev.fragments[route] = append(ev.fragments[route], e)
	for i, id := range e.Identifiers[1:] {
		verb, otherwise := graph.VerbObserve, true
		switch {
		case e.Type == graph.TypeIdentify:
			verb = graph.VerbIdentify
		case e.Type == graph.TypeAlias && len(e.Alias) > 0 && e.Alias[1+i]&graph.AliasPrevious != 0:
			verb, otherwise = graph.VerbAlias, e.Alias[1+i]&graph.AliasCarried != 0
			ev.read(e, 1+i)
		}
		p := pair{route, id.Key}
		if p.b.Outranks(p.a) {
			p = pair{p.b, p.a}
		}
		ev.observeLink(p, verb, e.Stamp.Time)
		ev.links[p].otherwise = ev.links[p].otherwise || otherwise
	}
}

// mention is an identifier that an event mentions.
type mention struct {
	event graph.Event
	id    graph.Identifier
}

// mention links what is mentioned to the routes of the events that mention it, if two of them do, or if it exists
// otherwise (E6).
func (ev *evidence) mention(all []mention) {
	count := map[graph.NodeKey]int{}
	for _, m := range all {
		count[m.id.Key]++
	}
	for n := range count {
		if _, exists := ev.names[n]; exists {
			count[n]++
		}
	}
	for _, m := range all {
		if count[m.id.Key] < 2 {
			continue
		}
		ev.exists(nodeName(m.id))
		verb := graph.VerbObserve
		if m.event.Type == graph.TypeIdentify {
			verb = graph.VerbIdentify
		}
		p := pair{m.event.Identifiers[0].Key, m.id.Key}
		ev.observeLink(p, verb, m.event.Stamp.Time)
		ev.links[p].otherwise = true
	}
}

// read notes the possible readings of an alias's previousId.
func (ev *evidence) read(e graph.Event, i int) {
	n := e.Identifiers[i].Key
	if e.Alias[i]&graph.AliasLikely != 0 {
		ev.likely[n] = true
	}
	if ev.twins[n] == nil {
		ev.twins[n] = map[graph.NodeKey]bool{}
	}
	for j, other := range e.Identifiers {
		if j != i && e.Alias[j]&graph.AliasPrevious != 0 && e.Alias[0]&graph.AliasPrevious == 0 {
			ev.twins[n][other.Key] = true
		}
	}
}

// unseen reports whether the only evidence of n is that a previousId may mean it (E5).
func (ev *evidence) unseen(n graph.NodeKey, rules *graph.Rules) bool {
	if ev.twins[n] == nil || len(ev.fragments[n]) > 0 || ev.generic(n, rules) {
		return false
	}
	for p := range ev.forced {
		if p.a == n || p.b == n {
			return false
		}
	}
	for p, l := range ev.links {
		// A node that was seen with a generic value was seen.
		if (l.otherwise || ev.generic(p.a, rules) || ev.generic(p.b, rules)) && (p.a == n || p.b == n) {
			return false
		}
	}
	return true
}

// mere reports whether n is a mere reading: unseen, and not the likely one of two unseen readings (E5).
func (ev *evidence) mere(n graph.NodeKey, rules *graph.Rules) bool {
	if !ev.unseen(n, rules) {
		return false
	}
	if !ev.likely[n] {
		return true
	}
	for twin := range ev.twins[n] {
		if !ev.unseen(twin, rules) {
			return true
		}
	}
	return false
}

// observeLink keeps the strongest verb and the first and last time of a pair.
func (ev *evidence) observeLink(p pair, verb graph.Verb, at int64) {
	l, ok := ev.links[p]
	if !ok {
		l = &link{pair: p, verb: verb, first: at, last: at}
		ev.links[p] = l
		ev.meet(p.a, p.b)
		ev.meet(p.b, p.a)
	}
	l.verb = max(l.verb, verb)
	l.first = min(l.first, at)
	l.last = max(l.last, at)
}

func (ev *evidence) meet(n, neighbour graph.NodeKey) {
	if ev.neighbours[n] == nil {
		ev.neighbours[n] = map[graph.NodeKey]bool{}
	}
	ev.neighbours[n][neighbour] = true
}

// holding returns the assertions in force: for each subject the newest, unless it is withdrawn (E1).
func holding(assertions []graph.Assertion) []graph.Assertion {
	type subject struct {
		verb graph.AssertionVerb
		pair
	}
	newest := map[subject]graph.Assertion{}
	for _, a := range assertions {
		s := subject{a.Verb, pair{a.A.Key, a.B.Key}}
		old, ok := newest[s]
		if !ok || a.At > old.At || a.At == old.At && a.ID > old.ID {
			newest[s] = a
		}
	}
	var held []graph.Assertion
	for _, a := range newest {
		if !a.Withdrawn {
			held = append(held, a)
		}
	}
	return held
}

// assert applies an assertion in force. From here on its time matters only for force, which takes part in the order of
// entries.
func (ev *evidence) assert(a graph.Assertion) {
	p := pair{a.A.Key, a.B.Key}
	switch a.Verb {
	case graph.AssertForce:
		ev.forced[p] = a.At
	case graph.AssertCannot:
		ev.cannot[p] = true
	case graph.AssertRetract:
		ev.retracted[p] = true
	case graph.AssertForget:
		ev.forgotten[p.a] = true
	}
}

// generic reports whether n has more neighbours than the rules allow for one person's identifier (E3). For a customer's
// identifier, only customers' identifiers in other namespaces with the limit 1 count.
func (ev *evidence) generic(n graph.NodeKey, rules *graph.Rules) bool {
	if n.Class() == graph.ClassCustomer {
		return rules.GenericCustomers > 0 && ev.strangers(n, rules) > rules.GenericCustomers
	}
	customers := 0
	for neighbour := range ev.neighbours[n] {
		if neighbour.Class() == graph.ClassCustomer {
			customers++
		}
	}
	return rules.GenericCustomers > 0 && customers > rules.GenericCustomers ||
		rules.GenericNeighbours > 0 && len(ev.neighbours[n]) > rules.GenericNeighbours
}

// strangers counts the neighbours of a customer's identifier that are of another namespace with the limit 1.
func (ev *evidence) strangers(n graph.NodeKey, rules *graph.Rules) int {
	count := 0
	for neighbour := range ev.neighbours[n] {
		namespace := ev.names[neighbour].Namespace
		one := slices.ContainsFunc(rules.Limits, func(l graph.Limit) bool {
			return l.Namespace == namespace && l.Max == 1 && l.Within == 0
		})
		if one && neighbour.Class() == graph.ClassCustomer && namespace != ev.names[n].Namespace {
			count++
		}
	}
	return count
}

// conducts reports whether an observed link may join its ends (E4).
func (ev *evidence) conducts(l *link, rules *graph.Rules) bool {
	return !ev.retracted[l.pair] &&
		!ev.forgotten[l.a] && !ev.forgotten[l.b] &&
		!ev.generic(l.a, rules) && !ev.generic(l.b, rules)
}

// descending sorts nodes from the highest rank to the lowest.
func descending(nodes []graph.NodeKey) {
	slices.SortFunc(nodes, func(x, y graph.NodeKey) int { return y.Compare(x) })
}
