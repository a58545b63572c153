package record

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/kindred-id/kindred/internal/jsonscan"
)

// appendMessagePack appends the one value that data holds as JSON, of at most limit bytes. Nothing is allocated but
// what dst grows by, and keys stay in their order.
//
// See https://github.com/msgpack/msgpack/blob/master/spec.md.
func appendMessagePack(dst, data []byte, limit int) ([]byte, error) {
	m := messagePack{data: data, out: dst, limit: len(dst) + limit}
	m.value(0)
	if m.err == nil && m.at < len(data) {
		m.err = errors.New("has bytes behind its value")
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
	limit int // of out: text grows where strings are escaped
	err   error
}

var errShort = errors.New("ends in the middle of a value")

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

// uint takes an unsigned number of so many bytes.
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

// The codes of the format, by their first bytes.
const (
	codeNil       = 0xc0
	codeFalse     = 0xc2
	codeTrue      = 0xc3
	codeBin       = 0xc4 // and two more, of 1, 2, 4 bytes of length
	codeExt       = 0xc7 // likewise
	codeFloat32   = 0xca
	codeFloat64   = 0xcb
	codeUint      = 0xcc // and three more, of 1, 2, 4, 8 bytes
	codeInt       = 0xd0 // likewise
	codeFixExt    = 0xd4 // and four more, of 1, 2, 4, 8, 16 bytes
	codeString    = 0xd9 // and two more, of 1, 2, 4 bytes of length
	codeArray     = 0xdc // and one more, of 2, 4 bytes of length
	codeMap       = 0xde // likewise
	extTimestamp  = -1
	timestampForm = 12 // bytes of the long form of a timestamp
)

// value appends the next value.
func (m *messagePack) value(depth int) {
	if len(m.out) > m.limit {
		m.fail(errors.New("becomes too large a text"))
	}
	code := m.uint(1)
	if m.err != nil {
		return
	}
	switch c := byte(code); {
	case c < 0x80: // positive fixint
		m.out = strconv.AppendUint(m.out, code, 10)
	case c < 0x90:
		m.object(code&0x0f, depth)
	case c < 0xa0:
		m.array(code&0x0f, depth)
	case c < 0xc0:
		m.string(code & 0x1f)
	case c >= 0xe0: // negative fixint
		m.out = strconv.AppendInt(m.out, int64(int8(c)), 10)
	case c == codeNil:
		m.out = append(m.out, "null"...)
	case c == codeFalse:
		m.out = append(m.out, "false"...)
	case c == codeTrue:
		m.out = append(m.out, "true"...)
	case c < codeBin:
		m.fail(errors.New("holds a code that means nothing"))
	case c < codeExt:
		m.binary(m.uint(1 << (c - codeBin)))
	case c < codeFloat32:
		m.extension(m.uint(1 << (c - codeExt)))
	case c == codeFloat32:
		m.float(float64(math.Float32frombits(uint32(m.uint(4)))), 32)
	case c == codeFloat64:
		m.float(math.Float64frombits(m.uint(8)), 64)
	case c < codeInt:
		m.out = strconv.AppendUint(m.out, m.uint(1<<(c-codeUint)), 10)
	case c < codeFixExt:
		size := 1 << (c - codeInt)
		shift := 64 - 8*size
		m.out = strconv.AppendInt(m.out, int64(m.uint(size)<<shift)>>shift, 10)
	case c < codeString:
		m.extension(1 << (c - codeFixExt))
	case c < codeArray:
		m.string(m.uint(1 << (c - codeString)))
	case c < codeMap:
		m.array(m.uint(2<<(c-codeArray)), depth)
	default:
		m.object(m.uint(2<<(c-codeMap)), depth)
	}
}

func (m *messagePack) float(f float64, bits int) {
	if m.err != nil {
		return
	}
	var err error
	if m.out, err = appendFloat(m.out, f, bits); err != nil {
		m.fail(err)
	}
}

func (m *messagePack) string(n uint64) {
	if b := m.take(n); m.err == nil {
		m.out = appendString(m.out, b)
	}
}

func (m *messagePack) binary(n uint64) {
	if b := m.take(n); m.err == nil {
		m.out = appendBytes(m.out, b)
	}
}

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

// key appends a key of an object: text. Old encoders have no other form for text than binary.
func (m *messagePack) key() {
	switch c := m.uint(1); {
	case 0xa0 <= c && c < 0xc0:
		m.string(c & 0x1f)
	case codeString <= c && c < codeArray:
		m.string(m.uint(1 << (c - codeString)))
	case codeBin <= c && c < codeExt:
		m.string(m.uint(1 << (c - codeBin)))
	default:
		m.fail(errors.New("holds a key that is no string"))
	}
}

func (m *messagePack) enter(depth int) bool {
	if depth >= jsonscan.MaxDepth {
		m.fail(errDepth)
	}
	return m.err == nil
}

// extension appends a timestamp, the only extension that the format defines, as RFC 3339.
func (m *messagePack) extension(n uint64) {
	kind := int8(m.uint(1))
	b := m.take(n)
	if m.err != nil {
		return
	}
	if kind != extTimestamp {
		m.fail(errors.New("holds an extension that only its producer knows"))
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
		m.fail(errors.New("holds a timestamp that is none"))
		return
	}
	m.out = appendTime(m.out, t)
}
