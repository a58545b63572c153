package file

import (
	"bytes"
	"context"
	"sync"

	"github.com/kindred-id/kindred/ingest/record"
	"github.com/kindred-id/kindred/ingest/segment"
)

// Chunk is a number of whole lines of a stream, or of its records; the last chunk may have none.
//
//	tooLong  4, 5         numbers of skipped lines
//	first    6            number of the first line of data
//	data     {…}\n{…}\n   whole lines; the last line of a stream may lack its \n
//
//	records  7, 9 …       ends of records in data, with their places
//	data     {…}{…}
type Chunk struct {
	// SourceBytes is the number of bytes of the (possibly compressed) source that this chunk accounts for: those of all
	// chunks add up to its size.
	SourceBytes int64
	// Skipped is the number of records of which the mapping made no event. It is known after Events.
	Skipped int
	data    []byte
	first   int64   // number of the first line of data
	tooLong []int64 // numbers of the skipped lines, all of them before first
	lineMax int
	records []recordEnd
	mapper  *Mapper         // nil if the records are events
	decoder *record.Decoder // of mapper, while its events are in use
	batch   segment.Batch
}

// recordEnd is a record that is not a line: where its text ends in the data.
type recordEnd struct {
	end     int
	at      Place
	problem *segment.Rejection
}

// Place is where in a file an event is from.
type Place struct {
	Line   int64 // from 1; 0 in files without lines
	Record int64 // from 1, in files with records that are not lines; else 0
}

// chunks are reused. After Release, a caller must not use a chunk or its lines.
var chunks = sync.Pool{New: func() any { return new(Chunk) }}

func newChunk(size int) *Chunk {
	c := chunks.Get().(*Chunk)
	*c = Chunk{data: c.data[:0], tooLong: c.tooLong[:0], records: c.records[:0], batch: segment.Batch{Events: c.batch.Events[:0]}}
	if cap(c.data) != size { // left by another reader, or by a long line
		c.data = make([]byte, 0, size)
	}
	return c
}

// Release returns the chunk's memory: its lines may not be used any more.
func (c *Chunk) Release() {
	if c.decoder != nil {
		c.mapper.put(c.decoder)
		c.decoder = nil
	}
	if cap(c.data) > chunkTarget {
		c.data = nil // large buffers are rare and not worth keeping
	}
	chunks.Put(c)
}

// grow doubles the room for a line, up to most bytes.
func (c *Chunk) grow(most int) {
	larger := make([]byte, len(c.data), min(2*cap(c.data), most))
	copy(larger, c.data)
	c.data = larger
}

// Lines calls each for every line that isn't blank, with its number in the stream, counted from 1, and its text
// without the line end. A line that was too long to keep comes as a rejection, without its text.
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
			raw = trimMark(raw) // of the first file, or of a concatenated one
		}
		if n := len(raw); n > 0 && raw[n-1] == '\r' {
			raw = raw[:n-1]
		}
		if len(raw) > 0 && (raw[0] > ' ' || len(bytes.TrimSpace(raw)) > 0) {
			each(line, raw, nil)
		}
	}
}

// Events calls each for every event, with its place and its text, or with the reason why there is none. Texts are valid
// until Release. One goroutine at a time calls it, once for a chunk.
func (c *Chunk) Events(each func(at Place, raw []byte, problem *segment.Rejection)) {
	give := each
	if c.mapper != nil {
		c.decoder = c.mapper.get()
		give = func(at Place, raw []byte, problem *segment.Rejection) { c.mapped(at, raw, problem, each) }
	}
	if len(c.records) == 0 {
		c.Lines(func(line int64, raw []byte, tooLong *segment.Rejection) { give(Place{Line: line}, raw, tooLong) })
		return
	}
	start := 0
	for i := range c.records {
		r := &c.records[i]
		raw := c.data[start:r.end:r.end]
		if start = r.end; r.problem != nil {
			raw = nil
		}
		give(r.at, raw, r.problem)
	}
}

// mapped calls each for the events that a record becomes.
func (c *Chunk) mapped(at Place, raw []byte, problem *segment.Rejection, each func(Place, []byte, *segment.Rejection)) {
	if problem == nil {
		if err := c.decoder.Decode(context.Background(), raw, &c.batch); err != nil {
			problem = segment.AsRejection(err)
		}
	}
	if problem != nil {
		each(at, raw, problem)
		return
	}
	if len(c.batch.Events) == 0 {
		c.Skipped++
	}
	for _, event := range c.batch.Events {
		each(at, event, nil)
	}
}
