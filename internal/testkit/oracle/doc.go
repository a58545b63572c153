// Package oracle says who is who, slowly. It is what the engine is judged by: one sequential pass
// over all the evidence at once, with no components, messages, shards or caches, written from the
// specification and sharing nothing with the engine but the data types.
//
//	events, assertions, rules ──► evidence ──► resolve ──► fold ──► []graph.Profile ──► Dump
//	                              links        groups      profiles                     text
//
// What is said of the evidence:
//   - E1: events of one message id and one content are one event; of the assertions about one thing the one with the
//     highest (At, ID) holds, and a withdrawn one asserts nothing.
//   - E2: an event links its route to each of its other identifiers, and folds into the fragment of
//     its route alone.
//   - E3: the neighbours of an identifier are those it has an observed link with, whether the link
//     conducts or not. Too many of them make it generic.
//   - E4: an observed link conducts unless an end is generic or forgotten, or the link is retracted.
//     A forced link always conducts.
//   - E5: of an alias event, what previousId may be is linked to what userId is by the verb alias, and all else
//     is observed. A node that nothing is known of but that a previousId may mean it (no event of its own, no
//     other link, no force, not generic) is unseen. Unseen nodes are mere readings, but for one that the form
//     of previousId speaks for, if what else previousId may be is unseen, too.
//
// What is said of the groups:
//   - R1: links are taken in a total order: the stronger verb; the time, ascending for keep_first
//     and descending for latest_wins; the rank of the higher end; the rank of the lower end.
//   - R2: each joins its two groups unless that breaks a constraint: a cannot, or (but for a forced
//     link) the limit of a namespace that both groups hold, or the cap of identifiers that one group may hold
//     (MaxIdentity), which counts all namespaces.
//     An alias between two identifiers of one namespace passes its limit, where the rules say so.
//   - R3: where any limit has a window, a link that was seen more than once is taken at its first
//     time and at its last, each in its place.
//   - R4: who is who depends on the sets of events and assertions, not on order or repetition.
//   - R5: mere readings are in no group and under no limit. Each goes with the first identity that links it and that
//     no cannot keeps it from, is not among its identifiers, and joins nothing to it.
//
// The caps of what is hosted (MaxMembers, MaxLinks) are the engine's protection and not part of this: the
// worlds made here stay far below them.
//
// Beside the oracle stand the cases that every way of running the engine must satisfy (Cases) and
// the makers of random worlds (RandomWorld, DrawWorld).
package oracle
