// Command peers measures Kindred beside its peers and writes bench/RESULTS.md: make bench-all. It is a module of its own, so
// that clients of databases and a library for charts are no dependency of the product. docs/benchmarks.md describes it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/kindred-id/kindred/bench/peers/harness"
	"github.com/kindred-id/kindred/bench/peers/report"
	"github.com/kindred-id/kindred/storage"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/pflag"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := pflag.NewFlagSet("peers", pflag.ContinueOnError)
	var c harness.Config
	out := flags.String("out", "..", "directory for RESULTS.md and the folder results")
	memory := flags.Int64("memory", storage.DefaultMemory()>>20, "memory limit of the engine, in MiB")
	commit := flags.String("commit", "", "commit to name in the results (default: from git)")
	flags.IntVar(&c.Events, "events", 200_000, "number of events of each stream, at least 2000")
	flags.IntVar(&c.Rounds, "rounds", 3, "number of rounds, at least 1")
	flags.Uint64Var(&c.Seed, "seed", 1, "seed of the streams")
	flags.StringSliceVar(&c.Only, "only", nil, "sections to run: "+names()+" (default: all)")
	flags.StringSliceVar(&c.Peers, "peers", nil, "beginnings of the names of peers, such as postgres,redis (default: all)")
	flags.StringSliceVar(&c.Workloads, "workloads", []string{"retail", "web", "merge-storm", "hot-key"}, "workloads of the section peers")
	flags.IntVar(&c.Identities, "identities", 100_000, "the most identities of a curve, from 10,000 to 10,000,000")
	flags.StringVar(&c.Binary, "kindred", "../../bin/kindred", "the program, for measurements of the whole process")
	flags.StringVar(&c.Dir, "dir", "", "where to write data (default: the directory of temporary files)")
	flags.IntVar(&c.KafkaRuns, "kafka-runs", 10, "measurements of latency from Kafka at each load, at least 1")
	flags.DurationVar(&c.Live, "live", 10*time.Second, "how long each measurement under load takes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if c.Events < 2000 || c.Rounds < 1 || c.KafkaRuns < 1 {
		return fmt.Errorf("--events %d --rounds %d --kafka-runs %d: want at least 2000, 1 and 1", c.Events, c.Rounds, c.KafkaRuns)
	}
	for _, name := range c.Only {
		if !strings.Contains(", "+names()+",", ", "+name+",") {
			return fmt.Errorf("--only %s: want some of %s", name, names())
		}
	}
	c.Memory = *memory << 20
	bar := newBar()
	c.Step = bar.step
	debug.SetGCPercent(storage.GCPercent) // as for serve and ingest
	r, failed := harness.Run(ctx, c)
	bar.end()
	if r == nil || len(r.Sections) == 0 {
		return failed
	}
	r.Command = command(flags)
	r.Date = time.Now().UTC().Format(time.DateOnly)
	if r.Commit = *commit; r.Commit == "" {
		r.Commit = revision()
	}
	return errors.Join(failed, report.Write(*out, r)) // what was measured before a failure took hours
}

// command is how to repeat a run. Where its results and data went does not matter for that.
func command(flags *pflag.FlagSet) string {
	var given []string
	flags.Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "out", "commit", "kindred", "dir":
		default:
			given = append(given, "--"+f.Name+"="+strings.Trim(f.Value.String(), "[]"))
		}
	})
	if given == nil {
		return "make bench-all"
	}
	return `make bench-all BENCH_ALL="` + strings.Join(given, " ") + `"`
}

func names() string {
	var list []string
	for _, s := range harness.Sections() {
		list = append(list, s.Name)
	}
	return strings.Join(list, ", ")
}

// revision is the commit of the working tree, with a mark if it was changed.
func revision() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// bar shows the steps on standard error: as a bar on a terminal, else a line each.
type bar struct{ shown *progressbar.ProgressBar }

func newBar() *bar {
	if info, err := os.Stderr.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return &bar{}
	}
	return &bar{progressbar.NewOptions(1, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowCount(), progressbar.OptionFullWidth())}
}

func (b *bar) step(done, total int, what string) {
	if b.shown == nil {
		fmt.Fprintf(os.Stderr, "%d/%d %s\n", done+1, total, what)
		return
	}
	b.shown.ChangeMax(total)
	b.shown.Describe(what)
	_ = b.shown.Set(done)
}

func (b *bar) end() {
	if b.shown != nil {
		_ = b.shown.Finish()
		fmt.Fprintln(os.Stderr)
	}
}
