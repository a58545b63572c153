package eval

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
)

// MAE is the mean absolute error.
func MAE(predicted, actual []float64) float64 {
	return floats.Distance(predicted, actual, 1) / float64(len(actual))
}

// RMSE is the root of the mean squared error.
func RMSE(predicted, actual []float64) float64 {
	return floats.Distance(predicted, actual, 2) / math.Sqrt(float64(len(actual)))
}

// ranks gives each value its place in ascending order, from 1. Equal values share the mean of their places.
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	sorted := slices.Clone(values)
	floats.Argsort(sorted, order)
	r := make([]float64, len(values))
	for i := 0; i < len(sorted); {
		j := i
		for j < len(sorted) && sorted[j] == sorted[i] {
			j++
		}
		for _, k := range order[i:j] {
			r[k] = float64(i+1+j) / 2
		}
		i = j
	}
	return r
}

// Spearman is the rank correlation; equal values share their rank.
func Spearman(predicted, actual []float64) float64 {
	return stat.Correlation(ranks(predicted), ranks(actual), nil)
}

// Gini is the normalised Gini coefficient: sort customers by prediction, and measure how far their outcomes concentrate at
// the front, beyond chance, relative to the perfect order. Customers with equal predictions count as sorted at random.
func Gini(predicted, actual []float64) float64 {
	return concentration(predicted, actual) / concentration(actual, actual)
}

// concentration is the Gini coefficient of actual in the order of predicted, up to a constant factor.
func concentration(predicted, actual []float64) float64 {
	middle := float64(len(actual)+1) / 2
	sum := 0.0
	for i, r := range ranks(predicted) {
		sum += actual[i] * (r - middle)
	}
	return sum
}

// AUC is the probability that a customer with a positive outcome has a higher prediction than one without; equal predictions
// count half.
func AUC(predicted []float64, did []bool) float64 {
	var sum, yes float64
	for i, r := range ranks(predicted) {
		if did[i] {
			sum += r
			yes++
		}
	}
	return (sum - yes*(yes+1)/2) / (yes * (float64(len(did)) - yes))
}
