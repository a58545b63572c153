package shard

import "testing"

// TestClockOfAStep: the time of a shard does not go back with its clock, unless the clock was wrong by more than a day.
func TestClockOfAStep(t *testing.T) {
	const day = 24 * 3600 * 1000
	var l logSpan
	for _, c := range []struct{ clock, want int64 }{
		{5000, 5000},             // before any record
		{4000, 5000},             // an hour back, a second back: as the last record
		{5001, 5001},             //
		{9 * day, 9 * day},       // a clock that is wrong
		{8 * day, 9 * day},       // still within a day
		{7 * day, 7 * day},       // it was put right
		{7*day - 1, 7 * day},     //
		{17 * day, 17 * day},     //
		{16*day - 1, 16*day - 1}, //
	} {
		if got := l.after(c.clock); got != c.want {
			t.Errorf("a step at %d after a record of %d takes %d, want %d", c.clock, l.now, got, c.want)
		}
		l.append(1, c.want)
	}
}
