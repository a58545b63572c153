package row

import (
	"bytes"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/graph/signal"
)

// Samples of everything that the codecs encode: for golden files, as seeds, and for measuring.

var (
	sampleUser   = graph.MakeNodeKey(graph.ClassCustomer, 0x0102030405060708, 0x1112131415161718)
	sampleEmail  = graph.MakeNodeKey(graph.ClassContact, 0x2122232425262728, 0x3132333435363738)
	sampleDevice = graph.MakeNodeKey(graph.ClassDevice, 0x4142434445464748, 0x5152535455565758)
	sampleCookie = graph.MakeNodeKey(graph.ClassCookie, 0x6162636465666768, 0x7172737475767778)
	sampleAcme   = graph.MakeNodeKey(0, 0x8182838485868788, 0x9192939495969798)
)

func sampleStamp(n int64) graph.Stamp {
	return graph.Stamp{Time: 1_700_000_000_000 + n, Rank: 3, Tie: 0x9e3779b97f4a7c15 * uint64(1+n)}
}

func sampleEvent() *graph.Event {
	properties := append([]byte(`{"order_id":"o-1","revenue":25,"note":"`), bytes.Repeat([]byte("x"), 160)...)
	return &graph.Event{
		ID: []byte("node-next-1700000000000-4fe9b8a2"), Source: []byte("shop"), Seen: 0xfedcba9876543210, Stamp: sampleStamp(0),
		Received: 1_700_000_000_250, Type: graph.TypeTrack, Name: []byte("Order Completed"),
		Identifiers: []graph.Identifier{
			{Key: sampleUser, Namespace: "user_id", Value: []byte("u-1042")},
			{Key: sampleEmail, Namespace: "email", Value: []byte("ann@example.com"), Raw: []byte("Ann@Example.com")},
			{Key: sampleDevice, Namespace: "device_id", Value: []byte("0f8fad5b-d9cb-469f-a165-70867728950e")},
			{Key: sampleCookie, Namespace: "anonymous_id", Value: []byte("7c9e6679-7425-40de-944b-e07fc1f90ae7")},
		},
		Traits: []graph.Trait{
			{Name: []byte("firstName"), Value: []byte(`"Ann"`)},
			{Name: []byte("city"), Value: []byte(`"Ghent"`)},
			{Name: []byte("title")}, // deleted
		},
		Order: graph.OrderChange{
			Kind: graph.OrderCompleted, Rule: graph.NetRevenue, Currency: graph.Currency{'E', 'U', 'R'}, Net: 2500, Discount: 150,
			ID: []byte("o-1"), Coupon: []byte("SPRING"), Lines: sampleLines(),
		},
		Offer:      graph.OfferNotice{Signal: score.OfferRedeemed, ID: []byte("SPRING"), Class: []byte("welcome"), Until: 1_700_600_000_000},
		Interest:   graph.Interest{Kind: graph.InterestBought, Categories: [][]byte{[]byte("Kitchen"), []byte("Garden")}},
		Properties: append(properties, `"}`...),
		Apart:      true,
		Context:    []byte(`{"page":{"url":"https://shop.example/checkout"},"locale":"nl-BE"}`),
	}
}

// sampleAlias has a userId of lower rank than one reading of its previousId.
func sampleAlias() *graph.Event {
	return &graph.Event{
		ID: []byte("m-7"), Source: []byte("shop"), Seen: 7, Stamp: sampleStamp(7), Received: 1_700_000_000_250, Type: graph.TypeAlias,
		Identifiers: []graph.Identifier{
			{Key: sampleEmail, Namespace: "user_id", Value: []byte("u-1042")},
			{Key: sampleUser, Namespace: "user_id", Value: []byte("old")},
			{Key: sampleDevice, Namespace: "device_id", Value: []byte("d")},
			{Key: sampleCookie, Namespace: "anonymous_id", Value: []byte("old")},
		},
		Alias: []graph.AliasRole{graph.AliasCarried, graph.AliasPrevious | graph.AliasLikely, graph.AliasCarried, graph.AliasPrevious | graph.AliasCarried},
	}
}

// sampleMentioning has a cookie that its library may have made up.
func sampleMentioning() *graph.Event {
	ev := sampleEvent()
	ev.Identifiers, ev.Mentions = ev.Identifiers[:3], ev.Identifiers[3:]
	return ev
}

// sampleMarked is of two signals.
func sampleMarked() *graph.Event {
	ev := sampleEvent()
	ev.Marked = 3
	ev.Marks = []graph.SignalMark{
		{Number: 4, Kind: signal.Newest, N: 4}, {Number: 700, Kind: signal.Days, Value: []byte("25")}, {Number: 9, Kind: signal.Recent, N: 256, Value: []byte{}},
	}
	return ev
}

// sampleSignals has a signal of each kind.
func sampleSignals() *graph.Sections {
	at := func(n int64) signal.Moment { return signal.Moment{Time: sampleStamp(n).Time, Tie: sampleStamp(n).Tie} }
	s := &graph.Sections{Signals: []graph.SignalState{
		{Number: 1, State: signal.State{Kind: signal.Newest, N: 4, Moments: []signal.Moment{at(2), at(0)}}},
		{Number: 2, State: signal.State{Kind: signal.Oldest, N: 1, Moments: []signal.Moment{at(0)}}},
		{Number: 3, State: signal.State{Kind: signal.Days, Days: []signal.Day{{Day: 19_650, Long: true, Count: 70, Sum: -5}, {Day: 19_700, Count: 2, Sum: 250_000}}}},
		{Number: 4, State: signal.State{Kind: signal.First, Values: []signal.Value{{Text: "nl", Newest: at(0)}}}},
		{Number: 5, State: signal.State{Kind: signal.Last, Values: []signal.Value{{Text: "42.5", Newest: at(2)}}}},
		{Number: 6, State: signal.State{Kind: signal.Distinct, N: 128, Values: []signal.Value{{Text: "tents", Newest: at(1), Count: 300}}}},
		{Number: 700, State: signal.State{Kind: signal.Recent, N: 256, Values: []signal.Value{{Text: "T-1", Newest: at(2)}, {Text: "T-2", Newest: at(1)}}}},
	}}
	for i := range s.Signals {
		if !s.Signals[i].Restore() {
			panic("a sample is no state")
		}
	}
	return s
}

func sampleRootOfSignals() *graph.Node {
	evidence := sampleEvidence()
	evidence.Members[0].Fragment.Sections = sampleSignals()
	return &graph.Node{Key: sampleUser, Component: graph.RestoreComponent(sampleUser, evidence)}
}

func samplePatch() *graph.Message {
	return &graph.Message{Kind: graph.KindPatch, To: sampleUser, Patch: &graph.Patch{Node: sampleCookie, Signals: sampleSignals().Signals[:3]}}
}

func sampleDefinitions() *Definitions {
	return &Definitions{
		Version: 5, Filled: 4, Next: 701, Signals: []NumberedSignal{{ID: 1 << 63, Number: 4, Since: 1}, {ID: 7, Number: 700, Since: 5}},
		Newest:  []DefinedAudience{{Number: 1, Key: "campers", Where: `{"all":[]}`}, {Number: 300, Key: "walkers", Where: `{"any":[]}`}},
		Serving: []DefinedAudience{{Number: 1, Key: "campers", Where: `{"any":[]}`}},
		Served:  4, Told: 3, NextAudience: 301, Gone: []NamedAudience{{Number: 0, Key: "cyclists"}},
		Traits: []DefinedTrait{{Key: "bought", Of: `{"orders":"count"}`}, {Key: "size", Of: `{}`}}, ServingTraits: []DefinedTrait{{Key: "bought", Of: `{}`}},
	}
}

func sampleTold() *graph.Told {
	return &graph.Told{Due: 1_700_000_000_000, People: []graph.ToldPerson{{ID: sampleUser, Audiences: []uint32{0, 1, 300}}, {ID: sampleCookie, Audiences: []uint32{7}}}}
}

func sampleTelling() *Telling { return &Telling{Version: 4, Barrier: 300, Cursor: sampleCookie} }

func sampleMarking() *Marking {
	return &Marking{Version: 5, Fills: []Fill{{From: 0, To: 4, Barrier: 300, Cursor: sampleCookie}, {From: 4, To: 5, Barrier: 1 << 33}}}
}

// sampleMention is what is kept of that event, and told to the cookie's node.
func sampleMention() *graph.Event {
	ev := sampleMentioning()
	ev.Identifiers = []graph.Identifier{ev.Identifiers[0], ev.Mentions[0]}
	return ev.KeepMention()
}

// sampleGrouping says that a person is in a group.
func sampleGrouping() *graph.Event {
	ev := sampleEvent()
	ev.Type, ev.Name, ev.Order, ev.Offer, ev.Interest, ev.Traits = graph.TypeGroup, nil, graph.OrderChange{}, graph.OfferNotice{}, graph.Interest{}, nil
	ev.Group = &graph.GroupCall{
		Key: sampleAcme, Type: []byte("company"), ID: []byte("acme"),
		Traits: []graph.Trait{{Name: []byte("name"), Value: []byte(`"Acme"`)}, {Name: []byte("plan")}},
	}
	return ev
}

func sampleGroupMessage() *graph.Message {
	m := sampleGrouping().GroupMessage()
	return &m
}

func sampleGroup() *graph.Group {
	trait := func(name, value string, n int64) graph.GroupTrait {
		t := graph.GroupTrait{Register: graph.Register{Name: name, Stamp: sampleStamp(n)}, EventID: []byte("m-1"), Source: []byte("crm")}
		if value != "" {
			t.Value = []byte(value)
		}
		return t
	}
	return &graph.Group{
		Type: "company", ID: "acme", Events: 3, First: 1_700_000_000_000, Last: 1_700_000_000_002, Members: 2,
		Traits: []graph.GroupTrait{trait("name", `"Acme"`, 0), trait("plan", "", 2)},
	}
}

func sampleMember() *graph.Membership {
	return &graph.Membership{Events: 2, First: 1_700_000_000_000, Last: 1_700_000_000_002}
}

func sampleMark(n int64, id string) graph.Mark {
	return graph.Mark{Stamp: sampleStamp(n), ID: []byte(id), Source: []byte("shop")}
}

// sampleEvidence is a typical component: 4 members, 3 links, 2 fragments.
func sampleLines() []graph.OrderLine {
	return []graph.OrderLine{
		{Product: 1 << 31, SKU: 77, Price: 1_250_000, Quantity: 1000}, {Product: 3 << 20, Variant: 1 << 29, Price: 700_000, Quantity: 2000},
	}
}

func sampleEvidence() *graph.Evidence {
	bought := &graph.Fragment{
		Events: 3, Counts: [graph.EventTypes]uint64{graph.TypeIdentify: 1, graph.TypeTrack: 2}, First: 1_700_000_000_000, Last: 1_700_000_000_002,
		Traits: []graph.Register{
			{Name: "city", Value: []byte(`"Ghent"`), Stamp: sampleStamp(0)},
			{Name: "firstName", Value: []byte(`"Ann"`), Stamp: sampleStamp(1)},
			{Name: "title", Stamp: sampleStamp(1)},
		},
		Orders: []graph.OrderEvidence{graph.NewOrderEvidence("o-0"), graph.NewOrderEvidence("o-1")},
	}
	bought.Orders[0].Refunds = []graph.Refund{
		{Key: 7, Stamp: sampleStamp(2), Kind: graph.RefundAmount, Currency: graph.Currency{'E', 'U', 'R'}, Amount: 700},
		{Key: 8, Stamp: sampleStamp(1), Kind: graph.RefundAmount, Open: true, Lines: []graph.OrderLine{{Product: 1 << 31, Quantity: 2000}}},
	}
	bought.Orders[1].Completed = 1_700_000_000_000
	bought.Orders[1].Totals = graph.OrderTotals{
		Stamp: sampleStamp(0), Net: 2500, Discount: 150,
		Currency: graph.Currency{'E', 'U', 'R'}, Rule: graph.NetRevenue, Coupon: "SPRING",
	}
	bought.Orders[1].Named = graph.NamedCurrency{At: sampleStamp(0).Time, Currency: graph.Currency{'E', 'U', 'R'}}
	bought.Orders[1].Lines = &graph.OrderLines{Stamp: sampleStamp(0), Lines: sampleLines()}
	offers := score.NewOfferBook([]score.OfferEvidence{
		{ID: "SPRING", Class: "welcome", ClassAt: 1_699_000_000_000, Sent: 1_699_000_000_000, Until: 1_700_600_000_000, Redeemed: 1_700_000_000_000},
		{ID: "banner-7", Viewed: 1_700_000_000_001},
		{ID: "TEN", Tried: 1_699_500_000_000, TriedAt: 1_699_500_060_000, Removed: 1_699_500_030_000},
	})
	bought.Offers = &offers
	interests := score.NewInterestCounts([]score.InterestCell{
		{Category: "Kitchen", Period: 654, Count: 300},
		{Category: "Kitchen", Period: 655, Count: 2},
		{Category: "Garden", Period: 655, Count: 1},
		{Category: score.OtherInterest, Period: 600, Count: 70_000},
	})
	bought.Interests = &interests
	bought.Visits = score.NewVisitDays([]score.VisitPeriod{{Period: 654, Came: 1 << 29}, {Period: 655, Came: 1 << 25, Ordered: 1<<25 | 1}})
	browsed := &graph.Fragment{
		Events: 12, Counts: [graph.EventTypes]uint64{graph.TypePage: 12}, First: 1_699_999_000_000, Last: 1_699_999_900_000,
	}
	return &graph.Evidence{
		Members: []graph.Member{
			{NodeName: graph.NodeName{Key: sampleUser, Namespace: "user_id", Value: "u-1042"}, RawStamp: sampleStamp(1), Hosted: true, Fragment: bought},
			{NodeName: graph.NodeName{Key: sampleEmail, Namespace: "email", Value: "ann@example.com"}, Raw: "Ann@Example.com", RawStamp: sampleStamp(0), Hosted: true, Generic: true},
			{NodeName: graph.NodeName{Key: sampleDevice}, Refused: true},
			{NodeName: graph.NodeName{Key: sampleCookie, Namespace: "anonymous_id", Value: "7c9e6679-7425-40de-944b-e07fc1f90ae7"}, RawStamp: sampleStamp(1), Hosted: true, Fragment: browsed},
		},
		Links: []graph.Link{
			{LinkKey: graph.LinkKey{A: sampleUser, B: sampleEmail}, Verb: graph.VerbIdentify, Count: 1, First: sampleMark(0, "m-0"), Last: sampleMark(0, "m-0")},
			{LinkKey: graph.LinkKey{A: sampleUser, B: sampleDevice}},
			{LinkKey: graph.LinkKey{A: sampleUser, B: sampleCookie}, Verb: graph.VerbObserve, Count: 2, First: sampleMark(0, "m-0"), Last: sampleMark(1, "m-1")},
		},
		Assertions: []graph.Assertion{
			{
				Verb: graph.AssertCannot, A: graph.NodeName{Key: sampleUser, Namespace: "user_id", Value: "u-1042"},
				B: graph.NodeName{Key: sampleDevice, Namespace: "device_id", Value: "d"}, At: 1_700_000_000_500, ID: "a-1", By: "ops", Note: "shared tablet",
			},
			{Verb: graph.AssertForget, Withdrawn: true, A: graph.NodeName{Key: sampleCookie, Namespace: "anonymous_id", Value: "c"}, At: -1, ID: "a-2"},
		},
	}
}

func sampleRoot() *graph.Node {
	return &graph.Node{Key: sampleUser, Component: graph.RestoreComponent(sampleUser, sampleEvidence())}
}

func sampleForward() *graph.Node { return &graph.Node{Key: sampleCookie, Parent: sampleUser} }

// sampleMessages has one message of every kind.
func sampleMessages() []*graph.Message {
	absorbed := sampleEvidence()
	absorbed.Part, absorbed.Heads, absorbed.Told = true, []graph.NodeKey{sampleUser}, sampleTold().People
	ev := sampleEvent()
	ev.Properties, ev.Context = nil, nil
	return []*graph.Message{
		{Kind: graph.KindObserve, To: sampleUser, Via: sampleCookie, Hops: 2, Passed: 70_001, Event: ev},
		{Kind: graph.KindAssert, To: sampleUser, Assertion: &sampleEvidence().Assertions[0]},
		{Kind: graph.KindJoin, To: sampleEmail, Root: sampleUser, Via: sampleEmail, Force: true},
		{Kind: graph.KindAbsorb, To: sampleUser, Evidence: absorbed},
		{Kind: graph.KindRepoint, To: sampleCookie, Root: sampleUser, Passed: 70_001},
		{Kind: graph.KindRefuse, To: sampleUser, Via: sampleEmail, Root: sampleEmail, Reason: graph.RefusedFull},
		{
			Kind: graph.KindNeighbour, To: sampleUser, Node: graph.NodeName{Key: sampleCookie, Namespace: "anonymous_id", Value: "c"},
			Neighbour: graph.NodeName{Key: sampleEmail, Namespace: "email", Value: "info@example.com"},
		},
	}
}

func sampleRecord() Record {
	return Record{
		Seq: 300, Now: 1_700_000_000_300,
		Inputs: []Input{
			{ExternalInput, 0, NewEncoder().Event(nil, sampleEvent(), true)},
			{7, 70_000, []byte("message")},
			{ExternalMessage, 0, []byte{}},
		},
		Outputs: []Output{{2, 19, []byte("answer")}},
		Acks:    []Ack{{2, 18}, {5, 1 << 40}},
	}
}

func sampleMeta() *ShardMeta {
	return &ShardMeta{
		Applied: 299, Positions: []Position{{0, 12}, {3, 1 << 33}}, Sent: []Ack{{2, 18}}, Low: 120,
	}
}

func sampleQuarantined() *Quarantined {
	return &Quarantined{Reason: "graph: impossible message", At: 1_700_000_000_300, Input: Input{3, 77, []byte("message")}}
}

func sampleAccessKey() *AccessKey {
	return &AccessKey{
		ID: "0102030405060708", Hash: [32]byte{1, 2, 3, 31: 9}, Name: "shop", Kind: "write", Role: "", Scopes: []string{"events:write"}, Source: "shop",
		Created: 1 << 40, Expires: 1 << 41, Revoked: 1<<40 + 1, PerSecond: 100, Successor: "1112131415161718",
	}
}

func sampleKeptAnswer() *KeptAnswer {
	return &KeptAnswer{Key: [16]byte{1, 15: 9}, Body: [32]byte{2, 31: 8}, Effect: "0190c8d0", At: 1 << 40, Answer: []byte(`{"a":1}`)}
}

func sampleClusterNode() *ClusterNode {
	return &ClusterNode{Name: "n1", State: NodeRemoved, Since: 1 << 40, Version: "0.4.0", Reads: 2, Handlers: 3}
}

func sampleJournalPosition() *JournalPosition {
	return &JournalPosition{Topic: [16]byte{1, 15: 9}, Next: 1 << 33, Claim: 1<<33 - 7, Seq: 300, Sum: 1 << 31, Rules: 1 << 63, Handlers: 2}
}

func sampleDeadLetter() *DeadLetter {
	return &DeadLetter{
		Number: 9, At: 1 << 40, Code: "bad_type", Field: "type", Message: "want a string, got a number", Hint: "send a string", Source: "shop",
		Route: "/v1/batch", MessageID: "m-1", Index: 3, Type: 2, Live: true, Mapping: "shopify-orders", SentAt: []byte("2026-01-01"),
		Context: []byte("{}"), Bytes: 7, Text: []byte(`{"a":1}`),
	}
}

func sampleChannel() *Channel { return &Channel{Name: "orders/11/1", Floor: 1 << 33} }

func samplePositions() *ChannelPositions {
	return &ChannelPositions{Applied: 299, Positions: []ChannelPosition{{1, NoNumber}, {7, 1<<49 | 3}, {300, 0}}}
}

// writeRecord writes inputs, outputs and acks, in this order.
func writeRecord(w *RecordWriter, buf []byte, r *Record) []byte {
	w.Reset(buf, r.Seq, r.Now)
	for _, in := range r.Inputs {
		w.AddInput(in.Source, in.Seq, in.Body)
	}
	for _, out := range r.Outputs {
		w.AddOutput(out.To, out.Seq, out.Body)
	}
	for _, ack := range r.Acks {
		w.AddAck(ack.To, ack.Seq)
	}
	return w.Bytes()
}
