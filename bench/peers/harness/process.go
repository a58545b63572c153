package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/bench/workload"
)

// Process is bin/kindred ingest beside the ceiling: the whole process, from its start to its end.
type Process struct {
	Rounds []ProcessRound `json:"rounds"`
	Ratio  Spread         `json:"process_to_ceiling"` // events per second
	CPU    Spread         `json:"process_to_ceiling_cpu"`
	Disk   Spread         `json:"disk_bytes_per_event"` // after compaction
}

// ProcessRound is one round.
type ProcessRound struct {
	Process Exec          `json:"process"`
	Ceiling trial.Measure `json:"ceiling"`
	Disk    float64       `json:"disk_bytes_per_event"`
}

// Exec is one run of bin/kindred ingest.
type Exec struct {
	EventsPerSecond float64 `json:"events_per_second"` // from its start to its end
	CPUPerEvent     float64 `json:"cpu_us_per_event"`
	Resident        int64   `json:"most_resident_bytes"`
	Identities      int     `json:"identities"`
}

func stepsOfProcess(r *run) int { return r.Rounds }

// measureProcess ingests retail from a file.
func measureProcess(ctx context.Context, r *run) error {
	retail, _ := workload.Named("retail")
	lines := retail.Lines(r.Seed, r.Events)
	p := &Process{}
	r.report.Process = p
	for n := range r.Rounds {
		r.step("bin/kindred ingest, round %d of %d", n+1, r.Rounds)
		round := ProcessRound{}
		var err error
		if round.Ceiling, err = r.ceiling(stream{lines: lines}); err != nil {
			return err
		}
		if err := r.inDirectory(func(dir string) error { return r.processRound(ctx, dir, lines, &round) }); err != nil {
			return err
		}
		p.Rounds = append(p.Rounds, round)
	}
	p.Ratio = spreadOf(p.Rounds, func(x *ProcessRound) float64 { return x.Process.EventsPerSecond / x.Ceiling.EventsPerSecond })
	p.CPU = spreadOf(p.Rounds, func(x *ProcessRound) float64 { return x.Process.CPUPerEvent / x.Ceiling.CPUPerEvent })
	p.Disk = spreadOf(p.Rounds, func(x *ProcessRound) float64 { return x.Disk })
	return nil
}

func (r *run) processRound(ctx context.Context, dir string, lines []byte, round *ProcessRound) error {
	file, data := filepath.Join(dir, "events.ndjson"), filepath.Join(dir, "data")
	if err := os.WriteFile(file, lines, 0o600); err != nil {
		return err
	}
	var err error
	if round.Process, err = r.ingest(ctx, data, file, nil); err != nil {
		return err
	}
	if got, want := round.Process.Identities, round.Ceiling.People; got != want {
		return fmt.Errorf("the process makes %d people, the ceiling %d", got, want)
	}
	if err := compact(ctx, data); err != nil {
		return err
	}
	events := round.Ceiling.Seconds * round.Ceiling.EventsPerSecond
	round.Disk = float64(bytesBelow(data)) / events
	return nil
}

// ingest runs bin/kindred ingest once. It has the machine's memory: this process gives back what earlier measurements took.
func (r *run) ingest(ctx context.Context, data, file string, environment []string) (x Exec, err error) {
	debug.FreeOSMemory()
	command := exec.CommandContext(ctx, r.Binary, "ingest", "--data", data, "--rules", "open", "--memory", fmt.Sprintf("%dMiB", r.Memory>>20), file)
	command.Env = append(os.Environ(), environment...)
	var said strings.Builder
	command.Stderr = &said
	var out bytes.Buffer
	command.Stdout = &out
	start := time.Now()
	if err := command.Start(); err != nil {
		return x, err
	}
	ended, resident := make(chan struct{}), make(chan int64, 1)
	go func() { resident <- mostResident(command.Process.Pid, ended) }()
	err = command.Wait()
	elapsed := time.Since(start)
	close(ended)
	x.Resident = <-resident
	if err != nil {
		return x, fmt.Errorf("%s: %w: %s", r.Binary, err, said.String())
	}
	var summary struct {
		Read       int `json:"read"`
		Identities int `json:"identities"`
	}
	if err := json.Unmarshal(out.Bytes(), &summary); err != nil {
		return x, err
	}
	used := command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	x = Exec{
		EventsPerSecond: float64(summary.Read) / elapsed.Seconds(), CPUPerEvent: float64(used.Nanoseconds()) / 1e3 / float64(summary.Read),
		Identities: summary.Identities, Resident: x.Resident,
	}
	return x, nil
}

// residentEvery is how often a process is asked for the most memory that it had; it may grow for so long unseen.
const residentEvery = 5 * time.Millisecond

// mostResident returns the most resident memory of a process until ended is closed; 0 if the system does not tell. The figure
// that a wait for its end returns (ru_maxrss) does not do: it begins with the memory of the process that started this one.
func mostResident(pid int, ended <-chan struct{}) (most int64) {
	path := fmt.Sprintf("/proc/%d/status", pid)
	tick := time.NewTicker(residentEvery)
	defer tick.Stop()
	for {
		var kib int64
		if _, err := fmt.Sscanf(field(path, "VmHWM"), "%d kB", &kib); err == nil {
			most = max(most, kib<<10)
		}
		select {
		case <-tick.C:
		case <-ended:
			return most
		}
	}
}

// inDirectory calls fn with a directory that is deleted afterwards.
func (r *run) inDirectory(fn func(dir string) error) error {
	dir, err := os.MkdirTemp(r.Dir, "kindred-process-")
	if err != nil {
		return err
	}
	return errors.Join(fn(dir), os.RemoveAll(dir))
}

// compact rewrites a data directory as compactions leave it in the end, with the block size, filters and compression of
// storage.
func compact(ctx context.Context, dir string) error {
	o := &pebble.Options{FormatMajorVersion: pebble.FormatNewest, Logger: quiet{}}
	for i := range o.Levels {
		o.Levels[i].BlockSize, o.Levels[i].IndexBlockSize = 8<<10, 64<<10
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.FastestCompression }
	}
	db, err := pebble.Open(storeBelow(dir), o)
	if err != nil {
		return err
	}
	return errors.Join(db.Compact(ctx, []byte{0}, []byte{0xff, 0xff, 0xff, 0xff}, true), db.Close())
}

// storeBelow is where Pebble's files are: the directory with a MANIFEST.
func storeBelow(dir string) string {
	if found, _ := filepath.Glob(filepath.Join(dir, "*", "MANIFEST-*")); len(found) > 0 {
		return filepath.Dir(found[0])
	}
	return dir
}

func bytesBelow(dir string) (n int64) {
	_ = filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
		return nil
	})
	return n
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf(format, args...))
}
