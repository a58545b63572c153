package row

import (
	"math"
	"time"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// FeedSettings records that a deployment has a feed, and the rules under which the feed announced identities.
type FeedSettings struct {
	Since int64 // ms since 1970 UTC
	// Rules are those under which the feed may have announced identities. Roots without a mark were announced under the
	// first of them. First is false if the feed has not announced any identity yet.
	First   bool
	Rules   []graph.Rules
	InForce uint64 // version of the rules that the deployment used last; one of Rules
}

const feedSettingsRow = 1 // in spaceFeedState

var feedSettingsKind = &kind{
	space: spaceFeedState, row: feedSettingsRow, name: "feed settings", group: "feed state",
	about: "one row",
	check: func(d *Decoder, _, value []byte) error {
		_, err := d.FeedSettings(value)
		return err
	},
}

// appendFeedSettingsKey appends the key of the feed's settings.
func appendFeedSettingsKey(b []byte) []byte { return appendFeedRow(b, feedSettingsRow) }

const (
	feedSettingsFields = 4
	feedRulesFields    = 11
	feedRulesFields1   = 8 // in version 1
	feedLimitFields    = 3
)

// FeedSettings appends the settings of the feed.
func (e *Encoder) FeedSettings(dst []byte, s *FeedSettings) []byte {
	version := e.out.version.settings
	o := e.begin(dst, version)
	o.array(feedSettingsFields)
	o.int(s.Since)
	o.bool(s.First)
	o.uint(s.InForce)
	o.array(len(s.Rules))
	for i := range s.Rules {
		r := &s.Rules[i]
		if version == 1 {
			o.array(feedRulesFields1)
		} else {
			o.array(feedRulesFields)
		}
		o.text(r.Name)
		o.uint(r.Version)
		o.uint(uint64(r.Precedence))
		o.array(feedLimitFields * len(r.Limits))
		for _, l := range r.Limits {
			o.text(l.Namespace)
			o.uint(uint64(l.Max))
			o.uint(uint64(l.Within.Milliseconds()))
		}
		for _, n := range [...]int{r.GenericCustomers, r.GenericNeighbours, r.MaxMembers, r.MaxLinks} {
			o.uint(uint64(n))
		}
		if version == 1 {
			o.leave(r.MaxIdentity != 0 || !r.Former || r.Alias != graph.AliasRefused)
			continue
		}
		o.uint(uint64(r.MaxIdentity))
		o.bool(r.Former)
		o.uint(uint64(r.Alias))
	}
	return e.finish()
}

// FeedSettings reads the settings of the feed.
func (d *Decoder) FeedSettings(src []byte) (FeedSettings, error) {
	in := d.begin("feed settings", src, feedSettingsVersion)
	in.tuple(feedSettingsFields)
	s := FeedSettings{Since: in.int(), First: in.bool(), InForce: in.uint()}
	fields := feedRulesFields
	if d.version == 1 {
		fields = feedRulesFields1
	}
	if n := in.list(1, fields); n > 0 {
		s.Rules = make([]graph.Rules, n)
	}
	for i := range s.Rules {
		r := &s.Rules[i]
		in.tuple(fields)
		r.Name, r.Version, r.Precedence = d.text(), in.uint(), graph.Precedence(in.enum("precedence", 0, uint8(graph.LatestWins)))
		if n := in.list(feedLimitFields, feedLimitFields); n > 0 {
			r.Limits = make([]graph.Limit, n)
		}
		for l := range r.Limits {
			r.Limits[l] = graph.Limit{
				Namespace: d.text(), Max: int(in.upTo(math.MaxInt32)),
				Within: time.Duration(in.upTo(uint64(math.MaxInt64/time.Millisecond))) * time.Millisecond,
			}
		}
		for _, n := range [...]*int{&r.GenericCustomers, &r.GenericNeighbours, &r.MaxMembers, &r.MaxLinks} {
			*n = int(in.upTo(math.MaxInt32))
		}
		if d.version == 1 {
			r.Former, r.Alias = true, graph.AliasRefused
			continue
		}
		r.MaxIdentity = int(in.upTo(math.MaxInt32))
		r.Former, r.Alias = in.bool(), graph.AliasRule(in.enum("alias", 0, uint8(graph.AliasRefused)))
	}
	if err := d.finish(); err != nil {
		return FeedSettings{}, err
	}
	return s, nil
}

// PutFeedSettings writes the settings of the feed.
func (e *Encoder) PutFeedSettings(b *storage.Batch, s *FeedSettings) {
	e.key, e.value = appendFeedSettingsKey(e.key[:0]), e.FeedSettings(e.value[:0], s)
	e.set(b)
}

// GetFeedSettings reads the settings of the feed. It fails with ErrNotFound if there is no feed.
func (d *Decoder) GetFeedSettings(s storage.Store) (FeedSettings, error) {
	value, err := s.Get(nil, appendFeedSettingsKey(nil))
	if err != nil {
		return FeedSettings{}, err
	}
	return d.FeedSettings(value)
}
