// Package journal decides which commits of a shard count when several nodes may write them, and who may write. It is pure: no
// goroutine, clock, lock or network. Package cluster says how it fits in, and lists the invariants J1 to J10.
package journal
