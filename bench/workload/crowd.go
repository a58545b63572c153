package workload

import (
	"bytes"
	"math/rand/v2"
)

// crowd describes people with a cookie and an account each, who come at random.
type crowd struct {
	people func(events int) int
	// hot is the share of people who take half of the events; 0 is no such people.
	hot float64
	// shared is the share of events that carry one address, the same for all people.
	shared float64
}

var (
	hotKey = crowd{people: func(events int) int { return events / 10 }, hot: 0.01}
	cold   = crowd{people: func(events int) int { return events / 4 }}
	poison = crowd{people: func(events int) int { return events / 10 }, shared: 0.3}
)

// PoisonAddress is the generic value of poison. It is no word that the product blocks by itself.
const PoisonAddress = "orders@bulkmail.example"

// crowdStream makes the events of a crowd.
type crowdStream struct {
	crowd
	seed   uint64
	rng    *rand.Rand
	number uint64
	count  int
	events int
}

func newCrowd(seed uint64, events int, c crowd) *crowdStream {
	return &crowdStream{crowd: c, seed: seed, rng: dice(seed), count: max(1, c.people(events)), events: events}
}

// Next implements source.
func (c *crowdStream) Next(dst []byte) ([]byte, bool) {
	if int(c.number) == c.events {
		return dst, false
	}
	c.number++
	person := c.rng.IntN(c.count)
	if c.hot > 0 && c.rng.IntN(2) == 0 {
		person = c.rng.IntN(max(1, int(float64(c.count)*c.hot)))
	}
	v := visit{number: c.number, browser: uint64(person), user: uint64(person) + 1, person: uint64(person)}
	if c.shared > 0 && c.rng.Float64() < c.shared {
		v.email = PoisonAddress
	}
	return v.append(dst, c.seed), true
}

// WithoutPoison returns the lines of poison without the address, and thus the same people.
func WithoutPoison(lines []byte) []byte {
	return bytes.ReplaceAll(lines, []byte(`,"traits":{"email":"`+PoisonAddress+`"}`), nil)
}
