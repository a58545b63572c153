package score

// Customer is what the scores read of one identity, as it stands. All money is in minor units of one currency.
type Customer struct {
	Purchases []Purchase
	Prices    PriceLedger
	Interests *InterestCounts // nil: none
}

// Scores are all scores of one customer, as of one moment under one version of parameters. Money is in minor units.
// The zero values of History and what follows from it belong to a customer without a purchase.
type Scores struct {
	AsOf    int64  // ms since 1970 UTC
	Version uint64 // of the parameters

	History        History
	DaysBetween    float64 // mean days from one occasion to the next; 0 before the second
	CLV            float64 // margin × value of an order × discounted orders over the horizon
	ExpectedOrders float64 // occasions over the horizon, undiscounted
	OrderValue     float64 // expected value of an occasion to come
	ExpectedValue  float64 // ExpectedOrders × OrderValue
	Alive          float64 // chance that the customer has not left
	Churn          float64 // 1 - Alive; 0 before the first order
	Buys30Days     float64 // chance of an occasion in the next 30 days

	Affinity         Affinity
	OfferProbability float64 // chance that an offer of a class not known, sent now, is accepted
	Uplift           Uplift
	Prices           PriceCounts // what Affinity and Uplift were read from

	RFMValues RFMValues
	RFM       RFM // zero before the first order

	interests     [interestsShown]Interest
	interestCount int
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
	scores := Scores{AsOf: now, Version: s.parameters.Version}
	s.lifetime(&scores, NewHistory(c.Purchases, now))
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

// lifetime computes what follows from the history: nothing before the first order.
func (s *Scorer) lifetime(scores *Scores, h History) {
	scores.History = h
	if h.N == 0 {
		return
	}
	orders := s.clv.orders
	if h.X > 0 {
		scores.DaysBetween = h.Tx / h.X * weekDays
	}
	scores.OrderValue = s.clv.spend.Mean(float64(h.N), h.Z)
	scores.CLV = s.clv.Value(h)
	scores.ExpectedOrders = orders.Orders(h, s.expectWeeks)
	scores.ExpectedValue = scores.ExpectedOrders * scores.OrderValue
	scores.Alive = orders.Alive(h)
	scores.Churn = 1 - scores.Alive
	scores.Buys30Days = orders.BuysWithin(h, buysDays/float64(weekDays))
}
