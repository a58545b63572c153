package cluster_test

import (
	"strings"
	"testing"

	"github.com/kindred-id/kindred/cluster/journal/journaltest"
	"github.com/kindred-id/kindred/internal/testkit/mutant"
)

// TestMutants breaks each rule of internal/testkit/mutant/cluster.txt until a schedule notices. It runs itself again, once, in a
// build with mutated sources.
func TestMutants(t *testing.T) {
	mutant.Hunt(t, mutant.Cluster(), 4_000, func(name string) mutant.Prey {
		switch {
		case strings.HasPrefix(name, "control-"):
			return mutant.Prey{Schedule: journaltest.SimulateControl}
		case strings.HasPrefix(name, "retire-"), name == "trim-by-old-reports":
			return mutant.Prey{Schedule: journaltest.SimulateCopies}
		}
		return mutant.Prey{Schedule: func(seed uint64) error {
			_, _, err := journaltest.SimulateCounters(seed, nil)
			return err
		}}
	})
}
