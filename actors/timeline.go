package actors

import (
	"bytes"
	"cmp"
	"context"
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

// Timeline lists the newest events of the identity that holds a node, the newest first. It fails as Read does.
func (q queries) Timeline(ctx context.Context, key graph.NodeKey, query TimelineQuery) (events []graph.Event, err error) {
	p, err := q.Profile(ctx, key)
	if err != nil {
		return nil, err
	}
	newestFirst := func(a, b graph.Event) int { return PositionOf(&b).Compare(PositionOf(&a)) }
	dec, limit := row.NewDecoder(), query.Limit
	err = q.eachEvent(ctx, &p, func(encoded []byte) error {
		ev, err := dec.Event(bytes.Clone(encoded))
		if err != nil {
			return err
		}
		if query.Before != (Position{}) && PositionOf(ev).Compare(query.Before) >= 0 || query.Wanted != nil && !query.Wanted(ev) {
			return nil
		}
		events = append(events, *ev)
		if len(events) >= 2*limit+1024 { // bounded memory, whatever the identity's age
			slices.SortFunc(events, newestFirst)
			events = slices.Delete(events, limit, len(events))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(events, newestFirst)
	return events[:min(limit, len(events))], nil
}

// EachEvent calls fn for every event of a person, in no order that matters. It is called on the goroutines of shards,
// and must not keep the event. The events read are those of the profile's identifiers, so one that comes meanwhile may be
// among them.
func (q queries) EachEvent(ctx context.Context, p *graph.Profile, fn func(*graph.Event)) error {
	dec := row.NewDecoder()
	return q.eachEvent(ctx, p, func(encoded []byte) error {
		ev, err := dec.Event(encoded)
		if err == nil {
			fn(ev)
		}
		return err
	})
}

func (q queries) eachEvent(ctx context.Context, p *graph.Profile, fn func(encoded []byte) error) error {
	for _, id := range p.Identifiers {
		err := q.askFirst(ctx, id.Key.Shard(len(q.runners)), func(s *shard.Shard) error { return s.Timeline(id.Key, fn) })
		if err != nil {
			return err
		}
	}
	return nil
}
