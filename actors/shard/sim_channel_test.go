package shard_test

import (
	"slices"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// simPartition is a partition of a topic: an external channel, with a log that is never forgotten, and
// consumers that read it as they like. Its floor survives the process, as the channel's row does.
type simPartition struct {
	id        row.ChannelID
	log       []simEntry
	floor     int64 // an offset
	consumers []*simConsumer

	taken []int64 // by shard: the highest number that was answered as taken
	told  []int64 // by shard: the highest position that was told
}

// simEntry is an event of a record.
type simEntry struct {
	*offer
	offset, number int64
}

// simConsumer reads a partition once it has begun: from the floor or before, without a gap.
type simConsumer struct {
	begun     bool
	life      int // of which delivered records may come back late
	start, at int // in the log
	positions []int64
	last      []int64 // by shard: the number before, of those read
	handled   map[int]bool
	careless  bool // delivers what it knows to be taken
}

// simRecord is where an input of a channel came from.
type simRecord struct {
	partition *simPartition
	consumer  *simConsumer
	life      int
	entry     int
}

// publish adds an event to the end of a partition, and now and then once more.
func (s *simulation) publish(o *offer) {
	if s.topic == nil {
		for i := range s.p.partitions {
			p := &simPartition{id: row.ChannelID(i + 1)}
			for range s.p.consumers {
				p.consumers = append(p.consumers, &simConsumer{})
			}
			p.taken, p.told = s.nowhere(), s.nowhere()
			s.topic = append(s.topic, p)
		}
	}
	again := s.p.streamed < 100 && s.percent(15)
	for again := again; ; again = false {
		p := s.topic[s.rng.IntN(len(s.topic))]
		next := simEntry{offer: o, offset: int64(s.rng.IntN(3))}
		if n := len(p.log); n > 0 {
			last := p.log[n-1]
			next.offset, next.number = last.offset, last.number+1
			if s.percent(70) {
				next.offset += 1 + int64(s.rng.IntN(3))
			}
		}
		next.number = max(next.number, actors.RecordNumber(next.offset, 0))
		p.log = append(p.log, next)
		if !again {
			return
		}
	}
}

// nowhere are the positions of shards that have taken nothing.
func (s *simulation) nowhere() []int64 { return slices.Repeat([]int64{shard.NoNumber}, s.p.shards) }

// begin lets a consumer begin at the floor, or before.
func (c *simConsumer) begin(s *simulation, p *simPartition) {
	c.begun, c.life = true, c.life+1
	c.start = slices.IndexFunc(p.log, func(e simEntry) bool { return e.offset >= p.floor })
	if c.start < 0 {
		c.start = len(p.log)
	}
	if s.percent(30) {
		c.start = s.rng.IntN(c.start + 1)
	}
	c.at = c.start
	c.last = s.nowhere()
	c.handled = map[int]bool{}
	c.careless = s.percent(30)
	c.positions = s.nowhere()
	for id := range c.positions {
		c.ask(s, p, graph.ShardID(id))
	}
}

// ask reads a shard's position, at whatever moment.
func (c *simConsumer) ask(s *simulation, p *simPartition, id graph.ShardID) {
	at := s.shards[id].Position(p.id)
	c.positions[id] = at
	p.told[id] = max(p.told[id], at)
}

// consume lets a consumer read on.
func (s *simulation) consume() bool {
	if len(s.topic) == 0 {
		return false
	}
	p := s.topic[s.rng.IntN(len(s.topic))]
	c := p.consumers[s.rng.IntN(len(p.consumers))]
	if !c.begun || s.percent(3) {
		if c.begun = false; !s.allHere() { // it asks all shards for positions
			return false
		}
		c.begin(s, p)
	}
	c.read(s, p, 1+s.rng.IntN(2*s.p.batch), s.p.drop/3)
	return true
}

// read reads on, and delivers what is not known to be taken. Some of it gets lost on the way.
func (c *simConsumer) read(s *simulation, p *simPartition, n, drop int) {
	for ; n > 0 && c.at < len(p.log); n-- {
		e := p.log[c.at]
		prev := max(c.last[e.to], c.positions[e.to])
		if c.careless {
			prev = c.last[e.to]
		}
		c.last[e.to] = e.number
		if e.number <= c.positions[e.to] {
			c.handled[c.at] = true
		}
		if !c.handled[c.at] || c.careless {
			in := e.input(s)
			in.Channel, in.Prev, in.Seq = p.id, prev, uint64(e.number)
			in.record = &simRecord{p, c, c.life, c.at}
			if !s.percent(drop) {
				s.submit(in)
			}
		}
		c.at++
	}
}

// streamed takes the outcome of an event of a channel: what was taken must have been the next one of its
// shard, and is never taken again.
func (s *simulation) streamed(in *simInput) {
	r := in.record
	p, e, at := r.partition, &r.partition.log[r.entry], &r.partition.taken[in.to]
	if *in.outcome == shard.OutOfTurn {
		s.met.outOfTurn++
		if c := r.consumer; c.begun && c.life == r.life {
			c.ask(s, p, in.to)
			if e.number <= c.positions[in.to] {
				c.handled[r.entry] = true
			} else {
				s.met.rewound++
				c.begun = false
			}
		}
		return
	}
	next := slices.IndexFunc(p.log, func(e simEntry) bool { return e.to == in.to && e.number > *at })
	switch {
	case e.number <= *at:
		s.failf("event %d of channel %d was taken again, after %d", e.number, p.id, *at)
	case next != r.entry:
		s.failf("event %d of channel %d was taken after %d, and %d is between them", e.number, p.id, *at, p.log[next].number)
	}
	*at = e.number
	s.met.streamed++
	switch *in.outcome {
	case shard.Duplicate:
		s.met.streamedDuplicates++
	case shard.Quarantined:
		s.met.streamedQuarantined++
	case shard.Accepted, shard.Pending, shard.OutOfTurn:
	}
	if r.consumer.life == r.life {
		r.consumer.handled[r.entry] = true
	}
}

// raiseFloor lets a consumer say below which record everything is taken.
func (s *simulation) raiseFloor() bool {
	if len(s.topic) == 0 {
		return false
	}
	p := s.topic[s.rng.IntN(len(s.topic))]
	c := p.consumers[s.rng.IntN(len(p.consumers))]
	if !c.begun {
		return false
	}
	for i := c.start; i < len(p.log) && (c.handled[i] || i == c.start); i++ {
		if !c.handled[i] {
			break
		}
		if offset := p.log[i].offset; offset > p.floor {
			p.floor = offset
			s.met.floors++
		}
	}
	return true
}

// topicCrashed looks at what the shards say after the process died: no less than what they had told, or
// answered.
func (s *simulation) topicCrashed() {
	for _, p := range s.topic {
		for id, sh := range s.shards {
			at := sh.Position(p.id)
			if at < p.taken[id] || at < p.told[id] {
				s.failf("shard %d has taken channel %d up to %d, and had answered %d and told %d", id, p.id, at, p.taken[id], p.told[id])
			}
			p.taken[id], p.told[id] = at, at
		}
		for _, c := range p.consumers {
			c.begun = false
			c.life++
		}
	}
}

// consumeAgain lets all consumers begin anew; with again, the first ones at the very beginning.
func (s *simulation) consumeAgain(again bool) {
	for _, p := range s.topic {
		for i, c := range p.consumers {
			c.begin(s, p)
			if again && i == 0 {
				c.start, c.at, c.careless = 0, 0, true
			}
		}
	}
}

// consumeAll lets the first consumer of every partition read what is left.
func (s *simulation) consumeAll() {
	for _, p := range s.topic {
		c := p.consumers[0]
		if !c.begun {
			c.begin(s, p)
		}
		c.read(s, p, len(p.log), 0)
	}
}

// consumed reports whether all shards have taken all that the topic has for them.
func (s *simulation) consumed() bool {
	return !slices.ContainsFunc(s.topic, func(p *simPartition) bool { return !s.partitionConsumed(p) })
}

func (s *simulation) partitionConsumed(p *simPartition) bool {
	for i := range p.log {
		if e := &p.log[i]; !s.shards[e.to].here() || s.shards[e.to].Position(p.id) < e.number {
			return false
		}
	}
	return true
}
