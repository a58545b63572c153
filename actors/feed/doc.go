// Package feed keeps the change feed: what became of identities, written by the commit that brought it about.
//
//	shard.Step ──► observer ──► block in the batch of the commit ──► Reader ──► one causal order ──► readers, receivers
//
// Invariants:
//   - A9: a commit tells what it changes of identities in its own batch: no change is missing, and none is premature.
//   - Of one identity, a reader gets entries in the order of its changes, and every entry after what brought it about.
//   - Entries that a registered receiver has not acknowledged are not deleted.
package feed
