// Package scorereport compares the control group, who get no offers, with everybody else: who bought in a window of days, what
// they spent, and which offers they got.
//
//	Engine.Each ──► Profile ──► Tally: group × band × currency ──► Report: shares, means, differences with intervals
//
// Invariants:
//   - R1: memory is bounded by groups × bands × currencies, however many people there are.
//   - R2: sums are exact integers: tallies of parts of the people add up to the tally of all, in any order.
//   - R3: money of different currencies is never added. Who spent nothing in a currency counts as 0 in its means.
//   - R4: a difference that can't be told is none; no figure is NaN or infinite.
package scorereport
