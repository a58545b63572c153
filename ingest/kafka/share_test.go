package kafka

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kindred-id/kindred/actors"
)

// shares say which of several consumers a partition is for; nobody is -1.
type shares struct {
	mu sync.Mutex // guards the following
	of map[int32]int
}

func (s *shares) give(partition int32, to int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of[partition] = to
}

func (s *shares) has(partition int32, consumer int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[partition] == consumer
}

// consumers starts n consumers that share partitions.
func (w *world) consumers(n int, s *shares, change ...func(*Config)) (all []*Consumer) {
	w.t.Helper()
	for i := range n {
		w.into.Mine = func(_ string, partition int32) bool { return s.has(partition, i) }
		all = append(all, w.consumer(change...))
	}
	w.into.Mine = nil
	return all
}

// Partitions go from one consumer to another, to nobody for a while, and to both, while records are written: every event is taken once, and
// at the end each partition is read by the consumer that it is for, and by no other.
func TestShares(t *testing.T) {
	inWorld(t, 5, func(w *world) {
		seed := rand.Uint64()
		t.Log("seed", seed)
		rng := rand.New(rand.NewPCG(seed, 1))
		s := &shares{of: map[int32]int{}}
		all := w.consumers(3, s)
		for i := range 40 {
			w.produce(100*i, 100)
			s.give(int32(rng.IntN(5)), rng.IntN(4)-1)
			time.Sleep(time.Duration(rng.IntN(3000)) * time.Millisecond)
		}
		for partition := range int32(5) {
			s.give(partition, int(partition)%3)
		}
		handled := map[int32]int{}
		for i, c := range all {
			w.until("each has its partitions and has read them", c, func(state Status) bool {
				for _, p := range state.Partitions {
					if p.State != Consuming || p.Handled < w.fake.PartitionInfos(topic)[p.Partition].HighWatermark || int(p.Partition)%3 != i {
						return false
					}
				}
				return len(state.Partitions) == []int{2, 2, 1}[i]
			})
			for _, p := range c.Status().Partitions {
				handled[p.Partition]++
			}
		}
		if len(handled) != 5 {
			t.Errorf("partitions are read by so many consumers: %v", handled)
		}
		w.took(4000)
		for _, c := range all {
			w.stop(c)
		}
		for _, ch := range w.engine.ExternalChannels().All() {
			name, _ := parseChannelName(ch.Name())
			if floor, ok, err := ch.Floor(t.Context()); err != nil || !ok || floor != w.fake.PartitionInfos(topic)[name.partition].HighWatermark {
				t.Errorf("%s: floor %d, %v, %v", ch.Name(), floor, ok, err)
			}
		}
	})
}

// A topic that begins with its latest records does so for all partitions at once, whichever consumer comes first, and a consumer that takes a partition
// over goes on where the others were.
func TestSharesBeginTogether(t *testing.T) {
	inWorld(t, 4, func(w *world) {
		w.produce(0, 400) // before the deployment knew the topic
		s := &shares{of: map[int32]int{0: 0, 1: 0, 2: 1, 3: -1}}
		all := w.consumers(2, s, func(c *Config) { c.Start = Start{Latest: true} })
		w.until("the first has begun", all[0], func(s Status) bool { return len(s.Partitions) == 2 && s.Partitions[1].State == Consuming })
		w.until("the second has begun", all[1], func(s Status) bool { return len(s.Partitions) == 1 && s.Partitions[0].State == Consuming })
		w.produce(400, 400)
		time.Sleep(time.Minute)
		synctest.Wait()
		w.took(300) // nobody reads the fourth
		late := w.consumers(2, s, func(c *Config) { c.Start = Start{Latest: true} })[1]
		s.give(3, 1)
		s.give(0, 1)
		w.until("the second has all but one", late, func(s Status) bool {
			return len(s.Partitions) == 3 && s.Partitions[0].Handled == 200 && s.Partitions[2].Handled == 200
		})
		w.took(400)
		for _, c := range w.running {
			w.stop(c)
		}
	})
}

// A process that looks at a topic while another one gives its partitions their beginnings gives them the same.
func TestSharesBeginInTheMiddle(t *testing.T) {
	inWorld(t, 4, func(w *world) {
		w.produce(0, 400) // before the deployment knew the topic
		ch, err := w.engine.ExternalChannels().Open(t.Context(), "events/3/x.y")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ch.Begin(t.Context(), w.fake.PartitionInfos(topic)[3].HighWatermark); err != nil {
			t.Fatal(err)
		}
		s := &shares{of: map[int32]int{}}
		c := w.consumers(1, s, func(c *Config) { c.Start = Start{Latest: true} })[0]
		w.until("all are read", c, func(s Status) bool {
			for _, p := range s.Partitions {
				if p.State != Consuming {
					return false
				}
			}
			return len(s.Partitions) == 4
		})
		w.produce(400, 400)
		time.Sleep(time.Minute)
		synctest.Wait()
		w.took(400)
		w.stop(c)
	})
}

// Of several that begin a channel, one decides where.
func TestBeginOnce(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		ch, err := w.engine.ExternalChannels().Open(t.Context(), "events/0/x.y")
		if err != nil {
			t.Fatal(err)
		}
		for _, offset := range []int64{7, 9, 3} {
			if floor, err := ch.Begin(t.Context(), offset); floor != 7 || err != nil {
				t.Errorf("%d, %v; want the first", floor, err)
			}
		}
		if _, err := ch.Begin(t.Context(), actors.MaxOffset+1); err == nil {
			t.Error("an offset that is too high was taken")
		}
	})
}
