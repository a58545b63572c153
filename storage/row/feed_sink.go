package row

// FeedSink is a receiver of the feed whose place is kept here.
type FeedSink struct {
	Name    string
	Numbers []uint64 // by shard: of the last entry that it acknowledged
}

const feedSinkRow = 5 // in SpaceFeedState

// MaxFeedSinkName is the longest name of a receiver of the feed, in bytes.
const MaxFeedSinkName = MaxKeyLen - 2

var feedSinkKind = &kind{
	space: SpaceFeedState, row: feedSinkRow, name: "feed receiver", group: "feed state",
	key:   []field{{"name", 0}},
	about: "one row a receiver: what it took",
	check: func(d *Decoder, _, value []byte) error {
		_, err := d.FeedSink(value)
		return err
	},
}

// AppendFeedSinkKey appends the key of a receiver's place. REQUIRES: 1 <= len(name) <= MaxFeedSinkName
func AppendFeedSinkKey(b []byte, name string) []byte {
	return append(appendFeedRow(b, feedSinkRow), name...)
}

// AppendFeedSinksLower appends the first possible key of a receiver's place.
func AppendFeedSinksLower(b []byte) []byte { return appendFeedRow(b, feedSinkRow) }

// AppendFeedSinksUpper appends the key after the last of a receiver's place.
func AppendFeedSinksUpper(b []byte) []byte { return appendFeedRow(b, feedSinkRow+1) }

const feedSinkFields = 2

// FeedSink appends the place of a receiver of the feed.
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

// FeedSink reads the place of a receiver of the feed.
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
