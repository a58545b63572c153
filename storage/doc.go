// Package storage keeps a deployment's state on one machine: one ordered key-value store for all
// shards of the process, written in atomic, durable batches.
//
//	shard 0 ─ Batch ─┐
//	shard 1 ─ Batch ─┼─► Commit ─► one write-ahead record, one fsync ─► memtable ─► tables
//	shard n ─ Batch ─┘
//
// Keys and values are bytes here: package row gives them meaning.
//
// # Data directory
//
//	DIR/KINDRED   names the format; written last, so its presence means that DIR is complete
//	DIR/LOCK      held by the process that has DIR open
//	DIR/db/       Pebble
//
// A backup has the same layout, without LOCK, and can be served directly.
//
// # Invariants
//
//   - S1: a batch is applied entirely or not at all.
//   - S2: Commit returns nil only when the batch is durable: it survives a crash of the process or of the machine.
//     After an error the outcome is unknown until the store is opened again.
//   - S3: a store that failed stays failed: after the first background, write or corruption error every operation
//     returns that error. Nothing is read from, or written to, a state that may be wrong.
//   - S4: a store returns only committed values: every block carries a checksum, and a block that does not match is
//     ErrCorrupt with the file's name. Damage in the middle of the write-ahead log is distinguished from a tail that
//     a crash tore: commits are written one at a time, so a record after the damage proves that the damaged record
//     was durable.
//   - S5: at most one process has a data directory open.
//
// S6 and S7 are in package row, S8 in package dedupe, S9 in package hashset.
package storage
