package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/kindred-id/kindred/bench/outcome"
	"golang.org/x/sync/errgroup"
)

// pebbleChunk is how many lines one batch writes.
const pebbleChunk = 400

var pebbleKind = Kind{
	Name: "pebble", Durability: "each batch synced",
	Settings: fmt.Sprintf("the lines as they are, by number; batches of %d lines from every processor; memtables of 64 MiB", pebbleChunk),
	Open: func(_ context.Context, env *Env) (Peer, error) {
		p := &pebbleLines{}
		var err error
		if p.dir, err = os.MkdirTemp(env.Dir, "kindred-pebble-"); err != nil {
			return nil, err
		}
		p.db, err = pebble.Open(p.dir, &pebble.Options{MemTableSize: 64 << 20, Logger: silent{}})
		return p, err
	},
}

// pebbleLines writes the lines to Pebble and resolves nothing: the least that any durable resolver on it does.
type pebbleLines struct {
	dir   string
	db    *pebble.DB
	bytes int64
	count atomic.Int64
}

// Run implements Peer.
func (p *pebbleLines) Run(ctx context.Context, lines []byte) (int, error) {
	group, _ := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	number := uint64(0)
	for _, chunk := range chunks(lines, pebbleChunk) {
		from := number
		number += pebbleChunk
		group.Go(func() error {
			b := p.db.NewBatch()
			defer b.Close()
			var key [8]byte
			n := uint64(0)
			for _, line := range chunks(chunk, 1) {
				binary.BigEndian.PutUint64(key[:], from+n)
				if err := b.Set(key[:], line, nil); err != nil {
					return err
				}
				n++
			}
			p.count.Add(int64(n))
			return b.Commit(pebble.Sync)
		})
	}
	p.bytes = int64(len(lines))
	err := group.Wait()
	return int(p.count.Load()), err
}

// Outcome reads all lines back: it makes no people.
func (p *pebbleLines) Outcome(context.Context) (*outcome.Outcome, error) {
	it, err := p.db.NewIter(nil)
	if err != nil {
		return nil, err
	}
	defer it.Close()
	count, size := int64(0), int64(0)
	for it.First(); it.Valid(); it.Next() {
		count++
		size += int64(len(it.Value()))
	}
	if count != p.count.Load() || size != p.bytes {
		return nil, fmt.Errorf("%d lines of %d bytes were written, but %d of %d are there", p.count.Load(), p.bytes, count, size)
	}
	return nil, it.Error()
}

func (p *pebbleLines) Outside() time.Duration { return 0 }
func (p *pebbleLines) DiskBytes() int64       { return treeBytes(p.dir) }
func (p *pebbleLines) Version() string        { return moduleVersion("github.com/cockroachdb/pebble/v2") }

// Close implements Peer.
func (p *pebbleLines) Close(context.Context) error {
	return errors.Join(p.db.Close(), os.RemoveAll(p.dir))
}

type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf(format, args...))
}
