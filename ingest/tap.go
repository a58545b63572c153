package ingest

import (
	"slices"
	"sync/atomic"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest/segment"
)

// A Tap shows the events of intakes, as they came in and with their verdicts, to one watcher: a debugger. While nobody
// watches, an event costs one atomic load. The zero value is closed; a nil Tap can't be opened.
//
// The watcher runs on the goroutine that settles a batch, so it must not block. Everything that it is given is reused
// memory, and valid during the call only.
type Tap struct {
	watcher atomic.Pointer[func(*Traced)]
}

// Watch opens the tap, or closes it if watcher is nil. It replaces the watcher before.
func (t *Tap) Watch(watcher func(*Traced)) {
	if watcher == nil {
		t.watcher.Store(nil)
		return
	}
	t.watcher.Store(&watcher)
}

// open reports whether somebody watches.
func (t *Tap) open() bool { return t != nil && t.watcher.Load() != nil }

// Traced is an event as it came in, and what became of it.
type Traced struct {
	Raw     []byte // as it came in, after a mapping
	Arrival Arrival
	Event   *graph.Event // nil if it was not taken
	Verdict *Verdict
	Dropped []segment.Drop // fields left out of it

	verdict, taken int // indexes in the intake; taken is -1 without an event
}

// trace notes an event that was just taken or refused, to be shown once its verdict is final.
func (in *Intake) trace(raw []byte, from *Arrival, taken int) {
	in.traced = append(in.traced, Traced{
		Raw: raw, Arrival: *from, Dropped: slices.Clone(in.Decoder.Dropped()), verdict: len(in.verdicts) - 1, taken: taken,
	})
}

// show shows the traced events whose verdicts are final, and keeps the others for the next round.
func (in *Intake) show() {
	watcher := in.tap.watcher.Load()
	waiting := in.traced[:0]
	for i := range in.traced {
		t := &in.traced[i]
		t.Verdict = &in.verdicts[t.verdict]
		switch status := t.Verdict.Status; {
		case status == Pending || status == OutOfTurn || status == Unserved:
			waiting = append(waiting, *t)
			continue
		case watcher == nil || status == Elsewhere: // nobody watches any more; shown when it was taken
			continue
		}
		if t.taken >= 0 {
			t.Event = in.taken[t.taken].event
		}
		(*watcher)(t)
	}
	clear(in.traced[len(waiting):])
	in.traced = waiting
}
