package generate

import "time"

const dayMs = 24 * 60 * 60 * 1000

// A clock writes times; it remembers the day, which seldom changes.
type clock struct {
	day  int64
	date [11]byte // "2025-01-01T"; empty until the first time
}

// append appends a time, in ms since 1970, as RFC 3339 in UTC with milliseconds. REQUIRES: ms >= 0.
func (c *clock) append(dst []byte, ms int64) []byte {
	if day := ms / dayMs; day != c.day || c.date[0] == 0 {
		c.day = day
		time.UnixMilli(ms).UTC().AppendFormat(c.date[:0], "2006-01-02T")
	}
	n := uint64(ms % dayMs)
	dst = appendDigits(append(dst, c.date[:]...), n/3_600_000, 2)
	dst = appendDigits(append(dst, ':'), n/60_000%60, 2)
	dst = appendDigits(append(dst, ':'), n/1000%60, 2)
	dst = appendDigits(append(dst, '.'), n%1000, 3)
	return append(dst, 'Z')
}
