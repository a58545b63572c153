package harness

import (
	"github.com/kindred-id/kindred/bench"
	"github.com/kindred-id/kindred/bench/ceiling"
	"github.com/kindred-id/kindred/bench/trial"
)

// Report is what a run measured.
type Report struct {
	Failed   string             `json:"failed,omitempty"` // why the run ended early; the sections before are whole
	Command  string             `json:"command"`
	Commit   string             `json:"commit"`
	Date     string             `json:"date"`
	Machine  Machine            `json:"machine"`
	Config   Settings           `json:"settings"`
	Sections []string           `json:"sections"`
	Shapes   []WorkloadShape    `json:"workloads,omitempty"`
	Peers    []PeerResult       `json:"peers,omitempty"`
	Missing  []string           `json:"missing,omitempty"` // peers, or Kafka, that are not installed
	Process  *Process           `json:"process,omitempty"`
	Pressure []Pressure         `json:"pressure,omitempty"`
	Pairs    *Comparison        `json:"pairs,omitempty"`
	Load     []Load             `json:"load,omitempty"`
	Reads    *Reads             `json:"reads,omitempty"`
	Kafka    *bench.KafkaReport `json:"kafka,omitempty"`
	Curves   []Curve            `json:"curves,omitempty"`
	Scale    []ScalePoint       `json:"scale,omitempty"`
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
type Spread = bench.Spread

func spreadOf[T any](list []T, of func(*T) float64) Spread { return bench.SpreadOf(list, of) }

func spread(values []float64) Spread {
	return bench.SpreadOf(values, func(v *float64) float64 { return *v })
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
	// Parts is the engine's processor time of an event by part of the program; the median of the rounds for each.
	Parts Parts `json:"engine_cpu_us_by_part,omitempty"`
}

// Both is one round.
type Both struct {
	Engine  trial.Measure `json:"engine"`
	Ceiling trial.Measure `json:"ceiling"`
	// Profile is what the engine's processor time went to; of curves alone.
	Profile *Profile `json:"engine_profile,omitempty"`
}

func (c *Comparison) sum() {
	c.Engine = spreadOf(c.Rounds, func(b *Both) float64 { return b.Engine.EventsPerSecond })
	c.CPU = spreadOf(c.Rounds, func(b *Both) float64 { return b.Engine.CPUPerEvent })
	c.Allocs = spreadOf(c.Rounds, func(b *Both) float64 { return b.Engine.AllocsPerEvent })
	c.Ratio = spreadOf(c.Rounds, func(b *Both) float64 { return b.Engine.EventsPerSecond / b.Ceiling.EventsPerSecond })
	c.CPURate = spreadOf(c.Rounds, func(b *Both) float64 { return b.Engine.CPUPerEvent / b.Ceiling.CPUPerEvent })
	if len(c.Rounds) > 0 && c.Rounds[0].Profile != nil {
		c.Parts = Parts{}
		for _, name := range PartNames() {
			c.Parts[name] = spreadOf(c.Rounds, func(b *Both) float64 { return b.Profile.Shares[name] * b.Engine.CPUPerEvent }).Median
		}
	}
}

// Curve is the cost of an event against something.
type Curve struct {
	Name   string       `json:"name"`
	X      string       `json:"x"`
	Points []Comparison `json:"points"`
	Bends  []string     `json:"bends,omitempty"` // where an event costs more than at the point before, and why
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
