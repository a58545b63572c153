package row

import (
	"testing"

	"github.com/kindred-id/kindred/graph"
)

// With room in the buffer nothing is allocated.
func TestEncodersDoNotAllocate(t *testing.T) {
	enc := NewEncoder()
	buf := make([]byte, 0, 16<<10)
	ev, root, forward, meta, quarantined, r := sampleEvent(), sampleRoot(), sampleForward(), sampleMeta(), sampleQuarantined(), sampleRecord()
	blocks := [][]byte{enc.Event(nil, ev, true)}
	var w RecordWriter
	writeRecord(&w, buf, &r) // makes its encoder
	zero := func(name string, fn func()) {
		t.Helper()
		if n := testing.AllocsPerRun(100, fn); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	zero("event", func() { enc.Event(buf, ev, true) })
	zero("root", func() { enc.Node(buf, root, 1) })
	zero("forward", func() { enc.Node(buf, forward, 1) })
	zero("block", func() { enc.Block(buf, blocks) })
	zero("record", func() { writeRecord(&w, buf, &r) })
	zero("meta", func() { meta.encode(enc.begin(buf)); enc.finish() })
	zero("quarantine", func() { quarantined.encode(enc.begin(buf)); enc.finish() })
	for _, m := range sampleMessages() {
		zero(m.Kind.String(), func() { enc.Message(buf, m) })
	}

	dec, into := NewDecoder(), &graph.Event{}
	must(t, dec.EventInto(blocks[0], into))
	zero("decode event", func() { _ = dec.EventInto(blocks[0], into) })
}

func BenchmarkEncodeEvent(b *testing.B) {
	enc, ev, buf := NewEncoder(), sampleEvent(), make([]byte, 0, 4<<10)
	ev.Order = graph.OrderChange{}
	b.ReportAllocs()
	for b.Loop() {
		buf = enc.Event(buf[:0], ev, true)
	}
	b.ReportMetric(float64(len(buf)), "B/event")
}

func BenchmarkDecodeEventInto(b *testing.B) {
	dec, ev := NewDecoder(), sampleEvent()
	ev.Order = graph.OrderChange{}
	src := NewEncoder().Event(nil, ev, true)
	b.ReportAllocs()
	for b.Loop() {
		if err := dec.EventInto(src, ev); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeNode(b *testing.B) {
	enc, n, buf := NewEncoder(), sampleRoot(), make([]byte, 0, 4<<10)
	b.ReportAllocs()
	for b.Loop() {
		buf = enc.Node(buf[:0], n, 1)
	}
	b.ReportMetric(float64(len(buf)), "B/row")
}

func BenchmarkDecodeNode(b *testing.B) {
	dec, src := NewDecoder(), NewEncoder().Node(nil, sampleRoot(), 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := dec.Node(sampleUser, src); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeAbsorb(b *testing.B) {
	enc, m, buf := NewEncoder(), sampleMessages()[3], make([]byte, 0, 4<<10)
	b.ReportAllocs()
	for b.Loop() {
		buf = enc.Message(buf[:0], m)
	}
}

// BenchmarkRecordWriter is the cost of one event in a record of 256.
func BenchmarkRecordWriter(b *testing.B) {
	var w RecordWriter
	body := NewEncoder().Event(nil, sampleEvent(), true)
	buf := make([]byte, 0, 256<<10)
	w.Reset(buf, 1, 2)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		w.AddInput(ExternalInput, 0, body)
		if n++; n%256 == 0 {
			w.Bytes()
			w.Reset(buf, 1, 2)
		}
	}
}
