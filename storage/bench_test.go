//go:build unix

package storage

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/kindred-id/kindred/graph"
)

// rowMaker makes rows like those of the engine: lengths and numbers in binary, names and values as text, ids that
// don't compress.
type rowMaker struct{ r *rand.Rand }

func (m rowMaker) key() graph.NodeKey {
	return graph.MakeNodeKey(graph.ClassCustomer, m.r.Uint64(), m.r.Uint64())
}

func (m rowMaker) pick(words ...string) string { return words[m.r.IntN(len(words))] }

func (m rowMaker) email() string {
	return m.pick("ann", "bob", "carla", "dmitri", "eve") + "." + m.pick("smith", "jones", "garcia", "mueller") +
		strconv.Itoa(m.r.IntN(1e6)) + "@" + m.pick("gmail.com", "example.com", "mail.example.org")
}

// event has about 200 bytes.
func (m rowMaker) event(b []byte) []byte {
	b = append(b, 0x93, byte(m.r.IntN(6)))
	b = binary.BigEndian.AppendUint64(b, uint64(1.7e12)+m.r.Uint64N(1e9))
	b = binary.BigEndian.AppendUint64(b, m.r.Uint64())
	b = m.key().AppendBinary(b)
	b = append(b, fmt.Sprintf("%016x%016x", m.r.Uint64(), m.r.Uint64())...)
	b = append(b, m.pick("Product Viewed", "Product Added", "Order Completed", "page", "Checkout Started")...)
	return append(b, fmt.Sprintf(`{"product_id":"sku-%d","price":%d.%02d,"currency":"EUR","quantity":%d,"path":"/%s/%d"}`,
		m.r.IntN(50000), m.r.IntN(300), m.r.IntN(100), 1+m.r.IntN(4), m.pick("shoes", "shirts", "books", "toys"), m.r.IntN(50000))...)
}

func (m rowMaker) events(n int) []byte {
	var b []byte
	for range n {
		b = m.event(b)
	}
	return b
}

// node has about 500 bytes: a component with three identifiers and a fragment.
func (m rowMaker) node() []byte {
	b := []byte{1, 0x85}
	for _, namespace := range []string{"user_id", "email", "anonymous_id"} {
		b = append(m.key().AppendBinary(b), namespace...)
		switch namespace {
		case "email":
			b = append(b, m.email()...)
		case "user_id":
			b = strconv.AppendInt(b, m.r.Int64N(1e7), 10)
		default:
			b = append(b, fmt.Sprintf("%016x%016x", m.r.Uint64(), m.r.Uint64())...)
		}
		b = binary.BigEndian.AppendUint64(b, uint64(1.7e12)+m.r.Uint64N(1e9))
		b = binary.BigEndian.AppendUint64(b, uint64(1.7e12)+m.r.Uint64N(1e9))
	}
	for _, trait := range []string{"firstName", "lastName", "city", "plan", "company"} {
		b = append(b, trait...)
		b = append(b, m.pick(`"Ann"`, `"Smith"`, `"Berlin"`, `"premium"`, `"Acme GmbH"`)...)
		b = binary.BigEndian.AppendUint64(b, uint64(1.7e12)+m.r.Uint64N(1e9))
		b = binary.BigEndian.AppendUint64(b, m.r.Uint64())
	}
	for range 3 {
		b = append(b, fmt.Sprintf("order-%d EUR", m.r.IntN(1e7))...)
		b = binary.BigEndian.AppendUint64(b, m.r.Uint64N(1e5))
	}
	return b
}

// The rows' keys are like those of package row.
const nodeSpace, timelineSpace = 0x04, 0x05

func shardKey(b []byte, space byte, shard graph.ShardID) []byte {
	return binary.BigEndian.AppendUint16(append(b, space), uint16(shard))
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const (
	benchShards = 64
	benchEvents = 100 // a record
	benchNodes  = 20  // a commit of all shards
	benchKept   = 32  // records of a shard's log that are not covered yet
)

// benchRows are prepared in advance, so that the benchmark does not measure their creation.
type benchRows struct {
	records, nodes, blocks [][]byte
}

func makeBenchRows() *benchRows {
	m := rowMaker{rand.New(rand.NewPCG(1, 2))}
	rows := new(benchRows)
	for range 256 {
		rows.records = append(rows.records, m.events(benchEvents))
	}
	for range 4096 {
		rows.nodes = append(rows.nodes, m.node())
		rows.blocks = append(rows.blocks, m.events(8))
	}
	return rows
}

// commit fills the batches of commit n: a record for each shard, some nodes with a block of the timeline each, and
// now and then the deletion of the covered part of a shard's log.
func (rows *benchRows) commit(batches []*Batch, n int, r *rand.Rand, nodes int) {
	m := rowMaker{r}
	var key, end []byte
	for shard, b := range batches {
		b.Reset()
		id := graph.ShardID(shard)
		key = binary.BigEndian.AppendUint64(shardKey(key[:0], ShortLived, id), uint64(n))
		b.Set(key, rows.records[(n*7+shard)%len(rows.records)])
		if n%benchKept == shard%benchKept && n > benchKept {
			b.DeleteRange(binary.BigEndian.AppendUint64(shardKey(nil, ShortLived, id), uint64(max(0, n-2*benchKept))),
				binary.BigEndian.AppendUint64(shardKey(end[:0], ShortLived, id), uint64(n-benchKept)))
		}
	}
	for range nodes {
		node := m.key()
		shard := node.Shard(benchShards)
		b := batches[shard]
		b.Set(node.AppendBinary(shardKey(key[:0], nodeSpace, shard)), rows.nodes[r.IntN(len(rows.nodes))])
		b.Set(binary.BigEndian.AppendUint64(node.AppendBinary(shardKey(key[:0], timelineSpace, shard)), uint64(n)), rows.blocks[r.IntN(len(rows.blocks))])
	}
}

func newBatches() []*Batch {
	batches := make([]*Batch, benchShards)
	for i := range batches {
		batches[i] = new(Batch)
	}
	return batches
}

// BenchmarkCommit measures durable commits: 64 records of 100 events of 200 bytes and 20 nodes each.
func BenchmarkCommit(b *testing.B) {
	s, err := Open(Options{
		Dir: filepath.Join(b.TempDir(), "data"), BlockCacheBytes: 256 << 20, MemtableBytes: 256 << 20,
		Create: true,
	})
	if err != nil {
		b.Fatal(err)
	}
	rows, batches, r := makeBenchRows(), newBatches(), rand.New(rand.NewPCG(3, 4))
	n, cpu, start := 0, cpuTime(), time.Now()
	for b.Loop() {
		rows.commit(batches, n, r, benchNodes)
		if err := s.Commit(batches...); err != nil {
			b.Fatal(err)
		}
		n++
	}
	if err := s.Close(); err != nil { // what is left to do in the background counts
		b.Fatal(err)
	}
	events := float64(n) * benchShards * benchEvents
	b.ReportMetric(float64((cpuTime()-cpu).Nanoseconds())/events, "cpu-ns/event")
	b.ReportMetric(events/time.Since(start).Seconds(), "events/s")
}

// BenchmarkCompression compares settings of compression over the life of rows: written, compacted, read at
// random with a cold cache. Run it with -benchtime=1x.
func BenchmarkCompression(b *testing.B) {
	last := func(rest, bottom *sstable.CompressionProfile) func(int) *sstable.CompressionProfile {
		return func(level int) *sstable.CompressionProfile {
			if level == 6 {
				return bottom
			}
			return rest
		}
	}
	none, snappy, minlz, zstd := sstable.NoCompression, sstable.SnappyCompression, sstable.MinLZCompression, sstable.ZstdCompression
	for _, c := range []struct {
		name  string
		level func(int) *sstable.CompressionProfile
	}{
		{"none", last(none, none)},
		{"snappy", last(snappy, snappy)},
		{"minlz", last(minlz, minlz)},
		{"none+snappy", last(none, snappy)},
		{"none+minlz", last(none, minlz)},
		{"minlz+zstd1", last(minlz, sstable.BalancedCompression)},
		{"none+zstd1", last(none, sstable.BalancedCompression)},
		{"minlz+zstd3", last(minlz, zstd)},
	} {
		for _, block := range []int{8 << 10, 32 << 10} {
			b.Run(fmt.Sprintf("profile=%s/block=%dk", c.name, block>>10), func(b *testing.B) {
				for b.Loop() {
					benchCompression(b, c.level, block)
				}
			})
		}
	}
}

func benchCompression(b *testing.B, profile func(int) *sstable.CompressionProfile, block int) {
	const commits, nodes, reads = 300, 1000, 20000
	o := Options{Dir: filepath.Join(b.TempDir(), "data"), BlockCacheBytes: 8 << 20, MemtableBytes: 64 << 20}
	if err := o.setDefaults(); err != nil {
		b.Fatal(err)
	}
	opts := pebbleOptions(&o)
	setCompression(opts, profile)
	for i := range opts.Levels {
		opts.Levels[i].BlockSize = block
	}
	opts.Logger = pebbleLogger{&failure{}, o.Dir, o.Logger}
	db, err := pebble.Open(o.Dir, opts)
	if err != nil {
		b.Fatal(err)
	}
	rows, batches := makeBenchRows(), newBatches()
	r := rand.New(rand.NewPCG(5, 6))
	cpu := cpuTime()
	var buf []byte
	for n := range commits {
		rows.commit(batches, n, r, nodes)
		if buf, err = combine(nil, batches); err != nil {
			b.Fatal(err)
		}
		var batch pebble.Batch
		if err := batch.SetRepr(buf); err != nil {
			b.Fatal(err)
		}
		if err := db.Apply(&batch, pebble.NoSync); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Flush(); err != nil {
		b.Fatal(err)
	}
	writeCPU := cpuTime() - cpu
	written := db.Metrics().Total().TableBytesCompacted + db.Metrics().Total().TableBytesFlushed
	if err := db.Compact(context.Background(), []byte{0}, []byte{0xff}, false); err != nil {
		b.Fatal(err)
	}
	size, err := db.EstimateDiskUsage([]byte{nodeSpace}, []byte{timelineSpace + 1})
	if err != nil {
		b.Fatal(err)
	}
	// The nodes again, in the order in which they were written.
	r = rand.New(rand.NewPCG(5, 6))
	m := rowMaker{r}
	var keys [][]byte
	for range commits * nodes {
		node := m.key()
		keys = append(keys, node.AppendBinary(shardKey(nil, nodeSpace, node.Shard(benchShards))))
		r.IntN(len(rows.nodes))
		r.IntN(len(rows.blocks))
	}
	r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	cpu = cpuTime()
	for _, key := range keys[:reads] {
		_, closer, err := db.Get(key)
		if err != nil {
			b.Fatal(err)
		}
		if err := closer.Close(); err != nil {
			b.Fatal(err)
		}
	}
	readCPU := cpuTime() - cpu
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(writeCPU.Microseconds())/float64(commits*nodes), "write-cpu-us/node")
	b.ReportMetric(float64(written)/float64(commits*nodes), "table-B/node")
	b.ReportMetric(float64(size)/float64(commits*nodes), "disk-B/node")
	b.ReportMetric(float64(readCPU.Nanoseconds())/reads/1000, "read-cpu-us")
	b.ReportMetric(0, "ns/op")
}
