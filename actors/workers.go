package actors

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/kindred-id/kindred/actors/shard"
)

// workers run the shards: a few goroutines, so that a read never queues after all shards that are ready to run. There are
// twice as many as processors, since a worker that reads from the disk waits. It is the dispatcher of the shard actors.
//
//   - There is room for every turn that waits: an inbox schedules one at a time.
//
// The obvious design, a goroutine for each shard, let Go put all of them in front of a read (docs/decisions/0008).
type workers struct {
	turns chan func()
	stop  chan struct{}
	group sync.WaitGroup
	busy  atomic.Int64  // turns that wait or run
	rest  chan struct{} // has a value soon after busy came to 0
}

// startWorkers starts them, for a number of shards.
func startWorkers(shards int) *workers {
	w := &workers{turns: make(chan func(), shards), stop: make(chan struct{}), rest: make(chan struct{}, 1)}
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
			w.ended()
		case <-w.stop:
			return
		}
	}
}

// Schedule implements protoactor.Dispatcher.
func (w *workers) Schedule(turn func()) {
	w.busy.Add(1)
	w.turns <- turn
}

// ended notes the end of a turn.
func (w *workers) ended() {
	if w.busy.Add(-1) > 0 {
		return
	}
	select {
	case w.rest <- struct{}{}:
	default: // it is said already
	}
}

// atRest reports whether no shard runs or waits for its turn.
func (w *workers) atRest() bool { return w.busy.Load() == 0 }

// Throughput implements protoactor.Dispatcher. Inboxes have bounds of their own.
func (w *workers) Throughput() int { return shard.StepInputs }

// close ends them. A turn that is scheduled later does not run.
func (w *workers) close() {
	close(w.stop)
	w.group.Wait()
}
