package row

import (
	"errors"

	"github.com/kindred-id/kindred/storage"
)

// Open opens the data directory o.Dir as a deployment: the one that is there, or, if d says how many shards it shall have,
// a new one. It fails as storage.Open does, and as Initialise does.
func Open(o storage.Options, d Deployment) (*storage.Pebble, Deployment, error) {
	prepare(&o, &d)
	o.Create = d.Shards != 0
	s, err := storage.Open(o)
	return s, d, err
}

// Restore makes the data directory o.Dir from a backup, and refuses one that holds no deployment, or keys that no kind of
// row has. It fails as storage.Restore does.
func Restore(o storage.Options, backup string) error {
	var d Deployment
	prepare(&o, &d)
	return storage.Restore(o, backup, func(key []byte) error {
		_, err := ParseKey(key)
		return err
	})
}

// prepare lets Open put what the directory was initialised with into d, or initialise it with d.
func prepare(o *storage.Options, d *Deployment) {
	dir := o.Dir
	o.Prepare = func(s storage.Store, isNew bool) (err error) {
		if !isNew {
			// A directory that was complete once, without its row, must not be given a new secret.
			if _, err := ReadDeployment(s); errors.Is(err, storage.ErrNotFound) {
				return storage.Corrupt("open", dir, errors.New("the deployment row is missing"))
			}
		}
		*d, err = Initialise(s, *d)
		return err
	}
}
