// Package kafka takes the events of Kafka topics into an engine, each event once, even if brokers, the engine or this process fail.
//
//	broker ──► poller ──► partition ──► batch ──► chain ──► actors.Delivery ──► Engine
//	             one        queue       decode    prev, seq                       │
//	                          ▲                                                   │
//	                          └──────── answers: taken, or out of turn ◄──────────┘
//	                                        │
//	            floor, group offset ◄───────┴──► dead letters (rejected events)
//
// Every event has a number in its partition: the offset of its record, and its index in that record. The shard that
// takes an event commits, together with it, the position in the partition, and takes the next event only if that
// event names this position as its predecessor. So the engine alone knows which events were taken: it needs no
// consumer groups, committed offsets or rebalancing. See actors.ExternalChannel.
//
// A partition is in one of these states:
//
//	starting ──► consuming ◄──► waiting      something does not answer; it is retried for ever
//	                 │
//	                 └────────► halted        expected records are missing: an operator decides
//	                                          (kindred kafka seek)
//
// Invariants:
//   - C1: records of a partition are handled in order, without a gap, from the floor on.
//   - C2: the floor, and the committed group offset, pass a record only when each of its events was taken, had no
//     identifiers, or is a dead letter that the brokers acknowledged.
//   - C3: only an operator skips records. If records are missing, the partition halts.
//   - C4: memory is bounded, regardless of what the brokers send and how slow the engine is.
//   - C5: a partition that waits or halts holds up no other partition.
//   - C6: the channel of a partition depends on its topic (by id), its number, and everything that decides to which
//     shard an event goes. When that changes, a new channel begins at the floor of the old one.
package kafka
