package file

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/kindred-id/kindred/ingest/segment"
)

// Reader cuts a stream of NDJSON into chunks of whole lines. The stream may be compressed with gzip
// or zstd, of which its first bytes tell; concatenated members are one stream.
//
// Memory is bounded by the limit of a line and the windows of the decompressors, whatever the stream
// inflates to. It is for one goroutine at a time; chunks may be used and released by any.
type Reader struct {
	name    string
	source  *counter
	closer  io.Closer // of the source; nil when it needs none
	text    io.Reader // decompressed
	stop    func()    // frees the decompressor
	eager   bool      // pass on what a short read gave, rather than wait for a full chunk
	lineMax int
	// chunkBytes is how large chunks are; chunkTarget unless the pipeline says otherwise.
	chunkBytes int

	carry  []byte // the beginning of a line whose end is not yet read
	line   int64  // number of the line that comes next, from 1
	passed int64  // bytes of the source that chunks have accounted for
	begun  bool   // it is known not to be of another format
	ended  bool
	other  error // the stream is of another format
	err    error // what comes after the last chunk
}

const (
	chunkTarget = 256 << 10
	sourceBytes = 64 << 10
	// zstdWindowMax is what the zstd tool itself accepts without being asked: 128 MiB.
	zstdWindowMax = 128 << 20
)

// NewReader reads source, which messages call name. Lines above lineMax bytes are skipped and
// reported; 0 is DefaultMaxEventBytes. Lines that fit a chunk are left to the decoder's own limit. It
// fails where a compressed source has no valid header. Where source is an io.Closer, Close closes it.
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

// isZstd tells by the first four bytes whether a stream is zstd: a frame, or a skippable one.
func isZstd(b []byte) bool {
	return bytes.HasPrefix(b, []byte{0x28, 0xb5, 0x2f, 0xfd}) ||
		len(b) == 4 && b[0]&0xf0 == 0x50 && b[1] == 0x2a && b[2] == 0x4d && b[3] == 0x18
}

// ended makes an end in the middle of something what it is.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Close frees what the reader holds, and closes the source. Chunks stay as they are.
func (r *Reader) Close() error {
	r.stop()
	if r.closer == nil {
		return nil
	}
	return r.closer.Close()
}

// Next reads the next chunk; nil, without an error, at the end of the stream. An error comes after
// the chunks with every whole line that was read before it, and names the source and the place.
func (r *Reader) Next() (*Chunk, error) {
	if r.ended {
		return nil, r.err
	}
	c := newChunk(r.chunkBytes)
	c.data = append(c.data, r.carry...)
	r.carry = r.carry[:0]
	r.fill(c)
	r.cut(c)
	c.SourceBytes = r.source.bytes - r.passed
	r.passed = r.source.bytes
	if r.other != nil {
		c.Release()
		r.err = r.other
		return nil, r.err
	}
	if len(c.data) == 0 && len(c.tooLong) == 0 && c.SourceBytes == 0 {
		c.Release()
		return nil, r.err // nothing is left, as fill returns with a line or at the end
	}
	return c, nil
}

// fill reads until the chunk is full and holds the end of a line, or the stream ends.
func (r *Reader) fill(c *Chunk) {
	hasEnd := false
	for !r.ended {
		if len(c.data) == cap(c.data) {
			if hasEnd {
				return
			}
			if len(c.data) > r.lineMax+1 { // more than a line and its CR
				r.skipLine(c)
				hasEnd = bytes.IndexByte(c.data, '\n') >= 0
				continue
			}
			c.grow(r.lineMax + 2)
		}
		start := len(c.data)
		n, err := r.text.Read(c.data[start:cap(c.data)])
		c.data = c.data[:start+n]
		if !r.begun && (err == nil || errors.Is(err, io.EOF)) {
			format, more := otherFormat(c.data, err != nil)
			if format != "" {
				c.data = c.data[:0]
				r.ended, r.other = true, notNDJSON(r.name, format)
				return
			}
			r.begun = !more
		}
		hasEnd = hasEnd || bytes.IndexByte(c.data[start:], '\n') >= 0
		if err != nil {
			r.finish(err)
			return
		}
		if r.eager && r.begun && hasEnd && len(c.data) < cap(c.data) {
			return
		}
	}
}

// finish notes why the stream ended.
func (r *Reader) finish(err error) {
	r.ended = true
	if !errors.Is(err, io.EOF) {
		r.err = err
	}
}

// skipLine drops the line that the chunk ends with, which is all it holds, and what is still to come
// of it; the chunk goes on with the text behind it.
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

// cut leaves whole lines in the chunk, and carries what is behind them over to the next one. The
// last line of a stream needs no line feed, unless the stream broke off.
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
		r.err = fmt.Errorf("read %s: broken off at byte %d of it, behind line %d: %w", r.name, r.source.bytes, r.line-1, r.err)
	}
}

// counter counts the bytes that are read through it.
type counter struct {
	from  io.Reader
	bytes int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.bytes += int64(n)
	return n, err
}

// Chunk is some whole lines of a stream. At its end it may be none.
type Chunk struct {
	// SourceBytes is how far this chunk went in the source, compressed as it may be: those of all
	// chunks add up to its size.
	SourceBytes int64
	data        []byte
	first       int64   // number of the first line of data
	tooLong     []int64 // numbers of lines that were skipped, all of them before first
	lineMax     int
}

// chunks are used again. Whoever has released one holds nothing of it.
var chunks = sync.Pool{New: func() any { return new(Chunk) }}

func newChunk(size int) *Chunk {
	c := chunks.Get().(*Chunk)
	*c = Chunk{data: c.data[:0], tooLong: c.tooLong[:0]}
	if cap(c.data) != size { // of another reader, or of a long line
		c.data = make([]byte, 0, size)
	}
	return c
}

// Release gives the chunk's memory back: its lines may not be used any more.
func (c *Chunk) Release() {
	if cap(c.data) > chunkTarget {
		c.data = nil // large ones are rare, and not to be kept
	}
	chunks.Put(c)
}

// grow doubles the room for a line, up to most bytes.
func (c *Chunk) grow(most int) {
	larger := make([]byte, len(c.data), min(2*cap(c.data), most))
	copy(larger, c.data)
	c.data = larger
}

// Lines calls each for every line that isn't blank, with its number in the stream, counted from 1,
// and its text without the line end. A line that was too long to be kept comes as a rejection,
// without its text.
func (c *Chunk) Lines(each func(line int64, raw []byte, tooLong *segment.Rejection)) {
	for _, line := range c.tooLong {
		each(line, nil, segment.TooLarge(c.lineMax))
	}
	data := c.data
	for line := c.first; len(data) > 0; line++ {
		raw := data
		if end := bytes.IndexByte(data, '\n'); end >= 0 {
			raw, data = data[:end:end], data[end+1:]
		} else {
			data = nil
		}
		if len(raw) > 0 && raw[0] == utf8Mark[0] {
			raw = trimMark(raw) // of the file, or of one that was put behind another
		}
		if n := len(raw); n > 0 && raw[n-1] == '\r' {
			raw = raw[:n-1]
		}
		if len(raw) > 0 && (raw[0] > ' ' || len(bytes.TrimSpace(raw)) > 0) {
			each(line, raw, nil)
		}
	}
}
