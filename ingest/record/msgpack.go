package record

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/internal/jsontext"
	"github.com/kindred-id/kindred/internal/msgpack"
)

// appendMessagePack appends the one value in data as JSON of at most limit bytes. It allocates only to grow dst, and
// preserves the order of keys.
//
// See https://github.com/msgpack/msgpack/blob/master/spec.md.
func appendMessagePack(dst, data []byte, limit int) ([]byte, error) {
	m := messagePack{data: data, out: dst, limit: len(dst) + limit}
	m.value(0)
	if m.err == nil && m.at < len(data) {
		m.err = errors.New("has bytes after its value")
	}
	if m.err != nil {
		return dst, undecodable(MessagePack, "byte %d: %v", m.at, m.err)
	}
	return m.out, nil
}

// messagePack is a cursor over one value. After an error every step does nothing.
type messagePack struct {
	data  []byte
	at    int
	out   []byte
	limit int // of out: escaping can make strings longer
	err   error
}

var errShort = errors.New("ends in the middle of a value")

// fail notes the first error: the ones after it follow from it.
func (m *messagePack) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

// take takes n bytes; nil after an error.
func (m *messagePack) take(n uint64) []byte {
	if m.err != nil {
		return nil
	}
	if n > uint64(len(m.data)-m.at) {
		m.fail(errShort)
		return nil
	}
	b := m.data[m.at : m.at+int(n)]
	m.at += int(n)
	return b
}

// uint reads an unsigned number of size bytes.
func (m *messagePack) uint(size int) uint64 {
	b := m.take(uint64(size))
	if b == nil {
		return 0
	}
	switch size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(b))
	case 4:
		return uint64(binary.BigEndian.Uint32(b))
	default:
		return binary.BigEndian.Uint64(b)
	}
}

// A timestamp is the only extension that the format defines.
const (
	extTimestamp  = -1
	timestampForm = 12 // bytes of the long form of a timestamp
)

// value appends the next value.
//
// The first byte is the code, and the cases are in the order of codes, but for the last of the numbers:
//
//	00-7f  number     90-9f  array     c0     nil        c7-c9  extension   d0-d3  int         d9-db  string
//	80-8f  map        a0-bf  string    c2 c3  boolean    ca cb  float       d4-d8  extension   dc dd  array
//	e0-ff  number                      c4-c6  bytes      cc-cf  uint                           de df  map
//
// In 00-bf and e0-ff the code has the number or the length in its lower bits. The others that need one have it in
// 1, 2, 4 or 8 bytes after the code. The length of out is checked once a value, so out is too long by at most one
// value, whose text data bounds.
func (m *messagePack) value(depth int) {
	if len(m.out) > m.limit {
		m.fail(errors.New("becomes too long as JSON"))
	}
	code := m.uint(1)
	if m.err != nil {
		return
	}
	switch c := byte(code); {
	case c < msgpack.FixMap: // a number of one byte
		m.out = strconv.AppendUint(m.out, code, 10)
	case c < msgpack.FixArray:
		m.object(code&(msgpack.FixMapLimit-1), depth)
	case c < msgpack.FixString:
		m.array(code&(msgpack.FixArrayLimit-1), depth)
	case c < msgpack.Nil:
		m.string(code & (msgpack.FixStringLimit - 1))
	case c >= msgpack.FixIntMin:
		m.out = strconv.AppendInt(m.out, int64(int8(c)), 10)
	case c == msgpack.Nil:
		m.out = append(m.out, "null"...)
	case c == msgpack.False:
		m.out = append(m.out, "false"...)
	case c == msgpack.True:
		m.out = append(m.out, "true"...)
	case c < msgpack.Bin8:
		m.fail(errors.New("holds an unassigned code"))
	case c < msgpack.Ext8:
		m.binary(m.uint(1 << (c - msgpack.Bin8)))
	case c < msgpack.Float32:
		m.extension(m.uint(1 << (c - msgpack.Ext8)))
	case c == msgpack.Float32:
		m.float(float64(math.Float32frombits(uint32(m.uint(4)))), 32)
	case c == msgpack.Float64:
		m.float(math.Float64frombits(m.uint(8)), 64)
	case c < msgpack.Int8:
		m.out = strconv.AppendUint(m.out, m.uint(1<<(c-msgpack.Uint8)), 10)
	case c < msgpack.FixExt1:
		size := 1 << (c - msgpack.Int8)
		shift := 64 - 8*size
		m.out = strconv.AppendInt(m.out, int64(m.uint(size)<<shift)>>shift, 10)
	case c < msgpack.String8:
		m.extension(1 << (c - msgpack.FixExt1))
	case c < msgpack.Array16:
		m.string(m.uint(1 << (c - msgpack.String8)))
	case c < msgpack.Map16:
		m.array(m.uint(2<<(c-msgpack.Array16)), depth)
	default:
		m.object(m.uint(2<<(c-msgpack.Map16)), depth)
	}
}

// float appends a number of so many bits in the shortest form that reads back as the same. JSON has no form for NaN
// and infinities: they are an error.
func (m *messagePack) float(f float64, bits int) {
	if m.err != nil {
		return
	}
	var err error
	if m.out, err = appendFloat(m.out, f, bits); err != nil {
		m.fail(err)
	}
}

// string appends n bytes as text. That they are UTF-8 is not checked here: the scanner of events checks all text once.
func (m *messagePack) string(n uint64) {
	if b := m.take(n); m.err == nil {
		m.out = jsontext.AppendVerbatim(m.out, b)
	}
}

// binary appends n bytes in base64: MessagePack, unlike JSON, tells bytes from text.
func (m *messagePack) binary(n uint64) {
	if b := m.take(n); m.err == nil {
		m.out = appendBytes(m.out, b)
	}
}

// array appends n values. n is not believed: nothing is allocated for it, and a length beyond the data ends with
// errShort at the first value that is not there.
func (m *messagePack) array(n uint64, depth int) {
	if !m.enter(depth) {
		return
	}
	m.out = append(m.out, '[')
	for i := uint64(0); i < n && m.err == nil; i++ {
		if i > 0 {
			m.out = append(m.out, ',')
		}
		m.value(depth + 1)
	}
	m.out = append(m.out, ']')
}

// object appends n members, in the order of the data. A key that repeats is written twice; what reads the JSON takes
// the last one.
func (m *messagePack) object(n uint64, depth int) {
	if !m.enter(depth) {
		return
	}
	m.out = append(m.out, '{')
	for i := uint64(0); i < n && m.err == nil; i++ {
		if i > 0 {
			m.out = append(m.out, ',')
		}
		m.key()
		m.out = append(m.out, ':')
		m.value(depth + 1)
	}
	m.out = append(m.out, '}')
}

// key appends a key of an object. Old encoders write text as binary.
func (m *messagePack) key() {
	switch c := m.uint(1); {
	case msgpack.FixString <= c && c < msgpack.Nil:
		m.string(c & (msgpack.FixStringLimit - 1))
	case msgpack.String8 <= c && c < msgpack.Array16:
		m.string(m.uint(1 << (c - msgpack.String8)))
	case msgpack.Bin8 <= c && c < msgpack.Ext8:
		m.string(m.uint(1 << (c - msgpack.Bin8)))
	default:
		m.fail(errors.New("holds a key that is not a string"))
	}
}

// enter bounds how deep values nest, since reading them recurses. It reports whether to go on.
func (m *messagePack) enter(depth int) bool {
	if depth >= jsonscan.MaxDepth {
		m.fail(errDepth)
	}
	return m.err == nil
}

// extension appends a timestamp, the only extension that the format defines, as RFC 3339:
//
//	 4 B   seconds since 1970, unsigned
//	 8 B   nanoseconds, the upper 30 bits; seconds, the lower 34, unsigned
//	12 B   nanoseconds, 4 B; seconds, 8 B, signed
func (m *messagePack) extension(n uint64) {
	kind := int8(m.uint(1))
	b := m.take(n)
	if m.err != nil {
		return
	}
	if kind != extTimestamp {
		m.fail(errors.New("holds an application's own extension type"))
		return
	}
	var seconds int64
	var nanoseconds uint64
	switch n {
	case 4:
		seconds = int64(binary.BigEndian.Uint32(b))
	case 8:
		both := binary.BigEndian.Uint64(b)
		nanoseconds, seconds = both>>34, int64(both&(1<<34-1))
	case timestampForm:
		nanoseconds, seconds = uint64(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint64(b[4:]))
	}
	t := time.Unix(seconds, int64(nanoseconds)).UTC()
	if n != 4 && n != 8 && n != timestampForm || nanoseconds >= 1e9 || t.Year() < 0 || t.Year() > 9999 {
		m.fail(errors.New("holds an invalid timestamp"))
		return
	}
	m.out = appendTime(m.out, t)
}
