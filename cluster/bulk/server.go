package bulk

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"
)

// Source opens what is to be copied.
type Source interface {
	// Open returns the rows of a kind and a shard at this moment: ErrAbsent if this node does not have them.
	Open(ctx context.Context, kind string, shard uint32) (Snapshot, error)
}

// Snapshot is rows that do not change.
type Snapshot interface {
	// Head is what has to be known of the rows before the first one, up to 1 KiB.
	Head() []byte
	// Rows calls fn with every row whose key is greater than after, in the order of keys. Both are valid during the call.
	Rows(after []byte, fn func(key, value []byte) error) error
	Close() error
}

// ErrAbsent is returned when a node does not have what it is asked for.
var ErrAbsent = errors.New("bulk: this node does not have it")

const (
	snapshotsMost = 4
	snapshotIdle  = time.Minute
	retryAfter    = 5 // seconds
	chunk         = 64 << 10
	nameBytes     = 36 // of a session
	headMost      = 1 << 10
)

// Server serves copies. It is an http.Handler.
type Server struct {
	source Source
	limit  *rate.Limiter
	mux    *http.ServeMux

	mu     sync.Mutex // guards the following
	open   map[string]*session
	opened int // with those that are being opened
	closed bool
}

// session is a snapshot that a client may come back to.
type session struct {
	snapshot Snapshot
	users    int
	idle     *time.Timer
}

// NewServer returns a server that sends up to so many bytes a second; 0 means without limit.
func NewServer(source Source, bytesPerSecond int) *Server {
	limit := rate.NewLimiter(rate.Inf, chunk)
	if bytesPerSecond > 0 {
		limit = rate.NewLimiter(rate.Limit(bytesPerSecond), chunk)
	}
	s := &Server{source: source, limit: limit, mux: http.NewServeMux(), open: map[string]*session{}}
	s.mux.HandleFunc("POST /bulk/{kind}/{shard}", s.begin)
	s.mux.HandleFunc("POST /bulk/rows/of/{session}", s.rows)
	s.mux.HandleFunc("DELETE /bulk/rows/of/{session}", s.end)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// begin opens a snapshot, and answers with the name of its session, and the head of the rows.
func (s *Server) begin(w http.ResponseWriter, r *http.Request) {
	shard, err := strconv.ParseUint(r.PathValue("shard"), 10, 32)
	if err != nil {
		http.Error(w, "the shard is no number", http.StatusBadRequest)
		return
	}
	if !s.reserve() {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		http.Error(w, "as many snapshots are open as may be", http.StatusServiceUnavailable)
		return
	}
	snapshot, err := s.source.Open(r.Context(), r.PathValue("kind"), uint32(shard))
	if err != nil {
		s.release()
		status := http.StatusInternalServerError
		if errors.Is(err, ErrAbsent) {
			status = http.StatusNotFound
		}
		http.Error(w, err.Error(), status)
		return
	}
	name := uuid.NewString()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		s.opened--
		_ = snapshot.Close()
		http.Error(w, "the node stops", http.StatusServiceUnavailable)
		return
	}
	s.open[name] = &session{snapshot: snapshot, idle: time.AfterFunc(snapshotIdle, func() { s.drop(name) })}
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, name)
	_, _ = w.Write(snapshot.Head())
}

func (s *Server) reserve() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.opened >= snapshotsMost {
		return false
	}
	s.opened++
	return true
}

func (s *Server) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened--
}

// use returns a session for the time of a stream; nil if it is gone.
func (s *Server) use(name string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.open[name]
	if at != nil {
		at.users++
		at.idle.Stop()
	}
	return at
}

func (s *Server) leave(at *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.users--; at.users == 0 {
		at.idle.Reset(snapshotIdle)
	}
}

// drop closes a session that nobody uses.
func (s *Server) drop(name string) {
	s.mu.Lock()
	at := s.open[name]
	if at == nil || at.users > 0 {
		s.mu.Unlock()
		return
	}
	delete(s.open, name)
	s.opened--
	s.mu.Unlock()
	at.idle.Stop()
	_ = at.snapshot.Close()
}

// rows streams the rows after the key that is the request's body.
func (s *Server) rows(w http.ResponseWriter, r *http.Request) {
	after, err := io.ReadAll(io.LimitReader(r.Body, chunk))
	if err != nil {
		http.Error(w, "the key could not be read", http.StatusBadRequest)
		return
	}
	at := s.use(r.PathValue("session"))
	if at == nil {
		http.Error(w, "the snapshot is closed; begin again", http.StatusGone)
		return
	}
	defer s.leave(at)
	w.Header().Set("Content-Type", "application/octet-stream")
	sum := crc32.New(castagnoli)
	paced := bufio.NewWriterSize(&pacedWriter{r.Context(), s.limit, w}, chunk)
	out := io.MultiWriter(paced, sum)
	var rows uint64
	var head []byte
	err = at.snapshot.Rows(after, func(key, value []byte) error {
		rows++
		for _, b := range [][]byte{key, value} {
			head = binary.AppendUvarint(head[:0], uint64(len(b)))
			if _, err := out.Write(head); err != nil {
				return err
			}
			if _, err := out.Write(b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		panic(http.ErrAbortHandler) // the client sees a stream without an end (U1)
	}
	end := binary.AppendUvarint([]byte{0}, rows)
	if _, err := paced.Write(binary.BigEndian.AppendUint32(end, sum.Sum32())); err == nil {
		_ = paced.Flush()
	}
}

func (s *Server) end(w http.ResponseWriter, r *http.Request) {
	s.drop(r.PathValue("session"))
	w.WriteHeader(http.StatusNoContent)
}

// Close closes all snapshots. Streams under way must have ended: stop the HTTP server first.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	var names []string
	for name := range s.open {
		names = append(names, name)
	}
	s.mu.Unlock()
	for _, name := range names {
		s.drop(name)
	}
}

// pacedWriter keeps below a rate (U3). Writes are of one chunk at most.
type pacedWriter struct {
	ctx   context.Context
	limit *rate.Limiter
	w     io.Writer
}

// Write implements io.Writer.
func (p *pacedWriter) Write(b []byte) (written int, err error) {
	for len(b) > 0 {
		part := b[:min(len(b), chunk)]
		if err := p.limit.WaitN(p.ctx, len(part)); err != nil {
			return written, err
		}
		n, err := p.w.Write(part)
		written += n
		if err != nil {
			return written, err
		}
		b = b[len(part):]
	}
	return written, nil
}
