package actors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// slowJournal takes a batch when it is told to, and says what it is told about the shards.
type slowJournal struct {
	batches   chan func(error)
	stale     atomic.Bool
	overtaken atomic.Bool
	confirmed atomic.Int64
}

func (j *slowJournal) Commit(_ graph.ShardID, _ *storage.Batch, done func(error)) { j.batches <- done }

func (j *slowJournal) Fresh(graph.ShardID) bool { return !j.stale.Load() }

func (j *slowJournal) Confirm(context.Context, graph.ShardID) error {
	j.confirmed.Add(1)
	if j.overtaken.Load() {
		return errors.New("another process has claimed it")
	}
	return nil
}

// TestCurrency: what a process holds of a shard is shown as long as it is fresh, and strongly only once the commit under way counts
// and the journal has confirmed that nobody else has the shard.
func TestCurrency(t *testing.T) {
	ctx := context.Background()
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	j := &slowJournal{batches: make(chan func(error), 16)}
	e, err := Open(ctx, Config{Store: storage.NewMemStore(), Deployment: row.Deployment{Shards: 1}, Rules: graph.DefaultRules(), Memory: memory, Journal: j})
	if err != nil {
		t.Fatal(err)
	}
	defer e.shutdown()
	begin := func(ev *graph.Event) (*Delivery, chan error) {
		d, done := &Delivery{}, make(chan error, 1)
		d.Add(ev)
		if err := e.Submit(ctx, d, func(err error) { done <- err }); err != nil {
			t.Fatal(err)
		}
		return d, done
	}
	first := counting(0, 1)
	key := first.Identifiers[0].Key
	_, done := begin(first)
	(<-j.batches)(nil)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	events := func(ctx context.Context) (uint64, error) {
		p, err := e.Profile(ctx, key)
		return p.Events, err
	}
	if n, err := events(ctx); n != 1 || err != nil {
		t.Fatalf("%d events, %v", n, err)
	}
	j.stale.Store(true)
	if _, err := events(ctx); !errors.Is(err, ErrLost) {
		t.Errorf("a read of a shard that is not fresh: %v", err)
	}
	if _, err := e.Timeline(ctx, key, TimelineQuery{Limit: 1}); !errors.Is(err, ErrLost) {
		t.Errorf("events of a shard that is not fresh: %v", err)
	}
	if n, err := events(Strong(ctx)); n != 1 || err != nil || j.confirmed.Load() != 1 {
		t.Errorf("a strong read asks the journal itself: %d events, %v, %d questions", n, err, j.confirmed.Load())
	}
	j.overtaken.Store(true)
	if _, err := events(Strong(ctx)); !errors.Is(err, ErrLost) {
		t.Errorf("a strong read of a shard that was overtaken: %v", err)
	}
	j.overtaken.Store(false)

	// A strong read shows a commit that is on its way once it counts, and never if it does not.
	for i, refused := range []error{nil, errFenced} {
		j.stale.Store(false)
		_, done = begin(counting(0, uint64(2+i)))
		decide := <-j.batches
		if n, err := events(ctx); n != 2 && refused == nil || err != nil {
			t.Errorf("a local read is ahead of the journal: %d events, %v", n, err)
		}
		asked := j.confirmed.Load()
		type answer struct {
			n   uint64
			err error
		}
		strong := make(chan answer, 1)
		go func() {
			n, err := events(Strong(ctx))
			strong <- answer{n, err}
		}()
		select {
		case a := <-strong:
			t.Fatalf("a strong read did not wait for the commit: %+v", a)
		case <-time.After(50 * time.Millisecond):
		}
		decide(refused)
		if err := <-done; err != nil { // what the journal refused is told in the delivery
			t.Fatal(err)
		}
		switch a := <-strong; {
		case refused == nil && (a.n != 2 || a.err != nil || j.confirmed.Load() != asked+1):
			t.Errorf("%+v, %d questions", a, j.confirmed.Load()-asked)
		case refused != nil && !errors.Is(a.err, ErrLost):
			t.Errorf("what the journal refused was shown: %+v", a)
		}
	}
}

// counting is one of a person's events, which it makes one more.
func counting(person int, number uint64) *graph.Event {
	value := fmt.Sprint(person)
	return &graph.Event{
		ID: fmt.Append(nil, person, "-", number), Seen: number, Type: graph.TypePage, Stamp: graph.Stamp{Time: simStart, Tie: number},
		Identifiers: []graph.Identifier{{Key: oracle.Key("anonymous_id", value), Namespace: "anonymous_id", Value: []byte(value)}},
	}
}

// counter is the model of a person of whom events are counted: input true adds one.
var counter = porcupine.Model{
	Init: func() any { return uint64(0) },
	Step: func(state, add, seen any) (bool, any) {
		if add == true {
			return true, state.(uint64) + 1
		}
		return state == seen, state
	},
}

// TestStrongReadsAreLinearizable: over engines that share shards, which move and are taken away in the middle of commits, each strong
// read at any engine sees the events of all answers that were given before it began, and none that is lost later.
func TestStrongReadsAreLinearizable(t *testing.T) {
	for _, seed := range seeds(t, 4, 2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("again: KINDRED_SEED=%d go test ./actors -run TestStrongReadsAreLinearizable", seed)
				}
			}()
			rng := rand.New(rand.NewPCG(seed, 39))
			const shards, people, clients, steps = 4, 6, 6, 60
			f := newFleet(t, rng, graph.DefaultRules(), 3, shards, true)
			defer f.close()
			_, stop := f.moving(rand.New(rand.NewPCG(seed, 40)))
			var asking sync.WaitGroup
			begin := time.Now()
			var mu sync.Mutex // guards the following
			history := make([][]porcupine.Operation, people)
			var number atomic.Uint64
			for client := range clients {
				asking.Go(func() {
					rng := rand.New(rand.NewPCG(seed, 41+uint64(client)))
					for range steps {
						person, add := rng.IntN(people), rng.IntN(3) == 0
						op := porcupine.Operation{ClientId: client, Input: add, Output: uint64(0), Call: int64(time.Since(begin))}
						if add {
							insist(t, f.any(), []graph.Event{*counting(person, number.Add(1))})
						} else {
							p, err := f.any().Profile(Strong(context.Background()), counting(person, 0).Identifiers[0].Key)
							for errors.Is(err, ErrLost) || errors.Is(err, ErrInTransit) {
								p, err = f.any().Profile(Strong(context.Background()), counting(person, 0).Identifiers[0].Key)
							}
							if err != nil && !errors.Is(err, ErrUnknown) {
								t.Error(err)
							}
							op.Output = p.Events
						}
						op.Return = int64(time.Since(begin))
						mu.Lock()
						history[person] = append(history[person], op)
						mu.Unlock()
					}
				})
			}
			asking.Wait()
			stop()
			f.calm()
			for person, operations := range history {
				if !porcupine.CheckOperations(counter, operations) {
					t.Errorf("no order explains the %d operations of person %d", len(operations), person)
				}
			}
		})
	}
}
