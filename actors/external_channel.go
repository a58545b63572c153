package actors

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// An ExternalChannel is a source of events outside that is ordered, numbered and can be read again: a
// partition of a Kafka topic, under one version of the function that routes events to shards. Its name
// says which, "<topic>/<partition>/<routing version>".
//
// A consumer of a channel
//
//  1. begins to read at Floor, or at any record before it, and reads on without a gap;
//  2. asks for Positions, drops the events whose number is not above their shard's, and delivers the others with
//     Delivery.AddRecord, each with the number of the event before it that went to the same shard, or the
//     position where that is higher;
//  3. asks again if an event comes back OutOfTurn, and goes on from there: another consumer was
//     faster, or an event before it was lost;
//  4. reports with SetFloor, now and then, the record below which every event is taken.
//
// Several consumers of one channel do no harm to each other. Numbers need not be dense, only ascending.
// All methods may be called from any goroutine.
type ExternalChannel struct {
	engine *Engine
	id     row.ChannelID
	name   string
}

// NoNumber is the position of a shard that has taken nothing of a channel, and the floor of a channel that has none.
const NoNumber = shard.NoNumber

// ErrDropped is returned for a channel that was dropped, here or by another process.
var ErrDropped = errors.New("external channel was dropped")

// errTooManyChannels is returned for a new channel beside shard.MaxChannels others, and when all ids were given out.
var errTooManyChannels = errors.New("too many external channels")

// Bounds of external channels.
const (
	maxChannelName = 512 // bytes
	// MaxOffset is the highest offset that RecordNumber takes.
	MaxOffset = 1<<46 - 1
	// indexBits are the lower bits of a number: the index of an event in its record.
	indexBits = 16
)

// RecordNumber is the number of an event in its channel: that of the index-th event of the record at
// an offset. REQUIRES: 0 <= offset <= MaxOffset and 0 <= index < 1<<indexBits
func RecordNumber(offset int64, index int) int64 { return offset<<indexBits | int64(index) }

// ExternalChannels are the external channels of an engine, by name. They are few and long-lived. The catalog has a row
// for each that there ever was: an id is not used again, or a consumer that is late would deliver into a channel that is
// not its own.
type ExternalChannels struct {
	engine *Engine
	open   shard.OpenChannels

	mu     sync.Mutex // guards the following, and is held while a channel is made or dropped
	byName map[string]*ExternalChannel
	last   row.ChannelID // the highest that was given out
}

// loadChannels reads the rows of channels.
func loadChannels(e *Engine) (*ExternalChannels, error) {
	c := &ExternalChannels{engine: e, byName: make(map[string]*ExternalChannel)}
	return c, c.loadLocked() // nobody else has it
}

// Reload takes in the channels that other processes have made or dropped.
func (c *ExternalChannels) Reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loadLocked()
}

// loadLocked takes in the rows of channels that are new or dropped. REQUIRES: c.mu held
func (c *ExternalChannels) loadLocked() error {
	return row.ScanChannels(c.engine.catalog.Reader(), func(id row.ChannelID, stored row.Channel) error {
		switch {
		case id > c.last:
			c.addLocked(id, &stored)
		case stored.Dropped() && c.open.Has(id):
			c.closeLocked(id)
		}
		return nil
	})
}

// closeLocked forgets a channel that was dropped. REQUIRES: c.mu held
func (c *ExternalChannels) closeLocked(id row.ChannelID) {
	maps.DeleteFunc(c.byName, func(_ string, ch *ExternalChannel) bool { return ch.id == id })
	c.open.Close(id)
}

// addLocked takes in a channel that is new here. REQUIRES: c.mu held
func (c *ExternalChannels) addLocked(id row.ChannelID, stored *row.Channel) {
	c.last = id
	if stored.Dropped() {
		return
	}
	c.byName[stored.Name] = &ExternalChannel{c.engine, id, stored.Name}
	c.open.Open(id)
}

// Open finds the external channel of a name. If the name is new, it makes a channel, durably.
func (c *ExternalChannels) Open(ctx context.Context, name string) (*ExternalChannel, error) {
	if name == "" || len(name) > maxChannelName {
		return nil, fmt.Errorf("name of an external channel of %d bytes: give 1 to %d", len(name), maxChannelName)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byName[name]; !ok {
		if err := c.makeLocked(ctx, name); err != nil {
			return nil, err
		}
	}
	return c.byName[name], nil
}

// makeLocked makes a channel, unless another process has made it. REQUIRES: c.mu held
func (c *ExternalChannels) makeLocked(ctx context.Context, name string) error {
	made := row.Channel{Name: name, Floor: NoNumber}
	var id row.ChannelID
	err := c.engine.catalog.Change(ctx, func(change *catalog.Change) error {
		for {
			if c.byName[name] != nil {
				return nil // as loadLocked has found
			}
			if id = c.last + 1; len(c.byName) >= shard.MaxChannels || id == 0 {
				return fmt.Errorf("%w: no room for %q beside %d others, with %d ids given out: drop those of topics and routing versions that are read no more",
					errTooManyChannels, name, len(c.byName), c.last)
			}
			_, err := row.ReadChannel(change, id)
			if errors.Is(err, storage.ErrNotFound) {
				made.Put(change.Batch(), id)
				return nil
			}
			if err == nil {
				err = c.loadLocked()
			}
			if err != nil {
				return err
			}
		}
	})
	if err == nil && c.byName[name] == nil {
		c.addLocked(id, &made)
	}
	return err
}

// All are the external channels there are, by name.
func (c *ExternalChannels) All() []*ExternalChannel {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*ExternalChannel
	for _, name := range slices.Sorted(maps.Keys(c.byName)) {
		all = append(all, c.byName[name])
	}
	return all
}

// Name is the channel's name.
func (c *ExternalChannel) Name() string { return c.name }

// Positions are, by shard, the numbers of the last events taken; NoNumber for a shard that has taken nothing. The events
// up to them are durable.
func (c *ExternalChannel) Positions(ctx context.Context) ([]int64, error) {
	positions := make([]int64, len(c.engine.runners))
	for id := range positions {
		var err error
		if positions[id], err = c.Position(ctx, graph.ShardID(id)); err != nil {
			return nil, err
		}
	}
	return positions, nil
}

// Position is the number of the last event that one shard has taken, see Positions.
func (c *ExternalChannel) Position(ctx context.Context, id graph.ShardID) (number int64, err error) {
	if !c.engine.channels.open.Has(c.id) {
		return 0, c.dropped()
	}
	q := c.engine.queries
	err = q.reach(ctx, id, func() (err error) {
		number, err = c.engine.channels.position(ctx, c.id, id)
		return err
	}, func(ctx context.Context) error {
		answer, err := q.pose(ctx, id, askPosition, binary.AppendUvarint(nil, uint64(c.id)))
		if err != nil {
			return err
		}
		number = answer.int()
		return answer.end()
	})
	return number, err
}

// position is the position of a shard that is here.
func (c *ExternalChannels) position(ctx context.Context, of row.ChannelID, id graph.ShardID) (number int64, err error) {
	err = c.engine.ask(ctx, id, func(s *shard.Shard) error {
		number = s.Position(of)
		return nil
	})
	return number, err
}

// Floor is the highest offset that SetFloor was given, or where Seek went since: where to begin to read. ok is false if the
// channel has no floor yet; then the consumer reads everything. A floor of another process may not be known here yet.
func (c *ExternalChannel) Floor(ctx context.Context) (offset int64, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	stored, err := c.row(c.engine.catalog.Reader())
	if err != nil || stored.Floor == NoNumber {
		return 0, false, err
	}
	return stored.Floor, true, nil
}

// Begin gives the channel its first floor, durably, unless it has one, and returns the one that it has then. So several
// processes that find a new channel at once begin at one offset.
func (c *ExternalChannel) Begin(ctx context.Context, offset int64) (floor int64, err error) {
	if err := checkOffset(offset); err != nil {
		return 0, err
	}
	err = c.engine.catalog.Change(ctx, func(change *catalog.Change) error {
		stored, err := c.row(change)
		if floor = stored.Floor; err != nil || floor != NoNumber {
			return err
		}
		floor, stored.Floor = offset, offset
		stored.Put(change.Batch(), c.id)
		return nil
	})
	return floor, err
}

// SetFloor notes, durably, that all events of all records below offset were taken: the answers of
// their deliveries came, or Positions counts them. One that is lower than before changes nothing: of
// several consumers, the slowest is no news. It costs a sync of the store, so call it every so often.
func (c *ExternalChannel) SetFloor(ctx context.Context, offset int64) error {
	return c.setFloor(ctx, offset, false)
}

// setFloor writes a floor, which back may be lower than before.
func (c *ExternalChannel) setFloor(ctx context.Context, offset int64, back bool) error {
	if err := checkOffset(offset); err != nil {
		return err
	}
	return c.engine.catalog.Change(ctx, func(change *catalog.Change) error {
		stored, err := c.row(change)
		if err != nil || offset == stored.Floor || offset < stored.Floor && !back {
			return err
		}
		stored.Floor = offset
		stored.Put(change.Batch(), c.id)
		return nil
	})
}

// row reads the row of the channel.
func (c *ExternalChannel) row(from storage.Reader) (row.Channel, error) {
	stored, err := row.ReadChannel(from, c.id)
	if err == nil && stored.Dropped() {
		err = c.dropped()
	}
	return stored, err
}

func (c *ExternalChannel) dropped() error {
	return fmt.Errorf("%w: %q", ErrDropped, c.name)
}

// Dropped reports whether the channel was dropped, as far as it is known here.
func (c *ExternalChannel) Dropped() bool { return !c.engine.channels.open.Has(c.id) }

func checkOffset(offset int64) error {
	if offset < 0 || offset > MaxOffset {
		return fmt.Errorf("offset %d: want 0 to %d", offset, int64(MaxOffset))
	}
	return nil
}

// Seek sets floor and positions so that a consumer goes on with the record at offset, whatever was
// taken before: forward, what is between is passed over; back, it is taken again, and only the memory of
// duplicates tells what is known. It is for operators. When it fails in the middle, do it again.
//
// REQUIRES: nothing consumes the channel meanwhile
func (c *ExternalChannel) Seek(ctx context.Context, offset int64) error {
	// The floor first: below it, whatever the positions say is a place to go on from.
	if err := c.setFloor(ctx, offset, true); err != nil {
		return err
	}
	return c.setPositions(ctx, RecordNumber(offset, 0)-1)
}

func (c *ExternalChannel) setPositions(ctx context.Context, number int64) error {
	d := &Delivery{}
	for id := range c.engine.runners {
		d.seek(c.id, graph.ShardID(id), number)
	}
	err := c.engine.submitAndWait(ctx, d)
	if err == nil && slices.Contains(d.Outcomes, OutOfTurn) {
		err = c.dropped()
	}
	return err
}

// Replace drops the channel and makes another one of a new name, with a floor, in one change: a consumer of the channel
// delivers into one that is closed, and finds the other one in its place. It fails with ErrDropped if another process was faster.
func (c *ExternalChannel) Replace(ctx context.Context, name string, floor int64) error {
	if err := checkOffset(floor); err != nil {
		return err
	}
	all := c.engine.channels
	all.mu.Lock()
	defer all.mu.Unlock()
	made := row.Channel{Name: name, Floor: floor}
	var id row.ChannelID
	err := c.engine.catalog.Change(ctx, func(change *catalog.Change) error {
		if _, err := c.row(change); err != nil {
			return err
		}
		for id = all.last + 1; ; id++ {
			if id == 0 {
				return errTooManyChannels
			}
			_, err := row.ReadChannel(change, id)
			if errors.Is(err, storage.ErrNotFound) {
				break
			}
			if err != nil {
				return err
			}
		}
		(&row.Channel{Floor: NoNumber}).Put(change.Batch(), c.id)
		made.Put(change.Batch(), id)
		return nil
	})
	if err != nil {
		return err
	}
	return all.loadLocked()
}

// Drop closes the channel, durably: shards take nothing of it any more, and forget its positions in time. A channel of the
// same name starts over.
//
// REQUIRES: nothing consumes the channel meanwhile
func (c *ExternalChannel) Drop(ctx context.Context) error {
	all := c.engine.channels
	all.mu.Lock()
	defer all.mu.Unlock()
	err := c.engine.catalog.Change(ctx, func(change *catalog.Change) error {
		if _, err := c.row(change); err != nil {
			return err
		}
		(&row.Channel{Floor: NoNumber}).Put(change.Batch(), c.id)
		return nil
	})
	if err != nil {
		return err
	}
	all.closeLocked(c.id)
	return nil
}
