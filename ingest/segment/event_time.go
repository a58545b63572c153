package segment

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"github.com/kindred-id/kindred/internal/jsonscan"
)

// Times say which times of events are believed.
type Times struct {
	// Earliest is when the first event can have taken place. Default DefaultEarliest.
	Earliest time.Time
	// Ahead is how far a client's clock may run ahead of ours. Default DefaultAhead.
	Ahead time.Duration
}

// DefaultEarliest and DefaultAhead are the defaults of Times: they keep out 1970, Go's zero time, and clocks that were never set.
var DefaultEarliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// DefaultAhead covers a clock in any zone that is taken for UTC.
const DefaultAhead = 24 * time.Hour

// aheadMost bounds Ahead.
const aheadMost = 366 * 24 * time.Hour

// WithDefaults puts the defaults in the place of what is not set.
func (t Times) WithDefaults() Times {
	if t.Earliest.IsZero() {
		t.Earliest = DefaultEarliest
	}
	if t.Ahead == 0 {
		t.Ahead = DefaultAhead
	}
	return t
}

// check reports what is wrong with the times.
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

func (t Times) window() window {
	t = t.WithDefaults()
	return window{t.Earliest.UnixMilli(), t.Ahead.Milliseconds()}
}

// window is what Times come to, in ms.
type window struct{ earliest, ahead int64 }

// has reports whether an event may have taken place at ms, as seen at received.
func (w window) has(ms, received int64) bool {
	return ms >= w.earliest && ms <= received+w.ahead && ms < timeEnd
}

// noTime stands for a time that is not there.
const noTime = math.MinInt64

// eventTime is when the event took place: what its client says in timestamp, else in originalTimestamp, else when
// somebody else received it, else when it was received here. A time that can't be read, or believed, is dropped, and the
// next best one taken.
//
// RudderStack's libraries mean the moment of the call by originalTimestamp and, where the caller gave one, the time of
// the event by timestamp. Segment means the device's own clock by originalTimestamp, and by timestamp the time as its
// servers corrected it. Either way timestamp is the better one, and where both are there it is not to be corrected again.
func (d *Decoder) eventTime(received int64) int64 {
	f := &d.fields
	d.clientTime = noTime
	ahead := false
	exported := !absent(f.receivedAt)
	if ms, ok := d.readTime("timestamp", f.timestamp); ok {
		d.clientTime = ms
		at := ms
		if d.live && !exported && absent(f.originalTimestamp) {
			at = d.corrected(ms, received)
		}
		if at, ok = d.believed(at, ms, received); ok {
			return at
		}
		ahead = ms > received
		d.dropTime("timestamp", f.timestamp, ms > received)
	}
	receivedAt := int64(noTime)
	if exported {
		if ms, ok := d.readTime("receivedAt", f.receivedAt); ok && d.window.has(ms, received) {
			receivedAt = ms
		} else if ok {
			d.dropTime("receivedAt", f.receivedAt, ms > received)
		}
	}
	if ms, ok := d.readTime("originalTimestamp", f.originalTimestamp); ok {
		if d.clientTime == noTime {
			d.clientTime = ms
		}
		at := ms
		switch {
		case receivedAt != noTime:
			at = d.corrected(ms, receivedAt)
		case d.live:
			at = d.corrected(ms, received)
		}
		if at, ok = d.believed(at, ms, received); ok {
			return at
		}
		ahead = ahead || ms > received
		d.dropTime("originalTimestamp", f.originalTimestamp, ms > received)
	}
	if ahead {
		d.stats.Clamped++
	}
	if receivedAt != noTime {
		return receivedAt
	}
	return received
}

// readTime reads the time that a field holds. One that is there and can't be read is dropped.
func (d *Decoder) readTime(field string, v jsonscan.Value) (int64, bool) {
	if v.Kind <= jsonscan.Null {
		return 0, false
	}
	if !isText(v) {
		d.dropKind(field, "a time", v.Kind)
		return 0, false
	}
	text := d.text(v)
	ms, form, ok := parseTime(text)
	if !ok {
		d.dropUnreadableTime(field, text)
		return 0, false
	}
	switch form {
	case formPlain:
	case formNoZone:
		d.stats.NoZone++
	case formSeconds:
		d.stats.EpochUnits++
	}
	return ms, true
}

func (d *Decoder) dropUnreadableTime(field string, text []byte) {
	const hint = "send RFC 3339, as in 2026-01-31T12:34:56.789Z, or milliseconds since 1970"
	if len(bytes.TrimSpace(text)) == 0 {
		d.drop(field, CodeBadTimestamp, "is empty", hint)
		return
	}
	d.dropQuoted(field, CodeBadTimestamp, text, "is not a time", hint)
}

// dropTime drops a time that was read and is not believed.
func (d *Decoder) dropTime(field string, v jsonscan.Value, ahead bool) {
	problem := "is too early to be believed"
	if ahead {
		problem = "is too far ahead to be believed"
	}
	d.dropQuoted(field, CodeTimestampOutOfRange, d.text(v), problem, "set the clock; which times are believed is in the rules, under times")
}

// believed is the corrected time, or else the client's own, whichever can be.
func (d *Decoder) believed(corrected, own, received int64) (int64, bool) {
	if corrected != own && d.window.has(corrected, received) {
		d.stats.Corrected++
		return corrected, true
	}
	return own, d.window.has(own, received)
}

// Skews of less than skewMin are left: a client may send a body again for that long with a sentAt of before. Larger ones
// are rounded to skewUnit, so that how long the body was under way does not matter.
const (
	skewMin  = 10 * 60 * 1000
	skewUnit = 60 * 1000
)

// corrected is a time of the client's clock by the clock of whoever received it: ms + received - sentAt.
//
// The correction is the same for every attempt to send a body as long as sentAt is of the attempt, and the attempts take
// as long to a minute. It is none for a clock that is right to skewMin, however long it takes. A sentAt of the first
// attempt makes the difference grow with each: then a clock that is slow can't be told from a body that is late. So for
// libraries known to do that, and for those of servers, whose clocks are right, the clock's time stands, unless nobody
// could believe it, or it is ahead, which being late can't cause; docs/data.md has the table.
func (d *Decoder) corrected(ms, received int64) int64 {
	sent := d.sentAt
	if v := d.fields.sentAt; !absent(v) {
		if own, ok := d.readTime("sentAt", v); ok {
			sent = own
		}
	}
	if sent == noTime {
		return ms
	}
	skew := received - sent
	if -skewMin <= skew && skew <= skewMin || ms > sent+skewUnit {
		return ms // the clock is right; or this isn't that clock's time
	}
	if d.window.has(sent, received) {
		switch d.clockOf() {
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

// clockKind is what a client's clock, and its sentAt, are worth.
type clockKind uint8

const (
	clockDevice clockKind = iota // of a person's device: it may be wrong, and sentAt is of the attempt
	clockQueue                   // likewise, and sentAt is of when a batch was put into a file
	clockServer                  // of a server: it is right, and sentAt may be of the first attempt
)

// serverWords and queueWords are words in the names of libraries, as in @segment/analytics-node and analytics-kotlin.
var (
	serverWords = []string{"go", "node", "python", "ruby", "php", "java", "net", "rust", "elixir"}
	queueWords  = []string{"kotlin", "swift", "csharp"}
)

// clockOf tells by the event's channel and its library whose clock it is.
func (d *Decoder) clockOf() clockKind {
	if foldEqual(d.text(d.fields.channel), "server") {
		return clockServer
	}
	name := d.text(d.fields.library)
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

// SetSentAt gives the sentAt of a batch, which is that of every event that has none of its own: when the client sent it,
// by its own clock. It holds until the next call or Reset. It corrects the times of live events alone. One that can't be
// read is none, and is dropped: that is told once, with the first event that is taken.
func (d *Decoder) SetSentAt(text []byte) {
	d.sentAt, d.oddSentAt = noTime, nil
	if ms, _, ok := parseTime(text); ok {
		d.sentAt = ms
	} else if len(text) > 0 {
		d.oddSentAt = text
	}
}

// SetLive says, until the next Reset, whether events come as they happen, in the place of Options.Live.
func (d *Decoder) SetLive(live bool) { d.live = live }

// Live reports whether events come as they happen.
func (d *Decoder) Live() bool { return d.live }

// Believes reports whether an event may have taken place at ms, as seen at now (Options.Times).
func (d *Decoder) Believes(ms, now int64) bool { return d.window.has(ms, now) }
