// Package cluster lets several nodes share the shards of a deployment. Kafka orders and keeps every commit and decides who
// writes, gossip says who is alive, and each node's store is a copy. Ours is only the rule between them, in three pure packages.
//
//	           view of the nodes                    the shard's partition of the journal
//	                 │                          claim a │ data │ data │ claim b │ data a │ data b
//	                 ▼                              │                      void ──┘
//	place.Decide: own, follow, absent               ▼ every node folds the same log
//	                 │                       ┌─────────────┐   commits   ┌──────────────────────┐
//	                 └──────────────────────►│ journal     │────────────►│ store: rows, position│
//	engine: Step ──► batch ──► Owner.Commit ─►│ Owner, Fold │             └──────────────────────┘
//	                 ▲ answers, messages      └─────────────┘
//	                 └──── Decided: appended, and no claim in between
//
// The life of a shard on a node:
//
//	absent ─► copying ─► following ─► claiming ─► owning ─► yielding ─► following ─► absent
//	                         ▲             │          │
//	                         └──── lost ◄──┴──────────┘   overtaken, outcome unknown, or not wanted
//
// Each failure ends in following: memory of the shard is dropped, its copy stays a prefix of what counts. A node that finds the
// journal to lack what was acknowledged halts the shard, since only an operator can decide then.
//
// Invariants:
//   - J1: whether a record counts follows from the records before it in the partition alone (journal.Fold).
//   - J2: nothing that a commit brings about leaves its shard, and none of its rows is written, before its last part is in the
//     log and every offset since the owner's last record is known to hold no claim.
//   - J3: rows and position of a copy are written in one batch, and a commit of several parts as a whole: the copy is the fold of
//     a prefix of the log.
//   - J4: a node claims only with a copy that is caught up, and opens the shard only once it has folded all up to its own claim.
//   - J5: a log tail is replayed by the handlers and rules that wrote it: others claim only what was sealed.
//   - J6: an owner appends at least once a second, so that it learns within that time that it was overtaken, and answers
//     local reads for 3 s after its last append that counted began. A strong read is answered by an append that counts and began
//     after the shard was read.
//   - J7: a record is deleted only when two copies, or one and a backup, hold it durably, as each said at most 10 s before. A copy
//     is dropped only when two others hold all that it ever vouched for, as they say after it has stopped to.
//   - J8: a copy under way has no position until all its rows are there; then it has the position of its first snapshot.
//   - J9: rows of no shard are written by the owner of the control partition, each change whole or not at all, and only if the
//     rows that it rests on are unchanged.
//   - J10: who finds the definition of a deployment that one process had finds all its rows.
//   - J11: a shard deletes nothing of the change feed above its floor. Floors, and the receivers that begin at them, change one row
//     of no shard, so each rests on those before it (actors/feed/floor.go).
//   - J12: of the nodes that publish to a receiver only the last one to take it delivers to it and moves its position, and it reads
//     that after it has ended the deliveries of the one before (egress/turns.go).
//   - J13: between the two looks of a hold there was a moment at which each shard was with the node that the looks found it with, as
//     appends show that count and began after the moment, and at which nothing was under way in any shard or between two. A
//     snapshot that was taken in between has each shard as it was at that moment.
//
// Two nodes can both believe that they own a shard; then what one of them appends is void, and it tells nobody. So what is visible
// outside is always part of the valid log, whatever any node, view, clock or network does. What Kafka must do is to keep and
// order what it acknowledged.
//
// The obvious design, a lease by a membership service, fails where a node pauses: it writes after its lease ended, unless the
// log itself refuses the write.
package cluster
