package egress

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/internal/backoff"
)

// Publisher carries the change feed to a sink, at least once and in order, from its last position.
//
//	reader ──events──► Send ──nil──► Ack(cursor)      the position is kept under Name
//	                    │ error
//	                    └──────► wait, the same events again
//
// Invariants:
//   - A failed delivery is retried for ever. Skipping an entry that a sink refuses would be the obvious way to keep
//     going, but a receiver that misses one entry is wrong from then on, and nothing would say so.
//   - A position moves only after Send has returned nil for all entries before it (E2), so a crash repeats entries
//     and loses none.
type Publisher struct {
	Engine *actors.Engine
	Sink   Sink
	Turns  *Turns // in place of Sink, where several processes publish
	Name   string // of the receiver: its position is kept under it
	Logger *slog.Logger

	mu       sync.Mutex // guards the following
	status   PublisherStatus
	receiver *feed.Receiver // nil until Run has registered it, and while another process publishes
}

// PublisherStatus is the status of a publisher.
type PublisherStatus struct {
	Turn     bool      // this process publishes, and not another one
	Sent     uint64    // entries delivered since the start
	Behind   uint64    // entries of the feed that are not known to be delivered
	Attempts int       // deliveries of the same entries that failed in a row
	Err      error     // of the last failed delivery, or why publishing stopped; nil while all is well
	Last     time.Time // of the last delivery since the start; zero before it
	Stopped  bool      // it will not continue by itself: Err has the reason
}

// retry is the wait between attempts to deliver the same entries.
var retry = backoff.Doubling{First: 200 * time.Millisecond, Most: 30 * time.Second}

// Run publishes until the context ends, and then returns nil. It fails if the engine or the feed does.
func (p *Publisher) Run(ctx context.Context) error {
	run := p.run
	if p.Turns != nil {
		run = p.runInTurns
	}
	err := run(ctx)
	if err != nil {
		p.mu.Lock()
		p.status.Err, p.status.Stopped = err, true
		p.mu.Unlock()
	}
	return err
}

// run delivers entries until the context ends. The entries of one Next are delivered whole, acknowledged, and only
// then is the next asked for: one batch is under way, so the sink holds back the reader, and what waits stays on the
// disk.
func (p *Publisher) run(ctx context.Context) error {
	receiver, err := p.Engine.Feed().Receiver(p.Name)
	if err != nil {
		return err
	}
	p.publishes(receiver)
	reader, err := receiver.Reader()
	if err != nil {
		return err
	}
	for {
		events, err := reader.Next(ctx)
		if err == nil {
			err = p.deliver(ctx, events)
		}
		if err == nil {
			err = receiver.Ack(reader.Cursor()) // not earlier (E2)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("publish changes to %s: %w", p.Name, err)
		}
	}
}

// deliver hands entries over until the sink has them. It gives up only if the context ends or the engine is closed.
func (p *Publisher) deliver(ctx context.Context, events []feed.Event) error {
	for attempt := 0; ; attempt++ {
		err := p.Sink.Send(ctx, events)
		p.note(len(events), err)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if errors.Is(err, actors.ErrClosed) {
			return err
		}
		wait := retry.Wait(attempt)
		p.Logger.Warn("changes were not delivered: they are sent again", "receiver", p.Name, "entries", len(events), "after", wait.String(), "error", err)
		if err := backoff.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// note records how one delivery of n entries went, for Status.
func (p *Publisher) note(n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.Err = err
	if err != nil {
		p.status.Attempts++
		return
	}
	p.status.Attempts, p.status.Last = 0, time.Now()
	p.status.Sent += uint64(n)
}

// publishes notes that this process delivers to a receiver.
func (p *Publisher) publishes(receiver *feed.Receiver) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.receiver = receiver
}

// idle notes that another process publishes.
func (p *Publisher) idle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.receiver, p.status.Err, p.status.Attempts, p.status.Behind = nil, nil, 0, 0
}

func (p *Publisher) sent() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status.Sent
}

// statusPatience bounds the question how far the feed is. Without an answer, the last one counts.
const statusPatience = time.Second

// Status returns the status of the publisher.
func (p *Publisher) Status(ctx context.Context) PublisherStatus {
	p.mu.Lock()
	receiver := p.receiver
	p.mu.Unlock()
	if receiver != nil {
		ctx, cancel := context.WithTimeout(ctx, statusPatience)
		defer cancel()
		if behind, err := receiver.Behind(ctx); err == nil {
			p.mu.Lock()
			p.status.Behind = behind
			p.mu.Unlock()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.Turn = p.receiver != nil
	return p.status
}
