package actors

import (
	"cmp"
	"container/heap"
	"context"
	"math/bits"
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// Draw is some members of an audience, drawn by chance, and how many were held back because of what else they are in.
type Draw struct {
	Members  int64   // of the audience
	HeldBack []int64 // of them those who are in each suppression, whatever else they are in
	Free     int64   // those who are in none: the draw is of them
	IDs      []graph.NodeKey
}

// DrawMax bounds the people of a draw, and SuppressionsMax the audiences that hold people back.
const (
	DrawMax         = 10_000
	SuppressionsMax = 50
)

// Draw draws members of an audience, at most limit, who are in none of the audiences that hold people back.
//
// Each person has a number that follows from their id and the seed, and those with the lowest are drawn. So a seed gives the same draw again,
// and where somebody entered or left in between, everybody else of the draw stays, but for one at its end.
//
// An identity's rows are all in one shard (T8), in order of ids there: so each shard is a merge of lists, and nobody's audiences are looked up.
func (e *Engine) Draw(ctx context.Context, audience uint32, suppressions []uint32, limit int, seed uint64) (*Draw, error) {
	d := &Draw{HeldBack: make([]int64, len(suppressions))}
	var lowest lots
	for id := range e.runners {
		shard := graph.ShardID(id)
		rows := e.shardRows(ctx, shard)
		held := make([][]graph.NodeKey, len(suppressions))
		for i, number := range suppressions {
			err := row.ScanAudienceMembers(rows, shard, number, graph.NodeKey{}, func(id graph.NodeKey, _ int64) error {
				held[i] = append(held[i], id)
				return ctx.Err()
			})
			if err != nil {
				return nil, err
			}
		}
		err := row.ScanAudienceMembers(rows, shard, audience, graph.NodeKey{}, func(id graph.NodeKey, _ int64) error {
			d.Members++
			if d.holds(held, id) {
				return ctx.Err()
			}
			d.Free++
			lowest.add(lot{lotOf(id, seed), id}, limit)
			return ctx.Err()
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(lowest, lot.compare)
	for _, l := range slices.Compact(lowest) { // one who moved to another shard meanwhile may have come twice
		d.IDs = append(d.IDs, l.id)
	}
	return d, nil
}

// holds reports whether an identity is in any of the suppressions, and counts in which. The lists are cut up to the identity: they and the calls
// are in order of ids.
func (d *Draw) holds(held [][]graph.NodeKey, id graph.NodeKey) (isHeld bool) {
	for i := range held {
		at, found := slices.BinarySearchFunc(held[i], id, graph.NodeKey.Compare)
		if held[i] = held[i][at:]; found {
			d.HeldBack[i]++
			isHeld = true
		}
	}
	return isHeld
}

// lot is the number that a person draws.
type lot struct {
	number uint64
	id     graph.NodeKey
}

func (l lot) compare(o lot) int { return cmp.Or(cmp.Compare(l.number, o.number), l.id.Compare(o.id)) }

// lotOf is a number that looks random, and follows from an id and a seed. Ids are hashes, of which the upper half begins with a class.
func lotOf(id graph.NodeKey, seed uint64) uint64 {
	const odd = 0x9e3779b97f4a7c15 // of splitmix64, as the rest
	x := (id.Lo ^ bits.RotateLeft64(id.Hi, 32)) + seed*odd
	for _, factor := range [2]uint64{0xbf58476d1ce4e5b9, 0x94d049bb133111eb} {
		x = ((x ^ x>>30) + odd) * factor
		x ^= x >> 27
	}
	return x ^ x>>31
}

// lots are the lowest that came, as a heap with the highest at its root.
type lots []lot

func (l *lots) add(n lot, limit int) {
	switch {
	case len(*l) < limit:
		heap.Push(l, n)
	case n.compare((*l)[0]) < 0:
		(*l)[0] = n
		heap.Fix(l, 0)
	}
}

// Len implements heap.Interface.
func (l *lots) Len() int { return len(*l) }

// Less implements heap.Interface.
func (l *lots) Less(i, j int) bool { return (*l)[i].compare((*l)[j]) > 0 }

// Swap implements heap.Interface.
func (l *lots) Swap(i, j int) { (*l)[i], (*l)[j] = (*l)[j], (*l)[i] }

// Push implements heap.Interface.
func (l *lots) Push(x any) { *l = append(*l, x.(lot)) } //nolint:forcetypeassert // it has nothing else

// Pop implements heap.Interface.
func (l *lots) Pop() any {
	last := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return last
}
