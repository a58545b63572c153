// Package storage keeps a deployment's state on one machine: one ordered key-value store for all
// shards of the process, written in atomic, durable batches.
//
//	shard 0 ─ Batch ─┐
//	shard 1 ─ Batch ─┼─► Commit ─► one write-ahead record, one fsync ─► memtable ─► tables
//	shard n ─ Batch ─┘
//
// A shard has one writer. Per commit it appends one record to its log; behind that it writes
// snapshots of nodes, blocks of the timeline and of the memory of duplicates, and then deletes the
// log that they cover. After a crash it reads its meta row and its nodes, and replays its log.
//
// # Keys
//
// All numbers are big-endian, so rows sort as numbers do. A key's space is its first byte; no key is
// a prefix of a key of another space.
//
//	               1 B   2 B     16 B   8 B
//	             +-----+
//	deployment   | 01  |                                one row
//	             +-----+----+
//	rules        | 01  | 01 |                           one row, of the same space
//	             +-----+----+--+
//	meta         | 02  | shard |                        one row a shard
//	             +-----+-------+-----+
//	log          | 03  | shard | seq |                  one row a commit, short-lived
//	             +-----+-------+-----+
//	node         | 04  | shard | node key |             one row a node
//	             +-----+-------+----------+-----+
//	timeline     | 05  | shard | node key | seq |       one row a block of events
//	             +-----+-------+---+------+-----+----+
//	seen         | 06  | shard | kind 1 B | generation 8 B | run 4 B | block 4 B |
//	             +-----+-------+-----+
//	quarantine   | 07  | shard | seq |                  one row a message that failed
//	             +-----+-------+-----+
//	channel      | 08  | id 2 B|                        one row an external channel
//	             +-----+-------+
//	position     | 09  | shard |                        one row a shard: how far it took external channels
//	             +-----+-------+-----+
//	feed         | 0a  | shard | number |               one row a commit that changed identities
//	             +-----+-------+-----+
//	feed state   | 0b  | kind 1 B | …                   settings; end and beginning by shard; marks; receivers
//	             +-----+----------+
//
// # Data directory
//
//	DIR/KINDRED   names the format; written last, so its presence says that DIR is complete
//	DIR/LOCK      held by the process that has DIR open
//	DIR/db/       Pebble
//
// A backup has the same layout, without LOCK, and can be served as it is.
//
// # Invariants
//
//   - S1: a batch is applied entirely or not at all.
//   - S2: Commit returns nil only when the batch is durable: it survives the death of the process and
//     of the machine. After an error the outcome is unknown until the store is opened again.
//   - S3: a store that failed stays failed: from the first background, write or corruption error every
//     operation returns that error. Nothing is read or written on top of a state that may be wrong.
//   - S4: what a store returns was committed: every block carries a checksum, and one that does not
//     match is ErrCorrupt with the file's name, never a value.
//     Damage in the middle of the write-ahead log is told from a tail that a crash tore: commits are
//     written one at a time, so a record after the damage proves that the damaged one was durable.
//   - S5: one process at a time has a data directory open.
//   - S6: the number of shards and the secret of a deployment are fixed when it is initialised.
//   - S7: the secret is never printed: Secret's formatting methods say "redacted".
//   - S8: the memory of duplicates answers exactly for the hashes it holds, for at least its horizon;
//     a crash loses only what was added since the last Flush that was committed.
//   - S9: a fingerprint that was added is always found, so "surely never stored" is always true.
package storage
