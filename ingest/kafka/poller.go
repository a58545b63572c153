package kafka

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A poller fetches the records of all partitions, in one goroutine.
//
// Invariants:
//   - It alone uses client to fetch. Partitions ask it by commands, which run between two polls, so records that
//     were fetched before a command are never handed out after it.
//   - mu is not held during a poll, nor while a command runs.
//   - A partition whose records can't be read is not fetched until it asks again: it has one error to deal with.
//
// The obvious design, partitions that tell the client themselves what to fetch, has a race: the poller may hold records
// that were fetched from the former offset, and would queue them after the call as if they followed the new one.
type poller struct {
	client  *kgo.Client
	running *runningSet
	tasks   *sync.WaitGroup // of the consumer

	mu        sync.Mutex // guards the following
	commands  []func()
	interrupt context.CancelFunc // of the poll in progress
}

// pollRecords is the maximum number of records of a poll.
const pollRecords = 10_000

// run passes fetched records to the partitions, and runs commands between two polls: so nothing that was fetched
// before a command is handed out after it.
func (p *poller) run(ctx context.Context) {
	for {
		// Commands are taken, and the interrupt is published, in one critical section. So a command is either among
		// these, or its caller finds the interrupt and ends the poll, even if that has not begun yet.
		polling, interrupt := context.WithCancel(ctx)
		p.mu.Lock()
		commands := p.commands
		p.commands, p.interrupt = nil, interrupt
		p.mu.Unlock()
		if len(commands) > 0 {
			for _, do := range commands {
				do()
			}
			interrupt()
			continue
		}
		fetches := p.client.PollRecords(polling, pollRecords)
		interrupt()
		fetches.EachPartition(func(t kgo.FetchTopicPartition) { p.dispatch(ctx, &t) })
		if ctx.Err() != nil {
			p.mu.Lock()
			commands, p.commands, p.interrupt = p.commands, nil, nil
			p.mu.Unlock()
			for _, do := range commands {
				do()
			}
			return
		}
	}
}

// command makes the poller call do between two polls, and waits until it has. After the poller has ended, do is not
// called.
func (p *poller) command(ctx context.Context, do func()) error {
	done := make(chan struct{})
	p.mu.Lock()
	p.commands = append(p.commands, func() { do(); close(done) })
	if p.interrupt != nil {
		p.interrupt()
	}
	p.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// dispatch passes a partition the records that were fetched for it.
func (p *poller) dispatch(ctx context.Context, t *kgo.FetchTopicPartition) {
	r := p.running.find(place{t.Topic, t.Partition})
	if r == nil || !r.assigned {
		return // it was stopped or unassigned since the client fetched these
	}
	if n := len(t.Records); n > 0 {
		r.next, r.tries = t.Records[n-1].Offset+1, 0
		r.progress.ends(r.next)
		r.queue.push(ctx, t.Records) // may wait, and the other partitions with it: see queue
	}
	r.progress.ends(max(t.LastStableOffset, 0))
	if t.Err != nil { // fetch no more until the partition has decided how to continue
		r.assigned = false
		p.client.RemoveConsumePartitions(map[string][]int32{t.Topic: {t.Partition}})
		r.failed <- t.Err // has room: the partition took the previous error before it was assigned again
	}
}

// assign lets the poller fetch a partition from the given offset.
func (p *poller) assign(ctx context.Context, of *partition, offset int64) error {
	return p.command(ctx, func() {
		r := p.running.find(of.place())
		// The place may have another partition by now: that of a topic that was deleted and made anew.
		if r != nil && r.partition == of && ctx.Err() == nil {
			r.assigned, r.next = true, offset
			p.fetch(r)
		}
	})
}

// fetch requests a partition's records from the next one on. REQUIRES: called by the poller
func (p *poller) fetch(r *running) {
	p.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{r.name.topic: {r.name.partition: kgo.NoResetOffset().At(r.next)}})
}

// forget ends fetching partitions. REQUIRES: called by the poller
func (p *poller) forget(all []*running) {
	for _, r := range all {
		r.assigned = false
		p.client.RemoveConsumePartitions(map[string][]int32{r.name.topic: {r.name.partition}})
	}
}

// unassign ends fetching a partition. It does not wait for the poller: records that arrive until then stay in the queue
// of a partition that takes no more.
func (p *poller) unassign(of *partition) {
	do := func() {
		r := p.running.find(of.place())
		if r != nil && r.partition == of && r.assigned {
			p.forget([]*running{r})
		}
	}
	p.mu.Lock()
	p.commands = append(p.commands, do)
	if p.interrupt != nil {
		p.interrupt()
	}
	p.mu.Unlock()
}

// retry requests a partition's records once more, after a pause that grows with each try that brings no record. It
// returns at once: the pause must hold up neither the partition, whose batches are still answered, nor the poller.
func (p *poller) retry(ctx context.Context, of *partition) {
	r := p.running.find(of.place())
	p.tasks.Go(func() {
		tries := 0
		if p.command(ctx, func() { tries = r.tries; r.tries++ }) != nil || retry.Pause(ctx, tries) != nil {
			return
		}
		_ = p.command(ctx, func() {
			if ctx.Err() == nil {
				r.assigned = true
				p.fetch(r)
				of.proceed()
			}
		})
	})
}
