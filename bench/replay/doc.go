// Package replay reads a stream of orders, offers and merges, row by row, and answers the queries in it with the scores at
// that moment. Rows are processed like live events: each becomes an event of an identifier, which package graph folds and
// joins into people.
//
//	row ──► graph.Event ──► people (nodes, components) ──► Profile ──► score.Customer ──► answer
//	merge ──► forced link                                    │
//	fit ──────────────────────────── sample of all profiles ─┘ ──► parameters
//
// Invariants:
//   - R1: an answer is a function of the set of rows before its query. The order and repetition of rows do not change it, nor
//     does it matter whether a customer's rows use one profile or several merged ones.
//   - R2: a row after a query does not change its answer.
//
// R1 requires that a fit is lazy: it runs when the next query needs it, on all rows before that query, as of the time of the
// fit; of several fits, the latest counts. R1 also requires that a fit samples all profiles, because a partial sample would
// depend on their names.
package replay
