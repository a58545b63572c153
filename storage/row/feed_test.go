package row

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/graph"
	"pgregory.net/rapid"
)

func genCause(t *rapid.T) graph.Cause {
	c := graph.Cause{Verb: graph.Verb(rapid.IntRange(0, int(graph.VerbForce)).Draw(t, "verb"))}
	if c.Verb == 0 {
		return c
	}
	c.By = [2]graph.NodeName{genName(t), genName(t)}
	if c.Verb == graph.VerbForce {
		c.Assertion = "a" + genText(t, "assertion")
		return c
	}
	c.Mark = genMark(t)
	return c
}

func genDelta(t *rapid.T) graph.Delta {
	d := graph.Delta{Full: rapid.Bool().Draw(t, "full"), Fields: graph.DeltaFields(rapid.IntRange(0, int(graph.DeltaAll)).Draw(t, "fields"))}
	if d.Fields&graph.DeltaEvents != 0 {
		d.Events = genUint(t, "events")
	}
	if d.Fields&graph.DeltaFirst != 0 {
		d.First = genInt(t, "first")
	}
	if d.Fields&graph.DeltaLast != 0 {
		d.Last = genInt(t, "last")
	}
	for range rapid.IntRange(0, 3).Draw(t, "counts") {
		d.Counts = append(d.Counts, graph.TypeCount{Type: graph.EventType(rapid.IntRange(0, graph.EventTypes-1).Draw(t, "type")), Count: genUint(t, "count")})
	}
	for range rapid.IntRange(0, 3).Draw(t, "identifiers") {
		d.Identifiers = append(d.Identifiers, graph.Sighting{NodeName: genName(t), First: genInt(t, "first"), Last: genInt(t, "last")})
	}
	d.Left = genOthers(t)
	for range rapid.IntRange(0, 3).Draw(t, "traits") {
		d.Traits = append(d.Traits, graph.TraitValue{Name: genText(t, "trait"), Value: genBytes(t, "value")})
	}
	for range rapid.IntRange(0, 3).Draw(t, "money") {
		d.Money = append(d.Money, graph.Money{Currency: genCurrency(t), Orders: genUint(t, "orders"), Revenue: genInt(t, "revenue"), Discount: genInt(t, "discount"), Discounted: genUint(t, "discounted")})
	}
	return d
}

func genOthers(t *rapid.T) []graph.NodeKey {
	if keys := genKeys(t, "others", 0, 3); len(keys) > 0 {
		return keys
	}
	return nil
}

func genFeedBlock(t *rapid.T) FeedBlock {
	b := FeedBlock{Record: genUint(t, "record"), Order: genUint(t, "order"), At: genInt(t, "at"), First: genUint(t, "first"), Rules: genUint(t, "rules")}
	for range rapid.IntRange(0, 5).Draw(t, "entries") {
		e := graph.FeedEntry{Kind: graph.FeedKind(rapid.IntRange(1, int(graph.FeedExited)).Draw(t, "kind")), ID: genKey(t, "id")}
		switch e.Kind {
		case graph.FeedCreated, graph.FeedUpdated:
			e.Delta = genDelta(t)
		case graph.FeedLinked:
			e.Name, e.Cause = genName(t), genCause(t)
		case graph.FeedMerged:
			e.Others, e.Cause = genOthers(t), genCause(t)
		case graph.FeedSplit:
			e.Others = genOthers(t)
		case graph.FeedGeneric:
			e.Name = genName(t)
		case graph.FeedEntered, graph.FeedExited:
			e.Audience, e.Why = genText(t, "audience"), graph.AudienceCause(rapid.IntRange(1, int(graph.ByDefinition)).Draw(t, "why"))
			if e.Why == graph.ByEvent {
				e.Cause.Mark = genMark(t)
			}
		case graph.FeedErased:
		}
		b.Entries = append(b.Entries, e)
	}
	return b
}

func genFeedSettings(t *rapid.T) FeedSettings {
	s := FeedSettings{Since: genInt(t, "since"), First: rapid.Bool().Draw(t, "first"), InForce: genUint(t, "in force")}
	number := rapid.IntRange(0, math.MaxInt32)
	for range rapid.IntRange(0, 3).Draw(t, "rules") {
		r := graph.Rules{
			Name: genText(t, "name"), Version: genUint(t, "version"), Precedence: graph.Precedence(rapid.IntRange(0, 1).Draw(t, "precedence")),
			GenericCustomers: number.Draw(t, "customers"), GenericNeighbours: number.Draw(t, "neighbours"),
			MaxIdentity: number.Draw(t, "identity"), Former: rapid.Bool().Draw(t, "former"), Alias: graph.AliasRule(rapid.IntRange(0, 1).Draw(t, "alias")), MaxMembers: number.Draw(t, "members"), MaxLinks: number.Draw(t, "links"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "limits") {
			r.Limits = append(r.Limits, graph.Limit{
				Namespace: genNamespace(t), Max: number.Draw(t, "max"),
				Within: time.Duration(rapid.Int64Range(0, math.MaxInt64/int64(time.Millisecond)).Draw(t, "within")) * time.Millisecond,
			})
		}
		s.Rules = append(s.Rules, r)
	}
	return s
}

func genFeedSink(t *rapid.T) FeedSink {
	s := FeedSink{Name: genText(t, "name")}
	for range rapid.IntRange(0, 5).Draw(t, "shards") {
		s.Numbers = append(s.Numbers, genUint(t, "number"))
	}
	return s
}

func genFeedFloors(t *rapid.T) FeedFloors {
	f := FeedFloors{Turns: genUint(t, "turns"), Numbers: genFeedSink(t).Numbers}
	for range rapid.IntRange(0, 3).Draw(t, "holders") {
		f.Holders = append(f.Holders, FeedHolder{genText(t, "holder"), genUint(t, "turn")})
	}
	return f
}

func TestFeedCodecRoundTrips(t *testing.T) {
	t.Run("block", func(t *testing.T) {
		checkRoundTrip(t, genFeedBlock, func(dst []byte, v FeedBlock) []byte { return appendValue(dst, &v) },
			func(_ FeedBlock, src []byte) (FeedBlock, error) { return parse[FeedBlock]("feed block", src) })
	})
	t.Run("settings", func(t *testing.T) {
		checkRoundTrip(t, genFeedSettings, func(dst []byte, v FeedSettings) []byte { return appendValue(dst, &v) },
			func(_ FeedSettings, src []byte) (FeedSettings, error) {
				return parse[FeedSettings]("feed settings", src)
			})
	})
	t.Run("sink", func(t *testing.T) {
		checkRoundTrip(t, genFeedSink, func(dst []byte, v FeedSink) []byte { return appendValue(dst, &v) },
			func(_ FeedSink, src []byte) (FeedSink, error) { return parse[FeedSink]("feed sink", src) })
	})
	t.Run("floors", func(t *testing.T) {
		checkRoundTrip(t, genFeedFloors, func(dst []byte, v FeedFloors) []byte { return appendValue(dst, &v) },
			func(_ FeedFloors, src []byte) (FeedFloors, error) { return parse[FeedFloors]("feed floors", src) })
	})
	t.Run("state", func(t *testing.T) {
		checkRoundTrip(t, func(t *rapid.T) FeedState {
			return FeedState{genUint(t, "record"), genUint(t, "number"), genUint(t, "order"), genUint(t, "bytes")}
		}, func(dst []byte, v FeedState) []byte { return appendValue(dst, &v) },
			func(_ FeedState, src []byte) (FeedState, error) { return parse[FeedState]("feed state", src) })
	})
	t.Run("trim", func(t *testing.T) {
		checkRoundTrip(t, func(t *rapid.T) FeedTrim { return FeedTrim{genUint(t, "number"), genUint(t, "bytes")} },
			func(dst []byte, s FeedTrim) []byte { return appendValue(dst, &s) },
			func(_ FeedTrim, src []byte) (FeedTrim, error) { return parse[FeedTrim]("feed trim", src) })
	})
	t.Run("mark", func(t *testing.T) {
		checkRoundTrip(t, func(t *rapid.T) feedMark { return feedMark{genUint(t, "rules")} },
			func(dst []byte, m feedMark) []byte { return appendValue(dst, &m) },
			func(_ feedMark, src []byte) (feedMark, error) { return parse[feedMark]("feed mark", src) })
	})
}

func sampleFeedBlock() *FeedBlock {
	name := graph.NodeName{Key: sampleUser, Namespace: "user_id", Value: "u-1042"}
	cookie := graph.NodeName{Key: sampleCookie, Namespace: "anonymous_id", Value: "7c9e6679"}
	cause := graph.Cause{By: [2]graph.NodeName{name, cookie}, Verb: graph.VerbIdentify, Mark: sampleMark(1, "m-1")}
	return &FeedBlock{
		Record: 299, Order: 70_000, At: 1_700_000_000_300, First: 41, Rules: 0x151c1fd00b12a238,
		Entries: []graph.FeedEntry{
			{Kind: graph.FeedMerged, ID: sampleUser, Others: []graph.NodeKey{sampleDevice, sampleCookie}, Cause: cause},
			{Kind: graph.FeedMerged, ID: sampleUser, Others: []graph.NodeKey{sampleCookie}, Cause: graph.Cause{By: cause.By, Verb: graph.VerbForce, Assertion: "a-1"}},
			{Kind: graph.FeedSplit, ID: sampleUser, Others: []graph.NodeKey{sampleUser, sampleCookie}},
			{Kind: graph.FeedLinked, ID: sampleUser, Name: cookie},
			{Kind: graph.FeedCreated, ID: sampleCookie, Delta: graph.Delta{
				Full: true, Fields: graph.DeltaAll, Events: 3, First: 1_700_000_000_000, Last: 1_700_000_000_002,
				Counts:      []graph.TypeCount{{Type: graph.TypeTrack, Count: 3}},
				Identifiers: []graph.Sighting{{NodeName: cookie, First: 1_700_000_000_000, Last: 1_700_000_000_002}},
				Traits:      []graph.TraitValue{{Name: "city", Value: []byte(`"Ghent"`)}},
				Money:       []graph.Money{{Currency: graph.Currency{'E', 'U', 'R'}, Orders: 1, Revenue: 2500, Discount: 150, Discounted: 1}},
			}},
			{Kind: graph.FeedUpdated, ID: sampleUser, Delta: graph.Delta{
				Fields: graph.DeltaEvents, Events: 16, Left: []graph.NodeKey{sampleEmail}, Traits: []graph.TraitValue{{Name: "title"}},
			}},
			{Kind: graph.FeedErased, ID: sampleDevice},
			{Kind: graph.FeedGeneric, ID: sampleEmail, Name: graph.NodeName{Key: sampleEmail, Namespace: "email", Value: "info@example.com"}},
		},
	}
}

func sampleFeedSettings() *FeedSettings {
	return &FeedSettings{Since: 1_700_000_000_000, First: true, InForce: 7, Rules: []graph.Rules{*graph.DefaultRules(), {
		Name: "shop", Version: 7, Precedence: graph.LatestWins, Limits: []graph.Limit{{Namespace: "email", Max: 2, Within: time.Hour}}, MaxMembers: 100, MaxLinks: 1000, MaxIdentity: 50, Former: true, Alias: graph.AliasRefused,
	}}}
}

// feedSamples are the samples of everything about the feed, see samples.
func feedSamples() []sample {
	return []sample{
		{"feed-block", appendValue(nil, sampleFeedBlock()), rewrite[FeedBlock]("feed block")},
		{"feed-block-audiences", appendValue(nil, &FeedBlock{Record: 300, Order: 70_001, At: 1_700_000_000_300, First: 49, Rules: 7, Entries: []graph.FeedEntry{
			{Kind: graph.FeedEntered, ID: sampleUser, Audience: "buyers", Why: graph.ByEvent, Cause: graph.Cause{Mark: sampleMark(1, "m-1")}},
			{Kind: graph.FeedExited, ID: sampleCookie, Audience: "lookers", Why: graph.ByTime},
		}}), rewrite[FeedBlock]("feed block")},
		{"feed-settings", appendValue(nil, sampleFeedSettings()), rewrite[FeedSettings]("feed settings")},
		{"feed-state", appendValue(nil, &FeedState{299, 48, 70_000, 1 << 30}), rewrite[FeedState]("feed state")},
		{"feed-trim", appendValue(nil, &FeedTrim{12, 1 << 20}), rewrite[FeedTrim]("feed trim")},
		{"feed-mark", appendValue(nil, &feedMark{1 << 63}), rewrite[feedMark]("feed mark")},
		{"feed-sink", appendValue(nil, &FeedSink{"kafka:changes", []uint64{0, 48, 1 << 33}}), rewrite[FeedSink]("feed sink")},
		{"feed-floors", appendValue(nil, &FeedFloors{300, []uint64{0, 48, 1 << 33}, []FeedHolder{{"crm", 7}, {"kafka", 300}}}), rewrite[FeedFloors]("feed floors")},
	}
}

func FuzzDecodeFeedBlock(f *testing.F)    { fuzzDecoder(f, "feed-block", asIs) }
func FuzzDecodeFeedSettings(f *testing.F) { fuzzDecoder(f, "feed-settings", asIs) }
func FuzzDecodeFeedSink(f *testing.F)     { fuzzDecoder(f, "feed-sink", asIs) }

func FuzzDecodeFeedFloors(f *testing.F) { fuzzDecoder(f, "feed-floors", asIs) }

func sampleFeedKeys() [][]byte {
	return [][]byte{ // ascending
		appendFeedKey(nil, 0, 1), appendFeedKey(nil, 0, 256), appendFeedKey(nil, 65535, 1<<64-1),
		appendFeedSettingsKey(nil), appendFeedStateKey(nil, 0), appendFeedStateKey(nil, 65535), appendFeedTrimKey(nil, 3),
		appendFeedMarkKey(nil, 3, sampleUser),
	}
}

func TestFeedKeys(t *testing.T) {
	keys := append(sampleFeedKeys(), appendFeedSinkKey(nil, "k"), appendFeedSinkKey(nil, strings.Repeat("k", MaxFeedSinkName)), appendFeedFloorsKey(nil))
	if !slices.IsSortedFunc(keys, slices.Compare) {
		t.Errorf("not ascending: % x", keys)
	}
	for _, key := range keys {
		if space, err := ParseKey(key); err != nil || space != Space(key[0]) || len(key) > maxKeyLen {
			t.Errorf("% x: %v, %v", key, space, err)
		}
	}
	for _, key := range sampleFeedKeys() {
		for _, bad := range [][]byte{key[:len(key)-1], append(slices.Clone(key), 0)} {
			if _, err := ParseKey(bad); !errors.Is(err, ErrKeyShape) {
				t.Errorf("% x: %v", bad, err)
			}
		}
	}
	lower, upper := appendFeedRow(nil, feedMarkRow), appendFeedRow(nil, feedMarkRow+1)
	for _, key := range keys {
		want := key[0] == byte(spaceFeedState) && key[1] == feedMarkRow
		if in := slices.Compare(key, lower) >= 0 && slices.Compare(key, upper) < 0; in != want {
			t.Errorf("% x among the marks: %t", key, in)
		}
	}
}
