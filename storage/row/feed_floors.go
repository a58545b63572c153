package row

import (
	"errors"

	"github.com/kindred-id/kindred/storage"
)

// FeedFloors is up to where the shards of a deployment may delete the feed, and which process moves each receiver, where these are
// several. It is one row of the catalog, so that trims, registrations and take-overs have one order.
type FeedFloors struct {
	Turns   uint64   // how often a receiver was registered, or taken over
	Numbers []uint64 // by shard: the last entry that may be deleted; empty before any was
	Holders []FeedHolder
}

// FeedHolder is the turn of the process that moves a receiver.
type FeedHolder struct {
	Name string // of the receiver
	Turn uint64 // how many there had been with it
}

const feedFloorsRow = 6 // in spaceFeedState

var feedFloorsKind = &kind{
	space: spaceFeedState, row: feedFloorsRow, name: "feed floors", group: "feed state",
	about:   "one row, in a cluster: up to where shards may delete",
	catalog: true,
	check:   parses[FeedFloors]("feed floors"),
}

// appendFeedFloorsKey appends the key of the floors of the feed.
func appendFeedFloorsKey(b []byte) []byte { return appendFeedRow(b, feedFloorsRow) }

const (
	feedFloorsFields = 3
	feedHolderFields = 2
)

func (f *FeedFloors) encode(out *writer) {
	out.start(feedFloorsVersion)
	out.array(feedFloorsFields)
	out.uint(f.Turns)
	out.uints(f.Numbers)
	out.array(feedHolderFields * len(f.Holders))
	for i := range f.Holders {
		out.text(f.Holders[i].Name)
		out.uint(f.Holders[i].Turn)
	}
}

func (f *FeedFloors) decode(in *reader) {
	in.version(feedFloorsVersion)
	in.tuple(feedFloorsFields)
	*f = FeedFloors{Turns: in.uint(), Numbers: in.uints()}
	if n := in.list(feedHolderFields, feedHolderFields); n > 0 {
		f.Holders = make([]FeedHolder, n)
	}
	for i := range f.Holders {
		f.Holders[i] = FeedHolder{in.text(), in.uint()}
	}
}

// Put writes the floors of the feed.
func (f *FeedFloors) Put(b *storage.Batch) { b.Set(appendFeedFloorsKey(nil), appendValue(nil, f)) }

// ReadFeedFloors reads the floors of the feed. It returns the zero value if the row is absent.
func ReadFeedFloors(s storage.Reader) (FeedFloors, error) {
	value, err := s.Get(nil, appendFeedFloorsKey(nil))
	if errors.Is(err, storage.ErrNotFound) {
		return FeedFloors{}, nil
	}
	if err != nil {
		return FeedFloors{}, err
	}
	return parse[FeedFloors]("feed floors", value)
}
