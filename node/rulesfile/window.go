package rulesfile

import (
	"strconv"
	"strings"
	"time"

	"github.com/kindred-id/kindred/internal/yamlfile"
)

// windowMax bounds a window. A hundred years are as good as no window.
const windowMax = 36500 * 24 * time.Hour

// window reads the length of a window of event time.
func (d decoder) window(n *yamlfile.Node, key string) (time.Duration, bool) {
	text, ok := d.Text(n, key)
	if !ok {
		return 0, false
	}
	w, ok := parseWindow(text)
	if !ok {
		d.Fail(n, key, "window %.60q: want days or a duration above zero, such as 7d, 12h or 1h30m, in whole milliseconds; leave it out for no window", text)
	}
	return w, ok
}

// parseWindow reads days, as in "7d", or a duration as time.ParseDuration reads it.
func parseWindow(text string) (time.Duration, bool) {
	var w time.Duration
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, false
		}
		w = time.Duration(n) * 24 * time.Hour
	} else {
		var err error
		if w, err = time.ParseDuration(text); err != nil {
			return 0, false
		}
	}
	return w, w > 0 && w <= windowMax && w%time.Millisecond == 0
}
