// Package record decodes the records of a Kafka topic: it turns each into the JSON texts of its events, which
// segment.Decoder reads. So all formats share one path into the engine.
//
//	json        ─────────────────────────────────┐
//	msgpack     ── transcode ────────────────────┤
//	json_schema ── strip the frame ──────────────┼─► JSON ─► Mapping ─► segment.Batch ─► segment.Decoder
//	avro        ── frame ► schema ► transcode ───┤            (if any)
//	protobuf    ── frame ► schema ► transcode ───┘
//
//	Confluent's frame:  ┌───┬─────────────┬───────────────────────────┬─────────
//	                    │ 0 │ id (4, BE)  │ message indexes (protobuf) │ payload
//	                    └───┴─────────────┴───────────────────────────┴─────────
//
// Invariants:
//   - F1: any record is either decoded or rejected with a *segment.Rejection. Any other error says nothing about the
//     record: a later attempt may decode it.
//   - F2: the result for a record depends only on its bytes, its schema and the options; not on earlier records.
//   - F3: plain JSON is not copied: events are slices of the record.
//   - F4: the output is valid JSON except for strings: they hold the record's own bytes, and the event's decoder
//     rejects invalid UTF-8.
//   - F5: the number of schemas in memory is bounded, and each is requested once regardless of the number of
//     goroutines that need it.
package record
