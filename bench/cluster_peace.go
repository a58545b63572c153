package bench

import (
	"context"
	"math"
	"time"
)

const (
	// lookAround is how often each node is asked whom it takes for alive.
	lookAround = 200 * time.Millisecond
	// fullIngest is how much more than the peak is sent: what finds no connection is dropped.
	fullIngest = 2
)

// peace watches the nodes at full ingest.
func (n *clusterNodes) peace(ctx context.Context, f *inflow, peak float64) (*ClusterWatch, error) {
	if err := n.ready(ctx); err != nil {
		return nil, err
	}
	moves := func() (claims, losses uint64, err error) {
		for i := range n.nodes {
			s, err := n.status(ctx, i)
			if err != nil {
				return 0, 0, err
			}
			claims, losses = claims+s.Totals.Claims, losses+s.Totals.Losses
		}
		return claims, losses, nil
	}
	// Shards that come back after the part before are no suspicion.
	time.Sleep(settles)
	if err := n.ready(ctx); err != nil {
		return nil, err
	}
	claims, losses, err := moves()
	if err != nil {
		return nil, err
	}
	n.config.Progress("full ingest: nobody is taken for dead")
	f.rate = peak * fullIngest
	load := f.run(ctx, n)
	var w ClusterWatch
	for time.Since(load.begun) < n.config.Peace && ctx.Err() == nil {
		time.Sleep(lookAround)
		for i := range n.nodes {
			s, err := n.status(ctx, i)
			if err != nil {
				load.add(ctx, err)
				continue
			}
			if w.Looks++; len(s.Nodes) < len(n.nodes) {
				w.Missed++
			}
		}
	}
	w.Seconds = math.Round(time.Since(load.begun).Seconds())
	w.Rate = load.end()
	w.Errors, w.First = load.since(0)
	claimed, lost, err := moves()
	w.Claims, w.Losses = claimed-claims, lost-losses
	return &w, err
}

// settles is how long shards may take to come back to a node that is ready again: its view has to be stable for 4 s.
const settles = 10 * time.Second
