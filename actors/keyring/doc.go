// Package keyring keeps the access keys of a deployment: what clients of the HTTP interface show, and what they may do.
//
//	Create, Rotate ──► 256 random bits ──► the key, shown once: wk_ and 52 letters and digits
//	                        └─ SHA-256 ──► row of the catalog ──► keys in memory
//	Find(key) ── SHA-256 ──► first digits are the id ──► compare the rest in constant time ──► expired? revoked?
//
// The life of a key:
//
//	live ──Rotate──► live until the overlap ends, beside its successor ──► expired
//	  └──Revoke, or its time is up──► revoked, expired: known and refused
//
// Invariants:
//   - K1: a key is known to the client that it was shown to. A row has its hash, and nothing logs or shows it again.
//   - K2: a key is valid once its row is durable, and refused from the moment that Revoke returns.
//   - K3: rows of keys are never deleted: a deployment that had a key once never becomes open again by losing it.
//   - K4: nobody makes, rotates or revokes a key that may do more than they may.
//   - K5: the first key may administer, so that a deployment can't lock everybody out.
//   - K6: a write key may write events and nothing else: it stands in pages and apps, for everybody to read.
package keyring
