// Package generate makes streams of shopper events, and knows the right result for them.
//
// The events are JSON in the form that Segment's client libraries send, one a line. Demonstrations, scale tests and
// benchmarks use them: they look real, can be made by the billion, and the right answer is known.
//
//	Config ──► shop ───► event ───► held ───────► Next ──► lines
//	           people     │        re-delivery,
//	           sessions   │        disorder
//	           orders     └──► Truth ──► WriteTruth, WritePeople
//	                                         └──► Compare(export, truth)
//
// A shop has people; people have devices and visit in sessions; in a session they browse, sign up or
// log in, and buy; after a purchase the shop's server speaks of the order (a second report of it, an
// update, a cancellation, refunds). Everything lasting about a person (names, addresses, cookies,
// habits) is a hash of the seed and the person's number; only what a person has done is remembered,
// in 2 bytes a person. So ten million people take 20 MB. To that come the visits under way (about
// 64 bytes each), announcements of the server (at most maxAnnouncements of about 80 bytes), and the lines
// held back for disorder and re-delivery (share × distance lines).
//
// Invariants:
//   - G1: the same Config and streamVersion give the same bytes, on any machine, at any time. The stream does not
//     depend on the clock, goroutines, the order of a map or floating-point sums.
//   - G2: the times of distinct events are distinct, and ascend in the order of their creation. So the last writer of
//     a trait and the last word on an order are never in doubt.
//   - G3: every event carries at least one identifier that is not junk.
//   - G4: at most Disorder.Max younger events come before an event; the first delivery of an event comes before its
//     re-deliveries.
//   - G5: all money is in one currency (USD), and every property from which an order's net revenue may be computed
//     gives the same net: net = revenue = subtotal = total - tax - shipping = value = sum of items - discount.
//
// # The meaning of an event
//
// The truth reads an event as follows, and an engine that reads it otherwise differs.
//
//   - Identifiers: userId (user_id), anonymousId (anonymous_id), previousId of an alias (user_id: it
//     is an older customer number here), traits.email and traits.phone of an identify, context.traits
//     email and phone of any event (email, phone) unless the same event's traits give one of that
//     kind, context.device.id (device_id), and context.externalIds[] (ga_client_id, loyalty_card).
//     The engine has no namespace loyalty_card by default: declare it before you raise
//     Config.Loyalty.
//   - Normalised values: e-mail trimmed and lower-cased; UUIDs lower-cased (apps send them in
//     capitals); phones in E.164, region US; others as they are.
//   - Traits: those of identify calls alone, as they were sent (an e-mail with its blanks and
//     capitals); JSON null deletes one. The traits of a group call are the group's, those in
//     context only repeat an address.
//   - Junk values never stand for a person: null, "null", "undefined", "anonymous", "none", "n/a",
//     "[object Object]", the zero UUID, and unfilled templates.
//   - Orders: Order Completed and Order Updated give totals, the latest holds. A cancelled order
//     counts for nothing. A refund with a total is of that much, one without is of everything; all
//     refunds of an order lessen its revenue, while the order, its discount and its coupon stay.
//
// # Truth of evidence
//
// WriteTruth gives what a perfect engine exports under rules without limits: the connected components
// over the identifiers of the distinct events, so people who share a tablet are one. A component is a
// line, and lines ascend by their smallest identifier, written "namespace:value":
//
//	{"identifiers":[{"namespace":"anonymous_id","value":"…","first_seen":"…","last_seen":"…"}],
//	 "events":9,"orders":1,"revenue":49.90,"discount":5.00,"discounted_orders":1,
//	 "first_seen":"…","last_seen":"…","traits":{"email":"…"},"counts":{"page":4,"track":5}}
//
// Identifiers ascend by namespace and value, traits by name. Times are RFC 3339 in UTC with
// milliseconds; first_seen and last_seen of an identifier are the times of the first and the last
// event that carries it. Money is in the currency's unit. A type without events is left out of counts.
//
// # Truth of people
//
// WritePeople writes the identifiers that people really used, to measure precision and recall of rules that divide: a
// line a person, by number. An identifier that two people share is in both lines; the address of a call centre
// belongs to no one and is in no line.
//
//	{"person":7,"identifiers":[{"namespace":"user_id","value":"cus_711943423"}]}
package generate

// streamVersion changes whenever the same Config would give other bytes.
const streamVersion = 1
