package segment

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"github.com/kindred-id/kindred/internal/jsonscan"
)

// Times controls which times of events are plausible.
type Times struct {
	// Earliest is the first plausible time. Default defaultEarliest.
	Earliest time.Time
	// Ahead is how far a client's clock may run ahead of ours. Default defaultAhead.
	Ahead time.Duration
}

// defaultEarliest and defaultAhead are the defaults of Times: they exclude 1970, Go's zero time, and clocks that were
// never set.
var defaultEarliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// defaultAhead covers a clock in any zone whose times are read as UTC.
const defaultAhead = 24 * time.Hour

// aheadMost bounds Ahead.
const aheadMost = 366 * 24 * time.Hour

// WithDefaults returns t with defaults for unset fields.
func (t Times) WithDefaults() Times {
	if t.Earliest.IsZero() {
		t.Earliest = defaultEarliest
	}
	if t.Ahead == 0 {
		t.Ahead = defaultAhead
	}
	return t
}

// check reports every problem of the times in one error.
func (t Times) check() error {
	t = t.WithDefaults()
	if ms := t.Earliest.UnixMilli(); ms < timeMin || ms >= timeEnd {
		return fmt.Errorf("earliest time %s: want one from 1970 to 2099", t.Earliest.Format(time.DateOnly))
	}
	if t.Ahead < 0 || t.Ahead > aheadMost {
		return fmt.Errorf("times ahead of %s: want 0 (default) to %s", t.Ahead, aheadMost)
	}
	return nil
}

// window is t with defaults, in ms, for comparison with each event's time.
func (t Times) window() window {
	t = t.WithDefaults()
	return window{t.Earliest.UnixMilli(), t.Ahead.Milliseconds()}
}

// window is Times in ms.
type window struct{ earliest, ahead int64 }

// has reports whether ms is a plausible time of an event received at the given time.
func (w window) has(ms, received int64) bool {
	return ms >= w.earliest && ms <= received+w.ahead && ms < timeEnd
}

// noTime stands for an absent time.
const noTime = math.MinInt64

// eventClock finds the time of an event, and corrects the clock of its client:
//
//	timestamp ──► originalTimestamp ──► receivedAt ──► our time of reception
//
// Each step goes on to the next if its time is absent, unreadable or implausible. All times are ms since 1970 UTC.
//
// The obvious rule, to move every time by the difference of sentAt and our clock, gives one event another time with
// each attempt to send it: transfers take longer or shorter, and some libraries keep the sentAt of the first attempt.
// So small differences are left alone, and large ones are rounded (E7).
type eventClock struct {
	*picker
	window    window
	always    bool   // live, unless a batch says otherwise
	live      bool   // see Options.Live
	sentAt    int64  // of the batch; noTime if absent
	oddSentAt []byte // the batch's unreadable sentAt, until it is reported with an accepted event
	// clientTime is the event's time as its client sent it, before any correction; noTime if it sent no readable time.
	// Unlike the event's own time it does not depend on when and how many times the event was sent.
	clientTime int64
}

// eventTime returns the time of the event: its client's timestamp, else originalTimestamp, else the time another
// server received it, else our time of reception. A time that is unreadable or implausible is dropped in favour of
// the next.
//
// RudderStack's libraries send the moment of the call in originalTimestamp and, if the caller gave one, the time of
// the event in timestamp. Segment sends the time of the device's own clock in originalTimestamp, and the time
// corrected by its servers in timestamp. Either way timestamp is better, and if both are present it must not be
// corrected again.
func (c *eventClock) eventTime(received int64) int64 {
	f := &c.fields
	c.clientTime = noTime
	ahead := false
	exported := !absent(f.receivedAt)
	if ms, ok := c.readTime("timestamp", f.timestamp); ok {
		c.clientTime = ms
		at := ms
		if c.live && !exported && absent(f.originalTimestamp) {
			at = c.corrected(ms, received)
		}
		if at, ok = c.believed(at, ms, received); ok {
			return at
		}
		ahead = ms > received
		c.dropTime("timestamp", f.timestamp, ms > received)
	}
	receivedAt := int64(noTime)
	if exported {
		if ms, ok := c.readTime("receivedAt", f.receivedAt); ok && c.window.has(ms, received) {
			receivedAt = ms
		} else if ok {
			c.dropTime("receivedAt", f.receivedAt, ms > received)
		}
	}
	if ms, ok := c.readTime("originalTimestamp", f.originalTimestamp); ok {
		if c.clientTime == noTime {
			c.clientTime = ms
		}
		at := ms
		switch {
		case receivedAt != noTime:
			at = c.corrected(ms, receivedAt)
		case c.live:
			at = c.corrected(ms, received)
		}
		if at, ok = c.believed(at, ms, received); ok {
			return at
		}
		ahead = ahead || ms > received
		c.dropTime("originalTimestamp", f.originalTimestamp, ms > received)
	}
	if ahead {
		c.stats.Clamped++
	}
	if receivedAt != noTime {
		return receivedAt
	}
	return received
}

// readTime reads the time in a field, and drops an unreadable one.
func (c *eventClock) readTime(field string, v jsonscan.Value) (int64, bool) {
	if v.Kind <= jsonscan.Null {
		return 0, false
	}
	if !isText(v) {
		c.dropKind(field, "a time", v.Kind)
		return 0, false
	}
	text := c.text(v)
	ms, form, ok := parseTime(text)
	if !ok {
		c.dropUnreadableTime(field, text)
		return 0, false
	}
	switch form {
	case formPlain:
	case formNoZone:
		c.stats.NoZone++
	case formSeconds:
		c.stats.EpochUnits++
	}
	return ms, true
}

// dropUnreadableTime drops a time that no form matches. An empty text is told apart, as the usual cause is a field
// that a client never fills in.
func (c *eventClock) dropUnreadableTime(field string, text []byte) {
	const hint = "send RFC 3339, as in 2026-01-31T12:34:56.789Z, or milliseconds since 1970"
	if len(bytes.TrimSpace(text)) == 0 {
		c.drop(field, CodeBadTimestamp, "is empty", hint)
		return
	}
	c.dropQuoted(field, CodeBadTimestamp, text, "is not a time", hint)
}

// dropTime drops an implausible time.
func (c *eventClock) dropTime(field string, v jsonscan.Value, ahead bool) {
	problem := "is too early to be believed"
	if ahead {
		problem = "is too far ahead to be believed"
	}
	c.dropQuoted(field, CodeTimestampOutOfRange, c.text(v), problem, "set the clock; which times are believed is in the rules, under times")
}

// believed returns the corrected time, or else the client's own, if plausible.
func (c *eventClock) believed(corrected, own, received int64) (int64, bool) {
	if corrected != own && c.window.has(corrected, received) {
		c.stats.Corrected++
		return corrected, true
	}
	return own, c.window.has(own, received)
}

// Skews below skewMin are not corrected: a client may send a body again within that time with its earlier sentAt.
// Larger ones are rounded to skewUnit, so that the duration of the transfer does not matter.
const (
	skewMin  = 10 * 60 * 1000
	skewUnit = 60 * 1000
)

// corrected converts a time of the client's clock to the clock of its receiver: ms + received - sentAt.
//
// The correction is the same for every attempt to send a body if sentAt is that of the attempt and all attempts take
// equally long, to a minute. It is zero for a clock that is right to skewMin, regardless of that duration. If sentAt
// is that of the first attempt, the difference grows with each attempt: a slow clock then looks like a late body. So
// for libraries known to do that, and for those of servers, whose clocks are right, the clock's time is used, unless
// it is implausible, or ahead, which lateness can't cause; docs/data.md has the table.
//
// An example: the clock of a phone is an hour slow, the first attempt is lost, and the second one gives the same
// time.
//
//	timestamp   sentAt     received   skew      rounded    time of the event
//	09:00:00    09:00:02   10:00:05   1:00:03   1:00:00    10:00:00
//	09:00:00    09:01:30   10:01:34   1:00:04   1:00:00    10:00:00
func (c *eventClock) corrected(ms, received int64) int64 {
	sent := c.sentAt
	if v := c.fields.sentAt; !absent(v) {
		if own, ok := c.readTime("sentAt", v); ok {
			sent = own
		}
	}
	if sent == noTime {
		return ms
	}
	skew := received - sent
	if -skewMin <= skew && skew <= skewMin || ms > sent+skewUnit {
		return ms // the clock is right, or the time is not from that clock
	}
	if c.window.has(sent, received) {
		switch c.clockOf() {
		case clockServer:
			return ms
		case clockQueue:
			if skew > 0 {
				return ms
			}
		case clockDevice:
		}
	}
	if skew > 0 {
		skew += skewUnit / 2
	} else {
		skew -= skewUnit / 2
	}
	return ms + skew/skewUnit*skewUnit
}

// clockKind describes how far a client's clock, and its sentAt, can be trusted.
type clockKind uint8

const (
	clockDevice clockKind = iota // a personal device's clock, which may be wrong; sentAt is that of the attempt
	clockQueue                   // likewise, but sentAt is when a batch was written to a file
	clockServer                  // a server's clock, which is right; sentAt may be that of the first attempt
)

// serverWords and queueWords are words in the names of libraries, as in @segment/analytics-node and analytics-kotlin.
var (
	serverWords = []string{"go", "node", "python", "ruby", "php", "java", "net", "rust", "elixir"}
	queueWords  = []string{"kotlin", "swift", "csharp"}
)

// clockOf determines the kind of clock from the event's channel and library.
func (c *eventClock) clockOf() clockKind {
	if foldEqual(c.text(c.fields.channel), "server") {
		return clockServer
	}
	name := c.text(c.fields.library)
	for word := range bytes.FieldsFuncSeq(name, func(r rune) bool { return (r|0x20 < 'a' || r|0x20 > 'z') && r != '#' }) {
		for _, server := range serverWords {
			if foldEqual(word, server) {
				return clockServer
			}
		}
		for _, queue := range queueWords {
			if foldEqual(word, queue) {
				return clockQueue
			}
		}
	}
	return clockDevice
}

// SetSentAt sets the sentAt of a batch, for every event without its own: the time of sending by the client's clock.
// It holds until the next call or Reset, and corrects only the times of live events. An unreadable one is dropped,
// and reported once, with the first accepted event.
func (d *Decoder) SetSentAt(text []byte) {
	d.clock.sentAt, d.clock.oddSentAt = noTime, nil
	if ms, _, ok := parseTime(text); ok {
		d.clock.sentAt = ms
	} else if len(text) > 0 {
		d.clock.oddSentAt = text
	}
}

// SetLive overrides Options.Live until the next Reset.
func (d *Decoder) SetLive(live bool) { d.clock.live = live }

// Live reports whether events arrive as they happen.
func (d *Decoder) Live() bool { return d.clock.live }

// Believes reports whether ms is a plausible time of an event, as seen at now (Options.Times).
func (d *Decoder) Believes(ms, now int64) bool { return d.clock.window.has(ms, now) }
