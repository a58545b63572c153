// Package signals finds the signals that events are of.
//
//	audiences ──► signal.Index ──► Definitions, of a version ──► Marker.Mark: properties of an event ──► its marks
//
// A signal has a number, which its deployment gives once and never again. So an audience that was deleted and comes back reads a
// new signal, which is filled from the stored events, and nothing of the old one is counted twice.
//
// Invariants:
//   - M1: all events of a log record are marked by one version of the definitions, that of the shard (row.Marking).
//   - M2: of an event marked by version v, the marks are those of all signals that came with v or before. Later signals are in
//     a patch, which is made of the stored event once: so each event is in each signal exactly once.
package signals
