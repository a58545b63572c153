package kafka

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Headers of dead letters. The record's own headers stay beside them.
const (
	headerPrefix    = "kindred-"          // of all
	headerCode      = "kindred-code"      // see ingest.Code
	headerField     = "kindred-field"     // of the event
	headerReason    = "kindred-reason"    // what was found
	headerHint      = "kindred-hint"      // what to do about it
	headerTopic     = "kindred-topic"     // where the record was
	headerPartition = "kindred-partition" // likewise
	headerOffset    = "kindred-offset"    // likewise
	headerIndex     = "kindred-index"     // which event of the record
	headerTime      = "kindred-time"      // when the record was written, ms since 1970
	headerFormat    = "kindred-format"    // of the topic
	headerValue     = "kindred-value"     // event, record, or missing: what the letter's value is
	headerOrigin    = "kindred-origin"    // the id of the event, where that names none
)

// header is the value of a record's header; nil when it has none.
func header(r *kgo.Record, key string) []byte {
	for i := range r.Headers {
		if r.Headers[i].Key == key {
			return r.Headers[i].Value
		}
	}
	return nil
}

// maxSource bounds the name of a source, in bytes; a longer one becomes its hash.
const maxSource = 64

// sourceName is a source as timelines show it: printable ASCII, or a hash.
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

// appendOrigin appends the id of an event that names none: where it is, or, of a dead letter that is
// tried again, where it was.
func appendOrigin(dst []byte, identity string, r *kgo.Record, index int) []byte {
	dst = appendOriginPrefix(dst, identity, r)
	if dst[len(dst)-1] != '/' {
		return dst // of the one event in a letter
	}
	return strconv.AppendInt(dst, int64(index), 10)
}

// appendOriginPrefix appends the beginning of the ids of a record's events, which the index completes; of
// a dead letter that holds one event, all of its id.
func appendOriginPrefix(dst []byte, identity string, r *kgo.Record) []byte {
	if origin := header(r, headerOrigin); len(origin) > 0 {
		return append(dst, origin...)
	}
	dst = append(append(dst, "kafka:"...), identity...)
	dst = strconv.AppendInt(append(dst, '/'), int64(r.Partition), 10)
	dst = strconv.AppendInt(append(dst, '/'), r.Offset, 10)
	return append(dst, '/')
}
