// Package generate makes streams of shopper events, and says what is true of them.
//
// The events are JSON in the form that Segment's client libraries send, one a line. They are what
// demonstrations, scale tests and benchmarks eat: they look real, they can be made by the billion,
// and the right answer is known.
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
//   - G1: same Config and StreamVersion, same bytes: on any machine, at any time. Nothing depends on
//     the clock, on goroutines, on the order of a map or on floating-point sums.
//   - G2: the times of distinct events are distinct, and ascend in the order of their making. So the
//     last writer of a trait and the last word on an order are never in doubt.
//   - G3: every event carries at least one identifier that is not junk.
//   - G4: at most Disorder.Max events that are younger come before an event; the first delivery of
//     an event comes before its re-deliveries.
//   - G5: all money is in one currency (USD), and every property that an order's net revenue may be
//     taken from gives the same net: net = revenue = subtotal = total - tax - shipping = value =
//     sum of items - discount.
//
// # What an event says
//
// The truth reads an event as follows, and an engine that reads it otherwise differs.
//
//   - Identifiers: userId (user_id), anonymousId (anonymous_id), previousId of an alias (user_id: it
//     is an older customer number here), traits.email and traits.phone of an identify, context.traits
//     email and phone of any event (email, phone) unless the same event's traits give one of that
//     kind, context.device.id (device_id), and context.externalIds[] (ga_client_id, loyalty_card).
//     The namespace loyalty_card is none of the engine's default ones: declare it before you raise
//     Config.Loyalty.
//   - Normalised values: e-mail trimmed and lower-cased; UUIDs lower-cased (apps send them in
//     capitals); phones in E.164, region US; others as they are.
//   - Traits: those of identify calls alone, as they were sent (an e-mail with its blanks and
//     capitals); JSON null deletes one. The traits of a group call are the group's, those in
//     context only repeat an address.
//   - Junk values never stand for anybody: null, "null", "undefined", "anonymous", "none", "n/a",
//     "[object Object]", the zero UUID, and templates that nobody filled in.
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
// WritePeople gives the identifiers that people really used, to measure precision and recall of rules
// that divide: a line a person, by number. What two people share is in both lines; the address of a
// call centre is nobody's and in none.
//
//	{"person":7,"identifiers":[{"namespace":"user_id","value":"cus_711943423"}]}
package generate

// StreamVersion changes whenever the same Config begins to give other bytes.
const StreamVersion = 1
