package file

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/kindred-id/kindred/ingest/segment"
)

// Reader cuts a stream into chunks: of whole lines, if it is NDJSON, and otherwise of records. The stream may be
// compressed with gzip or zstd, which its first bytes show; concatenated members form one stream.
//
//	carry │ read ...                          the chunk under construction
//	──────┴───────────────── \n ─┬──────────
//	        whole lines: returned │ beginning of the next line: the next carry
//
// Invariants:
//   - Each byte of the stream is in exactly one chunk, or in a line that was too long and is reported as such.
//   - Memory is bounded by the limit of a line and the windows of the decompressors, regardless of the decompressed
//     size.
//
// One goroutine at a time uses a Reader; any goroutine may use and release its chunks.
type Reader struct {
	name    string
	source  *counter
	closer  io.Closer // of the source; nil if it needs no closing
	text    io.Reader // decompressed
	stop    func()    // frees the decompressor
	eager   bool      // return the result of a short read instead of waiting for a full chunk
	lineMax int
	// chunkBytes is the size of chunks; chunkTarget unless the pipeline sets it.
	chunkBytes int

	carry  []byte // the beginning of a line whose end has not been read
	line   int64  // number of the next line, from 1
	passed int64  // bytes of the source that chunks have accounted for
	form   form
	ended  bool
	err    error // comes after the last chunk
}

const (
	chunkTarget = 256 << 10
	sourceBytes = 64 << 10
	// zstdWindowMax is the limit that the zstd tool accepts by default: 128 MiB.
	zstdWindowMax = 128 << 20
)

// NewReader reads source, which messages call name. It skips and reports lines above lineMax bytes; 0 means
// DefaultMaxEventBytes. It returns lines that fit into a chunk regardless of lineMax: the decoder has its own limit.
// It fails if a compressed source has no valid header. If source is an io.Closer, Close closes it.
func NewReader(source io.Reader, name string, lineMax int) (*Reader, error) {
	if lineMax <= 0 {
		lineMax = segment.DefaultMaxEventBytes
	}
	r := &Reader{name: name, source: &counter{from: source}, lineMax: lineMax, chunkBytes: chunkTarget, line: 1, stop: func() {}}
	r.closer, _ = source.(io.Closer)
	head := bufio.NewReaderSize(r.source, sourceBytes)
	start, err := head.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	switch {
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		plain, err := gzip.NewReader(head)
		if err != nil {
			return nil, fmt.Errorf("read %s: gzip header: %w", name, ended(err))
		}
		r.text, r.stop = plain, func() { plain.Close() }
	case isZstd(start):
		plain, err := zstd.NewReader(head, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(zstdWindowMax))
		if err != nil {
			return nil, fmt.Errorf("read %s: zstd: %w", name, err)
		}
		r.text, r.stop = plain, plain.Close
	default:
		r.text, r.eager = head, true
	}
	return r, nil
}

// isZstd reports whether the first four bytes begin a zstd stream: a frame or a skippable frame.
func isZstd(b []byte) bool {
	return bytes.HasPrefix(b, []byte{0x28, 0xb5, 0x2f, 0xfd}) ||
		len(b) == 4 && b[0]&0xf0 == 0x50 && b[1] == 0x2a && b[2] == 0x4d && b[3] == 0x18
}

// ended turns an end of file in the middle of compressed data into an unexpected end.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Close releases the reader's resources and closes the source. Chunks stay valid.
func (r *Reader) Close() error {
	r.stop()
	if c, ok := r.form.records.(io.Closer); ok {
		_ = c.Close() // it was only read
	}
	if r.closer == nil {
		return nil
	}
	return r.closer.Close()
}

// Next reads the next chunk; it returns nil, without an error, at the end of the stream. An error comes after the
// chunks with all whole lines read before it, and names the source and the position.
func (r *Reader) Next() (*Chunk, error) {
	if r.ended {
		return nil, r.err
	}
	c := newChunk(r.chunkBytes)
	c.data = append(c.data, r.carry...)
	r.carry = r.carry[:0]
	if r.form.records == nil {
		r.fill(c)
	}
	if r.form.records != nil {
		r.records(c)
	} else {
		r.cut(c)
	}
	c.mapper = r.form.mapper
	passed := r.passed
	r.passed = r.form.passed(r.source)
	c.SourceBytes = r.passed - passed
	if r.form.other != nil {
		c.Release()
		r.err = r.form.other
		return nil, r.err
	}
	if len(c.data) == 0 && len(c.tooLong)+len(c.records) == 0 && c.SourceBytes == 0 {
		c.Release()
		return nil, r.err // the chunk is empty: fill returns with a line or at the end
	}
	return c, nil
}

// fill reads until the chunk is full and holds the end of a line, or the stream ends.
//
// A full chunk without the end of a line holds the beginning of a long one, and grows, up to what the longest line
// takes. If that is not enough either, the line is skipped. So a chunk has more than chunkBytes only for the sake
// of one line, and lines that are skipped come before all that the chunk holds.
func (r *Reader) fill(c *Chunk) {
	hasEnd := false
	for !r.ended {
		if len(c.data) == cap(c.data) {
			if hasEnd {
				return
			}
			if len(c.data) > r.lineMax+1 { // longer than a line and its CR
				r.skipLine(c)
				hasEnd = bytes.IndexByte(c.data, '\n') >= 0
				continue
			}
			c.grow(r.lineMax + 2)
		}
		start := len(c.data)
		n, err := r.text.Read(c.data[start:cap(c.data)])
		c.data = c.data[:start+n]
		if !r.form.begun && (err == nil || errors.Is(err, io.EOF)) {
			format, more := otherFormat(c.data, err != nil, r.form.keys()...)
			if format != "" {
				r.recognise(c, format)
				return
			}
			r.form.begun = !more
		}
		hasEnd = hasEnd || bytes.IndexByte(c.data[start:], '\n') >= 0
		if err != nil {
			r.finish(err)
			return
		}
		if r.eager && r.form.begun && hasEnd && len(c.data) < cap(c.data) {
			return
		}
	}
}

// finish records why the stream ended.
func (r *Reader) finish(err error) {
	r.ended = true
	if !errors.Is(err, io.EOF) {
		r.err = err
	}
}

// skipLine drops the unfinished line that fills the chunk, together with the rest of that line in the stream; the
// chunk then continues with the text after it.
//
// It reads into the memory of the chunk, over the text that it drops, so a line of any length costs no memory.
func (r *Reader) skipLine(c *Chunk) {
	c.tooLong = append(c.tooLong, r.line)
	r.line++
	room := c.data[:cap(c.data)]
	for {
		n, err := r.text.Read(room)
		if err != nil {
			r.finish(err)
		}
		if end := bytes.IndexByte(room[:n], '\n'); end >= 0 {
			c.data = room[:copy(room, room[end+1:n])]
			return
		}
		if err != nil {
			c.data = room[:0]
			return
		}
	}
}

// cut leaves whole lines in the chunk, and carries the rest over to the next chunk. The last line of a stream needs
// no line feed, unless the stream broke off.
func (r *Reader) cut(c *Chunk) {
	end := bytes.LastIndexByte(c.data, '\n') + 1
	rest := c.data[end:]
	switch {
	case !r.ended:
		r.carry = append(r.carry, rest...)
		c.data = c.data[:end]
	case r.err != nil:
		c.data = c.data[:end]
	}
	c.first = r.line
	r.line += int64(bytes.Count(c.data, []byte{'\n'}))
	c.lineMax = r.lineMax
	if r.err != nil {
		r.err = fmt.Errorf("read %s: broken off at byte %d of it, after line %d: %w", r.name, r.source.bytes, r.line-1, r.err)
	}
}

// counter counts the bytes read through it.
type counter struct {
	from  io.Reader
	bytes int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.bytes += int64(n)
	return n, err
}
