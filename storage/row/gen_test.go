package row

import (
	"cmp"
	"math"
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/graph/signal"
	"pgregory.net/rapid"
)

// Generators of everything that the codecs encode, with the orders that the types ask for.

var edgesUint = []uint64{0, 1, 127, 128, 255, 256, math.MaxUint16, math.MaxUint16 + 1, math.MaxUint32, math.MaxUint32 + 1, math.MaxUint64}

var edgesInt = []int64{0, 127, 128, -1, -32, -33, math.MinInt8, math.MinInt8 - 1, math.MinInt16, math.MinInt16 - 1, math.MinInt32, math.MinInt32 - 1, math.MinInt64, math.MaxInt64}

func genUint(t *rapid.T, label string) uint64 {
	return rapid.OneOf(rapid.Uint64(), rapid.SampledFrom(edgesUint)).Draw(t, label)
}

func genInt(t *rapid.T, label string) int64 {
	return rapid.OneOf(rapid.Int64(), rapid.SampledFrom(edgesInt)).Draw(t, label)
}

func genBytes(t *rapid.T, label string) []byte {
	lengths := rapid.OneOf(rapid.IntRange(-1, 20), rapid.SampledFrom([]int{-1, 0, 127, 128, 129, 255, 256, 300}))
	n := lengths.Draw(t, label+" length")
	if n < 0 {
		return nil
	}
	b := make([]byte, n)
	for i, seed := 0, rapid.Byte().Draw(t, label); i < n; i++ {
		b[i] = seed + byte(i)
	}
	return b
}

func genText(t *rapid.T, label string) string { return string(genBytes(t, label)) }

func genKey(t *rapid.T, label string) graph.NodeKey {
	class := graph.Class(rapid.IntRange(1, 4).Draw(t, label+" class"))
	return graph.MakeNodeKey(class, rapid.Uint64().Draw(t, label+" hi"), rapid.Uint64().Draw(t, label+" lo"))
}

// genKeys are distinct keys in descending rank.
func genKeys(t *rapid.T, label string, least, most int) []graph.NodeKey {
	keys := make([]graph.NodeKey, 0, most)
	for range rapid.IntRange(least, most).Draw(t, label) {
		keys = append(keys, genKey(t, label))
	}
	slices.SortFunc(keys, func(a, b graph.NodeKey) int { return b.Compare(a) })
	return slices.Compact(keys)
}

func genStamp(t *rapid.T) graph.Stamp {
	return graph.Stamp{Time: genInt(t, "time"), Rank: rapid.Uint8().Draw(t, "rank"), Tie: genUint(t, "tie")}
}

func genNamespace(t *rapid.T) string {
	return rapid.OneOf(rapid.SampledFrom([]string{"user_id", "email", "anonymous_id", ""}), rapid.StringN(0, 3, 12)).Draw(t, "namespace")
}

func genName(t *rapid.T) graph.NodeName { return genNameOf(t, genKey(t, "key")) }

func genNameOf(t *rapid.T, key graph.NodeKey) graph.NodeName {
	return graph.NodeName{Key: key, Namespace: genNamespace(t), Value: genText(t, "value")}
}

func genCurrency(t *rapid.T) graph.Currency {
	return rapid.SampledFrom([]graph.Currency{{'E', 'U', 'R'}, {'J', 'P', 'Y'}, {}}).Draw(t, "currency")
}

func genRule(t *rapid.T) graph.NetRule {
	return graph.NetRule(rapid.IntRange(int(graph.NetNone), int(graph.NetItems)).Draw(t, "rule"))
}

func genEvent(t *rapid.T, whole bool) *graph.Event {
	ev := &graph.Event{
		ID: genBytes(t, "id"), Source: genBytes(t, "source"), Seen: genUint(t, "seen"), Stamp: genStamp(t),
		Received: genInt(t, "received"), Type: graph.EventType(rapid.IntRange(1, graph.EventTypes-1).Draw(t, "type")),
		Name: genBytes(t, "name"),
	}
	if whole {
		ev.Properties, ev.Context = genBytes(t, "properties"), genBytes(t, "context")
		ev.Apart = rapid.Bool().Draw(t, "apart")
		if rapid.Bool().Draw(t, "group") {
			ev.Group = genGroupCall(t)
		}
	}
	for _, key := range genKeys(t, "identifiers", 1, 6) {
		ev.Identifiers = append(ev.Identifiers, graph.Identifier{Key: key, Namespace: genNamespace(t), Value: genBytes(t, "value"), Raw: genBytes(t, "raw")})
	}
	if ev.Type == graph.TypeAlias && rapid.Bool().Draw(t, "with roles") {
		for range ev.Identifiers {
			ev.Alias = append(ev.Alias, graph.AliasRole(rapid.IntRange(1, graph.AliasRoles-1).Draw(t, "role")))
		}
		if last := len(ev.Identifiers) - 1; rapid.Bool().Draw(t, "the last first") {
			ev.Identifiers = append([]graph.Identifier{ev.Identifiers[last]}, ev.Identifiers[:last]...)
		}
	}
	if n := len(ev.Identifiers); ev.Type != graph.TypeAlias && n > 1 && rapid.Bool().Draw(t, "mentions the last") {
		ev.Identifiers, ev.Mentions = ev.Identifiers[:n-1:n-1], ev.Identifiers[n-1:]
	}
	for range rapid.IntRange(0, 4).Draw(t, "traits") {
		ev.Traits = append(ev.Traits, graph.Trait{Name: genBytes(t, "trait"), Value: genBytes(t, "trait value")})
	}
	if kind := graph.OrderKind(rapid.IntRange(0, int(graph.OrderRefunded)).Draw(t, "order")); kind != graph.OrderNone {
		ev.Order = graph.OrderChange{
			Kind: kind, Rule: genRule(t), Open: rapid.Bool().Draw(t, "open"), Currency: genCurrency(t), Net: genInt(t, "net"),
			Discount: genInt(t, "discount"), ID: genBytes(t, "order id"), Coupon: genBytes(t, "coupon"), Lines: genLines(t),
		}
		if kind == graph.OrderRefunded {
			ev.Order.Refund = graph.RefundChange{Kind: genRefundKind(t), Amount: genInt(t, "amount"), Key: genUint(t, "key")}
		}
	}
	if rapid.Bool().Draw(t, "offer") {
		ev.Offer = graph.OfferNotice{
			Signal: score.OfferSignal(rapid.IntRange(int(score.OfferSent), int(score.OfferWithdrawn)).Draw(t, "signal")),
			ID:     genBytes(t, "offer id"), Class: genBytes(t, "class"), Until: genInt(t, "until"),
		}
	}
	ev.Interest.Kind = graph.InterestKind(rapid.IntRange(int(graph.InterestNone), int(graph.InterestBought)).Draw(t, "interest"))
	if ev.Interest.Kind != graph.InterestNone {
		for range rapid.IntRange(0, graph.InterestCategoriesMax).Draw(t, "categories") {
			ev.Interest.Categories = append(ev.Interest.Categories, []byte(genText(t, "category")))
		}
	}
	if rapid.Bool().Draw(t, "marked") {
		ev.Marked = rapid.Uint64Min(1).Draw(t, "version of the definitions")
		for range rapid.IntRange(0, 3).Draw(t, "marks") {
			kind, n := genMemory(t)
			ev.Marks = append(ev.Marks, graph.SignalMark{Number: rapid.Uint32().Draw(t, "signal"), Kind: kind, N: uint16(n), Value: genBytes(t, "value")})
		}
	}
	return ev
}

func genMemory(t *rapid.T) (signal.Kind, int) {
	kind := signal.Kind(rapid.IntRange(int(signal.Newest), int(signal.Recent)).Draw(t, "kind of signal"))
	if kind.Holds(0) {
		return kind, 0
	}
	return kind, rapid.IntRange(1, signal.MomentsMax).Draw(t, "kept")
}

// genSignals are states of signals, by number.
func genSignals(t *rapid.T, least int) (states []graph.SignalState) {
	numbers := rapid.SliceOfNDistinct(rapid.Uint32(), least, 3, rapid.ID).Draw(t, "signals")
	slices.Sort(numbers)
	for _, number := range numbers {
		kind, n := genMemory(t)
		s := graph.SignalState{Number: number, State: signal.State{Kind: kind, N: n}}
		for range rapid.IntRange(0, 4).Draw(t, "events of the signal") {
			at := signal.Moment{Time: genInt(t, "time"), Tie: genUint(t, "tie")}
			s.Fold(at, signal.Scalar{Kind: signal.Text, Text: genBytes(t, "value")}, rapid.Bool().Draw(t, "has"))
		}
		states = append(states, s)
	}
	return states
}

func genGroupCall(t *rapid.T) *graph.GroupCall {
	g := &graph.GroupCall{Key: graph.MakeNodeKey(0, rapid.Uint64().Draw(t, "group hi"), rapid.Uint64Min(1).Draw(t, "group lo"))}
	g.ID = append(g.ID, "g"+genText(t, "group id")...)
	if rapid.Bool().Draw(t, "group type") {
		g.Type = []byte("company")
	}
	for range rapid.IntRange(0, 4).Draw(t, "group traits") {
		g.Traits = append(g.Traits, graph.Trait{Name: genBytes(t, "trait"), Value: genBytes(t, "trait value")})
	}
	return g
}

// genDealings fills a fragment's offers, interests and visits.
func genDealings(t *rapid.T, f *graph.Fragment) {
	var offers []score.OfferEvidence
	for _, id := range genNames(t, "offers", 4) {
		offers = append(offers, score.OfferEvidence{
			ID: id, Class: genText(t, "class"), ClassAt: genInt(t, "class at"), Sent: genInt(t, "sent"), Viewed: genInt(t, "viewed"), Until: genInt(t, "until"),
			Redeemed: genInt(t, "redeemed"), Tried: genInt(t, "tried"), TriedAt: genInt(t, "tried at"), Removed: genInt(t, "removed"),
		})
	}
	if offers != nil {
		book := score.NewOfferBook(offers)
		f.Offers = &book
	}
	var cells []score.InterestCell
	for _, category := range genNames(t, "categories", 4) {
		for range rapid.IntRange(1, 3).Draw(t, "cells") {
			cells = append(cells, score.InterestCell{
				Category: category, Period: rapid.Int32().Draw(t, "period"), Count: rapid.Uint32Min(1).Draw(t, "count"),
			})
		}
	}
	if cells != nil {
		counts := score.NewInterestCounts(cells)
		f.Interests = &counts
	}
	var periods []score.VisitPeriod
	for range rapid.IntRange(0, 3).Draw(t, "periods") {
		periods = append(periods, score.VisitPeriod{
			Period: rapid.Int32().Draw(t, "period"), Came: rapid.Uint32Range(1, score.VisitDayBits).Draw(t, "came"),
			Ordered: rapid.Uint32Range(0, score.VisitDayBits).Draw(t, "ordered"),
		})
	}
	if periods != nil {
		f.Visits = score.NewVisitDays(periods)
	}
}

// genNames are distinct, in ascending order.
func genNames(t *rapid.T, label string, most int) []string {
	var names []string
	for range rapid.IntRange(0, most).Draw(t, label) {
		names = append(names, genText(t, label))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func genFragment(t *rapid.T) *graph.Fragment {
	if rapid.IntRange(0, 2).Draw(t, "fragment") == 0 {
		return nil
	}
	f := &graph.Fragment{Events: genUint(t, "events"), First: genInt(t, "first"), Last: genInt(t, "last")}
	for i := range f.Counts[1:] {
		f.Counts[1+i] = genUint(t, "count")
	}
	for _, name := range genNames(t, "traits", 3) {
		f.Traits = append(f.Traits, graph.Register{Name: name, Value: genBytes(t, "trait value"), Stamp: genStamp(t)})
	}
	for _, id := range genNames(t, "orders", 3) {
		order := graph.NewOrderEvidence(id)
		if rapid.Bool().Draw(t, "completed") {
			order.Completed = genInt(t, "completed at")
			order.Totals = graph.OrderTotals{
				Stamp: genStamp(t), Net: genInt(t, "net"), Discount: genInt(t, "discount"),
				Currency: genCurrency(t), Rule: genRule(t), Open: rapid.Bool().Draw(t, "open"), Coupon: genText(t, "coupon"),
			}
			order.Named = namedByTotals(&order.Totals)
		}
		if rapid.Bool().Draw(t, "updated") {
			order.Updated = genInt(t, "updated at")
		}
		if rapid.Bool().Draw(t, "named") {
			order.Named = graph.NamedCurrency{At: genInt(t, "named at"), Currency: genCurrency(t)}
		}
		if lines := genLines(t); lines != nil {
			order.Lines = &graph.OrderLines{Stamp: order.Totals.Stamp, Lines: lines}
			if rapid.Bool().Draw(t, "lines of another event") {
				order.Lines.Stamp = genStamp(t)
			}
		}
		order.Cancelled, order.LeftOut = rapid.Bool().Draw(t, "cancelled"), rapid.Bool().Draw(t, "left out")
		order.Refunds = genRefunds(t)
		f.Orders = append(f.Orders, order)
	}
	genDealings(t, f)
	if signals := genSignals(t, 0); len(signals) > 0 {
		f.Sections = &graph.Sections{Signals: signals}
	}
	return f
}

func genRefundKind(t *rapid.T) graph.RefundKind {
	return graph.RefundKind(rapid.IntRange(int(graph.RefundAmount), int(graph.RefundThousandths)).Draw(t, "kind of refund"))
}

func genLines(t *rapid.T) (lines []graph.OrderLine) {
	hash := func(what string) uint32 { return rapid.Uint32().Draw(t, what) }
	for range rapid.IntRange(0, 3).Draw(t, "lines") {
		lines = append(lines, graph.OrderLine{
			Product: hash("product"), SKU: hash("sku"), Variant: hash("variant"), Price: genInt(t, "price"), Quantity: genInt(t, "quantity"),
		})
	}
	return lines
}

// genRefunds are in ascending order of distinct keys.
func genRefunds(t *rapid.T) (refunds []graph.Refund) {
	keys := rapid.SliceOfNDistinct(rapid.Uint64(), 0, 3, rapid.ID).Draw(t, "refunds")
	slices.Sort(keys)
	for _, key := range keys {
		r := graph.Refund{
			Key: key, Stamp: genStamp(t), Kind: genRefundKind(t), Open: rapid.Bool().Draw(t, "open"), Amount: genInt(t, "amount"), Lines: genLines(t),
		}
		if rapid.Bool().Draw(t, "with a currency") {
			r.Currency = genCurrency(t)
		}
		refunds = append(refunds, r)
	}
	return refunds
}

func genMark(t *rapid.T) graph.Mark {
	return graph.Mark{Stamp: genStamp(t), ID: genBytes(t, "mark id"), Source: genBytes(t, "mark source")}
}

func genLinks(t *rapid.T, members []graph.Member) []graph.Link {
	var links []graph.Link
	for a := range members {
		for b := a + 1; b < len(members); b++ {
			key := graph.LinkKey{A: members[a].Key, B: members[b].Key}
			switch rapid.IntRange(0, 3).Draw(t, "link") {
			case 1: // told of by a neighbour message
				links = append(links, graph.Link{LinkKey: key})
			case 2: // of one event
				m := genMark(t)
				links = append(links, graph.Link{LinkKey: key, Verb: graph.VerbObserve, Count: 1, First: m, Last: cloneMark(m)})
			case 3:
				links = append(links, graph.Link{
					LinkKey: key, Verb: graph.VerbAlias, Count: genUint(t, "count"),
					Reading: rapid.Bool().Draw(t, "reading"), Likely: rapid.Bool().Draw(t, "likely"), First: genMark(t), Last: genMark(t),
				})
			}
		}
	}
	return links
}

func cloneMark(m graph.Mark) graph.Mark {
	return graph.Mark{Stamp: m.Stamp, ID: slices.Clone(m.ID), Source: slices.Clone(m.Source)}
}

func genAssertion(t *rapid.T) *graph.Assertion {
	keys := []graph.NodeKey{genKey(t, "a"), genKey(t, "b")}
	slices.SortFunc(keys, func(a, b graph.NodeKey) int { return b.Compare(a) })
	if keys[0] == keys[1] {
		keys[1].Lo ^= 1
		slices.SortFunc(keys, func(a, b graph.NodeKey) int { return b.Compare(a) })
	}
	a := &graph.Assertion{
		Verb:      graph.AssertionVerb(rapid.IntRange(1, int(graph.AssertForget)).Draw(t, "assertion")),
		Withdrawn: rapid.Bool().Draw(t, "withdrawn"), A: genNameOf(t, keys[0]), At: genInt(t, "at"), ID: genText(t, "assertion id"),
		By: genText(t, "by"), Note: genText(t, "note"),
	}
	if a.Verb != graph.AssertForget {
		a.B = genNameOf(t, keys[1])
	}
	return a
}

func genEvidence(t *rapid.T) *graph.Evidence {
	ev := &graph.Evidence{}
	for _, key := range genKeys(t, "members", 0, 5) {
		ev.Members = append(ev.Members, graph.Member{
			NodeName: genNameOf(t, key), Raw: genText(t, "raw"), RawStamp: genStamp(t), Fragment: genFragment(t),
			Hosted: rapid.Bool().Draw(t, "hosted"), Generic: rapid.Bool().Draw(t, "generic"), Refused: rapid.Bool().Draw(t, "refused"),
		})
	}
	ev.Links = genLinks(t, ev.Members)
	for range rapid.IntRange(0, 3).Draw(t, "assertions") {
		ev.Assertions = append(ev.Assertions, *genAssertion(t))
	}
	order := func(a, b graph.Assertion) int {
		return cmp.Or(cmp.Compare(a.Verb, b.Verb), a.A.Key.Compare(b.A.Key), a.B.Key.Compare(b.B.Key))
	}
	slices.SortFunc(ev.Assertions, order)
	ev.Assertions = slices.CompactFunc(ev.Assertions, func(a, b graph.Assertion) bool { return order(a, b) == 0 })
	return ev
}

// genAbsorbed is evidence that travels: all of a component or a part, which names its identities.
func genAbsorbed(t *rapid.T) *graph.Evidence {
	ev := genEvidence(t)
	ev.Part = len(ev.Members) == 0 || rapid.Bool().Draw(t, "part") // a component has a member
	if len(ev.Members) > 2 && rapid.Bool().Draw(t, "cut") {
		ev.Members = ev.Members[1:] // links may come ahead of their members
	}
	if ev.Part {
		for _, m := range ev.Members {
			if rapid.Bool().Draw(t, "head") {
				ev.Heads = append(ev.Heads, m.Key)
			}
		}
	}
	for _, m := range ev.Members {
		if rapid.Bool().Draw(t, "told") {
			numbers := rapid.SliceOfNDistinct(rapid.Uint32(), 1, 4, rapid.ID[uint32]).Draw(t, "audiences")
			slices.Sort(numbers)
			ev.Told = append(ev.Told, graph.ToldPerson{ID: m.Key, Audiences: numbers})
		}
	}
	return ev
}

func genMessage(t *rapid.T) *graph.Message {
	m := &graph.Message{Kind: graph.MessageKind(rapid.IntRange(1, int(graph.KindNeighbour)).Draw(t, "kind")), To: genKey(t, "to")}
	via := func() graph.NodeKey {
		if rapid.Bool().Draw(t, "has via") {
			return genKey(t, "via")
		}
		return graph.NodeKey{}
	}
	switch m.Kind {
	case graph.KindObserve:
		m.Via, m.Hops, m.Passed, m.Event = via(), rapid.Uint8().Draw(t, "hops"), genUint(t, "passed"), genEvent(t, false)
	case graph.KindAssert:
		m.Assertion = genAssertion(t)
	case graph.KindJoin:
		m.Root, m.Via, m.Force = genKey(t, "root"), via(), rapid.Bool().Draw(t, "force")
	case graph.KindAbsorb:
		m.Evidence = genAbsorbed(t)
	case graph.KindRepoint:
		m.Root, m.Passed = genKey(t, "root"), genUint(t, "passed")
	case graph.KindRefuse:
		m.Via, m.Root = genKey(t, "via"), genKey(t, "root")
		m.Reason = rapid.SampledFrom([]graph.Refusal{graph.RefusedGeneric, graph.RefusedFull}).Draw(t, "reason")
	case graph.KindNeighbour:
		m.Node, m.Neighbour = genName(t), genName(t)
	}
	return m
}

func genNode(t *rapid.T) *graph.Node {
	n := &graph.Node{Key: genKey(t, "node")}
	if rapid.Bool().Draw(t, "forward") {
		n.Parent = genKey(t, "parent")
		if !n.Parent.Outranks(n.Key) {
			n.Parent, n.Key = graph.NodeKey{Hi: n.Key.Hi | 1<<62, Lo: n.Key.Lo}, graph.NodeKey{Hi: n.Parent.Hi &^ (1 << 62), Lo: max(n.Parent.Lo, 1)}
		}
		return n
	}
	n.Component = graph.RestoreComponent(n.Key, genEvidence(t))
	return n
}

func genShard(t *rapid.T) uint16 { return rapid.Uint16().Draw(t, "shard") }

func genBody(t *rapid.T) []byte { return append([]byte{}, genBytes(t, "body")...) }

func genRecord(t *rapid.T) Record {
	r := Record{Seq: genUint(t, "seq"), Now: genInt(t, "now")}
	for range rapid.IntRange(0, 4).Draw(t, "inputs") {
		r.Inputs = append(r.Inputs, Input{genShard(t), genUint(t, "seq"), genBody(t)})
	}
	for range rapid.IntRange(0, 4).Draw(t, "outputs") {
		r.Outputs = append(r.Outputs, Output{genShard(t), genUint(t, "seq"), genBody(t)})
	}
	for range rapid.IntRange(0, 4).Draw(t, "acks") {
		r.Acks = append(r.Acks, Ack{genShard(t), genUint(t, "seq")})
	}
	return r
}

func genMeta(t *rapid.T) ShardMeta {
	m := ShardMeta{
		Applied: genUint(t, "applied"), Low: genUint(t, "low"),
	}
	shards := func() []uint16 {
		s := rapid.SliceOfNDistinct(rapid.Uint16(), 0, 20, rapid.ID).Draw(t, "shards")
		slices.Sort(s)
		return s
	}
	for _, s := range shards() {
		m.Positions = append(m.Positions, Position{s, genUint(t, "position")})
	}
	for _, s := range shards() {
		m.Sent = append(m.Sent, Ack{s, genUint(t, "sent")})
	}
	return m
}

func genNumber(t *rapid.T, label string) int64 {
	return rapid.OneOf(rapid.Int64Range(NoNumber, math.MaxInt64-1), rapid.SampledFrom([]int64{NoNumber, 0, 127, math.MaxInt64 - 1})).Draw(t, label)
}

func genChannel(t *rapid.T) Channel {
	return Channel{Name: genText(t, "name"), Floor: genNumber(t, "floor")}
}

func genPositions(t *rapid.T) ChannelPositions {
	p := ChannelPositions{Applied: genUint(t, "applied")}
	ids := rapid.SliceOfNDistinct(rapid.Uint16Min(1), 0, 20, rapid.ID).Draw(t, "channels")
	slices.Sort(ids)
	for _, id := range ids {
		p.Positions = append(p.Positions, ChannelPosition{ChannelID(id), genNumber(t, "number")})
	}
	return p
}

func genQuarantined(t *rapid.T) Quarantined {
	return Quarantined{Reason: genText(t, "reason"), At: genInt(t, "at"), Input: Input{genShard(t), genUint(t, "seq"), genBody(t)}}
}
