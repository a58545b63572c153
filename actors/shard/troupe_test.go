package shard_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/internal/testkit/mutant"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// A troupe is a few engines that share two shards. Nothing is left to chance: the scenario says which messages are held back, which
// engines hear of changed definitions, and which are there.
type troupe struct {
	engines []*actors.Engine // nil: it has ended
	stores  []*storage.MemStore
	carried sync.WaitGroup
	cause   error // the first failure

	mu      sync.Mutex                // guards the following
	owner   [2]int                    // by shard
	holds   func(*graph.Message) bool // nil: nothing is held back
	held    int
	refused map[string]int // how often the same messages were carried
	head    *storage.MemStore
	changes []*storage.Batch // of the catalog
	heard   []int            // by engine: how many of them
	deaf    []bool           // by engine: it hears of none, and makes none
	asks    func(self int)   // before an engine asks all others; nil: nothing
	claimed *graph.ShardID   // by an engine that nobody sees
}

// newTroupe starts engines, of which the first has both shards, or the second has the second one.
func newTroupe(engines int, apart bool) *troupe {
	t := &troupe{
		engines: make([]*actors.Engine, engines), stores: make([]*storage.MemStore, engines), refused: map[string]int{},
		head: storage.NewMemStore(), heard: make([]int, engines), deaf: make([]bool, engines),
	}
	if apart {
		t.owner[1] = 1
	}
	memory, err := storage.SplitMemory(storage.MinMemory)
	t.fail(err)
	for i := range t.engines {
		t.stores[i] = storage.NewMemStore()
		shards := []graph.ShardID{}
		for id, owner := range t.owner {
			if owner == i {
				shards = append(shards, graph.ShardID(id))
			}
		}
		e, err := actors.Open(context.Background(), actors.Config{
			Store: t.stores[i], Deployment: row.Deployment{Shards: 2}, Rules: graph.DefaultRules(), Memory: memory, Shards: shards, Background: true,
			Network: player{t, i}, Journal: player{t, i}.journal(), CatalogLog: player{t, i}, Feed: feed.Settings{On: true}, Logger: slog.New(slog.DiscardHandler),
		})
		t.fail(err)
		t.mu.Lock()
		t.engines[i] = e
		t.mu.Unlock()
	}
	return t
}

func (t *troupe) ctx() context.Context { return context.Background() }

func (t *troupe) fail(err error) {
	if t.cause == nil {
		t.cause = err
	}
}

// end ends an engine: it is no more from then on.
func (t *troupe) end(i int) {
	t.mu.Lock()
	e := t.engines[i]
	t.engines[i] = nil
	t.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // it leaves what is under way
	_ = e.Close(ctx)
}

// close ends all engines, and returns the first failure.
func (t *troupe) close() error {
	for i := range t.engines {
		if t.at(i) != nil {
			t.end(i)
		}
	}
	t.carried.Wait()
	return t.cause
}

func (t *troupe) at(i int) *actors.Engine {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.engines[i]
}

func (t *troupe) of(id graph.ShardID) *actors.Engine {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.engines[t.owner[id]]
}

// await waits for what has to happen.
func (t *troupe) await(what string, happened func() bool) {
	if t.cause == nil && !t.within(time.Minute, happened) {
		t.fail(fmt.Errorf("not within a minute: %s", what))
	}
}

// happens waits for what must not happen: long where a mutant makes it happen, and briefly elsewhere.
func (t *troupe) happens(wrong func() bool) bool {
	if mutant.Overlaid() {
		return t.within(20*time.Second, wrong)
	}
	return t.within(500*time.Millisecond, wrong)
}

func (t *troupe) within(limit time.Duration, happened func() bool) bool {
	for until := time.Now().Add(limit); !happened(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			return false
		}
	}
	return true
}

// hear lets an engine hear of all changes of the catalog. REQUIRES: t.mu held
func (t *troupe) hear(i int) (err error) {
	for ; err == nil && t.heard[i] < len(t.changes); t.heard[i]++ {
		err = t.stores[i].Commit(t.changes[t.heard[i]])
	}
	return err
}

// holding holds messages back from now on; nil: none.
func (t *troupe) holding(which func(*graph.Message) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.holds = which
}

// listen lets an engine hear of changes from now on, or of none.
func (t *troupe) listen(i int, listens bool) {
	t.mu.Lock()
	t.deaf[i] = !listens
	t.mu.Unlock()
	t.spread()
}

// spread brings the catalog to all engines that listen.
func (t *troupe) spread() {
	for i := range t.engines {
		t.mu.Lock()
		e := t.engines[i]
		if t.deaf[i] || e == nil {
			t.mu.Unlock()
			continue
		}
		err := t.hear(i)
		t.mu.Unlock()
		t.fail(errors.Join(err, e.ReadDefinitions()))
	}
}

// event lets an engine take an event of some identifiers.
func (t *troupe) event(at int, n uint64, kind graph.EventType, ids ...graph.Identifier) {
	slices.SortFunc(ids, func(a, b graph.Identifier) int { return b.Key.Compare(a.Key) })
	e := &graph.Event{ID: fmt.Append(nil, n), Seen: n, Type: kind, Identifiers: ids, Stamp: graph.Stamp{Time: simStart, Tie: n}}
	d, done := &actors.Delivery{}, make(chan error, 1)
	d.Add(e)
	err := t.at(at).Submit(context.Background(), d, func(err error) { done <- err })
	if err == nil {
		err = <-done
	}
	if err == nil && d.Outcomes[0] != shard.Accepted {
		err = fmt.Errorf("event %d has outcome %d", n, d.Outcomes[0])
	}
	t.fail(err)
}

// define changes the audiences, at the first engine.
func (t *troupe) define(conditions ...string) {
	var list []audience.Definition
	for _, text := range conditions {
		where, err := audience.Parse([]byte(text))
		t.fail(err)
		list = append(list, audience.Definition{Key: "x", Where: where})
	}
	_, err := t.at(0).Define(context.Background(), func(now *audiences.State) (*audiences.State, error) { return now.Next(list) })
	t.fail(err)
	t.spread()
}

// told reports whether an engine knows a version of the audiences by which everybody was evaluated.
func (t *troupe) told(i int, version uint64) bool {
	t.spread()
	s := t.at(i).Audiences()
	return s != nil && s.Told >= version
}

// memberships counts who entered and who left audience x, and others, as the feeds of the engines say.
func (t *troupe) memberships() (entered, exited, other int) {
	for _, e := range t.feeds() {
		switch {
		case e.Kind != graph.FeedEntered && e.Kind != graph.FeedExited:
		case e.Audience != "x":
			other++
		case e.Kind == graph.FeedEntered:
			entered++
		default:
			exited++
		}
	}
	return entered, exited, other
}

// feeds are the entries of all engines, each shard's by the engine that has it.
func (t *troupe) feeds() (all []feed.Event) {
	for i := range t.engines {
		e := t.at(i)
		if e == nil {
			continue
		}
		r, err := e.Feed().Reader(t.ctx(), feed.Start)
		for t.fail(err); err == nil; {
			var events []feed.Event
			if events, err = r.TryNext(t.ctx()); len(events) == 0 {
				t.fail(err)
				break
			}
			for j := range events {
				if t.owner[events[j].Shard] == i {
					all = append(all, events[j])
				}
			}
		}
	}
	return all
}

// move gives a shard to another engine, unless that refuses it.
func (t *troupe) move(id graph.ShardID, to int) error {
	from := t.owner[id]
	t.fail(t.at(from).Yield(context.Background(), id))
	var b storage.Batch
	for _, r := range row.ShardRanges(id) {
		t.fail(t.stores[from].Iterate(r.Lower, r.Upper, func(key, value []byte) error { b.Set(key, value); return nil }))
	}
	t.fail(t.stores[to].Commit(&b))
	err := t.at(to).Take(id)
	if err == nil {
		t.mu.Lock()
		t.owner[id] = to
		t.mu.Unlock()
	}
	return err
}

// player is what one engine of a troupe has of the others: it implements actors.Network and catalog.Log.
type player struct {
	*troupe
	self int
}

var errDeaf = errors.New("it hears of no change, and makes none")

// Commit implements catalog.Log.
func (s player) Commit(ctx context.Context, b *storage.Batch, was catalog.Rows) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deaf[s.self] {
		return errDeaf
	}
	err := catalog.Local(s.head).Commit(ctx, b, was)
	if err == nil {
		s.changes = append(s.changes, b)
	}
	return errors.Join(err, s.hear(s.self))
}

// playerJournal takes what it is given.
type playerJournal struct{ player }

func (s player) journal() actors.Journal { return playerJournal{s} }

// Commit implements actors.Journal.
func (playerJournal) Commit(_ graph.ShardID, _ *storage.Batch, done func(error)) { done(nil) }

// Fresh implements actors.Journal.
func (playerJournal) Fresh(graph.ShardID) bool { return true }

// Confirm implements actors.Journal.
func (j playerJournal) Confirm(_ context.Context, id graph.ShardID) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.claimed != nil && *j.claimed == id {
		return errors.New("it was claimed")
	}
	return nil
}

// Post implements actors.Network.
func (s player) Post(p shard.Post) {
	encoded := actors.AppendPost(nil, &p)
	s.carried.Go(func() {
		p, err := actors.ParsePost(encoded)
		if err != nil {
			panic(err)
		}
		e := s.of(p.To)
		if s.hold(&p) {
			p.Messages = nil // what it acknowledges arrives
		}
		if e == nil {
			return
		}
		e.Receive(p)
	})
}

// hold reports whether an envelope is held back: it has a message that the scenario holds.
func (s player) hold(p *shard.Post) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range p.Messages {
		m, err := row.NewDecoder().Message(p.Messages[i].Body)
		if err != nil {
			panic(err)
		}
		s.refused[fmt.Sprint(p.From, p.Messages[i].Seq)]++
		if s.holds != nil && s.holds(m) {
			s.held++
			return true
		}
	}
	return false
}

// Ask implements actors.Network.
func (s player) Ask(ctx context.Context, to graph.ShardID, question []byte) ([]byte, error) {
	if e := s.of(to); e != nil {
		return e.Answer(ctx, question), nil
	}
	return nil, errors.New("nobody has the shard")
}

// AskAll implements actors.Network.
func (s player) AskAll(ctx context.Context, question []byte) (answers [][]byte, err error) {
	s.mu.Lock()
	before := s.asks
	s.mu.Unlock()
	if before != nil {
		before(s.self)
	}
	for i := range s.engines {
		if e := s.at(i); e != nil && i != s.self {
			answers = append(answers, e.Answer(ctx, question))
		}
	}
	return answers, nil
}

// Rows implements actors.Network.
func (s player) Rows(ctx context.Context, of graph.ShardID, lower, upper []byte, fn func(key, value []byte) error) error {
	return s.of(of).Rows(ctx, of, lower, upper, fn)
}
