package journaltest

import (
	"slices"

	"github.com/kindred-id/kindred/cluster/journal"
)

// Run does random things for a while, then lets all be well again, waits for the rest, and checks.
func (w *World) Run(most int) {
	for range most {
		w.act()
	}
	w.heal()
	for _, n := range w.nodes {
		for _, h := range n.shards {
			w.compare(n, h)
		}
	}
	w.program.Check(w)
}

func (w *World) act() {
	w.now += [...]int64{0, 1, 5, 20, 100}[w.rng.IntN(5)]
	n := w.nodes[w.rng.IntN(len(w.nodes))]
	if !n.up {
		if w.percent(12) {
			if w.percent(30) {
				n.handlers++
				n.handlers = min(n.handlers, 2)
				w.Met.Upgrades++
			}
			w.start(n)
		}
		return
	}
	switch k := w.rng.IntN(1000); {
	case k < 170:
		w.program.Work(w)
	case k < 350:
		w.any(w.step)
	case k < 560:
		w.land()
	case k < 720:
		w.any(w.fetch)
	case k < 800:
		w.tick(n)
	case k < 860:
		w.gossip(n, 60)
	case k < 880:
		n.disk.sync()
		w.watchCopies()
	case k < 910:
		w.any(w.copyRows)
	case k < 925:
		w.any(w.ask)
	case k < 940:
		w.any(w.trim)
	case k < 970:
		w.any(w.read)
	case k < 978:
		w.any(w.compare)
	default:
		w.disturb(n)
	}
}

// any does something with a random shard on a node, if there is one with which it can be done.
func (w *World) any(do func(*node, *hosted) bool) {
	start := w.rng.IntN(len(w.nodes) * w.Shards)
	for i := range len(w.nodes) * w.Shards {
		at := (start + i) % (len(w.nodes) * w.Shards)
		if n := w.nodes[at/w.Shards]; n.runs() && do(n, n.shards[at%w.Shards]) {
			return
		}
	}
}

// disturb breaks something, or ends a disturbance.
func (w *World) disturb(n *node) {
	switch k := w.rng.IntN(100); {
	case k < 15:
		if w.crash(n); w.percent(40) && w.mayLose(n) {
			w.loseDisk(n)
		}
	case k < 35:
		if n.paused = !n.paused; n.paused {
			w.Met.Pauses++
		}
	case k < 55:
		if n.cutKafka = !n.cutKafka; n.cutKafka {
			w.Met.CutKafka++
		}
	case k < 75:
		if n.cutPeers = !n.cutPeers; n.cutPeers {
			w.Met.CutPeers++
		}
	case k < 85:
		if n.weight = 1 - n.weight; n.weight == 0 {
			w.Met.Drains++
		}
	case k < 90:
		w.powerCut()
	default:
		w.now += int64(w.rng.IntN(6_000))
	}
}

// powerCut ends all processes at once. Disks keep what was synced, but for one that may not come back.
func (w *World) powerCut() {
	w.note("power cut")
	w.Met.PowerCuts++
	for _, n := range w.nodes {
		if n.up {
			w.crash(n)
		}
	}
	if n := w.nodes[w.rng.IntN(len(w.nodes))]; w.percent(40) && w.mayLose(n) {
		w.loseDisk(n)
	}
}

// rounds is how often everything gets a turn until all must be answered, every 100 ms.
const rounds = 1500

// heal ends all disturbances, and lets everything run in turn until all work is answered and each shard has two copies.
func (w *World) heal() {
	w.healed = true
	for _, n := range w.nodes {
		n.paused, n.cutKafka, n.cutPeers, n.weight = false, false, false, 1
		if !n.up {
			w.start(n)
		}
	}
	w.endWaiting()
	for round := range rounds {
		if w.round(); w.program.Done(w) && w.settled() {
			if w.idle(); w.settled() {
				return
			}
			w.resting = false // an owner has yielded meanwhile
		}
		if round%150 == 149 {
			w.fit()
		}
	}
	for _, n := range w.nodes {
		for _, h := range n.shards {
			w.note("state "+h.owner.State().String(), uint64(n.i), uint64(h.id), uint64(h.owner.Next()), uint64(w.partitions[h.id].end()))
		}
	}
	w.Failf("work is not answered, or a shard has no owner and standby, after %d s of peace", rounds/10)
}

// idle lets time pass in which there is nothing to do: an owner shows all the same that its claim is in force.
func (w *World) idle() {
	w.resting = true
	for range 35 {
		w.round()
	}
	for _, n := range w.nodes {
		for _, h := range n.shards {
			if h.owner.State() == journal.Owning && !h.owner.Fresh(w.clock(n)) {
				w.Failf("node %d owns shard %d, and refuses local reads although all is well", n.i, h.id)
			}
		}
	}
}

func (w *World) round() {
	w.now += 100
	for len(w.requests) > 0 {
		w.land()
	}
	for _, n := range w.nodes {
		w.gossip(n, 100)
		for _, h := range n.shards {
			w.fetch(n, h)
			w.step(n, h)
			w.ask(n, h)
			w.trim(n, h)
			w.copyRows(n, h)
		}
		w.tick(n)
		n.disk.sync()
		for range 2 {
			if !w.resting {
				w.program.Work(w)
			}
		}
	}
	for len(w.requests) > 0 {
		w.land()
	}
}

// settled reports whether each shard has one owner, whose claim is in force, and two copies that are caught up. A node that was
// overtaken believes for up to a second that it owns the shard: to ask its machine whether all is done would end the schedule with
// work under way at the node that owns it in truth.
func (w *World) settled() bool {
	for id, p := range w.partitions {
		owners, ready := 0, 0
		for _, n := range w.nodes {
			o := n.shards[id].owner
			if o.State() == journal.Owning {
				owners++
				if p.claimed(o.Next()) {
					return false
				}
			}
			if o.Ready(w.clock(n)) {
				ready++
			}
		}
		if owners != 1 || ready < 2 {
			return false
		}
	}
	return true
}

// fit starts a node again with the handlers that have to finish a log tail, as an operator would: it is drained first. Without that the
// shards that it owned could wait for its handlers before, on this node or on no other, and two versions would take turns for ever.
func (w *World) fit() {
	start := w.rng.IntN(len(w.nodes))
	for i := range w.nodes {
		n := w.nodes[(start+i)%len(w.nodes)]
		for id, h := range n.shards {
			if handlers, _ := h.owner.Misfit(); handlers > 0 && !w.owned(id) {
				w.drain(n)
				w.crash(n)
				n.handlers = handlers
				w.start(n)
				return
			}
		}
	}
}

// drain lets a node hand over what it owns, for as long as it takes others to see that it is drained and to claim.
func (w *World) drain(n *node) {
	n.weight = 0
	for range 100 {
		if !slices.ContainsFunc(n.shards, func(h *hosted) bool { return h.machine != nil }) {
			break
		}
		w.round()
	}
	n.weight = 1
}

func (w *World) owned(id int) bool {
	for _, n := range w.nodes {
		if n.shards[id].owner.State() == journal.Owning {
			return true
		}
	}
	return false
}
