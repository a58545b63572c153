package mutant

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// A Prey is how a mutant, or none, is looked for: by a scenario, or else by the schedules of seeds. Either fails with what a check
// noticed.
type Prey struct {
	Scenario func() error
	Schedule func(seed uint64) error
}

// sound is how many schedules have to go well without any mutant: otherwise no death would prove anything.
const sound = 100

// Hunt switches on each mutant in turn until something notices, at most so many schedules long. It runs the calling test again in
// a build with mutated sources. KINDRED_MUTANT names some, separated by commas, instead of all.
func Hunt(t *testing.T, all []Mutant, most int, find func(name string) Prey) {
	t.Helper()
	if !Overlaid() {
		if testing.Short() {
			t.Skip("without -short: make mutants")
		}
		Rerun(t)
		return
	}
	if how, err := chase("", find(""), sound); err != nil {
		t.Fatalf("without any mutant switched on, %s fails, so that no death would prove anything: %v", how, err)
	}
	only := os.Getenv("KINDRED_MUTANT")
	for _, m := range all {
		if only != "" && !strings.Contains(","+only+",", ","+m.Name+",") {
			continue
		}
		start := time.Now()
		how, err := chase(m.Name, find(m.Name), most)
		if err == nil {
			t.Errorf("%s survived %s: %s", m.Name, how, m.Is)
			continue
		}
		why, _, _ := strings.Cut(err.Error(), "\n")
		t.Logf("%-36s died in %s after %v: %s", m.Name, how, time.Since(start).Round(time.Millisecond), why)
	}
	if only != "" {
		return
	}
	passed := Passed()
	for _, m := range all {
		if !passed[m.Name] {
			t.Errorf("%s is never passed: what it breaks is not run", m.Name)
		}
	}
}

// chase runs a mutant, or none, and returns how, and what a check noticed; nil if nothing.
func chase(name string, p Prey, most int) (how string, err error) {
	defer Select("")
	if p.Scenario != nil {
		Select(name)
		return "its scenario", p.Scenario()
	}
	for seed := range uint64(most) {
		Select(name)
		if err := p.Schedule(seed); err != nil {
			return fmt.Sprintf("schedule %4d", seed+1), err
		}
	}
	return fmt.Sprintf("%d schedules", most), nil
}
