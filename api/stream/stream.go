package stream

import (
	"cmp"
	"context"
	"log/slog"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/graph/score"
	"golang.org/x/sync/semaphore"
)

// exportsAtOnce bounds the exports and reports at one time: each reads every profile, and an export has a sort of its own.
const exportsAtOnce = 2

// Streams answers with everything that an engine holds, or with every change. Close it.
type Streams struct {
	Config
	exports *semaphore.Weighted
	streams places          // of changes
	ctx     context.Context // of the streams of changes: it ends with Close
	end     context.CancelFunc
}

// Config says what streams are made of. Engine and Logger are required.
type Config struct {
	Engine    *actors.Engine
	Scores    *scoring.Keeper // nil: the server computes no scores
	Control   score.Control   // the control group
	Logger    *slog.Logger
	Streams   int    // of changes, at one time; 0 is DefaultStreams
	SortBytes int    // memory of one export's sort; 0 is DefaultSortBytes
	TempDir   string // of what does not fit into it; empty is the system's
}

// New makes streams.
func New(c Config) *Streams {
	s := &Streams{
		Config: c, exports: semaphore.NewWeighted(exportsAtOnce),
		streams: places{most: cmp.Or(c.Streams, DefaultStreams), of: map[string]int{}},
	}
	s.ctx, s.end = context.WithCancel(context.Background())
	return s
}

// Close ends the streams of changes; exports go on.
func (s *Streams) Close() { s.end() }
