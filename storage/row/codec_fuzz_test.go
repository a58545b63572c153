package row

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Whatever the bytes, a decoder does not panic, allocates little, refuses with ErrCorrupt, and what it
// accepts is the one encoding of what it says (C1 to C3).

// amplification bounds what a decoder allocates for a byte of input. The worst is a list of the
// smallest items: a trait of an event is 48 bytes in memory and 2 encoded, and is encoded again here.
const amplification = 128

// allocated is how many bytes fn allocates.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func fuzzDecoder(f *testing.F, kind string, prepare func([]byte) []byte) {
	var target sample
	for _, s := range samples() {
		if strings.HasPrefix(s.name, kind) {
			f.Add(s.bytes)
			target = s
		}
	}
	older, err := filepath.Glob(filepath.Join("testdata", "codec", kind+"*-v[0-9].golden"))
	must(f, err)
	for _, path := range older {
		f.Add(readGolden(f, path))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		b = prepare(b)
		n := allocated(func() { accepts(t, &target, b) })
		// The count includes allocations by others: the runtime, the fuzzer, a store that an earlier test closed. They
		// don't allocate at every attempt.
		most := uint64(1<<20 + amplification*len(b))
		for again := 0; n > most && again < 3; again++ {
			n = allocated(func() { accepts(t, &target, b) })
		}
		if n > most {
			t.Fatalf("%d bytes allocated for an input of %d", n, len(b))
		}
	})
}

func asIs(b []byte) []byte { return b }

func FuzzDecodeEvent(f *testing.F)      { fuzzDecoder(f, "event", asIs) }
func FuzzDecodeMessage(f *testing.F)    { fuzzDecoder(f, "message", asIs) }
func FuzzDecodeRoot(f *testing.F)       { fuzzDecoder(f, "root", asIs) }
func FuzzDecodeForward(f *testing.F)    { fuzzDecoder(f, "forward", asIs) }
func FuzzDecodeBlock(f *testing.F)      { fuzzDecoder(f, "block", asIs) }
func FuzzDecodeShardMeta(f *testing.F)  { fuzzDecoder(f, "meta", asIs) }
func FuzzDecodeChannel(f *testing.F)    { fuzzDecoder(f, "channel", asIs) }
func FuzzDecodePositions(f *testing.F)  { fuzzDecoder(f, "positions", asIs) }
func FuzzDecodeQuarantine(f *testing.F) { fuzzDecoder(f, "quarantine", asIs) }
func FuzzDecodeGroup(f *testing.F)      { fuzzDecoder(f, "group", asIs) }
func FuzzDecodeMember(f *testing.F)     { fuzzDecoder(f, "member", asIs) }

// A record gets the right checksum, or nothing after it would be reached. Its entries are written again by kind, so
// only a second reading must agree.
func FuzzDecodeRecord(f *testing.F) {
	for _, s := range samples() {
		if s.name == "record" {
			f.Add(s.bytes[:len(s.bytes)-checksumLen])
		}
	}
	dec := NewDecoder()
	f.Fuzz(func(t *testing.T, b []byte) {
		b = appendChecksum(b)
		var r Record
		var err error
		n := allocated(func() { r, err = dec.Record(b) })
		if most := uint64(1<<20 + amplification*len(b)); n > most {
			t.Fatalf("%d bytes allocated for an input of %d", n, len(b))
		}
		if err != nil {
			return
		}
		again, err := dec.Record(writeRecord(&RecordWriter{}, nil, &r))
		if err != nil {
			t.Fatal(err)
		}
		sameValue(t, "read again", again, r)
	})
}
