package shard

import (
	"slices"
	"sync"
)

// A tally counts the messages between the shards of several processes, by epoch, as one process sees them. An epoch belongs to
// the process that has answered what the messages follow from:
//
//	 32 bit    32 bit
//	+---------+--------+
//	| session | number |  session 0: what a recovery sends again, which everybody waits for
//	+---------+--------+
//
// A message is counted where its sender is: as sent before the commit that sends it, as landed once its ack is taken there. Its receiver
// counts the messages that follow from it, with its epoch, before that ack leaves. So nothing of an epoch is under way at a
// moment if all processes have sent as many as have landed, and none has sent any between two looks (Mattern's four counters).
//
// Invariants:
//   - counts only grow, but for those that nobody waits for: an epoch below its session's floor.
//   - a process has landed at most as many as it has sent.
//   - what a shard that was closed had under way has landed: the process that opens it next counts it again (session 0). Until then the
//     shard is with nobody, and a caller who looks has to notice that.
//
// The obvious design, one counter of what is under way, can be passed by: a message may always be where the caller looks next.
type tally struct {
	session uint32

	mu      sync.Mutex // guards the following
	current uint32     // number of the epoch that messages belong to from now on
	waited  map[uint32]int
	floors  map[uint32]uint32 // by session: the lowest number that somebody may wait for
	dead    map[uint32]bool   // sessions whose epochs count as session 0
	counts  map[uint64]landing
}

type landing struct{ sent, landed uint64 }

// relaunched is the epoch of messages that a recovery found in the log.
const relaunched uint64 = 1

// epochsMost bounds the epochs that are counted: a session that ended without a word leaves some behind.
const epochsMost = 4096

func newTally(session uint32) *tally {
	return &tally{
		session: session, current: 1, waited: map[uint32]int{}, floors: map[uint32]uint32{}, dead: map[uint32]bool{}, counts: map[uint64]landing{},
	}
}

func epochOf(session, number uint32) uint64 { return uint64(session)<<32 | uint64(number) }

// key is the epoch that counts for an epoch. REQUIRES: t.mu held
func (t *tally) key(epoch uint64) uint64 {
	session, number := uint32(epoch>>32), uint32(epoch)
	if session == 0 || t.dead[session] {
		return relaunched
	}
	return epochOf(session, max(number, t.floors[session]))
}

func (t *tally) depart(messages []sending) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range messages {
		m := &messages[i]
		if m.epoch == 0 {
			m.epoch = epochOf(t.session, t.current)
		}
		t.count(m.epoch, 1, 0)
	}
	t.bound()
}

func (t *tally) departAgain() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count(relaunched, 1, 0)
	return relaunched
}

func (t *tally) arrive(messages []outgoing) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range messages {
		t.count(messages[i].Epoch, 0, 1)
	}
}

// count adds to an epoch. REQUIRES: t.mu held
func (t *tally) count(epoch uint64, sent, landed uint64) {
	key := t.key(epoch)
	c := t.counts[key]
	c.sent += sent
	c.landed += landed
	t.counts[key] = c
}

// end ends the current epoch, and returns its number: a caller waits for it until over. Now is the epoch after it.
func (t *tally) end() uint32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	ended := t.current
	t.current++
	t.waited[ended]++
	return ended
}

// over says that a caller waits for an epoch no longer.
func (t *tally) over(number uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waited[number]--; t.waited[number] == 0 {
		delete(t.waited, number)
	}
}

// now is the current epoch.
func (t *tally) now() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return epochOf(t.session, t.current)
}

// floor is the lowest number that somebody waits for.
func (t *tally) floor() uint32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	low := t.current
	for number := range t.waited {
		low = min(low, number)
	}
	return low
}

// sums adds up the epochs of a session up to a number, and of session 0. Nobody waits for those below floor: what is under way
// of them counts for floor.
func (t *tally) sums(session, floor, upto uint32) (sent, landed uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if floor > t.floors[session] {
		t.raise(session, floor)
	}
	for epoch, c := range t.counts {
		if epoch == relaunched || uint32(epoch>>32) == session && uint32(epoch) <= upto {
			sent += c.sent
			landed += c.landed
		}
	}
	return sent, landed
}

// sumsBut adds up the epochs of all sessions but some, and session 0.
func (t *tally) sumsBut(sessions []uint32) (sent, landed uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for epoch, c := range t.counts {
		if !slices.Contains(sessions, uint32(epoch>>32)) {
			sent += c.sent
			landed += c.landed
		}
	}
	return sent, landed
}

// raise moves a session's floor. REQUIRES: t.mu held
func (t *tally) raise(session, floor uint32) {
	t.floors[session] = floor
	var moved landing
	for epoch, c := range t.counts {
		if uint32(epoch>>32) == session && uint32(epoch) < floor {
			delete(t.counts, epoch)
			moved.sent += c.sent - c.landed
		}
	}
	if moved.sent > 0 {
		t.count(epochOf(session, floor), moved.sent, 0)
	}
}

// bound makes room where sessions have left epochs: they count as session 0 from now on. REQUIRES: t.mu held
func (t *tally) bound() {
	for len(t.counts) > epochsMost {
		session := t.session
		for epoch := range t.counts {
			if s := uint32(epoch >> 32); s != 0 && s != t.session {
				session = s
				break
			}
		}
		if session == t.session {
			return // callers of this process wait for them all
		}
		for epoch, c := range t.counts {
			if uint32(epoch>>32) == session {
				delete(t.counts, epoch)
				t.dead[session] = true
				t.count(relaunched, c.sent, c.landed)
			}
		}
	}
}

// The following are of a Transit that is shared with other processes.

// Shared reports whether other processes count beside this one.
func (t *Transit) Shared() bool { return t != nil && t.tally != nil }

// Session is the session of this process.
func (t *Transit) Session() uint32 { return t.tally.session }

// Now is the epoch of what follows from an input that is taken now.
func (t *Transit) Now() uint64 { return t.tally.now() }

// End ends the current epoch, and returns its number. The caller says Over when it waits for it no longer.
func (t *Transit) End() uint32 { return t.tally.end() }

// Over says that a caller of End waits no longer.
func (t *Transit) Over(number uint32) { t.tally.over(number) }

// Floor is the lowest number of this session that a caller of End waits for.
func (t *Transit) Floor() uint32 { return t.tally.floor() }

// Sums is how many messages of a session's epochs up to a number, and of session 0, this process has sent, and how many of them
// have landed. floor is that of the session.
func (t *Transit) Sums(session, floor, upto uint32) (sent, landed uint64) {
	return t.tally.sums(session, floor, upto)
}

// SumsBut is Sums for all epochs of all sessions but some: those of processes that are no more.
func (t *Transit) SumsBut(sessions []uint32) (sent, landed uint64) { return t.tally.sumsBut(sessions) }
