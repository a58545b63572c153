package api

import (
	"container/list"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// connections bounds the connections of a server. Once there are as many as allowed, a new one takes the place of that
// which the server has waited for longest: for a request, for the rest of a header, or for the rest of a body, whether
// somebody reads the body or it is dropped after the answer. To open connections and leave them costs a client nothing, so
// they must not keep others out. While the server waits for none, new ones wait: first one of them here, then in the queue
// of the operating system.
//
//   - A connection whose request has come whole is not closed for another before its answer: it may have been taken already.
//   - len(open) <= most. A connection that is closed for another counts no longer, and is gone once its goroutine sees it.
type connections struct {
	most   int
	closed prometheus.Counter // to make room
	waited prometheus.Counter

	mu      sync.Mutex                 // guards the following
	open    map[net.Conn]*list.Element // in waiting; nil: a whole request is under way
	waiting *list.List                 // of net.Conn without a request, that which waits longest first
	changed chan struct{}              // holds a token after room may have come
}

func newConnections(most int) *connections {
	return &connections{
		most: most, open: map[net.Conn]*list.Element{}, waiting: list.New(), changed: make(chan struct{}, 1),
		closed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kindred_http_connections_closed_total", Help: "Connections without a whole request that were closed to make room for others.",
		}),
		waited: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kindred_http_connections_waited_total", Help: "Connections that waited because all others had requests under way.",
		}),
	}
}

// Describe implements prometheus.Collector.
func (c *connections) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, out) }

// Collect implements prometheus.Collector.
func (c *connections) Collect(out chan<- prometheus.Metric) {
	c.mu.Lock()
	open := len(c.open)
	c.mu.Unlock()
	out <- prometheus.MustNewConstMetric(prometheus.NewDesc("kindred_http_connections", "Connections of clients.", nil, nil), prometheus.GaugeValue, float64(open))
	out <- c.closed
	out <- c.waited
}

// follow is the http.Server's ConnState. The states new and idle are those of a connection without a whole header.
func (c *connections) follow(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	place, known := c.open[conn]
	if !known && state != http.StateNew {
		return // it was closed for another
	}
	if place != nil {
		c.waiting.Remove(place)
	}
	switch state {
	case http.StateNew, http.StateIdle:
		c.open[conn] = c.waiting.PushBack(conn)
	case http.StateActive:
		c.open[conn] = nil
		return
	default:
		delete(c.open, conn)
	}
	c.signalLocked()
}

// signalLocked says that there may be room. REQUIRES: c.mu held
func (c *connections) signalLocked() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// awaitBody says that the server waits for the next piece of a body, or no longer: all of it has come.
func (c *connections) awaitBody(conn net.Conn, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	place, known := c.open[conn]
	switch {
	case !known:
	case more && place != nil:
		c.waiting.MoveToBack(place)
	case more:
		c.open[conn] = c.waiting.PushBack(conn)
		c.signalLocked()
	case place != nil:
		c.waiting.Remove(place)
		c.open[conn] = nil
	}
}

// connectionKey is the key of a connection in the context of its requests.
type connectionKey struct{}

// name is the http.Server's ConnContext.
func (c *connections) name(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, conn)
}

// watch returns the request with a body that tells what it brings. It is a copy: net/http looks at the body of its own one
// to know how much of it is left.
func (c *connections) watch(r *http.Request) *http.Request {
	conn, known := r.Context().Value(connectionKey{}).(net.Conn)
	if !known || r.ContentLength == 0 {
		return r
	}
	c.awaitBody(conn, true)
	r = r.WithContext(r.Context())
	r.Body = &awaitedBody{r.Body, c, conn}
	return r
}

type awaitedBody struct {
	io.ReadCloser
	connections *connections
	conn        net.Conn
}

// Read implements io.Reader.
func (b *awaitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.connections.awaitBody(b.conn, err == nil)
	return n, err
}

// makeRoom returns once there is room for one more connection; false once stop is closed. Only one goroutine, that which
// accepts, calls it.
func (c *connections) makeRoom(stop <-chan struct{}) bool {
	for counted := false; ; {
		room, oldest := c.tryRoom()
		if oldest != nil {
			c.closed.Inc()
			cut(oldest)
		}
		if room {
			return true
		}
		if !counted {
			c.waited.Inc()
			counted = true
		}
		select {
		case <-c.changed:
		case <-stop:
			return false
		}
	}
}

// tryRoom reports whether there is room, and returns the connection that has to go for it, if one has.
func (c *connections) tryRoom() (room bool, oldest net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) < c.most {
		return true, nil
	}
	front := c.waiting.Front()
	if front == nil {
		return false, nil
	}
	oldest, _ = c.waiting.Remove(front).(net.Conn)
	delete(c.open, oldest)
	return true, oldest
}

// cut closes a connection without a word: over TLS, a farewell could wait for a client that reads nothing.
func cut(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	_ = conn.Close() // it is gone either way
}

// over returns a listener that hands out connections as far as there is room.
func (c *connections) over(l net.Listener) net.Listener {
	return &boundedListener{Listener: l, connections: c, stop: make(chan struct{})}
}

type boundedListener struct {
	net.Listener
	connections *connections
	stop        chan struct{} // closed by Close
	once        sync.Once
}

// Accept implements net.Listener.
func (l *boundedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if !l.connections.makeRoom(l.stop) {
		cut(conn)
		return nil, net.ErrClosed
	}
	return conn, nil
}

// Close implements net.Listener.
func (l *boundedListener) Close() error {
	l.once.Do(func() { close(l.stop) })
	return l.Listener.Close()
}
