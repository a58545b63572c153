package stream

import "sync"

// DefaultStreams is how many streams of changes there are at one time, unless configured. Each holds as much in memory as
// the feed's reader takes at once; a client that reads slowly holds up only itself.
const DefaultStreams = 16

// places bounds streams of changes, in all and those of one caller: half of all, so that no key keeps the others out.
type places struct {
	most int

	mu    sync.Mutex // guards the following
	taken int
	of    map[string]int // by caller; those without a name, on an open server, are not told apart
}

// perCaller is the most that a caller with a key may take.
func (p *places) perCaller() int { return max(1, p.most/2) }

// take takes a place for a caller, and returns what gives it back; nil if there is none.
func (p *places) take(caller string) (leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken >= p.most || caller != "" && p.of[caller] >= p.perCaller() {
		return nil
	}
	p.taken++
	p.of[caller]++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.taken--
		if p.of[caller]--; p.of[caller] == 0 {
			delete(p.of, caller)
		}
	}
}
