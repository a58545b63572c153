//go:build !race

package shard_test

// raceEnabled says that the race detector is on, which makes everything many times slower.
const raceEnabled = false
