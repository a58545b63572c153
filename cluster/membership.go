package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/cluster/gossip"
	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/cluster/kafka"
	"github.com/kindred-id/kindred/cluster/place"
	"github.com/kindred-id/kindred/internal/backoff"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Rows of no shard have what operators say of nodes, so that every node knows it, also of a node that is down, and after a restart.
//
//	first start ──► member ◄──► draining     in every view with weight 0: it yields its shards, and claims none
//	                  └────┬───────┘
//	                       ▼
//	                    removed              in no view: it is asked for nothing, and its copies do not count
//
// The obvious design asks the node itself. A node that is down could then be neither drained nor removed, and one that is drained
// would take its shards again when it restarts.

// The reasons for which a node is neither drained nor removed.
var (
	ErrUnknownNode = errors.New("no such node")
	ErrNodeAlive   = errors.New("the node is alive")
	ErrLastNode    = errors.New("no other node would take shards")
	// ErrRemoved is the end of a node that operators have removed.
	ErrRemoved = errors.New("the node was removed")
	// ErrOutdated is the end of a node whose program does not read what the others write.
	ErrOutdated = errors.New("this program is older than what the cluster writes")
)

// standings are the rows of nodes, by name.
type standings map[string]row.ClusterNode

func readStandings(s storage.Reader) (standings, error) {
	all := standings{}
	err := row.ScanClusterNodes(s, func(n row.ClusterNode) error {
		all[n.Name] = n
		return nil
	})
	return all, err
}

func (s standings) removed(name string) bool { return s[name].State == row.NodeRemoved }

// state is the state of a node in a word.
func (s standings) state(name string) string {
	is, known := s[name]
	if !known {
		return "joining"
	}
	return [...]string{row.NodeMember: "member", row.NodeDraining: "draining", row.NodeRemoved: "removed"}[is.State]
}

// weigh returns the nodes that count, with the weight that they have. A node that has no row yet is a member.
func (s standings) weigh(nodes []place.Node) []place.Node {
	var counted []place.Node
	for _, n := range nodes {
		switch s[n.Name].State {
		case row.NodeRemoved:
			continue
		case row.NodeDraining:
			n.Weight = 0
		}
		counted = append(counted, n)
	}
	return counted
}

// standings are what operators have said of nodes, as far as it is known here.
func (n *Node) standings() standings {
	if all := n.said.Load(); all != nil {
		return *all
	}
	return nil
}

// readSaid reads what operators have said. Of a row that cannot be read the last known counts: placement rests on nothing.
func (n *Node) readSaid() {
	all, err := readStandings(n.store)
	if err != nil {
		n.logger.Warn("what operators have said of nodes cannot be read", "error", err)
		return
	}
	n.said.Store(&all)
	if all.removed(n.config.Name) && !n.excluded.Swap(true) {
		n.logger.Error("operators have removed this node: stop it", "error", n.removedError(all[n.config.Name]))
	}
}

func (n *Node) removedError(is row.ClusterNode) error {
	return fmt.Errorf("cluster %s: node %s: %w at %s, and never comes back; start it with another --node and an empty --data",
		n.config.Cluster, n.config.Name, ErrRemoved, time.UnixMilli(is.Since).UTC().Format(time.RFC3339))
}

// admit fails with ErrRemoved for a node that was removed, and with ErrOutdated for one that does not read what others write: by the
// rows here, and by what the journal has after them.
func (n *Node) admit(ctx context.Context) error {
	all, err := readStandings(n.store)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, definePatience)
	defer cancel()
	err = n.replayShared(ctx, func(key, value []byte) error {
		is, of, err := row.ParseClusterNode(key, value)
		if of {
			all[is.Name] = is
		}
		return err
	})
	if err != nil { // the node learns it later
		n.logger.Warn("it is not known yet what operators have said of this node", "error", err)
	}
	if all.removed(n.config.Name) {
		return n.removedError(all[n.config.Name])
	}
	return n.reads(all)
}

// replayShared calls fn with the rows of no shard that the journal has after the copy here.
func (n *Node) replayShared(ctx context.Context, fn func(key, value []byte) error) error {
	control := n.replicas[n.deployment.Shards]
	at := journal.Start(n.log.ID())
	if p, err := row.ReadJournalPosition(n.store, control.id); err == nil {
		at = journal.Position(p)
	} else if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	ranges, err := n.log.Ranges(ctx)
	if err != nil {
		return err
	}
	fold := journal.NewFold(journal.Deployment{ID: n.deployment.ID, Shards: uint32(n.deployment.Shards)}, at)
	for r, err := range recordsOf(ctx, n.log, partition(control.id), at.Next, ranges[control.id].End) {
		if err == nil {
			err = n.replayRecord(fold, &r, fn)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) replayRecord(fold *journal.Fold, r *kafka.Record, fn func(key, value []byte) error) error {
	record, err := journal.Parse(r.Value)
	if err != nil {
		return err
	}
	_, commit, err := fold.Take(r.Offset, &record)
	if err != nil || commit == nil || commit.Count == 0 {
		return err
	}
	b, err := row.CatalogOf(commit.Ops, commit.Count, n.shared.secret)
	if err != nil {
		return err
	}
	for key, value := range b.Rows() {
		if value == nil {
			continue // no row of a node is deleted
		}
		if err := fn(key, value); err != nil {
			return err
		}
	}
	return nil
}

// register puts this node and its program into the list of nodes, so that they are known while it is down.
func (n *Node) register() {
	for backoff.Sleep(n.ctx, time.Second) == nil {
		if !n.shared.replica.standing.Load().ready {
			continue // a change rests on rows as they are
		}
		finished := n.allFinished()
		err := n.changeNode(n.ctx, n.config.Name, func(is row.ClusterNode, _ bool, all standings) (row.ClusterNode, error) {
			if is.State == row.NodeRemoved {
				return is, nil
			}
			is.Version, is.Handlers = n.config.Version, handlers
			return all.enrol(is, generation, finished), n.reads(all)
		})
		switch {
		case errors.Is(err, ErrOutdated):
			n.outdated.Store(true)
			n.logger.Error("this node takes no shards: stop it", "error", err)
			return
		case err != nil:
			n.logger.Debug("this node is not in the list of nodes yet", "error", err)
		case finished:
			return
		}
	}
}

// changeNode changes the row of a node to what decide says, which sees all rows.
func (n *Node) changeNode(ctx context.Context, name string, decide func(is row.ClusterNode, known bool, all standings) (row.ClusterNode, error)) error {
	return catalog.New(n.store, n.shared).Change(ctx, func(c *catalog.Change) error {
		all := standings{}
		err := row.ScanClusterNodes(c, func(is row.ClusterNode) error {
			is, err := row.ReadClusterNode(c, is.Name) // the change rests on it
			all[is.Name] = is
			return err
		})
		if err != nil {
			return err
		}
		was, known := all[name]
		if !known {
			was = row.ClusterNode{Name: name}
			if m := n.gossip.View().Member(name); m != nil { // it has not put itself into the list yet
				was.Version, was.Reads, was.Handlers = m.Version, m.Reads, m.Handlers
			}
		}
		next, err := decide(was, known, all)
		if err != nil || known && next == was {
			return err
		}
		if !known || next.State != was.State {
			next.Since = time.Now().UnixMilli() //nolint:forbidigo // for people
		}
		next.Put(c.Batch())
		return nil
	})
}

// Drain makes a node give its shards away and take none, until that is undone. REQUIRES: started
func (n *Node) Drain(ctx context.Context, name string, undo bool) error {
	return n.changeNode(ctx, name, func(is row.ClusterNode, known bool, all standings) (row.ClusterNode, error) {
		switch {
		case !n.knows(name, known) || is.State == row.NodeRemoved:
			return is, n.unknown(name, all)
		case undo:
			is.State = row.NodeMember
		case !n.takes(name, all):
			return is, fmt.Errorf("node %s: %w; undo the drain of another one first", name, ErrLastNode)
		default:
			is.State = row.NodeDraining
		}
		return is, nil
	})
}

// Remove says that a node never comes back. REQUIRES: started
func (n *Node) Remove(ctx context.Context, name string) error {
	return n.changeNode(ctx, name, func(is row.ClusterNode, known bool, all standings) (row.ClusterNode, error) {
		switch {
		case !n.knows(name, known):
			return is, n.unknown(name, all)
		case n.gossip.View().Member(name) != nil && !all.removed(name):
			return is, fmt.Errorf("node %s: %w; drain it, wait until it owns nothing, and stop it", name, ErrNodeAlive)
		}
		is.State = row.NodeRemoved
		return is, nil
	})
}

// knows reports whether there is a node: it has a row, or is alive.
func (n *Node) knows(name string, row bool) bool { return row || n.gossip.View().Member(name) != nil }

// takes reports whether another node is alive that takes shards.
func (n *Node) takes(but string, all standings) bool {
	members := n.gossip.View().Members
	return slices.ContainsFunc(members, func(m gossip.Member) bool {
		return m.Name != but && (m.Weight > 0 || m.Name == n.config.Name) && all[m.Name].State == row.NodeMember
	})
}

func (n *Node) unknown(name string, all standings) error {
	names := map[string]bool{}
	for is := range all {
		names[is] = !all.removed(is)
	}
	members := n.gossip.View().Members
	for i := range members {
		names[members[i].Name] = !all.removed(members[i].Name)
	}
	maps.DeleteFunc(names, func(_ string, there bool) bool { return !there })
	return fmt.Errorf("node %q: %w; there are %s", name, ErrUnknownNode, strings.Join(slices.Sorted(maps.Keys(names)), ", "))
}
