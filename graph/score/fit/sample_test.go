package fit

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/kindred-id/kindred/graph/score"
)

const now = int64(1_700_000_000_000)

// customer is a random customer with orders, some reduced, and offers.
func customer(rng *rand.Rand) score.Customer {
	const day = 86_400_000
	var c score.Customer
	var orders []score.PricedOrder
	for i := range 1 + rng.IntN(6) {
		o := score.PricedOrder{ID: fmt.Sprint(i), At: now - rng.Int64N(300*day), Gross: 1000 + rng.Int64N(9000)}
		o.Discount = rng.Int64N(2) * o.Gross / 5
		orders = append(orders, o)
		c.Purchases = append(c.Purchases, score.Purchase{ID: o.ID, At: o.At, Net: o.Gross - o.Discount})
	}
	var offers []score.Offer
	for i := range 4 {
		sent := now - rng.Int64N(200*day) - 20*day
		offers = append(offers, score.Offer{ID: fmt.Sprint(i), Class: "mail", Sent: sent, Until: sent + 10*day, Accepted: rng.Int64N(2) * (sent + day)})
	}
	c.Prices = score.NewPriceLedger(0, orders, offers)
	c.Interests = &score.InterestCounts{}
	c.Interests.Add([]string{"wine", "tea", "jam"}[rng.IntN(3)], now, 1+rng.Uint32N(5))
	return c
}

// Samples of shards, added up in any order, make the same parameters as one of all, to the last bit.
func TestSamplesOfShardsAddUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	whole := NewSample(0)
	shards := []*Sample{NewSample(0), NewSample(0), NewSample(0)}
	for range 400 {
		c := customer(rng)
		whole.Add(&c, now)
		shards[rng.IntN(len(shards))].Add(&c, now)
	}
	sum := NewSample(0)
	for _, i := range []int{2, 0, 1} {
		sum.Merge(shards[i])
	}
	want, err := whole.Parameters(score.ColdStart(), now)
	if err != nil {
		t.Fatal(err)
	}
	got, err := sum.Parameters(score.ColdStart(), now)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v\nwant\n%+v", err, got, want)
	}
	if want.Version != 1 || want.Sampled != 400 || want.Customers != 400 || want.FittedAt != now || !want.Affinity.OffersKnown ||
		want.OrdersLogLikelihood == 0 || want.SpendLogLikelihood == 0 || len(want.Dealings) != 3 {
		t.Errorf("parameters %+v", want)
	}
}

// Of too few customers the parts that can't be fitted keep their values; of none, all do.
func TestSampleOfTooFew(t *testing.T) {
	before := score.ColdStart()
	before.Version, before.Orders.R = 4, 3
	got, err := NewSample(0).Parameters(before, now)
	if !errors.Is(err, ErrSample) || !reflect.DeepEqual(got, before) {
		t.Errorf("of none: %v, version %d", err, got.Version)
	}
	s := NewSample(0)
	rng := rand.New(rand.NewPCG(1, 1))
	for range customersMin - 1 {
		c := customer(rng)
		s.Add(&c, now)
	}
	got, err = s.Parameters(before, now)
	if !errors.Is(err, ErrSample) || got.Version != 5 || got.Orders != before.Orders || got.Spend != before.Spend || got.RFM == before.RFM {
		t.Errorf("of %d: %v, %+v", customersMin-1, err, got)
	}
}
