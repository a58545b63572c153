package graph

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

var (
	eur, usd, jpy = Currency{'E', 'U', 'R'}, Currency{'U', 'S', 'D'}, Currency{'J', 'P', 'Y'}
	kwd, idr      = Currency{'K', 'W', 'D'}, Currency{'I', 'D', 'R'}
)

// told is an event about order o1 at a second.
func told(second int64, c OrderChange) *Event {
	c.ID = []byte("o1")
	return &Event{
		Type: TypeTrack, ID: fmt.Append(nil, second), Seen: uint64(1000 + second), Stamp: Stamp{Time: second * 1000, Tie: uint64(second)}, Order: c,
		Identifiers: []Identifier{{Key: MakeNodeKey(ClassCustomer, 1, 1)}},
	}
}

func completed(net int64, c Currency) OrderChange {
	return OrderChange{Kind: OrderCompleted, Rule: NetRevenue, Net: net, Currency: c}
}

// open is a change whose event names no currency; its amounts are in hundred-thousandths of the unit.
func open(c OrderChange) OrderChange {
	c.Open = true
	if c.Kind == OrderRefunded {
		c.Currency = Currency{}
	}
	return c
}

func refund(amount int64, c Currency) OrderChange {
	return OrderChange{Kind: OrderRefunded, Currency: c, Refund: RefundChange{Kind: RefundAmount, Amount: amount}}
}

func refundOf(key uint64, amount int64, c Currency) OrderChange {
	r := refund(amount, c)
	r.Refund.Key = key
	return r
}

func refundKind(kind RefundKind) OrderChange {
	return OrderChange{Kind: OrderRefunded, Open: true, Refund: RefundChange{Kind: kind}}
}

func withLines(c OrderChange, lines ...OrderLine) OrderChange {
	c.Lines = lines
	return c
}

// A refund that is sent again with one more identifier is the same refund; one message id with another amount is another.
func TestRefundSentAgain(t *testing.T) {
	f := &Fragment{}
	f.fold(told(0, completed(10000, eur)), nil)
	for i, amount := range []int64{3000, 3000, 2000} {
		e := told(1, refund(amount, eur))
		e.Seen, e.Stamp.Tie = uint64(i), uint64(i) // both have the event's content, and so its identifiers
		f.fold(e, nil)
	}
	if got := describeFold(f); got != "refunded 5000 of 10000 EUR, 2 refunds" {
		t.Error(got)
	}
	for _, till := range []string{"till 1", "till 2", "till 2"} { // message 1 of each is its own
		e := told(1, refund(1000, eur))
		e.Source, e.Apart = []byte(till), true
		f.fold(e, nil)
	}
	if got := describeFold(f); got != "refunded 7000 of 10000 EUR, 4 refunds" {
		t.Error(got)
	}
}

// Every story comes out the same in each order of its events, each event alone in a fragment, or all in one.
func TestRefunds(t *testing.T) {
	cancelled := OrderChange{Kind: OrderCancelled}
	p1, p2 := OrderLine{Product: 1, Price: 4_000_000, Quantity: 2000}, OrderLine{Product: 2, SKU: 7, Price: 2_000_000, Quantity: 1000}
	of := func(l OrderLine, quantity int64) OrderLine {
		l.Price, l.Quantity = 0, quantity
		return l
	}
	back := func(lines ...OrderLine) OrderChange { return withLines(open(refund(0, eur)), lines...) }
	update := func(net int64) OrderChange {
		c := completed(net, eur)
		c.Kind = OrderUpdated
		return c
	}
	for _, story := range []struct {
		name   string
		events []OrderChange
		want   string
	}{
		{"two refunds", []OrderChange{completed(10000, eur), refund(3000, eur), refund(2000, eur)}, "refunded 5000 of 10000 EUR, 2 refunds"},
		{"two equal refunds", []OrderChange{completed(10000, eur), refund(3000, eur), refund(3000, eur)}, "refunded 6000 of 10000 EUR, 2 refunds"},
		{"one refund of two systems", []OrderChange{completed(10000, eur), refundOf(1, 3000, eur), refundOf(1, 3000, eur)}, "refunded 3000 of 10000 EUR, 1 refunds"},
		{"a refund corrected", []OrderChange{completed(10000, eur), refundOf(1, 3000, eur), refundOf(1, 2500, eur)}, "refunded 2500 of 10000 EUR, 1 refunds"},
		{"more than there was", []OrderChange{completed(10000, eur), refund(9000, eur), refund(3000, eur)}, "refunded 10000 of 10000 EUR, 2 refunds"},
		{"in full after a part", []OrderChange{completed(10000, eur), refund(3000, eur), refundKind(RefundFull)}, "refunded 10000 of 10000 EUR, 2 refunds"},
		{"cancelled before", []OrderChange{completed(10000, eur), cancelled, refund(3000, eur)}, "cancelled 3000 of 10000 EUR, 1 refunds"},
		{"cancelled after", []OrderChange{completed(10000, eur), refund(3000, eur), cancelled}, "cancelled 3000 of 10000 EUR, 1 refunds"},
		{"updated", []OrderChange{completed(10000, eur), refund(3000, eur), update(8000)}, "refunded 3000 of 8000 EUR, 1 refunds"},
		{"updated to less than came back", []OrderChange{completed(10000, eur), refund(3000, eur), update(2000)}, "refunded 2000 of 2000 EUR, 1 refunds"},
		{"without a currency, yen", []OrderChange{completed(5000, jpy), open(refund(100_000_000, usd))}, "refunded 1000 of 5000 JPY, 1 refunds"},
		{"without a currency, dinars", []OrderChange{completed(12500, kwd), open(refund(250_049, usd))}, "refunded 2500 of 12500 KWD, 1 refunds"},
		{"in another currency", []OrderChange{completed(5000, jpy), refund(1000, usd)}, "placed 0 of 5000 JPY, 0 refunds, 1 refused"},
		{"everything, in whatever currency", []OrderChange{completed(5000, jpy), {Kind: OrderRefunded, Currency: usd, Refund: RefundChange{Kind: RefundFull}}}, "refunded 5000 of 5000 JPY, 1 refunds"},
		{"an update without a currency", []OrderChange{completed(5000, jpy), open(update(450_000_000)), open(refund(100_000_000, usd))}, "refunded 1000 of 4500 JPY, 1 refunds"},
		{"no currency at all", []OrderChange{open(completed(1_050_500, usd)), open(refund(50_500, usd))}, "refunded 51 of 1051 USD, 1 refunds"},
		{"lines", []OrderChange{withLines(completed(10000, eur), p1, p2), back(of(p1, 1000))}, "refunded 4000 of 10000 EUR, 1 refunds"},
		{"more than was ordered", []OrderChange{withLines(completed(10000, eur), p1, p2), back(of(p2, 3000))}, "refunded 2000 of 10000 EUR, 1 refunds"},
		{"a line and an amount", []OrderChange{withLines(completed(10000, eur), p1, p2), withLines(open(refund(100_000, eur)), of(p2, 1000))}, "refunded 2100 of 10000 EUR, 1 refunds"},
		{"by its other name", []OrderChange{withLines(completed(10000, eur), p1, p2), back(OrderLine{Product: 7, Quantity: 1000})}, "refunded 0 of 10000 EUR, 1 refunds, 1 unknown"},
		{"by its only name", []OrderChange{withLines(completed(10000, eur), p1, OrderLine{SKU: 7, Price: 2_000_000, Quantity: 1000}), back(OrderLine{Product: 7, Quantity: 1000})}, "refunded 2000 of 10000 EUR, 1 refunds"},
		{"by its stock keeping unit", []OrderChange{withLines(completed(10000, eur), p1, p2), back(OrderLine{SKU: 7, Quantity: 1000})}, "refunded 2000 of 10000 EUR, 1 refunds"},
		{"what was not ordered", []OrderChange{withLines(completed(10000, eur), p1, p2), back(OrderLine{Product: 9, Quantity: 1000}, of(p1, 500))}, "refunded 2000 of 10000 EUR, 1 refunds, 1 unknown"},
		{"at two prices", []OrderChange{withLines(completed(10000, eur), p1, OrderLine{Product: 1, Price: 1, Quantity: 1000}), back(of(p1, 1000))}, "refunded 0 of 10000 EUR, 1 refunds, 1 unknown"},
		{"an update without lines", []OrderChange{withLines(completed(10000, eur), p1), update(9000), back(of(p1, 1000))}, "refunded 4000 of 9000 EUR, 1 refunds"},
		{"unreadable", []OrderChange{completed(10000, eur), refundKind(RefundUnknown), refund(1000, eur)}, "refunded 1000 of 10000 EUR, 2 refunds, 1 unknown"},
		{"thousandths of a dinar", []OrderChange{completed(12500, kwd), {Kind: OrderRefunded, Open: true, Refund: RefundChange{Kind: RefundThousandths, Amount: 250_000}}}, "refunded 2500 of 12500 KWD, 1 refunds"},
		{"thousandths of a euro", []OrderChange{completed(12500, eur), {Kind: OrderRefunded, Open: true, Refund: RefundChange{Kind: RefundThousandths, Amount: 250_000}}}, "refunded 0 of 12500 EUR, 1 refunds, 1 unknown"},
		{"of before the decimals of today", []OrderChange{completed(1_000_000, idr), refund(1500, Currency{})}, "refunded 150000 of 1000000 IDR, 1 refunds"},
		{"of before", []OrderChange{completed(10000, eur), refund(1500, Currency{})}, "refunded 1500 of 10000 EUR, 1 refunds"},
		{"without its order", []OrderChange{refund(1500, eur)}, "no order"},
	} {
		var events []*Event
		for i, c := range story.events {
			events = append(events, told(int64(i), c))
		}
		for order := range permutations(len(events)) {
			together := &Fragment{}
			apart := &Fragment{}
			for _, i := range order {
				together.fold(events[i], nil)
				alone := &Fragment{}
				alone.fold(events[i], nil)
				apart.merge(alone)
			}
			for how, f := range map[string]*Fragment{"together": together, "apart": apart} {
				if got := describeFold(f); got != story.want {
					t.Errorf("%s, %v %s: %s, want %s", story.name, order, how, got, story.want)
				}
			}
		}
	}
}

func describeFold(f *Fragment) string {
	var p Profile
	p.addOrders(f.Orders)
	if len(p.Orders) == 0 {
		return "no order"
	}
	o := &p.Orders[0]
	text := fmt.Sprintf("%s %d of %d %s, %d refunds", o.Status, o.Refunded, o.Net, o.Currency, o.Refunds)
	if o.UnknownRefunds > 0 {
		text += fmt.Sprintf(", %d unknown", o.UnknownRefunds)
	}
	if o.RefusedRefunds > 0 {
		text += fmt.Sprintf(", %d refused", o.RefusedRefunds)
	}
	return text
}

// permutations are all orders of n things.
func permutations(n int) func(yield func([]int) bool) {
	return func(yield func([]int) bool) {
		var place func(chosen []int) bool
		place = func(chosen []int) bool {
			if len(chosen) == n {
				return yield(slices.Clone(chosen))
			}
			for i := range n {
				if !slices.Contains(chosen, i) && !place(append(slices.Clip(chosen), i)) {
					return false
				}
			}
			return true
		}
		place(nil)
	}
}

func drawChange(t *rapid.T) OrderChange {
	c := OrderChange{Kind: OrderKind(rapid.IntRange(1, 4).Draw(t, "kind"))}
	if c.Kind == OrderCancelled {
		return c
	}
	c.Currency = rapid.SampledFrom([]Currency{eur, jpy, {}}).Draw(t, "currency")
	c.Open = rapid.Bool().Draw(t, "open")
	line := func() OrderLine {
		return OrderLine{Product: rapid.Uint32Range(0, 2).Draw(t, "product"), SKU: rapid.Uint32Range(0, 2).Draw(t, "sku"), Quantity: 1000}
	}
	if c.Kind == OrderRefunded {
		c.Refund = RefundChange{Kind: RefundKind(rapid.IntRange(1, 4).Draw(t, "refund kind")), Amount: rapid.Int64Range(0, 5).Draw(t, "amount"), Key: rapid.Uint64Range(0, 90).Draw(t, "key")}
		if rapid.Bool().Draw(t, "lines") {
			c.Lines = []OrderLine{line()}
		}
		return c
	}
	c.Rule, c.Net = NetRule(rapid.IntRange(0, 2).Draw(t, "rule")), rapid.Int64Range(0, 1000).Draw(t, "net")
	if rapid.Bool().Draw(t, "lines") {
		l := line()
		l.Price = rapid.Int64Range(0, 9).Draw(t, "price")
		c.Lines = []OrderLine{l}
	}
	return c
}

// Fragments know the same of an order whatever the order of events, and however they are divided among fragments that
// are merged; also where stamps are equal, and beyond the bound on refunds. Merging changes neither of what it merges.
func TestOrdersMergeInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{3, 8, 200}).Draw(t, "events")
		var events []*Event
		for i := range n {
			e := told(int64(i), drawChange(t))
			e.Stamp = Stamp{Time: rapid.Int64Range(0, 2).Draw(t, "time"), Tie: rapid.Uint64Range(0, 1).Draw(t, "tie")}
			e.ID = rapid.SampledFrom([][]byte{{'1'}, {'2'}}).Draw(t, "id")
			events = append(events, e)
		}
		inOrder := &Fragment{}
		for _, e := range events {
			inOrder.fold(e, nil)
		}
		shuffled := rapid.Permutation(events).Draw(t, "order")
		parts := make([]*Fragment, rapid.IntRange(1, 4).Draw(t, "parts"))
		for i := range parts {
			parts[i] = &Fragment{}
		}
		for i, e := range shuffled {
			parts[i%len(parts)].fold(e, nil)
		}
		var folded orderFold
		var before []string
		for _, p := range parts {
			before = append(before, fmt.Sprintf("%+v", p.Orders))
			folded.add(p)
		}
		for i, p := range parts {
			if after := fmt.Sprintf("%+v", p.Orders); after != before[i] {
				t.Fatalf("folding a profile changed a fragment from\n%s to\n%s", before[i], after)
			}
		}
		if !reflect.DeepEqual(folded.all, inOrder.Orders) {
			t.Fatalf("in order\n%+v\nin parts\n%+v", inOrder.Orders, folded.all)
		}
		merged := &Fragment{}
		for _, p := range parts {
			merged.merge(p)
		}
		if !reflect.DeepEqual(merged.Orders, inOrder.Orders) {
			t.Fatalf("in order\n%+v\nmerged\n%+v", inOrder.Orders, merged.Orders)
		}
		if len(inOrder.Orders[0].Refunds) > RefundsMax {
			t.Fatal("too many refunds")
		}
	})
}

// More refunds than are kept are told.
func TestRefundsLeftOut(t *testing.T) {
	f := &Fragment{}
	f.fold(told(0, completed(1_000_000, eur)), nil)
	for i := range int64(RefundsMax) {
		f.fold(told(1+i, refund(100, eur)), nil)
	}
	if o := f.Orders[0].state(); o.RefundsLeftOut || o.Refunded != 100*RefundsMax {
		t.Fatalf("%+v", o)
	}
	f.fold(told(-1, refund(100, eur)), nil)
	if o := f.Orders[0].state(); !o.RefundsLeftOut || o.Refunded != 100*RefundsMax || o.Refunds != RefundsMax {
		t.Fatalf("%+v", o)
	}
}

// An order of which neither an amount nor a currency is known does not decide which currency is the customer's.
func TestOrdersOfNoCurrency(t *testing.T) {
	f := &Fragment{}
	for i, c := range []OrderChange{open(OrderChange{Kind: OrderCompleted, Currency: usd}), open(OrderChange{Kind: OrderCompleted, Currency: usd}), completed(5000, eur)} {
		e := told(int64(i), c)
		e.Order.ID = fmt.Append(nil, i)
		f.fold(e, nil)
	}
	var p Profile
	p.addOrders(f.Orders)
	if want := []Money{{Currency: eur, Orders: 3, Revenue: 5000}}; !reflect.DeepEqual(p.Money, want) {
		t.Fatalf("%+v", p.Money)
	}
	if s := p.Scoring(); s.Currency != eur || s.Elsewhere != 0 || len(s.Purchases) != 3 {
		t.Fatalf("%+v", s)
	}
}

func TestSettleAndCost(t *testing.T) {
	for _, c := range []struct {
		open     int64
		decimals int
		want     int64
	}{{100_500, 2, 101}, {100_499, 2, 100}, {-100_500, 2, -101}, {149_999, 0, 1}, {150_000, 0, 2}, {12345, 4, 1235}, {maxInt64, 4, 922337203685477581}} {
		if got := settle(c.open, c.decimals); got != c.want {
			t.Errorf("settle(%d, %d) = %d, want %d", c.open, c.decimals, got, c.want)
		}
	}
	for _, c := range []struct {
		price, quantity int64
		decimals        int
		want            int64
	}{{33333, 3000, 2, 100}, {33350, 1000, 2, 33}, {33500, 1000, 2, 34}, {1_000_000, 500, 2, 500}, {-5, 1000, 2, 0}, {maxInt64, maxInt64, 2, maxInt64}, {maxInt64, 1_000_000, 0, 92233720368547758}} {
		if got := cost(c.price, c.quantity, c.decimals); got != c.want {
			t.Errorf("cost(%d, %d, %d) = %d, want %d", c.price, c.quantity, c.decimals, got, c.want)
		}
	}
}

// Sums stop at 2^63-1 minor units.
func TestMoneyStays(t *testing.T) {
	var p Profile
	for range 3 {
		p.addMoney(&OrderState{Currency: eur, Net: maxInt64 - 1, Discount: maxInt64, Status: OrderPlaced})
	}
	if want := (Money{Currency: eur, Orders: 3, Revenue: maxInt64, Discount: maxInt64, Discounted: 3}); p.Money[0] != want {
		t.Errorf("%+v, want %+v", p.Money[0], want)
	}
}
