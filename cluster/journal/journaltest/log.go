package journaltest

import (
	"errors"
	"slices"

	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// partition is what Kafka keeps of one shard: what it has acknowledged stays, in its order, until it is trimmed. audit is a fold
// of the whole of it, made as records come, which nobody else sees.
type partition struct {
	shard   graph.ShardID
	entries []*journal.Record // by offset; nil is a hole
	start   int64             // trimmed below
	fold    *journal.Fold
	audit   *storage.MemStore // the rows that the valid log makes
	valid   map[appended]bool // the last parts of commits that count
	hashes  []hashAt          // of audit, ascending
	met     *Met
}

type appended struct {
	claim int64
	seq   uint64
}

type hashAt struct {
	next int64
	hash uint64
}

// request is an append on its way to Kafka: it may arrive late, twice, or never, and its answer may get lost.
type request struct {
	node   *node
	boot   uint64
	h      *hosted
	ticket uint64
	record []byte
	landed int64 // -1 before
	again  bool  // the client repeats it
	late   bool  // its sender has given it up
}

func (w *World) newPartition(id graph.ShardID) *partition {
	return &partition{
		shard: id, fold: journal.NewFold(w.deployment, journal.Start(topic)), audit: storage.NewMemStore(),
		valid: map[appended]bool{}, hashes: []hashAt{{0, 0}}, met: &w.Met,
	}
}

func (p *partition) end() int64 { return int64(len(p.entries)) }

// append is the only way into the log.
func (p *partition) append(w *World, encoded []byte) int64 {
	r, err := journal.Parse(append([]byte(nil), encoded...))
	w.Must(err, "parse what was appended")
	offset := p.end()
	p.entries = append(p.entries, &r)
	verdict, commit, err := p.fold.Take(offset, &r)
	w.Must(err, "audit")
	switch verdict {
	case journal.Void:
		p.met.Voids++
	case journal.Duplicate:
		p.met.Duplicates++
	case journal.Part:
		p.met.Parts++
	case journal.Claimed:
		p.met.Claims++
	case journal.Committed:
		p.valid[appended{r.Data.Claim, r.Data.Seq}] = true
		if commit.Count > 0 {
			b, err := storage.BatchOf(commit.Ops, commit.Count)
			w.Must(err, "audit")
			w.Must(p.audit.Commit(b), "audit")
			p.hashes = append(p.hashes, hashAt{offset + 1, w.hash(p.audit, p.shard)})
		}
	}
	return offset
}

// claimed reports whether somebody has claimed the shard from an offset on.
func (p *partition) claimed(from int64) bool {
	return slices.ContainsFunc(p.entries[from:], func(r *journal.Record) bool { return r != nil && r.Claim != nil })
}

// hashAt is that of the rows that the valid log makes up to an offset.
func (p *partition) hashAt(next int64) uint64 {
	for i := len(p.hashes) - 1; ; i-- {
		if p.hashes[i].next <= next {
			return p.hashes[i].hash
		}
	}
}

// land lets a request arrive.
func (w *World) land() bool {
	i := w.pick(len(w.requests))
	if i < 0 {
		return false
	}
	r := w.requests[i]
	p := w.partitions[r.h.id]
	switch {
	case r.node.cutKafka && w.percent(80):
		return false
	case r.node.paused && r.boot == r.node.boot && r.landed >= 0:
		return false // it reads the answer when it goes on
	case r.landed >= 0: // and is answered
		w.requests = append(w.requests[:i], w.requests[i+1:]...)
		w.answer(r)
		return true
	case w.healed:
	case w.percent(4):
		w.note("append lost", uint64(p.shard))
		w.requests = append(w.requests[:i], w.requests[i+1:]...)
		w.unanswered = append(w.unanswered, r)
		w.Met.LostAppends++
		return true
	case w.percent(3):
		p.entries = append(p.entries, nil)
		w.Met.Holes++
	}
	r.landed = p.append(w, r.record)
	if r.late || r.boot != r.node.boot {
		w.Met.LateAppends++
	}
	w.note("land", uint64(p.shard), uint64(r.landed))
	if !w.healed && w.percent(6) { // a client that has no answer sends it again: the broker should notice, and may not
		again := *r
		again.again = true
		if w.percent(50) {
			again.landed = -1
		}
		w.requests = append(w.requests, &again)
		w.Met.RepeatedAppends++
	}
	return true
}

// answer tells a node where its record is.
func (w *World) answer(r *request) {
	n := r.node
	if !n.up || n.boot != r.boot || n.cutKafka || !w.healed && w.percent(3) {
		w.unanswered = append(w.unanswered, r)
		return
	}
	var err error
	if !w.healed && w.percent(1) {
		err = errNoAnswer
	}
	w.run(n, r.h, r.h.owner.Appended(r.ticket, r.landed, err, w.clock(n)))
}

var errNoAnswer = errors.New("no answer")

// endWaiting tells nodes that answers are not to come: connections end at last.
func (w *World) endWaiting() {
	for _, r := range w.unanswered {
		if r.node.boot == r.boot {
			w.run(r.node, r.h, r.h.owner.Appended(r.ticket, 0, errNoAnswer, w.clock(r.node)))
		}
	}
	w.unanswered = nil
}

// fetch lets a node read some of the log.
func (w *World) fetch(n *node, h *hosted) bool {
	from, to, needed := h.owner.Reading()
	if !n.runs() || n.cutKafka || !needed {
		return false
	}
	p := w.partitions[h.id]
	if h.owner.Next() < p.start {
		w.Met.Behind++
		w.note("behind", uint64(h.id))
		w.run(n, h, h.owner.Behind(w.clock(n)))
		if s := h.owner.State(); s == journal.Owning || s == journal.Yielding {
			w.Failf("node %d owns shard %d, and cannot read any more what would tell it whether it does", n.i, h.id)
		}
		return true
	}
	began := from
	from = max(from, p.start)
	end := p.end()
	last := end
	if to >= 0 {
		last = to + 1
	}
	most := from + 1 + int64(w.rng.IntN(12))
	for ; most < end && p.entries[most] == nil; most++ { // a fetch ends with a record
	}
	for offset := from; offset < min(last, most); offset++ {
		if r := p.entries[offset]; r != nil {
			w.run(n, h, h.owner.Read(offset, r, w.clock(n)))
		}
		if again, _, needed := h.owner.Reading(); !needed || again < began {
			return true
		}
	}
	if most >= end {
		w.run(n, h, h.owner.End(end, w.clock(n)))
	}
	return true
}
