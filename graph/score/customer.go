package score

// Customer is what the scores read of one identity, as it stands. All money is in minor units of one currency.
type Customer struct {
	Purchases []Purchase
	Prices    PriceLedger
	Interests *InterestCounts // nil: none
}

// Scores are all scores of one customer, as of one moment under one version of parameters. Money is in minor units.
type Scores struct {
	AsOf    int64  // ms since 1970 UTC
	Version uint64 // of the parameters

	Lifetime

	Affinity         Affinity
	OfferProbability float64 // chance that an offer of a class not known, sent now, is accepted
	Uplift           Uplift
	Prices           PriceCounts // what Affinity and Uplift were read from

	RFMValues RFMValues
	RFM       RFM // zero before the first order

	interests     [interestsShown]Interest
	interestCount int
}

// Lifetime is the history of one customer and what the models of lifetime value expect after it. The zero value belongs
// to a customer without a purchase.
type Lifetime struct {
	History        History
	DaysBetween    float64 // mean days from one occasion to the next; 0 before the second
	CLV            float64 // margin × value of an order × discounted orders over the horizon
	ExpectedOrders float64 // occasions over the horizon, undiscounted
	OrderValue     float64 // expected value of an occasion to come
	ExpectedValue  float64 // ExpectedOrders × OrderValue
	Alive          float64 // chance that the customer has not left
	Churn          float64 // 1 - Alive; 0 before the first order
	Buys30Days     float64 // chance of an occasion in the next 30 days
}

// interestsShown is how many categories the scores of a customer name.
const interestsShown = 8

// Interests are the customer's categories, the greatest share first.
func (s *Scores) Interests() []Interest { return s.interests[:s.interestCount] }

// buysDays is how far "buys soon" looks.
const buysDays = 30

// Of computes all scores of a customer as of now (ms since 1970 UTC). It is a function of its arguments alone, and does not
// allocate for a customer of up to 64 orders.
func (s *Scorer) Of(c *Customer, now int64) Scores {
	scores := Scores{AsOf: now, Version: s.parameters.Version, Lifetime: s.lifetime(NewHistory(c.Purchases, now))}
	scores.Prices = c.Prices.Counts(now, s.population.Decay())
	scores.Affinity = s.population.Affinity(&scores.Prices)
	scores.OfferProbability = s.population.OfferProbability(&scores.Prices, "")
	scores.Uplift = s.population.Uplift(&scores.Prices)
	if values, ok := c.Prices.RFM(now); ok {
		scores.RFMValues, scores.RFM = values, s.parameters.RFM.Score(values)
	}
	if c.Interests != nil {
		scores.interestCount = len(s.interests.Top(scores.interests[:], c.Interests, now))
	}
	return scores
}

// lifetime computes what follows from a history: nothing before the first order.
func (s *Scorer) lifetime(h History) Lifetime {
	if h.N == 0 {
		return Lifetime{}
	}
	orders := s.clv.orders
	l := Lifetime{
		History:        h,
		CLV:            s.clv.Value(h),
		ExpectedOrders: orders.Orders(h, s.expectWeeks),
		OrderValue:     s.clv.spend.Mean(float64(h.N), h.Z),
		Alive:          orders.Alive(h),
		Buys30Days:     orders.BuysWithin(h, buysDays/float64(weekDays)),
	}
	if h.X > 0 {
		l.DaysBetween = h.Tx / h.X * weekDays
	}
	l.ExpectedValue = l.ExpectedOrders * l.OrderValue
	l.Churn = 1 - l.Alive
	return l
}
