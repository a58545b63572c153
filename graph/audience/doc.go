// Package audience decides who is in an audience: of a definition, the state of one person, and the time. It is pure: no clock, no
// I/O, no goroutines.
//
//	JSON ──► Node ──► Catalog ──► Evaluate(View, now) ──► who is in, and until when that can't change without an event
//	         tree     signals,                └─► Explain: each condition with its value and the events that decide
//	                  order
//
// A definition is a tree of conditions. Conditions over events read what the signals of package signal remember; the others read
// traits, identifiers, orders, scores, and other audiences.
//
// Time is an input. Beside the answer, Evaluate gives the earliest moment at which the answer may change without an event: of
// "three views within seven days" seven days after the third newest. A caller that asks again then, and after each event,
// always knows the truth, and nothing is recomputed in between.
//
// Invariants:
//   - T1: Evaluate depends on the view, the definitions and now alone.
//   - T5: For every t with now <= t < until and no event between, Evaluate(view, t) gives the same answer as Evaluate(view, now).
//   - T6: until is later than now.
//   - T7: An audience refers to audiences that were evaluated before it: there is no cycle.
package audience
