package cluster

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

const (
	gatheredShards  = 2
	gatheredControl = graph.ShardID(gatheredShards) // where positions of the rows of no shard are kept
)

// nodeDir makes the directory of a node that has taken its shards up to positions.
func nodeDir(t *testing.T, name string, secret byte, at map[graph.ShardID]row.JournalPosition) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	s, err := storage.Open(storage.Options{Dir: dir, Create: true, Node: "node " + name + " of cluster shop", Prepare: func(s storage.Store, _ bool) error {
		_, err := row.Initialise(s, row.Deployment{Shards: gatheredShards, Secret: row.Secret{secret}})
		return err
	}})
	if err != nil {
		t.Fatal(err)
	}
	var b storage.Batch
	for id, p := range at {
		row.NewEncoder().PutJournalPosition(&b, id, &p)
		if id == gatheredControl {
			node := row.ClusterNode{Name: name}
			node.Put(&b)
			continue
		}
		for n := range p.Next {
			b.Set(row.AppendLogKey(nil, id, uint64(n)), []byte(name))
		}
	}
	if err := s.Commit(&b); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// gather gathers directories, and returns whose rows each shard has, and how many.
func gather(t *testing.T, dirs ...string) (rows map[string]int64, made Gathered, err error) {
	t.Helper()
	to := filepath.Join(t.TempDir(), "one")
	if made, err = Gather(dirs, to, func(int64) {}); err != nil {
		return nil, made, err
	}
	s, d, err := row.Open(storage.Options{Dir: to}, row.Deployment{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if d.Shards != gatheredShards {
		t.Errorf("a deployment with %d shards", d.Shards)
	}
	rows = map[string]int64{}
	for id := range graph.ShardID(gatheredShards) {
		ranges, position := row.CopyRanges(id)
		for _, r := range ranges {
			if err := s.Iterate(r[0], r[1], func(_, value []byte) error {
				rows[fmt.Sprintf("%d of %s", id, value)]++
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Get(nil, position); err == nil {
			t.Errorf("shard %d has a position in a journal that is no more", id)
		}
	}
	if err := row.ScanClusterNodes(s, func(n row.ClusterNode) error { return fmt.Errorf("it has the row of %s", n.Name) }); err != nil {
		t.Error(err)
	}
	return rows, made, nil
}

// The newest copy of each shard is taken, whichever node has it, and nothing of a copy that is not whole. A deployment that cannot be made whole
// is refused, with the directory.
func TestGather(t *testing.T) {
	at := func(next int64) row.JournalPosition { return row.JournalPosition{Topic: [16]byte{9}, Next: next} }
	elsewhere := row.JournalPosition{Topic: [16]byte{8}, Next: 3}
	n1 := nodeDir(t, "n1", 7, map[graph.ShardID]row.JournalPosition{0: at(5), 1: at(2), gatheredControl: at(4)})
	n2 := nodeDir(t, "n2", 7, map[graph.ShardID]row.JournalPosition{1: at(3), gatheredControl: at(3)})
	n3 := nodeDir(t, "n3", 7, map[graph.ShardID]row.JournalPosition{0: at(4)})
	rows, made, err := gather(t, n3, n1, n2)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]int64{"0 of n1": 5, "1 of n2": 3}; !maps.Equal(rows, want) {
		t.Errorf("%v, want %v", rows, want)
	}
	if fmt.Sprint(made.From) != "[0 2 1]" || made.Shards != gatheredShards || made.Rows != 5+3+1 {
		t.Errorf("%+v", made)
	}

	alone := filepath.Join(t.TempDir(), "alone")
	s, _, err := row.Open(storage.Options{Dir: alone}, row.Deployment{Shards: gatheredShards, Secret: row.Secret{7}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	left := at(6)
	left.Handlers, left.Rules = handlers+1, 1
	for words, dirs := range map[string][]string{
		"no directory has a copy of shard 1":               {n3},
		"no directory has the rows of no shard":            {n3, nodeDir(t, "n4", 7, map[graph.ShardID]row.JournalPosition{1: at(1)})},
		"is of another deployment than " + n1:              {n1, nodeDir(t, "n2", 8, nil)},
		"followed another journal than " + n1:              {n1, nodeDir(t, "n2", 7, map[graph.ShardID]row.JournalPosition{0: elsewhere})},
		"is no directory of a node":                        {n1, alone},
		fmt.Sprintf("was left by handlers %d", handlers+1): {n1, nodeDir(t, "n2", 7, map[graph.ShardID]row.JournalPosition{0: left})},
	} {
		if _, _, err := gather(t, dirs...); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v, want %q", err, words)
		}
	}
}
