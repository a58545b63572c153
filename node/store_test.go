package node

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/storage"
)

// A disk that fills up and commits that wait are told of, and leave the server ready.
func TestStoreWarnings(t *testing.T) {
	for _, c := range []struct {
		name         string
		stats        storage.Stats
		disk, writes string
	}{
		{"plenty", storage.Stats{FreeBytes: storage.LowDiskBytes}, "", ""},
		{"nearly full", storage.Stats{FreeBytes: storage.LowDiskBytes - 1}, "8191 MiB are free", ""},
		{"not known", storage.Stats{}, "", ""},
		{"stalled", storage.Stats{Stalled: true, CompactionDebt: 3 << 20}, "", "compactions have 3 MiB to rewrite"},
	} {
		w := storeWatch{func() storage.Stats { return c.stats }}
		for _, is := range []struct {
			got  document.Check
			want string
		}{{w.disk(t.Context()), c.disk}, {w.writes(t.Context()), c.writes}} {
			if !is.got.OK || !strings.Contains(is.got.Detail, is.want) || (is.got.Detail == "") != (is.want == "") || (is.got.Hint == "") != (is.want == "") {
				t.Errorf("%s: %+v, want %q", c.name, is.got, is.want)
			}
		}
	}
}

// A running node has the checks, and knows the free space of its disk.
func TestStoreOfANode(t *testing.T) {
	k, err := Open(t.Context(), Config{Dir: filepath.Join(t.TempDir(), "data"), Memory: storage.MinMemory, Shards: 1, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopped(t, k) })
	if free := k.directory.store.Stats().FreeBytes; free == 0 {
		t.Error("the free space is not known")
	}
	res, err := http.Get(k.URL() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var ready document.Ready
	if err := json.Unmarshal(text, &ready); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, c := range ready.Checks {
		if c.OK && (c.Name == "disk" || c.Name == "writes") {
			found++
		}
	}
	if found != 2 {
		t.Errorf("%s", text)
	}
}
