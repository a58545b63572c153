// Package score says what a customer is worth, whether they will come back, and what they answer to.
// It is pure: every score is a function of (what was seen, parameters, now). No clock, no I/O, no
// state; the standard library only.
//
//	Purchases, now ──► History ──► Model (Pareto/NBD) ──► Alive, Orders, BuysWithin, Discounted
//	                      │                                                │
//	                      └──────► GammaGamma ──► mean value of an order ──┴──► CLV
//
// Parameters are fitted to a sample of customers by package fit, and are data here.
//
// Invariants:
//   - S1: a score depends on the set of purchases, not on their order or repetition, to the last bit.
//   - S2: no score is NaN, infinite or negative, whatever the history, the clock and the horizon, as
//     long as the parameters are valid (Validate).
//   - S3: time alone, without a purchase, never raises Alive or Orders.
//   - S4: nothing allocates, and no loop is unbounded.
//   - S5: discounting never raises a value: Discounted is at most Orders over the same horizon.
//
// # How the models are evaluated
//
// The formulae of the papers are ratios of gamma functions and Gauss's hypergeometric function that
// overflow, cancel or converge slowly for the customers that matter most, those who buy often. Here
// each is written as an integral of something positive with a meaning: race is the chance that a
// customer leaves before the next purchase would have come; betaLomax the share of customers who
// have not left yet. Each is then evaluated by what converges fast where it stands: a power series in
// the middle, a continued fraction farther out, quadrature at the edge (race.go, betalomax.go).
package score
