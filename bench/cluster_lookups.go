package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// lookupConnections is how many look-ups may be under way on each node.
const lookupConnections = 8

// lookup is one look-up that is due.
type lookup struct {
	due time.Time
	id  string
	own bool // the node that is asked owns the shard
}

// lookups looks people up on any node, at fixed times, beside an inflow. Times count from when a look-up was due.
func (n *clusterNodes) lookups(ctx context.Context, people *clusterPeople, f *inflow) (*ClusterLookup, error) {
	owners, err := n.owners(ctx, 0)
	if err != nil {
		return nil, err
	}
	load := f.run(ctx, n)
	defer load.end()
	var all lookupTimes
	var group sync.WaitGroup
	due := make([]chan lookup, len(n.nodes))
	for i := range due {
		due[i] = make(chan lookup, n.config.LookupRate) // a second of all
		for range lookupConnections {
			group.Go(func() { all.fail(n.lookUp(i, due[i], &all)) })
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	every := time.Second / time.Duration(n.config.LookupRate)
	start := time.Now()
	dropped := 0
	for at := start; at.Sub(start) < n.config.Lookups && ctx.Err() == nil; at = at.Add(every) {
		time.Sleep(time.Until(at))
		node, shard := rng.IntN(len(n.nodes)), rng.IntN(len(people.ids))
		ids := people.ids[shard]
		select {
		case due[node] <- lookup{at, ids[rng.IntN(len(ids))], owners[shard] == nodeName(node)}:
		default:
			dropped++
		}
	}
	for i := range due {
		close(due[i])
	}
	group.Wait()
	rate := math.Round(float64(load.taken.Load()) / time.Since(load.begun).Seconds())
	if err := errors.Join(all.err, ctx.Err()); err != nil {
		return nil, err
	}
	if dropped > 0 {
		all.add(ctx, fmt.Errorf("%d look-ups were not begun: a second of them waited already", dropped))
	}
	if failed, first := load.since(0); failed > 0 {
		all.add(ctx, errors.New(first))
	}
	return &ClusterLookup{
		Rate: rate, Wanted: math.Round(f.rate), Own: Summarise(all.own), Other: Summarise(all.other), Late: Summarise(all.late), Sent: Summarise(all.sent),
		Errors: all.count, First: all.first,
	}, nil
}

// lookupTimes are those of all look-ups.
type lookupTimes struct {
	refusals
	own, other, late, sent []time.Duration
	err                    error
}

func (t *lookupTimes) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = errors.Join(t.err, err)
}

// lookUp asks a node over one connection.
func (n *clusterNodes) lookUp(node int, due <-chan lookup, all *lookupTimes) error {
	conn, err := net.Dial("tcp", n.nodes[node].address)
	if err != nil {
		for range due { // nobody else may be there to take them
		}
		return err
	}
	defer conn.Close()
	answers := bufio.NewReaderSize(conn, answerRoom)
	for l := range due {
		began := time.Now()
		if _, err := fmt.Fprintf(conn, "GET /v1/profiles/%s HTTP/1.1\r\nHost: localhost\r\n\r\n", l.id); err != nil {
			return err
		}
		status, _, err := readAnswer(answers)
		if err != nil {
			return err
		}
		ended := time.Now()
		if status != http.StatusOK {
			all.add(context.Background(), fmt.Errorf("a look-up is answered with status %d", status))
			continue
		}
		all.mu.Lock()
		all.late = append(all.late, began.Sub(l.due))
		if l.own {
			all.own = append(all.own, ended.Sub(l.due))
		} else {
			all.other, all.sent = append(all.other, ended.Sub(l.due)), append(all.sent, ended.Sub(began))
		}
		all.mu.Unlock()
	}
	return nil
}
