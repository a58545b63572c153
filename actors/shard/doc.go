// Package shard orders what happens in one slice of the key space.
//
//	inputs ──► Step ──► identity actor (Host) ──► graph
//	             │  ├──► observers: counters, change feed
//	             ▼  ▼
//	           Batch: one log record, rows, rows of observers ──► storage ──► Committed ──► acks, messages
//
// A Shard is a deterministic state machine: it takes inputs, handles them in memory, and prepares one log record with
// everything that it took and everything that it sends. It has no goroutine, clock or lock of its own. In production an
// actor drives it (package actors); in tests a simulator does, with crashes, delays and repetitions.
package shard
