// Package fit finds the parameters of the models of package score, by maximum likelihood over a sample of
// customers.
//
//	History ──► Timing, Spend, trial ──► Histogram ──► ParetoNBD, GammaGamma, beta-binomial, …
//	               cells             add, merge        parameters and Quality, or an error
//
// A histogram is all that a fit reads. Histograms of shards add up, and a fit depends on the sum alone:
// cells are taken in their order, so the result is the same to the last bit wherever the customers
// were counted.
//
// Parameters are sought as logarithms, with time scaled so that the mean age of a customer is 10, and
// money so that the mean value is 1. Two things keep the search where it makes sense, for a likelihood
// that is flat in some direction (nobody ever leaves, say) is the ordinary failure: a bound on the
// logarithms, and a weak pull back to where the search began (Options.Ridge).
package fit
