// Package actors runs the shards of one process: which of them may step, what commits together, and when a caller gets an answer.
//
//	Engine.Submit ──► inbox ──► runner ──► shard.Step ──► committer ──► storage
//	                    ▲                                    │
//	                    └── messages to other shards ◄── shard.Committed ──► answers
//
// Package shard has the steps of a shard, feed an observer of them, protoactor the hosting of actors, and audit the checks
// of a store.
//
// Invariants, beside those of the packages below:
//   - A7: once Visible has returned, a look-up by any identifier of an event that was answered before the call finds the
//     event, as far as the links conduct. While everything is judged again under other rules, it may find it only afterwards.
//   - One goroutine at a time runs a shard. A commit under way holds back the next step of its shard, and no read.
package actors
