package generate

import (
	"fmt"
	"math/bits"
)

// A Generator makes one stream. It is not safe for concurrent use.
type Generator struct {
	shop       *shop
	events     uint64 // lines of the stream
	committed  uint64 // lines made: delivered or held
	start      int64
	span       uint64 // ms
	redelivery threshold
	again      uint32 // bound of a re-delivery's distance
	disorder   threshold
	late       uint32 // bound of an event's lateness
	arrived    uint64
	held       schedule[[]byte]
	free       [][]byte // buffers of lines that were held
	truth      *Truth
}

// New returns the generator of a stream. It fails if the Config is invalid.
func New(cfg Config) (*Generator, error) {
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	g := &Generator{
		events: uint64(cfg.Events),
		start:  cfg.Start.UnixMilli(), span: uint64(cfg.Span.Milliseconds()),
		redelivery: thresholdOf(cfg.Redelivery), again: uint32(min(redeliveryMax, cfg.Events/4+1)),
		disorder: thresholdOf(cfg.Disorder.Share), late: uint32(cfg.Disorder.Max),
	}
	visits := max(1, min(cfg.Concurrent, cfg.People/4, cfg.Events/50))
	g.shop = newShop(&cfg, cfg.People, visits, g.nextPerson)
	return g, nil
}

// KeepTruth returns the truth of the stream, which is complete once Next has returned false. It takes about 200 bytes
// an identifier. REQUIRES: Next was not called yet.
func (g *Generator) KeepTruth() *Truth {
	g.truth = newTruth(g.shop.seed)
	return g.truth
}

// Next appends the next event's line to dst, without a line end. At the end of the stream ok is false and dst
// unchanged.
func (g *Generator) Next(dst []byte) (line []byte, ok bool) {
	for {
		made := g.shop.made()
		if g.committed == g.events {
			made = 1<<64 - 1 // the last line was made: release those that are held
		}
		if held, ok := g.held.take(made); ok {
			dst = append(dst, held...)
			g.free = append(g.free, held[:0])
			return dst, true
		}
		if g.committed == g.events {
			return dst, false
		}
		from := len(dst)
		dst = g.shop.append(dst, g.nextTime())
		g.committed++
		if g.truth != nil {
			g.truth.observe(&g.shop.writer.fact, dst)
		}
		if !g.deliver(dst[from:]) {
			dst = dst[:from]
			continue
		}
		return dst, true
	}
}

// deliver plans the deliveries of a new line, and reports whether one is now.
func (g *Generator) deliver(line []byte) (now bool) {
	due, now := g.shop.made(), true
	if g.shop.dice.chance(g.disorder) {
		due, now = due+uint64(g.shop.dice.between(1, g.late)), false
		g.hold(due, line)
	}
	if g.committed < g.events && g.shop.dice.chance(g.redelivery) {
		g.hold(due+uint64(g.shop.dice.between(1, g.again)), line)
		g.committed++
	}
	return now
}

func (g *Generator) hold(due uint64, line []byte) {
	var buffer []byte
	if last := len(g.free) - 1; last >= 0 {
		buffer, g.free = g.free[last], g.free[:last]
	}
	g.held.add(due, append(buffer, line...))
}

// nextTime returns a time in the slot of the next event: slots have equal length, each a millisecond or more (G2).
func (g *Generator) nextTime() int64 {
	from, to := mulDiv(g.shop.made(), g.span, g.events), mulDiv(g.shop.made()+1, g.span, g.events)
	return g.start + int64(from+g.shop.dice.Uint64()%(to-from))
}

// nextPerson lets people arrive evenly over four fifths of the stream; in between, earlier arrivals come back, the
// earliest most often.
func (g *Generator) nextPerson() uint64 {
	people := g.shop.people
	if g.arrived < people && g.arrived <= mulDiv(g.shop.made()*5, people, g.events*4) {
		g.arrived++
		return g.arrived - 1
	}
	u := g.shop.dice.Uint64() >> 32
	return u * u >> 32 * g.arrived >> 32
}

// mulDiv is a × b / c. REQUIRES: the result fits 64 bits.
func mulDiv(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	q, _ := bits.Div64(hi, lo, c)
	return q
}
