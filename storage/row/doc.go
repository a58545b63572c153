// Package row says what a deployment's rows are: their keys, their values, and how both are read again.
//
// A shard has one writer. In each commit it appends one record to its log. Later it writes snapshots of nodes, blocks of
// the timeline and of the memory of duplicates, and then deletes the part of the log that they cover. After a crash it
// reads its meta row and its nodes, and replays its log.
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
// # Invariants
//
//   - S6: the number of shards and the secret of a deployment are fixed when it is initialised.
//   - S7: the secret is never printed: Secret's formatting methods say "redacted".
package row
