package actors

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/backoff"
	"github.com/kindred-id/kindred/storage/row"
)

// changes reaches the parts of the change feed that are with other processes. It implements feed.Others.
type changes struct{ engine *Engine }

// Ends implements feed.Others. It asks again until every shard is with a process that answers, for elsewherePatience.
func (c changes) Ends(ctx context.Context, raise uint64) ([]feed.End, error) {
	e := c.engine
	body := binary.AppendUvarint(nil, raise)
	for attempt, waited := 0, time.Duration(0); ; attempt++ {
		all, err := gather(ctx, e.queries.far, askFeedEnds, body, func() ([]feed.End, error) { return c.here(ctx, raise) }, readFeedEnds)
		var ends []feed.End
		for _, of := range all {
			ends = append(ends, of...)
		}
		if err == nil && covers(ends, len(e.runners), raise) {
			return ends, nil
		}
		wait := elsewhereAgain.Wait(attempt)
		waited += wait
		switch {
		case e.Err() != nil:
			return nil, e.Err()
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case waited > elsewherePatience && err != nil:
			return nil, errors.Join(ErrLost, err)
		case waited > elsewherePatience:
			return nil, &lostError{id: absent(ends, len(e.runners), raise)}
		}
		if err := backoff.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// covers reports whether every shard is there, and has promised an order.
func covers(ends []feed.End, shards int, promised uint64) bool {
	return int(absent(ends, shards, promised)) == shards
}

// absent is the first shard that is not there, or has not promised an order; the number of shards if all have.
func absent(ends []feed.End, shards int, promised uint64) graph.ShardID {
	there := make([]bool, shards+1)
	for _, e := range ends {
		if int(e.Shard) < shards && e.Order >= promised {
			there[e.Shard] = true
		}
	}
	id := 0
	for id < shards && there[id] {
		id++
	}
	return graph.ShardID(id)
}

// here says how far the shards are that are with this process. Those that have not promised an order do so first, each in a commit of
// its own.
func (c changes) here(ctx context.Context, raise uint64) ([]feed.End, error) {
	e := c.engine
	if e.feed == nil {
		return nil, feed.ErrOff
	}
	e.clock.Raise(raise)
	var ends []feed.End
	var due []graph.ShardID
	for id, r := range e.runners {
		if !r.here() {
			continue
		}
		end := e.feed.EndOf(graph.ShardID(id))
		if end.Order < raise {
			due = append(due, end.Shard)
		} else {
			ends = append(ends, end)
		}
	}
	if err := e.trimmer().tidy(ctx, due); err != nil {
		return nil, err
	}
	for _, id := range due {
		ends = append(ends, e.feed.EndOf(id))
	}
	return ends, nil
}

// Blocks implements feed.Others.
func (c changes) Blocks(ctx context.Context, id graph.ShardID, after uint64) (blocks []byte, err error) {
	e := c.engine
	err = e.queries.reach(ctx, id, func() (err error) {
		blocks, err = c.blocksHere(id, after)
		return err
	}, func(ctx context.Context) error {
		answer, err := e.queries.pose(ctx, id, askFeedBlocks, binary.AppendUvarint(nil, after))
		if err == nil {
			blocks = answer.b
		}
		return err
	})
	return blocks, err
}

func (c changes) blocksHere(id graph.ShardID, after uint64) ([]byte, error) {
	switch e := c.engine; {
	case e.feed == nil:
		return nil, feed.ErrOff
	case !e.Has(id):
		return nil, &lostError{id: id}
	default:
		return e.feed.AppendBlocks(nil, id, after)
	}
}

func appendFeedEnds(b []byte, ends []feed.End) []byte {
	b = binary.AppendUvarint(b, uint64(len(ends)))
	for _, e := range ends {
		b = binary.AppendUvarint(b, uint64(e.Shard))
		b = binary.AppendUvarint(b, e.Number)
		b = binary.AppendUvarint(b, e.Order)
	}
	return b
}

func readFeedEnds(r *wireReader) ([]feed.End, error) {
	ends := make([]feed.End, r.count(3))
	for i := range ends {
		ends[i] = feed.End{Shard: graph.ShardID(r.below(row.MaxShards)), Number: r.uint(), Order: r.uint()}
	}
	return ends, r.end()
}
