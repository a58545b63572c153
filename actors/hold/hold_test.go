package hold_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/actors/hold"
)

// J13: a moment needs each of its conditions.
func TestMoment(t *testing.T) {
	quiet := func() []hold.Part {
		return []hold.Part{
			{Session: 1, Shut: true, Shards: []hold.Shard{{ID: 0, Opening: 1, Record: 7, Confirmed: true}, {ID: 2, Opening: 1, Confirmed: true}}},
			{Session: 2, Shut: true, Shards: []hold.Shard{{ID: 1, Opening: 3, Record: 9, Confirmed: true}}},
		}
	}
	for what, test := range map[string]struct {
		change func([]hold.Part) []hold.Part
		quiet  error // of a look that is so
		held   error // of a second look that is so
	}{
		"nothing":                      {func(p []hold.Part) []hold.Part { return p }, nil, nil},
		"another order of processes":   {func(p []hold.Part) []hold.Part { slices.Reverse(p); return p }, nil, nil},
		"a process takes deliveries":   {func(p []hold.Part) []hold.Part { p[1].Shut = false; return p }, hold.ErrLost, hold.ErrLost},
		"a process that has none does": {func(p []hold.Part) []hold.Part { return append(p, hold.Part{Session: 3}) }, hold.ErrLost, hold.ErrLost},
		"an event is under way":        {func(p []hold.Part) []hold.Part { p[0].Past = 1; return p }, hold.ErrUnderWay, hold.ErrLost},
		"a message is under way":       {func(p []hold.Part) []hold.Part { p[1].Shards[0].Waiting = 1; return p }, hold.ErrUnderWay, hold.ErrLost},
		"a process is gone":            {func(p []hold.Part) []hold.Part { return p[:1] }, hold.ErrUnderWay, hold.ErrLost},
		"two processes have a shard":   {func(p []hold.Part) []hold.Part { p[1].Shards = append(p[1].Shards, p[0].Shards[0]); return p }, hold.ErrUnderWay, hold.ErrLost},
		"a shard went on":              {func(p []hold.Part) []hold.Part { p[0].Shards[0].Record++; return p }, nil, hold.ErrLost},
		"a shard went and came back":   {func(p []hold.Part) []hold.Part { p[0].Shards[1].Opening++; return p }, nil, hold.ErrLost},
		"a process was started again":  {func(p []hold.Part) []hold.Part { p[1].Session = 5; return p }, nil, hold.ErrLost},
		"the journal does not agree":   {func(p []hold.Part) []hold.Part { p[1].Shards[0].Confirmed = false; return p }, nil, hold.ErrLost},
		"a shard that is not there":    {func(p []hold.Part) []hold.Part { p[1].Shards[0].ID = 9; return p }, hold.ErrUnderWay, hold.ErrLost},
		"a shard went to another node": {func(p []hold.Part) []hold.Part {
			p[1].Shards = append(p[1].Shards, p[0].Shards[1])
			p[0].Shards = p[0].Shards[:1]
			return p
		}, nil, hold.ErrLost},
	} {
		if err := hold.Quiet(test.change(quiet()), 3); !errors.Is(err, test.quiet) {
			t.Errorf("%s: a look is %v, want %v", what, err, test.quiet)
		}
		if err := hold.Held(quiet(), test.change(quiet()), 3); !errors.Is(err, test.held) {
			t.Errorf("%s at the second look: %v, want %v", what, err, test.held)
		}
	}
}
