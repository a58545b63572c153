package actors

import (
	"runtime"
	"sync/atomic"
)

// readPriority lets reads go ahead of ingest where both want the processors. Go runs goroutines that are ready in turn, for
// up to 10 ms each, so a read would wait for every shard and decoder in front of it. So these yield every few events; but
// only while there are reads, since it costs a tenth of the throughput.
type readPriority struct{ turns atomic.Int64 } // how many turns of ingest still yield

// turnsARead is how many turns of ingest yield after a read, so that the reads after it go ahead too: a good second's.
const turnsARead = 4096

// note notes a read.
func (p *readPriority) note() {
	if p.turns.Load() < turnsARead/2 { // seldom, since all processors write here
		p.turns.Store(turnsARead)
	}
}

// yield lets other goroutines run, while there are reads.
func (p *readPriority) yield() {
	if p.turns.Load() > 0 {
		p.turns.Add(-1)
		runtime.Gosched()
	}
}
