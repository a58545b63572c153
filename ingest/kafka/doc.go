// Package kafka takes the events of Kafka topics into an engine, each once, whatever fails.
//
//	broker ──► poller ──► partition ──► batch ──► chain ──► actors.Delivery ──► Engine
//	             one        queue       decode    prev, seq                       │
//	                          ▲                                                   │
//	                          └──────── answers: taken, or out of turn ◄──────────┘
//	                                        │
//	            floor, group offset ◄───────┴──► dead letters (rejected events)
//
// Every event has a number in its partition: the offset of its record, and its index in that. The shard that
// takes an event takes with it, in one commit, the position in the partition, and takes the next event only
// if that names this position as the one before. So the engine, and nobody else, knows what was
// taken: consumer groups, committed offsets and rebalancing are not needed for it. See actors.Channel.
//
// A partition is in one of these states:
//
//	starting ──► consuming ◄──► waiting      something does not answer; it is tried again, for ever
//	                 │
//	                 └────────► halted        records that should be there are not: an operator decides
//	                                          (kindred kafka seek)
//
// Invariants:
//   - C1: records of a partition are handled in their order, without a gap, from the floor on.
//   - C2: the floor, and the committed group offset, pass a record only when each of its events was taken, named
//     nobody, or is a dead letter that the brokers acknowledged.
//   - C3: no record is skipped but by an operator. Where records are missing, the partition halts.
//   - C4: memory is bounded, whatever the brokers send and however slow the engine is.
//   - C5: a partition that waits or halts keeps no other from going on.
//   - C6: which channel a partition uses depends on its topic (by id), its number, and everything that decides to
//     which shard an event goes. Where that changes, a new channel begins at the floor of the old one.
package kafka
