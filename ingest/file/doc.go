// Package file takes files of events into an engine: NDJSON, plain or compressed.
//
//	Source ──► Reader ──► Chunk ──► line ──► segment.Decoder ──► graph.Event   or *segment.Rejection
//
// Memory is bounded by the number of chunks in progress and the limit of a line, regardless of the decompressed size.
package file
