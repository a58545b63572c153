package workload

import (
	"math/rand/v2"
	"strconv"
)

// web is a site whose visitors mostly stay anonymous. A visitor has a cookie, and a third of them a second one; one in four
// has an account, which they log in to at every fourth event.
type web struct {
	seed    uint64
	rng     *rand.Rand
	number  uint64
	people  int
	arrived int
	events  int
}

// webEvents is how many events there are for a visitor.
const webEvents = 8

func newWeb(seed uint64, events int) *web {
	return &web{seed: seed, rng: dice(seed), people: max(1, events/webEvents), events: events}
}

// Next implements source. Visitors arrive over the first four fifths of the stream.
func (w *web) Next(dst []byte) ([]byte, bool) {
	if int(w.number) == w.events {
		return dst, false
	}
	person := w.rng.IntN(max(1, w.arrived))
	if w.arrived < w.people && int(w.number)*5*w.people >= w.arrived*w.events*4 {
		person = w.arrived
		w.arrived++
	}
	w.number++
	h := mix(w.seed^0xab, uint64(person))
	v := visit{number: w.number, browser: uint64(person) * 2, person: uint64(person)}
	if h%3 == 0 && w.rng.IntN(2) == 0 {
		v.browser++
	}
	if h>>8%4 == 0 && w.rng.IntN(4) == 0 {
		v.user = uint64(person) + 1
		if w.rng.IntN(2) == 0 {
			v.email = "customer-" + strconv.Itoa(person) + "@mail.example"
		}
	}
	return v.append(dst, w.seed), true
}
