package actors

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// Position is an event's place in a timeline. No two events have one: of equal stamps there may be
// many, as when sources number their messages alike; of equal Seen those whose message id came again
// after it had been forgotten, and they were received at different times.
type Position struct {
	graph.Stamp
	Seen     uint64 // as in graph.Event
	Received int64  // ms since 1970
}

// PositionOf is the place of an event.
func PositionOf(e *graph.Event) Position { return Position{e.Stamp, e.Seen, e.Received} }

// Compare orders positions; negative when p is older than other.
func (p Position) Compare(other Position) int {
	return cmp.Or(p.Stamp.Compare(other.Stamp), cmp.Compare(p.Seen, other.Seen), cmp.Compare(p.Received, other.Received))
}

// TimelineQuery says which events of a person are listed.
type TimelineQuery struct {
	Before Position                // only older events: the position of the last event of the previous page; zero: all
	Limit  int                     // at most so many, the newest
	Wanted func(*graph.Event) bool // only these; nil: all. It is called on the goroutine of a shard and keeps nothing
}

// newestFirst orders events as timelines list them.
func newestFirst(a, b graph.Event) int { return PositionOf(&b).Compare(PositionOf(&a)) }

// Timeline lists the newest events of the identity that holds a node, the newest first. It fails as Read does.
func (q queries) Timeline(ctx context.Context, key graph.NodeKey, query TimelineQuery) (events []graph.Event, err error) {
	p, err := q.Profile(ctx, key)
	if err != nil {
		return nil, err
	}
	n := newest{query: query}
	for _, id := range p.Identifiers {
		page := query.Limit
		if query.Wanted != nil {
			page = 0
		}
		if err := q.events(ctx, id.Key, query.Before, page, n.add); err != nil {
			return nil, err
		}
	}
	return n.list(), nil
}

// newest keeps the newest events that a query wants.
type newest struct {
	query  TimelineQuery
	dec    *row.Decoder
	events []graph.Event
}

func (n *newest) add(encoded []byte) error {
	if n.dec == nil {
		n.dec = row.NewDecoder()
	}
	ev, err := n.dec.Event(bytes.Clone(encoded))
	if err != nil {
		return err
	}
	if n.query.Before != (Position{}) && PositionOf(ev).Compare(n.query.Before) >= 0 || n.query.Wanted != nil && !n.query.Wanted(ev) {
		return nil
	}
	n.events = append(n.events, *ev)
	if len(n.events) >= 2*n.query.Limit+1024 { // bounded memory, whatever the identity's age
		slices.SortFunc(n.events, newestFirst)
		n.events = slices.Delete(n.events, n.query.Limit, len(n.events))
	}
	return nil
}

func (n *newest) list() []graph.Event {
	slices.SortFunc(n.events, newestFirst)
	return n.events[:min(n.query.Limit, len(n.events))]
}

// EachEvent calls fn for every event of a person, in no order that matters. It is called on the goroutines of shards,
// and must not keep the event. The events read are those of the profile's identifiers, so one that comes meanwhile may be
// among them.
func (q queries) EachEvent(ctx context.Context, p *graph.Profile, fn func(*graph.Event)) error {
	dec := row.NewDecoder()
	for _, id := range p.Identifiers {
		err := q.events(ctx, id.Key, Position{}, 0, func(encoded []byte) error {
			ev, err := dec.Event(encoded)
			if err == nil {
				fn(ev)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eventsAtOnce is how many events of a node another process sends at once.
const eventsAtOnce = 1024

// events calls fn with events of a node, encoded. Where the node's shard is with another process, these are the newest so many
// before a position, or all before it where most is 0; here they are all there are, in no order.
func (q queries) events(ctx context.Context, key graph.NodeKey, before Position, most int, fn func(encoded []byte) error) error {
	id := key.Shard(len(q.runners))
	here := func() error {
		err := q.askFirst(ctx, id, func(s *shard.Shard) error { return s.Timeline(key, fn) })
		if err != nil {
			return err
		}
		if err := q.current(ctx, id); errors.Is(err, ErrLost) {
			return fmt.Errorf("%w: its shard moved meanwhile", ErrInTransit) // fn has seen events, and must not see them again
		} else if err != nil {
			return err
		}
		return nil
	}
	if q.network == nil {
		return here()
	}
	// Events that were shown before a shard moved must not be shown again.
	shown := false
	show := fn
	fn = func(encoded []byte) error { shown = true; return show(encoded) }
	dec := row.NewDecoder()
	for left := most; ; {
		page := eventsAtOnce
		if most > 0 {
			page = min(left, page)
		}
		var events [][]byte
		asked := false
		err := q.reach(ctx, id, func() error {
			if !shown {
				return here()
			}
			asked = true
			rest, err := q.newestEvents(ctx, id, key, before, page)
			for i := range rest {
				events = append(events, rest[i].encoded)
			}
			return err
		}, func(ctx context.Context) (err error) {
			asked = true
			events, err = q.pageOfEvents(ctx, id, key, before, page)
			return err
		})
		if err != nil || !asked {
			return err
		}
		for _, encoded := range events {
			if err := fn(encoded); err != nil {
				return err
			}
		}
		if left -= len(events); len(events) < page || most > 0 && left <= 0 {
			return nil
		}
		last, err := dec.Event(events[len(events)-1])
		if err != nil {
			return err
		}
		before = PositionOf(last)
	}
}

// pageOfEvents asks the process that has a node's shard for the newest events before a position.
func (q queries) pageOfEvents(ctx context.Context, id graph.ShardID, key graph.NodeKey, before Position, most int) ([][]byte, error) {
	body := appendPosition(key.AppendBinary(nil), before)
	answer, err := q.pose(ctx, id, askTimeline.of(ctx), binary.AppendUvarint(body, uint64(most)))
	if err != nil {
		return nil, err
	}
	events := make([][]byte, answer.count(1))
	for i := range events {
		events[i] = answer.bytes()
	}
	return events, answer.end()
}

// placedEvent is an event where it stands in a timeline.
type placedEvent struct {
	at      Position
	encoded []byte
}

// newestEvents lists the newest events of a node of a shard that is here, before a position, the newest first.
func (q queries) newestEvents(ctx context.Context, id graph.ShardID, key graph.NodeKey, before Position, most int) (events []placedEvent, err error) {
	dec := row.NewDecoder()
	newest := func(a, b placedEvent) int { return b.at.Compare(a.at) }
	err = q.askFirst(ctx, id, func(s *shard.Shard) error {
		return s.Timeline(key, func(encoded []byte) error {
			ev, err := dec.Event(encoded)
			if err != nil {
				return err
			}
			at := PositionOf(ev)
			if before != (Position{}) && at.Compare(before) >= 0 {
				return nil
			}
			events = append(events, placedEvent{at, bytes.Clone(encoded)})
			if len(events) >= 2*most+1024 {
				slices.SortFunc(events, newest)
				events = slices.Delete(events, most, len(events))
			}
			return nil
		})
	})
	slices.SortFunc(events, newest)
	return events[:min(most, len(events))], q.shown(ctx, id, err)
}

func appendPosition(b []byte, p Position) []byte {
	b = binary.AppendVarint(b, p.Time)
	b = binary.AppendUvarint(b, uint64(p.Rank))
	b = binary.AppendUvarint(b, p.Tie)
	b = binary.AppendUvarint(b, p.Seen)
	return binary.AppendVarint(b, p.Received)
}

func (r *wireReader) position() Position {
	return Position{Stamp: graph.Stamp{Time: r.int(), Rank: uint8(r.below(1 << 8)), Tie: r.uint()}, Seen: r.uint(), Received: r.int()}
}
