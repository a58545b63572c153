package journaltest

import (
	"encoding/binary"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Counter is a program whose machines number commands: each command gets one number, once. It knows its answers, so it notices
// each that the valid log does not bear out.
type Counter struct {
	Commands int // of a shard
	shards   []*counted
}

// counted is what is outside of a shard: its clients.
type counted struct {
	answers map[uint64]uint64 // by command
	highest uint64            // number that was answered
	seen    uint64            // highest that a strong read was answered with
	log     []answeredAt
}

type answeredAt struct {
	at     int64
	number uint64
}

// counter is the machine.
type counter struct {
	of       *counted
	w        *World
	id       graph.ShardID
	handlers uint64
	numbers  map[uint64]uint64
	last     uint64 // committed
	tail     bool
	inbox    []uint64
	batch    []uint64 // of the step under way
	repeated []uint64 // of it, that had their numbers before
	flushing bool
}

const (
	byCommand = 1 << 40 // row numbers from here on: the number of a command
	tailRow   = 1 << 41 // which handlers wrote what another one may not replay
)

func (c *Counter) shard(id graph.ShardID) *counted {
	for len(c.shards) <= int(id) {
		c.shards = append(c.shards, &counted{answers: map[uint64]uint64{}})
	}
	return c.shards[id]
}

// Open implements Program.
func (c *Counter) Open(w *World, _ int, shard graph.ShardID, handlers uint64, store storage.Store) (Machine, error) {
	m := &counter{of: c.shard(shard), w: w, id: shard, handlers: handlers, numbers: map[uint64]uint64{}}
	lower, upper := row.AppendShardLower(nil, row.SpaceLog, shard), row.AppendShardUpper(nil, row.SpaceLog, shard)
	err := store.Iterate(lower, upper, func(key, value []byte) error {
		_, seq, err := row.ParseLogKey(key)
		n := binary.BigEndian.Uint64(value)
		switch {
		case err != nil:
			return err
		case seq == tailRow:
			m.tail = true
			if n != handlers {
				return fmt.Errorf("shard %d: handlers %d replay the tail of handlers %d", shard, handlers, n)
			}
		case seq >= byCommand:
			m.numbers[seq-byCommand] = n
		default:
			m.last = max(m.last, seq)
		}
		return nil
	})
	if int(m.last) != len(m.numbers) && err == nil {
		err = fmt.Errorf("shard %d: %d commands have numbers up to %d", shard, len(m.numbers), m.last)
	}
	return m, err
}

// Work implements Program: clients send commands, those without an answer again and again.
func (c *Counter) Work(w *World) bool {
	id := graph.ShardID(w.rng.IntN(w.Shards))
	m, _ := w.Machine(id).(*counter)
	if m == nil {
		return false
	}
	of := c.shard(id)
	command := uint64(1 + w.rng.IntN(c.Commands))
	if _, done := of.answers[command]; done && w.percent(80) {
		for command = 1; command <= uint64(c.Commands); command++ {
			if _, done := of.answers[command]; !done {
				break
			}
		}
	}
	if command > uint64(c.Commands) {
		return false
	}
	m.inbox = append(m.inbox, command)
	return true
}

// Step implements Machine.
func (m *counter) Step(int64) *storage.Batch {
	n := min(len(m.inbox), 1+m.w.rng.IntN(5))
	taken := m.inbox[:n]
	m.inbox = m.inbox[n:]
	m.batch, m.repeated = nil, nil
	var b storage.Batch
	for _, command := range taken {
		if _, known := m.numbers[command]; known {
			m.repeated = append(m.repeated, command)
			continue
		}
		m.batch = append(m.batch, command)
		number := m.last + uint64(len(m.batch))
		m.numbers[command] = number
		m.put(&b, number, command)
		m.put(&b, byCommand+command, number)
	}
	if b.Empty() {
		m.answer(m.repeated)
		return nil
	}
	m.put(&b, tailRow, m.handlers)
	return &b
}

func (m *counter) put(b *storage.Batch, seq, value uint64) {
	b.Set(row.AppendLogKey(nil, m.id, seq), binary.BigEndian.AppendUint64(nil, value))
}

// Committed implements Machine.
func (m *counter) Committed(int64) {
	if m.flushing {
		m.flushing, m.tail = false, false
		return
	}
	m.last += uint64(len(m.batch))
	m.tail = true
	m.answer(m.repeated)
	m.answer(m.batch)
	m.batch, m.repeated = nil, nil
}

func (m *counter) answer(commands []uint64) {
	for _, command := range commands {
		number := m.numbers[command]
		before, was := m.of.answers[command]
		switch stored, err := m.w.partitions[m.id].audit.Get(nil, row.AppendLogKey(nil, m.id, number)); {
		case was && before != number:
			m.w.Failf("shard %d: command %d is answered %d, and was %d", m.id, command, number, before)
		case err != nil:
			m.w.Failf("shard %d: command %d is answered %d, which the valid log does not have: %v", m.id, command, number, err)
		case binary.BigEndian.Uint64(stored) != command:
			m.w.Failf("shard %d: command %d is answered %d, which is that of command %d in the valid log", m.id, command, number, binary.BigEndian.Uint64(stored))
		}
		m.of.answers[command] = number
		if number > m.of.highest {
			m.of.highest = number
			m.of.log = append(m.of.log, answeredAt{m.w.now, number})
		}
	}
}

// Flush implements Machine.
func (m *counter) Flush(int64) *storage.Batch {
	if !m.tail {
		return nil
	}
	m.flushing = true
	var b storage.Batch
	b.Delete(row.AppendLogKey(nil, m.id, tailRow))
	return &b
}

// Close implements Machine.
func (m *counter) Close() { m.inbox, m.batch = nil, nil }

// Strong implements Reader.
func (m *counter) Strong() func() {
	least := max(m.of.highest, m.of.seen)
	return func() {
		if m.last < least {
			m.w.Failf("shard %d: a strong read sees %d commands, and %d were answered or seen before it", m.id, m.last, least)
		}
		m.of.seen = max(m.of.seen, m.last)
	}
}

// Local implements Reader.
func (m *counter) Local() {
	for i := len(m.of.log) - 1; i >= 0; i-- {
		if a := m.of.log[i]; a.at < m.w.now-LocalAge {
			if m.last < a.number {
				m.w.Failf("shard %d: a local read sees %d commands, and %d were answered %d ms before", m.id, m.last, a.number, m.w.now-a.at)
			}
			return
		}
	}
}

// Done implements Program.
func (c *Counter) Done(*World) bool {
	for _, of := range c.shards {
		if len(of.answers) < c.Commands {
			return false
		}
	}
	return true
}

// Check implements Program: each command has one number, and the numbers have no gap.
func (c *Counter) Check(w *World) {
	for id, of := range c.shards {
		taken := map[uint64]bool{}
		for command, number := range of.answers {
			if taken[number] || number == 0 || number > uint64(c.Commands) {
				w.Failf("shard %d: command %d has number %d, which another one has, or none should", id, command, number)
			}
			taken[number] = true
		}
	}
}
