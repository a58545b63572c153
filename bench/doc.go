// Package bench measures the engine: the hot merge path in memory, ingest end to end, and both against the ceiling, a
// plain resolver that stores nothing.
package bench
