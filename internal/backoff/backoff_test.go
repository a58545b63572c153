package backoff

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestWait(t *testing.T) {
	d := Doubling{First: 200 * time.Millisecond, Most: 5 * time.Second}
	for attempt, want := range map[int]time.Duration{
		-1: 200 * time.Millisecond, 0: 200 * time.Millisecond, 1: 400 * time.Millisecond, 4: 3200 * time.Millisecond, 5: 5 * time.Second, 63: 5 * time.Second,
		math.MaxInt: 5 * time.Second,
	} {
		if got := d.Wait(attempt); got != want {
			t.Errorf("attempt %d: %v, want %v", attempt, got, want)
		}
	}
}

// A wait never shrinks, never exceeds its bound, and is spread over its upper half.
func TestBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.Int64Range(1, math.MaxInt64).Draw(t, "most")
		d := Doubling{First: time.Duration(rapid.Int64Range(1, most).Draw(t, "first")), Most: time.Duration(most)}
		attempt := rapid.IntRange(0, 100).Draw(t, "attempt")
		wait, next := d.Wait(attempt), d.Wait(attempt+1)
		if wait < d.First || next > d.Most || next < wait || next != d.Most && next != 2*wait {
			t.Fatalf("%v after attempt %d, %v after the next", wait, attempt, next)
		}
		d.Most = min(d.Most, 1<<50) // a float has no more digits
		d.First = min(d.First, d.Most)
		wait = d.Wait(attempt)
		if got := d.Spread(attempt, rapid.Float64Range(0, 0.999).Draw(t, "random")); got < wait/2 || got > wait {
			t.Fatalf("%v of %v", got, wait)
		}
	})
}

func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := Doubling{First: time.Second, Most: time.Minute}
		begin := time.Now()
		if err := d.Pause(ctx, 1); err != nil || time.Since(begin) < time.Second || time.Since(begin) > 2*time.Second {
			t.Errorf("a pause of %v: %v", time.Since(begin), err)
		}
		time.AfterFunc(time.Second, cancel)
		begin = time.Now()
		if err := d.Pause(ctx, 10); !errors.Is(err, context.Canceled) || time.Since(begin) != time.Second {
			t.Errorf("a pause that ends early, after %v: %v", time.Since(begin), err)
		}
	})
}
