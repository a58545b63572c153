package journaltest

import (
	"math/rand/v2"
	"testing"

	"github.com/kindred-id/kindred/cluster/journal"
)

// A schedule must not end by what an overtaken node believes: its machine knows nothing of the work that came after it.
func TestOvertakenOwnerIsNotSettled(t *testing.T) {
	w := New(rand.New(rand.NewPCG(1, 1)), &Counter{Commands: 1}, 1, 0)
	for _, n := range w.nodes {
		if !n.up {
			w.start(n)
		}
	}
	w.healed = true
	settle := func() {
		for range rounds {
			if w.round(); w.settled() {
				return
			}
		}
		t.Fatal("the world does not settle")
	}
	settle()
	c := journal.Claim{Deployment: w.deployment.ID, Shards: 1, Node: "another", Boot: 99, Handlers: 1}
	w.partitions[0].append(w, journal.AppendClaim(nil, &c))
	if w.settled() {
		t.Error("a world is settled although another node has claimed the shard, which its owner does not know yet")
	}
	lost := w.Met.Lost
	settle()
	if w.Met.Lost == lost {
		t.Error("the owner that was overtaken has not lost the shard")
	}
}
