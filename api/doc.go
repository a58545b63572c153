// Package api is the HTTP face of an engine. It mounts the parts of the API, each a package for one audience:
//
//	request ──► clean path, request id, recover, count ──► router ──► Route ──┬─► collect   events in
//	                                                         ▲                ├─► query     one person, or several
//	                                                         │                ├─► admin     what operators do
//	                                                       Routes             ├─► stream    everything: exports, changes
//	                                                                          └─► health, metrics
//
// Package document has the documents that answers are made of, package route what routes have in common, package lookup
// how ids become people, and package client asks a server.
//
// An id in a path or a body is either namespace:value, in any form that the namespace normalises, or a public id. Values
// in paths are percent-escaped.
//
// Invariants:
//   - P1: 200 for events is sent after their commit is durable, never before.
//   - P2: no path of this server is redirected; the only 3xx is 304 for a profile that did not change.
//     A misconfigured path of a library is served where it is (misplaced).
//   - P3: every answer of 400 and above is an RFC 9457 problem with one of the codes of document.Problems. The exceptions
//     are /readyz, whose body is always its checks, and what net/http itself refuses because it is not HTTP.
//   - P4: memory of request bodies is bounded by Config.BodyBytes, whatever clients send and however far it inflates; a
//     body that finds no room is told to come back (429).
//   - P5: no identifier, trait, body or path of a request is logged or becomes a label of a metric.
//   - P6: one bad event never costs another of the same batch.
//   - P7: a profile that is on its way from one shard to another is waited for, not reported missing.
//   - P8: once events were answered with 200, a look-up by any of their identifiers finds the person with them, and once
//     an assertion was, what it did. A client that sends ?wait=durable does without; an empty batch then waits for all that
//     came before. The exception are shards that have so much to do that this takes longer than the server waits: then a
//     look-up may say not_found for a while, or show the profile without the event.
package api
