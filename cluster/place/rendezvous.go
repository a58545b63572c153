package place

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/kindred-id/kindred/graph"
)

// Rank lists the nodes of a view in the order in which they should have a shard: weighted rendezvous hashing. Each node draws a
// number for the shard from its name alone, and the order of those numbers is the rank.
//
// So the ranks of two nodes to each other depend on nobody else: a node that comes or goes moves only its own shards (P1). A ring
// of hashes or a table of assignments would need an agreement, or a history. The arithmetic is of whole numbers, so that
// nodes of different processors agree to the last bit.
func Rank(shard graph.ShardID, v *View) []*Node {
	return rank(binary.BigEndian.AppendUint16(nil, uint16(shard)), v)
}

// Consumer returns the node that should consume a partition of a topic: the first by rank of those that say they consume the topic,
// which topicHash stands for. It is nil if none does.
func Consumer(topicHash uint32, topic string, partition int32, v *View) *Node {
	key := binary.BigEndian.AppendUint32([]byte(topic+"/"), uint32(partition))
	for _, n := range rank(key, v) {
		if slices.Contains(n.Topics, topicHash) {
			return n
		}
	}
	return nil
}

// rank is Rank for any key. Keys of partitions are longer than those of shards.
func rank(key []byte, v *View) []*Node {
	type drawn struct {
		node *Node
		far  uint64
	}
	all := make([]drawn, 0, len(v.Nodes))
	for i := range v.Nodes {
		if n := &v.Nodes[i]; n.Weight > 0 {
			all = append(all, drawn{n, distance(n.Name, key)})
		}
	}
	slices.SortFunc(all, func(a, b drawn) int {
		// a is before b if far/weight is less. Products are below 2^54.
		x, y := a.far*uint64(b.node.Weight), b.far*uint64(a.node.Weight)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return strings.Compare(a.node.Name, b.node.Name)
	})
	nodes := make([]*Node, len(all))
	for i := range all {
		nodes[i] = all[i].node
	}
	return nodes
}

// Owners returns the nodes that should have a copy of a shard: its owner, then standbys. A standby is in a zone that none before
// it is in, if the rest has one.
func Owners(shard graph.ShardID, v *View, copies int) []*Node {
	return spread(Rank(shard, v), copies)
}

// spread takes the first of a rank, and then those of other zones before those of the same.
func spread(rank []*Node, copies int) []*Node {
	chosen := make([]*Node, 0, copies)
	for len(chosen) < min(copies, len(rank)) {
		free := func(n *Node) bool { return !slices.Contains(chosen, n) }
		apart := func(n *Node) bool {
			return free(n) && !slices.ContainsFunc(chosen, func(o *Node) bool { return o.Zone == n.Zone })
		}
		i := slices.IndexFunc(rank, apart)
		if i < 0 {
			i = slices.IndexFunc(rank, free)
		}
		chosen = append(chosen, rank[i])
	}
	return chosen
}

// distance is -log2 of a number between 0 and 1 that a node draws for a key, in units of 2^-32. Of such numbers, divided by
// weights, each is the least with a likelihood in proportion to its weight.
func distance(name string, key []byte) uint64 {
	var h xxhash.Digest
	h.Reset()
	_, _ = h.WriteString(name)
	_, _ = h.Write(key)
	return minusLog2(h.Sum64())
}

// minusLog2 is -log2(x / 2^64), rounded to units of 2^-32. Squaring a number doubles its logarithm, which yields a binary digit
// each time.
func minusLog2(x uint64) uint64 {
	x |= 1
	zeroes := bits.LeadingZeros64(x)
	m := x << zeroes // 1 to 2, in units of 2^-63
	var fraction uint64
	for range 32 {
		hi, lo := bits.Mul64(m, m)
		m = hi<<1 | lo>>63 // the square, unless it is 2 or more
		fraction <<= 1
		if hi>>63 == 1 {
			m = hi
			fraction |= 1
		}
	}
	return uint64(zeroes+1)<<32 - fraction
}
