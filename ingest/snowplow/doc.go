// Package snowplow reads what trackers of Snowplow send, and writes events in Segment's format.
//
//	{schema, data: [{e, eid, uid, …}]} ──► Payload ──┐
//	                                                 ├─ event ──► {type, messageId, userId, …}
//	?e=pv&eid=…&uid=… ─────────────────► Query ──────┘    └─ commerce: orders, carts, products
//
// A tracker sends short names with texts as values (the tracker protocol). Self-describing events and contexts are JSON in
// such a text, plain (ue_pr, co) or in Base64 (ue_px, cx), each with an Iglu schema that names it.
//
// The decoder of ingest/segment alone decides what follows from an event, as for any other. So an event that can't be translated is
// passed on as far as it goes, and rejected there with its reason.
package snowplow
