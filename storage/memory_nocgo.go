//go:build !cgo

package storage

// outsideHeap tells that Pebble takes its cache and memtables from Go's heap.
const outsideHeap = false
