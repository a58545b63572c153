package harness

import (
	"bytes"
	"runtime/pprof"
	"strings"

	"github.com/google/pprof/profile"
)

// part is a part of the program whose share of the processor time is told beside a curve, so that a bend has a reason.
type part struct {
	name     string
	prefixes []string // of functions
}

// parts are looked for in this order: at each frame of a sample, from the innermost on, the first that fits has it.
var parts = []part{
	{"marking the heap", []string{"runtime.gcBgMarkWorker", "runtime.gcAssistAlloc", "runtime.bgsweep", "runtime.bgscavenge"}},
	{"tables and commits", []string{"github.com/cockroachdb/pebble", "github.com/kindred-id/kindred/storage."}},
	{"rows and duplicates", []string{"github.com/kindred-id/kindred/storage/"}},
	{"graph", []string{"github.com/kindred-id/kindred/graph"}},
	{"decoding", []string{"github.com/kindred-id/kindred/ingest", "github.com/kindred-id/kindred/internal/json"}},
	{"shards", []string{"github.com/kindred-id/kindred/actors", "github.com/asynkron/protoactor-go"}},
}

// otherPart has what fits none: the scheduler, timers, clearing memory.
const otherPart = "the rest"

// Parts is the processor time of an event by part of the program, in microseconds.
type Parts map[string]float64

// PartNames returns the names of all parts, in the order of tables.
func PartNames() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return append(names, otherPart)
}

// Profile is what a program's processor time went to.
type Profile struct {
	Samples int                `json:"samples"`
	Shares  map[string]float64 `json:"shares"` // by part
}

// startProfile starts the profiler; stop ends it.
func startProfile() (stop func() (*Profile, error), err error) {
	var raw bytes.Buffer
	if err := pprof.StartCPUProfile(&raw); err != nil {
		return nil, err
	}
	return func() (*Profile, error) {
		pprof.StopCPUProfile()
		p, err := profile.Parse(&raw)
		if err != nil {
			return nil, err
		}
		return shares(p), nil
	}, nil
}

// shares adds up the samples of each part, as shares of all.
func shares(p *profile.Profile) *Profile {
	sum := &Profile{Shares: map[string]float64{}}
	for _, s := range p.Sample {
		n := int(s.Value[0])
		sum.Shares[partOf(s)] += float64(n)
		sum.Samples += n
	}
	for name := range sum.Shares {
		sum.Shares[name] /= float64(max(sum.Samples, 1))
	}
	return sum
}

func partOf(s *profile.Sample) string {
	for _, at := range s.Location {
		for _, line := range at.Line {
			if line.Function == nil {
				continue
			}
			for _, p := range parts {
				for _, prefix := range p.prefixes {
					if strings.HasPrefix(line.Function.Name, prefix) {
						return p.name
					}
				}
			}
		}
	}
	return otherPart
}
