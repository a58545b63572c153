// Package kafka is the journal's way to Apache Kafka: it makes and checks the topic, appends to a partition, reads a
// partition from an offset, and trims one. It knows neither the records nor who owns what: those are bytes to it, and
// the fold decides.
//
//	owner    ──► Log.Append ──► partition n ──► Log.Follow ──► fold of owner and standby
//	operator ──► Create           ▲
//	             Open (checks) ───┘ Log.Trim, Log.Ranges
//
// One partition a shard, and the last one for what belongs to no shard. Of Kafka one property is used: a partition is an
// append-only log, and a record that all in-sync replicas have stays.
//
// Invariants:
//   - W1: an append is answered once. An offset means that the record is there, at that offset. ErrRefused means that it
//     never will be. Every other error means that it may be, now or later.
//   - W2: a reader gets the records of its partition from its offset on, in order, each once. Offsets that it is not
//     given held no record when it read past them; a start that was trimmed away is an error, and no hole.
//   - W3: a Log appends to the topic that Open checked, or to none: a topic deleted and made again has another id.
//   - W4: what waits is bounded: appends by number a partition and by bytes, records read ahead by bytes a partition and,
//     as they are compressed, by bytes a fetch.
package kafka
