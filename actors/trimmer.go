package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/graph"
)

// A trimmer deletes what the change feed keeps no more. The rows belong to shards, so it asks each shard to delete its own,
// by an input like any other.
//
// A deletion by the trimmer itself would be a second writer of rows that a shard owns. Its batch could pass a batch
// of the shard that is under way and delete what that batch relies on. As an input it has its place among the steps
// of the shard.
type trimmer struct {
	feed   *feed.Feed
	pool   *pool
	intake *intake
}

// trimEvery is how often the change feed is trimmed.
const trimEvery = 10 * time.Second

// often deletes what the change feed keeps no more, now and then.
func (t trimmer) often() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		defer cancel()
		select {
		case <-t.pool.stop:
		case <-ctx.Done():
		}
	}()
	often := time.NewTicker(trimEvery)
	defer often.Stop()
	for {
		switch err := t.trim(ctx); {
		case errors.Is(err, feed.ErrPostponed):
			t.pool.logger.Debug("the change feed is trimmed later", "error", err)
		case err != nil:
			if ctx.Err() == nil && !errors.Is(err, ErrClosed) {
				t.pool.fail(fmt.Errorf("trim the change feed: %w", err))
			}
			return
		}
		select {
		case <-often.C:
		case <-t.pool.stop:
			return
		}
	}
}

// trim deletes what the change feed keeps no more. A shard that is not with this process keeps its part until it is back.
func (t trimmer) trim(ctx context.Context) error {
	due, err := t.feed.Trim(ctx, t.pool.now(), func(id graph.ShardID) bool { return t.pool.runners[id].here() })
	if err != nil {
		return err
	}
	return t.tidy(ctx, due)
}

// tidy lets observers of shards delete what they keep no more.
func (t trimmer) tidy(ctx context.Context, ids []graph.ShardID) error {
	d := &Delivery{}
	for _, id := range ids {
		d.tidy(id)
	}
	err := t.intake.submitAndWait(ctx, d)
	if errors.Is(err, ErrLost) {
		return nil
	}
	return err
}
