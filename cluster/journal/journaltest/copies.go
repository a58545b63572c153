package journaltest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/cluster/place"
)

// copies are the copies of one shard, and nothing else of a cluster, so that what concerns them is met often: nodes ask each other what
// they have, answers are late or lost, and by them copies are dropped and the log is trimmed.
type copies struct {
	rng   *rand.Rand
	slow  int64 // how much time passes at once, at most, in ms
	now   int64
	log   []*journal.Record
	start int64 // trimmed below
	nodes []*holder
	lost  int64 // when a disk was lost last
	again bool  // two copies are durable since

	dropped, trims, disks uint64 // what was met
}

// holder is a node, as far as its copy goes.
type holder struct {
	name           string
	owner          *journal.Owner
	store, durable *journal.Position // nil: no copy
	wanted         []string          // who should have a copy, as this node believes
	reports        []journal.Report
	begins         int64
	asked          []question
}

// question is one to another node that is not answered.
type question struct {
	to int
	at int64
}

// SimulateCopies lets nodes ask, drop, trim, crash and lose a disk at a time. It returns an error as soon as what the log has no more is
// not durable in two copies, or in one after a disk was lost.
func SimulateCopies(seed uint64) error {
	_, err := simulateCopies(seed)
	return err
}

func simulateCopies(seed uint64) (*copies, error) {
	rng := rand.New(rand.NewPCG(seed, 0x6c)) //nolint:gosec // a schedule has to be the same every time
	c := &copies{rng: rng, now: begin, again: true, slow: [...]int64{100, 500, 3000}[rng.IntN(3)]}
	claim := journal.Claim{Deployment: [16]byte{3}, Shards: 1, Node: "writer", Boot: 1, Handlers: 1}
	if err := c.append(journal.AppendClaim(nil, &claim)); err != nil {
		return c, err
	}
	for i := range 3 + rng.IntN(3) {
		n := &holder{name: fmt.Sprintf("n%d", i)}
		c.nodes = append(c.nodes, n)
		c.restart(n)
	}
	for range 1000 {
		if err := c.act(); err != nil {
			return c, fmt.Errorf("seed %d: %w", seed, err)
		}
		if err := c.check(); err != nil {
			return c, fmt.Errorf("seed %d: %w", seed, err)
		}
	}
	return c, nil
}

func (c *copies) append(encoded []byte) error {
	r, err := journal.Parse(encoded)
	c.log = append(c.log, &r)
	return err
}

func (c *copies) end() int64 { return int64(len(c.log)) }

// restart starts a node with what its disk has.
func (c *copies) restart(n *holder) {
	n.store = n.durable
	n.reports, n.asked = nil, nil
	n.owner = journal.NewOwner(journal.Config{
		Deployment: journal.Deployment{ID: [16]byte{3}, Shards: 1}, Topic: topic, Node: n.name, Handlers: 1, Random: c.rng.Float64,
	}, n.store)
}

// do does what an owner says. A copy is made at once, of any node that has one.
func (c *copies) do(n *holder, all []journal.Do) {
	for i := range all {
		switch do := &all[i]; {
		case do.Apply != nil:
			at := do.Apply.Position
			n.store = &at
		case do.Drop:
			n.store = nil
			c.dropped++
		case do.Copy:
			n.store = nil
			at := journal.Start(topic)
			if from := c.nodes[c.rng.IntN(len(c.nodes))]; from.store != nil {
				at = *from.store
			} else if c.start > 0 {
				continue // it asks another one, later
			}
			n.store = &at
			c.do(n, n.owner.Copied(at))
		}
	}
}

func (c *copies) act() error {
	c.now += [...]int64{0, 1, 10, 50, c.rng.Int64N(c.slow)}[c.rng.IntN(5)]
	n := c.nodes[c.rng.IntN(len(c.nodes))]
	switch k := c.rng.IntN(100); {
	case k < 12:
		seq := uint64(c.end())
		d := journal.Data{Seq: seq, Part: 1, Parts: 1, Rules: 1, Handlers: 1, Count: 1, Ops: []byte{1}}
		return c.append(journal.AppendData(nil, &d))
	case k < 42:
		c.read(n)
	case k < 54:
		n.durable = n.store
	case k < 62:
		c.ask(n)
	case k < 75:
		c.answer(n)
	case k < 77:
		n.wanted = nil
		for _, i := range c.rng.Perm(len(c.nodes))[:2] {
			n.wanted = append(n.wanted, c.nodes[i].name)
		}
	case k < 90:
		c.place(n)
	case k < 96:
		if before, _ := journal.Trim(n.reports, journal.NoBackup, c.end(), c.now); before > c.start {
			c.start = before
			c.trims++
		}
	case k < 97:
		c.restart(n)
	case k < 98 && c.again && n.store != nil:
		n.durable = nil
		c.restart(n)
		c.again, c.lost = false, c.now
		c.disks++
	}
	return nil
}

func (c *copies) read(n *holder) {
	from, _, needed := n.owner.Reading()
	switch {
	case !needed:
	case n.owner.Next() < c.start:
		c.do(n, n.owner.Behind(c.now))
	default:
		from = max(from, c.start)
		last := c.end()
		if c.rng.IntN(3) == 0 {
			last = min(last, from+int64(c.rng.IntN(10)))
		}
		for at := from; at < last; at++ {
			c.do(n, n.owner.Read(at, c.log[at], c.now))
		}
		if n.owner.Next() == c.end() {
			c.do(n, n.owner.End(c.end(), c.now))
		}
	}
}

// ask asks all nodes, this one included.
func (c *copies) ask(n *holder) {
	n.begins, n.asked = c.start, nil
	for i := range c.nodes {
		n.asked = append(n.asked, question{i, c.now})
	}
}

// answer lets some answers arrive, or get lost.
func (c *copies) answer(n *holder) {
	for range c.rng.IntN(len(n.asked) + 1) {
		c.answerOne(n)
	}
}

func (c *copies) answerOne(n *holder) {
	i := c.rng.IntN(len(n.asked))
	q := n.asked[i]
	n.asked = slices.Delete(n.asked, i, i+1)
	if c.rng.IntN(8) == 0 {
		return
	}
	r := c.nodes[q.to].owner.Report(c.nodes[q.to].durable, c.now)
	r.At = q.at
	n.reports = append(slices.DeleteFunc(n.reports, func(old journal.Report) bool { return old.Node == r.Node }), r)
	c.do(n, n.owner.Heard(n.reports, n.wanted, n.begins, c.now))
}

// place lets a node decide whether it is to have a copy, as place.Decide does once the view is stable.
func (c *copies) place(n *holder) {
	wish := place.Follow
	if !slices.Contains(n.wanted, n.name) && (n.store == nil && c.rng.IntN(4) == 0 || journal.Surplus(n.reports, n.wanted, n.begins, c.now)) {
		wish = place.Absent
	}
	c.do(n, n.owner.Placed(wish, c.now))
	if n.owner.State() == journal.Copying && n.store == nil { // no source was found the last time
		c.do(n, []journal.Do{{Copy: true}})
	}
}

// check checks J7.
func (c *copies) check() error {
	good := 0
	for _, n := range c.nodes {
		if n.durable != nil && n.durable.Next >= c.start {
			good++
		}
	}
	if good >= 2 && c.now-c.lost > 10_000 {
		c.again = true
	}
	need := 2
	if !c.again {
		need = 1
	}
	if c.start > 0 && good < need {
		return fmt.Errorf("the log begins at %d, and %d copies have what was before, of %d that must", c.start, good, need)
	}
	return nil
}
