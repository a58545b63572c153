package score

import (
	"fmt"
	"math"
)

// GammaGamma is the Gamma-Gamma model of spending (Fader and Hardie, "The Gamma-Gamma model of monetary
// value", note 025, 2013): the value of a customer's occasion varies around a mean of their own, and
// the means are spread over customers. The amount that a customer spends does not depend on how often.
//
// The fewer occasions are known, the nearer the expected value is to the population's.
type GammaGamma struct {
	P     float64 // shape of the values around a customer's mean
	Q     float64 // shape of the means over customers, above 1
	Gamma float64 // minor units
}

// Validate says which parameter is no parameter of this model.
func (m GammaGamma) Validate() error {
	if err := positive("Gamma-Gamma", parameter{"p", m.P}, parameter{"q", m.Q}, parameter{"gamma", m.Gamma}); err != nil {
		return err
	}
	if m.Q <= 1 {
		return fmt.Errorf("%w: q of Gamma-Gamma is %v, so the mean of the population is infinite; give one above 1", errParameter, m.Q)
	}
	return nil
}

// LogLikelihood of n occasions with the mean value z.
//
// REQUIRES: n, z > 0.
func (m GammaGamma) LogLikelihood(n, z float64) float64 {
	pn, total := m.P*n, n*z
	return -lnBeta(pn, m.Q) - pn*math.Log1p(m.Gamma/total) - math.Log(z) - m.Q*math.Log1p(total/m.Gamma)
}

// Mean is the expected value of an occasion to come, of a customer with n occasions of mean value z so
// far: p (gamma + n z) / (p n + q - 1). Negative numbers count as 0.
//
// It is an average of the population's mean and the customer's, and the weight of the customer's grows with n:
//
//	(q-1)/(pn+q-1) · Population + pn/(pn+q-1) · z
func (m GammaGamma) Mean(n, z float64) float64 {
	n, z = bound(n, 1e15), bound(z, 1e100)
	return m.P * (m.Gamma + n*z) / (m.P*n + m.Q - 1)
}

// Population is the mean value of an occasion over all customers.
func (m GammaGamma) Population() float64 { return m.P * m.Gamma / (m.Q - 1) }
