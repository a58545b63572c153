package oracle

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"pgregory.net/rapid"
)

// World is one history of a small and quarrelsome company: all evidence, in random order and with repetitions, and the rules.
type World struct {
	Events     []graph.Event
	Assertions []graph.Assertion
	Rules      *graph.Rules
}

// RandomWorld makes a world from a seeded source.
func RandomWorld(rng *rand.Rand) World {
	w := makeWorld(func(n int, _ string) int { return rng.IntN(n) })
	var seed uint64
	for i := range w.Events {
		seed += w.Events[i].Seen
	}
	mentions := rand.New(rand.NewPCG(seed, 0)) // so that what else there is to a seed does not depend on them
	w.mention(func(n int, _ string) int { return mentions.IntN(n) })
	groups := rand.New(rand.NewPCG(seed, 1))
	w.group(func(n int, _ string) int { return groups.IntN(n) })
	return w
}

// DrawWorld makes a world that rapid can shrink: towards fewer events, fewer identifiers, default
// types and earlier times.
func DrawWorld(t *rapid.T) World {
	choose := func(n int, what string) int { return rapid.IntRange(0, n-1).Draw(t, what) }
	w := makeWorld(choose)
	w.mention(choose)
	w.group(choose)
	return w
}

// A chooser picks a number in [0, n); what names its purpose. 0 is always the plainest choice.
type chooser func(n int, what string) int

// oneIn returns true once in n times; false is the plain choice.
func (choose chooser) oneIn(n int, what string) bool { return choose(n, what) == n-1 }

// Worlds span few seconds, so that equal times are common.
const (
	worldStart = 1_767_225_600_000 // 2026-01-01, ms since 1970 UTC
	worldTick  = 1_000             // ms
	worldTicks = 24
)

// cast lists the identifiers of worlds: few, so that they are shared, and of every class. Every world has the first ones; the
// third is the one that all people share.
var cast = []graph.NodeName{
	Name("user_id", "u1"), Name("anonymous_id", "a1"), Name("email", "e1"),
	Name("user_id", "u2"), Name("anonymous_id", "a2"), Name("email", "e2"),
	Name("device_id", "d1"), Name("anonymous_id", "a3"), Name("user_id", "u3"),
	Name("phone", "p1"), Name("anonymous_id", "a4"), Name("email", "e3"),
	Name("loyalty_card", "l1"), Name("user_id", "u4"), Name("device_id", "d2"),
	Name("anonymous_id", "a5"), Name("loyalty_card", "l2"),
}

// makeWorld makes rules and events, repeats some events at random places, and adds assertions. Each choice is a call
// of choose and nothing else is random, so rapid can shrink a world and a seed can repeat it.
func makeWorld(choose chooser) World {
	w := World{Rules: makeRules(choose)}
	members := cast[:3+choose(len(cast)-2, "identifiers")]
	events := 1 + choose(12, "events")
	if choose.oneIn(2, "a busy world") {
		events += 12
	}
	for i := range events {
		e := makeEvent(choose, members, i)
		if i > 0 && choose.oneIn(4, "identifiers met before") {
			if met := w.Events[choose(i, "in which event")]; len(met.Alias)+len(e.Alias) == 0 {
				e.Identifiers = met.Identifiers
			}
		}
		if i > 0 && choose.oneIn(4, "a message id met before") {
			e.ID = w.Events[choose(i, "of which event")].ID
		}
		seal(&e)
		w.Events = append(w.Events, e)
	}
	for range choose(4, "repeated events") {
		again := w.Events[choose(len(w.Events), "which event again")]
		switch choose(4, "what is new in a retry") {
		case 1: // when it was received
			again.Received += worldTick
		case 2: // the way in
			again.Source = []byte("gate")
		case 3: // who it is: another event
			n := members[choose(len(members), "identifier of a retry")]
			if len(again.Alias) == 0 && !slices.ContainsFunc(again.Identifiers, func(id graph.Identifier) bool { return id.Key == n.Key }) {
				again.Identifiers = append(slices.Clone(again.Identifiers), graph.Identifier{Key: n.Key, Namespace: n.Namespace, Value: []byte(n.Value)})
				slices.SortFunc(again.Identifiers, func(x, y graph.Identifier) int { return y.Key.Compare(x.Key) })
				seal(&again)
			}
		}
		at := choose(len(w.Events)+1, "where again")
		w.Events = slices.Insert(w.Events, at, again)
	}
	if choose.oneIn(2, "assertions at all") {
		w.Assertions = makeAssertions(choose, members, w.Events)
	}
	return w
}

// mention lets some events of some worlds mention the last of their identifiers, which they carried so far. A retry does
// as its event does.
func (w *World) mention(choose chooser) {
	if !choose.oneIn(3, "mentions at all") {
		return
	}
	decided := map[uint64]bool{}
	for i := range w.Events {
		e := &w.Events[i]
		last := len(e.Identifiers) - 1
		if e.Type == graph.TypeAlias || last < 1 {
			continue
		}
		mentions, known := decided[e.Seen]
		if !known {
			mentions = choose.oneIn(2, "a mention")
			decided[e.Seen] = mentions
		}
		if mentions {
			e.Identifiers, e.Mentions = e.Identifiers[:last:last], slices.Clone(e.Identifiers[last:])
			seal(e)
		}
	}
}

// makeRules makes rules with thresholds up to 4, limits up to 3 and caps up to 6, so that a dozen identifiers reach
// all of them. MaxMembers and MaxLinks stay out of reach: a component at its cap depends on order, which R4 excludes.
func makeRules(choose chooser) *graph.Rules {
	r := &graph.Rules{
		Name:       "world",
		Precedence: graph.Precedence(choose(2, "precedence")),
		MaxMembers: 1000, MaxLinks: 10000,
	}
	if choose.oneIn(5, "a cap of identifiers of one person") {
		r.MaxIdentity = 3 + choose(4, "cap of identifiers")
	}
	customers := [...]int{0, 1, 2}
	neighbours := [...]int{0, 2, 4}
	r.Alias = graph.AliasRule(choose(2, "alias rule"))
	r.GenericCustomers = customers[choose(len(customers), "generic customers")]
	r.GenericNeighbours = neighbours[choose(len(neighbours), "generic neighbours")]
	for _, namespace := range []string{"user_id", "loyalty_card", "email", "anonymous_id", "device_id"} {
		if limit := choose(4, "limit of "+namespace); limit < 3 && (r.MaxIdentity == 0 || limit < r.MaxIdentity) {
			l := graph.Limit{Namespace: namespace, Max: 1 + limit}
			if namespace != "user_id" && choose.oneIn(2, "with a window") {
				l.Within = time.Duration(1+choose(worldTicks/2, "window")) * worldTick * time.Millisecond
			}
			r.Limits = append(r.Limits, l)
		}
	}
	// The version stands for the content, as in real rules: unequal rules get unequal versions.
	r.Version, _ = hash("rules", fmt.Sprint(*r))
	return r
}

// pick takes count different members besides those given, and gives all in descending rank.
func pick(choose chooser, members []graph.NodeName, count int, what string, given ...graph.NodeName) []graph.NodeName {
	picked := slices.Clone(given)
	for len(picked) < len(given)+count {
		// If the choice is taken, use the next free one.
		i := choose(len(members), what)
		for slices.Contains(picked, members[i]) {
			i = (i + 1) % len(members)
		}
		picked = append(picked, members[i])
	}
	slices.SortFunc(picked, func(x, y graph.NodeName) int { return y.Key.Compare(x.Key) })
	return picked
}

// Sources of worlds: the rank of a source is its place.
var sources = []string{"web", "app", "till"}

var worldTypes = []graph.EventType{
	graph.TypeTrack, graph.TypeIdentify, graph.TypePage, graph.TypeTrack,
	graph.TypeAlias, graph.TypeTrack, graph.TypeScreen, graph.TypeGroup,
}

// makeEvent makes an event with one to four identifiers, or more if it is an alias. The caller seals it again, after
// it replaced identifiers or the id.
func makeEvent(choose chooser, members []graph.NodeName, number int) graph.Event {
	counts := [...]int{1, 2, 2, 2, 3, 3, 1, 4}
	count := min(counts[choose(len(counts), "identifiers of the event")], len(members))
	var ids []graph.Identifier
	var given []graph.NodeName
	if choose.oneIn(3, "what everybody shares") {
		given = append(given, members[2])
		count--
	}
	for _, n := range pick(choose, members, count, "identifier", given...) {
		if n.Namespace == "email" && choose.oneIn(3, "as a hash") {
			n = Name("email_sha256", hashed(n.Value))
		}
		ids = append(ids, graph.Identifier{Key: n.Key, Namespace: n.Namespace, Value: []byte(n.Value)})
	}
	if choose.oneIn(12, "of what a previousId may mean") {
		namespaces := [...]string{"user_id", "anonymous_id"}
		values := [...]string{"x1", "x2", "a1", "u2"}
		n := Name(namespaces[choose(len(namespaces), "reading")], values[choose(len(values), "previousId of its own")])
		ids = []graph.Identifier{identifierOf(n)}
	}
	rank := choose(len(sources), "source")
	e := newEvent(sources[rank], fmt.Sprintf("m%d", number), tick(choose, "event time")+laterDays(choose), uint8(rank))
	e.Type = worldTypes[choose(len(worldTypes), "type")]
	e.Identifiers = ids
	if e.Type == graph.TypeAlias {
		makeAlias(choose, &e, members)
	}
	if e.Type == graph.TypeTrack && choose.oneIn(2, "about an order") {
		e.Order = makeOrder(choose)
		e.Name = []byte(orderEvents[e.Order.Kind])
	}
	if e.Type == graph.TypeTrack && e.Order.Kind == graph.OrderNone && choose.oneIn(2, "about an offer") {
		e.Offer = makeOffer(choose)
	}
	if e.Type == graph.TypeTrack && choose.oneIn(2, "about products") {
		e.Interest = makeInterest(choose)
	}
	for range choose(3, "traits") {
		e.Traits = append(e.Traits, makeTrait(choose))
	}
	return e
}

// makeAlias makes an event an alias, mostly from a value that other events may have seen as a cookie, as a user id or as both.
// Sometimes it has the form of a former format, which does not record the kind of previousId.
func makeAlias(choose chooser, e *graph.Event, members []graph.NodeName) {
	if choose.oneIn(5, "of a former format") {
		for range e.Identifiers {
			e.Alias = append(e.Alias, graph.AliasCarried|graph.AliasPrevious)
		}
		return
	}
	users := slices.DeleteFunc(slices.Clone(members), func(n graph.NodeName) bool { return n.Namespace != "user_id" })
	user := users[choose(len(users), "userId")]
	if !slices.ContainsFunc(e.Identifiers, func(id graph.Identifier) bool { return id.Key == user.Key }) {
		e.Identifiers = append(slices.Clone(e.Identifiers[1:]), identifierOf(user))
	}
	previous := [...]string{"a1", "u2", "u1", "x1", "a2", "u3", "x2"}
	forms := [...]string{"", "user_id", "anonymous_id"}
	value := previous[choose(len(previous), "previousId")]
	alias(e, user, value, forms[choose(len(forms), "form of previousId")])
}

// newEvent is an event without identifiers, of a track call.
func newEvent(source, id string, at int64, rank uint8) graph.Event {
	e := graph.Event{
		ID: []byte(id), Source: []byte(source),
		Stamp:    graph.Stamp{Time: at, Rank: rank},
		Received: at,
		Type:     graph.TypeTrack,
	}
	seal(&e)
	return e
}

func tick(choose chooser, what string) int64 {
	return worldStart + worldTick*int64(choose(worldTicks, what))
}

// makeTrait makes one of two traits; the value nil deletes it.
func makeTrait(choose chooser) graph.Trait {
	names := [...]string{"city", "plan"}
	values := [...][]byte{[]byte(`"Bonn"`), []byte(`"Ulm"`), []byte(`{"n":1}`), nil}
	return graph.Trait{
		Name:  []byte(names[choose(len(names), "trait")]),
		Value: values[choose(len(values), "trait value")],
	}
}

// laterDays moves an event by days. Mostly it does not, since rules and registers are sensitive to close times. The others are
// in the same period of 30 days, in a later one, and so far ahead that the first ones are too old to be counted separately.
func laterDays(choose chooser) int64 {
	days := [...]int64{0, 0, 0, 0, 0, 0, 1, 40, 1900}
	return dayMillis * days[choose(len(days), "days later")]
}

// makeOffer makes a signal of one of three offers, so that signals of one offer meet and their classes contradict.
func makeOffer(choose chooser) graph.OfferNotice {
	classes := [...]string{"", "welcome", "winback"}
	o := graph.OfferNotice{
		Signal: score.OfferSent + score.OfferSignal(choose(int(score.OfferWithdrawn), "offer signal")),
		ID:     fmt.Appendf(nil, "f%d", choose(3, "offer")),
	}
	if class := classes[choose(len(classes), "offer class")]; class != "" {
		o.Class = []byte(class)
	}
	if choose.oneIn(3, "with a deadline") {
		o.Until = tick(choose, "deadline")
	}
	return o
}

// makeInterest makes an interest in up to two of four categories.
func makeInterest(choose chooser) graph.Interest {
	i := graph.Interest{Kind: graph.InterestViewed + graph.InterestKind(choose(int(graph.InterestBought), "kind of interest"))}
	first := choose(4, "category")
	for c := range choose(3, "categories") {
		i.Categories = append(i.Categories, fmt.Appendf(nil, "c%d", (first+c)%4))
	}
	return i
}

var orderEvents = map[graph.OrderKind]string{
	graph.OrderCompleted: "Order Completed",
	graph.OrderUpdated:   "Order Updated",
	graph.OrderCancelled: "Order Cancelled",
	graph.OrderRefunded:  "Order Refunded",
}

// makeOrder makes a change of one of two orders. Amounts are small multiples of one unit, so that refunds can add up
// to the net and beyond it. Each order has a usual currency; a refund in a rare other one is refused.
func makeOrder(choose chooser) graph.OrderChange {
	kinds := [...]graph.OrderKind{
		graph.OrderCompleted, graph.OrderCompleted, graph.OrderRefunded, graph.OrderRefunded, graph.OrderUpdated, graph.OrderRefunded, graph.OrderCancelled,
	}
	number := choose(2, "order")
	o := graph.OrderChange{Kind: kinds[choose(len(kinds), "order kind")], ID: fmt.Appendf(nil, "o%d", number)}
	usual := [...]graph.Currency{{'E', 'U', 'R'}, {'J', 'P', 'Y'}}[number]
	currencies := [...]graph.Currency{usual, usual, usual, usual, {'U', 'S', 'D'}, {'K', 'W', 'D'}}
	unit := int64(1)
	if o.Kind != graph.OrderCancelled {
		o.Currency = currencies[choose(len(currencies), "currency")]
		if o.Open = choose.oneIn(4, "without a currency"); o.Open {
			o.Currency, unit = graph.Currency{'U', 'S', 'D'}, 1003 // 0.01003 of the unit: something to round
		}
	}
	switch o.Kind {
	case graph.OrderCompleted, graph.OrderUpdated:
		if choose.oneIn(8, "without money") {
			return o
		}
		o.Rule = graph.NetRevenue + graph.NetRule(choose(5, "net rule"))
		o.Net = unit * 500 * int64(choose(6, "net"))
		o.Discount = unit * 100 * int64(choose(3, "discount"))
		if choose.oneIn(4, "with a coupon") {
			o.Coupon = []byte("SPRING")
		}
		if choose.oneIn(3, "with lines") {
			for range 1 + choose(3, "lines") {
				l := makeLine(choose)
				l.Price = 133_335 * int64(1+choose(3, "price"))
				o.Lines = append(o.Lines, l)
			}
		}
	case graph.OrderRefunded:
		if o.Open {
			o.Currency = graph.Currency{}
		} else if choose.oneIn(8, "of before there were several") {
			o.Currency = graph.Currency{}
		}
		kinds := [...]graph.RefundKind{
			graph.RefundAmount, graph.RefundAmount, graph.RefundAmount, graph.RefundAmount, graph.RefundAmount, graph.RefundFull, graph.RefundUnknown, graph.RefundThousandths,
		}
		o.Refund.Kind = kinds[choose(len(kinds), "kind of refund")]
		o.Refund.Key = uint64(choose(4, "refund id"))
		if o.Refund.Kind == graph.RefundAmount || o.Refund.Kind == graph.RefundThousandths {
			o.Refund.Amount = unit * 35 * int64(choose(8, "refund"))
		}
		if o.Refund.Kind == graph.RefundAmount && choose.oneIn(2, "refund of lines") {
			o.Lines = append(o.Lines, makeLine(choose))
		}
	}
	return o
}

// makeLine makes a line with small product and stock numbers, of which 0 is no number. Quantities are in thousandths:
// half a piece to two pieces.
func makeLine(choose chooser) graph.OrderLine {
	l := graph.OrderLine{Product: uint32(choose(3, "product")), SKU: uint32(choose(3, "sku")), Quantity: 500 * int64(1+choose(4, "quantity"))}
	if choose.oneIn(4, "with a variant") {
		l.Variant = 1 + uint32(choose(2, "variant"))
	}
	return l
}

// makeAssertions makes assertions about few pairs, so that a pair is often asserted, withdrawn and asserted again.
func makeAssertions(choose chooser, members []graph.NodeName, events []graph.Event) []graph.Assertion {
	about := make([][]graph.NodeName, 1+choose(3, "asserted pairs"))
	for i := range about {
		about[i] = makeSubject(choose, members, events)
	}
	verbs := [...]graph.AssertionVerb{
		graph.AssertForce, graph.AssertCannot, graph.AssertRetract, graph.AssertForce, graph.AssertCannot, graph.AssertForget,
	}
	var all []graph.Assertion
	for i := range 1 + choose(5, "assertions") {
		names := about[choose(len(about), "asserted pair")]
		a := graph.Assertion{
			Verb: verbs[choose(len(verbs), "assertion")],
			A:    names[0], B: names[1],
			At:        tick(choose, "assertion time"),
			ID:        fmt.Sprintf("x%d", i),
			By:        "operator",
			Withdrawn: choose.oneIn(3, "withdrawn"),
		}
		if a.Verb == graph.AssertForget {
			a.A, a.B = names[choose(2, "which is forgotten")], graph.NodeName{}
		}
		all = append(all, a)
	}
	if choose.oneIn(4, "repeated assertion") {
		all = append(all, all[choose(len(all), "which assertion again")])
	}
	return all
}

// makeSubject picks the pair of an assertion: any two members, or the ends of a link that was seen, or two identifiers of one
// namespace, which may never have been seen.
func makeSubject(choose chooser, members []graph.NodeName, events []graph.Event) []graph.NodeName {
	switch choose(3, "kind of asserted pair") {
	case 1:
		if ids := events[choose(len(events), "event with the pair")].Identifiers; len(ids) > 1 {
			a, b := nodeName(ids[0]), nodeName(ids[1+choose(len(ids)-1, "end of the link")])
			if b.Key.Outranks(a.Key) {
				a, b = b, a
			}
			return []graph.NodeName{a, b}
		}
	case 2:
		namespace := members[0].Namespace
		members = slices.DeleteFunc(slices.Clone(cast), func(n graph.NodeName) bool { return n.Namespace != namespace })
	}
	return pick(choose, members, 2, "asserted")
}

func nodeName(id graph.Identifier) graph.NodeName {
	return graph.NodeName{Key: id.Key, Namespace: id.Namespace, Value: string(id.Value)}
}

// Sighting returns an event that carries only identifiers.
func Sighting(id string, at int64, names ...graph.NodeName) graph.Event {
	e := newEvent("web", id, worldStart+at, 0)
	for _, n := range pick(nil, nil, 0, "", names...) {
		e.Identifiers = append(e.Identifiers, graph.Identifier{Key: n.Key, Namespace: n.Namespace, Value: []byte(n.Value)})
	}
	return e
}
