package journal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kindred-id/kindred/storage"
)

func sampleClaim() *Claim {
	return &Claim{
		Deployment: [16]byte{0: 1, 15: 16}, Shards: 64, Node: "node-0", Boot: 0x0123456789abcdef,
		Written: 6, Readable: 7, Handlers: 3, At: 1_700_000_000_000,
	}
}

func sampleData() *Data {
	return &Data{
		Claim: 70_000, Seq: 300, Part: 2, Parts: 3, Rules: 9, Handlers: 3, At: 1_700_000_000_123, Count: 2, Ops: []byte("operations"),
	}
}

// The bytes of version 1 stay. If they change, the version does.
func TestRecordGolden(t *testing.T) {
	for name, b := range map[string][]byte{
		"claim":     AppendClaim(nil, sampleClaim()),
		"data":      AppendData(nil, sampleData()),
		"heartbeat": AppendData(nil, &Data{Claim: 5, Seq: 1, Part: 1, Parts: 1, Handlers: 1}),
		"sealed":    AppendData(nil, &Data{Claim: 5, Seq: 2, Part: 1, Parts: 1, Sealed: true, Rules: 2, Handlers: 1, At: -1}),
	} {
		path := filepath.Join("testdata", name+"-v1.golden")
		if os.Getenv("KINDRED_REWRITE") != "" {
			if err := os.WriteFile(path, []byte(hex.Dump(b)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.Dump(b); got != string(want) {
			t.Errorf("%s:\n%swant\n%s", name, got, want)
		}
	}
}

func genData(t *rapid.T) *Data {
	d := &Data{
		Claim: rapid.Int64Range(0, math.MaxInt64).Draw(t, "claim"), Seq: rapid.Uint64Range(1, math.MaxUint64).Draw(t, "seq"),
		Parts: rapid.Uint32Range(1, partsMost).Draw(t, "parts"), Rules: rapid.Uint64().Draw(t, "rules"),
		Handlers: rapid.Uint64Range(1, math.MaxUint64).Draw(t, "handlers"), At: rapid.Int64().Draw(t, "at"),
	}
	d.Part = rapid.Uint32Range(1, d.Parts).Draw(t, "part")
	if d.Parts > 1 || rapid.Bool().Draw(t, "not empty") {
		d.Ops = rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "ops")
		d.Count = rapid.Uint32Range(1, math.MaxUint32).Draw(t, "count")
	} else {
		d.Ops = []byte{}
		d.Sealed = rapid.Bool().Draw(t, "sealed")
	}
	return d
}

func TestRecordProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Record{Data: genData(t)}
		if rapid.Bool().Draw(t, "a claim") {
			c := sampleClaim()
			c.Node = rapid.StringN(1, 50, nodeNameMost).Draw(t, "node")
			c.Boot, c.Written, c.Readable, c.At = rapid.Uint64().Draw(t, "boot"), rapid.Uint64().Draw(t, "written"), rapid.Uint64().Draw(t, "readable"), rapid.Int64().Draw(t, "at")
			want = Record{Claim: c}
		}
		b := want.encode()
		got, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		want.Sum = got.Sum
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		// One bit that is wrong is noticed.
		i, bit := rapid.IntRange(0, len(b)-1).Draw(t, "byte"), rapid.IntRange(0, 7).Draw(t, "bit")
		b[i] ^= 1 << bit
		if _, err := Parse(b); err == nil {
			t.Fatalf("bit %d of byte %d is wrong, and the record is accepted", bit, i)
		}
	})
}

func (r *Record) encode() []byte {
	if r.Claim != nil {
		return AppendClaim(nil, r.Claim)
	}
	return AppendData(nil, r.Data)
}

func TestRecordsRefused(t *testing.T) {
	later := AppendClaim(nil, sampleClaim())
	later[0] = recordVersion + 1
	if _, err := Parse(later); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "2") {
		t.Errorf("a later version: %v, want ErrVersion that names it", err)
	}
	change := func(fn func(*Data)) []byte {
		d := sampleData()
		fn(d)
		return AppendData(nil, d)
	}
	claim := func(fn func(*Claim)) []byte {
		c := sampleClaim()
		fn(c)
		return AppendClaim(nil, c)
	}
	longer := sampleHead()
	for name, b := range map[string][]byte{
		"nothing":                     nil,
		"one byte":                    {recordVersion},
		"version 0":                   appendSum([]byte{0}, 0),
		"no array":                    appendSum([]byte{recordVersion}, 0),
		"an end that is cut":          change(func(*Data) {})[:30],
		"claim below 0":               change(func(d *Data) { d.Claim = -1 }),
		"seq 0":                       change(func(d *Data) { d.Seq = 0 }),
		"part 0":                      change(func(d *Data) { d.Part = 0 }),
		"part after the last":         change(func(d *Data) { d.Part = 4 }),
		"too many parts":              change(func(d *Data) { d.Parts = partsMost + 1 }),
		"no handlers":                 change(func(d *Data) { d.Handlers = 0 }),
		"a part without operations":   change(func(d *Data) { d.Ops = nil }),
		"operations without a count":  change(func(d *Data) { d.Part, d.Parts, d.Count = 1, 1, 0 }),
		"a count without operations":  change(func(d *Data) { d.Part, d.Parts, d.Ops = 1, 1, nil }),
		"sealed with operations":      change(func(d *Data) { d.Sealed = true }),
		"too many operations":         change(func(d *Data) { d.Ops = make([]byte, PartBytes+1) }),
		"no node":                     claim(func(c *Claim) { c.Node = "" }),
		"a long node":                 claim(func(c *Claim) { c.Node = strings.Repeat("n", nodeNameMost+1) }),
		"a claim without handlers":    claim(func(c *Claim) { c.Handlers = 0 }),
		"a number in its longer form": appendSum(longer, 0),
	} {
		if r, err := Parse(b); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("%s: %+v, %v, want ErrCorrupt", name, r, err)
		}
	}
}

// sampleHead is a heartbeat with the kind in two bytes.
func sampleHead() []byte {
	b := appendDataHead(nil, &Data{Claim: 5, Seq: 1, Part: 1, Parts: 1, Handlers: 1})
	return append([]byte{b[0], b[1], 0xcc}, b[2:]...)
}

// Whatever the bytes, Parse does not panic, and what it accepts is the one encoding of what it says.
func FuzzParse(f *testing.F) {
	f.Add(AppendClaim(nil, sampleClaim()), false)
	f.Add(AppendData(nil, sampleData()), true)
	f.Add(appendDataHead(nil, &Data{Claim: 5, Seq: 1, Part: 1, Parts: 1, Handlers: 1}), true)
	f.Fuzz(func(t *testing.T, b []byte, sum bool) {
		if sum { // or hardly anything would be reached
			b = appendSum(b, 0)
		}
		r, err := Parse(b)
		switch {
		case err == nil:
			if !bytes.Equal(r.encode(), b) {
				t.Fatalf("% x is accepted, and is written % x", b, r.encode())
			}
		case !errors.Is(err, ErrVersion) && !errors.Is(err, storage.ErrCorrupt):
			t.Fatal(err)
		}
	})
}
