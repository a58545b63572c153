package scoring

import (
	"context"
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// shop is a store with an engine, a keeper, and a clock that stands still.
type shop struct {
	t        *testing.T
	store    *storage.MemStore
	engine   *actors.Engine
	registry *identifier.Registry
	keeper   *Keeper
	now      atomic.Int64 // the engine's clock, ms since 1970: it looks whenever it likes
}

func openShop(t *testing.T, store *storage.MemStore, now time.Time) *shop {
	t.Helper()
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t, store: store}
	s.now.Store(now.UnixMilli())
	if s.registry, err = identifier.New([16]byte{1}, identifier.Config{Region: "US"}); err != nil {
		t.Fatal(err)
	}
	s.engine, err = actors.Open(t.Context(), actors.Config{
		Store: store, Deployment: row.Deployment{Shards: 4}, Rules: graph.DefaultRules(), Memory: memory,
		Clock: s.now.Load,
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.keeper, err = Open(s.engine, score.Terms{}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shop) close() {
	s.t.Helper()
	if err := s.engine.Close(context.Background()); err != nil {
		s.t.Error(err)
	}
}

// visit lets visitors from to to-1 look at a page.
func (s *shop) visit(from, to int) {
	s.t.Helper()
	for n := from; n < to; n++ {
		s.post(fmt.Sprintf(`{"type":"page","messageId":"v%d","userId":"u%d","timestamp":"2026-01-01T00:00:00Z"}`, n, n))
	}
}

// buy lets customers from to to-1 buy, each on as many days as differ from others'.
func (s *shop) buy(from, to int) {
	s.t.Helper()
	for n := from; n < to; n++ {
		for k := range 1 + n%4 {
			at := time.Date(2026, 1, 1+n%20+k*(7+n%11), 0, 0, 0, 0, time.UTC).Format(time.RFC3339)
			s.post(fmt.Sprintf(`{"type":"track","event":"Order Completed","messageId":"o%d-%d","userId":"u%d","timestamp":%q,"properties":{"order_id":"o%d-%d","revenue":%d}}`,
				n, k, n, at, n, k, 10+n%7+k))
		}
	}
}

func (s *shop) post(body string) {
	s.t.Helper()
	var e graph.Event
	if err := segment.NewDecoder(s.registry, segment.Options{Currency: "USD"}).Event([]byte(body), s.now.Load(), nil, &e); err != nil {
		s.t.Fatal(err)
	}
	d := &actors.Delivery{}
	d.Add(&e)
	done := make(chan error, 1)
	if err := s.engine.Submit(s.t.Context(), d, func(err error) { done <- err }); err != nil {
		s.t.Fatal(err)
	}
	if err := <-done; err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) due(want bool, when string) {
	s.t.Helper()
	if due, err := s.keeper.due(s.t.Context()); due != want || err != nil {
		s.t.Errorf("%s: due %v, %v, want %v", when, due, err, want)
	}
}

func (s *shop) fit() score.Parameters {
	s.t.Helper()
	p, result, err := s.keeper.Fit(s.t.Context())
	if result == Failed {
		s.t.Fatal(err)
	}
	return p
}

var june = time.Date(2026, 6, 1, 3, 0, 0, 0, time.UTC)

// TestDue: visitors who do not buy ask for no fit, however many they are; 5 % more customers and a day do.
func TestDue(t *testing.T) {
	s := openShop(t, storage.NewMemStore(), june)
	s.due(false, "empty")
	s.buy(0, 100)
	s.due(true, "cold start")
	if p := s.fit(); p.Version != 1 || p.Customers != 100 {
		t.Errorf("version %d of %d customers, want 1 of 100", p.Version, p.Customers)
	}
	s.due(false, "right after a fit")
	s.visit(1000, 1300)
	s.due(false, "four times as many identities")
	s.buy(100, 104)
	s.due(false, "4 % more customers")
	s.buy(1000, 1001) // a visitor who became a customer
	s.due(true, "5 % more customers")
	s.fit()
	s.due(false, "after that fit")
	s.now.Add(refitAfter.Milliseconds() - 1)
	s.due(false, "nearly a day later")
	s.now.Add(1)
	s.due(true, "a day later")
	s.fit()
	before := *s.keeper.Scorer().Parameters()
	s.close()

	// After a start the snapshot is that of the last fit, and growth counts from there on.
	s = openShop(t, s.store.Reopen(), time.UnixMilli(s.now.Load()).Add(time.Hour))
	defer s.close()
	if got := *s.keeper.Scorer().Parameters(); got.Version != 3 || !reflect.DeepEqual(got, before) {
		t.Errorf("after a start\n%+v\nwant\n%+v", got, before)
	}
	s.due(false, "after a start")
	s.buy(200, 206)
	s.due(true, "5 % more customers after a start")
	if p := s.fit(); p.Version != 4 {
		t.Errorf("version %d, want 4", p.Version)
	}
}

// TestFitFails: a fit that says nothing is counted, leaves the snapshot as it is, and is not tried at every look (K3).
func TestFitFails(t *testing.T) {
	s := openShop(t, storage.NewMemStore(), june)
	defer s.close()
	s.buy(0, 100)
	s.fit()
	before := s.keeper.Scorer()
	s.now.Store(june.AddDate(-1, 0, 0).UnixMilli()) // by this clock nobody has bought yet
	p, result, err := s.keeper.Fit(t.Context())
	if result != Failed || err == nil || p.Version != 1 {
		t.Errorf("%s, version %d, %v, want a fit that failed", result, p.Version, err)
	}
	if s.keeper.Scorer() != before {
		t.Error("another snapshot is in use")
	}
	if stored, err := row.ReadParameters(s.store); err != nil || stored.Version != 1 {
		t.Errorf("version %d is in the store, %v, want 1", stored.Version, err)
	}
	if s.keeper.Fits(Failed) != 1 || s.keeper.Fits(Fitted)+s.keeper.Fits(Partly) != 1 {
		t.Errorf("%d fits failed, %d did not, want 1 and 1", s.keeper.Fits(Failed), s.keeper.Fits(Fitted)+s.keeper.Fits(Partly))
	}
	s.due(false, "after a fit that failed")
	if p := s.next(); p.Version != 2 {
		t.Errorf("version %d after it, want 2", p.Version)
	}
}

// next fits at the time at which everybody has bought.
func (s *shop) next() score.Parameters {
	s.t.Helper()
	s.now.Store(june.UnixMilli())
	return s.fit()
}

// TestSampleGrows: a sample of as many identities as it begins with has too few customers, and takes more.
func TestSampleGrows(t *testing.T) {
	if testing.Short() {
		t.Skip("24,000 identities")
	}
	const identities, buyers = 24_000, 5_500
	s := openShop(t, storage.NewMemStore(), june)
	defer s.close()
	s.visit(0, identities)
	for n := range buyers {
		s.post(fmt.Sprintf(`{"type":"track","event":"Order Completed","messageId":"o%d","userId":"u%d","timestamp":"2026-02-01T00:00:00Z","properties":{"order_id":"o%d","revenue":10}}`, n, n, n))
	}
	sample := func(share float64) (n int) {
		if err := s.keeper.each(t.Context(), share, func(*score.Customer) { n++ }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := sample(shareOf(identities)); n < sampleAims*98/100 || n > sampleAims*102/100 {
		t.Errorf("a sample begins with %d identities, want about %d", n, sampleAims)
	}
	if n, err := s.keeper.customers(t.Context(), shareOf(identities), june.UnixMilli()); n >= customersWants || err != nil {
		t.Fatalf("%d customers to begin with, %v: nothing to test", n, err)
	}
	if p := s.fit(); p.Customers < customersWants || p.Identities != identities {
		t.Errorf("%d customers of %d identities, want %d of %d", p.Customers, p.Identities, customersWants, identities)
	}
}
