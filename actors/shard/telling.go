package shard

import (
	"errors"
	"math"
	"slices"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// telling keeps who is in which audience, and tells of those who enter and leave. It watches the visits of a step, and evaluates each
// root that was touched once, when the step closes:
//
//	before, after ──► slots: what a step may have changed of a root ─┐
//	wakes that are due ──► roots ────────────────────────────────────┼─► evaluate ──► told, member, count and wake rows,
//	a pass of new definitions ──► roots ─────────────────────────────┘               entries of the feed: all in the batch
//
// Invariants:
//   - T3: what is told is in the batch of the step that it follows from: so it is as durable as its cause, and told once.
//   - T4: a root's wake row is due no later than the first moment at which an audience of its identities may change without an
//     event. A row is written only where it is earlier than the one that there is: a root that is woken too early is evaluated, and
//     gets the next one. So a later due time, as each event brings, costs no write.
//   - T8: a root's told row, the member rows of its identities and its wake row are in the shard of the root, and of nobody
//     else: they leave in the commit in which its evidence leaves, and what they said travels with it (graph.Carry). It is
//     compared with what holds where it arrives, so nobody leaves an audience on the way and comes back.
//   - T9: the count of an audience is the number of its member rows in the shard.
//
// A recovery evaluates nothing: what was told is in rows. The times at which it was evaluated are those of records, which never go back.
//
// The obvious design, to evaluate all audiences of all people now and then, is late by as long as the pass takes, and tells of
// nobody who was in an audience in between.
type telling struct {
	shard     *Shard
	next      *audiences.Live // in force from the next step on
	live      *audiences.Live // of the step under way; nil: no audience ever served
	evaluator audiences.Evaluator
	row.Telling
	changed bool             // its row is to be written with the step
	counts  map[uint32]int64 // by audience
	due     int64            // when the first wake row is due; math.MaxInt64 without any
	through uint64           // see Shard.Told

	// The following are of the step under way.
	slots   []slot // by place
	wake    bool   // roots that are due are to be evaluated
	pass    bool   // a part of the pass is to be done
	woken   []wakeUp
	moved   []uint32               // audiences whose counts have changed
	merged  map[graph.NodeKey]bool // identities that others became one with
	split   map[graph.NodeKey]bool // identities that were divided, and those that came of it
	gone    map[graph.NodeKey]bool // of those that were divided: what does not go on under its id
	entries []graph.FeedEntry
	view    graph.View
	ids     []graph.NodeKey // identities of the root under evaluation
	in      [][]uint32      // their audiences
	numbers []uint32        // memory of in
}

// slot is what the step under way may have changed of a root.
type slot struct {
	all     bool // anything may have changed
	edition uint32
	active  int
	concern audiences.Set
	event   graph.Mark // the last event; without an id none came
	arrived []graph.ToldPerson
}

type wakeUp struct {
	due  int64
	root graph.NodeKey
}

// Parts of a pass and of what is due that one step takes.
const (
	passRoots = 256
	passNodes = 4096
	wakeRoots = 1024
)

// sourceWoken marks an input of a record: the roots that were evaluated because they were due, one after the other. It says why the
// step was made; a recovery takes nothing of it.
const sourceWoken = 0xFFF9

// read takes what the store says.
func (t *telling) read(c *Config) (err error) {
	*t = telling{shard: t.shard, next: t.next, counts: map[uint32]int64{}, due: math.MaxInt64, merged: map[graph.NodeKey]bool{}, split: map[graph.NodeKey]bool{}, gone: map[graph.NodeKey]bool{}}
	if t.Telling, err = row.ReadTelling(c.Store, c.ID); err != nil {
		return err
	}
	if t.Version == 0 {
		return nil
	}
	err = row.ScanAudienceCounts(c.Store, c.ID, func(number uint32, n uint64) error {
		t.counts[number] = int64(n)
		return nil
	})
	if err != nil {
		return err
	}
	err = row.ScanWakes(c.Store, c.ID, math.MaxInt64-1, func(due int64, _ graph.NodeKey) error {
		t.due = due
		return storage.ErrStop
	})
	t.committed()
	return err
}

// Told is the version of the audiences by which all people of the shard were evaluated, durably; 0 while a pass is under way.
func (s *Shard) Told() uint64 { return s.telling.through }

// committed is called when the batch of the step is durable. A flush comes without a beginning, so nothing that was told may be left.
func (t *telling) committed() {
	clear(t.entries)
	t.entries = t.entries[:0]
	t.through = 0
	if t.Through {
		t.through = t.Version
	}
	if due := t.shard.config.Due; due != nil {
		due.Store(t.due)
	}
}

// begin begins a step with the audiences that serve. REQUIRES: the step has taken nothing
func (t *telling) begin(number uint64) {
	t.live, t.wake, t.pass = t.next, false, false
	if t.live.Version() == 0 {
		t.live = nil
		return
	}
	t.slots, t.woken, t.moved = t.slots[:0], t.woken[:0], t.moved[:0]
	clear(t.merged)
	clear(t.split)
	clear(t.gone)
	t.evaluator.Turn(t.live)
	if v := t.live.Version(); v > t.Version {
		t.Telling = row.Telling{Version: v, Barrier: number - 1, Through: t.Version == 0 && t.live.Len() == 0}
		t.changed = true
	}
}

// before is called before a node takes a message.
func (t *telling) before(v *Visit) error {
	n := v.Node
	if t.live == nil || v.Replay || n.Component == nil {
		return nil
	}
	if v.First {
		t.take(v)
	}
	if m := v.Message; m.Kind == graph.KindJoin && m.Root.Outranks(n.Key) { // it may leave, and takes along what it was told
		return t.know(n)
	}
	return nil
}

// take gives a root that the step touches for the first time its slot.
func (t *telling) take(v *Visit) *slot {
	if v.Place < cap(t.slots) {
		t.slots = t.slots[:v.Place+1]
	} else {
		t.slots = append(t.slots, slot{})
	}
	s, c := &t.slots[v.Place], v.Node.Component
	s.all, s.edition, s.active, s.arrived = false, c.Edition(), c.Active(), nil
	s.concern.Reset()
	s.event.ID, s.event.Source = s.event.ID[:0], s.event.Source[:0]
	return s
}

// know reads what was told of a root, unless it is known.
func (t *telling) know(n *graph.Node) (err error) {
	if n.Told == nil {
		n.Told, err = row.ReadTold(t.shard.config.Store, t.shard.config.ID, n.Key)
	}
	return err
}

// after is called when a node has taken a message.
func (t *telling) after(v *Visit) {
	if t.live == nil || v.Replay {
		return
	}
	n := v.Node
	if n.Component == nil {
		if v.Was != nil {
			t.leave(v)
		}
		return
	}
	if v.Was == nil { // a root that nobody knew
		n.Told = &graph.Told{}
		t.take(v).all = true
	}
	s, m := &t.slots[v.Place], v.Message
	switch m.Kind {
	case graph.KindObserve:
		t.live.Concern(m.Event, &s.concern)
		s.event.ID, s.event.Source, s.event.Stamp = append(s.event.ID[:0], m.Event.ID...), append(s.event.Source[:0], m.Event.Source...), m.Event.Stamp
	case graph.KindPatch:
		t.live.ConcernPatch(m.Patch, &s.concern)
	case graph.KindAbsorb:
		s.all = true
		s.arrived = append(s.arrived, m.Evidence.Told...)
	}
}

// leave lets what was told of a root go with its evidence (T8).
func (t *telling) leave(v *Visit) {
	n, s := v.Node, &t.slots[v.Place]
	told := n.Told
	n.Told = nil
	t.forget(n.Key, told)
	var people []graph.ToldPerson
	for _, p := range slices.Concat(told.People, s.arrived) {
		if t.gone[p.ID] {
			continue
		}
		if into, ok := v.Was.PersonOf(p.ID, t.shard.config.Rules); ok { // readers were told just now that they are one
			p.ID = into
		}
		if at := slices.IndexFunc(people, func(o graph.ToldPerson) bool { return o.ID == p.ID }); at >= 0 {
			people[at].Audiences = graph.UniteAudiences(people[at].Audiences, p.Audiences)
		} else {
			people = append(people, p)
		}
	}
	graph.Carry(v.Out.Messages, people)
}

// forget deletes the rows of a root.
func (t *telling) forget(root graph.NodeKey, told *graph.Told) {
	b, enc, id := &t.shard.step.batch, t.shard.codec.enc, t.shard.config.ID
	if told.Due > 0 {
		enc.DeleteWake(b, id, told.Due, root)
	}
	for i := range told.People {
		for _, number := range told.People[i].Audiences {
			t.remove(number, told.People[i].ID)
		}
	}
	if told.Due > 0 || len(told.People) > 0 {
		enc.PutTold(b, id, root, &graph.Told{})
	}
}

func (t *telling) add(number uint32, id graph.NodeKey) {
	t.shard.codec.enc.PutAudienceMember(&t.shard.step.batch, t.shard.config.ID, number, id, t.shard.step.now)
	t.count(number, 1)
}

func (t *telling) remove(number uint32, id graph.NodeKey) {
	t.shard.codec.enc.DeleteAudienceMember(&t.shard.step.batch, t.shard.config.ID, number, id)
	t.count(number, -1)
}

func (t *telling) count(number uint32, more int64) {
	t.counts[number] += more
	if !slices.Contains(t.moved, number) {
		t.moved = append(t.moved, number)
	}
}

// compared is called with what the step made of the identities of one component.
func (t *telling) compared(d *graph.Diff) {
	if t.live == nil {
		return
	}
	if d.Told != nil { // what readers of the feed are told
		d = d.Told
	}
	for i := range d.Merges {
		t.merged[d.Merges[i].Into.ID()] = true
	}
	for i := range d.Splits {
		t.split[d.Splits[i].ID] = true
		t.gone[d.Splits[i].ID] = !slices.Contains(d.Splits[i].Into, d.Splits[i].ID)
		for _, id := range d.Splits[i].Into {
			t.split[id] = true
		}
	}
}

// due finds the roots that are to be evaluated because of the time, and notes them in the record.
func (t *step) findDue() error {
	s, l := t.shard, &t.shard.telling
	if !l.wake || l.live == nil {
		return nil
	}
	first := int64(math.MaxInt64)
	err := row.ScanWakes(s.config.Store, s.config.ID, math.MaxInt64-1, func(due int64, root graph.NodeKey) error {
		if due > t.now || len(l.woken) == wakeRoots {
			first = due
			return storage.ErrStop
		}
		l.woken = append(l.woken, wakeUp{due, root})
		return nil
	})
	if err != nil {
		return err
	}
	l.due = first
	if len(l.woken) > 0 {
		c := &s.codec
		c.body = c.body[:0]
		for _, w := range l.woken {
			c.body = w.root.AppendBinary(c.body)
		}
		t.add(sourceWoken, uint64(len(l.woken)), c.body)
	}
	return nil
}

// findPass prepares a part of the pass that new definitions bring, if the step is to do one.
func (t *step) findPass() {
	s, l := t.shard, &t.shard.telling
	if l.live == nil || l.Through {
		return
	}
	t.begun = true
	if r := s.residents.dirty.head(); r != nil && r.dirtySince <= l.Barrier {
		t.flushTo = max(t.flushTo, l.Barrier) // roots of before the barrier may have no row
		return
	}
	l.pass = true
}

// tell evaluates what the step has touched, what is due, and a part of a pass.
func (t *step) tell() error {
	l := &t.shard.telling
	if l.live == nil {
		return nil
	}
	for i, r := range t.observed.touched {
		if r.touched != int32(i+1) { // it left
			continue
		}
		if err := l.touched(&r.Node, &l.slots[i]); err != nil {
			return err
		}
	}
	for _, w := range l.woken {
		if err := l.wakeRoot(w); err != nil {
			return err
		}
	}
	if l.pass {
		if err := l.passPart(); err != nil {
			return err
		}
	}
	l.write()
	return nil
}

// touched evaluates a root that the step has touched.
func (t *telling) touched(n *graph.Node, s *slot) error {
	c := n.Component
	all := s.all || c.Edition() != s.edition || c.Active() != s.active
	if !all && s.concern.Empty() {
		return nil
	}
	if err := t.know(n); err != nil {
		return err
	}
	if !all && !c.Whole(t.shard.config.Rules) {
		all = true // the event concerns one of several identities
	}
	t.evaluate(n, s, all, false, 0)
	return nil
}

// wakeRoot evaluates a root that was due.
func (t *telling) wakeRoot(w wakeUp) error {
	n, err := t.root(w.root)
	if err != nil {
		return err
	}
	if n == nil || n.Told.Due != w.due { // the step has evaluated it, and registered another time
		t.shard.codec.enc.DeleteWake(&t.shard.step.batch, t.shard.config.ID, w.due, w.root)
		return nil
	}
	t.evaluate(n, nil, true, true, graph.ByTime)
	return nil
}

// root finds a root, in memory or in the store, where it is not made resident: its evidence does not change. It returns nil for what is no root.
func (t *telling) root(key graph.NodeKey) (*graph.Node, error) {
	s := t.shard
	var n *graph.Node
	if r := s.residents.get(key); r != nil {
		n = &r.Node
	} else {
		stored, _, err := s.codec.dec.GetNode(s.config.Store, s.config.ID, key)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return nil, err
		}
		n = stored
	}
	if n == nil || n.Component == nil {
		return nil, nil
	}
	return n, t.know(n)
}

// passFull reports whether a part of a pass is to end.
func (t *telling) passFull(roots, nodes int) bool {
	most := passRoots
	if t.shard.config.Limits.FillEvents > 0 {
		most = min(most, t.shard.config.Limits.FillEvents)
	}
	return roots >= most || nodes >= passNodes
}

// passPart evaluates the next roots by new definitions.
func (t *telling) passPart() error {
	s := t.shard
	var roots []graph.NodeKey
	nodes, through := 0, true
	err := row.ScanRoots(s.config.Store, s.config.ID, t.Cursor, func(node graph.NodeKey, root bool) error {
		if t.passFull(len(roots), nodes) {
			through = false
			return storage.ErrStop
		}
		nodes++
		if t.Cursor = node; root {
			roots = append(roots, node)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range roots {
		n, err := t.root(key)
		if err != nil {
			return err
		}
		if n != nil {
			t.evaluate(n, nil, true, false, graph.ByDefinition)
		}
	}
	if through {
		t.Through, t.Cursor = true, graph.NodeKey{}
	}
	t.changed = true
	return nil
}

// evaluate evaluates the identities of a root: all audiences, or those that the slot concerns. It writes and tells what has changed.
// why is 0 where the step says.
//
// REQUIRES: n.Told is known
func (t *telling) evaluate(n *graph.Node, s *slot, all, fired bool, why graph.AudienceCause) {
	c, rules, now := n.Component, t.shard.config.Rules, t.shard.step.now
	t.ids, t.in, t.numbers = t.ids[:0], t.in[:0], t.numbers[:0]
	until := audience.Never
	c.Views(rules, &t.view, func(id graph.NodeKey) {
		start, at := len(t.numbers), int64(0)
		if all {
			t.numbers, at = t.evaluator.All(&t.view, now, t.numbers)
		} else {
			t.numbers, at = t.evaluator.Some(&t.view, now, s.concern, n.Told.Find(id), t.numbers)
		}
		until = min(until, at)
		t.ids, t.in = append(t.ids, id), append(t.in, t.numbers[start:len(t.numbers):len(t.numbers)])
	})
	told := graph.Told{Due: t.schedule(n, until, fired)}
	var arrived []graph.ToldPerson
	if s != nil {
		arrived = s.arrived
	}
	same := len(arrived) == 0 && t.same(n.Told.People)
	if same {
		if told.Due == n.Told.Due {
			return
		}
		told.People = n.Told.People
	} else {
		told.People = t.people()
		t.tellOf(n, s, arrived, why)
		t.members(n.Told.People, told.People)
	}
	t.shard.codec.enc.PutTold(&t.shard.step.batch, t.shard.config.ID, n.Key, &told)
	n.Told = &told
}

// schedule registers when a root is to be evaluated again (T4), and returns the time that is registered.
func (t *telling) schedule(n *graph.Node, until int64, fired bool) int64 {
	b, enc, id := &t.shard.step.batch, t.shard.codec.enc, t.shard.config.ID
	due := n.Told.Due
	if fired {
		enc.DeleteWake(b, id, due, n.Key)
		due = 0
	}
	if until != audience.Never && (due == 0 || until < due) {
		if due > 0 {
			enc.DeleteWake(b, id, due, n.Key)
		}
		due = until
		enc.PutWake(b, id, due, n.Key)
		t.due = min(t.due, due)
	}
	return due
}

// same reports whether the identities under evaluation are in what they were told to be in.
func (t *telling) same(people []graph.ToldPerson) bool {
	at := 0
	for i, in := range t.in {
		if len(in) == 0 {
			continue
		}
		if at == len(people) || people[at].ID != t.ids[i] || !slices.Equal(people[at].Audiences, in) {
			return false
		}
		at++
	}
	return at == len(people)
}

// people lists the identities under evaluation that are in audiences, in memory of their own.
func (t *telling) people() (people []graph.ToldPerson) {
	numbers := slices.Clone(t.numbers)
	for i, in := range t.in {
		if len(in) > 0 {
			people = append(people, graph.ToldPerson{ID: t.ids[i], Audiences: numbers[:len(in):len(in)]})
			numbers = numbers[len(in):]
		}
	}
	return people
}

// tellOf tells who entered and who left: it compares what readers know of each identity with what holds. An identity that became part of
// another one is in what it was in until it is compared there; what comes of one that was divided begins with nothing, unless
// it goes on under its id.
func (t *telling) tellOf(n *graph.Node, s *slot, arrived []graph.ToldPerson, why graph.AudienceCause) {
	known := make([][]uint32, len(t.ids))
	for _, list := range [2][]graph.ToldPerson{n.Told.People, arrived} {
		for i := range list {
			p := &list[i]
			at := slices.Index(t.ids, p.ID)
			if at < 0 && !t.gone[p.ID] {
				if into, ok := n.Component.PersonOf(p.ID, t.shard.config.Rules); ok {
					at = slices.Index(t.ids, into)
				}
			}
			if at >= 0 {
				known[at] = graph.UniteAudiences(known[at], p.Audiences)
			}
		}
	}
	for i, id := range t.ids {
		cause := t.why(id, s, why)
		t.difference(graph.FeedExited, id, known[i], t.in[i], s, cause)
		t.difference(graph.FeedEntered, id, t.in[i], known[i], s, cause)
	}
}

// difference tells of the numbers that are in one list and not in the other.
func (t *telling) difference(kind graph.FeedKind, id graph.NodeKey, list, other []uint32, s *slot, why graph.AudienceCause) {
	for _, number := range list {
		if _, found := slices.BinarySearch(other, number); found {
			continue
		}
		e := graph.FeedEntry{Kind: kind, ID: id, Audience: t.live.Key(number), Why: why}
		if why == graph.ByEvent {
			e.Cause.Mark = s.event
		}
		t.entries = append(t.entries, e)
	}
}

// why says why an identity entered or left.
func (t *telling) why(id graph.NodeKey, s *slot, why graph.AudienceCause) graph.AudienceCause {
	switch {
	case why != 0:
		return why
	case t.split[id]:
		return graph.BySplit
	case t.merged[id], len(s.arrived) > 0:
		return graph.ByMerge
	case len(s.event.ID) > 0:
		return graph.ByEvent
	}
	return graph.ByMerge
}

// members brings the member rows of a root's identities up to date.
func (t *telling) members(before, now []graph.ToldPerson) {
	each := func(list, other []graph.ToldPerson, fn func(uint32, graph.NodeKey)) {
		for i := range list {
			var there []uint32
			for j := range other {
				if other[j].ID == list[i].ID {
					there = other[j].Audiences
				}
			}
			for _, number := range list[i].Audiences {
				if _, found := slices.BinarySearch(there, number); !found {
					fn(number, list[i].ID)
				}
			}
		}
	}
	each(before, now, t.remove)
	each(now, before, t.add)
}

// write writes counts that have changed.
func (t *telling) write() {
	s := t.shard
	for _, number := range t.moved {
		s.codec.enc.PutAudienceCount(&s.step.batch, s.config.ID, number, uint64(t.counts[number]))
		if t.counts[number] == 0 {
			delete(t.counts, number)
		}
	}
}

// note writes by which audiences the people of the shard were evaluated, if the step has changed it.
func (t *telling) note() {
	if t.changed {
		t.shard.codec.enc.PutTelling(&t.shard.step.batch, t.shard.config.ID, &t.Telling)
		t.changed = false
	}
}
