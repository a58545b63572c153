package kafka

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Headers of dead letters. The record's own headers are kept beside them.
const (
	headerPrefix    = "kindred-"          // of all these headers
	headerCode      = "kindred-code"      // of the rejection, see segment.Code
	headerField     = "kindred-field"     // of the event
	headerReason    = "kindred-reason"    // the problem
	headerHint      = "kindred-hint"      // the remedy
	headerTopic     = "kindred-topic"     // where the record was
	headerPartition = "kindred-partition" // likewise
	headerOffset    = "kindred-offset"    // likewise
	headerIndex     = "kindred-index"     // of the event in the record
	headerTime      = "kindred-time"      // when the record was written, ms since 1970
	headerFormat    = "kindred-format"    // of the topic
	headerValue     = "kindred-value"     // event, record, or missing: the contents of the letter's value
	headerOrigin    = "kindred-origin"    // the id of the event, if it has none of its own
)

// header returns the value of a record's header; nil if it is absent.
func header(r *kgo.Record, key string) []byte {
	for i := range r.Headers {
		if r.Headers[i].Key == key {
			return r.Headers[i].Value
		}
	}
	return nil
}

// maxSource bounds the name of a source, in bytes; a longer name is replaced by its hash.
const maxSource = 64

// sourceName returns a source as timelines show it: printable ASCII, or a hash.
func sourceName(name []byte) []byte {
	fits := len(name) <= maxSource
	for _, c := range name {
		fits = fits && c > ' ' && c <= '~'
	}
	if fits {
		return name
	}
	sum := sha256.Sum256(name)
	return []byte("sha256:" + hex.EncodeToString(sum[:16]))
}

// appendOrigin appends the id of an event without its own: its position, or, for a retried dead letter, its original
// position.
func appendOrigin(dst []byte, identity string, r *kgo.Record, index int) []byte {
	dst = appendOriginPrefix(dst, identity, r)
	if dst[len(dst)-1] != '/' {
		return dst // the prefix is already the id of the only event in a letter
	}
	return strconv.AppendInt(dst, int64(index), 10)
}

// appendOriginPrefix appends the prefix of the ids of a record's events, to be completed with the index; for a dead
// letter with one event it appends the whole id.
func appendOriginPrefix(dst []byte, identity string, r *kgo.Record) []byte {
	if origin := header(r, headerOrigin); len(origin) > 0 {
		return append(dst, origin...)
	}
	dst = append(append(dst, "kafka:"...), identity...)
	dst = strconv.AppendInt(append(dst, '/'), int64(r.Partition), 10)
	dst = strconv.AppendInt(append(dst, '/'), r.Offset, 10)
	return append(dst, '/')
}
