// Package audit reads all rows of a store and checks that they agree with each other. kindred verify runs it, and so
// does the simulator after each crash.
//
//	meta ──► log ──► pending ──► rows ──► hosting ──► totals ──► duplicates
//	shards   records   nodes that    each     forwards,     events,   memory of
//	         in order  are moving    alone    members       folded    message ids
//
// Each pass reads its rows once, in the order of keys, and checks them with what the passes before it found. A
// row that can't be read is reported by the first pass that meets it, and left out by the others ("reported before" in
// the code), so that one damaged row is one problem.
//
// A store that was closed by a crash is checked as a recovery will find it. Nodes that
// records still to be replayed speak of (moving) may lack what their neighbours have, and are excused from hosting; so
// are the totals while there are such nodes. A stop in good order leaves nothing to replay, and then nothing is
// excused.
package audit
