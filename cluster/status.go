package cluster

import (
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/cluster/kafka"
	"github.com/kindred-id/kindred/cluster/place"
	"github.com/kindred-id/kindred/graph"
)

// Status is what a node knows of its cluster. Others may know something else for a moment.
type Status struct {
	Cluster, Node string
	Deployment    [16]byte
	Leaving       bool
	Topic         string
	Answers       bool  // the journal said a moment ago where it ends
	Err           error // what it said instead
	Journal       kafka.Stats
	Keep          time.Duration // how old its records have to be before they are deleted
	Written       uint64        // the generation of encodings that nodes write
	HeldBack      []string      // the members that read no newer one, while others do
	Members       []Member
	Absent        []Absent
	Shards        []Shard
	Claims        uint64 // shards that the node took since it started
	Losses        uint64 // shards that it lost
	Voids         uint64 // records that it read and that count for nobody
}

// Member is a node that is believed to be alive.
type Member struct {
	Name, Version, Zone, Client string
	Reads                       uint64 // the newest generation of encodings that it reads
	Weight                      int
	State                       string // joining, member, draining or removed
	Owned, Copies               int    // shards that it is believed to own, and copies that are caught up
}

// Absent is a node that is not believed to be alive.
type Absent struct {
	Name, State, Version string
	Reads                uint64
	Since                int64 // of the state, ms since 1970
}

// Shard is a shard of the deployment.
type Shard struct {
	Owner  string // the node that is believed to own it; "" if nobody is
	Copies []string
	Here   string // what this node is to it
	Due    bool   // this node should own it, and does not yet
	Lag    int64  // records that the copy here has not taken yet
	Err    error  // why it has stopped here
	Awaits error  // which program has to finish its log, while no living node can
}

// counters count what happened on a node.
type counters struct{ claims, losses atomic.Uint64 }

// asking is what came of the last question where the journal ends.
type asking struct {
	ranges []kafka.Range // of the last answer
	at     time.Time     // of the last answer
	err    error         // of the last question
}

// answersFor is how long an answer of the journal counts as its being there.
const answersFor = 5 * time.Second

// answered notes what came of a question where the journal ends.
func (n *Node) answered(ranges []kafka.Range, err error) {
	next := asking{err: err}
	switch was := n.asking.Load(); {
	case err == nil:
		next.ranges, next.at = ranges, time.Now() //nolint:forbidigo // the node is where the clock enters
	case was != nil:
		next.ranges, next.at = was.ranges, was.at
	}
	n.asking.Store(&next)
}

// Status returns what the node knows. REQUIRES: started
func (n *Node) Status() Status {
	s := Status{
		Cluster: n.config.Cluster, Node: n.config.Name, Deployment: n.deployment.ID, Leaving: n.leaving.Load(), Topic: n.config.Topic(),
		Journal: n.log.Stats(), Keep: n.config.JournalKeep, Claims: n.counted.claims.Load(), Losses: n.counted.losses.Load(),
	}
	var ranges []kafka.Range
	if a := n.asking.Load(); a != nil {
		s.Answers, s.Err, ranges = time.Since(a.at) < answersFor, a.err, a.ranges //nolint:forbidigo // the node is where the clock enters
	}
	members := n.gossip.View().Members
	index := map[string]int{}
	said := n.standings()
	s.Written, s.HeldBack = said.gate()
	for i := range members {
		m := &members[i]
		index[m.Name] = i
		s.Members = append(s.Members, Member{Name: m.Name, Version: m.Version, Reads: said[m.Name].Reads, Zone: m.Zone, Client: m.Client, Weight: int(m.Weight), State: said.state(m.Name)})
	}
	for _, name := range slices.Sorted(maps.Keys(said)) {
		if _, alive := index[name]; !alive {
			is := said[name]
			s.Absent = append(s.Absent, Absent{Name: name, State: said.state(name), Version: is.Version, Reads: is.Reads, Since: is.Since})
		}
	}
	for id, r := range n.replicas[:n.deployment.Shards] {
		at := r.standing.Load()
		shard := Shard{Here: at.state.String(), Due: at.due, Err: at.err, Awaits: n.awaits(graph.ShardID(id))}
		s.Voids += at.voids
		if n.engine.Load().Has(graph.ShardID(id)) {
			shard.Owner = n.config.Name
		} else if at.state == journal.Following && !at.owned {
			shard.Owner = "" // others would be a guess
		} else if p := n.of(graph.ShardID(id)); p != nil {
			shard.Owner = p.member.Name
		}
		if i, known := index[shard.Owner]; known {
			s.Members[i].Owned++
		}
		for i := range members {
			if place.Shards(members[i].Copies).Has(graph.ShardID(id)) {
				shard.Copies = append(shard.Copies, members[i].Name)
				s.Members[i].Copies++
			}
		}
		if at.err != nil {
			shard.Here = "stopped"
		} else if id < len(ranges) && shard.Here != "absent" {
			shard.Lag = max(0, ranges[id].End-r.next.Load())
		}
		s.Shards = append(s.Shards, shard)
	}
	return s
}
