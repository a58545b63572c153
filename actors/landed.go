package actors

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/backoff"
)

// A look is what one process says of what is under way. All processes together are looked at twice: at the moment between both
// looks nothing was under way if each of them balances, every shard is with exactly one process, and nothing has
// changed. One look is not enough: a message may pass from a process that was not asked yet to one that was.
type look struct {
	a, b   uint64          // sent and landed; or whether it is at rest, and records written
	shards []graph.ShardID // that are open here
}

// wait says what a caller waits for: epochs of a session, see shard.Transit.
type wait struct{ session, floor, upto uint32 }

func (l *look) append(b []byte) []byte {
	b = binary.AppendUvarint(b, l.a)
	b = binary.AppendUvarint(b, l.b)
	b = binary.AppendUvarint(b, uint64(len(l.shards)))
	for _, id := range l.shards {
		b = binary.AppendUvarint(b, uint64(id))
	}
	return b
}

func readLook(r *wireReader) (look, error) {
	l := look{a: r.uint(), b: r.uint()}
	l.shards = make([]graph.ShardID, r.count(1))
	for i := range l.shards {
		l.shards[i] = graph.ShardID(r.below(1 << 16))
	}
	return l, r.end()
}

// openShards lists the shards that are open here.
func (p *pool) openShards() (open []graph.ShardID) {
	for id, r := range p.runners {
		if r.opened.Load() {
			open = append(open, graph.ShardID(id))
		}
	}
	return open
}

// landed says what this process has counted of a wait.
func (p *pool) landed(w wait) look {
	return p.look(func() (sent, landed uint64) { return p.transit.Sums(w.session, w.floor, w.upto) })
}

// look is one look of this process. A shard is listed only if it was open before and after: what a recovery sends again is counted then.
func (p *pool) look(sums func() (sent, landed uint64)) look {
	before := p.openShards()
	sent, landed := sums()
	after := p.openShards()
	return look{sent, landed, slices.DeleteFunc(before, func(id graph.ShardID) bool { return !slices.Contains(after, id) })}
}

// rest reports whether nothing is under way in this process, and how many records its shards have written.
func (e *Engine) rest(ctx context.Context) (look, error) {
	quiet, l := e.underWay() == 0, look{}
	for id, r := range e.runners {
		if !r.here() {
			continue
		}
		err := e.pool.ask(ctx, graph.ShardID(id), func(s *shard.Shard) error {
			stats := s.Stats()
			quiet = quiet && stats.Waiting == 0
			l.b += stats.Record
			return nil
		})
		if err != nil {
			return look{}, err
		}
		l.shards = append(l.shards, graph.ShardID(id))
	}
	if !quiet {
		l.a = 1
	}
	return l, nil
}

// agree looks at all processes until two looks in a row are quiet and the same. here looks at this process.
func (f far) agree(ctx context.Context, kind questionKind, body []byte, here func() (look, error), quiet func(look) bool) error {
	var last []look // of the look before, if that was quiet
	for attempt := 0; ; attempt++ {
		looks, err := gather(ctx, f, kind, body, here, readLook)
		switch {
		case f.Err() != nil:
			return f.Err()
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil || !f.whole(looks) || slices.ContainsFunc(looks, func(l look) bool { return !quiet(l) }):
			last = nil
		case last != nil && sum(last) == sum(looks):
			return nil
		default:
			if last = looks; attempt == 0 {
				continue
			}
		}
		if err := backoff.Sleep(ctx, lookAgain.Wait(attempt)); err != nil {
			return err
		}
	}
}

// gather asks all processes, this one first.
func gather[T any](ctx context.Context, f far, kind questionKind, body []byte, here func() (T, error), read func(*wireReader) (T, error)) ([]T, error) {
	mine, err := here()
	if err != nil {
		return nil, err
	}
	answers, err := f.everybody(ctx, kind, body)
	if err != nil {
		return nil, err
	}
	all := []T{mine}
	for _, answer := range answers {
		theirs, err := read(answer)
		if err != nil {
			return nil, err
		}
		all = append(all, theirs)
	}
	return all, nil
}

// whole reports whether each shard is with exactly one process.
func (f far) whole(looks []look) bool {
	seen := make([]int, len(f.runners))
	for _, l := range looks {
		for _, id := range l.shards {
			if int(id) < len(seen) {
				seen[id]++
			}
		}
	}
	return !slices.ContainsFunc(seen, func(n int) bool { return n != 1 })
}

func sum(looks []look) (total [2]uint64) {
	for _, l := range looks {
		total[0] += l.a
		total[1] += l.b
	}
	return total
}

// visibleWaits is how often Visible waits beside other processes, which do not tell each other where events are on their way
// (shard.Wait): what an event that was passed on meets there was sent before the first wait was over.
const visibleWaits = 2

// Visible waits until a look-up by any identifier of an event or assertion that was answered before the call finds its
// effect: until the messages in transit between shards, and those that follow from them, have arrived. It does not wait for
// inputs that arrive meanwhile, nor at all when nothing is in transit. It fails with the error of the context or the engine. It also fails
// with ErrLost, soon, if a shard has failed on its own: what is in transit there arrives after the next start only.
//
// Beside other processes it waits until what was sent in this process's epochs up to now has landed, wherever it went.
func (q queries) Visible(ctx context.Context) error {
	if q.network == nil {
		return q.visibleHere(ctx)
	}
	for range visibleWaits {
		if err := q.visibleOnce(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (f far) visibleOnce(ctx context.Context) error {
	w := wait{session: f.transit.Session(), upto: f.transit.End()}
	defer f.transit.Over(w.upto)
	w.floor = f.transit.Floor()
	body := binary.AppendUvarint(nil, uint64(w.session))
	body = binary.AppendUvarint(body, uint64(w.floor))
	body = binary.AppendUvarint(body, uint64(w.upto))
	return f.agree(ctx, askLanded, body,
		func() (look, error) { return f.landed(w), nil },
		func(l look) bool { return l.a == l.b })
}

// settle waits until nothing is under way in any process.
func (e *Engine) settle(ctx context.Context) error {
	return e.queries.agree(ctx, askRest, nil,
		func() (look, error) { return e.rest(ctx) },
		func(l look) bool { return l.a == 0 })
}
