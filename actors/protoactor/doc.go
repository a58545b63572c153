// Package protoactor hosts actors on Proto.Actor, and is the only package that knows that library: shards and identities see
// the interfaces of their own packages, and pass handles on without looking at them.
//
//	actors ──► System ──► shard actor (its mailbox is the engine's inbox)
//	shard  ──► host   ──► identity actors, its children (driven: a mailbox without a queue)
//
// Proto.Actor gives every identity and every shard an address, a parent and a life cycle (docs/decisions/0003). It does
// not carry messages between shards of one process: those travel in the numbered channels of package shard, which survive
// a crash.
package protoactor
