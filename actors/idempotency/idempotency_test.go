package idempotency

import (
	"context"
	"errors"
	"testing"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// The life of a key: begun, under way, begun again after a crash, answered, refused for another body, and new once its
// time is up; then rows of other keys whose time is up are gone, too.
func TestLifeOfAKey(t *testing.T) {
	store, now, ctx := storage.NewMemStore(), int64(1_000_000), context.Background()
	open := func() *Keeper { return New(catalog.New(store, nil), func() int64 { return now }) }
	k := open()
	begin := func(key, body, id string, want error) *Request {
		t.Helper()
		r, err := k.Begin(ctx, key, []byte(body), id)
		if !errors.Is(err, want) {
			t.Fatalf("Begin(%s, %s): %v, want %v", key, body, err, want)
		}
		return r
	}
	begin("a", "1", "first", nil)
	begin("a", "1", "second", ErrUnderWay)
	now += 5
	k = open() // a crash
	r := begin("a", "1", "third", nil)
	if r.ID != "first" || r.At != 1_000_000 || r.Answer != nil {
		t.Fatalf("begun again as %+v", r)
	}
	if err := r.Finish(ctx, []byte("answer")); err != nil {
		t.Fatal(err)
	}
	begin("a", "1", "", ErrUnderWay)
	r.End()
	k = open()
	if r = begin("a", "1", "fourth", nil); string(r.Answer) != "answer" || r.ID != "first" {
		t.Fatalf("answered as %+v", r)
	}
	r.End()
	begin("a", "2", "", ErrOther)
	refused := begin("b", "1", "b1", nil)
	if err := refused.Drop(ctx); err != nil {
		t.Fatal(err)
	}
	refused.End()
	begin("b", "2", "b2", nil).End()
	now += KeptFor.Milliseconds() + 1
	if r = begin("a", "2", "fifth", nil); r.ID != "fifth" || r.Answer != nil {
		t.Fatalf("after its time: %+v", r)
	}
	rows := 0
	if err := row.ScanKeptAnswers(store, func(row.KeptAnswer) error { rows++; return nil }); err != nil || rows != 1 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

// An answer that is too long is not kept: it is made again, under the same id.
func TestLongAnswer(t *testing.T) {
	k := New(catalog.New(storage.NewMemStore(), nil), func() int64 { return 7 })
	ctx := context.Background()
	r, err := k.Begin(ctx, "a", nil, "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Finish(ctx, make([]byte, maxAnswer+1)); err != nil {
		t.Fatal(err)
	}
	r.End()
	if r, err = k.Begin(ctx, "a", nil, "y"); err != nil || r.Answer != nil || r.ID != "x" {
		t.Error(r, err)
	}
}
