package actors

import (
	"runtime"
	"sync"

	"github.com/kindred-id/kindred/actors/shard"
)

// workers run the shards: a few goroutines, so that what is ready to run is never a queue of all
// shards ahead of a read. There are twice as many as processors, since one that reads from the disk
// waits. It is the dispatcher of the shard actors.
//
//   - no more turns wait than turns has room for: an inbox schedules one at a time.
type workers struct {
	turns chan func()
	stop  chan struct{}
	group sync.WaitGroup
}

// startWorkers starts them, for a number of shards.
func startWorkers(shards int) *workers {
	w := &workers{turns: make(chan func(), shards), stop: make(chan struct{})}
	for range 2 * runtime.GOMAXPROCS(0) {
		w.group.Go(w.run)
	}
	return w
}

func (w *workers) run() {
	for {
		select {
		case turn := <-w.turns:
			turn()
		case <-w.stop:
			return
		}
	}
}

// Schedule implements protoactor.Dispatcher.
func (w *workers) Schedule(turn func()) { w.turns <- turn }

// Throughput implements protoactor.Dispatcher. Inboxes have bounds of their own.
func (w *workers) Throughput() int { return shard.StepInputs }

// close ends them. What is scheduled from then on is not run.
func (w *workers) close() {
	close(w.stop)
	w.group.Wait()
}
