package actors

import (
	"context"
	"errors"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Member is an identity that is in an audience.
type Member struct {
	ID    graph.NodeKey
	Since int64 // when the shard found it, ms since 1970
}

// MemberPlace is a place in the list of an audience's members, which is in order of shard and id. The zero value is before all.
type MemberPlace struct {
	Shard graph.ShardID
	ID    graph.NodeKey
}

// Members lists members of an audience after a place, at most limit, and the place of the last. more reports whether there are others.
// It reads what is committed: an identity is in the list from the commit on that told that it entered. Rows of shards that are with
// other processes are read there.
func (e *Engine) Members(ctx context.Context, audience uint32, after MemberPlace, limit int) (list []Member, last MemberPlace, more bool, err error) {
	last = after
	for ; int(last.Shard) < len(e.runners); last = (MemberPlace{Shard: last.Shard + 1}) {
		err := row.ScanAudienceMembers(e.shardRows(ctx, last.Shard), last.Shard, audience, last.ID, func(id graph.NodeKey, since int64) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if len(list) == limit {
				more = true
				return storage.ErrStop
			}
			list, last.ID = append(list, Member{id, since}), id
			return nil
		})
		if err != nil || more {
			return list, last, more, err
		}
	}
	return list, last, false, nil
}

// Standing is what the definitions that serve make of a person as of a time, with since when. A membership that was found by the time
// alone, and one whose row is on its way to another shard, has no row yet.
func (e *Engine) Standing(ctx context.Context, p *audiences.Person, now int64) (*audience.Standing, error) {
	s := p.State.NewAppraiser().Of(p.Profile, p.Remembered, now)
	id := p.Root.Shard(len(e.runners))
	rows := e.shardRows(ctx, id)
	for i := range s.Audiences {
		in, err := &s.Audiences[i], error(nil)
		if in.Since, err = row.ReadAudienceMember(rows, id, in.Number, p.Profile.ID); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// MemberCounts says how many identities are in each audience, by number; those without any are left out.
func (e *Engine) MemberCounts(ctx context.Context) (map[uint32]int64, error) {
	counts := map[uint32]int64{}
	for id := range e.runners {
		err := row.ScanAudienceCounts(e.shardRows(ctx, graph.ShardID(id)), graph.ShardID(id), func(audience uint32, n uint64) error {
			counts[audience] += int64(n)
			return nil
		})
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
	}
	return counts, nil
}
