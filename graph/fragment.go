package graph

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/mutant"
)

// Fragment is the mergeable summary of all events whose route was one identifier. Everything in
// it folds: sums, minima, maxima and last-writer-wins registers ordered by Stamp.
type Fragment struct {
	Events uint64
	Counts [EventTypes]uint64
	First  int64 // event times, ms since 1970 UTC
	Last   int64
	Traits []Register      // by name
	Orders []OrderEvidence // by id

	Offers    *score.OfferBook      // nil when there are none, as for most
	Interests *score.InterestCounts // nil when there are none
	Visits    score.VisitDays
}

// Register is a last-writer-wins value. Value is JSON text; nil says that the trait was deleted.
type Register struct {
	Name  string
	Value []byte
	Stamp Stamp
}

// noTime is the time of what never happened.
const noTime = math.MinInt64

// OrderEvidence is what a fragment knows of one order: registers that fold into an OrderState.
type OrderEvidence struct {
	ID        string
	Completed int64 // earliest completed event, noTime when there is none
	Updated   int64 // earliest updated event, noTime when there is none
	Totals    OrderTotals
	Outcome   OrderOutcome
}

// OrderTotals is the register of an order's totals. Money is in minor units of Currency.
type OrderTotals struct {
	Stamp    Stamp
	Net      int64
	Discount int64
	Currency Currency
	Rule     NetRule
	Coupon   string
}

// OrderOutcome is the register of an order's cancellation or refund; Kind is OrderNone until there is one.
type OrderOutcome struct {
	Stamp  Stamp
	Kind   OrderKind
	Full   bool
	Refund int64
}

// NewOrderEvidence is an order of which nothing is known.
func NewOrderEvidence(id string) OrderEvidence {
	return OrderEvidence{ID: id, Completed: noTime, Updated: noTime}
}

// fold adds an event that was never folded before. It keeps no reference to the event's bytes, and
// allocates only for what it sees for the first time.
func (f *Fragment) fold(e *Event) {
	at := e.Stamp.Time
	if f.Events == 0 {
		f.First, f.Last = at, at
	} else {
		f.First, f.Last = min(f.First, at), max(f.Last, at)
	}
	f.Events++
	f.Counts[e.Type]++
	for i := range e.Traits {
		f.setTrait(&e.Traits[i], e.Stamp)
	}
	if e.Order.Kind != OrderNone {
		f.foldOrder(e)
	}
	f.foldDealings(e)
}

func (f *Fragment) setTrait(t *Trait, stamp Stamp) {
	i, found := searchName(f.Traits, t.Name)
	if !found {
		f.Traits = slices.Insert(f.Traits, i, Register{Name: string(t.Name), Value: bytes.Clone(t.Value), Stamp: stamp})
		return
	}
	r := &f.Traits[i]
	if compareRegister(stamp, t.Value, r.Stamp, r.Value) <= 0 && !mutant.Is("arrival-wins") {
		return
	}
	r.Stamp = stamp
	if t.Value == nil {
		r.Value = nil
	} else {
		r.Value = append(r.Value[:0], t.Value...)
	}
}

// searchName finds a register without turning the name into a string.
func searchName(registers []Register, name []byte) (int, bool) {
	lo, hi := 0, len(registers)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if registers[mid].Name < string(name) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(registers) && registers[lo].Name == string(name)
}

// compareRegister orders writes to one register: by stamp, then by value, so that the order is
// total whatever the stamps.
func compareRegister(aStamp Stamp, a []byte, bStamp Stamp, b []byte) int {
	if c := aStamp.Compare(bStamp); c != 0 {
		return c
	}
	return bytes.Compare(a, b)
}

func (f *Fragment) foldOrder(e *Event) {
	change := &e.Order
	i, found := searchOrder(f.Orders, change.ID)
	if !found {
		f.Orders = slices.Insert(f.Orders, i, NewOrderEvidence(string(change.ID)))
	}
	order := &f.Orders[i]
	switch change.Kind {
	case OrderCompleted:
		order.Completed = earliest(order.Completed, e.Stamp.Time)
		order.Totals.offer(e)
	case OrderUpdated:
		order.Updated = earliest(order.Updated, e.Stamp.Time)
		order.Totals.offer(e)
	case OrderCancelled, OrderRefunded:
		outcome := OrderOutcome{Stamp: e.Stamp, Kind: change.Kind, Full: change.Full, Refund: change.Refund}
		if order.Outcome.less(&outcome) {
			order.Outcome = outcome
		}
	}
}

func searchOrder(orders []OrderEvidence, id []byte) (int, bool) {
	lo, hi := 0, len(orders)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if orders[mid].ID < string(id) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(orders) && orders[lo].ID == string(id)
}

func earliest(a, b int64) int64 {
	if a == noTime {
		return b
	}
	if b == noTime {
		return a
	}
	return min(a, b)
}

// known tells whether any event gave totals.
func (o *OrderEvidence) known() bool { return o.Completed != noTime || o.Updated != noTime }

func (t *OrderTotals) offer(e *Event) {
	c := &e.Order
	offered := OrderTotals{Stamp: e.Stamp, Net: c.Net, Discount: c.Discount, Currency: c.Currency, Rule: c.Rule}
	if order := t.compareNumbers(&offered); order > 0 || order == 0 && t.Coupon >= string(c.Coupon) {
		return
	}
	offered.Coupon = t.Coupon
	if t.Coupon != string(c.Coupon) {
		offered.Coupon = string(c.Coupon)
	}
	*t = offered
}

// compareNumbers orders totals by all but the coupon. An event without money says nothing of
// totals: it is below every one that carries some.
func (t *OrderTotals) compareNumbers(o *OrderTotals) int {
	if (t.Rule == NetNone) != (o.Rule == NetNone) {
		return sign(t.Rule == NetNone)
	}
	return cmp.Or(t.Stamp.Compare(o.Stamp), cmp.Compare(t.Net, o.Net), cmp.Compare(t.Discount, o.Discount),
		bytes.Compare(t.Currency[:], o.Currency[:]), cmp.Compare(t.Rule, o.Rule))
}

func (t *OrderTotals) less(o *OrderTotals) bool {
	return cmp.Or(t.compareNumbers(o), strings.Compare(t.Coupon, o.Coupon)) < 0
}

// less orders outcomes: none is below all, then by stamp; of equal stamps a cancellation wins,
// then the larger refund.
func (o *OrderOutcome) less(p *OrderOutcome) bool {
	if (o.Kind == OrderNone) != (p.Kind == OrderNone) {
		return o.Kind == OrderNone
	}
	c := o.Stamp.Compare(p.Stamp)
	if c == 0 && o.Kind != p.Kind {
		c = sign(o.Kind != OrderCancelled)
	}
	if c == 0 && o.Full != p.Full {
		c = sign(!o.Full)
	}
	return cmp.Or(c, cmp.Compare(o.Refund, p.Refund)) < 0
}

// merge adds what o knows of the same order.
func (o *OrderEvidence) merge(p *OrderEvidence) {
	o.Completed = earliest(o.Completed, p.Completed)
	o.Updated = earliest(o.Updated, p.Updated)
	if o.Totals.less(&p.Totals) {
		o.Totals = p.Totals
	}
	if o.Outcome.less(&p.Outcome) {
		o.Outcome = p.Outcome
	}
}

// state is the order as it stands.
//
// REQUIRES: o.known()
func (o *OrderEvidence) state() OrderState {
	s := OrderState{
		ID: o.ID, PlacedAt: o.Completed, Net: o.Totals.Net, Discount: o.Totals.Discount,
		Coupon: o.Totals.Coupon, Currency: o.Totals.Currency, Rule: o.Totals.Rule, Status: OrderPlaced,
	}
	if s.PlacedAt == noTime {
		s.PlacedAt = o.Updated
	}
	switch o.Outcome.Kind {
	case OrderCancelled:
		s.Status = OrderStateCancelled
	case OrderRefunded:
		s.Status = OrderStateRefunded
		s.Refunded = min(o.Outcome.Refund, s.Net)
		if o.Outcome.Full {
			s.Refunded = s.Net
		}
	}
	return s
}

// merge adds a fragment of other events. It takes ownership of g's parts.
func (f *Fragment) merge(g *Fragment) {
	switch {
	case g.Events == 0:
	case f.Events == 0:
		f.First, f.Last = g.First, g.Last
	default:
		f.First, f.Last = min(f.First, g.First), max(f.Last, g.Last)
	}
	f.Events += g.Events
	for t := range f.Counts {
		f.Counts[t] += g.Counts[t]
	}
	f.Traits = mergeSorted(f.Traits, g.Traits, func(a, b *Register) int { return strings.Compare(a.Name, b.Name) },
		func(a, b *Register) {
			if compareRegister(a.Stamp, a.Value, b.Stamp, b.Value) < 0 {
				*a = *b
			}
		})
	f.Orders = mergeSorted(f.Orders, g.Orders, func(a, b *OrderEvidence) int { return strings.Compare(a.ID, b.ID) },
		func(a, b *OrderEvidence) { a.merge(b) })
	f.mergeDealings(g)
}

// mergeSorted unites two sorted slices; both folds an element of b into its equal of a.
func mergeSorted[T any](a, b []T, compare func(a, b *T) int, both func(a, b *T)) []T {
	if len(b) == 0 {
		return a
	}
	if len(a) == 0 {
		return b
	}
	united := make([]T, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch c := compare(&a[0], &b[0]); {
		case c < 0:
			united, a = append(united, a[0]), a[1:]
		case c > 0:
			united, b = append(united, b[0]), b[1:]
		default:
			both(&a[0], &b[0])
			united, a, b = append(united, a[0]), a[1:], b[1:]
		}
	}
	return append(append(united, a...), b...)
}

// Size estimates the fragment's memory in bytes.
func (f *Fragment) Size() int {
	size := 184 + f.Visits.Size()
	for i := range f.Traits {
		size += f.Traits[i].size()
	}
	for i := range f.Orders {
		size += f.Orders[i].size()
	}
	if f.Offers != nil {
		size += f.Offers.Size()
	}
	if f.Interests != nil {
		size += f.Interests.Size()
	}
	return size
}

func (r *Register) size() int { return 72 + len(r.Name) + cap(r.Value) }

func (o *OrderEvidence) size() int { return 176 + len(o.ID) + len(o.Totals.Coupon) }

// cut takes off the fragment what it may have very much of, in pieces that fit into a part. Merged with what is left they
// are the fragment again. The book of offers is bounded, so it is a piece of its own.
func (f *Fragment) cut() (pieces []*Fragment) {
	for len(f.Orders) > 0 || len(f.Traits) > 0 {
		piece := &Fragment{}
		for n := 0; n < partBytes/2 && len(f.Orders) > 0; f.Orders = f.Orders[1:] {
			n += f.Orders[0].size()
			piece.Orders = append(piece.Orders, f.Orders[0])
		}
		for n := 0; n < partBytes/2 && len(f.Traits) > 0; f.Traits = f.Traits[1:] {
			n += f.Traits[0].size()
			piece.Traits = append(piece.Traits, f.Traits[0])
		}
		pieces = append(pieces, piece)
	}
	if f.Interests != nil {
		for cells := f.Interests.Cells(); len(cells) > 0; {
			n, size := 0, 0
			for n < len(cells) && size < partBytes/2 {
				size += cells[n].Size()
				n++
			}
			counts := score.NewInterestCounts(cells[:n:n])
			pieces = append(pieces, &Fragment{Interests: &counts})
			cells = cells[n:]
		}
	}
	if f.Offers != nil {
		pieces = append(pieces, &Fragment{Offers: f.Offers})
	}
	f.Interests, f.Offers = nil, nil
	return pieces
}
