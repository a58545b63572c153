package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A shardProbe sends events to one shard, one after the other, and notes when they were answered. An event is answered once it is durable,
// so an answer is that of the owner.
type shardProbe struct {
	shard int
	user  string

	mu      sync.Mutex // guards the following
	answers []answered
}

// answered is one answer.
type answered struct{ began, ended time.Time }

// askEvery is the time from an answer to the next event.
const askEvery = 10 * time.Millisecond

// probing are probes under way.
type probing struct {
	probes []*shardProbe
	stop   context.CancelFunc
	done   sync.WaitGroup
	refusals
}

// probeEvent is the nth event of a probe.
func probeEvent(user string, n int64) []byte {
	return fmt.Appendf(nil, `{"type":"track","event":"Probe","messageId":"%s-%d","userId":%q}`, user, n, user)
}

// probe begins to ask for shards, by way of one node.
func (n *clusterNodes) probe(ctx context.Context, people *clusterPeople, shards []int, via int) *probing {
	ctx, stop := context.WithCancel(ctx)
	p := &probing{stop: stop}
	for _, shard := range shards {
		one := &shardProbe{shard: shard, user: people.probes[shard]}
		p.probes = append(p.probes, one)
		p.done.Go(func() {
			for ctx.Err() == nil {
				began := time.Now()
				err := n.post(ctx, via, probeEvent(one.user, began.UnixNano()))
				if err == nil {
					one.note(answered{began, time.Now()})
				}
				p.add(ctx, err)
				select {
				case <-time.After(askEvery):
				case <-ctx.Done():
				}
			}
		})
	}
	return p
}

func (p *shardProbe) note(a answered) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers = append(p.answers, a)
}

// askedAfter reports whether every shard has answered what was asked after a moment.
func (p *probing) askedAfter(at time.Time) bool {
	return !slices.ContainsFunc(p.probes, func(one *shardProbe) bool {
		one.mu.Lock()
		defer one.mu.Unlock()
		return len(one.answers) == 0 || !one.answers[len(one.answers)-1].began.After(at)
	})
}

// end ends the probes. Their answers may be read without a lock from then on.
func (p *probing) end() {
	p.stop()
	p.done.Wait()
}

// around returns the last answer that ended by a moment, and the first that ended after it. REQUIRES: answers in the order of their ends
func around(answers []answered, at time.Time) (last, first time.Time, err error) {
	i, _ := slices.BinarySearchFunc(answers, at, func(a answered, at time.Time) int {
		if a.ended.After(at) {
			return 1
		}
		return -1
	})
	if i == 0 || i == len(answers) {
		return last, first, fmt.Errorf("no answer before a fault, or none after it: %d before, %d after", i, len(answers)-i)
	}
	return answers[i-1].ended, answers[i].ended, nil
}

// longest is the longest time between two answers in a row, from the last by one moment to the first after another one.
func longest(answers []answered, from, until time.Time) (silence time.Duration, err error) {
	last, _, err := around(answers, from)
	if err != nil {
		return 0, err
	}
	_, end, err := around(answers, until)
	if err != nil {
		return 0, err
	}
	for _, a := range answers {
		if a.ended.After(last) && !a.ended.After(end) {
			silence, last = max(silence, a.ended.Sub(last)), a.ended
		}
	}
	return silence, nil
}
