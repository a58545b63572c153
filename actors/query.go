package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// queries read what shards hold. Look-ups of one person go through Read; exports and samples read all rows.
type queries struct{ far }

// Profile is the live profile of the identity that holds a node. It fails as Read does.
func (q queries) Profile(ctx context.Context, key graph.NodeKey) (p graph.Profile, err error) {
	err = q.Read(ctx, key, func(v *View) error {
		p, err = v.Profile()
		return err
	})
	return p, err
}

// Outline is Profile without dealings, for readers that compute no scores. It fails as Read does.
func (q queries) Outline(ctx context.Context, key graph.NodeKey) (p graph.Profile, err error) {
	err = q.Read(ctx, key, func(v *View) error {
		p, err = v.Outline()
		return err
	})
	return p, err
}

// Person is what conditions read of the identity that holds a node: one moment of it. It fails as Read does, and returns nil where
// no audience was ever defined.
func (q queries) Person(ctx context.Context, key graph.NodeKey) (person *audiences.Person, err error) {
	defined := q.Audiences()
	if defined == nil {
		return nil, q.Read(ctx, key, func(*View) error { return nil })
	}
	err = q.Read(ctx, key, func(v *View) error {
		p, err := v.Profile()
		if err != nil {
			return err
		}
		remembered, ok := v.Component.Remembered(key, q.rules)
		if !ok {
			return ErrInTransit
		}
		person = &audiences.Person{State: defined, Profile: &p, Remembered: remembered, Root: v.Component.Root()}
		return nil
	})
	return person, err
}

// Why explains whether two nodes are one person. It fails with ErrUnknown if one of them was never seen.
// Nodes of different components have no evidence that connects them.
func (q queries) Why(ctx context.Context, a, b graph.NodeKey) (x graph.Explanation, err error) {
	together := false
	err = q.Read(ctx, a, func(v *View) error {
		x, together = v.Component.Why(a, b, q.rules)
		return nil
	})
	if err != nil || together {
		return x, err
	}
	return graph.Explanation{}, q.Read(ctx, b, func(*View) error { return nil })
}

// How lists the evidence that made a node's identity, in the order in which it was admitted. It fails as Read does.
func (q queries) How(ctx context.Context, key graph.NodeKey) (steps []graph.Reason, err error) {
	err = q.Read(ctx, key, func(v *View) error {
		var ok bool
		if steps, ok = v.Component.How(key, q.rules); !ok {
			return ErrInTransit
		}
		return nil
	})
	return steps, err
}

// Preview computes what an assertion would do: the identities that hold its nodes, as they are and as
// they would be. It changes nothing.
func (q queries) Preview(ctx context.Context, a graph.Assertion) (before, after []graph.Profile, err error) {
	var copies []*graph.Component
	keys := []graph.NodeKey{a.A.Key}
	if a.Verb != graph.AssertForget {
		keys = append(keys, a.B.Key)
	}
	for _, key := range keys {
		err := q.Read(ctx, key, func(v *View) error {
			if !slices.ContainsFunc(copies, func(o *graph.Component) bool { return o.Root() == v.Component.Root() }) {
				copies = append(copies, v.Component.Clone())
			}
			return nil
		})
		if err != nil && !errors.Is(err, ErrUnknown) {
			return nil, nil, err
		}
	}
	before, after = graph.Preview(copies, a, keys, q.rules)
	return before, after, nil
}

// Each calls fn for every component in the store, after everything was written. While events flow,
// evidence on its way from one shard to another is missing; Settle first to see all of it. It fails with ErrLost if a shard is
// not with this process.
func (q queries) Each(ctx context.Context, fn func(*graph.Component) error) error {
	return q.each(ctx, func(graph.NodeKey) bool { return true }, fn)
}

// each is Each for the components whose roots are wanted. Rows of others are skipped unread.
func (q queries) each(ctx context.Context, wanted func(graph.NodeKey) bool, fn func(*graph.Component) error) error {
	dec := row.NewDecoder()
	show := func(node graph.NodeKey, value []byte) error {
		if err := ctx.Err(); err != nil || !wanted(node) {
			return err
		}
		n, _, err := dec.Node(node, value)
		if err != nil {
			return fmt.Errorf("row of node %s: %w", node, err)
		}
		if n.Component == nil {
			return nil
		}
		return fn(n.Component)
	}
	if q.network != nil {
		return q.nodes(ctx, Place{}, false, func(_ Place, node graph.NodeKey, value []byte) error { return show(node, value) })
	}
	if err := q.Flush(ctx); err != nil { // of a shard that is not here, too: its part would be missing
		return err
	}
	return row.ScanAllNodes(q.store, show)
}

// Place is where the row of a component is among all: what a Scan goes on from.
type Place = row.NodePlace

// Scan calls fn for the components in the store from a place on, or after that place, in the order of their rows. From the
// zero place it first writes everything, so that people who are known when a scan begins are among those it meets; those who
// come while it goes on from place to place may be. It ends where fn returns storage.ErrStop.
func (q queries) Scan(ctx context.Context, from Place, after bool, fn func(place Place, c *graph.Component) error) error {
	dec := row.NewDecoder()
	show := func(place Place, node graph.NodeKey, value []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, _, err := dec.Node(node, value)
		if err != nil {
			return fmt.Errorf("row of node %s: %w", node, err)
		}
		if n.Component == nil {
			return nil
		}
		return fn(place, n.Component)
	}
	if q.network != nil {
		return q.nodes(ctx, from, after, show)
	}
	if from == (row.NodePlace{}) {
		if err := q.Flush(ctx); err != nil {
			return err
		}
	} else if err := q.lost(); err != nil {
		return err
	}
	return row.ScanNodesFrom(q.store, from, after, show)
}

// Assert takes an operator's assertion and returns when it is durable where it was made. Its effects in other shards follow;
// Visible waits for them.
func (e *Engine) Assert(ctx context.Context, a graph.Assertion) error {
	if err := a.Check(); err != nil {
		return err
	}
	d := &Delivery{}
	d.message(&graph.Message{Kind: graph.KindAssert, To: a.A.Key, Assertion: &a})
	if err := e.submitAndWait(ctx, d); err != nil {
		return err
	}
	if d.Outcomes[0] == Quarantined {
		return errors.New("assertion: set aside, as its handler failed; see the quarantine")
	}
	return nil
}

// Stats is what an engine holds and has done.
type Stats struct {
	shard.Counters
	Shards     int
	Residents  int   // nodes in memory
	ActorBytes int64 // their memory, by estimate
	LogBytes   int64 // log that a start would replay
	Lost       int   // shards that failed on their own since the start; nothing of them is counted here
	Absent     int   // shards of other processes that did not answer; nothing of them is counted here
	UnderWay   int64 // inputs not answered
	Waiting    int   // messages between shards not acknowledged
	// LeftOut counts the links that components at a cap have left out since the engine started.
	LeftOut uint64
}

// Merges is how often events that came in under two identifiers turned out to be one person's: identifiers with events,
// less identities with events. It follows from the evidence and the rules, so it is the same in whatever order events
// came, and however they were scheduled, once nothing is under way. It falls where an identity is divided.
func (s *Stats) Merges() int64 { return max(0, s.Active-s.Identities) }

// Stats adds up the shards: those of other processes, too, as far as these can be reached. Counts that belong to no shard are those of this process.
func (e *Engine) Stats(ctx context.Context) (Stats, error) {
	total := Stats{Shards: len(e.runners), UnderWay: e.underWay(), LeftOut: e.bulletin.leftOut.Load()}
	for id := range e.runners {
		s, err := e.statsOf(ctx, graph.ShardID(id))
		if errors.Is(err, ErrLost) {
			if e.runners[id].failed() == nil {
				total.Absent++
			}
			continue
		}
		if err != nil {
			return Stats{}, err
		}
		total.Accepted += s.Accepted
		total.Duplicates += s.Duplicates
		total.Conflicting += s.Conflicting
		total.Splits += s.Splits
		total.Generic += s.Generic
		total.Quarantined += s.Quarantined
		total.Identities += s.Identities
		total.Active += s.Active
		total.Residents += s.Residents
		total.ActorBytes += s.ActorBytes
		total.LogBytes += s.LogBytes
		total.Waiting += s.Waiting
	}
	for _, r := range e.runners {
		if r.failed() != nil {
			total.Lost++
		}
	}
	return total, nil
}

// statsOf asks the process that has a shard, once.
func (e *Engine) statsOf(ctx context.Context, id graph.ShardID) (shard.Stats, error) {
	if e.network == nil || e.Has(id) {
		return e.shardStats(ctx, id)
	}
	answer, err := e.pose(ctx, id, askStatus, nil)
	if err != nil {
		return shard.Stats{}, err
	}
	return readStats(answer)
}

// shardStats is what a shard here holds and has done.
func (p *pool) shardStats(ctx context.Context, id graph.ShardID) (stats shard.Stats, err error) {
	err = p.ask(ctx, id, func(s *shard.Shard) error {
		stats = s.Stats()
		return nil
	})
	return stats, err
}
