// Package plan says what a cluster of some size would be like: it places the shards by the rule that nodes use, lets each node die and
// one more join, and sends events through.
//
//	Size: nodes, shards, identities, events a second, costs ──► Make ──► Plan: per node, between nodes, after a death, after a join
//
// Placement, moves and the part of messages that leave their node are computed, by the code of place. Costs of an event are taken from
// Size, whose defaults were measured on one machine (docs/benchmarks.md): they are what makes the difference, so measure your own.
package plan

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/kindred-id/kindred/cluster/place"
	"github.com/kindred-id/kindred/graph"
)

// Size is what a cluster is to have, and what an event costs it.
type Size struct {
	Nodes, Zones, Shards int
	Cores                int     // of a node
	Identities           float64 // in all
	Events               float64 // stored of each identity
	Rate                 float64 // events a second, over all nodes
	Identifiers          int     // of an event

	CPU     float64 // µs of an event, over all nodes
	Disk    float64 // bytes of a stored event, in one copy
	Journal float64 // bytes of an event in the journal, in one replica
	Copy    float64 // bytes a second of a copy to an empty disk
	Keep    float64 // seconds that the journal keeps
	Replica int     // of a record in Kafka
}

// Measured are the costs that docs/benchmarks.md has, and what a cluster has unless told otherwise.
func Measured() Size {
	return Size{
		Nodes: 3, Zones: 3, Shards: 256, Cores: 8, Identities: 100e6, Events: 20, Rate: 20_000, Identifiers: 2,
		CPU: 103, Disk: 256, Journal: 477, Copy: 23.7e6, Keep: 24 * 3600, Replica: 3,
	}
}

// Range is what the nodes have of something: the least, the mean and the most.
type Range struct {
	Least float64 `json:"least"`
	Mean  float64 `json:"mean"`
	Most  float64 `json:"most"`
}

// Plan is what a cluster of a size would be like.
type Plan struct {
	Owned  Range `json:"owned"`  // shards that a node writes
	Copies Range `json:"copies"` // shards that it has rows of, its own among them
	Disk   Range `json:"disk"`   // bytes of rows
	Busy   Range `json:"busy"`   // part of a node's cores; above 1 it does not keep up

	// Hops are the messages from a node to another that an event makes, to its owners and back.
	Hops         float64 `json:"hops"`
	JournalRate  float64 `json:"journal_rate"`  // bytes a second that brokers write, with replicas
	JournalBytes float64 `json:"journal_bytes"` // that they keep, with replicas

	// After the death of the node that leaves most behind: how busy another one becomes, how many bytes are copied until all shards
	// have two copies again, and how long the node with most of them takes.
	DeathBusy    float64 `json:"death_busy"`
	DeathCopied  float64 `json:"death_copied"`
	DeathSeconds float64 `json:"death_seconds"`
	// Once a node has joined: shards that change their owner, and how long the node takes to copy its rows.
	JoinMoves   int     `json:"join_moves"`
	JoinSeconds float64 `json:"join_seconds"`
}

const copies = 2 // of a shard: its owner's and its standby's

// Make makes the plan of a size.
func Make(s *Size) (Plan, error) {
	if err := s.check(); err != nil {
		return Plan{}, err
	}
	nodes := nodesOf(s)
	var p Plan
	before := placed(s, nodes[:s.Nodes])
	bytesOfShard, busyOfShard := s.Identities*s.Events*s.Disk/float64(s.Shards), s.Rate*s.CPU/1e6/float64(s.Cores)/float64(s.Shards)
	p.Owned, p.Copies = rangeOf(before.owned), rangeOf(before.copies)
	p.Disk, p.Busy = p.Copies.times(bytesOfShard), p.Owned.times(busyOfShard)
	p.JournalRate = s.Rate * s.Journal * float64(s.Replica)
	p.JournalBytes = p.JournalRate * s.Keep
	p.Hops = hops(s, before)

	for dead := range s.Nodes {
		after := before.without(s, nodes[:s.Nodes], dead)
		p.DeathBusy = max(p.DeathBusy, rangeOf(after.owned).Most*busyOfShard)
		copied := moved(before, after)
		p.DeathCopied = max(p.DeathCopied, sum(copied)*bytesOfShard)
		p.DeathSeconds = max(p.DeathSeconds, rangeOf(copied).Most*bytesOfShard/s.Copy)
	}
	after := placed(s, nodes)
	for shard := range s.Shards {
		if before.of[shard][0] != after.of[shard][0] {
			p.JoinMoves++
		}
	}
	p.JoinSeconds = moved(before, after)[nodes[s.Nodes].Name] * bytesOfShard / s.Copy
	return p, nil
}

// nodesOf are the nodes, and the one that joins.
func nodesOf(s *Size) []place.Node {
	nodes := make([]place.Node, s.Nodes+1)
	for i := range nodes {
		nodes[i] = place.Node{Name: fmt.Sprintf("n%d", i+1), Zone: fmt.Sprint(i % s.Zones), Weight: 1}
	}
	return nodes
}

func (s *Size) check() error {
	var wrong []error
	for _, of := range []struct {
		name        string
		value       float64
		least, most float64
	}{
		{"nodes", float64(s.Nodes), 2, 300},
		{"zones", float64(s.Zones), 1, float64(max(1, s.Nodes))},
		{"shards", float64(s.Shards), 1, 1024},
		{"cores", float64(s.Cores), 1, 1024},
		{"identities", s.Identities, 1, 1e12},
		{"events of each", s.Events, 0, 1e9},
		{"events a second", s.Rate, 0, 1e9},
		{"identifiers of an event", float64(s.Identifiers), 1, 64},
		{"µs of an event", s.CPU, 0, 1e9},
		{"bytes of a stored event", s.Disk, 0, 1e9},
		{"bytes of an event in the journal", s.Journal, 0, 1e9},
		{"bytes a second of a copy", s.Copy, 1, 1e12},
		{"seconds that the journal keeps", s.Keep, 0, 1e9},
		{"replicas", float64(s.Replica), 1, 10},
	} {
		if !(of.value >= of.least && of.value <= of.most) { // NaN is not
			wrong = append(wrong, fmt.Errorf("plan: %s: %g, want %g to %g", of.name, of.value, of.least, of.most))
		}
	}
	return errors.Join(wrong...)
}

// placement is where shards are.
type placement struct {
	of            [][]string // by shard, its nodes: the owner first
	owned, copies map[string]float64
}

func placed(s *Size, nodes []place.Node) placement {
	view := viewOf(nodes)
	p := placement{owned: map[string]float64{}, copies: map[string]float64{}}
	for i := range nodes {
		p.owned[nodes[i].Name], p.copies[nodes[i].Name] = 0, 0
	}
	for shard := range s.Shards {
		names := owners(shard, &view)
		p.of = append(p.of, names)
		p.count(names, 1)
	}
	return p
}

// without is the placement once a node is dead. Only its shards move.
func (p placement) without(s *Size, nodes []place.Node, dead int) placement {
	name := nodes[dead].Name
	view := viewOf(slices.Delete(slices.Clone(nodes), dead, dead+1))
	after := placement{of: slices.Clone(p.of), owned: maps.Clone(p.owned), copies: maps.Clone(p.copies)}
	for shard := range s.Shards {
		if was := p.of[shard]; slices.Contains(was, name) {
			after.count(was, -1)
			after.of[shard] = owners(shard, &view)
			after.count(after.of[shard], 1)
		}
	}
	delete(after.owned, name)
	delete(after.copies, name)
	return after
}

// count adds a shard to the nodes that have it, or takes it away: the first is its owner.
func (p placement) count(names []string, by float64) {
	p.owned[names[0]] += by
	for _, name := range names {
		p.copies[name] += by
	}
}

func viewOf(nodes []place.Node) place.View {
	var none place.View
	return none.With(nodes, 0)
}

func owners(shard int, view *place.View) (names []string) {
	for _, n := range place.Owners(graph.ShardID(shard), view, copies) {
		names = append(names, n.Name)
	}
	return names
}

// moved are the copies that nodes have after and had not before.
func moved(before, after placement) map[string]float64 {
	copied := map[string]float64{}
	for shard, names := range after.of {
		for _, name := range names {
			if !slices.Contains(before.of[shard], name) {
				copied[name]++
			}
		}
	}
	return copied
}

// hops sends events to any node, with identifiers of any shards. Their owners are asked, and answer.
func hops(s *Size, p placement) float64 {
	const events = 20_000
	rng := rand.New(rand.NewPCG(1, 2)) // the same plan for the same size
	total := 0
	for range events {
		at := fmt.Sprintf("n%d", 1+rng.IntN(s.Nodes))
		first := p.of[rng.IntN(s.Shards)][0]
		if first != at {
			total += 2
		}
		for range s.Identifiers - 1 {
			if p.of[rng.IntN(s.Shards)][0] != first {
				total += 2
			}
		}
	}
	return float64(total) / events
}

func sum(of map[string]float64) (total float64) {
	for _, n := range of {
		total += n
	}
	return total
}

func rangeOf(of map[string]float64) (r Range) {
	first := true
	for _, n := range of {
		if first {
			r.Least, first = n, false
		}
		r.Least, r.Most = min(r.Least, n), max(r.Most, n)
	}
	if len(of) > 0 {
		r.Mean = sum(of) / float64(len(of))
	}
	return r
}

func (r Range) times(by float64) Range { return Range{r.Least * by, r.Mean * by, r.Most * by} }
