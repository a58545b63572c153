package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"golang.org/x/perf/benchfmt"
)

// sample is what one process measured of a layer.
type sample struct {
	clock, cpu float64 // seconds an operation; cpu is 0 if the benchmark does not report it
	allocs     float64 // an operation
}

const processMax = 2 * time.Minute // a benchmark that takes longer hangs

// layer is a benchmark, and how many operations a sample of it has.
type layer struct {
	name       string
	operations int
}

// list runs every layer of a program, and returns those that are wanted, in order. All samples of a layer have as many
// operations as take the sample's processor time, or four times that on the clock.
func list(ctx context.Context, program string, s settings) ([]layer, error) {
	if program == "" {
		return nil, nil
	}
	var layers []layer
	err := execute(ctx, program, "^"+s.benchmark+"$", s.benchtime.String(), func(name string, one sample) {
		if s.only != nil && !s.only.MatchString(name) {
			return
		}
		most := 4 * s.benchtime.Seconds() / one.clock
		if one.cpu > 0 {
			most = min(most, s.benchtime.Seconds()/one.cpu)
		}
		layers = append(layers, layer{name, max(1, int(most))})
	})
	return layers, err
}

// take runs one layer in a process of its own.
func take(ctx context.Context, program, benchmark string, l layer) (s sample, err error) {
	pattern := "^" + benchmark + "$"
	for part := range strings.SplitSeq(l.name, "/") {
		pattern += "/^" + regexp.QuoteMeta(part) + "$"
	}
	found := 0
	err = execute(ctx, program, pattern, fmt.Sprintf("%dx", l.operations), func(_ string, one sample) { s, found = one, found+1 })
	if err == nil && found != 1 {
		err = fmt.Errorf("layer %s: %d results, want 1", l.name, found)
	}
	return s, err
}

// execute runs benchmarks of a program and calls found for each.
func execute(ctx context.Context, program, pattern, benchtime string, found func(layer string, s sample)) error {
	ctx, cancel := context.WithTimeout(ctx, processMax)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-test.run=^$", "-test.benchmem", "-test.bench="+pattern, "-test.benchtime="+benchtime)
	said, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", pattern, err, bytes.TrimSpace(said))
	}
	r := benchfmt.NewReader(bytes.NewReader(said), program)
	for r.Scan() {
		result, ok := r.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		_, parts := result.Name.Parts()
		var layer strings.Builder
		for _, part := range parts {
			if part[0] == '/' {
				layer.Write(part)
			}
		}
		found(strings.TrimPrefix(layer.String(), "/"), sampleOf(result))
	}
	return r.Err()
}

// sampleOf reads the units that are compared. The reader has made seconds of nanoseconds where it knows the unit.
func sampleOf(r *benchfmt.Result) (s sample) {
	for _, v := range r.Values {
		switch {
		case v.Unit == "sec/op":
			s.clock = v.Value
		case v.Unit == "allocs/op":
			s.allocs = v.Value
		case v.Unit == "cpu-ns/op":
			s.cpu = v.Value / 1e9
		case v.OrigUnit == "cpu-ns/op":
			s.cpu = v.OrigValue / 1e9
		}
	}
	return s
}
