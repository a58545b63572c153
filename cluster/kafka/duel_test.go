package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// duel is five owners that each believe that a partition is theirs.
type duel struct {
	w  *world
	of journal.Deployment

	mu       sync.Mutex // guards the following
	answered map[uint64]int64
	losses   int
	unknown  int
}

// owner is one of them: it claims, commits as long as nothing says that it lost, and claims again.
type owner struct {
	duel   *duel
	log    *Log
	fold   *journal.Fold
	name   string
	random *rand.Rand
	number uint64 // of the last commit tried; unique among owners
}

var errLost = errors.New("lost")

// catchUp reads up to, and with, an offset, and reports whether another's claim was there.
func (o *owner) catchUp(to, own int64) (last journal.Verdict, overtaken bool, err error) {
	records, err := read(o.duel.w.t.Context(), o.log, 0, o.fold.Next(), to)
	if err != nil {
		return 0, false, err
	}
	for _, r := range records {
		if r.Offset > to {
			break
		}
		parsed, err := journal.Parse(r.Value)
		if err != nil {
			return 0, false, err
		}
		if last, _, err = o.fold.Take(r.Offset, &parsed); err != nil {
			return 0, false, err
		}
		overtaken = overtaken || last == journal.Claimed && r.Offset != own
	}
	return last, overtaken, nil
}

func (o *owner) append(value []byte) (int64, error) {
	a := <-start(o.log, 0, string(value))
	if errors.Is(a.err, ErrUnknown) || errors.Is(a.err, ErrRefused) {
		o.duel.mu.Lock()
		o.duel.unknown++
		o.duel.mu.Unlock()
		return 0, errLost
	}
	return a.offset, a.err
}

// reign claims, and commits so many times, or until it lost.
func (o *owner) reign(commits int) error {
	claim, err := o.append(journal.AppendClaim(nil, &journal.Claim{Deployment: o.duel.of.ID, Shards: o.duel.of.Shards, Node: o.name, Boot: 1, Handlers: 1}))
	if err != nil {
		return err
	}
	if claim < o.fold.Next() {
		return errLost
	}
	if last, _, err := o.catchUp(claim, claim); err != nil || last != journal.Claimed {
		return errors.Join(err, errLost)
	}
	for seq := uint64(1); seq <= uint64(commits); seq++ {
		o.number++
		ops := binary.BigEndian.AppendUint64(nil, o.number)
		offset, err := o.append(journal.AppendData(nil, &journal.Data{Claim: claim, Seq: seq, Part: 1, Parts: 1, Handlers: 1, Count: 1, Ops: ops}))
		if err != nil {
			return err
		}
		if offset < o.fold.Next() {
			return errLost
		}
		last, overtaken, err := o.catchUp(offset, claim)
		if err != nil {
			return err
		}
		if overtaken || last != journal.Committed {
			return errLost
		}
		o.duel.mu.Lock()
		o.duel.answered[o.number] = offset
		o.duel.mu.Unlock()
		time.Sleep(time.Duration(o.random.IntN(20)) * time.Millisecond)
	}
	return nil
}

// Five owners duel for one partition, over a broker that loses acknowledgements, refuses, answers after the deadline and
// drops its numbers. A commit that an owner answered for is in the valid log, once, at its offset.
func TestDuel(t *testing.T) {
	faults := []*kerr.Error{kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend, kerr.NotEnoughReplicas, kerr.OutOfOrderSequenceNumber, kerr.UnknownServerError}
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inWorld(t, 2, func(t *testing.T, w *world) {
				d := &duel{w: w, of: journal.Deployment{ID: [16]byte{1}, Shards: 1}, answered: map[uint64]int64{}}
				var owners, fault sync.WaitGroup
				stop := make(chan struct{})
				fault.Go(func() {
					random := rand.New(rand.NewPCG(seed, 99))
					for {
						select {
						case <-stop:
							return
						case <-time.After(time.Duration(random.IntN(200)) * time.Millisecond):
						}
						f := w.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: faults[random.IntN(len(faults))], Count: 1 + random.IntN(3)})
						if random.IntN(10) == 0 { // nobody gets through for longer than an append waits
							f.Remove()
							f = w.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
							time.Sleep(appendDeadline + time.Second)
						}
						f.Remove()
					}
				})
				for i := range uint64(5) {
					o := &owner{
						duel: d, log: w.open(), fold: journal.NewFold(d.of, journal.Start(w.config.ID)),
						name: fmt.Sprint("n", i), random: rand.New(rand.NewPCG(seed, i)), number: i << 32,
					}
					owners.Go(func() {
						defer o.log.Close()
						for range 12 {
							if err := o.reign(o.random.IntN(12)); errors.Is(err, errLost) {
								d.mu.Lock()
								d.losses++
								d.mu.Unlock()
							} else if err != nil {
								t.Errorf("%s: %v", o.name, err)
							}
							time.Sleep(time.Duration(o.random.IntN(300)) * time.Millisecond)
						}
					})
				}
				owners.Wait()
				close(stop)
				fault.Wait()
				d.audit(t)
			})
		})
	}
}

// audit folds the whole log as a standby would.
func (d *duel) audit(t *testing.T) {
	l := d.w.open()
	defer l.Close()
	records, err := read(t.Context(), l, 0, 0, must(t, l, 0, "end"))
	if err != nil {
		t.Fatal(err)
	}
	fold := journal.NewFold(d.of, journal.Start(d.w.config.ID))
	applied, void := map[uint64]int64{}, 0
	for _, r := range records[:len(records)-1] {
		parsed, err := journal.Parse(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		verdict, commit, err := fold.Take(r.Offset, &parsed)
		switch {
		case err != nil:
			t.Fatal(err)
		case verdict == journal.Void:
			void++
		case verdict == journal.Committed:
			number := binary.BigEndian.Uint64(commit.Ops)
			if _, twice := applied[number]; twice {
				t.Errorf("commit %x was applied twice", number)
			}
			applied[number] = r.Offset
		}
	}
	for number, offset := range d.answered {
		if at, ok := applied[number]; !ok || at != offset {
			t.Errorf("commit %x was answered for at %d, and is at %d, %v", number, offset, at, ok)
		}
	}
	if d.losses == 0 || void == 0 || len(d.answered) == 0 || d.unknown == 0 {
		t.Errorf("nothing happened: %d losses, %d void, %d answered, %d unknown", d.losses, void, len(d.answered), d.unknown)
	}
	t.Logf("%d records: %d commits answered for, %d more applied, %d void; %d losses, of which %d by an unknown outcome",
		len(records)-1, len(d.answered), len(applied)-len(d.answered), void, d.losses, d.unknown)
}
