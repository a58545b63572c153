package generate

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// A merge is a login on a cookie that was seen at least twice before without one.
func TestLiveMerges(t *testing.T) {
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for seed := range uint64(30) {
		live := NewLive(seed)
		anonymous, users := map[string]int{}, map[string]bool{}
		const events = 3000
		merges, previous, gap := 0, 0, 0
		for i := range events {
			e := parse(t, live.Next(nil, start.Add(time.Duration(i)*time.Second)))[0]
			switch cookie := strings.ToLower(e.AnonymousID); {
			case cookie == "":
			case e.UserID == nil:
				anonymous[cookie]++
			case e.Type == "identify" && anonymous[cookie] >= 2 && !users[cookie]:
				users[cookie] = true
				if merges == 0 && i >= 20 {
					t.Errorf("seed %d: the first merge is event %d", seed, i+1)
				}
				merges++
				gap = max(gap, i-previous)
				previous = i
			}
		}
		if every := float64(events) / float64(merges); every < 5 || every > 10 {
			t.Errorf("seed %d: a merge every %.1f events, want 5 to 10", seed, every)
		}
		if gap > 80 {
			t.Errorf("seed %d: no merge for %d events", seed, gap)
		}
	}
}

// Time is the caller's, but never stands still or goes back.
func TestLiveTime(t *testing.T) {
	live, again := NewLive(3), NewLive(3)
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	want := now
	for i := range 100 {
		at := now.Add(-time.Duration(i%3) * time.Second)
		line := live.Next(nil, at)
		if !bytes.Equal(line, again.Next(nil, at)) {
			t.Fatal("the same seed and times gave two streams")
		}
		if e := parse(t, line)[0]; !e.Timestamp.Equal(want) {
			t.Fatalf("event %d at %s, want %s", i+1, e.Timestamp, want)
		}
		want = want.Add(time.Millisecond)
	}
}
