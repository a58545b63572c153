package node

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// A definition has no secret, and its first key is good on every node that begins with it.
func TestDefine(t *testing.T) {
	secret := "000102030405060708090a0b0c0d0e0f"
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	d, rows, key, err := Define(t.Context(), Config{SecretFile: file, Shards: 8}, "first")
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := hex.DecodeString(secret)
	ops, count := rows.Ops()
	if bytes.Contains(ops, raw) || bytes.Contains(ops, []byte(key)) || d.ID != deploymentID(row.Secret(raw)) || d.Shards != 8 {
		t.Fatalf("the definition has a secret, or another id: %+v", d)
	}
	taken, err := row.CatalogOf(ops, count, row.Secret(raw))
	if err != nil {
		t.Fatal(err)
	}
	store := storage.NewMemStore()
	if err := store.Commit(taken); err != nil {
		t.Fatal(err)
	}
	if is, err := row.ReadDeployment(store); err != nil || is.Secret != row.Secret(raw) || is.RulesVersion != d.Rules {
		t.Errorf("the deployment of a node: %+v, %v", is, err)
	}
	keys, err := keyring.Open(catalog.New(store, nil), func() int64 { return time.Now().UnixMilli() })
	if err != nil {
		t.Fatal(err)
	}
	if found, err := keys.Find(key); err != nil || found.Name != "first" || !found.Scopes.Has(keyring.All()) {
		t.Errorf("the first key: %+v, %v", found, err)
	}
}

func TestDefineRefuses(t *testing.T) {
	for name, c := range map[string]Config{"no secret": {Shards: 8}, "too many shards": {SecretFile: "x", Shards: MaxClusterShards + 1}} {
		var wrong *ConfigError
		if _, _, _, err := Define(t.Context(), c, ""); !errors.As(err, &wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
