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
	about:   "one row",
	catalog: true,
	check:   parses[FeedSettings]("feed settings"),
}

// appendFeedSettingsKey appends the key of the feed's settings.
func appendFeedSettingsKey(b []byte) []byte { return appendFeedRow(b, feedSettingsRow) }

const (
	feedSettingsFields = 4
	feedRulesFields    = 11
	feedRulesFields1   = 8 // in version 1
	feedLimitFields    = 3
)

func (s *FeedSettings) encode(out *writer) {
	out.start(out.formats.settings)
	out.array(feedSettingsFields)
	out.int(s.Since)
	out.bool(s.First)
	out.uint(s.InForce)
	out.array(len(s.Rules))
	rules := rulesWriter{out}
	for i := range s.Rules {
		rules.rules(&s.Rules[i])
	}
}

func (s *FeedSettings) decode(in *reader) {
	rules := rulesReader{in, in.version(feedSettingsVersion)}
	in.tuple(feedSettingsFields)
	*s = FeedSettings{Since: in.int(), First: in.bool(), InForce: in.uint()}
	if n := in.list(1, rules.fields()); n > 0 {
		s.Rules = make([]graph.Rules, n)
	}
	for i := range s.Rules {
		rules.rules(&s.Rules[i])
	}
}

// A rulesWriter writes rules of a deployment, for the settings of the feed:
//
//	+------+---------+------------+------------+-----------+------------+--------+-------+-------------+--------+-------+
//	| name | version | precedence | limits, 3n | customers | neighbours | hosted | links | identifiers | former | alias |
//	+------+---------+------------+------------+-----------+------------+--------+-------+-------------+--------+-------+
//
// Version 1 ends after the links: its programs had one bound for an identity and what a root hosts. Times of limits are
// in ms. Only what decides who is who is there: the feed needs it to divide identities again as they were announced.
type rulesWriter struct{ *writer }

func (out rulesWriter) rules(r *graph.Rules) {
	former := out.formats.settings == 1
	if former {
		out.array(feedRulesFields1)
	} else {
		out.array(feedRulesFields)
	}
	out.text(r.Name)
	out.uint(r.Version)
	out.uint(uint64(r.Precedence))
	out.array(feedLimitFields * len(r.Limits))
	for _, l := range r.Limits {
		out.text(l.Namespace)
		out.uint(uint64(l.Max))
		out.uint(uint64(l.Within.Milliseconds()))
	}
	for _, n := range [...]int{r.GenericCustomers, r.GenericNeighbours, r.MaxMembers, r.MaxLinks} {
		out.uint(uint64(n))
	}
	if former {
		out.leave(r.MaxIdentity != 0 || !r.Former || r.Alias != graph.AliasRefused)
		return
	}
	out.uint(uint64(r.MaxIdentity))
	out.bool(r.Former)
	out.uint(uint64(r.Alias))
}

// A rulesReader reads rules in settings of a version.
type rulesReader struct {
	*reader
	of uint64
}

func (in rulesReader) fields() int {
	if in.of == 1 {
		return feedRulesFields1
	}
	return feedRulesFields
}

func (in rulesReader) rules(r *graph.Rules) {
	in.tuple(in.fields())
	r.Name, r.Version, r.Precedence = in.text(), in.uint(), graph.Precedence(in.enum("precedence", 0, uint8(graph.LatestWins)))
	if n := in.list(feedLimitFields, feedLimitFields); n > 0 {
		r.Limits = make([]graph.Limit, n)
	}
	for l := range r.Limits {
		r.Limits[l] = graph.Limit{
			Namespace: in.text(), Max: int(in.upTo(math.MaxInt32)),
			Within: time.Duration(in.upTo(uint64(math.MaxInt64/time.Millisecond))) * time.Millisecond,
		}
	}
	for _, n := range [...]*int{&r.GenericCustomers, &r.GenericNeighbours, &r.MaxMembers, &r.MaxLinks} {
		*n = int(in.upTo(math.MaxInt32))
	}
	if in.of == 1 {
		r.Former, r.Alias = true, graph.AliasRefused
		return
	}
	r.MaxIdentity = int(in.upTo(math.MaxInt32))
	r.Former, r.Alias = in.bool(), graph.AliasRule(in.enum("alias", 0, uint8(graph.AliasRefused)))
}

// Put writes the settings of the feed.
func (s *FeedSettings) Put(b *storage.Batch) {
	b.Set(appendFeedSettingsKey(nil), appendValue(nil, s))
}

// ReadFeedSettings reads the settings of the feed. It fails with ErrNotFound if there is no feed.
func ReadFeedSettings(s storage.Reader) (FeedSettings, error) {
	value, err := s.Get(nil, appendFeedSettingsKey(nil))
	if err != nil {
		return FeedSettings{}, err
	}
	return parse[FeedSettings]("feed settings", value)
}
