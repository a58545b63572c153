package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/kindred-id/kindred/ingest/record"
	"github.com/kindred-id/kindred/ingest/snowplow"
	"github.com/kindred-id/kindred/ingest/split"
)

// form is how a stream is read, beside its lines: which format it has, and what its records become.
type form struct {
	mapper  *Mapper // nil if records are events
	begun   bool    // the stream is known to be NDJSON
	records split.Splitter
	other   error // the stream has a format that can't be read
	most    int64 // bytes that a Parquet file may have, decompressed; 0: any number
}

// keys are those at which documents have their records.
func (f *form) keys() []string {
	if f.mapper == nil {
		return []string{batchKey}
	}
	return f.mapper.keys
}

// passed returns how many bytes of the source were read.
func (f *form) passed(source *counter) int64 {
	if p, ok := f.records.(*split.Parquet); ok {
		return p.Passed() // it does not read through the counter
	}
	return source.bytes
}

// Map makes the reader's records events by a mapping. It is called before the first Next.
func (r *Reader) Map(m *Mapper) { r.form.mapper = m }

// Bound refuses Parquet with more bytes, decompressed. It is called before the first Next.
func (r *Reader) Bound(bytes int64) { r.form.most = bytes }

// errPlainFile is for Parquet that has no file of its own: it is read from its end.
var errPlainFile = errors.New("a Parquet file can't be read from standard input or compressed: save it as a file")

// recognise opens a stream that is not NDJSON, and of which the chunk has the beginning; or records that it can't be
// read.
func (r *Reader) recognise(c *Chunk, format string) {
	head := bytes.Clone(trimMark(c.data))
	text := io.MultiReader(bytes.NewReader(head), r.text)
	c.data = c.data[:0]
	var err error
	switch mapped := r.form.mapper != nil; {
	case format == formatArray, format == formatDocument, format == formatBatch:
		r.form.records = split.NewDocuments(text, r.lineMax, r.form.keys()...)
	case format == formatTable && mapped && r.form.mapper.headless(head):
		r.form.records = split.NewLines(text, r.lineMax, snowplow.AppendEnriched)
	case format == formatTable && mapped:
		r.form.records, err = split.NewTable(text, r.lineMax)
	case format == formatParquet && mapped:
		r.form.records, err = openParquet(r.source.from, r.form.most)
	default:
		r.ended, r.form.other = true, notNDJSON(r.name, format)
	}
	if err != nil {
		r.form.records, r.ended, r.form.other = nil, true, fmt.Errorf("read %s: %w", r.name, err)
	}
}

// openParquet reads a file whose beginning was read.
func openParquet(source io.Reader, most int64) (split.Splitter, error) {
	file, at := source.(interface {
		io.ReaderAt
		io.Seeker
	})
	if !at {
		return nil, errPlainFile
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, errPlainFile
	}
	return split.OpenParquet(file, size, most)
}

// records reads records until the chunk is full or the stream ends.
func (r *Reader) records(c *Chunk) {
	for len(c.data) < r.chunkBytes {
		next, err := r.form.records.Next()
		if err != nil {
			if r.ended = true; !errors.Is(err, io.EOF) {
				r.err = fmt.Errorf("read %s: %w; the records before it were taken", r.name, err)
			}
			return
		}
		c.data = append(c.data, next.Text...)
		c.records = append(c.records, recordEnd{len(c.data), Place{next.Line, next.Number}, next.Problem})
	}
}

// Mapper makes events of the records of any number of files, by a mapping.
type Mapper struct {
	options record.Options
	keys    []string
	columns string // of tables without a header
	pool    sync.Pool
}

// NewMapper returns a mapper; usage counts what the mapping finds, and may be nil.
func NewMapper(m *record.Mapping, usage *record.Usage) *Mapper {
	mapper := &Mapper{options: record.Options{Mapping: m, Usage: usage}, columns: m.Columns()}
	if key := m.Records(); key != "" {
		mapper.keys = []string{key}
	} else if m.Usual(batchKey) {
		mapper.keys = []string{batchKey}
	}
	return mapper
}

// headless reports whether a table that begins so has no header, but the columns of the mapping.
func (m *Mapper) headless(head []byte) bool {
	return m.columns != "" && !bytes.HasPrefix(bytes.TrimLeft(head, "\"\r\n"), []byte(snowplow.EnrichedHeader))
}

func (m *Mapper) get() *record.Decoder {
	if d, ok := m.pool.Get().(*record.Decoder); ok {
		return d
	}
	return record.NewDecoder(m.options)
}

func (m *Mapper) put(d *record.Decoder) {
	d.Reset()
	m.pool.Put(d)
}
