// Package idempotency lets a client send a request again whose answer it has lost: a request with an idempotency key has its
// effect once, and its answer comes again.
//
//	Begin(key, body) ──► new: a row without an answer, durable ──► the effect, under the id of the row ──► Finish(answer)
//	   ├──► answered: the answer that was kept          └── refused: Drop, the key is free again
//	   ├──► another body: ErrOther
//	   └──► under way: ErrUnderWay. Begun, and lost in a crash: again, under the same id
//
// Invariants:
//   - I1: the row is durable before the effect, and names it. So an effect that a crash cut off from its answer is made
//     again under the same id, and what has the same id and time is one.
//   - I2: an answer is kept for KeptFor from the beginning of its request, through restarts. After that the key is new.
//   - I3: rows hold hashes of keys and requests. An answer is kept as it was sent.
package idempotency

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// KeptFor is how long an answer is kept. Retries of a client end long before.
const KeptFor = 24 * time.Hour

// maxAnswer bounds an answer that is kept, in bytes. A longer one is made again, from the state at that time.
const maxAnswer = 4 << 20

// Errors of Begin.
var (
	ErrOther    = errors.New("the idempotency key came with another request")
	ErrUnderWay = errors.New("a request with this idempotency key is under way")
)

// Keeper keeps answers in the catalog. Any number of goroutines may use it.
type Keeper struct {
	catalog *catalog.Catalog
	now     func() int64
	mu      sync.Mutex // guards the following
	running map[[16]byte]bool
}

// New returns a keeper. now is the clock, in ms since 1970 UTC.
func New(rows *catalog.Catalog, now func() int64) *Keeper {
	return &Keeper{catalog: rows, now: now, running: map[[16]byte]bool{}}
}

// Request is a request that was begun. End it.
type Request struct {
	ID     string // of its effect
	At     int64  // when it was begun first, ms since 1970 UTC
	Answer []byte // that was kept; nil: it has to be made

	keeper *Keeper
	row    row.KeptAnswer
}

// Begin begins a request under a key. id names its effect, unless it was begun before.
func (k *Keeper) Begin(ctx context.Context, key string, body []byte, id string) (*Request, error) {
	r := &Request{keeper: k, row: row.KeptAnswer{Key: hash(key), Body: sha256.Sum256(body), Effect: id, At: k.now()}}
	if !k.enter(r.row.Key) {
		return nil, ErrUnderWay
	}
	err := k.catalog.Change(ctx, func(c *catalog.Change) error { return k.begin(c, r) })
	if err != nil {
		r.End()
		return nil, err
	}
	r.ID, r.At, r.Answer = r.row.Effect, r.row.At, r.row.Answer
	return r, nil
}

func (k *Keeper) begin(c *catalog.Change, r *Request) error {
	oldest := k.now() - KeptFor.Milliseconds()
	known, err := row.ReadKeptAnswer(c, r.row.Key)
	switch {
	case err != nil && !errors.Is(err, storage.ErrNotFound):
		return err
	case err == nil && known.At >= oldest:
		if known.Body != r.row.Body {
			return ErrOther
		}
		r.row = known
		return nil
	}
	// Old rows leave when a new one comes: so their number is bounded by the requests of a day.
	if err := row.ScanKeptAnswers(c, func(old row.KeptAnswer) error {
		if old.At < oldest && old.Key != r.row.Key {
			old.Drop(c.Batch())
		}
		return nil
	}); err != nil {
		return err
	}
	r.row.Put(c.Batch())
	return nil
}

// Finish keeps the answer. The effect was made, so a failure is not one of the request.
func (r *Request) Finish(ctx context.Context, answer []byte) error {
	if len(answer) > maxAnswer {
		return nil
	}
	r.row.Answer = answer
	return r.keeper.catalog.Change(ctx, func(c *catalog.Change) error {
		r.row.Put(c.Batch())
		return nil
	})
}

// Drop frees the key: the request was refused, and had no effect.
func (r *Request) Drop(ctx context.Context) error {
	return r.keeper.catalog.Change(ctx, func(c *catalog.Change) error {
		r.row.Drop(c.Batch())
		return nil
	})
}

// End lets the next request with the key begin.
func (r *Request) End() {
	r.keeper.mu.Lock()
	defer r.keeper.mu.Unlock()
	delete(r.keeper.running, r.row.Key)
}

func hash(key string) [16]byte {
	sum := sha256.Sum256([]byte(key))
	return [16]byte(sum[:])
}

func (k *Keeper) enter(key [16]byte) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.running[key] {
		return false
	}
	k.running[key] = true
	return true
}
