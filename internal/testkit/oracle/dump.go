package oracle

import (
	"fmt"
	"strings"

	"github.com/kindred-id/kindred/graph"
)

// Dump writes profiles as text, in the order given: one block per identity, with every field except the raw forms of its
// identifiers. Equal dumps mean equal profiles, so engine and oracle are compared by their dumps.
func Dump(profiles []graph.Profile) string {
	var b strings.Builder
	for i := range profiles {
		dumpProfile(&b, &profiles[i])
	}
	return b.String()
}

func dumpProfile(b *strings.Builder, p *graph.Profile) {
	fmt.Fprintf(b, "%s%s\n  events %d, %d..%d", blockStart, p.ID, p.Events, p.First, p.Last)
	for t, n := range p.Counts {
		if n > 0 {
			fmt.Fprintf(b, ", %s %d", typeName(graph.EventType(t)), n)
		}
	}
	b.WriteByte('\n')
	for _, id := range p.Identifiers {
		fmt.Fprintf(b, "  identifier %s:%q %s, %d..%d", id.Namespace, id.Value, id.Key, id.First, id.Last)
		if id.Generic {
			b.WriteString(", generic")
		}
		b.WriteByte('\n')
	}
	for _, t := range p.Traits {
		fmt.Fprintf(b, "  trait %q = %s, at %d rank %d tie %016x\n", t.Name, t.Value, t.Stamp.Time, t.Stamp.Rank, t.Stamp.Tie)
	}
	for _, o := range p.Orders {
		fmt.Fprintf(b, "  order %q %s at %d, net %d by %s, discount %d, refunded %d %q, coupon %q",
			o.ID, o.Status, o.PlacedAt, o.Net, o.Rule, o.Discount, o.Refunded, o.Currency, o.Coupon)
		if o.Refunds+o.UnknownRefunds+o.RefusedRefunds > 0 || o.RefundsLeftOut {
			fmt.Fprintf(b, ", refunds %d, unknown %d, refused %d, left out %t", o.Refunds, o.UnknownRefunds, o.RefusedRefunds, o.RefundsLeftOut)
		}
		b.WriteByte('\n')
	}
	for _, m := range p.Money {
		fmt.Fprintf(b, "  money %q, orders %d, revenue %d, discount %d, discounted %d\n",
			m.Currency, m.Orders, m.Revenue, m.Discount, m.Discounted)
	}
	for _, o := range p.Offers.Evidence() {
		fmt.Fprintf(b, "  offer %q of %q at %d, sent %d, viewed %d, until %d, redeemed %d, tried %d..%d, removed %d\n",
			o.ID, o.Class, o.ClassAt, o.Sent, o.Viewed, o.Until, o.Redeemed, o.Tried, o.TriedAt, o.Removed)
	}
	for _, c := range p.Interests.Cells() {
		fmt.Fprintf(b, "  interest in %q, period %d: %d\n", c.Category, c.Period, c.Count)
	}
	for _, v := range p.Visits.Periods() {
		fmt.Fprintf(b, "  visits in period %d: %030b, ordered %030b\n", v.Period, v.Came, v.Ordered)
	}
}

// typeName names a type. A count without a type must show too.
func typeName(t graph.EventType) string {
	if t == 0 {
		return "untyped"
	}
	return t.String()
}
