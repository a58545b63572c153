package letters

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Letter is an event that was refused.
type Letter = row.DeadLetter

// Letters are the dead letters of a deployment. Any number of goroutines may use them.
//
// There is no goroutine that writes: the first caller of Keep that finds nobody writing does, for all that wait, and again
// as long as others came meanwhile. So many requests cost one sync, and there is nothing to start or stop but the timer that
// lets old letters go.
type Letters struct {
	config  Config
	metrics *metrics

	mu      sync.Mutex // guards the following; no row is written under it
	kept    []kept     // the oldest first
	bytes   int64      // of kept
	next    uint64     // number of the next letter
	waiting []*bundle
	size    int // bytes of waiting and of the bundles that are being written
	queued  int // letters of the same
	writing bool
	full    bool // a bound was reached, and it was told
	second  int64
	spent   int // letters of that second
	spentBy int // bytes of that second
	timer   *time.Timer
	closed  bool
}

// kept is a letter on disk.
type kept struct {
	number uint64
	at     int64
	bytes  int
}

// bundle are the letters of one call of Keep.
type bundle struct {
	letters []Letter
	size    int
	done    chan struct{}
	err     error
}

// Config says where letters are kept, and how many. Catalog and Now are required.
type Config struct {
	Catalog *catalog.Catalog
	Now     func() int64 // ms since 1970 UTC
	Logger  *slog.Logger // default: nothing is logged
	// Letters, Bytes and Age bound what is kept. Default: 10,000, 64 MiB, 30 days.
	Letters int
	Bytes   int64
	Age     time.Duration
	// PerSecond bounds the letters that are kept in a second. Default: 1,000.
	PerSecond int
}

// Defaults, and bounds that are no settings.
const (
	DefaultLetters = 10_000
	DefaultBytes   = 64 << 20
	DefaultAge     = 30 * 24 * time.Hour

	defaultPerSecond = 1000
	bytesPerSecond   = 8 << 20
	maxWaiting       = 8 << 20  // of letters that are not written yet
	maxContext       = 64 << 10 // of a batch
	maxName          = 256      // of a message id or a name
	ageCheck         = time.Hour
)

// Bounds of one call of Keep, which a caller holds: the first of what is refused are kept.
const (
	MostAtOnce      = 500
	MostBytesAtOnce = 4 << 20
	MaxText         = 1 << 20 // of one event: a longer one is kept without its text
)

// asideShare is the part of every bound that letters of strangers may fill.
const asideShare = 2

// Errors of Keep and Read.
var (
	ErrBusy   = errors.New("there are more refused events than can be kept")
	ErrNoSuch = errors.New("no dead letter has this number")
)

// Open reads which letters there are.
func Open(c Config) (*Letters, error) {
	if c.Letters == 0 {
		c.Letters = DefaultLetters
	}
	if c.Bytes == 0 {
		c.Bytes = DefaultBytes
	}
	if c.Age == 0 {
		c.Age = DefaultAge
	}
	if c.PerSecond == 0 {
		c.PerSecond = defaultPerSecond
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	l := &Letters{config: c, next: 1}
	l.metrics = newMetrics(l)
	err := row.ScanDeadLetters(c.Catalog.Reader(), 0, func(letter *Letter, bytes int) error {
		l.kept = append(l.kept, kept{letter.Number, letter.At, bytes})
		l.bytes += int64(bytes)
		l.next = letter.Number + 1
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the dead letters: %w", err)
	}
	if err := l.expire(); err != nil {
		return nil, err
	}
	l.timer = time.AfterFunc(ageCheck, l.tick)
	return l, nil
}

// Close stops the timer. Letters that were kept stay.
func (l *Letters) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.timer.Stop()
}

// tick lets old letters go, once an hour.
func (l *Letters) tick() {
	if err := l.expire(); err != nil {
		l.config.Logger.Warn("old dead letters could not be deleted", "error", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.timer.Reset(ageCheck)
	}
}

// Keep keeps letters, in this order, and returns once they are durable. It numbers them, bounds them, and hides keys in them
// (L3), in place. It fails with ErrBusy if more come than the rate allows, or than fit while others are written: then none
// of them is kept.
func (l *Letters) Keep(ctx context.Context, letters []Letter) error { return l.keep(ctx, letters, 1) }

// KeepAside is Keep for letters of senders that have shown no valid key. They are kept while half of every bound is free, and
// never take the place of another letter: a stranger could have it filled, and the letters of others dropped (L5).
func (l *Letters) KeepAside(ctx context.Context, letters []Letter) error {
	return l.keep(ctx, letters, asideShare)
}

func (l *Letters) keep(ctx context.Context, letters []Letter, share int) error {
	b := &bundle{letters: letters, done: make(chan struct{})}
	for i := range letters {
		b.size += trim(&letters[i])
	}
	if !l.admit(b, share) {
		l.metrics.lost.Add(float64(len(letters)))
		return ErrBusy
	}
	for i := range letters {
		hide(&letters[i])
	}
	l.mu.Lock()
	l.waiting = append(l.waiting, b)
	writer := !l.writing
	l.writing = true
	l.mu.Unlock()
	if writer {
		l.write(context.WithoutCancel(ctx))
	}
	<-b.done
	if b.err != nil {
		l.metrics.lost.Add(float64(len(letters)))
	}
	return b.err
}

// admit takes room and rate for a bundle, as far as a share of them goes.
func (l *Letters) admit(b *bundle, share int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if second := l.config.Now() / 1000; second != l.second {
		l.second, l.spent, l.spentBy = second, 0, 0
	}
	if l.spent+len(b.letters) > l.config.PerSecond/share || l.spentBy+b.size > bytesPerSecond/share || l.size+b.size > maxWaiting/share {
		return false
	}
	if share > 1 && (len(l.kept)+l.queued+len(b.letters) > l.config.Letters/share || l.bytes+int64(l.size+b.size) > l.config.Bytes/int64(share)) {
		return false
	}
	l.spent, l.spentBy, l.size, l.queued = l.spent+len(b.letters), l.spentBy+b.size, l.size+b.size, l.queued+len(b.letters)
	return true
}

// write writes all that wait, until nobody waits. REQUIRES: l.writing was set by this caller
func (l *Letters) write(ctx context.Context) {
	for {
		l.mu.Lock()
		bundles := l.waiting
		if l.waiting = nil; len(bundles) == 0 {
			l.writing = false
			l.mu.Unlock()
			return
		}
		first := l.next
		for _, b := range bundles {
			for i := range b.letters {
				b.letters[i].Number = l.next
				l.next++
			}
		}
		l.mu.Unlock()
		l.commit(ctx, bundles, first)
	}
}

// commit writes bundles and deletes what is too much with them.
func (l *Letters) commit(ctx context.Context, bundles []*bundle, first uint64) {
	var added []kept
	var gone int
	err := l.config.Catalog.Change(ctx, func(ch *catalog.Change) error {
		added = added[:0]
		for _, b := range bundles {
			for i := range b.letters {
				letter := &b.letters[i]
				before := ch.Batch().Size()
				letter.Put(ch.Batch())
				added = append(added, kept{letter.Number, letter.At, ch.Batch().Size() - before})
			}
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		gone = l.excess(added)
		for i := range gone {
			row.DropDeadLetter(ch.Batch(), at(l.kept, added, i).number)
		}
		return nil
	})
	l.mu.Lock()
	if err == nil {
		l.take(added, gone)
	}
	for _, b := range bundles {
		l.size -= b.size
		l.queued -= len(b.letters)
		b.err = err
	}
	l.mu.Unlock()
	for _, b := range bundles {
		close(b.done)
	}
}

// at is the letter of a place in two lists, one after the other.
func at(old, added []kept, i int) kept {
	if i < len(old) {
		return old[i]
	}
	return added[i-len(old)]
}

// excess is how many of the oldest letters leave when some are added. REQUIRES: l.mu held
func (l *Letters) excess(added []kept) (gone int) {
	number, bytes := len(l.kept)+len(added), l.bytes
	for i := range added {
		bytes += int64(added[i].bytes)
	}
	oldest := l.config.Now() - l.config.Age.Milliseconds()
	for ; gone < number; gone++ {
		letter := at(l.kept, added, gone)
		if number-gone <= l.config.Letters && bytes <= l.config.Bytes && letter.at >= oldest {
			break
		}
		bytes -= int64(letter.bytes)
	}
	return gone
}

// take notes what was added and is gone. REQUIRES: l.mu held
func (l *Letters) take(added []kept, gone int) {
	oldest := l.config.Now() - l.config.Age.Milliseconds()
	evicted := 0
	for i := range gone {
		letter := at(l.kept, added, i)
		if letter.at >= oldest {
			evicted++
		}
		l.bytes -= int64(letter.bytes)
	}
	for i := range added {
		l.bytes += int64(added[i].bytes)
	}
	l.metrics.kept.Add(float64(len(added)))
	l.metrics.evicted.Add(float64(evicted))
	all := append(l.kept, added...)
	l.kept = all[:copy(all, all[gone:])]
	switch {
	case evicted > 0 && l.full: // it was told
	case evicted > 0:
		l.full = true
		l.config.Logger.Warn("the dead letters are full, so the oldest are dropped",
			"letters", len(l.kept), "bytes", l.bytes, "remedy", "kindred deadletters list shows why events are refused; drop or resend them, or give --dead-letters more room")
	default:
		l.noteRoom()
	}
}

// noteRoom notes that there is room again, once a tenth of it is free. REQUIRES: l.mu held
func (l *Letters) noteRoom() {
	if l.bytes < l.config.Bytes*9/10 && len(l.kept) < l.config.Letters*9/10 {
		l.full = false
	}
}

// expire deletes letters that are too old, or too many for bounds that have become smaller.
func (l *Letters) expire() error {
	l.mu.Lock()
	gone := l.kept[:l.excess(nil)]
	numbers := make([]uint64, len(gone))
	for i := range gone {
		numbers[i] = gone[i].number
	}
	l.mu.Unlock()
	for len(numbers) > 0 {
		n := min(len(numbers), 1000)
		if err := l.drop(context.Background(), numbers[:n]); err != nil {
			return err
		}
		numbers = numbers[n:]
	}
	return nil
}

// Drop deletes a letter. It fails with ErrNoSuch if there is none.
func (l *Letters) Drop(ctx context.Context, number uint64) error {
	if _, err := l.Read(number); err != nil {
		return err
	}
	return l.drop(ctx, []uint64{number})
}

func (l *Letters) drop(ctx context.Context, numbers []uint64) error {
	err := l.config.Catalog.Change(ctx, func(ch *catalog.Change) error {
		for _, number := range numbers {
			row.DropDeadLetter(ch.Batch(), number)
		}
		return nil
	})
	if err != nil {
		return err
	}
	dropped := make(map[uint64]bool, len(numbers))
	for _, number := range numbers {
		dropped[number] = true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	left := l.kept[:0]
	for _, letter := range l.kept {
		if dropped[letter.number] {
			l.bytes -= int64(letter.bytes)
			continue
		}
		left = append(left, letter)
	}
	l.kept = left
	l.noteRoom()
	return nil
}

// Lose counts events that were refused and are not kept, since their request had too many.
func (l *Letters) Lose(n int) { l.metrics.lost.Add(float64(n)) }

// Read returns a letter. It fails with ErrNoSuch if there is none.
func (l *Letters) Read(number uint64) (Letter, error) {
	letter, err := row.ReadDeadLetter(l.config.Catalog.Reader(), number)
	if errors.Is(err, storage.ErrNotFound) || err == nil && letter.At < l.config.Now()-l.config.Age.Milliseconds() {
		return letter, ErrNoSuch
	}
	return letter, err
}

// List calls each with the letters above a number, the oldest first. It stops at the first error of each and returns it. A
// letter is valid during the call.
func (l *Letters) List(above uint64, each func(letter *Letter) error) error {
	oldest := l.config.Now() - l.config.Age.Milliseconds()
	return row.ScanDeadLetters(l.config.Catalog.Reader(), above, func(letter *Letter, _ int) error {
		if letter.At < oldest {
			return nil
		}
		return each(letter)
	})
}

// Full reports whether a bound was reached, and the oldest letters were dropped for later ones. It holds until a tenth of
// the room is free again.
func (l *Letters) Full() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.full
}

// Size returns how many letters are kept, and the bytes that they take.
func (l *Letters) Size() (number int, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.kept), l.bytes
}
