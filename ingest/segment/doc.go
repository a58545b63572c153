// Package segment reads events of the Segment spec: one JSON object, or a body of several, becomes graph.Event.
//
//	Batch ──► Events ──► raw ──┐
//	                           ├──► Decoder.Event ──► graph.Event   or *Rejection
//	line of a file, record ────┘       one pass over the bytes
//
// An event is read in one pass by a cursor (internal/jsonscan): the fields of the Segment spec are
// picked as they come by, in whatever order, and what they mean together is decided when the whole
// record has been found to be valid JSON and UTF-8. Nothing is allocated for an ordinary event:
// slices point into the record or into the decoder's arena.
//
// Invariants:
//   - E1: whatever the bytes are, an event is either accepted or rejected with a *Rejection. An
//     accepted one has one identifier or more, distinct and in descending rank (of an alias, userId's is the first), an id of 1 to
//     MaxIDBytes bytes, and a time that Options.Times believe, or that of its reception.
//   - E2: what an event becomes depends on its bytes, its source, the options, the batch's context, the
//     id of its record, if it has none itself, and, where the event names no time that can be believed, on when it was received; of
//     live events also on sentAt, see E7. Not on the events before it.
//   - E3: nothing is left out in silence. What is dropped from an accepted event (a blocked
//     identifier, a trait too many) is counted in Stats; but for JSON null, which says "absent".
//     One odd field never costs the event: it is dropped, counted by its name and told (Drop).
//   - E4: a rejection names the field, what was found there, and what would be accepted. It quotes
//     times, amounts, currencies and types, never an identifier.
//   - E5: the same message id and the same content are the same event, whatever the source, the way in, the spelling
//     of the JSON and the time of the retry; see fingerprint.
//   - E6: the slices of an accepted event stay as they are until its decoder's next Reset.
//   - E7: the time of an event is the same however often its client sends it. It is exactly so for clocks that are right
//     to skewMin, for servers, for files of events, and for libraries that put batches into files. A clock that is wrong
//     is corrected to the minute, from how late it is at reception; there it holds for attempts whose delay rounds to the
//     same minute, and not for a sentAt of the first attempt, which a slow clock can't be told from. The first attempt
//     that is taken decides: the others are duplicates.
package segment
