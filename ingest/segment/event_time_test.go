package segment

import (
	"fmt"
	"testing"
	"time"

	"github.com/kindred-id/kindred/graph"
	"pgregory.net/rapid"
)

const minute = 60_000

// stamp is a time as clients write it.
func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

func TestTimes(t *testing.T) {
	dropped := func(field string, code Code) Stats { return Stats{Fields: DropCounts{{field, code}: 1}} }
	clamped := func(field string) Stats {
		s := dropped(field, CodeTimestampOutOfRange)
		s.Clamped = 1
		return s
	}
	for _, c := range []struct {
		fields string
		want   int64
		stats  Stats
	}{
		{``, now, Stats{}},
		{`,"timestamp":null`, now, Stats{}},
		{`,"timestamp":"2026-01-01T11:59:00Z"`, now - minute, Stats{}},
		{`,"timestamp":1767268740000`, now - minute, Stats{}},
		{`,"timestamp":"1767268740000"`, now - minute, Stats{}},
		{`,"timestamp":1767268740`, now - minute, Stats{EpochUnits: 1}},
		{`,"timestamp":"2026-01-01T11:59:00"`, now - minute, Stats{NoZone: 1}},
		// timestamp is better than originalTimestamp, regardless of the library.
		{`,"timestamp":"2026-01-01T11:59:00Z","originalTimestamp":"2026-01-01T11:58:00Z"`, now - minute, Stats{}},
		{`,"timestamp":"2026-01-01T11:59:00Z","originalTimestamp":"2015-01-01T00:00:00Z"`, now - minute, Stats{}},
		{`,"timestamp":"2026-01-01T11:59:00Z","originalTimestamp":"2024-06-ThT03:53:33.917+00:00"`, now - minute, Stats{}},
		{`,"timestamp":"2026-01-01T11:59:00Z","originalTimestamp":null`, now - minute, Stats{}},
		{`,"timestamp":"2026-01-01T11:59:00Z","originalTimestamp":"2026-01-01T11:58:00Z","context":{"library":{"name":"analytics-node"}}`, now - minute, Stats{}},
		{`,"originalTimestamp":"2026-01-01T11:58:00Z","context":{"library":{"name":"@rudderstack/rudder-sdk-node"}}`, now - 2*minute, Stats{}},
		// The next best one where one can't be read.
		{`,"timestamp":"Invalid Date","originalTimestamp":"2026-01-01T11:58:00Z"`, now - 2*minute, dropped("timestamp", CodeBadTimestamp)},
		{`,"timestamp":"","originalTimestamp":"2026-01-01T11:58:00Z","receivedAt":"2026-01-01T11:59:30Z"`, now - 2*minute, dropped("timestamp", CodeBadTimestamp)},
		{`,"timestamp":"","receivedAt":"2026-01-01T11:59:00Z"`, now - minute, dropped("timestamp", CodeBadTimestamp)},
		{`,"receivedAt":"2026-01-01T11:59:00Z"`, now - minute, Stats{}},
		{`,"receivedAt":"0001-01-01T00:00:00Z"`, now, dropped("receivedAt", CodeTimestampOutOfRange)},
		{`,"timestamp":true`, now, dropped("timestamp", CodeBadType)},
		{`,"timestamp":{"$date":"2026-01-01T11:59:00Z"}`, now, dropped("timestamp", CodeBadType)},
		{`,"originalTimestamp":[]`, now, dropped("originalTimestamp", CodeBadType)},
		// And where one can't be believed.
		{`,"timestamp":"2026-01-02T12:00:00Z"`, now + 24*60*minute, Stats{}},
		{`,"timestamp":"2026-01-02T12:00:00.001Z"`, now, clamped("timestamp")},
		{`,"timestamp":"2098-01-01T00:00:00Z","receivedAt":"2026-01-01T11:59:00Z"`, now - minute, clamped("timestamp")},
		{`,"timestamp":"2100-01-01T00:00:00Z","receivedAt":"2026-01-01T11:59:00Z"`, now - minute, clamped("timestamp")},
		{`,"timestamp":"99999999999999999999999"`, now, Stats{Clamped: 1, EpochUnits: 1, Fields: DropCounts{{"timestamp", CodeTimestampOutOfRange}: 1}}},
		{`,"originalTimestamp":"2099-12-31T23:59:59.999Z"`, now, clamped("originalTimestamp")},
		{`,"timestamp":"0001-01-01T00:00:00Z","originalTimestamp":"2026-01-01T11:59:00Z"`, now - minute, dropped("timestamp", CodeTimestampOutOfRange)},
		{`,"timestamp":"1970-01-01T00:00:00Z"`, now, dropped("timestamp", CodeTimestampOutOfRange)},
		{`,"timestamp":0`, now, Stats{EpochUnits: 1, Fields: DropCounts{{"timestamp", CodeTimestampOutOfRange}: 1}}},
		{`,"timestamp":"1999-12-31T23:59:59.999Z"`, now, dropped("timestamp", CodeTimestampOutOfRange)},
		{`,"timestamp":"2000-01-01T00:00:00Z"`, defaultEarliest.UnixMilli(), Stats{}},
		// sentAt corrects no event of a file, unless another server received the event.
		{`,"timestamp":"2015-01-01T00:00:10Z","sentAt":"2015-01-01T00:00:20Z"`, 1420070410000, Stats{}},
		{`,"timestamp":"2015-01-01T00:00:10Z","sentAt":"2015-01-01T00:00:20Z","receivedAt":"2026-01-01T11:59:00Z"`, 1420070410000, Stats{}},
		{`,"originalTimestamp":"2015-01-01T00:00:00Z","sentAt":"2015-01-01T00:01:00Z","receivedAt":"2026-01-01T11:59:00Z"`, now - 2*minute, Stats{Corrected: 1}},
	} {
		ev, stats, r := decode(t, Options{}, `{"type":"track","userId":"u"`+c.fields+`}`)
		if r != nil || ev.Stamp.Time != c.want || !equalStats(stats, c.stats) || ev.Received != now {
			t.Errorf("%s: %d %+v %v, want %d %+v", c.fields, ev.Stamp.Time, stats, r, c.want, c.stats)
		}
	}
	early := Options{Times: Times{Earliest: time.UnixMilli(0).UTC(), Ahead: time.Hour}}
	for fields, want := range map[string]int64{
		`,"timestamp":"1970-01-01T00:00:00Z"`: 0, `,"timestamp":"1969-12-31T23:59:59Z"`: now,
		`,"timestamp":"2026-01-01T13:00:00Z"`: now + 60*minute, `,"timestamp":"2026-01-01T13:00:01Z"`: now,
	} {
		if ev, _, r := decode(t, early, `{"type":"track","userId":"u"`+fields+`}`); r != nil || ev.Stamp.Time != want {
			t.Errorf("%s: %d %v, want %d", fields, ev.Stamp.Time, r, want)
		}
	}
	for _, o := range []Options{
		{Times: Times{Earliest: time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)}},
		{Times: Times{Earliest: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}},
		{Times: Times{Ahead: -1}},
		{Times: Times{Ahead: 367 * 24 * time.Hour}},
	} {
		if o.Check(testRegistry(t)) == nil {
			t.Errorf("%+v passes", o.Times)
		}
	}
}

// live reads an event of a live body, received ms after its client sent it, and tells its time.
type live struct {
	event, sentAt string // sentAt belongs to the batch; "" means absent
	received      int64
}

func (l live) time(t testing.TB) (int64, Stats) {
	t.Helper()
	d := NewDecoder(testRegistry(t), Options{Live: true})
	d.SetSentAt([]byte(l.sentAt))
	var ev graph.Event
	if err := d.Event([]byte(`{"type":"track","userId":"u",`+l.event+`}`), l.received, web, &ev); err != nil {
		t.Fatal(err)
	}
	return ev.Stamp.Time, d.Stats()
}

func TestSentAtCorrects(t *testing.T) {
	const hour, year = 60 * minute, 365 * 24 * 60 * int64(minute)
	library := func(name string) string { return `,"context":{"library":{"name":"` + name + `"}}` }
	at := func(ms int64) string { return `"timestamp":"` + stamp(ms) + `"` }
	for _, c := range []struct {
		name          string
		event, sentAt string
		want          int64
	}{
		{"a right clock", at(now - minute), stamp(now - 500), now - minute},
		{"a slow clock", at(now - 11*year - 10_000), stamp(now - 11*year), now - 10_000},
		{"a slow clock, nothing but originalTimestamp", `"originalTimestamp":"` + stamp(now-11*year-10_000) + `"`, stamp(now - 11*year), now - 10_000},
		{"a fast clock", at(now + 48*hour - 10_000), stamp(now + 48*hour), now - 10_000},
		{"a fast clock of one hour", at(now + hour - minute), stamp(now + hour), now - minute},
		{"a clock of 1970", at(minute), stamp(2 * minute), now - minute},
		{"a clock of 2098", at(now + 72*year - minute), stamp(now + 72*year), now - minute},
		{"a little slow", at(now - 9*minute), stamp(now - 8*minute), now - 9*minute},
		{"the event's own sentAt", at(now-2*hour-minute) + `,"sentAt":"` + stamp(now-2*hour) + `"`, "", now - minute},
		{"the event's own before the batch's", at(now-2*hour) + `,"sentAt":"` + stamp(now) + `"`, stamp(now - 2*hour), now - 2*hour},
		{"the batch's, where the event's own can't be read", at(now-2*hour-minute) + `,"sentAt":"soon"`, stamp(now - 2*hour), now - minute},
		{"a past event, told by its caller", at(now - 3*year), stamp(now), now - 3*year},
		{"a time of another clock than sentAt", at(now - minute), stamp(now - 11*year), now - minute},
		{"a sentAt that can't be read", at(now - minute), "soon", now - minute},
		{"corrected by somebody else", at(now-2*hour) + `,"receivedAt":"` + stamp(now-2*hour) + `"`, stamp(now - 11*year), now - 2*hour},
		{"both times", at(now-2*hour) + `,"originalTimestamp":"` + stamp(now-11*year) + `"`, stamp(now - 11*year), now - 2*hour},
		{"a browser", at(now-2*hour-minute) + library("analytics.js"), stamp(now - 2*hour), now - minute},
		{"a phone", at(now-2*hour-minute) + library("analytics-android"), stamp(now - 2*hour), now - minute},
		{"a phone that was off the net", at(now-2*hour-minute) + library("analytics-kotlin"), stamp(now - 2*hour), now - 2*hour - minute},
		{"a phone that is ahead", at(now+2*hour-minute) + library("analytics-swift"), stamp(now + 2*hour), now - minute},
		{"a server", at(now-2*hour-minute) + library("analytics-go"), stamp(now - 2*hour), now - 2*hour - minute},
		{"a server of RudderStack's", `"originalTimestamp":"` + stamp(now-2*hour-minute) + `"` + library("@rudderstack/rudder-sdk-node"), stamp(now - 2*hour), now - 2*hour - minute},
		{"a server by its channel", at(now-2*hour-minute) + `,"channel":"server"`, stamp(now - 2*hour), now - 2*hour - minute},
		{"a server that is ahead", at(now+2*hour-minute) + library("Analytics.NET"), stamp(now + 2*hour), now + 2*hour - minute},
		{"a server that lost its clock", at(minute) + library("analytics-python"), stamp(2 * minute), now - minute},
	} {
		got, stats := live{c.event, c.sentAt, now}.time(t)
		if own, _ := (live{c.event, "", now}).time(t); got != c.want || (stats.Corrected == 1) != (got != own) && c.name != "the event's own sentAt" {
			t.Errorf("%s: %s %+v, want %s", c.name, stamp(got), stats, stamp(c.want))
		}
	}
	if _, stats := (live{at(now), "soon", now}).time(t); stats.Fields[DropKey{"sentAt", CodeBadTimestamp}] != 1 {
		t.Errorf("a sentAt that can't be read: %+v", stats)
	}
	// A file's events are as they are: that they arrive late says nothing of a clock.
	d := NewDecoder(testRegistry(t), Options{Live: true})
	d.SetLive(false)
	d.SetSentAt([]byte(stamp(now - 11*year)))
	var ev graph.Event
	if err := d.Event([]byte(`{"type":"track","userId":"u",`+at(now-11*year)+`}`), now, web, &ev); err != nil || ev.Stamp.Time != now-11*year {
		t.Errorf("not live: %s %v", stamp(ev.Stamp.Time), err)
	}
	if d.Reset(); !d.Live() {
		t.Error("Reset: not live any more")
	}
}

// attempts draws when each attempt to send an event of a client arrives, and what sentAt it comes with.
func attempts(t *rapid.T, skew, sent, underWay, apart int64, frozen bool) (received, sentAt []int64) {
	first := sent
	for range rapid.IntRange(2, 5).Draw(t, "attempts") {
		received = append(received, sent+rapid.Int64Range(0, underWay).Draw(t, "under way"))
		sentAt = append(sentAt, sent+skew)
		if frozen {
			sentAt[len(sentAt)-1] = first + skew
		}
		sent += rapid.Int64Range(0, apart).Draw(t, "until the next")
	}
	return received, sentAt
}

// The time of an event is the same however often its body is sent (E7), in three parts: by a clock that is right, by a
// server, and by a library that puts batches into files.
func TestRetriesKeepTheTime(t *testing.T) {
	const hour, day = 60 * int64(minute), 24 * 60 * int64(minute)
	for _, c := range []struct {
		name            string
		libraries       []string
		skew            int64 // at most
		queued          int64 // from the event to its first attempt, at most
		underWay, apart int64 // at most
		frozen          bool
	}{
		{"a right clock", []string{"", "analytics.js", "analytics-android", "analytics-kotlin"}, skewMin - minute, 30 * day, minute, 30 * day, false},
		{"a right clock, retries within minutes", []string{"", "analytics.js"}, 2 * minute, 30 * day, minute, minute, true},
		{"a server", []string{"analytics-go", "@rudderstack/rudder-sdk-node", "analytics-python"}, 20 * hour, 30 * day, minute, 30 * day, true},
		{"a server, refreshed", []string{"@segment/analytics-node"}, 20 * hour, 30 * day, minute, 30 * day, false},
		{"files", []string{"analytics-kotlin", "analytics-swift"}, skewMin - minute, 30 * day, minute, 30 * day, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				skew := rapid.Int64Range(-c.skew, c.skew).Draw(r, "skew")
				took := now + skew
				event := fmt.Sprintf(`"timestamp":%q,"context":{"library":{"name":%q}}`, stamp(took), rapid.SampledFrom(c.libraries).Draw(r, "library"))
				sent := now + rapid.Int64Range(0, c.queued).Draw(r, "queued")
				received, sentAt := attempts(r, skew, sent, c.underWay, c.apart, c.frozen)
				for i := range received {
					if got, stats := (live{event, stamp(sentAt[i]), received[i]}).time(t); got != took || stats.Corrected > 0 {
						r.Fatalf("attempt %d: %s, want %s", i, stamp(got), stamp(took))
					}
				}
			})
		})
	}
}

// A clock that is wrong is corrected to the minute (E7): attempts whose skew, as seen, rounds to the same minute give the same
// time, and that is true to half a minute and the time under way.
func TestWrongClocksAreCorrectedToTheMinute(t *testing.T) {
	const year = 365 * 24 * 60 * int64(minute)
	rapid.Check(t, func(r *rapid.T) {
		skew := rapid.Int64Range(2*skewMin, 25*year).Draw(r, "skew")
		if rapid.Bool().Draw(r, "slow") {
			skew = -skew
		}
		event := fmt.Sprintf(`"timestamp":%q`, stamp(now+skew))
		received, sentAt := attempts(r, skew, now+rapid.Int64Range(0, year/12).Draw(r, "queued"), 20_000, year/12, false)
		times := map[int64]int64{} // by the minutes of the skew
		for i := range received {
			got, stats := (live{event, stamp(sentAt[i]), received[i]}).time(t)
			late := received[i] - (sentAt[i] - skew)
			if got < now-minute/2 || got > now+late+minute/2 || stats.Corrected != 1 {
				r.Fatalf("attempt %d: %s, want %s", i, stamp(got), stamp(now))
			}
			rounded := (received[i] - sentAt[i] + 1000*year + minute/2) / minute
			if before, ok := times[rounded]; ok && before != got {
				r.Fatalf("attempt %d: %s, and before %s", i, stamp(got), stamp(before))
			}
			times[rounded] = got
		}
	})
}
