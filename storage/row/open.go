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

// OpenDefined opens the data directory o.Dir as that of a node, whose deployment was defined before it: a new directory begins
// with the rows of the definition. It fails as storage.Open does, and with ErrMismatch if the deployment has another secret.
func OpenDefined(o storage.Options, secret Secret, rows *storage.Batch) (*storage.Pebble, Deployment, error) {
	var d Deployment
	o.Create = true
	o.Prepare = func(s storage.Store, isNew bool) (err error) {
		if isNew {
			if err := begin(s, rows); err != nil {
				return err
			}
		}
		d, err = Initialise(s, Deployment{Secret: secret})
		return err
	}
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
