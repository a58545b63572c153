//go:build !cgo

package storage

// outsideHeap is false because Pebble allocates its cache and memtables on Go's heap.
const outsideHeap = false
