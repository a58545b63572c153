package workload

import "math/rand/v2"

// The shares of lines that come again and that come late, and the bounds of how much later.
const (
	againShare, againMax = 0.02, 5000
	lateShare, lateMax   = 0.05, 1000
)

// delivery delivers the lines of another source with repetitions and disorder. It makes as many lines as it was asked for;
// those that are held come last.
type delivery struct {
	from   source
	rng    *rand.Rand
	events int // lines that may still be made or repeated
	made   int
	held   map[int][][]byte // by the number of lines made before
	left   int              // held lines
	due    [][]byte
}

func deliver(from source, seed uint64, events int) source {
	return &delivery{from: from, rng: dice(seed ^ 0xd1), events: events, held: map[int][][]byte{}}
}

// Next implements source.
func (d *delivery) Next(dst []byte) ([]byte, bool) {
	for {
		if n := len(d.due); n > 0 {
			line := d.due[n-1]
			d.due = d.due[:n-1]
			return append(dst, line...), true
		}
		if d.events == 0 && d.left == 0 {
			return dst, false
		}
		d.made++
		if due, ok := d.held[d.made]; ok {
			delete(d.held, d.made)
			d.due, d.left = due, d.left-len(due)
		}
		if d.events == 0 {
			continue
		}
		mark := len(dst)
		line, ok := d.from.Next(dst)
		if !ok {
			d.events = 0
			continue
		}
		d.events--
		late := d.rng.Float64() < lateShare
		at := d.made
		if late {
			at += 1 + d.rng.IntN(lateMax)
			d.hold(at, line[mark:])
		}
		if d.events > 0 && d.rng.Float64() < againShare {
			d.hold(at+1+d.rng.IntN(againMax), line[mark:])
			d.events--
		}
		if !late {
			return line, true
		}
	}
}

func (d *delivery) hold(at int, line []byte) {
	d.held[at] = append(d.held[at], append([]byte(nil), line...))
	d.left++
}
