package control_test

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kindred-id/kindred/cluster/control"
	"github.com/kindred-id/kindred/cluster/journal/journaltest"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// J9: changes that rest on each other's rows have an order, and an id of a channel has one name for ever.
func TestControlProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := journaltest.SimulateControl(rapid.Uint64().Draw(t, "seed")); err != nil {
			t.Fatal(err)
		}
	})
}

func TestRefused(t *testing.T) {
	store := storage.NewMemStore()
	var have storage.Batch
	(&row.Channel{Name: "topic/0", Floor: 3}).Put(&have, 1)
	(&row.Channel{}).Put(&have, 2)
	if err := store.Commit(&have); err != nil {
		t.Fatal(err)
	}
	batch := func(fn func(*storage.Batch)) *storage.Batch {
		b := &storage.Batch{}
		fn(b)
		return b
	}
	put := func(id row.ChannelID, name string) *storage.Batch {
		return batch(func(b *storage.Batch) { (&row.Channel{Name: name, Floor: 4}).Put(b, id) })
	}
	var key []byte
	for k := range put(1, "topic/0").Keys() {
		key = slices.Clone(k)
	}
	value, err := store.Get(nil, key)
	if err != nil {
		t.Fatal(err)
	}
	absent := slices.Clone(key)
	absent[2] = 9
	for name, test := range map[string]struct {
		change control.Change
		want   error
	}{
		"a floor":                 {control.Change{Was: control.Rows{string(key): value}, Batch: put(1, "topic/0")}, nil},
		"a new channel":           {control.Change{Was: control.Rows{string(absent): nil}, Batch: put(3, "topic/1")}, nil},
		"a channel that goes":     {control.Change{Batch: put(1, "")}, nil},
		"another value":           {control.Change{Was: control.Rows{string(key): {1}}, Batch: put(1, "topic/0")}, control.ErrConflict},
		"a row that is there":     {control.Change{Was: control.Rows{string(key): nil}, Batch: put(1, "topic/0")}, control.ErrConflict},
		"a row that is absent":    {control.Change{Was: control.Rows{string(absent): {}}, Batch: put(3, "topic/1")}, control.ErrConflict},
		"an id used again":        {control.Change{Batch: put(2, "topic/0")}, control.ErrReused},
		"another name":            {control.Change{Batch: put(1, "topic/1")}, control.ErrReused},
		"a row of a channel gone": {control.Change{Batch: batch(func(b *storage.Batch) { b.Delete(key) })}, control.ErrReused},
		"a row of a shard":        {control.Change{Batch: batch(func(b *storage.Batch) { b.Set(row.AppendLogKey(nil, graph.ShardID(1), 1), nil) })}, control.ErrKey},
		"a range":                 {control.Change{Batch: batch(func(b *storage.Batch) { b.DeleteRange(key, absent) })}, control.ErrKey},
		"too much":                {control.Change{Batch: batch(func(b *storage.Batch) { b.Set(key, make([]byte, 17<<20)) })}, control.ErrSize},
	} {
		b, refused, err := control.New(store).Step([]control.Change{test.change})
		if err != nil || !errors.Is(refused[0], test.want) || b.Empty() != (test.want != nil) {
			t.Errorf("%s: %v, %v, want %v", name, refused, err, test.want)
		}
	}
}

func TestGate(t *testing.T) {
	for _, test := range []struct {
		members []control.Member
		want    uint64
		held    []string
	}{
		{nil, control.Oldest, nil},
		{[]control.Member{{"a", 6}, {"b", 6}}, 6, nil},
		{[]control.Member{{"a", 6}, {"b", 5}, {"c", 7}}, 5, []string{"b"}},
		{[]control.Member{{"a", 4}, {"b", 0}}, control.Oldest, []string{"b"}}, // of a program that said nothing
	} {
		got, held := control.Gate(test.members)
		if got != test.want || !slices.Equal(held, test.held) {
			t.Errorf("%v: %d, held down by %v, want %d, %v", test.members, got, held, test.want, test.held)
		}
	}
	if control.Admit(6, control.Member{Name: "a", Readable: 5}) || !control.Admit(6, control.Member{Name: "a", Readable: 6}) {
		t.Error("a node comes in if it reads what is written, and only then")
	}
}
