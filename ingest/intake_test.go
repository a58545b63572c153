package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

const received = 1_767_225_600_000

func open(t *testing.T) Into {
	t.Helper()
	registry, err := identifier.New([16]byte{1, 2, 3}, identifier.Config{})
	if err != nil {
		t.Fatal(err)
	}
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := actors.Open(t.Context(), actors.Config{
		Store: storage.NewMemStore(), Deployment: row.Deployment{Shards: 2}, Rules: graph.DefaultRules(), Memory: memory,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return Into{Engine: engine, Registry: registry}
}

func page(id, user string) []byte {
	return fmt.Appendf(nil, `{"type":"page","messageId":%q,"userId":%q,"timestamp":"2026-01-01T00:00:00Z"}`, id, user)
}

// statuses takes events and returns their statuses.
func statuses(t *testing.T, in *Intake, from Arrival, events ...[]byte) (all []Status) {
	t.Helper()
	in.Reset()
	for _, raw := range events {
		in.Take(raw, from)
	}
	if err := in.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, v := range in.Verdicts() {
		all = append(all, v.Status)
	}
	return all
}

// Each event has one verdict, in its position, whatever its outcome (N1).
func TestVerdicts(t *testing.T) {
	in := NewIntake(open(t))
	got := statuses(t, in, Arrival{Received: received},
		page("1", "ann"), []byte(`{"type":"page","userId":`), page("2", "null"), page("1", "ann"), page("3", "bob"), []byte(`{"type":"pag","userId":"ann"}`))
	want := []Status{Accepted, Rejected, WithoutIdentifier, Duplicate, Accepted, Rejected}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	n := in.Tally()
	if n[Accepted] != 2 || n[Rejected] != 2 || n[Duplicate] != 1 || n[WithoutIdentifier] != 1 {
		t.Errorf("tally %v", n)
	}
	if v := in.Verdicts()[4]; string(v.ID) != "3" || v.Type != graph.TypePage || v.Rejection != nil {
		t.Errorf("verdict %+v", v)
	}
	if v := in.Verdicts()[1]; v.Rejection == nil || v.Rejection.Code != segment.CodeInvalidJSON {
		t.Errorf("verdict %+v", v)
	}
}

// blocklist admits events of every source except one.
type blocklist struct {
	source string
	asked  int
}

func (b *blocklist) Admit(e *graph.Event, from *Arrival) *segment.Rejection {
	b.asked++
	if string(from.Source) == b.source && len(e.Identifiers) > 0 {
		return &segment.Rejection{Code: "not_admitted", Message: "the source is blocked", Hint: "ask for a key"}
	}
	return nil
}

// The engine keeps neither the person nor the message id of an event that admission refuses (N2).
func TestAdmission(t *testing.T) {
	into := open(t)
	gate := &blocklist{source: "shop"}
	into.Admission = gate
	in := NewIntake(into)
	if got := statuses(t, in, Arrival{Received: received, Source: []byte("shop")}, page("1", "ann"), []byte("{")); !slices.Equal(got, []Status{Rejected, Rejected}) {
		t.Fatalf("got %v", got)
	}
	if v := in.Verdicts()[0]; v.Rejection.Code != "not_admitted" || string(v.ID) != "1" || v.Type != graph.TypePage {
		t.Errorf("verdict %+v", v)
	}
	if gate.asked != 1 {
		t.Errorf("admission was asked %d times, want once: for the event that could be read", gate.asked)
	}
	ann, err := into.Registry.Parse("user_id:ann")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := into.Engine.Profile(t.Context(), ann.Key); !errors.Is(err, actors.ErrUnknown) {
		t.Errorf("error %v; want nobody", err)
	}
	if got := statuses(t, in, Arrival{Received: received, Source: []byte("app")}, page("1", "ann")); !slices.Equal(got, []Status{Accepted}) {
		t.Errorf("got %v from another source", got)
	}
	if _, err := into.Engine.Profile(t.Context(), ann.Key); err != nil {
		t.Errorf("error %v; want a profile", err)
	}
}

// Events of a channel that another consumer took meanwhile come out of turn; a new chain delivers the rest once.
func TestAgain(t *testing.T) {
	into := open(t)
	ch, err := into.Engine.ExternalChannels().Open(t.Context(), "topic/0/v1")
	if err != nil {
		t.Fatal(err)
	}
	begin := func() *Intake {
		chain, err := NewChain(t.Context(), ch)
		if err != nil {
			t.Fatal(err)
		}
		in := NewIntake(into)
		in.Follow(chain)
		return in
	}
	take := func(in *Intake, offsets ...int64) {
		for _, offset := range offsets {
			in.Take(page(fmt.Sprint(offset), "ann"), Arrival{Received: received, Number: actors.RecordNumber(offset, 0)})
		}
	}
	settled := func(in *Intake) (all []Status) {
		if err := in.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, v := range in.Verdicts() {
			all = append(all, v.Status)
		}
		return all
	}
	slow, fast := begin(), begin()
	take(slow, 0, 2)
	take(fast, 0, 1)
	if got := settled(fast); !slices.Equal(got, []Status{Accepted, Accepted}) {
		t.Fatalf("the first consumer got %v", got)
	}
	if got := settled(slow); !slices.Equal(got, []Status{OutOfTurn, OutOfTurn}) {
		t.Fatalf("the second consumer got %v", got)
	}
	chain, err := NewChain(t.Context(), ch)
	if err != nil {
		t.Fatal(err)
	}
	slow.Again(chain)
	if got := settled(slow); !slices.Equal(got, []Status{Elsewhere, Accepted}) {
		t.Errorf("the second consumer got %v on a new chain", got)
	}
}

// An intake that the engine holds can't be reset (N3).
func TestResetWhileDelivering(t *testing.T) {
	in := NewIntake(open(t))
	in.Take(page("1", "ann"), Arrival{Received: received})
	in.lent = true
	defer func() {
		if recover() == nil {
			t.Error("reset did not panic")
		}
	}()
	in.Reset()
}

// In the steady state an event costs no allocation.
func TestTakeAllocations(t *testing.T) {
	in := NewIntake(open(t))
	raw, from := page("1", "ann"), Arrival{Received: received}
	take := func() {
		in.Reset()
		for range 100 {
			in.Take(raw, from)
		}
	}
	take()
	if n := testing.AllocsPerRun(100, take); n > 0 {
		t.Errorf("%v allocations for 100 events", n)
	}
}

// A new intake makes events several at once: 400 events cost far fewer than 400 allocations.
func TestFirstTakeAllocations(t *testing.T) {
	into, from := open(t), Arrival{Received: received}
	raw := []byte(`{"type":"page","messageId":"1","anonymousId":"a-1","userId":"ann","context":{"traits":{"email":"ann@moss.example"}}}`)
	n := testing.AllocsPerRun(10, func() {
		in := NewIntake(into)
		for range 400 {
			if v := in.Take(raw, from); v.Rejection != nil {
				t.Fatal(v.Rejection)
			}
		}
	})
	if n > 300 {
		t.Errorf("%v allocations for an intake and its first 400 events", n)
	}
}
