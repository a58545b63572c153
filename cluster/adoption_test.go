package cluster

import (
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/broker"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// adoptionWorld is a Kafka in memory, and the rows of a deployment in one process.
type adoptionWorld struct {
	t      *testing.T
	fake   *kfake.Cluster
	config Config
	is     Definition
	rows   *storage.MemStore
	taken  atomic.Int64
}

const adoptedShards = 5

// inAdoption runs a test in a bubble of virtual time.
func inAdoption(t *testing.T, seed uint64, test func(*adoptionWorld)) {
	synctest.Test(t, func(t *testing.T) {
		network := &kfake.VirtualNetwork{}
		fake, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.Ports(9092, 9093, 9094), kfake.ListenFn(network.Listen))
		if err != nil {
			t.Fatal(err)
		}
		defer fake.Close()
		w := &adoptionWorld{t: t, fake: fake, rows: storage.NewMemStore()}
		w.config = Config{Cluster: "shop", Brokers: broker.Connection{Brokers: fake.ListenAddrs(), Dial: network.DialContext}}
		var b storage.Batch
		b.Set([]byte("what is of no shard"), []byte("value"))
		w.is = Definition{Deployment: [16]byte{1}, Shards: adoptedShards, Count: 1}
		w.is.Ops, _ = b.Ops()
		w.fill(rand.New(rand.NewPCG(seed, 0x61)))
		test(w)
	})
}

// adoptions is how many worlds a test has: with the race detector each takes seconds.
func adoptions(most uint64) uint64 {
	if testing.Short() {
		return 1
	}
	return most
}

// fill makes rows of all shards but one: small and large ones, one larger than a record, and one of another shard behind the last.
func (w *adoptionWorld) fill(rng *rand.Rand) {
	var b storage.Batch
	for id := range graph.ShardID(adoptedShards) {
		if id == 2 {
			continue
		}
		for seq := range uint64(20 + rng.IntN(10)) {
			b.Set(row.AppendLogKey(nil, id, seq), make([]byte, rng.IntN(50_000)))
		}
	}
	b.Set(row.AppendLogKey(nil, 1, 1000), make([]byte, journal.PartBytes+rng.IntN(journal.PartBytes)))
	if err := w.rows.Commit(&b); err != nil {
		w.t.Fatal(err)
	}
}

func (w *adoptionWorld) adopt(ctx context.Context) error {
	return Adopt(ctx, &w.config, w.is, 7, w.rows, func(n int) { w.taken.Add(int64(n)) })
}

// everywhere compares what a node gets that follows the journal from its beginning.
func (w *adoptionWorld) everywhere() {
	w.t.Helper()
	found, err := Find(w.t.Context(), &w.config)
	if err != nil || found.Deployment != w.is.Deployment || string(found.Ops) != string(w.is.Ops) || found.Count != w.is.Count {
		w.t.Fatalf("%+v, %v", found, err)
	}
	log, err := w.config.open(w.t.Context(), adoptedShards)
	if err != nil {
		w.t.Fatal(err)
	}
	defer log.Close()
	ranges, err := log.Ranges(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for id := range graph.ShardID(adoptedShards) {
		copied := storage.NewMemStore()
		fold := journal.NewFold(journal.Deployment{ID: w.is.Deployment, Shards: adoptedShards}, journal.Start(log.ID()))
		for r, err := range recordsOf(w.t.Context(), log, int32(id), 0, ranges[id].End) {
			if err != nil {
				w.t.Fatal(err)
			}
			record, err := journal.Parse(r.Value)
			if err != nil {
				w.t.Fatal(err)
			}
			_, commit, err := fold.Take(r.Offset, &record)
			if err != nil {
				w.t.Fatal(err)
			}
			if commit == nil {
				continue
			}
			b, err := row.OpsOf(commit.Ops, commit.Count, id)
			if err == nil {
				err = copied.Commit(b)
			}
			if err != nil {
				w.t.Fatal(err)
			}
		}
		got, want := rowsOf(w.t, copied, id), rowsOf(w.t, w.rows, id)
		if !maps.Equal(got, want) {
			w.t.Errorf("shard %d: %d rows, want %d and the same", id, len(got), len(want))
		}
		if at, _ := fold.Position(); len(want) > 0 && (at.Rules != 7 || at.Handlers != handlers) {
			w.t.Errorf("shard %d: its log tail is of rules %d and handlers %d", id, at.Rules, at.Handlers)
		}
	}
}

// total is how many rows the shards have.
func (w *adoptionWorld) total() (n int) {
	for id := range graph.ShardID(adoptedShards) {
		n += len(rowsOf(w.t, w.rows, id))
	}
	return n
}

// fails makes the next count appends to a partition fail; -1 stands for all.
func (w *adoptionWorld) fails(partition int32, err *kerr.Error, count int) *kfake.FaultHandle {
	return w.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: w.config.Topic(), Partitions: []int32{partition}, Err: err, Count: count})
}

// A node that follows the journal gets the rows of the directory, and none starts before they are all there. The second adoption is
// refused.
func TestAdopt(t *testing.T) {
	for seed := range adoptions(2) {
		inAdoption(t, seed, func(w *adoptionWorld) {
			if err := w.adopt(w.t.Context()); err != nil {
				w.t.Fatal(err)
			}
			w.everywhere()
			if total := w.total(); int(w.taken.Load()) != total {
				w.t.Errorf("%d rows were told, want %d", w.taken.Load(), total)
			}
			if err := w.adopt(w.t.Context()); !errors.Is(err, ErrDefined) {
				w.t.Errorf("again: %v", err)
			}
			w.everywhere()
		})
	}
}

// Brokers that do not answer for a while leave outcomes unknown: what lands twice counts once.
func TestScribeAcrossUnknownOutcomes(t *testing.T) {
	inAdoption(t, 1, func(w *adoptionWorld) {
		log, err := w.config.make(w.t.Context(), adoptedShards)
		if err != nil {
			w.t.Fatal(err)
		}
		defer log.Close()
		s, err := claim(w.t.Context(), log, 1, &w.is, adoptName, 7)
		if err != nil {
			w.t.Fatal(err)
		}
		fault := w.fails(1, kerr.NotEnoughReplicas, -1)
		time.AfterFunc(25*time.Second, func() { fault.Remove() })
		wrote := sha256.New()
		for seq := range uint64(3) {
			var b storage.Batch
			b.Set(row.AppendLogKey(nil, 1, seq), []byte("row"))
			ops, count := b.Ops()
			if err := s.commit(w.t.Context(), ops, count); err != nil {
				w.t.Fatal(err)
			}
			wrote.Write(ops)
		}
		a := adoption{config: &w.config, log: log, of: &w.is}
		if err := a.readBack(w.t.Context(), s, wrote); err != nil {
			w.t.Error(err)
		}
		ranges, err := log.Ranges(w.t.Context())
		if err != nil || ranges[1].End <= 1+3 {
			w.t.Errorf("%+v, %v: nothing landed twice", ranges[1], err)
		}
	})
}

// J10: an adoption that is cut short leaves a journal on which no node starts, and that neither init takes. The error
// names the topic to delete.
func TestAdoptCutShort(t *testing.T) {
	for seed := range adoptions(6) {
		inAdoption(t, seed, func(w *adoptionWorld) {
			ctx, cancel := context.WithCancel(w.t.Context())
			defer cancel()
			after := rand.New(rand.NewPCG(seed, 1)).IntN(w.total())
			err := Adopt(ctx, &w.config, w.is, 7, w.rows, func(n int) {
				if w.taken.Add(int64(n)) > int64(after) {
					cancel()
				}
			})
			if err == nil || w.taken.Load() == 0 {
				t.Fatalf("it was not cut short: %v", err)
			}
			for what, err := range map[string]error{
				"a node":                   func() error { _, err := Find(w.t.Context(), &w.config); return err }(),
				"another adoption":         w.adopt(w.t.Context()),
				"init without a directory": Define(w.t.Context(), &w.config, w.is, 7),
			} {
				if !errors.Is(err, ErrUnfinished) {
					w.t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

// Rows that another process wrote meanwhile are noticed before the definition is written.
func TestAdoptNoticesOthers(t *testing.T) {
	inAdoption(t, 3, func(w *adoptionWorld) {
		var once atomic.Bool
		err := Adopt(w.t.Context(), &w.config, w.is, 7, w.rows, func(int) {
			if once.Swap(true) {
				return
			}
			log, err := w.config.open(w.t.Context(), adoptedShards)
			if err != nil {
				w.t.Error(err)
				return
			}
			defer log.Close()
			for id := range adoptedShards {
				if _, err := claim(w.t.Context(), log, id, &w.is, "another", 7); err != nil {
					w.t.Error(err)
				}
			}
		})
		if err == nil {
			w.t.Error("nothing was noticed")
		}
		if _, err := Find(w.t.Context(), &w.config); !errors.Is(err, ErrUnfinished) {
			w.t.Errorf("a node: %v", err)
		}
	})
}

// Of processes that begin at the same time, at most one makes the cluster, and then all rows are there. A cluster that init made
// without a directory has no rows of it.
func TestAdoptAtOnce(t *testing.T) {
	for seed := range adoptions(6) {
		inAdoption(t, seed, func(w *adoptionWorld) {
			plain := w.is
			plain.Deployment = [16]byte{2}
			outcomes := make(chan string, 3)
			made := func(name string, err error) {
				if err != nil {
					name = ""
				}
				outcomes <- name
			}
			go func() { made("adopted", w.adopt(w.t.Context())) }()
			go func() { made("adopted", w.adopt(w.t.Context())) }()
			go func() { made("plain", Define(w.t.Context(), &w.config, plain, 7)) }()
			got := map[string]int{}
			for range 3 {
				got[<-outcomes]++
			}
			found, err := Find(w.t.Context(), &w.config)
			switch {
			case got["adopted"] == 1 && got["plain"] == 0:
				w.everywhere()
			case got["plain"] == 1 && got["adopted"] == 0:
				if err != nil || found.Deployment != plain.Deployment || w.taken.Load() > 0 {
					w.t.Errorf("seed %d: %+v, %v, and %d rows", seed, found, err, w.taken.Load())
				}
			case got[""] == 3:
				if err == nil {
					w.t.Errorf("seed %d: nobody made it, and nodes start", seed)
				}
			default:
				w.t.Errorf("seed %d: %v", seed, got)
			}
		})
	}
}

// A definition that does not come from the adoption which began the journal does not count: rows may be on their way.
func TestDefinitionUnderAnotherClaim(t *testing.T) {
	inAdoption(t, 1, func(w *adoptionWorld) {
		log, err := w.config.make(w.t.Context(), adoptedShards)
		if err != nil {
			w.t.Fatal(err)
		}
		defer log.Close()
		if _, err := claim(w.t.Context(), log, adoptedShards, &w.is, adoptName, 7); err != nil {
			w.t.Fatal(err)
		}
		if err := write(w.t.Context(), log, &w.is, 7); err != nil {
			w.t.Fatal(err)
		}
		if _, err := Find(w.t.Context(), &w.config); !errors.Is(err, ErrUnfinished) {
			w.t.Errorf("a node: %v", err)
		}
	})
}

// A row that no program wrote is named before any node gets it.
func TestAdoptRefusesDamage(t *testing.T) {
	inAdoption(t, 1, func(w *adoptionWorld) {
		var b storage.Batch
		b.Set(append(row.AppendLogKey(nil, 3, 1), 1), []byte("x"))
		if err := w.rows.Commit(&b); err != nil {
			w.t.Fatal(err)
		}
		if err := w.adopt(w.t.Context()); !errors.Is(err, storage.ErrCorrupt) {
			w.t.Errorf("a row of another shape: %v", err)
		}
	})
}
