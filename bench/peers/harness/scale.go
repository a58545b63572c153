package harness

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/kindred-id/kindred/bench/workload"
)

// ScalePoint is bin/kindred ingest into a directory that holds a number of identities.
type ScalePoint struct {
	Identities int    `json:"identities"`
	Cores      int    `json:"cores"`
	First      []Exec `json:"first"` // makes the identities
	Later      []Exec `json:"later"` // events of identities at random; its rate includes opening the directory
	Rate       Spread `json:"events_per_second"`
	CPU        Spread `json:"cpu_us_per_event"`
	Resident   Spread `json:"most_resident_bytes"` // of both
	// Ratio is the rate to that of the fewest identities on as many cores, round by round.
	Ratio Spread `json:"rate_to_first_point"`
}

// cores are the numbers of cores that are measured.
func cores() []int {
	if runtime.NumCPU() == 1 {
		return []int{1}
	}
	return []int{1, 2}
}

func stepsOfScale(r *run) int { return r.Rounds * len(r.identityPoints()) * len(cores()) }

func measureScale(ctx context.Context, r *run) error {
	events := max(1000, r.Events/2)
	bases := map[int]int{} // by cores: the place of the first point
	for _, identities := range r.identityPoints() {
		for _, n := range cores() {
			r.report.Scale = append(r.report.Scale, ScalePoint{Identities: identities, Cores: n})
			place := len(r.report.Scale) - 1
			if _, ok := bases[n]; !ok {
				bases[n] = place
			}
		}
		from := len(r.report.Scale) - len(cores())
		for round := range r.Rounds {
			for i := from; i < len(r.report.Scale); i++ {
				p := &r.report.Scale[i]
				r.step("%d identities on %d cores, round %d of %d", p.Identities, p.Cores, round+1, r.Rounds)
				if err := r.inDirectory(func(dir string) error { return r.scaleRound(ctx, dir, p, events) }); err != nil {
					return err
				}
			}
		}
	}
	for i := range r.report.Scale {
		p := &r.report.Scale[i]
		base := r.report.Scale[bases[p.Cores]].Later
		var ratios, resident []float64
		for n := range p.Later {
			ratios = append(ratios, p.Later[n].EventsPerSecond/base[n].EventsPerSecond)
			resident = append(resident, float64(max(p.First[n].Resident, p.Later[n].Resident)))
		}
		p.Ratio, p.Resident = spread(ratios), spread(resident)
		p.Rate = spreadOf(p.Later, func(x *Exec) float64 { return x.EventsPerSecond })
		p.CPU = spreadOf(p.Later, func(x *Exec) float64 { return x.CPUPerEvent })
	}
	return nil
}

func (r *run) scaleRound(ctx context.Context, dir string, p *ScalePoint, events int) error {
	first, later, data := filepath.Join(dir, "first.ndjson"), filepath.Join(dir, "later.ndjson"), filepath.Join(dir, "data")
	if err := r.writeFirst(first, p.Identities); err != nil {
		return err
	}
	environment := []string{fmt.Sprintf("GOMAXPROCS=%d", p.Cores)}
	x, err := r.ingest(ctx, data, first, environment)
	if err != nil {
		return err
	}
	if x.Identities != p.Identities {
		return fmt.Errorf("%d identities: want %d", x.Identities, p.Identities)
	}
	p.First = append(p.First, x)
	if err := os.Remove(first); err != nil {
		return err
	}
	if err := os.WriteFile(later, workload.Later(r.Seed, p.Identities, events), 0o600); err != nil {
		return err
	}
	x, err = r.ingest(ctx, data, later, environment)
	p.Later = append(p.Later, x)
	return err
}

func (r *run) writeFirst(path string, identities int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := r.first(identities)(func(lines []byte) error {
		_, err := f.Write(lines)
		return err
	}); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
