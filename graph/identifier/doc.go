// Package identifier turns what systems send into identifiers: a namespace, a normalised value and
// the key of a node.
//
//	raw ──► trim ──► check ──► blocked? ──► normalise ──► blocked? ──► hash ──► graph.Identifier
//	         │         │           │             │            │
//	     ErrEmpty  ErrTooLong  ErrBlocked   ErrInvalid    ErrBlocked
//	               ErrInvalid               ErrTooLong
//
// A [Registry] holds what is common to a deployment: its secret, its namespaces, its blocked values.
// It never changes. A [Normaliser] holds one goroutine's scratch memory. An identifier of an event
// and one asked for in a look-up take the same road through them.
//
// Invariants:
//   - N1: normalising is idempotent: what Identify accepts, it gives back unchanged when asked again.
//   - N2: a look-up and an event that name the same identifier get the same key: Parse is Identify.
//   - N3: equal keys mean equal namespace and value (a namespace never holds the zero byte that
//     separates the two under the hash), or that one is the SHA-256 of the other, which is one identifier.
//   - N4: no value that is blocked, before or after normalising, gets a key.
//   - N5: Raw and Value are never longer than [MaxBytes].
//   - N6: what is already normalised and ASCII is accepted without allocation.
//
// The package is pure: no clock, no I/O, no goroutines. Its errors never quote a value, since they
// end up in logs and values are personal data.
package identifier
