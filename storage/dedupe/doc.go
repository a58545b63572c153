// Package dedupe remembers the messages that a shard has taken, so that an event counts once even if a client, a file
// or a broker delivers it twice. docs/decisions/0020-memory-of-duplicates.md states its promises and its cost.
//
//   - S8: the memory of duplicates answers exactly for the hashes it holds, for at least its horizon; a crash loses
//     only the hashes added since the last committed Flush.
package dedupe
