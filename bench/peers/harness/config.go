// Package harness measures the engine beside its peers, and how it answers to load and size.
//
// Everything that is compared is measured in turn, round after round, on the same bytes. A ratio is taken within its round,
// because the speed of a machine drifts; what is reported is the median of the rounds, with the lowest and the highest.
// The outcome of each resolver is compared with that of the engine before its time counts (package outcome).
package harness

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kindred-id/kindred/bench/peers/peer"
)

// Config configures a run.
type Config struct {
	Events     int      // of each stream
	Rounds     int      // of each comparison
	Seed       uint64   // of the streams
	Only       []string // sections; empty is all of them
	Peers      []string // beginnings of names of peers; empty is all. The engine and the ceiling always take part
	Workloads  []string // for peers
	Identities int      // the most identities of a curve
	Binary     string   // bin/kindred, for measurements of the whole process
	Dir        string   // where data is written; empty is the system's directory of temporary files
	Memory     int64    // of the engine
	Live       time.Duration
	KafkaRuns  int // measurements of latency at each load
	// Step is called before each step, with the number of steps so far and the most that there will be.
	Step func(done, total int, what string)
}

// Section is a part of a run.
type Section struct {
	Name, Text string
	steps      func(*run) int
	measure    func(context.Context, *run) error
}

// Sections returns all parts, in the order in which they run.
func Sections() []Section {
	return []Section{
		{"peers", "the engine beside its peers, on each workload", stepsOfPeers, measurePeers},
		{"process", "bin/kindred ingest, and bytes on disk after compaction", stepsOfProcess, measureProcess},
		{"pressure", "merge-storm, hot-key, cold and poison beside streams without the difficulty", stepsOfPressure, measurePressure},
		{"pairs", "the merge of two identities", stepsOfPairs, measurePairs},
		{"load", "latency of look-ups while events come in at a part of the peak", stepsOfLoad, measureLoad},
		{"reads", "read-heavy: 19 look-ups for every event", stepsOfReads, measureReads},
		{"kafka", "ingest from Apache Kafka, and latency from its log to the profile", stepsOfKafka, measureKafka},
		{"curves", "the cost of an event against identities, identifiers, merges and shards", stepsOfCurves, measureCurves},
		{"scale", "bin/kindred on one core and on all, from 10,000 identities on", stepsOfScale, measureScale},
	}
}

// run is the state of one Run.
type run struct {
	Config
	env    *peer.Env
	report *Report
	done   int
	total  int
}

func (r *run) step(format string, args ...any) {
	if r.Step != nil {
		r.Step(r.done, r.total, fmt.Sprintf(format, args...))
	}
	r.done++
}

// Run measures. A failure, or an outcome that differs, ends it; the report then holds the sections before it.
func Run(ctx context.Context, c Config) (*Report, error) {
	env, err := environment(c)
	if err != nil {
		return nil, err
	}
	r := &run{Config: c, env: env, report: &Report{Machine: machine(c.Dir), Config: c.settings()}}
	var sections []Section
	for _, s := range Sections() {
		if len(c.Only) == 0 || slices.Contains(c.Only, s.Name) {
			sections = append(sections, s)
			r.total += s.steps(r)
		}
	}
	for _, s := range sections {
		whole := *r.report
		if err := s.measure(ctx, r); err != nil {
			whole.Failed = fmt.Sprintf("%s: %v", s.Name, err)
			return &whole, fmt.Errorf("%s: %w", s.Name, err)
		}
		r.report.Sections = append(r.report.Sections, s.Name)
	}
	return r.report, nil
}
