// Package document has one Go struct for each JSON document that Kindred answers, reads or publishes.
//
//	graph.Profile ──► AppendProfile ──► JSON ──► Profile ──► client, commands
//	                                     ▲
//	                                     └── the same members, in the same order (D1)
//	struct ──► encoding/json ──► JSON        struct + comments ──► JSON Schema ──► /openapi.json (D2)
//
// A struct is the only place that lists a document's members: the HTTP answers, the client, the published profiles and
// the OpenAPI document derive from it. The comment of a field is the member's description there, with its unit.
//
// Profiles, orders, events, scores and lines of an export are written by hand-written functions (Append…), because
// encoding/json takes several times as long and allocates (see decision record 0021). Each stands beside its struct.
//
// Invariants:
//   - D1: for every value, what a function Append… writes and what encoding/json makes of the struct are the same
//     members in the same order, with the same values.
//   - D2: an answer of the server is valid against the schema of its struct, which allows no other members.
//   - D3: a member is left out only where its tag says omitempty; a member that is null says so with its type.
//
// The package knows the decision core (graph) and no engine: it neither reads nor waits.
package document
