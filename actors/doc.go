// Package actors runs the shards of one process: who may step when, what commits together, and when a caller gets an answer.
//
//	Engine.Submit ──► inbox ──► runner ──► shard.Step ──► committer ──► storage
//	                    ▲                                    │
//	                    └── messages to other shards ◄── shard.Committed ──► answers
//
// What a shard does with its inputs is in package shard, what follows from it in the packages of its observers (feed), how
// actors are hosted in protoactor, and what a store must look like in audit.
//
// Invariants, beside those of the packages below:
//   - A7: once Visible has returned, what was answered before it was called is found by every identifier
//     that it names, as far as the links conduct; while everything is judged again under other rules, once that is done.
//   - One goroutine at a time runs a shard. A commit in flight holds back the next step of its shard, and no read.
package actors
