package row

import (
	"bytes"
	"errors"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// The secret of a deployment never leaves the process, and every process has its own in its row.
func TestSecretStaysHere(t *testing.T) {
	here, there := Secret{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, Secret{16, 15}
	d := Deployment{Shards: 8, Secret: here, RulesName: "default", RulesVersion: 7, Created: 5}
	var b storage.Batch
	if err := d.Put(&b); err != nil {
		t.Fatal(err)
	}
	(&Channel{Name: "topic/0", Floor: 3}).Put(&b, 1)
	gone := appendRulesKey(nil)
	b.Delete(gone)
	sent, err := Concealed(&b)
	if err != nil {
		t.Fatal(err)
	}
	ops, n := sent.Ops()
	if bytes.Contains(ops, here[:]) {
		t.Fatal("the secret leaves")
	}
	taken, err := CatalogOf(ops, n, there)
	if err != nil {
		t.Fatal(err)
	}
	store := storage.NewMemStore()
	if err := store.Commit(taken); err != nil {
		t.Fatal(err)
	}
	want := d
	want.Secret = there
	if got, err := ReadDeployment(store); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if c, err := ReadChannel(store, 1); err != nil || c.Name != "topic/0" {
		t.Errorf("%+v, %v", c, err)
	}
	if taken.Len() != 3 {
		t.Errorf("%d operations, want 3", taken.Len())
	}
	value := appendDeployment(nil, &d)
	if concealed, err := ConcealedValue(appendDeploymentKey(nil), value); err != nil || bytes.Contains(concealed, here[:]) || len(concealed) != len(value) {
		t.Errorf("the value that leaves: % x, %v", concealed, err)
	}
}

// A batch of the catalog that writes a row of a shard is refused.
func TestCatalogOfRefuses(t *testing.T) {
	for name, fill := range map[string]func(*storage.Batch){
		"a row of a shard": func(b *storage.Batch) { b.Set(AppendLogKey(nil, graph.ShardID(1), 1), nil) },
		"a range":          func(b *storage.Batch) { b.DeleteRange([]byte{1}, []byte{2}) },
	} {
		var b storage.Batch
		fill(&b)
		ops, n := b.Ops()
		if _, err := CatalogOf(ops, n, Secret{}); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
