// Package signal remembers of one person's events what conditions over events need: "viewed a tent three times in a week".
// It is pure: no clock, no I/O, no goroutines.
//
//	event ──► Index.Match ──► marks ──► State.Fold ──► a state a signal in the fragment ──► conditions
//	          which signals    value     what is kept   State.Merge unites those of a person
//
// A signal is a predicate over one event and a kind of memory. Its id is the hash of what it says, so that audiences, traits
// and journeys that say the same share it.
//
// A threshold of n events needs the n newest moments, whatever the window: "at least three in seven days" holds if the third
// newest moment lies within them. That keeps the state of a signal to tens of bytes, and exact.
//
// Invariants:
//   - S1: Fold and Merge are commutative and associative. A later merge can't bring back what was cut off.
//   - S2: Folding one event twice equals folding it once, for every kind but Days and the counts of Distinct. Those rely on the
//     memory of duplicates, as the sums of a fragment do.
//   - S3: Equal definitions have equal ids, whatever the order in which their conditions were written.
//   - S4: No moment is later than the reception of its event, so at evaluation each moment is in the past. The caller of Fold
//     sees to it.
package signal
