// Package layer has one benchmark for each layer that an event passes, from its bytes to durable rows, and back to a reader:
//
//	 1 decode    bytes ──► graph.Event                              segment.Decoder
//	 2 fold      an event of a known identity into its fragment     graph.Node
//	 3 union     two nodes become one identity                      graph.Node: Observe, Join, Absorb, Close
//	 4 absorb    a component of n identifiers comes under another   graph.Node: Join, Absorb, Close
//	 5 resolve   a component is divided into identities             graph.Component, a limit kept or broken
//	 6 shard     unions through actors, in one shard                actors.Engine on a store that keeps nothing
//	 7 shards    unions through actors, across shards               the same, 64 shards
//	 8 commit    batches of rows, durable on disk                   storage.Pebble
//	 9 durable   unions through actors, durable on disk             actors.Engine on storage.Pebble, group commit
//	10 requests  the same by callers who wait until it is visible   the same
//	11 read      the live profile of an identity, looked up         actors.Engine
//
// Layers 3, 6, 7, 9 and 10 do the same work, unions, on more and more of the engine: their differences are the costs of actors,
// of messages between shards, of the disk, and of small steps. Run all with
//
//	go test -run '^$' -bench Layer ./bench/layer
//
// and compare two commits with `make bench-gate`, which runs these files against the code of both.
//
// Rules:
//   - L1: a benchmark allocates nothing of its own while it is timed. Its input is made before, or while the clock stands, and
//     its garbage is collected then. All allocations that are counted are the layer's.
//   - L2: each reports cpu-ns/op: the user and system time of the process, in which another process on the machine shows
//     less than in the time on the clock.
//   - L3: only exported names are used, and few, so that these files also build against an older commit.
package layer
