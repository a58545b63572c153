package debug

import (
	"sync"
	"sync/atomic"
	"time"
)

// listener is one reader of the debugger: intakes offer entries, and the goroutine of its request takes them.
type listener struct {
	filter *filter
	queue  chan *entry
	bytes  atomic.Int64 // of the entries in the queue
	missed atomic.Uint64

	mu      sync.Mutex // guards the following
	second  int64      // of the clock, in which admitted were shown
	shown   int
	sampled uint64
}

func newListener(f *filter) *listener {
	return &listener{filter: f, queue: make(chan *entry, queueMax)}
}

// admit reports whether one more event may be shown in this second.
func (l *listener) admit() bool { return l.admitAt(time.Now().Unix()) }

func (l *listener) admitAt(second int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if second != l.second {
		l.second, l.shown = second, 0
	}
	if l.shown >= Rate {
		l.sampled++
		return false
	}
	l.shown++
	return true
}

// offer puts an entry into the queue if there is room, and counts it as missed if there is none.
func (l *listener) offer(e *entry) {
	if l.bytes.Add(e.bytes) <= queueBytesMax {
		select {
		case l.queue <- e:
			return
		default:
		}
	}
	l.bytes.Add(-e.bytes)
	l.missed.Add(1)
}

// took gives back the room of an entry.
func (l *listener) took(e *entry) { l.bytes.Add(-e.bytes) }

// leftOut returns how many events were left out since the last call: by the rate, and for want of room.
func (l *listener) leftOut() (sampled, missed uint64) {
	l.mu.Lock()
	sampled, l.sampled = l.sampled, 0
	l.mu.Unlock()
	return sampled, l.missed.Swap(0)
}
