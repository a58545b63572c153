package debug

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/kindred-id/kindred/api/lookup"
	"github.com/kindred-id/kindred/ingest"
)

// Bounds of the debugger.
const (
	// Rate is how many events a second a listener is shown.
	Rate          = 200
	listenersMax  = 8
	queueMax      = 512     // entries that wait for a listener
	queueBytesMax = 4 << 20 // of these entries
	textMax       = 64 << 10
	journalMax    = 4096 // merges
)

// Debugger shows events to those who listen. Close it before the engine.
type Debugger struct {
	find    *lookup.Lookup
	tap     *ingest.Tap
	journal journal
	ctx     context.Context // of the listeners: it ends with Close
	end     context.CancelFunc

	listeners atomic.Pointer[[]*listener] // read by intakes without a lock; replaced, never changed
	mu        sync.Mutex                  // guards replacing listeners, and opening and closing the tap
}

// New makes a debugger of the events that tap shows.
func New(find *lookup.Lookup, tap *ingest.Tap) *Debugger {
	d := &Debugger{find: find, tap: tap}
	d.ctx, d.end = context.WithCancel(context.Background())
	d.listeners.Store(&[]*listener{})
	return d
}

// Close ends the streams of all listeners.
func (d *Debugger) Close() { d.end() }

// listen adds a listener, and opens the tap for the first. It fails if there are too many.
func (d *Debugger) listen(f *filter) (*listener, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := *d.listeners.Load()
	if len(list) >= listenersMax {
		return nil, false
	}
	l := newListener(f)
	list = append(slices.Clone(list), l)
	d.listeners.Store(&list)
	if len(list) == 1 {
		d.journal.reset()
		d.find.Engine.WatchMerges(d.journal.add)
		d.tap.Watch(d.show)
	}
	return l, true
}

// leave removes a listener, and closes the tap after the last.
func (d *Debugger) leave(l *listener) {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(*d.listeners.Load()), func(other *listener) bool { return other == l })
	d.listeners.Store(&list)
	if len(list) == 0 {
		d.tap.Watch(nil)
		d.find.Engine.WatchMerges(nil)
		d.journal.reset()
	}
}

// show offers an event to every listener. Intakes call it; it does not block. The event is copied once, and only if a
// listener takes it.
func (d *Debugger) show(t *ingest.Traced) {
	var e *entry
	for _, l := range *d.listeners.Load() {
		if !l.filter.matches(t) || !l.admit() {
			continue
		}
		if e == nil {
			e = newEntry(t)
		}
		l.offer(e)
	}
}
