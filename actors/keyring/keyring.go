package keyring

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Returned by Find, for a key that does not let its client in.
var (
	ErrUnknown = errors.New("the key is not known")
	ErrExpired = errors.New("the key has expired")
	ErrRevoked = errors.New("the key was revoked")
)

// Returned by changes of a keyring.
var (
	ErrSpec    = errors.New("no such key can be made") // wraps what is wrong
	ErrNoKey   = errors.New("no key has this id")
	ErrEnded   = errors.New("the key was revoked, has expired or has a successor")
	ErrExceeds = errors.New("the key may do more than you may")
	ErrFirst   = errors.New("the first key has to be one that may administer (graph:admin)")
	ErrFull    = errors.New("there are too many keys")
)

// MaxKeys bounds the keys of a deployment, revoked ones too. All of them are in memory, some 300 bytes each.
const MaxKeys = 10_000

// lifetimeMost bounds the lifetime of a key, so that no sum of times overflows.
const lifetimeMost = 100 * 365 * 24 * time.Hour

// Keyring has the access keys of a deployment.
//
// Find is on the way of every request: it takes no lock and allocates nothing. A change replaces the whole map, which costs
// a look at every key; changes are made by people.
//
// The keys of a request are compared by hash. The id, which the look-up goes by, is a part of the hash: a client can't
// choose it without choosing a key that hashes to it, so the time of the look-up tells nothing about keys.
type Keyring struct {
	catalog *catalog.Catalog
	now     func() int64
	keys    atomic.Pointer[map[[idBytes]byte]*Key] // keys and map are never changed, only replaced
	changed atomic.Pointer[chan struct{}]          // closed when keys is replaced
	mu      sync.Mutex                             // held from a change to the replacement of keys
}

// Open reads the keys of a catalog. now is the clock, in ms since 1970 UTC.
func Open(rows *catalog.Catalog, now func() int64) (*Keyring, error) {
	k := &Keyring{catalog: rows, now: now}
	return k, k.load()
}

// load reads all keys again.
func (k *Keyring) load() error {
	keys := map[[idBytes]byte]*Key{}
	err := row.ScanAccessKeys(k.catalog.Reader(), func(r row.AccessKey) error {
		key, err := fromRow(&r)
		if err != nil {
			return err
		}
		keys[[idBytes]byte(key.hash[:idBytes])] = key
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the access keys: %w", err)
	}
	k.keys.Store(&keys)
	next := make(chan struct{})
	if last := k.changed.Swap(&next); last != nil {
		close(*last)
	}
	return nil
}

// Reload reads the keys again: another process of the deployment has changed some.
func (k *Keyring) Reload() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.load()
}

// Empty reports whether the deployment never had a key (K3).
func (k *Keyring) Empty() bool { return len(*k.keys.Load()) == 0 }

// Find returns the key that a client shows. It fails with ErrUnknown, and for a key that is known with ErrExpired or
// ErrRevoked. The caller must not change the key.
func (k *Keyring) Find(secret string) (*Key, error) {
	if !Is(secret) {
		return nil, ErrUnknown
	}
	hash := hashOf(secret)
	key := (*k.keys.Load())[[idBytes]byte(hash[:idBytes])]
	var known [sha256.Size]byte // compared in any case
	if key != nil {
		known = key.hash
	}
	if subtle.ConstantTimeCompare(hash[:], known[:]) != 1 || key == nil {
		return nil, ErrUnknown
	}
	switch {
	case key.Revoked != 0:
		return key, ErrRevoked
	case key.Expires != 0 && k.now() >= key.Expires:
		return key, ErrExpired
	}
	return key, nil
}

// Changed returns a channel that is closed when keys change next.
func (k *Keyring) Changed() <-chan struct{} { return *k.changed.Load() }

// Left returns how long a key will be valid if nothing changes; 0 if it is not, and the longest time if it does not expire.
func (k *Keyring) Left(key *Key) time.Duration {
	now := (*k.keys.Load())[[idBytes]byte(key.hash[:idBytes])]
	switch {
	case now == nil || now.Revoked != 0:
		return 0
	case now.Expires == 0:
		return math.MaxInt64
	}
	return time.Duration(min(max(0, now.Expires-k.now()), lifetimeMost.Milliseconds())) * time.Millisecond
}

// List returns all keys, the newest first.
func (k *Keyring) List() []Key {
	list := make([]Key, 0, len(*k.keys.Load()))
	for key := range maps.Values(*k.keys.Load()) {
		list = append(list, *key)
	}
	slices.SortFunc(list, func(a, b Key) int { return cmp.Or(cmp.Compare(b.Created, a.Created), cmp.Compare(a.ID, b.ID)) })
	return list
}

// Create makes a key on behalf of somebody who may do by, and returns it with its secret, which is told nowhere else.
func (k *Keyring) Create(ctx context.Context, spec Spec, by Scope) (Key, string, error) {
	if err := spec.settle(); err != nil {
		return Key{}, "", err
	}
	now := k.now()
	if spec.Expires != 0 && (spec.Expires <= now || spec.Expires-now > lifetimeMost.Milliseconds()) {
		return Key{}, "", bad("expiry: want a time to come, within a hundred years")
	}
	if !by.Has(spec.Scopes) { // K4
		return Key{}, "", ErrExceeds
	}
	made, secret := spec.make(now)
	err := k.change(ctx, func(change *catalog.Change) error {
		switch n := len(*k.keys.Load()); {
		case n == 0 && !spec.Scopes.Has(AdministerGraph): // K5
			return ErrFirst
		case n >= MaxKeys:
			return fmt.Errorf("%w: at most %d", ErrFull, MaxKeys)
		}
		return add(change, &made)
	})
	if err != nil {
		return Key{}, "", err
	}
	return made, secret, nil
}

// add adds the row of a new key. An id that is in use is a chance of 1 in 2^64 for each key: the caller asks again.
func add(change *catalog.Change, key *Key) error {
	if _, err := row.ReadAccessKey(change, key.ID); !errors.Is(err, storage.ErrNotFound) {
		return errors.Join(err, errors.New("the id of the new key is in use; make it again"))
	}
	key.row().Put(change.Batch())
	return nil
}

// Rotate makes a key that takes the place of another one, which stays valid for the time of overlap. A key that has a
// lifetime gets a successor with the same.
func (k *Keyring) Rotate(ctx context.Context, id string, overlap time.Duration, by Scope) (made Key, secret string, err error) {
	if overlap < 0 || overlap > lifetimeMost {
		return Key{}, "", bad("overlap of %s: want none, or a time up to a hundred years", overlap)
	}
	now := k.now()
	err = k.change(ctx, func(change *catalog.Change) error {
		old, err := k.read(change, id, by)
		if err != nil {
			return err
		}
		if old.State(now) != "live" {
			return ErrEnded
		}
		if len(*k.keys.Load()) >= MaxKeys {
			return fmt.Errorf("%w: at most %d", ErrFull, MaxKeys)
		}
		spec := old.spec()
		if old.Expires != 0 {
			spec.Expires = now + old.Expires - old.Created
		}
		made, secret = spec.make(now)
		end := now + overlap.Milliseconds()
		if old.Successor = made.ID; old.Expires == 0 || end < old.Expires {
			old.Expires = end
		}
		old.row().Put(change.Batch())
		return add(change, &made)
	})
	if err != nil {
		return Key{}, "", err
	}
	return made, secret, nil
}

// Revoke ends a key at once (K2). To revoke it again changes nothing.
func (k *Keyring) Revoke(ctx context.Context, id string, by Scope) (revoked Key, err error) {
	err = k.change(ctx, func(change *catalog.Change) error {
		key, err := k.read(change, id, by)
		if err != nil {
			return err
		}
		if key.Revoked == 0 {
			key.Revoked = k.now()
			key.row().Put(change.Batch())
		}
		revoked = *key
		return nil
	})
	return revoked, err
}

// read reads a key for a change by somebody who may do by.
func (k *Keyring) read(change *catalog.Change, id string, by Scope) (*Key, error) {
	if len(id) != 2*idBytes {
		return nil, ErrNoKey
	}
	r, err := row.ReadAccessKey(change, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, ErrNoKey
	}
	if err != nil {
		return nil, err
	}
	key, err := fromRow(&r)
	if err == nil && !by.Has(key.Scopes) { // K4
		return nil, ErrExceeds
	}
	return key, err
}

// change makes a change of the catalog, and reads the keys again once it is durable.
func (k *Keyring) change(ctx context.Context, decide func(*catalog.Change) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.catalog.Change(ctx, decide); err != nil {
		return err
	}
	return k.load()
}
