// Package file takes files of events into an engine: NDJSON, plain or compressed.
//
//	Source ──► Reader ──► Chunk ──► line ──► segment.Decoder ──► graph.Event   or *segment.Rejection
//
// Memory is bounded by the number of chunks under way and the limit of a line, whatever a file inflates to.
package file
