package generate

import "time"

// Live is an endless stream for people to watch: a few shoppers at a time, nearly all of whom browse anonymously for
// a while and then log in, so that identities merge every few events, the first within twenty events. Those who come
// back use another device, if they have one.
//
// Its lines come once, in order and without junk. It holds a few kilobytes, however long it runs. It
// is not safe for concurrent use.
type Live struct {
	shop    *shop
	arrived uint64
	last    int64
}

// Visits under way at once, people who may come back, and people remembered.
const (
	liveVisits   = 3
	liveReturns  = 200
	liveRemember = 4096
)

// NewLive makes the stream of a seed. Same seed and same times, same bytes.
func NewLive(seed uint64) *Live {
	cfg := Default()
	cfg.Seed, cfg.People, cfg.Events = seed, maxPeople, 10_000
	cfg.LateLogin, cfg.Generic, cfg.Junk, cfg.Loyalty, cfg.Alias = 1, 0, 0, 0, 0
	l := &Live{}
	l.shop = newShop(&cfg, liveRemember, liveVisits, l.nextPerson)
	l.shop.visitors, l.shop.guests = thresholdOf(0.04), thresholdOf(0.08)
	l.shop.planner.browseOnly, l.shop.planner.freshDevices = 0, true
	return l
}

// Next appends the next event to dst, as of now; a time not after the last one is taken as the
// millisecond after that. REQUIRES: now is not before 1970.
func (l *Live) Next(dst []byte, now time.Time) []byte {
	l.last = max(l.last+1, now.UnixMilli())
	return l.shop.append(dst, l.last)
}

// People is how many people have come so far.
func (l *Live) People() int { return int(min(l.arrived, maxPeople)) } //nolint:gosec // bounded

func (l *Live) nextPerson() uint64 {
	if l.arrived > 0 && l.shop.dice.below(100) < 40 {
		back := 1 + uint64(l.shop.dice.below(uint32(min(l.arrived, liveReturns))))
		return (l.arrived - back) % maxPeople
	}
	for {
		p := l.arrived % maxPeople
		l.arrived++
		*l.shop.deeds.of(p) = 0
		if l.shop.made() >= 20 || l.shop.role(p) == roleCustomer { // the first to come do log in
			return p
		}
	}
}
