package audit_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/actors/audit"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest/file"
	"github.com/kindred-id/kindred/node"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

const verifyOthers = 64 // people of one event

const verifyEvents = `{"type":"page","anonymousId":"a1","messageId":"m1","timestamp":"2026-01-01T10:00:00Z"}
{"type":"identify","anonymousId":"a1","userId":"7","messageId":"m2","timestamp":"2026-01-01T10:01:00Z","traits":{"email":"ann@example.com"}}
{"type":"group","groupId":"acme","traits":{"name":"Acme"},"anonymousId":"b1","messageId":"m3","timestamp":"2026-01-01T10:02:00Z"}
{"type":"identify","userId":"8","messageId":"m4","timestamp":"2026-01-01T10:03:00Z","traits":{"email":"bob@example.com"}}
`

// verifyStore makes a data directory with three people, closed in order, and opens its store.
func verifyStore(t *testing.T) *storage.Pebble {
	t.Helper()
	ctx := context.Background()
	dir, secret := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("00112233445566778899aabbccddeeff"), 0o600); err != nil { // always the same shards
		t.Fatal(err)
	}
	k, err := node.Open(ctx, node.Config{Dir: dir, Memory: storage.MinMemory, Shards: 4, SecretFile: secret})
	if err != nil {
		t.Fatal(err)
	}
	take := func(events string) {
		t.Helper()
		source := file.Source{Name: "events", Open: func() (*file.Reader, error) {
			return file.NewReader(io.NopCloser(strings.NewReader(events)), "events", 0)
		}}
		if _, err := file.NewPipeline(k.Into(false)).Run(ctx, []file.Source{source}); err != nil {
			t.Fatal(err)
		}
	}
	take(verifyEvents)
	// The last record of each log is always kept, and a start would make good what it holds: let it hold
	// something else.
	var others strings.Builder
	for n := range verifyOthers {
		fmt.Fprintf(&others, `{"type":"page","anonymousId":"other%d","messageId":"other%d","timestamp":"2026-01-02T10:00:00Z"}`+"\n", n, n)
	}
	take(others.String())
	if err := k.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	store, _, err := row.Open(storage.Options{Dir: dir}, row.Deployment{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

type stored struct{ key, value []byte }

// rowsOf lists the rows of a space.
func rowsOf(t *testing.T, store storage.Store, space row.Space) (rows []stored) {
	t.Helper()
	err := store.Iterate(row.AppendSpaceLower(nil, space), row.AppendSpaceUpper(nil, space), func(key, value []byte) error {
		rows = append(rows, stored{append([]byte(nil), key...), append([]byte(nil), value...)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// nodeRow finds a node's row: a root's, or a forward's.
func nodeRow(t *testing.T, store storage.Store, root bool) (stored, *graph.Node) {
	t.Helper()
	dec := row.NewDecoder()
	for _, r := range rowsOf(t, store, row.SpaceNode) {
		_, key, err := row.ParseNodeKey(r.key)
		if err != nil {
			t.Fatal(err)
		}
		n, _, err := dec.Node(key, r.value)
		if err != nil {
			t.Fatal(err)
		}
		if (n.Component != nil) == root && (!root || len(n.Component.Evidence().Members) > 1) {
			return r, n
		}
	}
	t.Fatal("no such row")
	return stored{}, nil
}

// Verify finds what is broken, and says nothing of what isn't.
func TestVerify(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, store storage.Store, b *storage.Batch)
		want  string // in a problem; empty for none
	}{
		{"nothing", func(*testing.T, storage.Store, *storage.Batch) {}, ""},
		{"a root is gone", func(t *testing.T, store storage.Store, b *storage.Batch) {
			r, _ := nodeRow(t, store, true)
			b.Delete(r.key)
		}, "which has no row"},
		{"a forward is gone", func(t *testing.T, store storage.Store, b *storage.Batch) {
			r, _ := nodeRow(t, store, false)
			b.Delete(r.key)
		}, "which has no row"},
		{"a forward leads astray", func(t *testing.T, store storage.Store, b *storage.Batch) {
			r, n := nodeRow(t, store, false)
			dec := row.NewDecoder()
			for _, other := range rowsOf(t, store, row.SpaceNode) {
				_, key, _ := row.ParseNodeKey(other.key)
				if o, _, err := dec.Node(key, other.value); err == nil && o.Component != nil && key != n.Parent && key.Outranks(n.Key) {
					b.Set(r.key, row.NewEncoder().Node(nil, &graph.Node{Key: n.Key, Parent: key}, 1))
					return
				}
			}
			t.Fatal("no other root")
		}, "which leads to"},
		{"a node is in another shard", func(t *testing.T, store storage.Store, b *storage.Batch) {
			r, n := nodeRow(t, store, true)
			b.Set(row.AppendNodeKey(nil, (n.Key.Shard(4)+1)%4, n.Key), r.value)
		}, "belongs to shard"},
		{"a row is cut short", func(t *testing.T, store storage.Store, b *storage.Batch) {
			r, _ := nodeRow(t, store, true)
			b.Set(r.key, r.value[:len(r.value)-3])
		}, "corrupt"},
		{"events are gone", func(t *testing.T, store storage.Store, b *storage.Batch) {
			b.Delete(rowsOf(t, store, row.SpaceTimeline)[0].key)
		}, "and profiles count 68"},
		{"a member of a group is gone", func(t *testing.T, store storage.Store, b *storage.Batch) {
			b.Delete(rowsOf(t, store, row.SpaceMember)[0].key)
		}, "there are 1 groups, and 0 of them have members"},
		{"a group is gone", func(t *testing.T, store storage.Store, b *storage.Batch) {
			b.Delete(rowsOf(t, store, row.SpaceGroup)[0].key)
		}, "members of a group that is not there"},
		{"a group counts an event more", func(t *testing.T, store storage.Store, b *storage.Batch) {
			shard, key, err := row.ParseGroupKey(rowsOf(t, store, row.SpaceGroup)[0].key)
			if err != nil {
				t.Fatal(err)
			}
			g, err := row.ReadGroup(store, shard, key)
			if err != nil {
				t.Fatal(err)
			}
			g.Events++
			row.NewEncoder().PutGroup(b, shard, &g)
		}, "group of 2 events and 1 members"},
		{"a group is in another shard", func(t *testing.T, store storage.Store, b *storage.Batch) {
			r := rowsOf(t, store, row.SpaceGroup)[0]
			shard, key, err := row.ParseGroupKey(r.key)
			if err != nil {
				t.Fatal(err)
			}
			b.Set(row.AppendGroupKey(nil, (shard+1)%4, key), r.value)
		}, "belongs to shard"},
		{"a member of a group is no node", func(t *testing.T, store storage.Store, b *storage.Batch) {
			shard, key, err := row.ParseGroupKey(rowsOf(t, store, row.SpaceGroup)[0].key)
			if err != nil {
				t.Fatal(err)
			}
			row.NewEncoder().PutMember(b, shard, key, &graph.Membership{Member: graph.MakeNodeKey(graph.ClassCookie, 1, 1), Events: 1})
		}, "is no node"},
		{"an unknown key", func(_ *testing.T, _ storage.Store, b *storage.Batch) {
			b.Set([]byte{0x7e, 1, 2}, []byte("x"))
		}, "key of an unexpected shape"},
		{"the log has a gap", func(t *testing.T, store storage.Store, b *storage.Batch) {
			meta := rowsOf(t, store, row.SpaceMeta)
			shard, err := row.ParseMetaKey(meta[0].key)
			if err != nil {
				t.Fatal(err)
			}
			m, err := row.ParseMeta(meta[0].value)
			if err != nil {
				t.Fatal(err)
			}
			var w row.RecordWriter
			w.Reset(nil, m.Applied+9, 0)
			b.Set(row.AppendLogKey(nil, shard, m.Applied+9), row.AppendPacked(nil, w.Bytes()))
		}, "the log has a gap"},
		{"the memory of duplicates is spoilt", func(t *testing.T, store storage.Store, b *storage.Batch) {
			r := rowsOf(t, store, row.SpaceSeen)[0]
			b.Set(r.key, r.value[:len(r.value)-1])
		}, "want 1 to"},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := verifyStore(t)
			var b storage.Batch
			test.spoil(t, store, &b)
			if err := store.Commit(&b); err != nil {
				t.Fatal(err)
			}
			report, err := audit.Verify(context.Background(), store, nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.want == "" {
				if !report.OK() || report.Events != 4+verifyOthers || report.Folded != 4+verifyOthers ||
					report.Components != 3+verifyOthers || report.Identifiers != 6+verifyOthers {
					t.Fatalf("%+v", report)
				}
				return
			}
			for _, p := range report.Problems {
				if strings.Contains(p.String(), test.want) {
					return
				}
			}
			t.Fatalf("no problem says %q: %+v", test.want, report)
		})
	}
}
