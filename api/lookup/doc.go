// Package lookup finds the people that ids name, for the routes that answer about them.
//
//	id ──► ParseID ──► key ──► Engine.Read ──► View ──► profile, assertions
//
// An id is either namespace:value, in any form that the namespace normalises, or a public id. A public id resolves for
// ever to the identity that holds its node.
//
// Invariants (numbered in package api):
//   - P7: a profile that is on its way from one shard to another is waited for, not reported missing (Engine.Read).
//   - P8: AwaitVisible returns once a look-up by any identifier finds what is durable, or after visibleTimeout.
package lookup
