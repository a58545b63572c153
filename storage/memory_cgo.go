//go:build cgo

package storage

// outsideHeap tells that Pebble takes its cache and memtables from C, where Go does not count them.
const outsideHeap = true
