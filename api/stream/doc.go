// Package stream answers with everything that an engine holds, or with every change: exports, reports over all people, and
// the change feed.
//
//	GET /v1/export        ──► Engine.Each ──► document.Lines ──► extsort ──► client
//	GET /v1/scores/report ──► scoring.Question ──► Engine.Each ──► sums
//	GET /v1/changes       ──► Engine.Feed ──► CloudEvents as server-sent events ──► client, until it goes
//
// Each of these takes long and reads much, so only a few run at one time; the next is told to come back (429). A client that
// does not read is cut off, and holds up nobody else.
package stream
