package route

import (
	"errors"
	"io"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Bodies bounds the memory of bodies that are no events, such as assertions and lists of ids, for all requests under way.
// Any number of goroutines use it.
//
// A body takes room as its bytes arrive, so a client that only says how long its body is holds none. Where there is no room
// the request ends with busy at once: it could wait, but then the clients that hold the room would decide for how long.
type Bodies struct {
	most    int64
	used    atomic.Int64
	refused prometheus.Counter
}

// bodyFactor is what a byte of a body takes, at most: in the decoder's buffer, which doubles, and in the values.
const bodyFactor = 4

// errNoRoom is returned by a body for which there is no room.
var errNoRoom = errors.New("the bodies of other requests have filled their share of memory")

// NewBodies bounds bodies to bytes of memory; at least one body of any allowed length has room.
func NewBodies(bytes int64) *Bodies {
	return &Bodies{most: max(bytes, bodyFactor*(maxRequestBytes+1)), refused: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "kindred_http_bodies_refused_total", Help: "Requests that are no events and were refused because the bodies of others filled the memory for them.",
	})}
}

// Collector has the metrics of the bodies.
func (b *Bodies) Collector() prometheus.Collector { return b.refused }

// Used is the memory that bodies have taken.
func (b *Bodies) Used() int64 { return b.used.Load() }

// boundedBody is the body of one request. Close gives no room back: what was read is in use until the request is answered.
type boundedBody struct {
	io.ReadCloser
	of   *Bodies
	took int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	took := int64(n) * bodyFactor
	if b.of.used.Add(took) > b.of.most {
		b.of.used.Add(-took)
		b.of.refused.Inc()
		return 0, errNoRoom
	}
	b.took += took
	return n, err
}

func (b *boundedBody) release() { b.of.used.Add(-b.took) }
