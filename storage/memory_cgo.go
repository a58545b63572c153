//go:build cgo

package storage

// outsideHeap is true because Pebble allocates its cache and memtables with C, which Go does not count.
const outsideHeap = true
