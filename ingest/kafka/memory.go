package kafka

import (
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// memory keeps the memory of fetched records, to be used again: the inflated bytes of a batch of Kafka's, and its records.
//
//	fetch ──Get──► inflated batch, records ──► queue ──► batch ──retire──► Record.Recycle ──Put──► free
//
// Invariants:
//   - A record, and what points into it, is used until its batch is retired, and not after: Recycle clears it.
//   - Records that are dropped on the way, of a partition that stops, go to the garbage collector, and their memory with them.
//   - What is kept is free memory that a garbage collection empties, in pieces of at most the largest class (C4).
//
// Without it, inflated batches and records were a third of all garbage, and each batch that an intake had once read stayed
// in memory until the intake overwrote the last event of it.
type memory struct {
	// times is how much larger a batch gets by inflating it, in sixteenths; 0 until one was.
	times   atomic.Int64
	bytes   [memoryClasses]sync.Pool // of *[]byte, leastBytes << class or more
	records [memoryClasses]sync.Pool // of *[]kgo.Record, leastRecords << class or more
}

const (
	memoryClasses = 10
	leastBytes    = 4 << 10 // the largest class has 2 MiB
	leastRecords  = 16      // and 8,192
	firstTimes    = 4 * 16
)

// GetDecompressBytes implements kgo.PoolDecompressBytes. A batch that gets larger than expected allocates, and leaves that
// memory to the next one.
func (m *memory) GetDecompressBytes(compressed []byte, _ kgo.CompressionCodecType) []byte {
	times := m.times.Load()
	if times == 0 {
		times = firstTimes
	}
	return getMemory[byte](&m.bytes, leastBytes, len(compressed)*int(times+times/4)/16)
}

// PutDecompressBytes implements kgo.PoolDecompressBytes.
func (m *memory) PutDecompressBytes(b []byte) { putMemory(&m.bytes, leastBytes, b) }

// GetRecords implements kgo.PoolRecords.
func (m *memory) GetRecords(n int) []kgo.Record {
	return getMemory[kgo.Record](&m.records, leastRecords, n)
}

// PutRecords implements kgo.PoolRecords.
func (m *memory) PutRecords(r []kgo.Record) { putMemory(&m.records, leastRecords, r) }

// OnFetchBatchRead implements kgo.HookFetchBatchRead: it learns how much larger batches get.
func (m *memory) OnFetchBatchRead(_ kgo.BrokerMetadata, _ string, _ int32, batch kgo.FetchBatchMetrics) {
	if batch.CompressedBytes == 0 || batch.CompressionType == 0 {
		return
	}
	now := int64(batch.UncompressedBytes) * 16 / int64(batch.CompressedBytes)
	if old := m.times.Load(); old > 0 {
		now = old + (now-old)/8
	}
	m.times.Store(now)
}

// getMemory returns an empty slice with room for n, which may come from another user.
func getMemory[T any](free *[memoryClasses]sync.Pool, least, n int) []T {
	class := bits.Len(uint((max(n, 1) - 1) / least))
	if class >= memoryClasses {
		return make([]T, 0, n)
	}
	if s, ok := free[class].Get().(*[]T); ok {
		return (*s)[:0]
	}
	return make([]T, 0, least<<class)
}

// putMemory keeps a slice that nobody uses any more, unless it is too small or too large.
func putMemory[T any](free *[memoryClasses]sync.Pool, least int, s []T) {
	class := bits.Len(uint(cap(s)/least)) - 1
	if class < 0 || cap(s) > least<<(memoryClasses-1) {
		return
	}
	s = s[:0]
	free[class].Put(&s)
}
