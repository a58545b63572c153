package journaltest

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/kindred-id/kindred/cluster/control"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// SimulateControl lets several nodes change rows of no shard, each by what it read some time before: the floor of a channel goes up
// by one, channels come and go, and now and then a node tries to write a row of a shard. It returns what a check noticed.
func SimulateControl(seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, 0x6b)) //nolint:gosec // a schedule has to be the same every time
	store := storage.NewMemStore()
	state := control.New(store)
	raised := map[row.ChannelID]int64{}
	names := map[row.ChannelID]string{}
	type wish struct {
		change control.Change
		apply  func() error
	}
	var waiting []wish
	read := func(id row.ChannelID) (row.Channel, control.Rows) {
		c, _ := row.ReadChannel(store, id) // absent: the zero channel
		var b storage.Batch
		c.Put(&b, id)
		was := control.Rows{}
		for key := range b.Keys() {
			if value, err := store.Get([]byte{}, key); err == nil {
				was[string(key)] = value
			} else {
				was[string(key)] = nil
			}
		}
		return c, was
	}
	propose := func() wish {
		id := row.ChannelID(1 + rng.IntN(4))
		c, was := read(id)
		b := &storage.Batch{}
		switch k := rng.IntN(10); {
		case k == 0:
			b.Set(row.AppendLogKey(nil, graph.ShardID(rng.IntN(3)), 1), []byte{1})
			return wish{control.Change{Batch: b}, func() error { return errors.New("a row of a shard is written past its batches") }}
		case k < 3: // by a node that does not know that the id was used, and rests on nothing
			name := fmt.Sprintf("topic/%d", rng.IntN(100))
			(&row.Channel{Name: name}).Put(b, id)
			return wish{control.Change{Batch: b}, func() error {
				if before, used := names[id]; used && before != name {
					return fmt.Errorf("channel id %d is reused", id)
				}
				names[id], raised[id] = name, 0
				return nil
			}}
		case k < 4:
			c.Name = ""
			c.Put(b, id)
			return wish{control.Change{Was: was, Batch: b}, func() error {
				if _, used := names[id]; !used {
					names[id] = ""
				}
				return nil
			}}
		}
		c.Floor++
		c.Put(b, id)
		return wish{control.Change{Was: was, Batch: b}, func() error {
			if _, used := names[id]; !used {
				names[id] = ""
			}
			raised[id]++
			return nil
		}}
	}
	for range 60 {
		waiting = append(waiting, propose())
		if rng.IntN(3) > 0 {
			continue
		}
		rng.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
		n := 1 + rng.IntN(len(waiting))
		step := waiting[:n]
		waiting = waiting[n:]
		var changes []control.Change
		for _, w := range step {
			changes = append(changes, w.change)
		}
		batch, refused, err := state.Step(changes)
		if err != nil {
			return err
		}
		if rng.IntN(5) == 0 { // the owner is lost, and the batch with it
			state = control.New(store)
			continue
		}
		if err := store.Commit(batch); err != nil {
			return err
		}
		state.Committed()
		for i := range step {
			if refused[i] == nil {
				if err := step[i].apply(); err != nil {
					return err
				}
			}
		}
		for id, want := range raised {
			if c, _ := row.ReadChannel(store, id); c.Floor != want {
				return fmt.Errorf("floor of channel %d is %d, and was raised %d times", id, c.Floor, want)
			}
		}
	}
	return nil
}
