package libraries

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"runtime/metrics"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable/block"
	lanrat "github.com/lanrat/extsort"

	"github.com/kindred-id/kindred/internal/extsort"
)

const (
	sortLines  = 500_000
	sortMemory = 8 << 20
)

// eachLine yields lines like those of an export: an id, and 300 to 600 bytes.
func eachLine(add func(key, line []byte) error) error {
	r := rand.New(rand.NewPCG(1, 2))
	line := bytes.Repeat([]byte("abcdefghij"), 60)
	var key [16]byte
	for range sortLines {
		binary.BigEndian.PutUint64(key[:], r.Uint64())
		binary.BigEndian.PutUint64(key[8:], r.Uint64())
		copy(line, key[:])
		if err := add(key[:], line[:300+r.IntN(300)]); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkSort sorts half a million lines within 8 MiB. Compare processor times, since the files are in the cache of the
// system.
func BenchmarkSort(b *testing.B) {
	run := func(name string, sort func(b *testing.B, check func(line []byte)) error) {
		b.Run(name, func(b *testing.B) {
			var cpu time.Duration
			top := peakHeap()
			for b.Loop() {
				before := processors()
				var last [16]byte
				lines := 0
				err := sort(b, func(line []byte) {
					if lines++; bytes.Compare(line[:16], last[:]) < 0 {
						b.Fatal("not in order")
					}
					copy(last[:], line)
				})
				if err != nil || lines != sortLines {
					b.Fatalf("%d lines, %v", lines, err)
				}
				cpu += processors() - before
			}
			b.ReportMetric(float64(cpu.Nanoseconds())/float64(b.N)/sortLines, "cpu-ns/line")
			b.ReportMetric(float64(top())/(1<<20), "MiB")
		})
	}
	run("extsort", func(b *testing.B, check func([]byte)) error {
		s := extsort.New(b.TempDir(), sortMemory)
		defer s.Close()
		if err := eachLine(s.Add); err != nil {
			return err
		}
		return s.Each(func(line []byte) error { check(line); return nil })
	})
	run("pebble", sortByPebble)
	run("lanrat", sortByLanrat)
}

// sortByPebble puts lines into a database without a log, whose memtables have the memory budget of the sort.
func sortByPebble(b *testing.B, check func([]byte)) error {
	cache := pebble.NewCache(1 << 20)
	defer cache.Unref()
	o := &pebble.Options{
		Cache: cache, DisableWAL: true, MemTableSize: sortMemory / 4, MemTableStopWritesThreshold: 3, DisableAutomaticCompactions: true,
		L0StopWritesThreshold: 1 << 20, L0CompactionThreshold: 1 << 20, FormatMajorVersion: pebble.FormatNewest, Logger: silent{},
	}
	o.Levels[0].Compression = func() *block.CompressionProfile { return block.NoCompression }
	o.Levels[0].BlockSize = 32 << 10
	db, err := pebble.Open(b.TempDir(), o)
	if err != nil {
		return err
	}
	defer db.Close()
	batch := db.NewBatch()
	err = eachLine(func(key, line []byte) error {
		if batch.Len() > 256<<10 {
			if err := batch.Commit(pebble.NoSync); err != nil {
				return err
			}
			_ = batch.Close()
			batch = db.NewBatch()
		}
		return batch.Set(key, line, nil)
	})
	if err == nil {
		err = batch.Commit(pebble.NoSync)
	}
	if err != nil {
		return err
	}
	it, err := db.NewIter(nil)
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		check(it.Value())
	}
	return it.Close()
}

// sortByLanrat uses chunks of as many lines of mean length as fit into half of the memory.
func sortByLanrat(b *testing.B, check func([]byte)) error {
	in := make(chan []byte, 100)
	same := func(line []byte) ([]byte, error) { return line, nil }
	s, out, failed := lanrat.Generic(in, same, same, func(a, b []byte) int { return bytes.Compare(a[:16], b[:16]) },
		&lanrat.Config{ChunkSize: sortMemory / 450 / 2, NumWorkers: 2, TempFilesDir: b.TempDir()})
	go func() {
		defer close(in)
		_ = eachLine(func(_, line []byte) error { in <- bytes.Clone(line); return nil })
	}()
	go s.Sort(context.Background())
	for line := range out {
		check(line)
	}
	return <-failed
}

type silent struct{}

func (silent) Infof(string, ...any)      {}
func (silent) Errorf(string, ...any)     {}
func (silent) Fatalf(f string, a ...any) { panic(f) }

// processors returns the processor time of this process.
func processors() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it can fail only for a wrong first argument
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakHeap watches the heap until the returned function is called, which returns the maximum.
func peakHeap() func() uint64 {
	stop, top := make(chan struct{}), make(chan uint64)
	go func() {
		most := uint64(0)
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		for {
			select {
			case <-stop:
				top <- most
				return
			case <-time.After(5 * time.Millisecond):
				metrics.Read(sample)
				most = max(most, sample[0].Value.Uint64())
			}
		}
	}()
	return func() uint64 { close(stop); return <-top }
}
