package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/kindred-id/kindred/internal/broker"
)

// copies gives the last node an empty disk, and measures how fast it gets its copies, and look-ups on the others meanwhile.
func (n *clusterNodes) copies(ctx context.Context, people *clusterPeople) (*ClusterCopied, error) {
	c := n.config
	if err := n.ready(ctx); err != nil {
		return nil, err
	}
	c.Progress("wait until the journal is trimmed")
	err := n.eventually(ctx, "the journal is trimmed", func(ctx context.Context) (trimmed bool, err error) {
		err = c.journal(n.name, func(topics *broker.Topics, topic string) error {
			begins, err := topics.Begins(ctx, topic)
			trimmed = len(begins) >= c.Shards && !slices.Contains(begins[:min(c.Shards, len(begins))], 0)
			return err
		})
		return trimmed, err
	})
	if err != nil {
		return nil, err
	}
	c.Progress("an empty disk")
	victim := len(n.nodes) - 1
	if err := errors.Join(n.nodes[victim].kill(), os.RemoveAll(filepath.Join(n.dir, nodeName(victim)))); err != nil {
		return nil, err
	}
	// All shards are with the others before look-ups are timed.
	err = n.eventually(ctx, "the others own all shards", func(ctx context.Context) (bool, error) {
		owners, err := n.owners(ctx, 0)
		return !slices.Contains(owners, nodeName(victim)) && !slices.Contains(owners, ""), err
	})
	if err != nil {
		return nil, err
	}
	time.Sleep(settles)
	var result ClusterCopied
	quiet, stop := context.WithTimeout(ctx, 10*time.Second)
	result.Before, err = n.lookUpOn(quiet, n.others(victim), people)
	stop()
	if err != nil {
		return nil, err
	}
	started := time.Now()
	if err := n.startNode(ctx, victim); err != nil {
		return nil, err
	}
	meanwhile, stop := context.WithCancel(ctx)
	var looking sync.WaitGroup
	var failed error
	looking.Go(func() { result.During, failed = n.lookUpOn(meanwhile, n.others(victim), people) })
	err = n.ready(ctx)
	result.Ready = time.Since(started).Seconds()
	stop()
	looking.Wait()
	if err := errors.Join(err, failed); err != nil {
		return nil, err
	}
	// Its log may be read once it has ended.
	if err := n.nodes[victim].kill(); err != nil {
		return nil, err
	}
	result.Shards, result.Bytes, result.Rate, err = copiesOf(n.nodes[victim].log.String())
	if err != nil {
		return nil, err
	}
	return &result, n.startNode(ctx, victim)
}

// madeCopy is a line of a node's log about a copy with rows.
var madeCopy = regexp.MustCompile(`(?m)^time=(\S+) .*msg="a copy of a shard is made" .*bytes=([1-9]\d*) took=(\S+)$`)

// copiesOf adds up what a node's log says of copies: how many, their bytes, and these a second from the first beginning to the last end.
func copiesOf(log string) (shards int, bytes int64, rate float64, err error) {
	var first, last time.Time
	for _, line := range madeCopy.FindAllStringSubmatch(log, -1) {
		ended, err := time.Parse(time.RFC3339Nano, line[1])
		took, also := time.ParseDuration(line[3])
		n, and := strconv.ParseInt(line[2], 10, 64)
		if err := errors.Join(err, also, and); err != nil {
			return 0, 0, 0, fmt.Errorf("the log of a node: %w", err)
		}
		if begun := ended.Add(-took); first.IsZero() || begun.Before(first) {
			first = begun
		}
		if ended.After(last) {
			last = ended
		}
		shards, bytes = shards+1, bytes+n
	}
	if shards == 0 {
		return 0, 0, 0, errors.New("the log of a node with an empty disk says of no copy that it was made")
	}
	return shards, bytes, float64(bytes) / last.Sub(first).Seconds(), nil
}

// lookUpOn looks people up on some nodes until ctx ends, one after the other, each when it is due.
func (n *clusterNodes) lookUpOn(ctx context.Context, nodes []int, people *clusterPeople) (Latencies, error) {
	var all lookupTimes
	var group sync.WaitGroup
	due := make(chan lookup, n.config.LookupRate)
	for _, node := range nodes {
		for range lookupConnections {
			group.Go(func() { all.fail(n.lookUp(node, due, &all)) })
		}
	}
	rng := rand.New(rand.NewPCG(2, 2))
	tick := time.NewTicker(time.Second / time.Duration(n.config.LookupRate))
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case at := <-tick.C:
			ids := people.ids[rng.IntN(len(people.ids))]
			select {
			case due <- lookup{due: at, id: ids[rng.IntN(len(ids))]}:
			default:
				all.add(context.Background(), errors.New("a look-up was not begun: a second of them waited already"))
			}
		case <-ctx.Done():
		}
	}
	close(due)
	group.Wait()
	if all.count > 0 {
		all.err = errors.Join(all.err, fmt.Errorf("%d look-ups beside a copy: %s", all.count, all.first))
	}
	return Summarise(all.other), all.err
}
