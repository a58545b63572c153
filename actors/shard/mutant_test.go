package shard_test

import (
	"slices"
	"testing"

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

// byAudiences are the mutants that only audiences can show.
var byAudiences = []string{
	"wake-dropped", "wake-later-only", "wake-forgotten", "told-left-behind", "told-rows-left", "arrived-forgotten",
	"partition-unnoticed", "told-twice", "pass-of-one-part", "pass-ahead-of-rows", "gone-untold", "true-takes-the-latest", "some-without-dependents",
}

// amongNodes are the mutants that only several nodes can show.
var amongNodes = []string{"hold-in-transit"}

// TestMutants breaks each rule of internal/testkit/mutant until a schedule or a scenario notices. A rule that can be broken
// unnoticed is not tested, or not needed. The engine's own sources have no switch to break them by, so the test runs
// itself again, once, in a build with mutated sources.
func TestMutants(t *testing.T) {
	mutant.Hunt(t, mutant.All(), 20_000, func(name string) mutant.Prey {
		if scenario, ok := scenarios[name]; ok {
			return mutant.Prey{Scenario: scenario}
		}
		if slices.Contains(amongNodes, name) {
			return mutant.Prey{Schedule: func(seed uint64) error {
				_, _, err := runNodes(seed, nil)
				return err
			}}
		}
		sc := schedule{make: plainly, disk: inMemory}
		switch {
		case slices.Contains(underRules, name):
			sc.make = underOtherRules
		case slices.Contains(byAliases, name):
			sc.make = amongAliases
		case slices.Contains(bySignals, name):
			sc.make = amongSignals
		case slices.Contains(byAudiences, name):
			sc.make = withAudiences
		}
		return mutant.Prey{Schedule: func(seed uint64) error {
			_, _, err := sc.run(seed, nil, nil, nil)
			return err
		}}
	})
}
