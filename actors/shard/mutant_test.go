package shard_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/internal/testkit/mutant"
)

// underRules are the mutants that only a change of rules can show.
var underRules = []string{"replay-under-other-rules", "sweep-not-followed", "refusal-ignored", "taken-without-sweep"}

// byAliases are the mutants that aliases alone can show.
var byAliases = []string{"alias-claims-ahead"}

// bySignals are the mutants that only definitions that change can show.
var bySignals = []string{
	"marks-lost-at-forward", "patch-not-passed-on", "barrier-ignored", "marked-before-the-barrier", "fill-asks-again", "fill-forgets-its-place",
	"arrival-takes-all", "fill-of-one-part",
}

// TestMutants breaks each rule of internal/testkit/mutant until a schedule or a scenario notices. A rule that can be broken
// unnoticed is not tested, or not needed. The engine's own sources have no switch to break them by, so the test runs
// itself again, once, in a build with mutated sources.
func TestMutants(t *testing.T) {
	if !mutant.Overlaid() {
		if testing.Short() {
			t.Skip("without -short: make mutants")
		}
		mutant.Rerun(t)
		return
	}
	if how, err := runMutant("", 100); err != nil {
		t.Fatalf("without any mutant switched on, %s fails, so that no death would prove anything: %v", how, err)
	}
	all := mutant.All()
	for _, m := range all {
		start := time.Now()
		how, err := runMutant(m.Name, 20_000)
		if err == nil {
			t.Errorf("%s survived %s: %s", m.Name, how, m.Is)
			continue
		}
		why, _, _ := strings.Cut(err.Error(), "\n")
		t.Logf("%-36s died in %s after %v: %s", m.Name, how, time.Since(start).Round(time.Millisecond), why)
	}
	passed := mutant.Passed()
	for _, m := range all {
		if !passed[m.Name] {
			t.Errorf("%s is never passed: what it breaks is not run", m.Name)
		}
	}
}

// runMutant runs a mutant, or none, in its scenario or in schedules. It returns how, and what a check noticed; nil if nothing.
func runMutant(name string, schedules int) (how string, err error) {
	defer mutant.Select("")
	if scenario, ok := scenarios[name]; ok {
		mutant.Select(name)
		return "its scenario", scenario()
	}
	sc := schedule{test: "TestMutants", make: plainly, disk: inMemory}
	if slices.Contains(underRules, name) {
		sc.make = underOtherRules
	}
	if slices.Contains(byAliases, name) {
		sc.make = amongAliases
	}
	if slices.Contains(bySignals, name) {
		sc.make = amongSignals
	}
	for seed := range uint64(schedules) {
		mutant.Select(name)
		if _, _, err := sc.run(seed, nil, nil, nil); err != nil {
			return fmt.Sprintf("schedule %4d", seed+1), err
		}
	}
	return fmt.Sprintf("%d schedules", schedules), nil
}
