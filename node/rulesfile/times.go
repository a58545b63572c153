package rulesfile

import (
	"time"

	"github.com/kindred-id/kindred/internal/yamlfile"
)

// Times bounds the times of events that are accepted. A time out of bounds is dropped, and the event takes another, such as
// the time of its arrival.
type Times struct {
	Earliest time.Time     // midnight UTC, from 1970 to 2099
	Ahead    time.Duration // how far a client's clock may run ahead of ours
}

// defaultTimes keeps 1970, Go's zero time and unset clocks out of first purchases and scores. Rules that were stored before
// this setting existed have these times.
var defaultTimes = Times{Earliest: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), Ahead: 24 * time.Hour}

// aheadMax bounds Times.Ahead.
const aheadMax = 366 * 24 * time.Hour

// times reads the bounds of times. Earliest is a day at midnight UTC, Ahead a window.
func (d decoder) times(f *File, n *yamlfile.Node, key string) {
	fields := d.Fields(n, key, "earliest", "ahead")
	if earliest := fields["earliest"]; earliest != nil {
		at := yamlfile.Join(key, "earliest")
		day, err := time.Parse(time.DateOnly, earliest.Value)
		switch {
		case !yamlfile.IsScalar(earliest) || err != nil:
			d.Fail(earliest, at, "want a date, as in 2000-01-01; got %s", yamlfile.Describe(earliest))
		case day.Year() < 1970 || day.Year() > 2099:
			d.Fail(earliest, at, "date %s: want one from 1970-01-01 to 2099-12-31", earliest.Value)
		default:
			f.Times.Earliest = day
		}
	}
	if ahead := fields["ahead"]; ahead != nil {
		at := yamlfile.Join(key, "ahead")
		switch w, ok := d.window(ahead, at); {
		case !ok:
		case w > aheadMax:
			d.Fail(ahead, at, "%s: want at most %s", windowText(w), windowText(aheadMax))
		default:
			f.Times.Ahead = w
		}
	}
}
