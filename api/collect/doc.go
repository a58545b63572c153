// Package collect takes events from HTTP requests: the part of the API for the sources of events. It has the paths and
// gives the answers that the tracking libraries of Segment, RudderStack and Jitsu expect.
//
//	POST /v1/batch, /v1/{type} ──► body: inflate, bound ──► segment.Batch ──► ingest.Intake ──► Engine ──► answer
//
//	GET  /pixel/v1/{type}, /api/px/{type} ──► event of the query ──► as above
//	GET  settings of libraries for browsers, which send no event before they have them
//
// It keeps P1 (durable before 200), P4 (bounded memory of bodies), P6 (an event a verdict) and P8 (visible before 200) of
// package api.
package collect
