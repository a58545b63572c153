package journal_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/kindred-id/kindred/cluster/journal/journaltest"
)

// schedulesFor scales a number of schedules: KINDRED_SCHEDULES says how many instead, -short and the race detector make it fewer.
func schedulesFor(t *testing.T, n int) int {
	t.Helper()
	if text := os.Getenv("KINDRED_SCHEDULES"); text != "" {
		most, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("KINDRED_SCHEDULES: %v", err)
		}
		return max(1, most)
	}
	if raceEnabled {
		n /= 16
	}
	if testing.Short() {
		n /= 16
	}
	return n
}

// TestSchedules: whatever nodes, disks, views, brokers and networks do, each command counts once, and no answer is taken back.
func TestSchedules(t *testing.T) {
	journaltest.Each(t, "./cluster/journal", schedulesFor(t, 8_000), journaltest.SimulateCounters, "forwards", "five forwards over three nodes", "holds", "holds that were lost")
}

// TestSchedulesOfCopies: what the log has no more is durable in two copies, whichever are dropped, and whichever node trims (J7).
func TestSchedulesOfCopies(t *testing.T) {
	for seed := range uint64(schedulesFor(t, 60_000)) {
		if err := journaltest.SimulateCopies(seed); err != nil {
			t.Fatal(err)
		}
	}
}
