package kafka

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// seek moves positions while consumers that share the topic run.
func (w *world) seek(partition int32, to Target) []Position {
	w.t.Helper()
	all, err := Positions(context.Background(), w.engine)
	if err != nil {
		w.t.Fatal(err)
	}
	config := w.config
	moved, err := (&Move{Topic: topic, Partition: partition, To: to, Live: true}).Apply(context.Background(), &config, all)
	if err != nil {
		w.t.Fatal(err)
	}
	return moved
}

// Positions are moved while several consumers run: back, and everything comes again, which message ids tell; forward, and what is between
// is passed over; and past records that are gone, so that a partition that had halted goes on.
func TestSeekWhileConsumed(t *testing.T) {
	inWorld(t, 3, func(w *world) {
		w.produce(0, 300)
		s := &shares{of: map[int32]int{0: 0, 1: 1, 2: 1}}
		all := w.consumers(2, s)
		read := func(what string, c *Consumer, partition int32, to int64) {
			t.Helper()
			w.until(what, c, func(s Status) bool {
				for _, p := range s.Partitions {
					if p.Partition == partition {
						return p.State == Consuming && p.Handled == to
					}
				}
				return false
			})
		}
		for partition, c := range []*Consumer{all[0], all[1], all[1]} {
			read("all is read", c, int32(partition), 100)
		}
		w.took(300)
		duplicates := func() uint64 {
			stats, err := w.engine.Stats(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			return stats.Duplicates
		}
		if moved := w.seek(0, Target{Earliest: true}); len(moved) != 1 || moved[0].Offset != 0 {
			t.Fatalf("moved %+v", moved)
		}
		w.until("the partition comes again", all[0], func(s Status) bool { return duplicates() == 100 && s.Partitions[0].Handled == 100 })

		s.give(1, -1)
		w.until("nobody has the partition", all[1], func(s Status) bool { return len(s.Partitions) == 1 })
		w.produce(300, 300)
		w.seek(1, Target{Offset: 150})
		s.give(1, 0)
		read("the rest of it is read", all[0], 1, 200)
		read("all of the first is read", all[0], 0, 200)
		read("all of the third is read", all[1], 2, 200)
		stats, err := w.engine.Stats(context.Background())
		if err != nil || stats.Accepted != 550 || stats.Duplicates != 100 {
			t.Errorf("accepted %d, duplicates %d, %v; want 550 and 100", stats.Accepted, stats.Duplicates, err)
		}

		s.give(2, -1)
		w.until("nobody has the third", all[1], func(s Status) bool { return len(s.Partitions) == 0 })
		w.produce(600, 300)
		gone := kadm.Offsets{}
		gone.AddOffset(topic, 2, 250, -1)
		if deleted, err := w.admin.DeleteRecords(context.Background(), gone); err != nil || deleted.Error() != nil {
			t.Fatal(err, deleted.Error())
		}
		s.give(2, 1)
		w.until("the third halts", all[1], func(s Status) bool { return len(s.Partitions) == 1 && s.Partitions[0].State == Halted })
		w.seek(2, Target{Earliest: true})
		read("the third goes on", all[1], 2, 300)
		for _, c := range all {
			w.stop(c)
		}
	})
}

// Positions are moved back at any moment, while partitions go from one consumer to another: no event is lost.
func TestSeekBackLosesNothing(t *testing.T) {
	inWorld(t, 4, func(w *world) {
		seed := rand.Uint64()
		t.Log("seed", seed)
		rng := rand.New(rand.NewPCG(seed, 2))
		s := &shares{of: map[int32]int{}}
		all := w.consumers(3, s)
		seeks := 0
		for i := range 30 {
			w.produce(100*i, 100)
			s.give(int32(rng.IntN(4)), rng.IntN(4)-1)
			time.Sleep(time.Duration(rng.IntN(3000)) * time.Millisecond)
			positions, err := Positions(context.Background(), w.engine)
			if err != nil {
				t.Fatal(err)
			}
			if len(positions) > 0 && rng.IntN(2) == 0 {
				if p := positions[rng.IntN(len(positions))]; p.Offset >= 0 {
					w.seek(p.Partition, Target{Offset: rng.Int64N(p.Offset + 1)})
					seeks++
				}
			}
		}
		for partition := range int32(4) {
			s.give(partition, int(partition)%3)
		}
		for i, c := range all {
			w.until("each has read its partitions", c, func(state Status) bool {
				for _, p := range state.Partitions {
					if p.State != Consuming || p.Handled < w.fake.PartitionInfos(topic)[p.Partition].HighWatermark || int(p.Partition)%3 != i {
						return false
					}
				}
				return len(state.Partitions) == []int{2, 1, 1}[i]
			})
		}
		stats, err := w.engine.Stats(context.Background())
		if err != nil || stats.Accepted != 3000 || stats.Quarantined != 0 {
			t.Errorf("accepted %d, set aside %d, %v; want 3000 and 0\nlog:\n%s", stats.Accepted, stats.Quarantined, err, w.log)
		}
		t.Logf("%d seeks, %d events came again", seeks, stats.Duplicates)
		for _, c := range all {
			w.stop(c)
		}
	})
}
