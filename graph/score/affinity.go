package score

import (
	"fmt"
	"math"
)

// Trial is a kind of occasion on which a customer takes a discount or does not. The counts of each kind are Trials.
type Trial uint8

// The kinds of trials.
const (
	trialOffers     Trial = iota // offers accepted, of offers that were accepted or have closed
	trialCoupons                 // orders with a coupon
	trialReductions              // orders with any reduction
	trialKinds
)

var trialNames = [trialKinds]string{"offers", "coupons", "reductions"}

func (t Trial) String() string {
	if t < trialKinds {
		return trialNames[t]
	}
	return ""
}

// Band sums up an affinity for people.
type Band uint8

// The bands.
const (
	bandUnknown Band = iota // no offer has closed, and fewer than two orders
	bandLow                 // the odds are at most half the population's
	bandMedium
	bandHigh // the odds are at least twice the population's
	bands
)

// Bands is how many there are.
const Bands = int(bands)

var bandNames = [bands]string{"unknown", "low", "medium", "high"}

func (b Band) String() string {
	if b < bands {
		return bandNames[b]
	}
	return ""
}

const (
	bandEdge      = 0.7 // log-odds: ln 2, as people say it
	ordersToJudge = 2   // without a closed offer
)

// Affinity says how readily a customer answers to discounts, compared with the population: the log-odds of the
// population's rate, plus the points of each kind of trial (a naive Bayes sum of shrunk log-odds ratios).
//
// It is a correlation. The choice of coupon receivers belongs to Uplift.
type Affinity struct {
	Score    float64 // 0 to 1: the chance that the next offer is accepted (where no offers are known: that the next order is reduced)
	Evidence float64 // log-odds over the population: the sum of the points of Trials
	Band     Band
	Trials   [trialKinds]TrialEvidence
	Depth    float64 // mean share of the price that was taken off a reduced order, shrunk to the population's
}

// TrialEvidence is what one kind of trial adds to an affinity, and why.
type TrialEvidence struct {
	Trial      Trial
	Trials     Trials
	Rate       float64 // the customer's, shrunk to the population's
	Population float64 // the population's mean rate
	Weight     float64
	Points     float64 // Weight (logit Rate - logit Population); 0 without trials
}

var trialReasons = [trialKinds]string{
	"accepted %d of %d offers, population %.0f %%: %+.1f",
	"used a coupon in %d of %d orders, population %.0f %%: %+.1f",
	"paid less than the full price in %d of %d orders, population %.0f %%: %+.1f",
}

// Counts reports whether the trials are evidence: there are some, and their kind has weight.
func (e *TrialEvidence) Counts() bool {
	return e.Trial < trialKinds && e.Trials.Of > 0 && e.Weight != 0
}

// Reason is the evidence in words, "accepted 3 of 4 offers, population 14 %: +1.3"; empty where it does not count.
func (e *TrialEvidence) Reason() string {
	if !e.Counts() {
		return ""
	}
	return fmt.Sprintf(trialReasons[e.Trial], e.Trials.Won, e.Trials.Of, 100*e.Population, e.Points)
}

// Affinity reads a customer's counts.
func (p *Population) Affinity(c *PriceCounts) Affinity {
	a := Affinity{Trials: p.evidence(c), Depth: p.depth(c)}
	for i := range a.Trials {
		a.Evidence += a.Trials[i].Points
	}
	_, base := p.weights(c)
	a.Score = sigmoid(p.priors[base].logit + a.Evidence)
	switch {
	case c.Offers.Of == 0 && c.Reductions.Of < ordersToJudge:
		a.Band = bandUnknown
	case a.Evidence >= bandEdge:
		a.Band = bandHigh
	case a.Evidence <= -bandEdge:
		a.Band = bandLow
	default:
		a.Band = bandMedium
	}
	return a
}

// evidence weighs each kind of trial for one customer.
func (p *Population) evidence(c *PriceCounts) (all [trialKinds]TrialEvidence) {
	weights, _ := p.weights(c)
	for kind, t := range [trialKinds]Trials{c.Offers, c.Coupons, c.Reductions} {
		all[kind] = p.priors[kind].evidence(Trial(kind), t, weights[kind])
	}
	return all
}

func (prior *trialPrior) evidence(kind Trial, t Trials, weight float64) TrialEvidence {
	e := TrialEvidence{Trial: kind, Trials: t, Rate: prior.mean, Population: prior.mean, Weight: weight}
	if t.weighedOf == 0 {
		return e
	}
	of, won := t.Weighed()
	yes, no := prior.A+won, prior.B+max(of-won, 0)
	e.Rate = yes / (yes + no)
	if weight != 0 {
		e.Points = weight * (math.Log(yes/no) - prior.logit)
	}
	return e
}

// depth shrinks the customer's mean depth by some baskets of the population's.
func (p *Population) depth(c *PriceCounts) float64 {
	k := p.parameters.DepthWeight
	return (k*p.parameters.Depth + float64(c.ReducedDiscount)) / (k + float64(c.ReducedGross))
}

// OfferProbability is the chance that a customer accepts an offer of a class that is sent now: the affinity on the
// base of the class, half the logarithm of how often the customer buys, and the population's intercept.
// It is for reading and for sizing a mailing: it grows with how much a customer buys anyway.
func (p *Population) OfferProbability(c *PriceCounts, class string) float64 {
	return sigmoid(p.offerLogit(c, class) + p.parameters.Intercept)
}

// rateWeight is how much of a difference in purchase rate shows in the odds of accepting an offer.
const rateWeight = 0.5

// offerLogit is what is known of the chance before the population's intercept.
func (p *Population) offerLogit(c *PriceCounts, class string) float64 {
	logit, known := p.classLogits[class]
	if !known {
		_, base := p.weights(c)
		logit = p.priors[base].logit
	}
	for _, e := range p.evidence(c) {
		logit += e.Points
	}
	return logit + rateWeight*(logRate(c, &p.decay)-p.parameters.MeanLogRate)
}

// logRate is the logarithm of the occasions a day, faded by age as all evidence is, as if one had come in 30 days
// before the first sight. A customer who left has a low rate, however often they once bought.
func logRate(c *PriceCounts, decay *Decay) float64 {
	const before = 30
	return math.Log((float64(c.weighedOccasions)/decayUnit + 1) / (decay.days(float64(c.Age)/dayMillis) + before))
}
