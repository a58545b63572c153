package stream

import (
	"bufio"
	"context"
	"errors"
	"io"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/extsort"
)

// Exporter writes one line for every identity, sorted by id: a document.Profile, or a row of CSV. Memory is bounded by
// SortBytes: what does not fit goes through temporary files.
type Exporter struct {
	Engine *actors.Engine
	Format document.Format // empty is NDJSON
	// Empty lists identities without an event too.
	Empty bool
	// Wanted chooses people; nil is everybody.
	Wanted func(*graph.Profile) bool
	// Shape says which members lines have. Scores are all as of one moment, the export's, whatever its Now says.
	Shape document.Shape
	// SettleFor is how long to wait until no event is under way, so that no evidence is between two
	// shards. After that the export goes on with the evidence that has arrived. 0 is defaultSettleFor.
	SettleFor time.Duration
	SortBytes int    // 0 is DefaultSortBytes
	TempDir   string // empty is the system's
}

// DefaultSortBytes is the memory of an export's sort.
const DefaultSortBytes = 64 << 20

// defaultSettleFor is how long an export waits for events under way.
const defaultSettleFor = 5 * time.Second

// Export is a collected export, ready to be written. Close it.
type Export struct {
	Lines int64 // identities
	// Settled says that no event was under way when the export began. Otherwise some evidence may
	// have been between two shards, and its identities lack it.
	Settled bool

	lines  document.Lines
	sorter *extsort.Sorter
}

// Collect reads all identities and sorts them.
func (x *Exporter) Collect(ctx context.Context) (*Export, error) {
	format, err := document.ParseFormat(string(x.Format))
	if err != nil {
		return nil, err
	}
	memory := x.SortBytes
	if memory == 0 {
		memory = DefaultSortBytes
	}
	export := &Export{lines: document.Lines{Format: format, Shape: x.Shape}, sorter: extsort.New(x.TempDir, memory)}
	if err := x.collect(ctx, export); err != nil {
		return nil, errors.Join(err, export.Close())
	}
	return export, nil
}

// collect sorts a line for every person into temporary files. It waits a while for events under way, and goes on
// without them if they keep coming: then Settled is false, and people may lack evidence that was on its way from one
// shard to another.
func (x *Exporter) collect(ctx context.Context, export *Export) error {
	wait := x.SettleFor
	if wait == 0 {
		wait = defaultSettleFor
	}
	settled, err := x.Engine.SettleWithin(ctx, wait)
	if err != nil {
		return err
	}
	export.Settled = settled
	export.lines.Now = x.Engine.Now()
	standings := newStandings(x.Engine, &x.Shape, export.lines.Now)
	var key, line []byte
	return x.Engine.Each(ctx, func(c *graph.Component) error {
		profiles := c.Profiles(x.Engine.Rules(), x.Empty)
		for i := range profiles {
			if x.Wanted != nil && !x.Wanted(&profiles[i]) {
				continue
			}
			export.Lines++
			key = profiles[i].ID.AppendBinary(key[:0])
			line = export.lines.AppendStanding(line[:0], &profiles[i], standings.of(c, &profiles[i]))
			if err := export.sorter.Add(key, line); err != nil {
				return err
			}
		}
		return nil
	})
}

// Write writes the lines, after the header of CSV.
func (e *Export) Write(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriterSize(w, 64<<10)
	if _, err := out.WriteString(e.lines.Header()); err != nil {
		return err
	}
	n := 0
	err := e.sorter.Each(func(line []byte) error {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		_, err := out.Write(line)
		return err
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// Close removes temporary files.
func (e *Export) Close() error { return e.sorter.Close() }
