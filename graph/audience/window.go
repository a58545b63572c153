package audience

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/kindred-id/kindred/graph/signal"
)

// Window limits which events a condition is about. The zero Window is all of them.
type Window struct {
	// Last is a duration in ms: events later than now - Last.
	Last int64
	// Days is set if the window is of whole UTC days: those from From days ago to To days ago; today is 0 days ago.
	Days     bool
	From, To int32
}

const (
	second = 1_000
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
	week   = 7 * day

	windowMax = 3_660 * day // ten years
)

var units = []struct {
	suffix byte
	ms     int64
}{{'w', week}, {'d', day}, {'h', hour}, {'m', minute}, {'s', second}}

// parseDuration reads a number and a unit: 90d, 36h, 15m.
func parseDuration(s string) (int64, error) {
	if s == "" {
		return 0, errors.New("no duration; give a number and a unit, like 7d, 36h or 15m")
	}
	for _, u := range units {
		digits, ok := strings.CutSuffix(s, string(u.suffix))
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil {
			break
		}
		if ms := int64(n) * u.ms; n <= windowMax/second && ms <= windowMax {
			return ms, nil
		}
		return 0, fmt.Errorf("%q is longer than %d days", s, windowMax/day)
	}
	return 0, fmt.Errorf("%q is no duration; give a number and one of w, d, h, m, s, like 7d, 36h or 15m", s)
}

// FormatDuration writes ms in the form that Parse reads: days, unless it takes a smaller unit.
func FormatDuration(ms int64) string {
	for _, u := range units[1:] {
		if ms%u.ms == 0 {
			return strconv.FormatInt(ms/u.ms, 10) + string(u.suffix)
		}
	}
	return strconv.FormatInt(ms/second, 10) + "s"
}

// check reports what is wrong with the window.
func (w Window) check() error {
	switch {
	case w.Days && w.Last != 0:
		return errors.New(`"last" and "from" together; give one`)
	case w.Days && (w.To < 0 || w.From < w.To):
		return fmt.Errorf(`from %d to %d days ago is no window; "from" is the longer ago`, w.From, w.To)
	case w.Days && int64(w.From) > windowMax/day:
		return fmt.Errorf("from %d days ago; at most %d", w.From, windowMax/day)
	case w.Last < 0:
		return errors.New("a window without an end; give a duration above 0")
	}
	return nil
}

// ever reports whether the window is all events.
func (w Window) ever() bool { return !w.Days && w.Last == 0 }

// Never is the time at which nothing changes any more.
const Never = int64(1<<63 - 1)

// holds reports whether a moment lies in the window.
func (w Window) holds(at, now int64) bool {
	switch {
	case at > now:
		return false
	case w.Days:
		ago := signal.DayOf(now) - signal.DayOf(at)
		return ago >= w.To && ago <= w.From
	}
	return w.Last == 0 || at > now-w.Last
}

// next is the earliest time after now at which a moment enters or leaves the window.
func (w Window) next(at, now int64) int64 {
	next := Never
	consider := func(t int64) {
		if t > now && t < next {
			next = t
		}
	}
	switch {
	case w.Days:
		d := int64(signal.DayOf(at))
		consider(max(at, (d+int64(w.To))*day))
		consider((d + int64(w.From) + 1) * day)
	case w.Last > 0:
		consider(at)
		consider(at + w.Last)
	default:
		consider(at)
	}
	return next
}
