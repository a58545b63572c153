package workload

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"
)

// visit is one event of a browser, in the form of Segment's library.
type visit struct {
	number  uint64 // of the event in its stream; also its time
	browser uint64 // the visitor's cookie
	user    uint64 // 0 is no login
	device  uint64 // 0 is no device id
	email   string // empty is no address
	person  uint64 // decides page, browser and address of the network
}

// start is the time of the first event: 2025-01-01 UTC. Events are spacing apart.
const (
	start   = 1_735_689_600_000
	spacing = 50 // ms
)

// names of what a visit may do; page views come most often.
var (
	actions = []string{"Product Viewed", "Product List Viewed", "Product Added", "Search Performed"}
	pages   = []string{"/", "/games", "/games/board", "/games/cards", "/basket", "/help/delivery", "/search", "/about"}
	agents  = []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
		"Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
	}
)

// append appends the event's line.
func (v *visit) append(dst []byte, seed uint64) []byte {
	h := mix(seed, v.number)
	at := time.UnixMilli(start + int64(v.number)*spacing).UTC()
	dst = at.AppendFormat(append(dst, `{"timestamp":"`...), "2006-01-02T15:04:05.000Z")
	dst = appendUUID(append(dst, `","messageId":"`...), seed^0x6d, v.number)
	switch {
	case v.email != "":
		dst = append(dst, `","type":"identify"`...)
	case h&3 == 0:
		dst = append(append(append(dst, `","type":"track","event":"`...), actions[h>>8%4]...), '"')
	default:
		dst = append(dst, `","type":"page"`...)
	}
	dst = append(appendUUID(append(dst, `,"anonymousId":"`...), seed^0xc0, v.browser), '"')
	if v.user != 0 {
		dst = append(strconv.AppendUint(append(dst, `,"userId":"customer-`...), v.user, 10), '"')
	}
	if v.email != "" {
		dst = append(append(append(dst, `,"traits":{"email":"`...), v.email...), `"}`...)
	}
	page := pages[h>>16%8]
	dst = append(append(dst, `,"properties":{"path":"`...), page...)
	dst = strconv.AppendUint(append(dst, `","title":"Harbour: games and puzzles","position":`...), h>>24%40, 10)
	dst = append(append(dst, `},"context":{"library":{"name":"analytics.js","version":"next-1.70.0"},"userAgent":"`...), agents[v.person%3]...)
	dst = append(append(dst, `","locale":"en-GB","page":{"path":"`...), page...)
	dst = append(append(dst, `","referrer":"","title":"Harbour","url":"https://harbour.example`...), page...)
	dst = strconv.AppendUint(append(dst, `"},"ip":"198.18.`...), v.person>>8%256, 10)
	dst = append(strconv.AppendUint(append(dst, '.'), v.person%256, 10), '"')
	if v.device != 0 {
		dst = append(appendUUID(append(dst, `,"device":{"id":"`...), seed^0xde, v.device), `"}`...)
	}
	return append(dst, `}}`...)
}

// mix is a hash of two numbers.
func mix(a, b uint64) uint64 {
	var raw [16]byte
	binary.LittleEndian.PutUint64(raw[:], a)
	binary.LittleEndian.PutUint64(raw[8:], b)
	return xxhash.Sum64(raw[:])
}

// appendUUID appends a random UUID of a number.
func appendUUID(dst []byte, salt, n uint64) []byte {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:], mix(salt, n))
	binary.BigEndian.PutUint64(raw[8:], mix(salt+1, n))
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	dst = append(hex.AppendEncode(dst, raw[:4]), '-')
	dst = append(hex.AppendEncode(dst, raw[4:6]), '-')
	dst = append(hex.AppendEncode(dst, raw[6:8]), '-')
	dst = append(hex.AppendEncode(dst, raw[8:10]), '-')
	return hex.AppendEncode(dst, raw[10:])
}

func dice(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x6b696e)) }
