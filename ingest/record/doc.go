// Package record takes the records of a Kafka topic apart: each becomes the JSON text of the events in
// it, which segment.Decoder reads. So there is one road into the engine, whatever a topic is written in.
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
//   - F1: whatever the bytes are, a record is taken apart or rejected with an *ingest.Rejection. Any other error
//     says nothing about the record: the same record may be taken apart later.
//   - F2: what a record becomes depends on its bytes, its schema and the options; not on the records before.
//   - F3: plain JSON is not copied: events are slices of the record.
//   - F4: whatever is produced is valid JSON, but for strings: they hold the record's own bytes, and the
//     decoder rejects what is not UTF-8.
//   - F5: the schemas in memory are bounded, and each is asked for once however many goroutines need it.
package record
