// Package dedupe remembers which messages a shard has taken, so that an event which a client, a file or a broker
// delivers twice counts once. docs/decisions/0020-memory-of-duplicates.md says what it promises and what it costs.
//
//   - S8: the memory of duplicates answers exactly for the hashes it holds, for at least its horizon;
//     a crash loses only what was added since the last Flush that was committed.
package dedupe
