// Package segment reads events of the Segment spec: it turns one JSON object, or a body of several, into graph.Event.
//
//	Batch ──► Events ──► raw ──┐
//	                           ├──► Decoder.Event ──► graph.Event   or *Rejection
//	line of a file, record ────┘       one pass over the bytes
//
// A cursor (internal/jsonscan) reads an event in one pass: it picks the fields of the Segment spec in whatever order
// they come, and interprets them together after the whole record has proved to be valid JSON and UTF-8. An ordinary
// event costs no allocation: slices point into the record or into the decoder's arena.
//
// Invariants:
//   - E1: any bytes are either accepted as an event or rejected with a *Rejection. An accepted event has one or more
//     identifiers, distinct and in descending rank (except that userId comes first in an alias), an id of 1 to
//     MaxIDBytes bytes, and a time that is plausible by Options.Times, or that of its reception.
//   - E2: the result depends on the event's bytes, its source, the options, the batch's context, the id of its record
//     if it has no id, and its time of reception if it has no plausible time; for live events also on sentAt, see E7.
//     It does not depend on earlier events.
//   - E3: every omission is reported. Whatever is dropped from an accepted event (a blocked identifier, a trait too
//     many) is counted in Stats, except JSON null, which means absent. One bad field never costs the event: it is
//     dropped, counted by its name and reported (Drop).
//   - E4: a rejection names the field, the problem and the remedy. It quotes times, amounts, currencies and types,
//     never an identifier.
//   - E5: the same message id and the same content are the same event, regardless of the source, the way in, the
//     spelling of the JSON and the time of the retry; see fingerprint.
//   - E6: the slices of an accepted event stay valid until its decoder's next Reset.
//   - E7: the time of an event is the same however many times its client sends it. This is exact for clocks that are
//     right to skewMin, for servers, for files of events, and for libraries that store batches in files. A wrong
//     clock is corrected to the minute, by its delay at reception: the result is the same for attempts whose delay
//     rounds to the same minute, but not if sentAt is that of the first attempt, which can't be distinguished from a
//     slow clock. The first accepted attempt decides: the others are duplicates.
package segment
