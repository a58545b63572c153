package shard_test

import (
	"math/rand/v2"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// simDisk is what survives the process.
type simDisk interface {
	open() (storage.Store, error)
	// crash ends the process that has the store open. Committed data stays; rng decides what
	// becomes of the rest.
	crash(rng *rand.Rand)
	close() error
}

func simDeployment(shards int) row.Deployment {
	return row.Deployment{Shards: shards, Secret: row.Secret{1}, Created: simStart}
}

// memDisk keeps every commit at once.
type memDisk struct {
	shards int
	store  *storage.MemStore
}

func (d *memDisk) open() (storage.Store, error) {
	if d.store == nil {
		d.store = storage.NewMemStore()
	}
	_, err := row.Initialise(d.store, simDeployment(d.shards))
	return d.store, err
}

func (d *memDisk) crash(*rand.Rand) { d.store = d.store.Reopen() }
func (d *memDisk) close() error     { return d.store.Close() }

// pebbleDisk is Pebble on a file system that forgets what was not synced.
type pebbleDisk struct {
	fs     *vfs.MemFS
	shards int
	store  *storage.Pebble
}

func (d *pebbleDisk) open() (storage.Store, error) {
	if d.fs == nil {
		d.fs = vfs.NewCrashableMem()
	}
	store, _, err := row.Open(storage.Options{
		Dir: "data", FS: d.fs, BlockCacheBytes: 1 << 20, MemtableBytes: 4 << 20,
	}, simDeployment(d.shards))
	d.store = store
	return store, err
}

func (d *pebbleDisk) crash(rng *rand.Rand) {
	// Pebble writes from goroutines of its own, so how much chance this needs is not the same every time.
	own := rand.New(rand.NewPCG(rng.Uint64(), 0))
	d.fs = d.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: own.IntN(101), RNG: own})
	_ = d.store.Close() // of the files before the crash, which nobody reads again
}

func (d *pebbleDisk) close() error { return d.store.Close() }
