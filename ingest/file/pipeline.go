package file

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/segment"
	"golang.org/x/sync/errgroup"
)

// Pipeline takes files of events into an engine: it reads chunks of lines, decodes them on all processors, and hands
// each chunk to the shards as one delivery.
//
//	Reader ──chunks──► workers (ingest.Intake) ──deliveries──► Engine ──answers──► Summary
//
// Memory is bounded: there are at most as many chunks in progress as there are slots.
type Pipeline struct {
	into ingest.Into
	// Reject is called with every line that is not taken, by one goroutine at a time; may be nil.
	Reject func(Reject)
	// Progress is called with the bytes of the source that became durable, by any goroutine; may be nil.
	Progress func(bytes int64)
}

// Source is a file of events, or a similar stream.
type Source struct {
	Name string // for messages
	Open func() (*Reader, error)
}

// FromPath reads a file; "-" is standard input. Its records become events by m, unless that is nil.
func FromPath(path string, lineMax int, m *Mapper) Source {
	return Source{Name: path, Open: func() (*Reader, error) {
		if path == "-" {
			r, err := NewReader(os.Stdin, "standard input", lineMax)
			if err == nil {
				r.Map(m)
			}
			return r, err
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		r, err := NewReader(f, path, lineMax)
		if err != nil {
			f.Close()
			return nil, err
		}
		r.Map(m)
		return r, nil
	}}
}

// Reject is a line that was not taken.
type Reject struct {
	File string
	Place
	Raw    []byte // valid during the call; nil if there is no text, as of a line that was too long to keep
	Reason *segment.Rejection
}

// NewPipeline returns a pipeline into an engine.
func NewPipeline(into ingest.Into) *Pipeline { return &Pipeline{into: into} }

// Summary counts the outcomes of the lines that a pipeline read.
type Summary struct {
	Read              int64         `json:"read"`
	Accepted          int64         `json:"accepted"`
	Duplicates        int64         `json:"duplicates"`
	Conflicting       uint64        `json:"conflicting"` // accepted events whose message id also came with other content
	WithoutIdentifier int64         `json:"without_identifier"`
	Rejected          int64         `json:"rejected"`
	Quarantined       int64         `json:"quarantined,omitempty"`
	Skipped           int64         `json:"skipped,omitempty"`      // records of which the mapping made no event
	Unidentified      []Reason      `json:"unidentified,omitempty"` // the first events without an identifier
	Reasons           []Reason      `json:"reasons,omitempty"`
	Dropped           segment.Stats `json:"dropped"`
	DroppedFields     []Reason      `json:"dropped_fields,omitempty"` // the first dropped fields
	Merges            int64         `json:"merges"`
	Identities        int64         `json:"identities"`
	Uncounted         bool          `json:"-"` // conflicting, merges and identities are not known, and null as JSON
	EventsPerSecond   float64       `json:"events_per_second"`
	Seconds           float64       `json:"seconds"`
}

// MarshalJSON writes counts that are not known as null.
func (s Summary) MarshalJSON() ([]byte, error) {
	type plain Summary
	if !s.Uncounted {
		return json.Marshal(plain(s))
	}
	return json.Marshal(struct {
		plain
		Conflicting *uint64 `json:"conflicting"`
		Merges      *int64  `json:"merges"`
		Identities  *int64  `json:"identities"`
	}{plain: plain(s)})
}

// Reason is one of the first rejections, or one of the first dropped fields.
type Reason struct {
	File    string `json:"file"`
	Line    int64  `json:"line"`
	Record  int64  `json:"record,omitempty"` // in files with records that are not lines
	Code    string `json:"code"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// firstReasons bounds the rejections and the dropped fields that a summary lists.
const firstReasons = 10

// slots is how many chunks may be in progress for each worker: enough to keep all shards busy during the sync of a
// commit. A measurement with six left half of the processors idle.
const slots = 24

// turnLines is how many lines are decoded between two points at which reads take precedence.
const turnLines = 32

// slot is a chunk on its way from the reader to its answer, with the memory that it needs. Slots are reused, so that
// in the steady state an event costs no allocation.
type slot struct {
	file   string
	chunk  *Chunk
	intake *ingest.Intake
}

// Run takes the sources in order, and returns when all their events are durable. It fails with the error of the
// engine, or of a source that can't be read to its end; the summary then covers the events taken before.
func (p *Pipeline) Run(ctx context.Context, sources []Source) (Summary, error) {
	start := time.Now()
	before, err := p.into.Engine.Counted(ctx)
	if err != nil {
		return Summary{}, err
	}
	chunk, n := divide(p.into.Engine.InputBytes(), slots*runtime.GOMAXPROCS(0))
	r := &run{pipeline: p, chunkBytes: chunk, free: make(chan *slot, n)}
	for range cap(r.free) {
		r.free <- &slot{intake: ingest.NewIntake(p.into)}
	}
	err = r.run(ctx, sources)
	if settled := p.into.Engine.Settle(ctx); err == nil {
		err = settled
	}
	after, statsErr := p.into.Engine.Counted(ctx)
	if err == nil {
		err = statsErr
	}
	r.summary.Seconds = time.Since(start).Seconds()
	r.summary.EventsPerSecond = float64(r.summary.Read) / r.summary.Seconds
	r.summary.Conflicting = after.Conflicting - before.Conflicting
	r.summary.Merges = after.Merges() - before.Merges()
	r.summary.Identities = after.Identities
	return r.summary, err
}

// Bounds of a chunk, and the memory of a chunk with its decoded events as a multiple of its size, without the initial
// memory of its decoder: events of 200 bytes need the most.
const (
	chunkLeast = 32 << 10
	slotFactor = 8
	slotBytes  = 64 << 10
)

// divide returns the size of a chunk and the number of chunks, so that all of them need at most the given bytes;
// ideally most chunks of chunkTarget each.
//
// A slot needs slotFactor times its chunk and slotBytes: 320 KiB for the smallest chunk, 2.1 MiB for the largest.
// With little memory, chunks shrink first, as slots keep the shards busy, and then there are fewer of them. Two are
// the least: one is read while one is on its way.
func divide(bytes int64, most int) (chunk, n int) {
	chunk = int(max(chunkLeast, min(chunkTarget, (bytes/int64(most)-slotBytes)/slotFactor)))
	n = int(bytes / int64(slotFactor*chunk+slotBytes))
	return chunk, max(2, min(n, most))
}

// run is the state of one call of Run.
//
//	free ──► read, one goroutine ──full──► decode, one a processor ──► engine ──► answered ──► free
//
// Invariants:
//   - A slot is in one of these places at a time. free has room for all of them, so an answer never waits.
//   - answers counts what was submitted and is not answered. Run waits for it even after an error: the engine reads the
//     memory of a slot until it has answered.
//   - A slot whose answer is an error does not come back: stop then ends the reading, which could wait for it for ever.
type run struct {
	pipeline   *Pipeline
	chunkBytes int
	free       chan *slot
	answers    sync.WaitGroup
	stop       context.CancelFunc // ends reading, once an answer says that not all can be taken

	mu      sync.Mutex // guards the following
	summary Summary
	failed  error
}

// run reads the sources in a goroutine of its own and decodes on all processors, until both have ended and every answer
// is there. A source that breaks off ends the reading, and what was read of it is taken.
func (r *run) run(ctx context.Context, sources []Source) error {
	full := make(chan *slot)
	var unread error // of a source that breaks off; the events before the break are taken
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	r.stop = stop
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(full)
		for _, source := range sources {
			if unread = r.read(ctx, source, full); unread != nil {
				return ctx.Err()
			}
		}
		return nil
	})
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for s := range full {
				if err := r.decode(ctx, s); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	r.answers.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return cmp.Or(r.failed, err, unread) // the cause rather than its consequences
}

// read cuts a source into chunks.
func (r *run) read(ctx context.Context, source Source, full chan<- *slot) error {
	reader, err := source.Open()
	if err != nil {
		return err
	}
	defer reader.Close()
	reader.chunkBytes = r.chunkBytes
	if reader.form.mapper != nil {
		reader.chunkBytes /= 2 // a chunk then holds its records and their events
	}
	for {
		chunk, err := reader.Next()
		if chunk != nil {
			var s *slot
			select {
			case s = <-r.free:
			case <-r.pipeline.into.Engine.Failed(): // slots no longer return, and no submission would find out
				return r.pipeline.into.Engine.Err()
			case <-ctx.Done():
				return ctx.Err()
			}
			s.file, s.chunk = source.Name, chunk
			select {
			case full <- s:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if chunk == nil || err != nil {
			return err
		}
	}
}

// decode reads the lines of a chunk and hands the events over.
func (r *run) decode(ctx context.Context, s *slot) error {
	engine, in := r.pipeline.into.Engine, s.intake
	from, read := ingest.Arrival{Received: engine.Now()}, 0
	in.Reset()
	s.chunk.Events(func(at Place, raw []byte, problem *segment.Rejection) {
		if read++; read%turnLines == 0 {
			engine.YieldToReads()
		}
		if problem != nil {
			r.reject(s.file, at, raw, in.Refuse(problem).Rejection)
			return
		}
		v := in.Take(raw, from)
		if dropped := in.Decoder.Dropped(); len(dropped) > 0 {
			r.dropped(s.file, at, dropped)
		}
		if v.Rejection != nil {
			r.reject(s.file, at, raw, v.Rejection)
		}
	})
	r.answers.Add(1)
	r.note(func(sum *Summary) {
		n := in.Tally()
		sum.Read += int64(read)
		sum.WithoutIdentifier += int64(n[ingest.WithoutIdentifier])
		sum.Rejected += int64(n[ingest.Rejected])
		sum.Dropped.Add(in.Decoder.Stats())
	})
	if err := in.Submit(ctx, func(err error) { r.answered(s, err) }); err != nil {
		r.answers.Done()
		return fmt.Errorf("%s: %w", s.file, err)
	}
	return nil
}

// answered counts the outcomes of a chunk, and frees its slot.
func (r *run) answered(s *slot, err error) {
	defer r.answers.Done()
	if err == nil {
		err = s.intake.Settle()
	}
	if err != nil {
		r.mu.Lock()
		r.failed = err
		r.mu.Unlock()
		r.stop()
		return
	}
	n := s.intake.Tally()
	r.note(func(sum *Summary) {
		sum.Accepted += int64(n[ingest.Accepted])
		sum.Duplicates += int64(n[ingest.Duplicate])
		sum.Quarantined += int64(n[ingest.Quarantined])
	})
	if r.pipeline.Progress != nil {
		r.pipeline.Progress(s.chunk.SourceBytes)
	}
	s.chunk.Release()
	s.chunk = nil
	r.free <- s
}

// note updates the summary.
func (r *run) note(add func(*Summary)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	add(&r.summary)
}

// reject notes a line that was not taken; events without an identifier are listed apart. mu is held during the call, so Reject is called by one goroutine at a time.
func (r *run) reject(file string, at Place, raw []byte, reason *segment.Rejection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := &r.summary.Reasons
	if reason.Code == segment.CodeNoIdentifier {
		list = &r.summary.Unidentified
	}
	if len(*list) < firstReasons {
		*list = append(*list, Reason{file, at.Line, at.Record, string(reason.Code), reason.Field, reason.Message, reason.Hint})
	}
	if r.pipeline.Reject != nil {
		r.pipeline.Reject(Reject{file, at, raw, reason})
	}
}

// dropped records the first dropped fields.
func (r *run) dropped(file string, at Place, drops []segment.Drop) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, drop := range drops {
		if len(r.summary.DroppedFields) == firstReasons {
			return
		}
		r.summary.DroppedFields = append(r.summary.DroppedFields, Reason{file, at.Line, at.Record, string(drop.Code), drop.Field, drop.Message, drop.Hint})
	}
}
