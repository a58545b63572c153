package score

import "math"

// lnGamma is the logarithm of the gamma function of x > 0.
func lnGamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

// lnRising is ln Γ(a+n) - ln Γ(a), the logarithm of the rising factorial, for a > 0 and n >= 0. It
// keeps its digits where a is large and the two logarithms would cancel.
//
// An example of what is lost otherwise: ln Γ(1e9) is 2e10, whose last digit is worth 4e-6, while the difference for
// n = 1 is 20.7. The product serves whole n up to 40 and a below 12, which are most customers; what is left has a
// below 12, so that little cancels.
func lnRising(a, n float64) float64 {
	switch {
	case n == 0:
		return 0
	case a >= stirlingFrom:
		// Stirling's formula for both, with what they share taken out.
		return (a-0.5)*math.Log1p(n/a) + n*(math.Log(a+n)-1) + stirling(a+n) - stirling(a)
	case n <= risingProduct && n == math.Trunc(n):
		product := a
		for i := 1.0; i < n; i++ {
			product *= a + i
		}
		return math.Log(product)
	}
	return lnGamma(a+n) - lnGamma(a)
}

const (
	stirlingFrom  = 12 // below it the series of stirling has not settled
	risingProduct = 40 // (stirlingFrom+risingProduct)^risingProduct is far from overflow
)

// stirling is ln Γ(x) - [(x-½) ln x - x + ½ ln 2π] for x >= stirlingFrom: Abramowitz and Stegun
// 6.1.41. The remainder is below 1e-16.
func stirling(x float64) float64 {
	y := 1 / (x * x)
	return (1.0/12 - y*(1.0/360-y*(1.0/1260-y*(1.0/1680-y*(1.0/1188-y*691.0/360360))))) / x
}

// lnBeta is the logarithm of the beta function of a, b > 0.
func lnBeta(a, b float64) float64 {
	if a > b {
		a, b = b, a
	}
	return lnGamma(a) - lnRising(b, a)
}

// logit is ln p/(1-p), the log-odds of a probability strictly between 0 and 1.
func logit(p float64) float64 { return math.Log(p) - math.Log1p(-p) }

// sigmoid is the probability of log-odds. It is the inverse of logit, and neither end overflows.
func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

// BetaBinomialLogLikelihood is the log-likelihood of one sequence of trials with the given number of
// successes, when the chance of success is drawn from a beta distribution with parameters a and b.
// It is that of the sequence, not of the count: the binomial coefficient, which no fit depends on,
// is left out.
//
// REQUIRES: a, b > 0 and 0 <= successes <= trials.
func BetaBinomialLogLikelihood(a, b, trials, successes float64) float64 {
	return lnRising(a, successes) + lnRising(b, trials-successes) - lnRising(a+b, trials)
}
