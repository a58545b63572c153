package cluster_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/cluster/journal/journaltest"
	"github.com/kindred-id/kindred/internal/testkit/mutant"
)

// TestMutants breaks each rule of internal/testkit/mutant/cluster.txt until a schedule notices. It runs itself again, once, in a
// build with mutated sources.
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
	all := mutant.Cluster()
	for _, m := range all {
		start := time.Now()
		how, err := runMutant(m.Name, 2_000)
		if err == nil {
			t.Errorf("%s survived %s: %s", m.Name, how, m.Is)
			continue
		}
		why, _, _ := strings.Cut(err.Error(), "\n")
		t.Logf("%-24s died in %s after %v: %s", m.Name, how, time.Since(start).Round(time.Millisecond), why)
	}
	passed := mutant.Passed()
	for _, m := range all {
		if !passed[m.Name] {
			t.Errorf("%s is never passed: what it breaks is not run", m.Name)
		}
	}
}

func runMutant(name string, schedules int) (how string, err error) {
	defer mutant.Select("")
	for seed := range uint64(schedules) {
		mutant.Select(name)
		run := func() error {
			_, _, err := journaltest.SimulateCounters(seed, nil)
			return err
		}
		if strings.HasPrefix(name, "control-") {
			run = func() error { return journaltest.SimulateControl(seed) }
		}
		if err := run(); err != nil {
			return fmt.Sprintf("schedule %4d", seed+1), err
		}
	}
	return fmt.Sprintf("%d schedules", schedules), nil
}
