package row

import (
	"fmt"

	"github.com/kindred-id/kindred/storage"
)

// FeedSink is the position of a receiver of the feed for which the store keeps it.
type FeedSink struct {
	Name    string
	Numbers []uint64 // by shard: the last entry that the receiver acknowledged
}

const feedSinkRow = 5 // in spaceFeedState

// MaxFeedSinkName is the longest name of a receiver of the feed, in bytes.
const MaxFeedSinkName = maxKeyLen - 2

var feedSinkKind = &kind{
	space: spaceFeedState, row: feedSinkRow, name: "feed receiver", group: "feed state",
	key:   []field{{"name", 0}},
	about: "one row a receiver: its position",
	check: func(d *Decoder, _, value []byte) error {
		_, err := d.FeedSink(value)
		return err
	},
}

// appendFeedSinkKey appends the key of a receiver's position. REQUIRES: 1 <= len(name) <= MaxFeedSinkName
func appendFeedSinkKey(b []byte, name string) []byte {
	return append(appendFeedRow(b, feedSinkRow), name...)
}

const feedSinkFields = 2

// FeedSink appends the position of a receiver of the feed.
func (e *Encoder) FeedSink(dst []byte, s *FeedSink) []byte {
	o := e.begin(dst, feedSinkVersion)
	o.array(feedSinkFields)
	o.text(s.Name)
	o.array(len(s.Numbers))
	for _, n := range s.Numbers {
		o.uint(n)
	}
	return e.finish()
}

// FeedSink reads the position of a receiver of the feed.
func (d *Decoder) FeedSink(src []byte) (FeedSink, error) {
	in := d.begin("feed sink", src, feedSinkVersion)
	in.tuple(feedSinkFields)
	s := FeedSink{Name: d.text()}
	if n := in.list(1, 1); n > 0 {
		s.Numbers = make([]uint64, n)
	}
	for i := range s.Numbers {
		s.Numbers[i] = in.uint()
	}
	if err := d.finish(); err != nil {
		return FeedSink{}, err
	}
	return s, nil
}

// PutFeedSink writes the position of a receiver.
func (e *Encoder) PutFeedSink(b *storage.Batch, s *FeedSink) {
	e.key, e.value = appendFeedSinkKey(e.key[:0], s.Name), e.FeedSink(e.value[:0], s)
	e.set(b)
}

// DeleteFeedSink deletes the position of a receiver.
func DeleteFeedSink(b *storage.Batch, name string) { b.Delete(appendFeedSinkKey(nil, name)) }

// ScanFeedSinks calls fn with the positions of all receivers, by name.
func (d *Decoder) ScanFeedSinks(s storage.Store, fn func(sink FeedSink) error) error {
	return s.Iterate(appendFeedRow(nil, feedSinkRow), appendFeedRow(nil, feedSinkRow+1), func(_, value []byte) error {
		sink, err := d.FeedSink(value)
		if err != nil {
			return fmt.Errorf("receiver of the change feed: %w", err)
		}
		return fn(sink)
	})
}
