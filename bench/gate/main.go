package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

// settings are what flags set.
type settings struct {
	base      string         // a commit; empty chooses one
	folder    string         // of the benchmarks
	benchmark string         // their function
	only      *regexp.Regexp // layers; nil is all
	benchtime time.Duration
	first     int // rounds of pass 1, which have two samples of each side
	again     int // rounds of pass 2
	budget    time.Duration
	null      int // trials of the base against itself; 0 compares
}

func parse(args []string) (settings, error) {
	var s settings
	f := flag.NewFlagSet("gate", flag.ContinueOnError)
	f.StringVar(&s.base, "base", "", "commit to compare with (default: where the change left the main branch, or the commit before)")
	f.StringVar(&s.folder, "folder", "bench/layer", "folder of the benchmarks")
	f.StringVar(&s.benchmark, "bench", "BenchmarkLayer", "benchmark that runs them")
	f.Func("layer", "regular expression of the layers to compare (default all)", func(text string) (err error) {
		s.only, err = regexp.Compile(text)
		return err
	})
	f.DurationVar(&s.benchtime, "benchtime", 50*time.Millisecond, "processor time of a sample")
	f.IntVar(&s.first, "rounds", 5, "rounds of the first pass, two samples of each side a round")
	f.IntVar(&s.again, "again", 10, "rounds of the second pass, for suspects only")
	f.DurationVar(&s.budget, "budget", 4*time.Minute, "when the second pass ends early, after as many rounds as the first")
	f.IntVar(&s.null, "null", 0, "compare the base with itself this often, and count false alarms")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 {
		return s, fmt.Errorf("argument %q is unexpected; see -help", f.Arg(0))
	}
	return s, nil
}

// errSlower is returned if the change is slower, or allocates more.
var errSlower = errors.New("layers: the change costs more; make it cheaper, or give the reason in its commit and compare with BASE=HEAD")

func main() {
	s, err := parse(os.Args[1:])
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bench-gate:", err)
		}
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = run(ctx, s, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-gate:", err)
		os.Exit(1)
	}
}

// run compares the working tree with its base and prints the table.
func run(ctx context.Context, s settings, out io.Writer) (err error) {
	start := time.Now()
	base, err := chooseBase(ctx, s.base)
	if errors.Is(err, errFirst) {
		fmt.Fprintln(out, "bench-gate: this is the first commit, so there is nothing to compare it with")
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "bench-gate: against %s\n", base)
	temp, err := os.MkdirTemp("", "kindred-gate-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	pair, err := buildPair(ctx, s, base.commit, temp, out)
	if err != nil {
		return err
	}
	if s.null > 0 {
		return calibrate(ctx, s, pair, out)
	}
	if pair.same {
		fmt.Fprintln(out, "bench-gate: both programs are the same, byte for byte")
		return nil
	}
	r := &race{settings: s, pair: pair, until: start.Add(s.budget)}
	rows, err := r.judge(ctx)
	if err != nil {
		return err
	}
	printTable(out, rows)
	fmt.Fprintf(out, "%d layers in %.0f s\n", len(rows), time.Since(start).Seconds())
	for i := range rows {
		if rows[i].verdict.fails() {
			return errSlower
		}
	}
	return nil
}
