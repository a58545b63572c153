package row

import (
	"fmt"

	"github.com/kindred-id/kindred/storage"
)

// FeedSink is the position of a receiver of the feed for which the store keeps it. It is in the catalog, since one row
// has the positions in the feeds of all shards.
type FeedSink struct {
	Name    string
	Numbers []uint64 // by shard: the last entry that the receiver acknowledged
}

const feedSinkRow = 5 // in spaceFeedState

// MaxFeedSinkName is the longest name of a receiver of the feed, in bytes.
const MaxFeedSinkName = maxNamedLen - 2

var feedSinkKind = &kind{
	space: spaceFeedState, row: feedSinkRow, name: "feed receiver", group: "feed state",
	key:     []field{{"name", 0}},
	about:   "one row a receiver: its position",
	catalog: true,
	check:   parses[FeedSink]("feed sink"),
}

// appendFeedSinkKey appends the key of a receiver's position. REQUIRES: 1 <= len(name) <= MaxFeedSinkName
func appendFeedSinkKey(b []byte, name string) []byte {
	return append(appendFeedRow(b, feedSinkRow), name...)
}

const feedSinkFields = 2

func (s *FeedSink) encode(out *writer) {
	out.start(feedSinkVersion)
	out.array(feedSinkFields)
	out.text(s.Name)
	out.uints(s.Numbers)
}

func (s *FeedSink) decode(in *reader) {
	in.version(feedSinkVersion)
	in.tuple(feedSinkFields)
	*s = FeedSink{Name: in.text(), Numbers: in.uints()}
}

// Put writes the position of a receiver.
func (s *FeedSink) Put(b *storage.Batch) {
	b.Set(appendFeedSinkKey(nil, s.Name), appendValue(nil, s))
}

// ReadFeedSink reads the position of a receiver. It fails with ErrNotFound if there is none of that name.
func ReadFeedSink(s storage.Reader, name string) (FeedSink, error) {
	value, err := s.Get(nil, appendFeedSinkKey(nil, name))
	if err != nil {
		return FeedSink{}, err
	}
	return parse[FeedSink]("feed sink", value)
}

// DeleteFeedSink deletes the position of a receiver.
func DeleteFeedSink(b *storage.Batch, name string) { b.Delete(appendFeedSinkKey(nil, name)) }

// ScanFeedSinks calls fn with the positions of all receivers, by name.
func ScanFeedSinks(s storage.Reader, fn func(sink FeedSink) error) error {
	return s.Iterate(appendFeedRow(nil, feedSinkRow), appendFeedRow(nil, feedSinkRow+1), func(_, value []byte) error {
		sink, err := parse[FeedSink]("feed sink", value)
		if err != nil {
			return fmt.Errorf("receiver of the change feed: %w", err)
		}
		return fn(sink)
	})
}
