package row

import (
	"errors"

	"github.com/kindred-id/kindred/storage"
)

// Open opens the data directory o.Dir as a deployment: an existing one, or, if d states the number of shards, a new
// one. It fails as storage.Open and Initialise do.
func Open(o storage.Options, d Deployment) (*storage.Pebble, Deployment, error) {
	prepare(&o, &d)
	o.Create = d.Shards != 0
	s, err := storage.Open(o)
	return s, d, err
}

// Restore creates the data directory o.Dir from a backup. It rejects a backup without a deployment, or with a key
// that belongs to no kind of row. It fails as storage.Restore does.
func Restore(o storage.Options, backup string) error {
	var d Deployment
	prepare(&o, &d)
	return storage.Restore(o, backup, func(key []byte) error {
		_, err := ParseKey(key)
		return err
	})
}

// prepare returns the Options.Prepare that reads the deployment of an existing directory into d, or initialises a new one with d.
func prepare(o *storage.Options, d *Deployment) {
	dir := o.Dir
	o.Prepare = func(s storage.Store, isNew bool) (err error) {
		if !isNew {
			// A directory that was complete and lost its row must not be given a new secret.
			if _, err := ReadDeployment(s); errors.Is(err, storage.ErrNotFound) {
				return storage.Corrupt("open", dir, errors.New("the deployment row is missing"))
			}
		}
		*d, err = Initialise(s, *d)
		return err
	}
}
