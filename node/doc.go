// Package node runs one Kindred in this process: a data directory with its engine, and everything that flows in and out.
//
//	Config ──► New ──► Start:  listen ─► open directory ─► publish ─► consume ─► refit ─► answer HTTP
//	                   Stop:   the same, backwards: the last part to start is the first to stop
//
//	open directory: storage.Open ──► rulesfile.Load ──► identifier.New(secret) ──► actors.Open ──► scoring.Open
//
// Invariants:
//   - N1: no directory is created until every setting has been validated.
//   - N2: unless new rules are given, the rules stay as they were, word for word. A change is logged, key by key.
//   - N3: Start either starts every part, or leaves nothing running and nothing open.
//   - N4: from before the first input, the rules in the store are those that the engine runs under. While they differ
//     from the rules by which everything was judged, a sweep judges again, or begins anew at the next start.
//   - N5: a log is replayed under the rules it was written under, and under no others.
//   - N6: after Stop, every event that was acknowledged is durable, and no goroutine of the node is left.
//   - N7: Reload takes over every setting that may change while parts run, or nothing and says why.
package node
