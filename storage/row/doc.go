// Package row defines the rows of a deployment: their keys, their values, and how both are read.
//
// A shard has one writer. In each commit it appends one record to its log. Later it writes snapshots of nodes, blocks of
// the timeline and of the memory of duplicates, and then deletes the part of the log that they cover. After a crash it
// reads its meta row and its nodes, and replays its log.
//
// # Keys
//
// All numbers are big-endian, so rows sort as numbers do. A key's space is its first byte. Widths are in bytes; make
// generate draws this from the table in kind.go.
//
//	                  +----+
//	deployment        | 01 |                                                      one row
//	                  +----+----+
//	rules             | 01 | 01 |                                                 one row
//	                  +----+----+
//	parameters        | 01 | 02 |                                                 one row: parameters of the scores
//	                  +----+----+----+
//	access key        | 01 | 03 | id |                                            one row an access key: its hash, scopes, expiry
//	                  +----+----+----+----+
//	kept answer       | 01 | 04 | hash 16 |                                       one row a request with an idempotency key: its hash, answer, time
//	                  +----+----+---------++
//	dead letter       | 01 | 05 | number 8 |                                      one row an event that was refused: why, its text
//	                  +----+----+----------+
//	definitions       | 01 | 06 |                                                 one row: audiences, and the signals that they read
//	                  +----+----+------+
//	cluster node      | 01 | 07 | name |                                          one row a node of a cluster: whether it has shards
//	                  +----+----+----+-+
//	meta              | 02 | shard 2 |                                            one row a shard
//	                  +----+---------+-------+
//	log               | 03 | shard 2 | seq 8 |                                    one row a commit, packed; short-lived
//	                  +----+---------+-------+-----+
//	node              | 04 | shard 2 | node key 16 |                              one row a node
//	                  +----+---------+-------------+-------+
//	timeline          | 05 | shard 2 | node key 16 | seq 8 |                      one row a block of events, packed
//	                  +----+---------+--------+----+-------+-+-------+---------+
//	seen              | 06 | shard 2 | kind 1 | generation 8 | run 4 | block 4 |  blocks of hashes, filters
//	                  +----+---------+-------++--------------+-------+---------+
//	quarantine        | 07 | shard 2 | seq 8 |                                    one row an input that failed
//	                  +----+------+--+-------+
//	channel           | 08 | id 2 |                                               one row an external channel, for ever
//	                  +----+------+--+
//	position          | 09 | shard 2 |                                            one row a shard: positions in channels
//	                  +----+---------+----------+
//	feed              | 0a | shard 2 | number 8 |                                 one row a commit with entries, packed
//	                  +----+----+----+----------+
//	feed settings     | 0b | 01 |                                                 one row
//	                  +----+----+---------+
//	feed end          | 0b | 02 | shard 2 |                                       one row a shard: its end of the feed
//	                  +----+----+---------+
//	feed beginning    | 0b | 03 | shard 2 |                                       one row a shard: its beginning of the feed
//	                  +----+----+---------+-------------+
//	feed mark         | 0b | 04 | shard 2 | node key 16 |                         one row a root announced under other rules
//	                  +----+----+------+--+-------------+
//	feed receiver     | 0b | 05 | name |                                          one row a receiver: its position
//	                  +----+----+------+
//	feed floors       | 0b | 06 |                                                 one row, in a cluster: up to where shards may delete
//	                  +----+----+----+--------------+
//	group             | 0c | shard 2 | group key 16 |                             one row a group: its traits, and how many events name it
//	                  +----+---------+--------------+-----------+
//	member            | 0d | shard 2 | group key 16 | member 16 |                 one row a route of events that name a group; higher ranks first
//	                  +----+----+----+----+---------+---+-------+
//	told              | 0e | 01 | shard 2 | node key 16 |                         one row a root whose identities are in audiences, or will be
//	                  +----+----+---------+------------++------------+
//	audience member   | 0e | 02 | shard 2 | audience 4 | identity 16 |            one row an identity in an audience: since when
//	                  +----+----+---------+------------+-------------+
//	audience count    | 0e | 03 | shard 2 | audience 4 |                          one row an audience: how many identities of the shard are in it
//	                  +----+----+---------+-------+----+--------+
//	wake              | 0e | 04 | shard 2 | due 8 | node key 16 |                 one row a root at most: when its audiences may change without an event
//	                  +----+----+---------+-------+-------------+
//	telling           | 0e | 05 | shard 2 |                                       one row a shard: by which audiences its people were evaluated
//	                  +----+----+----+----+
//	marking           | 0f | shard 2 |                                            one row a shard: its version of the definitions
//	                  +----+---------+
//	journal position  | 7f | shard 2 |                                            one row a shard, in a cluster
//	                  +----+---------+
//
// # Invariants
//
//   - S6: the number of shards and the secret of a deployment are fixed when it is initialised.
//   - S7: the secret is never printed: Secret's formatting methods say "redacted".
package row
