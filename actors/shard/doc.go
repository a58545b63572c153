// Package shard orders what happens in one slice of the key space.
//
//	inputs ──► Step ──► identity actor (Host) ──► graph
//	             │  └──► observers: counters, change feed
//	             ▼
//	           Batch: one log record, deferred rows, rows of observers ──► storage ──► Committed ──► acks, messages
//
// A Shard is a deterministic state machine: it takes inputs, handles them in memory, and prepares one log record with
// everything that it took and everything that it sends. It has no goroutine, clock or lock of its own. In production an
// actor drives it (package actors); in tests a simulator does, with crashes, delays and repetitions.
//
// Invariants:
//   - A1: nothing leaves a shard (answer, ack, message, change) before the record that it follows
//     from is durable.
//   - A2: a record holds every message that a node took, with the shard's own messages to itself,
//     and every message sent to other shards. Handling touches one node only, so a node's state is
//     its row and the records after it, whichever other nodes were written when.
//   - A3: a message of another shard is taken if and only if its number is the one after the last
//     one taken from there.
//   - A4: a node's row says up to which record it counts (applied). Replay passes over older ones.
//   - A5: a log record is deleted only when every node that it touched has a newer row, every message that it sent was
//     acknowledged, the memories of duplicates and of ids that it filled are written, and the ids of its events were told.
//   - A6: memory is ahead of the store by one record at most, the one being committed.
//   - A8: an event of an external channel is taken if and only if the number before it in that channel, of those
//     routed to the shard, is the shard's position there. The position is in the record with the event. It
//     is shown to others once that is durable.
//   - A10: what was found once stays found, crashes or not: a look-up follows forwards, and where one has
//     evidence on its way, it waits for that message alone.
//   - A11: of events with one message id and one content one is taken, and the shards of the ids count each that is taken
//     once: Conflicting, over all shards, is the number of events less that of ids, once what was noted is told. For as
//     long as ids are remembered.
//   - A13: rows of groups are written in the batch of the record that takes what they are told, once each event.
package shard
