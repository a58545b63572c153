// Package debug shows events live: as they came in, what was read of them, and what they did to the graph.
//
//	intakes ──► Tap ──► Debugger.show ──► filter, rate ──► queue of a listener ──► visible? person, merges ──► server-sent event
//	shards ──► merges of durable steps ──► journal ─────────────────────────────────────────┘
//
// Invariants:
//   - G1: while nobody listens, an event costs one atomic load, and a merge one.
//   - G2: no listener holds up ingest: what finds no room in its queue is left out, and the listener is told how much.
//   - G3: memory is bounded: listenersMax queues of queueMax entries and queueBytesMax bytes, and one journal of journalMax
//     merges, which lives as long as somebody listens.
//   - G4: up to Rate events a second that a listener's filter lets through, all are shown; above that, the first of each second,
//     and the listener is told how many were left out.
//
// The filter comes before the rate, so one customer can be followed under full load. The effects are looked up by the
// listener's goroutine, after the event is durable and visible, so the shards that take events do nothing for a debugger.
package debug
