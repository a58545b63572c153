// Package egress turns entries of the change feed into CloudEvents and carries them to receivers.
//
//	feed.Reader, Receiver ──► feed.Event ──► CloudEvent (JSON) ──► GET /v1/changes, kindred tail
//	                                              └──► Publisher ──► Sink (Kafka)
//
// Invariants:
//   - E1: Parse reads what Append writes: an entry passes through JSON unchanged, except the ranks and ties of
//     stamps.
//   - E2: a receiver's position passes an entry only after the receiver has it.
package egress
