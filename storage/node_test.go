package storage

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// A directory belongs to one node for ever, or to none, and so does a backup of it.
func TestNodeOfDirectory(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	open := func(name, node string) error {
		s, err := Open(Options{Dir: at(name), Node: node, Create: true})
		if err != nil {
			return err
		}
		if name == "first" {
			err = s.Backup(at("backup"))
		}
		return errors.Join(err, s.Close())
	}
	for name, node := range map[string]string{"alone": "", "first": "node n1 of cluster shop", "second": "node n2 of cluster shop"} {
		if err := open(name, node); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, node, want string }{
		{"alone", "node n1 of cluster shop", "it belongs to a deployment in one process"},
		{"first", "", "it belongs to node n1 of cluster shop"},
		{"first", "node n2 of cluster shop", "it belongs to node n1 of cluster shop, and node n2 of cluster shop is asked for"},
		{"backup", "", "it belongs to node n1 of cluster shop"},
		{"second", "node n2 of cluster shop", ""},
		{"alone", "", ""},
	} {
		err := open(c.name, c.node)
		if (err == nil) != (c.want == "") || err != nil && (!errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("open %s as %q: %v, want %q", c.name, c.node, err, c.want)
		}
	}
	if err := Restore(Options{Dir: at("restored")}, at("backup"), nil); !errors.Is(err, ErrMismatch) {
		t.Errorf("restore the backup of a node: %v", err)
	}
}
