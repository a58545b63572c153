package harness

import (
	"slices"

	"github.com/kindred-id/kindred/bench/ceiling"
	"github.com/kindred-id/kindred/bench/trial"
)

// Report is what a run measured.
type Report struct {
	Command  string          `json:"command"`
	Commit   string          `json:"commit"`
	Date     string          `json:"date"`
	Machine  Machine         `json:"machine"`
	Config   Settings        `json:"settings"`
	Sections []string        `json:"sections"`
	Shapes   []WorkloadShape `json:"workloads,omitempty"`
	Peers    []PeerResult    `json:"peers,omitempty"`
	Missing  []string        `json:"missing,omitempty"` // peers whose server is not installed
	Process  *Process        `json:"process,omitempty"`
	Pressure []Pressure      `json:"pressure,omitempty"`
	Pairs    *Comparison     `json:"pairs,omitempty"`
	Load     []Load          `json:"load,omitempty"`
	Reads    *Reads          `json:"reads,omitempty"`
	Curves   []Curve         `json:"curves,omitempty"`
	Scale    []ScalePoint    `json:"scale,omitempty"`
}

// Settings are the parts of a Config that others need to repeat the run.
type Settings struct {
	Events     int    `json:"events"`
	Rounds     int    `json:"rounds"`
	Seed       uint64 `json:"seed"`
	Memory     int64  `json:"memory"`
	Identities int    `json:"identities"`
}

func (c *Config) settings() Settings {
	return Settings{c.Events, c.Rounds, c.Seed, c.Memory, c.Identities}
}

// WorkloadShape is a workload with its measured shape.
type WorkloadShape struct {
	Name string `json:"name"`
	ceiling.Shape
}

// Spread is the median of the rounds, with the lowest and the highest.
type Spread struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

func spread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	values = slices.Sorted(slices.Values(values))
	return Spread{Median: values[len(values)/2], Low: values[0], High: values[len(values)-1]}
}

func spreadOf[T any](list []T, of func(*T) float64) Spread {
	values := make([]float64, len(list))
	for i := range list {
		values[i] = of(&list[i])
	}
	return spread(values)
}

// PeerResult is what one peer reached on one workload.
type PeerResult struct {
	Workload   string      `json:"workload"`
	Peer       string      `json:"peer"`
	Version    string      `json:"version,omitempty"`
	Durability string      `json:"durability"`
	Settings   string      `json:"settings"`
	Checked    string      `json:"checked"` // what was found equal
	Rounds     []PeerRound `json:"rounds"`
	Rate       Spread      `json:"events_per_second"`
	Faster     Spread      `json:"engine_to_peer"`        // events per second, within a round
	LessCPU    Spread      `json:"peer_to_engine_cpu"`    // processor time per event, within a round
	CPU        Spread      `json:"cpu_us_per_event"`      // all processes
	Disk       Spread      `json:"disk_bytes_per_event"`  // when the run ended
	Allocs     Spread      `json:"allocs_per_event"`      // of this process
	AllocBytes Spread      `json:"alloc_bytes_per_event"` // of this process
	Share      float64     `json:"share_of_the_events"`   // below 1 for a peer that is too slow for all of them
}

// PeerRound is one run of one peer.
type PeerRound struct {
	trial.Measure
	CPU     float64 `json:"cpu_us_per_event_of_all_processes"`
	Disk    float64 `json:"disk_bytes_per_event"`
	Faster  float64 `json:"engine_to_peer"`
	LessCPU float64 `json:"peer_to_engine_cpu"`
}

// Comparison is the engine and the ceiling on the same bytes.
type Comparison struct {
	X       float64 `json:"x,omitempty"`
	Name    string  `json:"name,omitempty"`
	Rounds  []Both  `json:"rounds"`
	Engine  Spread  `json:"engine_events_per_second"`
	CPU     Spread  `json:"engine_cpu_us_per_event"`
	Allocs  Spread  `json:"engine_allocs_per_event"`
	Ratio   Spread  `json:"engine_to_ceiling"`
	CPURate Spread  `json:"engine_to_ceiling_cpu"`
}

// Both is one round.
type Both struct {
	Engine  trial.Measure `json:"engine"`
	Ceiling trial.Measure `json:"ceiling"`
}

func (c *Comparison) sum() {
	c.Engine = spreadOf(c.Rounds, func(b *Both) float64 { return b.Engine.EventsPerSecond })
	c.CPU = spreadOf(c.Rounds, func(b *Both) float64 { return b.Engine.CPUPerEvent })
	c.Allocs = spreadOf(c.Rounds, func(b *Both) float64 { return b.Engine.AllocsPerEvent })
	c.Ratio = spreadOf(c.Rounds, func(b *Both) float64 { return b.Engine.EventsPerSecond / b.Ceiling.EventsPerSecond })
	c.CPURate = spreadOf(c.Rounds, func(b *Both) float64 { return b.Engine.CPUPerEvent / b.Ceiling.CPUPerEvent })
}

// Curve is the cost of an event against something.
type Curve struct {
	Name   string       `json:"name"`
	X      string       `json:"x"`
	Points []Comparison `json:"points"`
}

// Pressure is a stream with a difficulty beside a stream without it.
type Pressure struct {
	Name    string          `json:"name"`
	Beside  string          `json:"beside"`
	Rounds  []PressureRound `json:"rounds"`
	Ratio   Spread          `json:"events_per_second_to_beside"`
	CPU     Spread          `json:"cpu_per_event_beside_to_this"`
	Goal    float64         `json:"goal"`
	Details string          `json:"details,omitempty"`
}

// PressureRound is one round.
type PressureRound struct {
	This   trial.Measure `json:"this"`
	Beside trial.Measure `json:"beside"`
}
