package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/backoff"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
	"golang.org/x/sync/errgroup"
)

// ErrUnknown is returned by reads of a node that no event and no assertion has named yet.
var ErrUnknown = errors.New("identifier: never seen in an event")

// ErrInTransit is returned by reads of a node if the evidence of its identity, which moves between two shards, did not arrive
// within transitTimeout. A function that is given to Read returns it to be called again.
var ErrInTransit = errors.New("profile: on its way between shards; ask again")

// View is what a read sees: the component that holds a node. It is valid until the function that it was given to returns,
// and that function runs on the goroutine of the component's shard: it must be quick, change nothing, and keep nothing of
// Component.
type View struct {
	Component *graph.Component
	key       graph.NodeKey
	rules     *graph.Rules
}

// Profile is the profile of the identity that holds the node; it owns its memory. It fails with ErrInTransit if the
// component does not host the node, yet or any more.
func (v *View) Profile() (graph.Profile, error) {
	p, ok := v.Component.Profile(v.key, v.rules)
	if !ok {
		return graph.Profile{}, ErrInTransit
	}
	return p, nil
}

// Outline is Profile without dealings, which only scores are computed from.
func (v *View) Outline() (graph.Profile, error) {
	p, ok := v.Component.Outline(v.key, v.rules)
	if !ok {
		return graph.Profile{}, ErrInTransit
	}
	return p, nil
}

// Read shows the component that holds a node to fn, and returns the error of fn. It fails with ErrUnknown, and does not call
// fn, if the node was never seen.
//
// Read asks the shard of the node, and follows forwards from shard to shard. It waits in two cases, both in readOn:
//
//   - A forward has handed evidence on that has not arrived yet (A10): without it, the profile would lack what a look-up
//     found a moment ago.
//   - fn returns ErrInTransit: the component at which the forwards end does not host the node. No forward tells when it
//     will, so Read asks again from the beginning until transitTimeout has passed. This happens while all is judged again
//     under other rules, and where a message was quarantined; the simulator has not met it otherwise.
//
// The component may be ahead of the store by the commit under way. Once Read has returned, even with an error, fn is not
// running and never runs again. While there are reads, ingest yields to them.
//
// The obvious design, one question that shards pass on to each other until the root answers it, would need an answer from
// shard to shard, and a place to keep a question while its node's evidence is in transit.
func (q queries) Read(ctx context.Context, key graph.NodeKey, fn func(*View) error) error {
	return q.readOn(ctx, key, fn, q.askFirst)
}

// ReadMany is Read of many nodes: fn is given the index of each among keys, where it is found. It sees what one shard holds in
// one visit; calls of fn for nodes of different shards come at the same time. It is for readers that follow the change feed:
// ingest does not yield to it.
func (q queries) ReadMany(ctx context.Context, keys []graph.NodeKey, fn func(i int, v *View)) error {
	places := make(map[graph.ShardID][]int)
	for i, key := range keys {
		id := key.Shard(len(q.runners))
		places[id] = append(places[id], i)
	}
	group, ctx := errgroup.WithContext(ctx)
	for id, here := range places {
		group.Go(func() error {
			if q.network != nil && !q.runners[id].here() {
				return q.readEach(ctx, keys, here, fn)
			}
			var forwarded []int
			err := q.shown(ctx, id, q.ask(ctx, id, func(s *shard.Shard) error {
				for _, i := range here {
					r := q.newReading(keys[i], func(v *View) error { fn(i, v); return nil })
					if err := r.ask(s); err != nil {
						return err
					}
					if !r.sight.Parent.IsZero() {
						forwarded = append(forwarded, i)
					}
				}
				return nil
			}))
			if errors.Is(err, ErrLost) && q.network != nil {
				return q.readEach(ctx, keys, here, fn)
			} else if err != nil {
				return err
			}
			return q.readEach(ctx, keys, forwarded, fn) // few: entries and answers name roots, mostly
		})
	}
	return group.Wait()
}

// readEach is Read of some of the nodes.
func (q queries) readEach(ctx context.Context, keys []graph.NodeKey, some []int, fn func(i int, v *View)) error {
	for _, i := range some {
		if err := q.readOn(ctx, keys[i], func(v *View) error { fn(i, v); return nil }, q.ask); err != nil && !errors.Is(err, ErrUnknown) {
			return err
		}
	}
	return nil
}

// transitTimeout bounds how long a read looks again for evidence that no forward announces. It takes two commits to arrive,
// so milliseconds; if it takes longer, a shard is overloaded.
const transitTimeout = 5 * time.Second

// lookAgain is the wait before a read begins again.
var lookAgain = backoff.Doubling{First: time.Millisecond, Most: 50 * time.Millisecond}

// asker is ask or askFirst of a pool.
type asker func(context.Context, graph.ShardID, func(*shard.Shard) error) error

// readOn is Read with a priority. It is the only place where a read waits.
func (q queries) readOn(ctx context.Context, key graph.NodeKey, fn func(*View) error, ask asker) error {
	r := q.newReading(key, fn)
	waited := time.Duration(0)
	for attempt := 0; ; attempt++ {
		err := q.follow(ctx, r, ask)
		if !errors.Is(err, ErrInTransit) || waited > transitTimeout {
			return err
		}
		wait := lookAgain.Wait(attempt)
		waited += wait
		if err := backoff.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// follow asks the shard of the reading's node, and those of the nodes that forwards lead to, until a root has answered.
//
// A forward that is Moving stops the read until the message with its evidence is acknowledged, and acknowledged
// means durable at the parent's shard (A1). Without the wait a read could see less than a read a moment before did:
//
//	read 1 asks root F: it shows the profile
//	F takes a Join, becomes a forward to P, and sends its evidence to P's shard
//	read 2 asks F: a forward, so it goes on to P, where the evidence has not arrived
func (q queries) follow(ctx context.Context, r *reading, ask asker) error {
	at := r.view.key
	for range shard.MaxHops {
		r.at = at
		if err := q.visit(ctx, r, ask); err != nil {
			return err
		}
		switch {
		case !r.sight.Found:
			return ErrUnknown
		case r.sight.Parent.IsZero():
			return r.err
		case r.sight.Moving:
			if err := q.await(ctx, r.sight.Arrived.Done()); err != nil {
				return err
			}
			if err := r.sight.Arrived.Err(); err != nil {
				return err
			}
		}
		at = r.sight.Parent
	}
	return fmt.Errorf("%w: more than %d forwards in a row", storage.ErrCorrupt, shard.MaxHops)
}

// visit asks for the node that the reading is at.
func (q queries) visit(ctx context.Context, r *reading, ask asker) error {
	id := r.at.Shard(len(q.runners))
	here := func() error { return q.shown(ctx, id, ask(ctx, id, r.ask)) }
	if q.network == nil {
		return here()
	}
	return q.reach(ctx, id, here, func(ctx context.Context) error { return q.view(ctx, id, r) })
}

// view asks the process that has the shard of the node that the reading is at, and shows the component that it answers with.
func (q queries) view(ctx context.Context, id graph.ShardID, r *reading) error {
	answer, err := q.pose(ctx, id, askView.of(ctx), r.at.AppendBinary(nil))
	if err != nil {
		return err
	}
	r.sight = shard.Sight{Found: answer.bool(), Parent: answer.nodeKey()}
	if answer.err != nil || len(answer.b) == 0 {
		return answer.end()
	}
	n, _, err := row.NewDecoder().Node(r.at, answer.b)
	if err != nil {
		return fmt.Errorf("view of node %s from another process: %w", r.at, err)
	}
	if n.Component != nil {
		r.show(n.Component)
	}
	return nil
}

// reading is a read under way: one piece of memory for all that its steps hand over.
//
// A read belongs to one caller, and one shard at a time runs ask, so nothing here needs a lock. The answer of ask
// hands the memory back from the shard's goroutine to the caller's.
type reading struct {
	view  View
	fn    func(*View) error
	show  func(*graph.Component) // made once, for every shard on the way
	at    graph.NodeKey          // the node to ask for: the first, or what a forward led to
	sight shard.Sight            // what the last shard answered
	err   error                  // of fn
}

func (q queries) newReading(key graph.NodeKey, fn func(*View) error) *reading {
	r := &reading{view: View{key: key, rules: q.rules}, fn: fn, at: key}
	r.show = func(c *graph.Component) {
		r.view.Component = c
		r.err = r.fn(&r.view)
		r.view.Component = nil
	}
	return r
}

// ask reads in a shard.
func (r *reading) ask(s *shard.Shard) (err error) {
	r.sight, err = s.Read(r.at, r.show)
	return err
}
