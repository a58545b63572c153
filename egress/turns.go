package egress

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/internal/backoff"
)

// Turns let several processes publish to one receiver, one at a time.
//
//	Mine ──► Open ──► Take ──► Feed.Receiver ──► Send, Send, … ──► Mine no more, or an error ──► wait, from the start
//	                   │         │                 └── every second: Ack
//	                   │         └── the one before moves the position no more
//	                   └── the one before delivers nothing more
//
// Views of the cluster may differ, and a process may be paused in the middle of Send: Mine is a hint, and Take decides. Its
// order with Feed.Receiver matters (J12). The position is read after the last delivery of the process before, and moves by
// nothing that it acknowledges later. So each turn goes on where the position is, to the end: entries may come again, in their order,
// with the same ids, and what a reader of the topic has in the end is right. If a process that was paused could add an
// old entry after a new one, it would not be.
//
// Any error ends a turn: it is simpler to take the next one than to find out what became of a delivery.
type Turns struct {
	Mine func() bool // whether this process should publish
	Open func() (Exclusive, error)
}

// Exclusive is a Sink to which one process at a time delivers.
type Exclusive interface {
	Sink
	// Take ends the turn of other processes: once it has returned nil, nothing that they have under way is delivered.
	Take(ctx context.Context) error
}

const (
	turnEvery = 200 * time.Millisecond // how often a process looks whether it should publish
	ackEvery  = time.Second            // each is a change of the catalog, in all processes
)

// runInTurns publishes whenever it is this process's turn, until the context ends or the engine fails.
func (p *Publisher) runInTurns(ctx context.Context) error {
	for attempt := 0; ; {
		for !p.Turns.Mine() {
			p.idle()
			if backoff.Sleep(ctx, turnEvery) != nil {
				return nil
			}
			attempt = 0
		}
		sent := p.sent()
		err := p.turn(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case p.Engine.Err() != nil:
			return p.Engine.Err()
		case err == nil:
			continue // it is another one's turn
		case p.sent() > sent:
			attempt = 0
		}
		p.note(0, err)
		wait := retry.Wait(attempt)
		attempt++
		p.Logger.Warn("publishing goes on after a while, here or in another process", "receiver", p.Name, "after", wait.String(), "error", err)
		if backoff.Sleep(ctx, wait) != nil {
			return nil
		}
	}
}

// turn publishes until it is another one's turn, and then returns nil.
func (p *Publisher) turn(ctx context.Context) error {
	sink, err := p.Turns.Open()
	if err != nil {
		return err
	}
	defer func() { _ = sink.Close() }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := sink.Take(ctx); err != nil {
		return err
	}
	receiver, err := p.Engine.Feed().Receiver(p.Name) // not earlier (J12)
	if err != nil {
		return err
	}
	reader, err := receiver.Reader()
	if err != nil {
		return err
	}
	p.publishes(receiver)
	p.Logger.Info("publishing the change feed is this process's turn", "receiver", p.Name)
	var delivered atomic.Pointer[string] // the cursor after what was delivered and is not acknowledged
	work, workCtx := errgroup.WithContext(ctx)
	work.Go(func() error { return p.deliverInTurn(workCtx, reader, sink, &delivered) })
	work.Go(func() error { return acknowledge(workCtx, receiver, &delivered) })
	over := false
	work.Go(func() error {
		for p.Turns.Mine() {
			if err := backoff.Sleep(workCtx, turnEvery); err != nil {
				return err
			}
		}
		over = true
		return context.Canceled // ends the others
	})
	err = work.Wait()
	if cursor := delivered.Load(); cursor != nil {
		if err := receiver.Ack(*cursor); err != nil {
			p.Logger.Warn("what was delivered last is delivered again", "receiver", p.Name, "error", err)
		}
	}
	if over {
		return nil
	}
	return err
}

// deliverInTurn delivers entries until something fails.
func (p *Publisher) deliverInTurn(ctx context.Context, reader *feed.Reader, sink Sink, delivered *atomic.Pointer[string]) error {
	for {
		events, err := reader.Next(ctx)
		if err != nil {
			return err
		}
		if err := sink.Send(ctx, events); err != nil {
			return err
		}
		cursor := reader.Cursor()
		delivered.Store(&cursor)
		p.note(len(events), nil)
	}
}

// acknowledge moves the position now and then to what was delivered.
func acknowledge(ctx context.Context, receiver *feed.Receiver, delivered *atomic.Pointer[string]) error {
	for {
		if err := backoff.Sleep(ctx, ackEvery); err != nil {
			return err
		}
		if cursor := delivered.Load(); cursor != nil {
			if err := receiver.Ack(*cursor); err != nil {
				return err
			}
			delivered.CompareAndSwap(cursor, nil)
		}
	}
}
