package collect

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/semaphore"
)

// meterStep is what a meter takes from the room at a time, in bytes.
const meterStep = 64 << 10

// roomWait is how long a request waits for memory before it is refused as busy. So many connections that send at once take
// turns, rather than send again and again.
const roomWait = 2 * time.Second

// bodyRoom is the memory of the bodies of all requests under way. Bodies that begin may take half of it: the rest is
// for bodies that grow. So a body that waits holds nothing yet, and a body that holds something waits only for one that
// was cut: no two bodies can wait for each other.
type bodyRoom struct {
	all      *semaphore.Weighted
	begun    *semaphore.Weighted
	windows  int64 // the most that the window of one decompressor is counted as
	arrivals arrivals
}

func newBodyRoom(bytes int) *bodyRoom {
	all := int64(bytes)
	return &bodyRoom{semaphore.NewWeighted(all), semaphore.NewWeighted(max(all/2, meterStep)), all / 4, newArrivals()}
}

// begin takes room for the first step of a body, and waits for it.
func (r *bodyRoom) begin(ctx context.Context) (*meter, error) {
	ctx, cancel := context.WithTimeout(ctx, roomWait)
	defer cancel()
	if r.acquire(ctx, r.begun, meterStep) != nil {
		return nil, errNoRoom
	}
	if r.acquire(ctx, r.all, meterStep) != nil {
		r.begun.Release(meterStep)
		return nil, errNoRoom
	}
	return &meter{room: r, held: meterStep}, nil
}

// meter takes room for a body as it grows, so that a client holds room for the bytes that it has sent and no more (P4).
type meter struct {
	room   *bodyRoom
	held   int64
	window int // of its decompressor

	arriving *arriving // the body, once it is watched
}

// need makes sure that size bytes are taken, beside the window; false when there is no room.
func (m *meter) need(size int) bool {
	more := (int64(size+m.window)+meterStep-1)/meterStep*meterStep - m.held
	if more <= 0 {
		return true
	}
	if !m.room.all.TryAcquire(more) {
		if !m.room.arrivals.cutStalled() {
			return false
		}
		ctx, cancel := context.WithTimeout(context.Background(), roomWait)
		defer cancel()
		m.arriving.wait()
		defer m.arriving.resume()
		if m.room.acquire(ctx, m.room.all, more) != nil {
			return false
		}
	}
	m.held += more
	return true
}

// release gives back all that the body took, and its place among those that begin.
func (m *meter) release() {
	m.room.all.Release(m.held)
	m.room.begun.Release(meterStep)
}

// Returned by bodyReader.read.
var (
	errBodyTooLarge    = errors.New("body is too large")
	errNoRoom          = errors.New("no room for the body")
	errUnknownEncoding = errors.New("unknown content encoding")
)

// inflateError says that a compressed body can't be inflated.
type inflateError struct {
	encoding string
	cause    error
}

func (e *inflateError) Error() string {
	if errors.Is(e.cause, io.EOF) || errors.Is(e.cause, io.ErrUnexpectedEOF) {
		return e.encoding + ": the stream is cut short"
	}
	return fmt.Sprintf("%s: %v", e.encoding, e.cause)
}

func (e *inflateError) Unwrap() error { return e.cause }

// utf8Mark is the byte-order mark that editors and spreadsheets put before UTF-8.
const utf8Mark = "\xef\xbb\xbf"

// bodyReader reads bodies, one at a time. It keeps its decompressors: making one costs more than
// most bodies.
type bodyReader struct {
	body []byte // the last one
	head *bufio.Reader
	gzip *gzip.Reader
	zstd *zstd.Decoder
}

// zstdWindowMax bounds the memory of a zstd decompressor: what RFC 8878 asks every one to take.
const zstdWindowMax = 8 << 20

// zstdWindowKept bounds that of a decompressor that is kept for other bodies.
const zstdWindowKept = 256 << 10

// read appends a body to buf, inflated. It recognises the compression by the first bytes, with which no JSON begins,
// because clients and proxies send wrong headers. The header counts only if nothing else explains the bytes. A byte-order
// mark is dropped.
//
// It fails with errBodyTooLarge above limit bytes, errNoRoom, errUnknownEncoding, an *inflateError,
// or as source does.
func (b *bodyReader) read(buf []byte, source io.Reader, header string, limit int, m *meter) ([]byte, error) {
	if b.head == nil {
		b.head = bufio.NewReaderSize(source, 16<<10)
	} else {
		b.head.Reset(source)
	}
	defer b.head.Reset(nil)
	start, err := b.head.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return buf, err
	}
	switch {
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		return b.inflateGzip(buf, limit, m)
	case bytes.Equal(start, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return b.inflateZstd(buf, limit, m)
	}
	switch strings.ToLower(strings.TrimSpace(header)) {
	case "", "identity", "gzip", "x-gzip", "zstd": // a proxy may have inflated it and left the header
	default:
		return buf, errUnknownEncoding
	}
	if bytes.HasPrefix(start, []byte(utf8Mark)) {
		_, _ = b.head.Discard(len(utf8Mark)) // they are in the buffer
	}
	return readBody(buf, b.head, limit, m)
}

// inflateGzip appends a gzip stream, inflated. The decompressor is kept; one that has failed on a header is not, as
// its state is not defined.
func (b *bodyReader) inflateGzip(buf []byte, limit int, m *meter) ([]byte, error) {
	var err error
	if b.gzip == nil {
		b.gzip, err = gzip.NewReader(b.head)
	} else {
		err = b.gzip.Reset(b.head)
	}
	if err != nil {
		b.gzip = nil
		return buf, inflating("gzip", err)
	}
	buf, err = readBody(buf, b.gzip, limit, m)
	return buf, inflating("gzip", err)
}

// inflateZstd appends a zstd stream, inflated. Its header says how much memory the window takes, up to 8 MiB for a
// body of a few bytes: the room for it is taken before it is allocated (P4), and a decompressor with a large one is
// not kept.
func (b *bodyReader) inflateZstd(buf []byte, limit int, m *meter) ([]byte, error) {
	var header zstd.Header
	if start, _ := b.head.Peek(zstd.HeaderMaxSize); header.Decode(start) == nil && header.WindowSize <= zstdWindowMax {
		m.window = int(min(int64(header.WindowSize), m.room.windows))
		if !m.need(0) {
			return buf, errNoRoom
		}
		if header.WindowSize > zstdWindowKept {
			defer func() {
				b.zstd.Close()
				b.zstd = nil
			}()
		}
	}
	var err error
	if b.zstd == nil {
		b.zstd, err = zstd.NewReader(b.head, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindowMax))
	} else {
		err = b.zstd.Reset(b.head)
	}
	if err == nil {
		buf, err = readBody(buf, b.zstd, limit, m)
		_ = b.zstd.Reset(nil) // lets go of the source, and can't fail
	}
	return buf, inflating("zstd", err)
}

// inflating marks errors of the decompressor as such; those of the source and of the bounds stay.
func inflating(encoding string, err error) error {
	var large *http.MaxBytesError
	switch {
	case err == nil, errors.Is(err, errBodyTooLarge), errors.Is(err, errNoRoom), errors.As(err, &large), errors.Is(err, os.ErrDeadlineExceeded):
		return err
	}
	return &inflateError{encoding, err}
}

// readBody appends everything that r gives to buf.
func readBody(buf []byte, r io.Reader, limit int, m *meter) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			size := min(max(2*cap(buf), meterStep), limit+1)
			if !m.need(size) {
				return buf, errNoRoom
			}
			grown := make([]byte, len(buf), size)
			copy(grown, buf)
			buf = grown
		} else if !m.need(cap(buf)) { // memory that was kept from another body
			return buf, errNoRoom
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if len(buf) > limit {
			return buf, errBodyTooLarge
		}
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

// bodyProblem says why a body was not read.
func bodyProblem(err error, limit int) *route.Problem {
	var large *http.MaxBytesError
	var inflate *inflateError
	switch {
	case errors.As(err, &large), errors.Is(err, errBodyTooLarge):
		return route.NewProblem(document.CodeBodyTooLarge, "more than %d bytes, inflated", limit)
	case errors.Is(err, errNoRoom):
		return &route.Problem{Code: document.CodeBusy, Detail: "the bodies under way have filled their share of memory", RetryAfter: route.RetryAfterBusy}
	case errors.Is(err, errUnknownEncoding):
		return &route.Problem{Code: document.CodeUnknownEncoding}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &route.Problem{Code: document.CodeBodyTimeout}
	case errors.As(err, &inflate):
		return route.NewProblem(document.CodeBadEncoding, "%v", inflate)
	default:
		return &route.Problem{Code: document.CodeIncompleteBody}
	}
}
