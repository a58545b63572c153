// Package eval measures how well package score predicts what customers of public data sets went on to do.
// Its module is separate from Kindred's, so that modules for plots, fonts and PDF stay out of the product.
package eval
