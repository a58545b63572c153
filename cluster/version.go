package cluster

import (
	"fmt"
	"maps"
	"slices"

	"github.com/kindred-id/kindred/cluster/control"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// Nodes of several versions agree on two numbers. A program reads all generations up to its own, and a node writes the newest that
// every member reads (control.Gate), from its next claim of a shard on. A log tail is finished by the handlers that wrote it (J5).
const (
	generation = 1 // of encodings of rows, messages and records
	handlers   = 1 // of the inputs in a shard's log
)

// gate returns the generation that the members of a list may write, and who holds it down.
func (s standings) gate() (written uint64, held []string) {
	var members []control.Member
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if !s.removed(name) {
			members = append(members, control.Member{Name: name, Readable: s[name].Reads})
		}
	}
	return control.Gate(members)
}

// enrol returns the row of a node whose program reads a generation. If the gate would rise with that while other handlers have to
// finish a log tail, the row says as before what the node reads: the program that has these handlers would be refused.
func (s standings) enrol(is row.ClusterNode, reads uint64, finished bool) row.ClusterNode {
	was, known := s[is.Name]
	is.Reads = reads
	if !known || finished {
		return is
	}
	written, _ := s.gate()
	next := maps.Clone(s)
	next[is.Name] = is
	if rises, _ := next.gate(); rises > written {
		is.Reads = was.Reads
	}
	return is
}

// reads fails with ErrOutdated unless this program reads what the members of a list write.
func (n *Node) reads(all standings) error {
	written, _ := all.gate()
	if control.Admit(written, control.Member{Name: n.config.Name, Readable: generation}) {
		return nil
	}
	return fmt.Errorf("cluster %s: node %s: %w: that is generation %d, and this program, version %s, reads %d; start the version that the other nodes run",
		n.config.Cluster, n.config.Name, ErrOutdated, written, n.config.Version, generation)
}

// written is the generation that this node may write: that of the list, and no newer than a living node reads that is about to get
// into the list.
func (n *Node) written() uint64 {
	written, _ := n.standings().gate()
	members := n.gossip.View().Members
	for i := range members {
		written = min(written, members[i].Reads)
	}
	return max(control.Oldest, written)
}

// readable is the newest generation that this node tells others it reads: not yet its own, while a log tail that it follows is to be
// finished by other handlers.
func (n *Node) readable() uint64 {
	for _, r := range n.replicas {
		if r.standing.Load().tail != 0 {
			written, _ := n.standings().gate()
			return written
		}
	}
	return generation
}

// allFinished reports whether no living node has handlers of an older generation, or follows a log tail that they have to finish.
func (n *Node) allFinished() bool {
	members := n.gossip.View().Members
	for i := range members {
		if members[i].Name != n.config.Name && members[i].Reads < generation {
			return false
		}
	}
	return n.readable() == generation
}

// awaits says which program has to finish the log tail of a shard, while no node that is alive can; nil if one can.
func (n *Node) awaits(id graph.ShardID) error {
	at := n.replicas[id].standing.Load()
	if at.tail == 0 {
		return nil
	}
	members := n.gossip.View().Members
	for i := range members {
		if m := &members[i]; m.Handlers == at.tail || m.Name == at.owner {
			return nil
		}
	}
	version, had := "another version", ""
	said := n.standings()
	for _, name := range slices.Sorted(maps.Keys(said)) {
		if is := said[name]; is.Handlers == at.tail {
			version, had = "version "+is.Version, had+" "+name
		}
	}
	if had != "" {
		had = " (it ran on" + had + ")"
	}
	return fmt.Errorf("its log was left by %s%s, with handlers %d, which no living node has: start a node of that version, and stop it with SIGTERM", version, had, at.tail)
}
