package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
	"golang.org/x/sync/errgroup"
)

// queries read what shards hold: each asks the shard of a node, and follows forwards to the shard of its root.
type queries struct{ *pool }

// View shows the component that holds a node to fn, on its shard's goroutine: fn must be quick and
// keep nothing. It returns false when the node was never seen. What fn sees may be ahead of the
// store by the commit in flight. Once View has returned, with an error too, fn does not run: a caller whose context ends takes
// fn back, or waits for it where it is running.
func (q queries) View(ctx context.Context, key graph.NodeKey, fn func(*graph.Component)) (bool, error) {
	return q.view(ctx, key, fn, q.ask)
}

func (q queries) view(ctx context.Context, key graph.NodeKey, fn func(*graph.Component), ask func(context.Context, graph.ShardID, func(*shard.Shard) error) error) (bool, error) {
	for range shard.MaxHops {
		var sight shard.Sight
		err := ask(ctx, key.Shard(len(q.runners)), func(s *shard.Shard) (err error) {
			sight, err = s.View(key, fn)
			return err
		})
		if err != nil || !sight.Found {
			return false, err
		}
		if sight.Parent.IsZero() {
			return true, nil
		}
		if sight.Moving { // else what it had before a merge would be missing
			if err := q.await(ctx, sight.Arrived); err != nil {
				return false, err
			}
		}
		key = sight.Parent
	}
	return false, fmt.Errorf("%w: more than %d forwards in a row", storage.ErrCorrupt, shard.MaxHops)
}

// ViewMany is View of many nodes: fn is given the place of each among keys, where it is found. What one shard holds is shown
// in one visit; calls of fn for nodes of different shards come at the same time. It is for who follows what happens: ingest does
// not give way to it, as it does to View.
func (q queries) ViewMany(ctx context.Context, keys []graph.NodeKey, fn func(i int, c *graph.Component)) error {
	places := make(map[graph.ShardID][]int)
	for i, key := range keys {
		id := key.Shard(len(q.runners))
		places[id] = append(places[id], i)
	}
	group, ctx := errgroup.WithContext(ctx)
	for id, here := range places {
		group.Go(func() error {
			var forwarded []int
			if err := q.askInTurn(ctx, id, func(s *shard.Shard) error {
				for _, i := range here {
					sight, err := s.View(keys[i], func(c *graph.Component) { fn(i, c) })
					if err != nil {
						return err
					}
					if sight.Found && !sight.Parent.IsZero() {
						forwarded = append(forwarded, i)
					}
				}
				return nil
			}); err != nil {
				return err
			}
			for _, i := range forwarded { // few: entries and answers name roots, mostly
				if _, err := q.view(ctx, keys[i], func(c *graph.Component) { fn(i, c) }, q.askInTurn); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// Profile is the live profile of the identity that holds a node. It returns false when the node
// was never seen, or its evidence is on its way from one shard to another.
func (q queries) Profile(ctx context.Context, key graph.NodeKey) (p graph.Profile, ok bool, err error) {
	_, err = q.View(ctx, key, func(c *graph.Component) {
		p, ok = c.Profile(key, q.rules)
	})
	return p, ok, err
}

// Why explains whether two nodes are one person. It returns false when one of them was never seen.
// Nodes of different components have no evidence that connects them.
func (q queries) Why(ctx context.Context, a, b graph.NodeKey) (x graph.Explanation, ok bool, err error) {
	together := false
	found, err := q.View(ctx, a, func(c *graph.Component) { x, together = c.Why(a, b, q.rules) })
	if err != nil || !found || together {
		return x, found, err
	}
	found, err = q.View(ctx, b, func(*graph.Component) {})
	return graph.Explanation{}, found, err
}

// How lists the evidence that made a node's identity, in the order in which it was admitted.
func (q queries) How(ctx context.Context, key graph.NodeKey) (steps []graph.Reason, ok bool, err error) {
	_, err = q.View(ctx, key, func(c *graph.Component) { steps, ok = c.How(key, q.rules) })
	return steps, ok, err
}

// Assert takes an operator's assertion and returns when it is durable where it was made. What it
// brings about in other shards follows; Visible waits for that.
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
		return errors.New("the assertion was set aside: its handler failed; see the quarantine")
	}
	return nil
}

// Preview tells what an assertion would do: the identities that hold its nodes, as they are and as
// they would be. Nothing is changed.
func (q queries) Preview(ctx context.Context, a graph.Assertion) (before, after []graph.Profile, err error) {
	var copies []*graph.Component
	keys := []graph.NodeKey{a.A.Key}
	if a.Verb != graph.AssertForget {
		keys = append(keys, a.B.Key)
	}
	for _, key := range keys {
		_, err := q.View(ctx, key, func(c *graph.Component) {
			if !slices.ContainsFunc(copies, func(o *graph.Component) bool { return o.Root() == c.Root() }) {
				copies = append(copies, c.Clone())
			}
		})
		if err != nil {
			return nil, nil, err
		}
	}
	before, after = graph.Preview(copies, a, keys, q.rules)
	return before, after, nil
}

// Each calls fn for every component in the store, after everything was written. While events flow,
// evidence on its way from one shard to another is missing; Settle first to see all of it.
func (q queries) Each(ctx context.Context, fn func(*graph.Component) error) error {
	return q.each(ctx, func(graph.NodeKey) bool { return true }, fn)
}

// each is Each for the components whose roots are wanted. Rows of others are skipped unread.
func (q queries) each(ctx context.Context, wanted func(graph.NodeKey) bool, fn func(*graph.Component) error) error {
	if err := q.Flush(ctx); err != nil {
		return err
	}
	dec := row.NewDecoder()
	return row.ScanAllNodes(q.store, func(node graph.NodeKey, value []byte) error {
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
	})
}

// Stats is what an engine holds and has done.
type Stats struct {
	shard.Counters
	Shards     int
	Residents  int   // nodes in memory
	ActorBytes int64 // their memory, by estimate
	LogBytes   int64 // log that a start would replay
	UnderWay   int64 // inputs not answered
	Waiting    int   // messages between shards not acknowledged
	// LeftOut counts the links that components at a cap have left out since the engine started.
	LeftOut uint64
}

// Merges is how often events that came in under two identifiers turned out to be one person's: identifiers with events,
// less identities with events. It follows from the evidence and the rules, so it is the same in whatever order events
// came, and however they were scheduled, once nothing is under way. It falls where an identity is divided.
func (s *Stats) Merges() int64 { return max(0, s.Active-s.Identities) }

// Stats adds up the shards.
func (e *Engine) Stats(ctx context.Context) (Stats, error) {
	total := Stats{Shards: len(e.runners), UnderWay: e.underWay(), LeftOut: e.leftOut.Load()}
	for id := range e.runners {
		err := e.ask(ctx, graph.ShardID(id), func(s *shard.Shard) error {
			c := s.Stats()
			total.Accepted += c.Accepted
			total.Duplicates += c.Duplicates
			total.Conflicting += c.Conflicting
			total.Splits += c.Splits
			total.Generic += c.Generic
			total.Quarantined += c.Quarantined
			total.Identities += c.Identities
			total.Active += c.Active
			total.Residents += c.Residents
			total.ActorBytes += c.ActorBytes
			total.LogBytes += c.LogBytes
			total.Waiting += c.Waiting
			return nil
		})
		if err != nil {
			return Stats{}, err
		}
	}
	return total, nil
}
