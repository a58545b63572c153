// Package audit reads everything that a store holds and checks that it holds together. It is what kindred verify runs, and
// what the simulator asks after crashes.
package audit
