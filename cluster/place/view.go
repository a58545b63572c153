package place

import (
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph"
)

// A View is what a node believes of the nodes, itself included. Views of several nodes may differ, and each may be wrong: that
// costs time, never data.
type View struct {
	Nodes  []Node // by name
	Joined int64  // ms: when a node came in or changed last
	Left   int64  // ms: when a node left or died last
}

// A Node is a member, as it says of itself.
type Node struct {
	Name     string // stable over restarts
	Zone     string
	Weight   uint16   // how many shards it should have in relation to others; 0 while it is drained
	Boot     uint64   // of its process, another one at each start
	Handlers uint64   // the version of its handlers
	Copies   Shards   // of which it has a copy that is caught up
	Topics   []uint32 // that it consumes, a hash of the name each
}

// With returns the view after an announcement: all nodes that are alive, in any order. The claims of a join wait until a view
// has been stable for a while; those of a death do not.
func (v *View) With(nodes []Node, now int64) View {
	next := View{Nodes: slices.Clone(nodes), Joined: v.Joined, Left: v.Left}
	slices.SortFunc(next.Nodes, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	for i := range next.Nodes {
		n := &next.Nodes[i]
		if was := v.Node(n.Name); was == nil || was.Boot != n.Boot || was.Zone != n.Zone || was.Weight != n.Weight {
			next.Joined = now
		}
	}
	for i := range v.Nodes {
		if next.Node(v.Nodes[i].Name) == nil {
			next.Left = now
		}
	}
	return next
}

// Node finds a node; nil if it is not in the view.
func (v *View) Node(name string) *Node {
	i, ok := slices.BinarySearchFunc(v.Nodes, name, func(n Node, name string) int { return strings.Compare(n.Name, name) })
	if !ok {
		return nil
	}
	return &v.Nodes[i]
}

// Shards is a set of shards, as a node announces it: 8 bytes for 64 shards.
type Shards []uint64

// Has reports whether a shard is in the set.
func (s Shards) Has(id graph.ShardID) bool {
	word := int(id) / 64
	return word < len(s) && s[word]>>(id%64)&1 == 1
}

// Set adds a shard, or takes it out.
func (s *Shards) Set(id graph.ShardID, in bool) {
	word := int(id) / 64
	for in && word >= len(*s) {
		*s = append(*s, 0)
	}
	switch {
	case in:
		(*s)[word] |= 1 << (id % 64)
	case word < len(*s):
		(*s)[word] &^= 1 << (id % 64)
	}
}
