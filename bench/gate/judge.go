package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/perf/benchmath"
)

// The bars for a suspect and for a failure (B3).
const (
	slowerBy = 1.10
	suspectP = 0.20
	convictP = 0.01
)

// verdict is what becomes of a layer.
type verdict string

const (
	fine       verdict = "ok"
	slower     verdict = "SLOWER"
	allocating verdict = "ALLOCATES"
	isNew      verdict = "new"
	isGone     verdict = "gone"
)

func (v verdict) fails() bool { return v == slower || v == allocating }

// sides are the samples of a layer.
type sides struct{ base, change []sample }

// comparison is one unit of a layer on both sides.
type comparison struct {
	base, change float64 // medians
	p            float64
}

// ratio is change to base; 1 where there is nothing to divide.
func (c comparison) ratio() float64 {
	if c.base == 0 {
		return 1
	}
	return c.change / c.base
}

func (c comparison) worse(p float64) bool { return c.ratio() > slowerBy && c.p < p }

func compare(s *sides, unit func(sample) float64) comparison {
	values := func(samples []sample) *benchmath.Sample {
		v := make([]float64, len(samples))
		for i := range samples {
			v[i] = unit(samples[i])
		}
		return benchmath.NewSample(v, &benchmath.DefaultThresholds)
	}
	b, c := values(s.base), values(s.change)
	if len(b.Values) == 0 || len(c.Values) == 0 {
		return comparison{p: 1}
	}
	center := func(s *benchmath.Sample) float64 { return benchmath.AssumeNothing.Summary(s, 0.95).Center }
	return comparison{center(b), center(c), benchmath.AssumeNothing.Compare(b, c).P}
}

// row is a line of the table.
type row struct {
	layer              string
	cpu, clock, allocs comparison
	verdict            verdict
}

// rowOf compares the samples of a layer, with p as the bar.
func rowOf(layer string, s *sides, p float64) row {
	r := row{
		layer: layer, verdict: fine,
		cpu:    compare(s, func(s sample) float64 { return s.cpu }),
		clock:  compare(s, func(s sample) float64 { return s.clock }),
		allocs: compare(s, func(s sample) float64 { return s.allocs }),
	}
	none := func(s sample) bool { return s.allocs == 0 }
	had, has := slices.ContainsFunc(s.base, func(s sample) bool { return !none(s) }), !slices.ContainsFunc(s.change, none)
	switch {
	case !had && has, r.allocs.worse(p):
		r.verdict = allocating
	case r.cpu.worse(p), r.clock.worse(p):
		r.verdict = slower
	}
	return r
}

// race runs the two programs in turns.
type race struct {
	settings
	pair     programs
	until    time.Time                          // when the second pass ends early
	handicap func(layer string) (times float64) // makes the change slower on paper; nil does not
}

// judge returns a row for each layer.
func (r *race) judge(ctx context.Context) ([]row, error) {
	change, err := list(ctx, r.pair.change, r.settings)
	if err != nil {
		return nil, err
	}
	if len(change) == 0 {
		return nil, errors.New("layers: none has that name; the names are in the folder's list")
	}
	base, err := list(ctx, r.pair.base, r.settings)
	if err != nil {
		return nil, err
	}
	has := func(all []layer, name string) bool {
		return slices.ContainsFunc(all, func(l layer) bool { return l.name == name })
	}
	var rows []row
	var both []layer
	for _, l := range change {
		if has(base, l.name) {
			both = append(both, l)
		} else {
			rows = append(rows, row{layer: l.name, verdict: isNew})
		}
	}
	for _, l := range base {
		if !has(change, l.name) {
			rows = append(rows, row{layer: l.name, verdict: isGone})
		}
	}
	judged, err := r.passes(ctx, both)
	return append(judged, rows...), err
}

// passes judges layers in the first pass, and suspects again in the second, with samples of its own.
func (r *race) passes(ctx context.Context, layers []layer) ([]row, error) {
	first, err := r.measure(ctx, layers, r.first, r.first)
	if err != nil {
		return nil, err
	}
	var rows []row
	var suspects []layer
	for _, l := range layers {
		judged := rowOf(l.name, first[l.name], suspectP)
		if judged.verdict.fails() {
			suspects = append(suspects, l)
		}
		rows = append(rows, judged)
	}
	second, err := r.measure(ctx, suspects, r.again, r.first)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if s := second[rows[i].layer]; s != nil {
			rows[i] = rowOf(rows[i].layer, s, convictP)
		}
	}
	return rows, nil
}

// measure takes samples of layers in rounds of base, change, change, base (B2): at least as many rounds as least, and no more
// once the time is up.
func (r *race) measure(ctx context.Context, layers []layer, rounds, least int) (map[string]*sides, error) {
	all := make(map[string]*sides)
	for _, l := range layers {
		all[l.name] = &sides{}
	}
	for round := range rounds {
		if round >= least && time.Now().After(r.until) {
			break
		}
		for _, l := range layers {
			for _, ofChange := range []bool{false, true, true, false} {
				if err := r.turn(ctx, l, ofChange, all[l.name]); err != nil {
					return nil, err
				}
			}
		}
	}
	return all, nil
}

// turn takes a sample of one side.
func (r *race) turn(ctx context.Context, l layer, ofChange bool, s *sides) error {
	program, samples, times := r.pair.base, &s.base, 1.0
	if ofChange {
		program, samples = r.pair.change, &s.change
		if r.handicap != nil {
			times = r.handicap(l.name)
		}
	}
	one, err := take(ctx, program, r.benchmark, l)
	if err != nil {
		return err
	}
	one.cpu *= times
	one.clock *= times
	*samples = append(*samples, one)
	return nil
}
