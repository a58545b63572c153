// Package bench measures the engine: the hot merge path in memory, ingest end to end, and both against the ceiling, a
// plain resolver that stores nothing.
//
//	             ┌──► ceiling: a resolver in memory
//	events ──────┼──► trial:   an engine on a new directory; again with look-ups meanwhile
//	             └──► brokers ──► the product's consumer ──► an engine    (RunKafka)
//
// Invariants:
//   - A round measures all of them in turn on the same bytes, so that what slows the machine down slows all of them.
//     The report has medians over rounds, and ratios are of one round before they are medians.
//   - An engine's time ends only when every event is durable and delivered between shards. Opening a directory and
//     making events is outside of it.
//   - The same events must give the same number of people from memory and from the brokers: a run that lost or doubled
//     events fails instead of reporting how fast it was.
package bench
