// Package letters keeps the events that came over HTTP and were refused, so that nothing which a client was told is refused
// is gone for good: an operator sees why, and has it taken after all.
//
//	refused ──► Keep: bound, hide keys ──► waiting ──► one commit of all that wait ──► Keep returns
//	                      │ too many, too much                  │
//	                      └──► lost, and counted                └──► the oldest beyond a bound leave
//
// Invariants:
//   - L1: Keep returns nil once the letters are durable; so an answer may rest on it.
//   - L2: letters are bounded in number, bytes and age, in memory and on disk. Where a bound is reached the oldest leave, and
//     that is counted and logged. Letters that come faster than a rate are not kept, and counted.
//   - L3: a letter holds the event as it was sent, but for access keys (keyring.Hide) and the member writeKey.
//   - L4: letters survive a restart, in their order; a number is never given twice while letters of later numbers exist.
//   - L5: letters of senders without a valid key fill at most half of the bounds, and displace no other.
package letters
