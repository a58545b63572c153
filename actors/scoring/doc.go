// Package scoring keeps the parameters of a deployment's scores, and reports what offers achieve.
//
// A Keeper holds the snapshot of parameters in use. It fits the next snapshot to a sample of the live profiles, and
// stores it before anyone computes with it.
//
//	Engine.Sample ──► fit.Sample ──► Parameters ──► Calibration ──► store ──► Scorer
//
// Invariants:
//   - K1: a snapshot in use is in the store, or is the snapshot of the cold start.
//   - K2: a snapshot never changes; the next one has the next version.
//   - K3: a fit that fails leaves everything as it is. A part that fails keeps its values; the rest is used.
//   - K4: one fit at a time.
//
// A Report compares the control group, which receives no offers, with everybody else: who bought within a window of
// days, what they spent, and which offers they received.
//
//	Engine.Each ──► Profile ──► Tally: group × band × currency ──► Report: shares, means, differences with intervals
//
// Invariants:
//   - R1: memory is bounded by groups × bands × currencies, whatever the number of people.
//   - R2: sums are exact integers: the tallies of parts of the people add up to the tally of all, in any order.
//   - R3: amounts in different currencies are never added. A person who spent nothing in a currency counts as 0 in its means.
//   - R4: a difference that cannot be computed is absent; no figure is NaN or infinite.
package scoring
