package actors

import (
	"runtime"
	"sync/atomic"
)

// way lets reads go ahead of ingest where both want the processors. Go runs what is ready in turn, for
// up to 10 ms each, so a read would wait for every shard and decoder in front of it. So these give way
// every few events; but only while there are reads, since it costs a tenth of the throughput.
type way struct{ turns atomic.Int64 } // that still give way

// turnsARead is how many turns of ingest a read buys for those after it: a good second's.
const turnsARead = 4096

// read notes a read.
func (w *way) read() {
	if w.turns.Load() < turnsARead/2 { // seldom, since all processors write here
		w.turns.Store(turnsARead)
	}
}

// give lets others run, while there are reads.
func (w *way) give() {
	if w.turns.Load() > 0 {
		w.turns.Add(-1)
		runtime.Gosched()
	}
}
