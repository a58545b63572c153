// Package ingest takes events into an engine. Every source (a file, a request, a partition of Kafka, the
// demonstration) is a short loop over one Intake, so that all of them decode, admit, deliver and count alike.
//
//	segment  bytes ──► Decoder ──► graph.Event ─┐
//	ingest                                      ├─► Admission ─► Delivery ──► Engine ──► outcome ─► Verdict
//	                                            └─► Rejection ────────────────────────────────────► Verdict
//
// The sources: file (NDJSON), kafka with record (Avro, Protobuf, MessagePack to JSON), and package api (HTTP).
//
// Invariants:
//   - N1: each event that is taken from its source has exactly one Verdict, in the order of the source.
//   - N2: an event is encoded and delivered only after Admission has accepted it.
//   - N3: while the engine holds a delivery, its intake is neither reset nor used.
package ingest
