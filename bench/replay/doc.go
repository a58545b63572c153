// Package replay reads a stream of orders, offers and merges, row by row, and answers the queries in it with the
// scores of that moment. The rows take the road of live events: each becomes an event of an identifier, folded into a
// fragment by package graph; what is one person is what graph makes of it.
//
//	row ──► graph.Event ──► people (nodes, components) ──► Profile ──► score.Customer ──► answer
//	merge ──► forced link                                    │
//	fit ──────────────────────────── sample of all profiles ─┘ ──► parameters
//
// Invariants:
//   - R1: an answer is a function of the set of rows before its query: their order, their repetition and whether a
//     customer's rows came under one profile or under several that were merged change nothing.
//   - R2: a row after a query changes nothing of its answer.
//
// For R1 a fit is as of its own time, and made when the next query needs it, of all rows before that query; of several, the
// latest holds. And all profiles are its sample: which would be in a part of them depends on their names.
package replay
