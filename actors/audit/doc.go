// Package audit reads all rows of a store and checks that they agree with each other. kindred verify runs it, and so does the
// simulator after each crash.
package audit
