// Package egress turns entries of the change feed into CloudEvents and carries them to receivers.
//
//	feed.Reader, Receiver ──► feed.Event ──► CloudEvent (JSON) ──► GET /v1/changes, kindred tail
//	                                              └──► Publisher ──► Sink (Kafka)
//
// Invariants:
//   - E1: what Append writes, Parse reads back: an entry of the feed passes through JSON unchanged, as far as
//     the feed tells it.
//   - E2: a receiver's place moves on once it has what is before it, never sooner.
package egress
