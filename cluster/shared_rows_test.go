package cluster

import (
	"errors"
	"reflect"
	"testing"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/cluster/control"
	"github.com/kindred-id/kindred/storage"
)

// A change of rows of no shard reaches its owner as it was, and a cut one is refused.
func TestChangeTravels(t *testing.T) {
	b := &storage.Batch{}
	b.Set([]byte{1, 2}, []byte("value"))
	b.Delete([]byte{1, 3})
	c := &control.Change{Batch: b, Was: control.Rows{"a": nil, "b": {}, "c": []byte("x")}}
	sent := appendChange(nil, c)
	got, err := parseChange(sent)
	if err != nil {
		t.Fatal(err)
	}
	ops, n := got.Batch.Ops()
	want, m := b.Ops()
	if string(ops) != string(want) || n != m || !reflect.DeepEqual(got.Was, c.Was) {
		t.Errorf("%+v, want %+v", got, c)
	}
	for cut := range sent {
		if _, err := parseChange(sent[:cut]); err == nil {
			t.Errorf("the first %d bytes of %d are taken for a change", cut, len(sent))
		}
	}
	if _, err := parseChange(append(sent, 0)); err == nil {
		t.Error("a byte too many is passed over")
	}
}

// The answer of the owner says what became of a change.
func TestAnswerTravels(t *testing.T) {
	for _, err := range []error{nil, catalog.ErrConflict, errElsewhere} {
		next, got := parseAnswer(appendAnswer(7, err))
		if !errors.Is(got, err) || err == nil && (next != 7 || got != nil) {
			t.Errorf("%v: %d, %v", err, next, got)
		}
	}
	if _, err := parseAnswer(appendAnswer(0, control.ErrSize)); err == nil || err.Error() != control.ErrSize.Error() {
		t.Errorf("a refusal: %v", err)
	}
	if _, err := parseAnswer(nil); !errors.Is(err, errElsewhere) {
		t.Errorf("no answer: %v", err)
	}
}
