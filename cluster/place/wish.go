package place

import (
	"slices"

	"github.com/kindred-id/kindred/graph"
)

// A Wish is what a node should be to a shard.
type Wish uint8

// The wishes.
const (
	Absent Wish = iota // have no copy
	Follow             // have a copy that follows the log
	Own                // claim the shard
)

func (w Wish) String() string { return [...]string{"absent", "follow", "own"}[w] }

// Times, in ms.
const (
	Stable  = 4_000  // how long a view has not grown before shards move to those who came
	Overdue = 14_000 // how long before an owner that should have yielded is overtaken
	stagger = 100    // between those who may claim the shard of a dead owner, by rank
	ranks   = 3      // that are told apart by it
)

// A Stand is what a node knows of a shard from its log.
type Stand struct {
	Has      bool   // it has a copy, or is making one
	Owner    string // the node of the claim in force; "" if there is none, or if it is unknown
	Boot     uint64 // its process
	Unowned  bool   // no claim is in force: none was ever made, or the last owner has sealed
	Tail     uint64 // the version of the handlers that have to finish the log tail; 0 is any
	Surplus  bool   // the copies of those who should have one are caught up and durable, as they have just confirmed
	Standing bool   // the owner is unknown and appends all the same
	Silent   bool   // the owner is known and has appended nothing for so long that it has given the shard up
}

// Decide says what a node should be to a shard, by its view.
//
// Only a node with a copy that is caught up may own: the first of those by rank. It claims at once when the owner has left, or
// after 0 to 300 ms by rank, so that the first is mostly alone. A shard moves to a node that came later only after the view
// has been stable: its owner yields first. Then the log tail is empty; an owner that died leaves one, and the first with
// the handlers that wrote it claims.
func Decide(shard graph.ShardID, v *View, me string, s Stand, now int64) Wish {
	rank := Rank(shard, v)
	stable := now-v.Joined >= Stable
	first, _ := firstReady(rank, shard, 0)
	heir, at := firstReady(rank, shard, s.Tail)
	if s.Owner == me {
		draining := v.Node(me) == nil || v.Node(me).Weight == 0
		if first != nil && first.Name != me && (stable || draining) {
			return Follow
		}
		return Own
	}
	if heir != nil && heir.Name == me && mayClaim(v, s, at, now) {
		return Own
	}
	chosen := slices.ContainsFunc(spread(rank, 2), func(n *Node) bool { return n.Name == me })
	if chosen || s.Has && !(s.Surplus && stable) {
		return Follow
	}
	return Absent
}

// firstReady is the first of a rank with a copy that is caught up, and its place. Handlers, if not 0, are those that it has.
func firstReady(rank []*Node, shard graph.ShardID, handlers uint64) (*Node, int) {
	for i, n := range rank {
		if n.Copies.Has(shard) && (handlers == 0 || n.Handlers == handlers) {
			return n, i
		}
	}
	return nil, 0
}

// mayClaim reports whether the heir, which has a place in the rank, may claim now.
func mayClaim(v *View, s Stand, at int, now int64) bool {
	owner := v.Node(s.Owner)
	gone := s.Owner != "" && (owner == nil || owner.Boot != s.Boot)
	switch {
	case gone:
		return now-max(v.Left, v.Joined) >= stagger*int64(min(at, ranks))
	case s.Owner == "" && !s.Standing:
		return s.Unowned && at == 0 || now-v.Joined >= Stable
	case s.Silent: // it is alive, and was drained or is not the first any more: it does not claim again
		return true
	}
	return now-v.Joined >= Overdue
}
