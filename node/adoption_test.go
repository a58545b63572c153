package node

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// left is a directory that a process has left, with these rows written over it.
func left(t *testing.T, c Config, rows func(*row.Deployment, *storage.Batch)) (dir string) {
	t.Helper()
	c.Dir, c.Memory, c.Shards = filepath.Join(t.TempDir(), "data"), storage.MinMemory, 2
	k, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	store, of, err := row.Open(storage.Options{Dir: c.Dir}, row.Deployment{})
	if err != nil {
		t.Fatal(err)
	}
	var b storage.Batch
	if rows != nil {
		rows(&of, &b)
	}
	if err := errors.Join(store.Commit(&b), store.Close()); err != nil {
		t.Fatal(err)
	}
	return c.Dir
}

// The definition has what belongs to no shard: rules, keys, and all else that nodes share; not the secret, which gets a file, and
// nothing that is each node's own or was said of nodes of another cluster. It works on a node that begins with it.
func TestAdoptDirectory(t *testing.T) {
	dir := left(t, Config{}, func(_ *row.Deployment, b *storage.Batch) {
		(&row.DeadLetter{Number: 1, Text: []byte("{}")}).Put(b)
		(&row.ClusterNode{Name: "n1", State: row.NodeRemoved}).Put(b)
		(&row.Channel{Name: "a topic", Floor: 7}).Put(b, 3)
	})
	file := filepath.Join(t.TempDir(), "secret")
	a, err := Adopt(t.Context(), Config{Dir: dir, SecretFile: file}, "first")
	if err != nil {
		t.Fatal(err)
	}
	is, err := row.ReadDeployment(a.store)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Adopt(t.Context(), Config{Dir: dir, SecretFile: file}, ""); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("in use: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if secret, err := readSecret(file); err != nil || secret != is.Secret || !a.MadeSecret {
		t.Errorf("the file of the secret has another one, or was not made: %v, %v", a.MadeSecret, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the secret: %v, %v", info.Mode(), err)
	}
	ops, count := a.Rows.Ops()
	if bytes.Contains(ops, is.Secret[:]) || bytes.Contains(ops, []byte(a.Key)) {
		t.Error("the definition has a secret")
	}
	taken, err := row.CatalogOf(ops, count, is.Secret)
	if err != nil {
		t.Fatal(err)
	}
	node := storage.NewMemStore()
	if err := node.Commit(taken); err != nil {
		t.Fatal(err)
	}
	if got, err := row.ReadDeployment(node); err != nil || got != is || a.Deployment != (Deployment{deploymentID(is.Secret), 2, is.RulesVersion}) {
		t.Errorf("the deployment of a node: %+v, %v, want %+v; %+v", got, err, is, a.Deployment)
	}
	if channel, err := row.ReadChannel(node, 3); err != nil || channel.Floor != 7 {
		t.Errorf("a channel: %+v, %v", channel, err)
	}
	if _, err := row.ReadClusterNode(node, "n1"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a node of another cluster: %v", err)
	}
	if err := row.ScanCatalog(node, func(key, _ []byte) error {
		if row.OfNode(key) {
			return errors.New("a dead letter is there")
		}
		return nil
	}); err != nil || a.DeadLetters != 1 {
		t.Errorf("%d dead letters stay, %v", a.DeadLetters, err)
	}
	keys, err := keyring.Open(catalog.New(node, nil), func() int64 { return time.Now().UnixMilli() })
	if err != nil {
		t.Fatal(err)
	}
	if found, err := keys.Find(a.Key); err != nil || found.Name != "first" {
		t.Errorf("the key: %+v, %v", found, err)
	}
	if again, err := Adopt(t.Context(), Config{Dir: dir, SecretFile: file, Shards: 2}, ""); err != nil || again.MadeSecret {
		t.Errorf("again: %+v, %v", again, err)
	} else if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// A directory that nodes could not go on with is refused before anything is written, with what to do.
func TestAdoptRefuses(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("000102030405060708090a0b0c0d0e0f"), 0o600); err != nil {
		t.Fatal(err)
	}
	fresh := func(name string) Config { return Config{SecretFile: filepath.Join(t.TempDir(), name)} }
	plain := left(t, Config{}, nil)
	for _, refused := range []struct {
		what, dir string
		with      Config
		words     string
	}{
		{"no file for the secret", plain, Config{}, "--secret-file"},
		{"another secret", plain, Config{SecretFile: secret}, "has another secret than the directory"},
		{"other rules", plain, Config{SecretFile: secret, Rules: "open"}, "leave --rules, --region and --currency out"},
		{"a change feed to begin with", plain, Config{SecretFile: secret, Feed: feed.Settings{On: true}}, "leave --feed out"},
		{"another number of shards", plain, Config{SecretFile: secret, Shards: 3}, "it has 2"},
		{"no directory", filepath.Join(t.TempDir(), "none"), fresh("a"), "there is no data"},
		{"a change feed", left(t, Config{Feed: feed.Settings{On: true}}, nil), fresh("b"), "it has a change feed"},
		{"a change of rules under way", left(t, Config{}, func(d *row.Deployment, b *storage.Batch) {
			_ = d.SetRules(b, d.RulesName, 0)
		}), fresh("c"), "kindred stats --data"},
		{"a former program", left(t, Config{}, func(d *row.Deployment, b *storage.Batch) {
			d.SetFormerUntil(b, row.FormerUnknown)
		}), fresh("d"), "an earlier program"},
	} {
		refused.with.Dir = refused.dir
		a, err := Adopt(t.Context(), refused.with, "")
		if err == nil {
			_ = a.Close()
		}
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), refused.dir, "it"), refused.words) {
			t.Errorf("%s: %v, want %q", refused.what, err, refused.words)
		}
		if _, err := os.Stat(refused.with.SecretFile); err == nil && refused.with.SecretFile != secret {
			t.Errorf("%s: a file for the secret was made", refused.what)
		}
	}
	// After a start with this program, which kindred stats is, the last one is taken.
	behind := left(t, Config{}, func(d *row.Deployment, b *storage.Batch) { d.SetFormerUntil(b, row.FormerUnknown) })
	k, err := Open(t.Context(), Config{Dir: behind, Memory: storage.MinMemory})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(k.Judged(t.Context()), k.Stop(t.Context())); err != nil {
		t.Fatal(err)
	}
	with := fresh("e")
	with.Dir = behind
	a, err := Adopt(t.Context(), with, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}
