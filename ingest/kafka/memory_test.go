package kafka

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A slice has room for the number that was asked for, whatever was given back before, and a large one is not kept.
func TestMemoryHasRoom(t *testing.T) {
	var m memory
	for n := range 3 * leastBytes {
		for _, b := range [][]byte{make([]byte, n), getMemory[byte](&m.bytes, leastBytes, n)} {
			if cap(b) < n || cap(b) > max(leastBytes, 2*n) || cap(getMemory[byte](&m.bytes, leastBytes, n)) < n {
				t.Fatalf("%d bytes of %d", cap(b), n)
			}
			m.PutDecompressBytes(b)
		}
	}
	const large = leastBytes<<(memoryClasses-1) + 1
	m.PutDecompressBytes(make([]byte, large))
	for class := range m.bytes {
		for s, ok := m.bytes[class].Get().(*[]byte); ok; s, ok = m.bytes[class].Get().(*[]byte) {
			if cap(*s) >= large || cap(*s) < leastBytes<<class {
				t.Errorf("%d bytes are kept in class %d", cap(*s), class)
			}
		}
	}
	if n := cap(m.GetRecords(large)); n < large {
		t.Errorf("%d records of %d", n, large)
	}
}

// A batch may inflate to any size: what was seen before is a guess.
func TestMemoryLearns(t *testing.T) {
	var m memory
	compressed := make([]byte, 10_000)
	if n := cap(m.GetDecompressBytes(compressed, kgo.CodecSnappy)); n < 40_000 {
		t.Errorf("%d bytes before any batch", n)
	}
	for range 50 {
		m.OnFetchBatchRead(kgo.BrokerMetadata{}, "", 0, kgo.FetchBatchMetrics{CompressedBytes: 1000, UncompressedBytes: 20_000, CompressionType: 1})
		m.OnFetchBatchRead(kgo.BrokerMetadata{}, "", 0, kgo.FetchBatchMetrics{CompressedBytes: 1000, UncompressedBytes: 1000})
		m.OnFetchBatchRead(kgo.BrokerMetadata{}, "", 0, kgo.FetchBatchMetrics{CompressionType: 1})
	}
	if n := cap(m.GetDecompressBytes(compressed, kgo.CodecSnappy)); n < 200_000 {
		t.Errorf("%d bytes after batches that got twenty times larger", n)
	}
}

// Nothing that the engine keeps points into a record: its memory is cleared and used again when its batch is handled.
func TestRecordsAreUsedAgain(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		c := w.consumer()
		const rounds, people = 30, 5
		name := func(n int) string { return fmt.Sprintf("trait_%d", n) }
		value := func(n int) string { return strings.Repeat(fmt.Sprintf("value %d of many, ", n), 20) }
		n := 0
		for range rounds {
			for range 20 {
				w.write(&kgo.Record{
					Value: fmt.Appendf(nil, `{"type":"identify","userId":"u%d","messageId":"m%d","traits":{%q:%q},"timestamp":"2026-01-31T12:00:00Z"}`,
						n%people, n, name(n), value(n)),
					Headers: []kgo.RecordHeader{{Key: "source", Value: fmt.Appendf(nil, "source-%d", n)}},
				})
				n++
			}
			w.flush()
			w.caughtUp(c)
		}
		w.took(n)
		w.stop(c)
		for person := range people {
			id, err := w.into.Registry.Parse(fmt.Sprintf("user_id:u%d", person))
			if err != nil {
				t.Fatal(err)
			}
			profile, err := w.engine.Profile(context.Background(), id.Key)
			if err != nil {
				t.Fatal(err)
			}
			traits := map[string]string{}
			for i := range profile.Traits {
				traits[profile.Traits[i].Name] = string(profile.Traits[i].Value)
			}
			for i := person; i < n; i += people {
				if traits[name(i)] != fmt.Sprintf("%q", value(i)) {
					t.Fatalf("%s of u%d: %.60q", name(i), person, traits[name(i)])
				}
			}
		}
	})
}
