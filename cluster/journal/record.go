package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/kindred-id/kindred/internal/msgpack"
	"github.com/kindred-id/kindred/storage"
)

// A Record is one record of a shard's log: a claim, or data under a claim. Exactly one of the two is set.
//
// A record has no key. Its value is a version byte, a MessagePack array without names, and a checksum:
//
//	 1 B                                                                                5 B
//	+---------+------------------------------------------------------------------+-----------------+
//	| version | 1, deployment 16, shards, node, boot, written, readable, handlers, at | crc32c of all that |
//	| version | 2, claim, seq, part, parts, sealed, rules, handlers, at, count, ops    | crc32c of all that |
//	+---------+------------------------------------------------------------------+-----------------+
//
// An encoding is canonical: a value has one encoding in a version, and Parse accepts no other.
type Record struct {
	Claim *Claim
	Data  *Data
	Sum   uint32 // the checksum
}

// A Claim makes a node the only writer of the shard, until the next Claim.
type Claim struct {
	Deployment [16]byte
	Shards     uint32 // of the deployment
	Node       string // its name, which stays over restarts
	Boot       uint64 // of the process, another one at each start
	Written    uint64 // the generation of encodings that the node writes
	Readable   uint64 // the newest that it reads
	Handlers   uint64 // the version of the handlers
	At         int64  // ms since 1970, by the node's clock
}

// Data is one part of a commit: the operations of a batch, or a piece of them. Data without operations is a heartbeat, a
// barrier, or the seal of a hand-over.
type Data struct {
	Claim    int64  // the offset of the claim that it is written under
	Seq      uint64 // of the commit, from 1 in each claim
	Part     uint32 // from 1
	Parts    uint32
	Sealed   bool   // the last record of an orderly hand-over: rows hold all that the shard's log says
	Rules    uint64 // the version of the rules that the commit was decided under
	Handlers uint64 // and that of the handlers, at least 1
	At       int64
	Count    uint32 // operations of the whole commit
	Ops      []byte // of this part
}

// Bounds of a record.
const (
	PartBytes    = 1 << 20 // operations in one part, at most
	partsMost    = 1 << 10
	nodeNameMost = 255
)

// ErrVersion is returned for a record of a version that this program does not know.
var ErrVersion = errors.New("journal record of an unknown version")

const (
	recordVersion = 1
	kindClaim     = 1
	kindData      = 2
	claimFields   = 9
	dataFields    = 11
	sumLen        = 1 + 4 // a MessagePack number of fixed width: its code, and four bytes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendClaim appends the encoding of a claim.
func AppendClaim(b []byte, c *Claim) []byte {
	start := len(b)
	return appendSum(appendClaim(b, c), start)
}

func appendClaim(b []byte, c *Claim) []byte {
	b = append(b, recordVersion)
	b = msgpack.AppendArrayLen(b, claimFields)
	b = msgpack.AppendUint(b, kindClaim)
	b = append(msgpack.AppendBytesLen(b, len(c.Deployment)), c.Deployment[:]...)
	b = msgpack.AppendUint(b, uint64(c.Shards))
	b = msgpack.AppendString(b, c.Node)
	for _, v := range []uint64{c.Boot, c.Written, c.Readable, c.Handlers} {
		b = msgpack.AppendUint(b, v)
	}
	return msgpack.AppendInt(b, c.At)
}

// AppendData appends the encoding of data.
func AppendData(b []byte, d *Data) []byte {
	start := len(b)
	return appendSum(append(appendDataHead(b, d), d.Ops...), start)
}

// appendDataHead appends all but the operations and the checksum.
func appendDataHead(b []byte, d *Data) []byte {
	b = append(b, recordVersion)
	b = msgpack.AppendArrayLen(b, dataFields)
	b = msgpack.AppendUint(b, kindData)
	b = msgpack.AppendInt(b, d.Claim)
	b = msgpack.AppendUint(b, d.Seq)
	b = msgpack.AppendUint(b, uint64(d.Part))
	b = msgpack.AppendUint(b, uint64(d.Parts))
	b = msgpack.AppendBool(b, d.Sealed)
	b = msgpack.AppendUint(b, d.Rules)
	b = msgpack.AppendUint(b, d.Handlers)
	b = msgpack.AppendInt(b, d.At)
	b = msgpack.AppendUint(b, uint64(d.Count))
	return msgpack.AppendBytesLen(b, len(d.Ops))
}

func appendSum(b []byte, start int) []byte {
	sum := crc32.Checksum(b[start:], castagnoli)
	return binary.BigEndian.AppendUint32(append(b, msgpack.Uint32), sum)
}

// Parse reads a record. Its Ops share the memory of b. It fails with ErrVersion, or with storage.ErrCorrupt.
func Parse(b []byte) (Record, error) {
	if len(b) > 0 && b[0] != recordVersion && b[0] != 0 {
		return Record{}, fmt.Errorf("%w: %d, and this program knows %d: use the program that wrote it, or a later one", ErrVersion, b[0], recordVersion)
	}
	in := scanner{b: b}
	body := len(b) - sumLen
	if body < 1 || b[0] == 0 || b[body] != msgpack.Uint32 {
		return Record{}, in.corrupt("no checksum")
	}
	r := Record{Sum: binary.BigEndian.Uint32(b[body+1:])}
	if crc32.Checksum(b[:body], castagnoli) != r.Sum {
		return Record{}, in.corrupt("checksum")
	}
	in.b, in.at = b[:body], 1
	fields := in.array()
	switch kind := in.uint(); {
	case in.failed:
	case kind == kindClaim && fields == claimFields:
		r.Claim = in.claim()
	case kind == kindData && fields == dataFields:
		r.Data = in.data()
	default:
		in.failed = true
	}
	if in.failed || in.at != len(in.b) {
		return Record{}, in.corrupt("fields")
	}
	return r, nil
}

// A scanner reads the values of a record. After the first failure it returns zeroes. It accepts longer forms of numbers than
// the shortest: what was read is written again and compared, which refuses those.
type scanner struct {
	b      []byte
	at     int
	failed bool
}

// corrupt names the place, and quotes nothing.
func (in *scanner) corrupt(what string) error {
	return fmt.Errorf("%w journal record: %s, near byte %d of %d", storage.ErrCorrupt, what, in.at, len(in.b))
}

func (in *scanner) claim() *Claim {
	c := &Claim{}
	if id := in.bytes(msgpack.Bin8); len(id) == len(c.Deployment) {
		copy(c.Deployment[:], id)
	} else {
		in.failed = true
	}
	c.Shards = in.upTo(math.MaxUint32)
	c.Node = string(in.text())
	c.Boot, c.Written, c.Readable, c.Handlers = in.uint(), in.uint(), in.uint(), in.uint()
	c.At = in.int()
	if c.Node == "" || len(c.Node) > nodeNameMost || c.Handlers == 0 || !in.same(appendClaim(nil, c)) {
		in.failed = true
	}
	return c
}

func (in *scanner) data() *Data {
	d := &Data{Claim: in.int(), Seq: in.uint(), Part: in.upTo(partsMost), Parts: in.upTo(partsMost), Sealed: in.bool()}
	d.Rules, d.Handlers, d.At = in.uint(), in.uint(), in.int()
	d.Count = in.upTo(math.MaxUint32)
	n := in.length(msgpack.Bin8)
	head := in.at
	d.Ops = in.take(n)
	whole := d.Parts == 1
	switch {
	case in.failed:
	case d.Claim < 0, d.Seq == 0, d.Part == 0, d.Part > d.Parts, d.Handlers == 0:
		in.failed = true
	case len(d.Ops) > PartBytes, whole && (d.Count == 0) != (len(d.Ops) == 0), !whole && (len(d.Ops) == 0 || d.Count == 0), d.Sealed && d.Count > 0:
		in.failed = true
	default:
		at := in.at
		in.at = head
		if !in.same(appendDataHead(nil, d)) {
			in.failed = true
		}
		in.at = at
	}
	return d
}

// same reports whether what was read so far is exactly these bytes.
func (in *scanner) same(canonical []byte) bool {
	return !in.failed && bytes.Equal(in.b[:in.at], canonical)
}

func (in *scanner) take(n int) []byte {
	if in.failed || n < 0 || n > len(in.b)-in.at {
		in.failed = true
		return nil
	}
	in.at += n
	return in.b[in.at-n : in.at : in.at]
}

func (in *scanner) code() byte {
	if b := in.take(1); b != nil {
		return b[0]
	}
	return 0
}

// wide reads a number of 1, 2, 4 or 8 bytes.
func (in *scanner) wide(log2 byte) uint64 {
	var v uint64
	for _, c := range in.take(1 << log2) {
		v = v<<8 | uint64(c)
	}
	return v
}

func (in *scanner) uint() uint64 {
	switch c := in.code(); {
	case c <= msgpack.FixUintMax:
		return uint64(c)
	case c >= msgpack.Uint8 && c <= msgpack.Uint64:
		return in.wide(c - msgpack.Uint8)
	}
	in.failed = true
	return 0
}

func (in *scanner) int() int64 {
	if in.at < len(in.b) {
		switch c := in.b[in.at]; {
		case c >= msgpack.FixIntMin:
			in.at++
			return int64(int8(c))
		case c >= msgpack.Int8 && c <= msgpack.Int64:
			in.at++
			unused := 64 - 8<<(c-msgpack.Int8)
			return int64(in.wide(c-msgpack.Int8)<<unused) >> unused
		}
	}
	return int64(in.uint())
}

func (in *scanner) upTo(most uint64) uint32 {
	v := in.uint()
	if v > most {
		in.failed = true
		return 0
	}
	return uint32(v)
}

func (in *scanner) bool() bool {
	c := in.code()
	if c != msgpack.True && c != msgpack.False {
		in.failed = true
	}
	return c == msgpack.True
}

func (in *scanner) array() int {
	c := in.code()
	if c&^(msgpack.FixArrayLimit-1) != msgpack.FixArray {
		in.failed = true
		return 0
	}
	return int(c & (msgpack.FixArrayLimit - 1))
}

// length reads the length of a value that is described by one of three codes, of which first is the one for 8 bits.
func (in *scanner) length(first byte) int {
	c := in.code()
	if c < first || c > first+2 {
		in.failed = true
		return 0
	}
	return int(in.wide(c - first))
}

func (in *scanner) bytes(first byte) []byte { return in.take(in.length(first)) }

func (in *scanner) text() []byte {
	if in.at < len(in.b) && in.b[in.at]&^(msgpack.FixStringLimit-1) == msgpack.FixString {
		return in.take(int(in.code() & (msgpack.FixStringLimit - 1)))
	}
	return in.bytes(msgpack.String8)
}
