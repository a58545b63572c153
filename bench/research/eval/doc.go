// Package eval measures how well package score predicts the behaviour of customers in public data sets.
// Its module is separate from Kindred's, so that modules for plots, fonts and PDF stay out of the product.
package eval
