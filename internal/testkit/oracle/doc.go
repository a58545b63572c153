// Package oracle resolves identities slowly and plainly. The engine is judged by it: one sequential pass over all evidence at
// once, with no components, messages, shards or caches, written from the specification, and sharing only the data types with
// the engine.
//
//	events, assertions, rules ──► evidence ──► resolve ──► fold ──► []graph.Profile ──► Dump
//	                              links        groups      profiles                     text
//
// Rules for the evidence:
//   - E1: events with equal message id and content are one event. Of the assertions about one thing, the one with the highest
//     (At, ID) holds; a withdrawn one asserts nothing.
//   - E2: an event links its route to each of its other identifiers, and folds only into the fragment of its route.
//   - E3: the neighbours of an identifier are those it has an observed link with, whether the link
//     conducts or not. Too many of them make it generic.
//   - E4: an observed link conducts unless an end is generic or forgotten, or the link is retracted.
//     A forced link always conducts.
//   - E5: an alias event links each possible reading of previousId to userId by the verb alias; its other links are observed.
//     A node is unseen if the only evidence of it is that a previousId may mean it (no event of its own, no other link, no
//     force, not generic). Unseen nodes are mere readings, with one exception: the reading that the form of previousId
//     suggests, if the other readings are unseen too.
//   - E6: an event that mentions an identifier links it as if it carried it, if another event mentions it too, or if it
//     exists otherwise: an event carries it, or an assertion made it a node. Else it does not exist.
//
// Rules for the groups:
//   - R1: links are taken in a total order: the stronger verb; the time, ascending for keep_first
//     and descending for latest_wins; the rank of the higher end; the rank of the lower end.
//   - R2: each joins its two groups unless that breaks a constraint: a cannot, or (but for a forced
//     link) the limit of a namespace that both groups hold, or the cap of identifiers that one group may hold
//     (MaxIdentity), which counts all namespaces.
//     An alias between two identifiers of one namespace passes its limit, where the rules say so.
//   - R3: if any limit has a window, a link that was seen more than once is taken at its first time and again at its last.
//   - R4: the identities depend on the sets of events and assertions, not on order or repetition.
//   - R5: mere readings are in no group and count towards no limit. Each goes with the first identity that links to it and is
//     not kept from it by a cannot. It is not among the identifiers of that identity, and joins nothing to it.
//
// Rules for what groups, such as companies, are: T1 to T3 at Groups.
//
// The caps of hosted nodes (MaxMembers, MaxLinks) protect the engine and are not modelled: worlds stay far below them.
//
// The package also has the cases that every way of running the engine must satisfy (Cases), and makers of random worlds
// (RandomWorld, DrawWorld).
package oracle
