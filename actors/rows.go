package actors

import (
	"bytes"
	"context"
	"errors"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// nodes calls fn for every node of all shards from a place on, or after that place, in the order of rows: each shard's rows as the
// process that has it holds them at one moment, after everything was written that the shard had taken before.
func (q queries) nodes(ctx context.Context, from Place, after bool, fn func(place Place, node graph.NodeKey, value []byte) error) error {
	return q.allRows(ctx, row.SpaceNode, from, after, func(key, value []byte) error {
		_, node, err := row.ParseNodeKey(key)
		if err != nil {
			return err
		}
		return fn(Place(key[1:]), node, value)
	})
}

// allRows calls fn with the rows of a space in all shards likewise, in which a key is a place.
func (q queries) allRows(ctx context.Context, space row.Space, from Place, after bool, fn func(key, value []byte) error) error {
	first := graph.ShardID(from[0])<<8 | graph.ShardID(from[1])
	for id := first; int(id) < len(q.runners); id++ {
		lower, upper := row.AppendShardLower(nil, space, id), row.AppendShardUpper(nil, space, id)
		if id == first && from != (Place{}) {
			if lower = append(row.AppendSpaceLower(nil, space), from[:]...); after {
				lower = append(lower, 0)
			}
		}
		err := q.rows(ctx, id, lower, upper, fn)
		if errors.Is(err, storage.ErrStop) {
			return nil
		}
		if err != nil {
			return err
		}
		if int(id) == row.MaxShards-1 {
			break
		}
	}
	return nil
}

// farRows reads the rows of a shard that another process has.
type farRows struct {
	ctx context.Context //nolint:containedctx // of the one question that it is made for
	q   queries
	id  graph.ShardID
}

// shardRows reads committed rows of a shard, wherever it is.
func (q queries) shardRows(ctx context.Context, id graph.ShardID) storage.Reader {
	if q.network == nil {
		return q.store
	}
	return farRows{ctx, q, id}
}

func (f farRows) Get(dst, key []byte) ([]byte, error) {
	found := false
	err := f.Iterate(key, append(bytes.Clone(key), 0), func(_, value []byte) error {
		dst, found = append(dst, value...), true
		return nil
	})
	if err == nil && !found {
		err = storage.ErrNotFound
	}
	return dst, err
}

func (f farRows) Iterate(lower, upper []byte, fn func(key, value []byte) error) error {
	err := f.q.rows(f.ctx, f.id, lower, upper, fn)
	if errors.Is(err, storage.ErrStop) {
		return nil
	}
	return err
}

// rows calls fn with rows of a shard. Where the shard moves in the middle, it goes on after the last row that fn has seen, with
// those that the next process has. It returns the error of fn as it is.
func (q queries) rows(ctx context.Context, id graph.ShardID, lower, upper []byte, fn func(key, value []byte) error) error {
	lower = bytes.Clone(lower)
	var stop error // of fn
	show := func(key, value []byte) error {
		if stop = fn(key, value); stop == nil {
			lower = append(append(lower[:0], key...), 0)
		}
		return stop
	}
	err := q.reach(ctx, id, func() error { return q.ownRows(ctx, id, lower, upper, show) }, func(ctx context.Context) error {
		err := q.network.Rows(ctx, id, bytes.Clone(lower), upper, show)
		if err != nil && stop == nil && ctx.Err() == nil && !errors.Is(err, ErrLost) {
			err = errors.Join(ErrLost, err) // nobody knows: ask again
		}
		return err
	})
	if stop != nil {
		return stop
	}
	return err
}
