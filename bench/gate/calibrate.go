package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

const (
	handicapTimes = 1.25
	handicapEvery = 4 // layers
)

// tally counts what trials of equal programs led to.
type tally struct {
	equal, alarms  int // layers that are equal, and those of them that failed
	slower, caught int // layers that are slower on paper, and those of them that failed
	trials, failed int // trials, and those with a false alarm
}

// calibrate compares the base with itself, again and again, and counts how often the gate fails what is equal. In each trial
// every fourth layer is a quarter slower on paper: the times that were measured of one side are multiplied. These must fail.
func calibrate(ctx context.Context, s settings, pair programs, out io.Writer) error {
	pair.change = pair.base
	layers, err := list(ctx, pair.base, s)
	if err != nil {
		return err
	}
	index := make(map[string]int)
	for i, l := range layers {
		index[l.name] = i
	}
	var t tally
	for trial := range s.null {
		start := time.Now()
		handicap := func(name string) float64 {
			if (index[name]+trial)%handicapEvery == 0 {
				return handicapTimes
			}
			return 1
		}
		r := &race{settings: s, pair: pair, until: start.Add(s.budget), handicap: handicap}
		rows, err := r.passes(ctx, layers)
		if err != nil {
			return err
		}
		t.add(rows, handicap, out)
		fmt.Fprintf(out, "trial %d, %.0f s: %d of %d equal layers failed, in %d of %d trials; %d of %d slower ones were caught\n",
			trial+1, time.Since(start).Seconds(), t.alarms, t.equal, t.failed, t.trials, t.caught, t.slower)
	}
	return nil
}

// add counts a trial, and prints the rows that came out wrong.
func (t *tally) add(rows []row, handicap func(layer string) float64, out io.Writer) {
	var wrong []row
	alarms := t.alarms
	for _, r := range rows {
		fails, slow := r.verdict.fails(), handicap(r.layer) > 1
		switch {
		case slow && fails:
			t.caught++
		case !slow && fails:
			t.alarms++
		}
		if slow {
			t.slower++
		} else {
			t.equal++
		}
		if slow != fails {
			wrong = append(wrong, r)
		}
	}
	t.trials++
	if t.alarms > alarms {
		t.failed++
	}
	if len(wrong) > 0 {
		printTable(out, wrong)
	}
}
