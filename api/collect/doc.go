// Package collect takes events from HTTP requests: the part of the API for the sources of events.
//
//	POST /v1/batch, /v1/{type} ──► body: inflate, bound ──► segment.Batch ──► ingest.Intake ──► Engine ──► answer
//
// It keeps P1 (durable before 200), P4 (bounded memory of bodies), P6 (an event a verdict) and P8 (visible before 200) of
// package api.
package collect
