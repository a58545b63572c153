package cluster

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/cluster/gossip"
	"github.com/kindred-id/kindred/cluster/place"
	"github.com/kindred-id/kindred/cluster/proto"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// peers are the nodes that are believed to be alive, as the gossip says, and where shards are believed to be. Nothing rests on it.
type peers struct {
	view atomic.Pointer[place.View]

	mu      sync.Mutex // guards the following
	members map[string]*peer
	hints   map[graph.ShardID]string // the node that has answered for a shard last
}

// peer is another node.
type peer struct {
	member gossip.Member
	alive  context.Context    //nolint:containedctx // what waits for an answer of the node ends with it
	gone   context.CancelFunc // ends alive
}

// look takes in what the gossip says.
func (n *Node) look() {
	seen := n.gossip.View()
	view := place.View{}
	if was := n.peers.view.Load(); was != nil {
		view = *was
	}
	var nodes []place.Node
	var others []proto.Member
	said := n.standings()
	n.peers.mu.Lock()
	if n.peers.members == nil {
		n.peers.members, n.peers.hints = map[string]*peer{}, map[graph.ShardID]string{}
	}
	here := map[string]bool{}
	for i := range seen.Members {
		m := &seen.Members[i]
		nodes = append(nodes, place.Node{Name: m.Name, Zone: m.Zone, Weight: m.Weight, Boot: m.Boot, Handlers: m.Handlers, Copies: m.Copies, Topics: m.Topics})
		others = append(others, proto.Member{Name: m.Name, Boot: m.Boot, Address: m.Remote})
		if m.Name == n.config.Name || said.removed(m.Name) {
			continue
		}
		here[m.Name] = true
		was := n.peers.members[m.Name]
		if was == nil || was.member.Boot != m.Boot {
			if was != nil {
				was.gone()
			}
			was = &peer{}
			was.alive, was.gone = context.WithCancel(n.ctx)
		}
		n.peers.members[m.Name] = &peer{*m, was.alive, was.gone} // others have the one before
	}
	for name, p := range n.peers.members {
		if !here[name] {
			p.gone()
			delete(n.peers.members, name)
		}
	}
	n.peers.mu.Unlock()
	next := view.With(said.weigh(nodes), n.now())
	n.peers.view.Store(&next)
	if err := n.wires.Update(others); err != nil {
		n.logger.Warn("the members of the cluster are not all known", "error", err)
	}
}

// announce tells others which copies are caught up, whether the node takes shards, which topics it consumes, and what it reads.
func (n *Node) announce() {
	var topics []uint32
	if of := n.topics.Load(); of != nil {
		topics = *of
	}
	var copies place.Shards
	for _, r := range n.replicas {
		if r.standing.Load().ready {
			copies.Set(r.id, true)
		}
	}
	weight := n.config.Weight
	if n.leaving.Load() || n.outdated.Load() || n.standings()[n.config.Name].State != row.NodeMember {
		weight = 0
	}
	reads := n.readable()
	if self := n.gossip.View().Member(n.config.Name); self != nil && self.Weight == weight && self.Reads == reads && equal(self.Copies, copies) && slices.Equal(self.Topics, topics) {
		return
	}
	if err := n.gossip.Announce(func(m *gossip.Member) { m.Copies, m.Weight, m.Topics, m.Reads = copies, weight, topics, reads }); err != nil {
		n.logger.Warn("others do not hear which copies are here", "error", err)
	}
}

// equal reports whether two sets of shards are the same.
func equal(a, b place.Shards) bool {
	for i := range max(len(a), len(b)) {
		var x, y uint64
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return false
		}
	}
	return true
}

// of returns the other node that is believed to have a shard; nil if that is nobody. A node that follows the shard's log knows. Others
// believe the last one that has answered, or the first by rank with a copy.
func (n *Node) of(id graph.ShardID) *peer {
	n.peers.mu.Lock()
	defer n.peers.mu.Unlock()
	if p := n.peers.members[n.replicas[id].standing.Load().owner]; p != nil {
		return p
	}
	if p := n.peers.members[n.peers.hints[id]]; p != nil {
		return p
	}
	for _, node := range place.Rank(id, n.peers.view.Load()) {
		if p := n.peers.members[node.Name]; p != nil && node.Copies.Has(id) {
			return p
		}
	}
	return nil
}

// hint notes which node has answered for a shard, or, where it did not, that another one is to be tried.
func (n *Node) hint(id graph.ShardID, p *peer, answered bool) {
	n.peers.mu.Lock()
	defer n.peers.mu.Unlock()
	if answered {
		n.peers.hints[id] = p.member.Name
		return
	}
	delete(n.peers.hints, id)
	// The next by rank after it, with a copy or not: the owner may not have announced its copies yet.
	ranked := place.Rank(id, n.peers.view.Load())
	for i, node := range ranked {
		if node.Name != p.member.Name {
			continue
		}
		for step := range len(ranked) - 1 {
			if next := n.peers.members[ranked[(i+1+step)%len(ranked)].Name]; next != nil {
				n.peers.hints[id] = next.member.Name
				return
			}
		}
	}
}

const (
	verifyEvery  = time.Second
	verifyAtOnce = 8
)

// verify asks whether shards are where they are believed to be, as far as nothing but belief says so and envelopes were sent there.
// An envelope has no answer: without this, messages to a shard that has moved on would go to the wrong node without end.
func (n *Node) verify() {
	if !n.verifies.CompareAndSwap(false, true) {
		return // the last round is not over
	}
	n.tasks.Go(func() {
		defer n.verifies.Store(false)
		var asks errgroup.Group
		asks.SetLimit(verifyAtOnce)
		for i := range n.posted {
			if id := graph.ShardID(i); n.posted[id].Swap(false) && n.believes(id) {
				asks.Go(func() error {
					_, err := n.Ask(n.ctx, id, actors.Whereabouts(id)) // which notes the answer
					return err
				})
			}
		}
		if err := asks.Wait(); err != nil {
			n.logger.Debug("it is not known of all shards where they are", "error", err)
		}
	})
}

// believes reports whether nothing but hints and ranks says where a shard is: it is not here, and the node does not follow its log.
func (n *Node) believes(id graph.ShardID) bool {
	if n.replicas[id].tenant.has() {
		return false
	}
	n.peers.mu.Lock()
	defer n.peers.mu.Unlock()
	return n.peers.members[n.replicas[id].standing.Load().owner] == nil
}

// others are all other nodes.
func (n *Node) others() (all []*peer) {
	n.peers.mu.Lock()
	defer n.peers.mu.Unlock()
	for _, p := range n.peers.members {
		all = append(all, p)
	}
	return all
}

// ownerOf is the address for messages to the node that is believed to have a shard.
func (n *Node) ownerOf(shard uint32) (string, bool) {
	if int(shard) >= len(n.replicas) {
		return "", false
	}
	if n.replicas[shard].tenant.has() {
		return n.remote, true
	}
	p := n.of(graph.ShardID(shard))
	if p == nil {
		return "", false
	}
	return p.member.Remote, true
}
