package row

import (
	"bytes"
	"fmt"

	"github.com/kindred-id/kindred/storage"
)

// Rows of the catalog travel between processes of a deployment. The secret in the deployment row does not: it is the zero Secret on
// its way, and each process puts in its own, which it has from a file.

// Concealed returns the batch that leaves this process: its operations with the zero Secret. REQUIRES: all keys are of the catalog
func Concealed(b *storage.Batch) (*storage.Batch, error) { return withSecret(b, Secret{}) }

// ConcealedValue returns the value of a row of the catalog that leaves this process.
func ConcealedValue(key, value []byte) ([]byte, error) {
	if value == nil || !bytes.Equal(key, appendDeploymentKey(nil)) {
		return value, nil
	}
	return deploymentWith(value, Secret{})
}

// deploymentWith returns the value of the deployment row with another secret.
func deploymentWith(value []byte, s Secret) ([]byte, error) {
	d, err := decodeDeployment(value)
	if err != nil {
		return nil, storage.Corrupt("read", "deployment row", err)
	}
	d.Secret = s
	return appendDeployment(nil, &d), nil
}

// CatalogOf returns the batch of operations that Concealed returned in another process, with the secret of this one. It fails with
// ErrCorrupt for bytes that are no batch, and for a key that is not of a row of the catalog.
func CatalogOf(ops []byte, n uint32, s Secret) (*storage.Batch, error) {
	b, err := storage.BatchOf(ops, n)
	if err != nil {
		return nil, err
	}
	for key, upper := range b.Keys() {
		if upper != nil || !InCatalog(key) {
			return nil, fmt.Errorf("%w: batch of the catalog: key % x is not of a row of its own", storage.ErrCorrupt, key)
		}
	}
	return withSecret(b, s)
}

// Revealed returns a batch that Concealed returned, with the secret of this process.
func Revealed(b *storage.Batch, s Secret) (*storage.Batch, error) { return withSecret(b, s) }

// ScanCatalog calls fn with the rows that belong to no shard, in the order of keys.
func ScanCatalog(s storage.Reader, fn func(key, value []byte) error) error {
	var last Space
	for _, k := range kinds {
		if !k.catalog || k.space == last { // kinds are in the order of their keys
			continue
		}
		last = k.space
		err := s.Iterate(AppendSpaceLower(nil, k.space), AppendSpaceUpper(nil, k.space), func(key, value []byte) error {
			if !InCatalog(key) {
				return nil
			}
			return fn(key, value)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// OfNode reports whether a row of the catalog is each process's own where several share a deployment: dead letters, whose numbers a
// process gives out by itself.
func OfNode(key []byte) bool {
	k, err := kindOf(key)
	return err == nil && k == deadLetterKind
}

func withSecret(b *storage.Batch, s Secret) (out *storage.Batch, err error) {
	out = &storage.Batch{}
	for key, value := range b.Rows() {
		switch {
		case value == nil:
			out.Delete(key)
			continue
		case bytes.Equal(key, appendDeploymentKey(nil)):
			if value, err = deploymentWith(value, s); err != nil {
				return nil, err
			}
		}
		out.Set(key, value)
	}
	return out, nil
}

// Put adds the deployment row to a batch.
func (d *Deployment) Put(b *storage.Batch) error {
	if err := d.check(); err != nil {
		return err
	}
	b.Set(appendDeploymentKey(nil), appendDeployment(nil, d))
	return nil
}
