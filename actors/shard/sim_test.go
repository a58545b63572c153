package shard_test

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/dedupe"
	"github.com/kindred-id/kindred/storage/hashset"
	"github.com/kindred-id/kindred/storage/row"
)

// A simulation steps the shards of one process by hand, on one goroutine: which shard steps, which
// batches commit together, which message arrives, when the process dies, all of it follows from a
// seed. The final result must equal the oracle's for the same events, byte for byte.
//
//	feeder ──► inbox ──► Step ──► commit (alone or in a group) ──► Committed ──► answers, network
//	             ▲                  ✕ lost   ✕ durable, unseen        ✕ posts lost      │
//	             └───────────── delayed, dropped, repeated, out of order ◄──────────────┘
//
// Every ✕ is a place where the process dies: the memory of all shards and all that was under way is
// gone, the shards are opened again from the store, and the feeder sends again what was not answered.
// At the same places one shard may leave, alone, and come back later (sim_place_test.go).
type simulation struct {
	rng    *rand.Rand
	p      simParams
	rules  *graph.Rules
	disk   simDisk
	host   func(*graph.Rules) shard.Host
	store  storage.Store
	rows   *catalog.Catalog
	shards []*simShard
	net    []packet
	feeder feeder
	sweep  sweep
	// transit is that of the running process; watched are events that were answered, until they can be
	// seen by each of their identifiers.
	transit   *shard.Transit
	buffers   *storage.Buffers
	watched   []watch
	found     []*graph.Event // were found once
	picks     *rand.Rand     // of what is looked at, and changes nothing
	capped    bool           // components may reach their caps
	topic     []*simPartition
	feed      *feed.Feed // nil: there is none
	signals   simSignals
	audiences simAudiences
	lateFeed  bool // the feed was turned on after people had entered audiences
	reader    simReader
	closings  int // how many more shards leave, at most
	// turned says that the rules have changed in the middle of things. Values that were generic before may then be
	// claimed by two components, which hosting does not hold against them.
	turned bool
	now    int64 // ms since 1970
	trace  uint64
	logf   func(format string, args ...any) // nil: no log
	met    simMet
	enc    *row.Encoder
	dec    *row.Decoder
	names  map[graph.NodeKey]graph.NodeName // everything that the input names
}

// simParams are drawn from the seed.
type simParams struct {
	seed    uint64
	shards  int
	limits  shard.Limits
	seen    dedupe.Limits
	batch   int // inputs a step takes at most
	drop    int // percent of packets that are lost
	repeat  int // percent of packets that arrive again
	speed   int // of the network: how often a packet arrives
	split   bool
	slow    int // a shard whose commits take long
	crashes int // at most
	poison  int // inputs whose handler fails
	leaves  int // how often a shard leaves, at most
	resend  bool
	// Of the events, some or all come over external channels.
	feed       bool // there is a change feed
	signals    int  // how often definitions change, at most
	audiences  int  // how often audiences change, at most
	partitions int
	consumers  int
	streamed   int // percent of the events; with 100, the memory of duplicates is as good as none
}

func (p simParams) String() string {
	return fmt.Sprintf("seed %d, %d shards, log %d B, actors %d B, flush %d B, duplicates %d B, batch %d, drop %d %%, repeat %d %%, speed %d, slow shard %d, split %t, crashes %d, leaves %d, poison %d, resend %t, %d partitions with %d consumers and %d %% of the events, feed %t",
		p.seed, p.shards, p.limits.LogBytes, p.limits.ActorBytes, p.limits.FlushBytes, p.seen.Bytes, p.batch, p.drop, p.repeat, p.speed, p.slow, p.split, p.crashes, p.leaves, p.poison, p.resend, p.partitions, p.consumers, p.streamed, p.feed)
}

func drawParams(seed uint64, rng *rand.Rand) simParams {
	one := func(of ...int64) int64 { return of[rng.IntN(len(of))] }
	shards := int(one(1, 2, 4, 4, 4, 64))
	leaves := [...]int{0, 0, 0, 2, 8, 30}
	p := simParams{
		leaves: leaves[rand.New(rand.NewPCG(seed, 2)).IntN(len(leaves))], // what else there is to a seed does not depend on it
		seed:   seed,
		shards: shards,
		slow:   rng.IntN(shards),
		limits: shard.Limits{
			LogBytes:   one(0, 1, 600, 2000, 8000, 1<<30),
			ActorBytes: one(0, 1, 1500, 6000, 1<<30),
			FlushBytes: int(one(0, 2000, 1<<20)),
		},
		seen:    dedupe.Limits{Bytes: one(0, 0, 1)},
		batch:   int(one(1, 2, 5, 40)),
		drop:    int(one(0, 5, 30)),
		repeat:  int(one(0, 10, 40)),
		speed:   int(one(2, 10, 45)),
		split:   rng.IntN(3) == 0,
		crashes: int(one(0, 1, 3, 8)),
		poison:  int(one(0, 0, 0, 1, 3)),
		resend:  rng.IntN(2) == 0,
	}
	p.feed = rng.IntN(2) == 0
	if rng.IntN(2) == 0 {
		p.partitions = 1 + rng.IntN(3)
		p.consumers = 1 + rng.IntN(3)
		p.streamed = int(one(30, 80, 100))
		if p.streamed == 100 {
			p.seen.Horizon = 8 * time.Millisecond
		}
	}
	return p
}

// simMet counts what schedules met: one that never meets a crash proves nothing about crashes.
type simMet struct {
	crashes, lost, unseen, groups, duplicates, quarantined, flushes, known, packets, truncated, passivated, forwards, merged, watched, changes, sweeps uint64
	streamed, streamedDuplicates, streamedQuarantined, outOfTurn, rewound, floors                                                                      uint64
	conflicting                                                                                                                                        uint64
	lostShards, yielded, late, elsewhere                                                                                                               uint64
	grouped, groupedTogether, groupTraitsLeftOut                                                                                                       uint64
	told, toldMerged, toldSplit                                                                                                                        uint64
	definitions, fills, compared, marked                                                                                                               uint64
	members, timed, entered, exited, values                                                                                                            uint64
}

func (m *simMet) counts() map[string]*uint64 {
	return map[string]*uint64{
		"crashes": &m.crashes, "crashes before a commit": &m.lost, "crashes after a commit": &m.unseen,
		"group commits": &m.groups, "duplicates": &m.duplicates, "quarantined": &m.quarantined, "flushes": &m.flushes,
		"definitions": &m.definitions, "parts of fills": &m.fills, "signals compared": &m.compared, "events marked ahead": &m.marked,
		"memberships": &m.members, "wakes": &m.timed, "entered": &m.entered, "exited": &m.exited, "computed traits": &m.values,
		"late fingerprints": &m.known, "packets": &m.packets, "shards with a truncated log": &m.truncated,
		"shards with passivated nodes": &m.passivated, "forwards": &m.forwards, "merges": &m.merged, "watched events": &m.watched, "changes of rules": &m.changes, "sweeps": &m.sweeps,
		"lost shards": &m.lostShards, "yielded shards": &m.yielded, "late commits": &m.late, "answered elsewhere": &m.elsewhere,
		"groups": &m.grouped, "identifiers of one person in a group": &m.groupedTogether, "groups of too many traits": &m.groupTraitsLeftOut,
		"contents that conflict": &m.conflicting, "events of channels": &m.streamed, "duplicates in channels": &m.streamedDuplicates, "quarantined of channels": &m.streamedQuarantined,
		"out of turn": &m.outOfTurn, "consumers that went back": &m.rewound, "floors": &m.floors, "entries of the feed": &m.told, "merges in the feed": &m.toldMerged, "splits in the feed": &m.toldSplit,
	}
}

// simShard is a shard with what a runner would hold for it.
type simShard struct {
	*shard.Shard
	id     graph.ShardID
	inbox  []simInput
	batch  []simInput    // of the step under way
	inputs []shard.Input // the same, as the shard has them
	state  simState
	news   *simNews
	rows   *hashset.Fingerprints // nodes with a row, as gathered at some moment; nil before
	told   bool
	due    *atomic.Int64
	simPlace
}

type simState uint8

const (
	simIdle    simState = iota
	simStepped          // a batch is to be committed
	simDurable          // it is, and the shard does not know yet
	simAway             // the shard is closed
)

// simFailure is what a simulation panics with when the world is wrong.
type simFailure struct{ text string }

func (s *simulation) failf(format string, args ...any) {
	panic(simFailure{fmt.Sprintf(format, args...)})
}

func (s *simulation) must(err error, doing string) {
	if err != nil {
		s.failf("%s: %v", doing, err)
	}
}

// note adds an action to the trace, which is what two runs of one seed are compared by.
func (s *simulation) note(what string, numbers ...uint64) {
	h := fnv.New64a()
	b := binary.LittleEndian.AppendUint64(nil, s.trace)
	b = append(b, what...)
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	_, _ = h.Write(b)
	s.trace = h.Sum64()
	if s.logf != nil {
		s.logf("%d %s %v", s.now, what, numbers)
	}
}

func (s *simulation) percent(n int) bool { return s.rng.IntN(100) < n }

// open is the start of the process.
func (s *simulation) open() {
	store, err := s.disk.open()
	s.must(err, "open the store")
	s.store, s.rows = store, catalog.New(store, nil)
	s.transit, s.watched, s.sweep.on = shard.NewTransit(), nil, false
	s.prepare()
	s.buffers = storage.NewBuffers(bufferBytes, bufferBytes)
	s.buffers.Poison()
	s.shards = make([]*simShard, s.p.shards)
	for i := range s.shards {
		s.shards[i] = s.openShard(graph.ShardID(i))
	}
}

// bufferBytes is what a process keeps of the memory of records: room for a few.
const bufferBytes = 64 << 10

func (s *simulation) openShard(id graph.ShardID) *simShard {
	due := new(atomic.Int64)
	due.Store(math.MaxInt64)
	c := shard.Config{
		ID: id, Shards: s.p.shards, Store: s.store, Rules: s.rules, Limits: s.p.limits, Buffers: s.buffers, Seen: s.p.seen,
		Host: s.host(s.rules), Transit: s.transit, Definitions: s.signals.now, Live: s.live(), Due: due,
	}
	news := &simNews{}
	c.Observers = s.observers(id, news)
	c.Limits.FillEvents = s.signals.part
	opened, err := shard.Open(c)
	s.must(err, "open shard")
	return &simShard{Shard: opened, id: c.ID, news: news, due: due}
}

func (s *simulation) observers(id graph.ShardID, news *simNews) (all []shard.Observer) {
	if s.feed != nil {
		all = append(all, s.feed.Observer(id))
	}
	return append(all, news)
}

// crash is the death of the process and its next start.
func (s *simulation) crash() {
	s.note("crash")
	s.met.crashes++
	s.close()
	s.disk.crash(s.rng)
	s.open()
	if s.percent(30) {
		s.verify()
	}
	s.feeder.crashed(s.rng)
	s.topicCrashed()
	s.reader.crashed(s.rng)
	if s.sweep.state != swept { // as it was not written down that it is done
		s.beginSweep()
	}
}

// close forgets all memory.
func (s *simulation) close() {
	for _, sh := range s.shards {
		if sh != nil && sh.state != simAway { // nil if it could not be opened
			sh.StopActors()
		}
	}
	s.shards, s.net = nil, nil
}

// most is how many random things are done with the input that there is, at the most.
func (s *simulation) most() int { return 40 * (len(s.feeder.offers) + 4) }

// action is something that a simulation does at random.
type action struct {
	weight int
	do     func() bool // false: nothing of the kind could be done
	place  bool        // it is about where shards are
}

// stir does random things for a while.
func (s *simulation) stir(most int) {
	crashes := s.p.crashes
	s.closings = s.p.leaves
	actions := []action{
		{weight: 20, do: s.hand},
		{weight: 20, do: s.consume},
		{weight: 4, do: s.raiseFloor},
		{weight: 6, do: s.readFeed},
		{weight: 40, do: s.step},
		{weight: 25, do: func() bool { return s.commit(&crashes) }},
		{weight: 30, do: s.finish},
		{weight: s.p.speed, do: s.deliver},
		{weight: 4, do: s.tick},
		{weight: 6, do: s.wait},
		{weight: 2, do: s.flush},
		{weight: 2, do: s.gather},
		{weight: 2, do: s.learn},
		{weight: 1, do: func() bool { return s.tell(func(*simShard) bool { return s.percent(50) }) }},
		{weight: 6, do: s.read},
		{weight: 4, do: s.askSweep},
		{weight: 3, do: s.lose, place: true},
		{weight: 3, do: s.yield, place: true},
		{weight: 8, do: s.seal, place: true},
		{weight: 6, do: s.arriveLate, place: true},
		{weight: 6, do: s.take, place: true},
		{weight: 1, do: func() bool {
			if crashes == 0 {
				return false
			}
			crashes--
			s.crash()
			return true
		}},
	}
	if s.p.signals > 0 {
		actions = append(actions, action{weight: 3, do: s.define}, action{weight: 12, do: s.fill})
	}
	if s.p.audiences > 0 {
		actions = append(actions, action{weight: 4, do: s.defineAudiences}, action{weight: 12, do: s.fill}, action{weight: 6, do: s.serve},
			action{weight: 4, do: s.jump},
			action{weight: 8, do: func() bool { return s.pass(func(*simShard) bool { return s.percent(50) }) }},
			action{weight: 8, do: func() bool { return s.awake(func(*simShard) bool { return s.percent(70) }) }})
	}
	if s.p.leaves == 0 {
		actions = slices.DeleteFunc(actions, func(a action) bool { return a.place })
	}
	total := 0
	for _, a := range actions {
		total += a.weight
	}
	for n := 0; n < most && !(s.feeder.done() && s.consumed()); n++ {
		pick := s.rng.IntN(total)
		for _, a := range actions {
			if pick -= a.weight; pick < 0 {
				a.do()
				s.watch()
				break
			}
		}
	}
}

// one picks a shard that qualifies; nil when none does.
func (s *simulation) one(qualifies func(*simShard) bool) *simShard {
	start := s.rng.IntN(len(s.shards))
	for i := range s.shards {
		if sh := s.shards[(start+i)%len(s.shards)]; qualifies(sh) {
			return sh
		}
	}
	return nil
}

// hand passes inputs from outside to the shards.
func (s *simulation) hand() bool {
	for range 1 + s.rng.IntN(2*s.p.batch) {
		in, ok := s.feeder.next(s)
		if !ok {
			return false
		}
		s.submit(in)
	}
	return true
}

func (s *simulation) step() bool {
	sh := s.one(func(sh *simShard) bool { return sh.state == simIdle && !sh.yielding && len(sh.inbox) > 0 })
	if sh == nil {
		return false
	}
	s.stepShard(sh, 1+s.rng.IntN(s.p.batch))
	return true
}

func (s *simulation) stepShard(sh *simShard, n int) {
	n = min(n, len(sh.inbox))
	sh.batch = slices.Clone(sh.inbox[:n])
	sh.inbox = sh.inbox[n:]
	sh.inputs = make([]shard.Input, n)
	for i := range sh.batch {
		sh.inputs[i] = sh.batch[i].Input
	}
	sh.Define(s.signals.now, s.live())
	changed, err := sh.Step(sh.inputs, s.now)
	s.must(err, fmt.Sprintf("step of shard %d", sh.id))
	s.note("step", uint64(sh.id), uint64(n), uint64(sh.Batch().Len()), uint64(sh.Batch().Size()))
	if !changed {
		s.finishShard(sh)
		return
	}
	sh.state = simStepped
}

// commit writes the batches of one or several shards in one, unless the process dies before, or dies
// right after.
func (s *simulation) commit(crashes *int) bool {
	slow := s.shards[s.p.slow]
	late := s.percent(90)
	first := s.one(func(sh *simShard) bool { return sh.state == simStepped && !(late && sh == slow) })
	if first == nil {
		return false
	}
	group := []*simShard{first}
	for _, sh := range s.shards {
		if sh != first && sh.state == simStepped && s.percent(50) && !(late && sh == slow) {
			group = append(group, sh)
		}
	}
	s.rng.Shuffle(len(group), func(i, j int) { group[i], group[j] = group[j], group[i] })
	if len(group) > 1 {
		s.met.groups++
	}
	fate := 100
	if *crashes > 0 {
		fate = s.rng.IntN(100)
	}
	if fate < 4 {
		*crashes--
		s.met.lost++
		s.crash()
		return true
	}
	s.commitGroup(group)
	if fate < 8 {
		*crashes--
		s.met.unseen++
		s.crash()
	}
	return true
}

func (s *simulation) commitGroup(group []*simShard) {
	batches := make([]*storage.Batch, len(group))
	for i, sh := range group {
		batches[i] = sh.Batch()
		s.note("commit", uint64(sh.id), sh.Stats().Record)
	}
	s.must(s.store.Commit(batches...), "commit")
	for _, sh := range group {
		sh.state = simDurable
	}
}

func (s *simulation) finish() bool {
	sh := s.one(func(sh *simShard) bool { return sh.state == simDurable })
	if sh == nil {
		return false
	}
	s.finishShard(sh)
	return true
}

// finishShard tells a shard that its batch is durable, and answers.
func (s *simulation) finishShard(sh *simShard) {
	before := sh.Stats().Residents
	posts := sh.Committed(s.now)
	if sh.Stats().Residents < before {
		s.met.passivated++
	}
	s.met.merged += sh.news.merged
	s.note("finish", uint64(sh.id), uint64(len(posts)), sh.news.merged, uint64(sh.Stats().Residents))
	sh.news.merged = 0
	s.post(sh.id, posts)
	s.answer(sh.batch, sh.inputs)
	sh.batch, sh.inputs, sh.state = nil, nil, simIdle
	if sh.sealing {
		s.away(sh)
	}
}

// ask hands an input that asks something of a shard to those of them that take inputs.
func (s *simulation) ask(which func(*simShard) bool, in shard.Input) (any bool) {
	for _, sh := range s.shards {
		if sh.here() && which(sh) {
			in.From, in.Outcome = sh.id, new(shard.Outcome)
			sh.inbox = append(sh.inbox, simInput{Input: in, to: sh.id})
			any = true
		}
	}
	return any
}

// tell asks shards to tell the message ids that they noted.
func (s *simulation) tell(which func(*simShard) bool) (any bool) {
	return s.ask(which, shard.Input{Tell: true})
}

func (s *simulation) tick() bool {
	sh := s.shards[s.rng.IntN(len(s.shards))]
	if sh.state == simAway {
		return false
	}
	s.post(sh.id, sh.Tick(s.now))
	return true
}

func (s *simulation) wait() bool {
	s.now += int64(s.rng.IntN(400))
	if s.percent(5) {
		s.now += shard.ResendMost
	}
	return true
}

func (s *simulation) flush() bool {
	sh := s.one(func(sh *simShard) bool { return sh.state == simIdle && !sh.yielding })
	if sh == nil {
		return false
	}
	s.flushShard(sh)
	return true
}

// flushShard lets a shard write a part of the deferred rows. It reports whether there is more.
func (s *simulation) flushShard(sh *simShard) bool {
	more, err := sh.Flush(s.now)
	s.must(err, "flush")
	s.note("flush", uint64(sh.id), uint64(sh.Batch().Len()), uint64(sh.Batch().Size()))
	s.met.flushes++
	sh.state = simStepped
	return more
}

// gather reads which nodes of a shard have a row, as the engine does while the shards work.
func (s *simulation) gather() bool {
	sh := s.one(func(sh *simShard) bool { return sh.state != simAway && !sh.told && sh.rows == nil })
	if sh == nil {
		return false
	}
	sh.rows = hashset.NewFingerprints(1 << 20)
	s.rowsOf(sh.id, func(key graph.NodeKey, _ []byte) { sh.rows.Add(key) })
	return true
}

// learn tells the shard, at some later moment.
func (s *simulation) learn() bool {
	sh := s.one(func(sh *simShard) bool { return !sh.told && sh.rows != nil })
	if sh == nil {
		return false
	}
	s.note("known", uint64(sh.id), uint64(sh.rows.Len()))
	sh.told = true
	sh.TakeIndex(sh.rows)
	s.met.known++
	return true
}

// rowsOf calls fn for every node row of a shard.
func (s *simulation) rowsOf(id graph.ShardID, fn func(key graph.NodeKey, stored []byte)) {
	err := s.store.Iterate(row.AppendShardLower(nil, row.SpaceNode, id), row.AppendShardUpper(nil, row.SpaceNode, id),
		func(key, stored []byte) error {
			_, node, err := row.ParseNodeKey(key)
			if err == nil {
				fn(node, stored)
			}
			return err
		})
	s.must(err, "read the rows of nodes")
}

// settle makes the world a friendly place and goes on until nothing is left to do: all input was
// answered, and all messages have arrived. again sends the whole input once more.
func (s *simulation) settle(again bool) {
	s.note("settle")
	s.takeAll()
	s.feeder.all(s, again)
	for s.hand() {
	}
	s.consumeAgain(again)
	s.drain(s.consumeAll, s.consumed, s.askSweep)
	s.fillAll()
}

// drain goes on until nothing is under way, done is true, and nothing comes of more; each is done before
// every round.
func (s *simulation) drain(each func(), done, more func() bool) {
	const most = 3000 // rounds: each one takes every message under way one hop
	s.takeAll()
	for range most {
		each()
		var group []*simShard
		for _, sh := range s.shards {
			if sh.state == simIdle && len(sh.inbox) > 0 {
				s.stepShard(sh, s.p.batch)
			}
			if sh.state == simStepped {
				group = append(group, sh)
			}
		}
		if len(group) > 0 {
			s.commitGroup(group)
		}
		for _, sh := range s.shards {
			if sh.state == simDurable {
				s.finishShard(sh)
			}
		}
		packets := s.net
		s.net = nil
		for _, p := range packets {
			s.arrive(p)
		}
		s.now += 300
		for _, sh := range s.shards {
			s.post(sh.id, sh.Tick(s.now))
		}
		s.watch()
		if s.quiet() && done() {
			if s.tell(func(sh *simShard) bool { return sh.Untold() }) {
				continue
			}
			if more() {
				for s.hand() {
				}
				continue
			}
			if s.transit.Arrived() != nil {
				s.failf("nothing is under way, and messages are counted as if they were")
			}
			return
		}
	}
	s.failf("not quiet after %d rounds", most)
}

func (s *simulation) quiet() bool {
	for _, sh := range s.shards {
		if sh.state != simIdle || len(sh.inbox) > 0 || sh.Stats().Waiting > 0 {
			return false
		}
	}
	return len(s.net) == 0
}

// flushAll writes all deferred rows.
func (s *simulation) flushAll() {
	for more := true; more; {
		more = false
		for _, sh := range s.shards {
			more = s.flushShard(sh) || more
		}
		s.commitGroup(s.shards)
		for _, sh := range s.shards {
			s.finishShard(sh)
		}
	}
}

// restart ends the process and starts it again, with nothing lost.
func (s *simulation) restart() {
	s.note("restart")
	s.close()
	s.disk.crash(s.rng)
	s.open()
	s.topicCrashed()
}

// act is a part of a history: what is sent, and who is who once it has been taken.
type act struct {
	events     []graph.Event
	assertions []graph.Assertion
	want       []graph.Profile // of all acts so far
	unsettled  bool            // the next act begins in the middle of this one
	rules      *graph.Rules    // that hold from here on; nil: as before. The process starts anew
	feed       bool            // turned on here. The process starts anew
	changes    []*graph.Rules  // the rules become these, one after the other, while the act is played
	capped     bool            // components reach their caps: what is wanted is what comes out, and that it stays
}

// simResult is what a run of a schedule gives.
type simResult struct {
	trace uint64
	dump  string
	met   simMet
}

// simulate runs a schedule. It fails with what is wrong.
func simulate(p simParams, rng *rand.Rand, rules *graph.Rules, acts []act, disk simDisk, newHost func(*graph.Rules) shard.Host, logf func(string, ...any)) (result simResult, err error) {
	s := &simulation{
		rng: rng, picks: rand.New(rand.NewPCG(p.seed, 1)), p: p, rules: rules, disk: disk, host: newHost, logf: logf, now: simStart,
		enc: row.NewEncoder(), dec: row.NewDecoder(), names: map[graph.NodeKey]graph.NodeName{},
	}
	s.feeder.known = map[uint64]bool{}
	s.signals = newSimSignals(p.seed, p.signals)
	if p.audiences > 0 {
		s.audiences.left = 1 + s.signals.rng.IntN(p.audiences)
	}
	defer func() {
		s.met.definitions, s.met.fills = s.signals.version, uint64(s.signals.filling)
		s.met.compared, s.met.marked = uint64(s.signals.filled), uint64(s.signals.marked)
		au := &s.audiences
		s.met.members, s.met.timed, s.met.entered, s.met.exited, s.met.values = uint64(au.members), uint64(au.timed), uint64(au.entered), uint64(au.exited), uint64(au.values)
		result.trace, result.met = s.trace, s.met
		switch cause := recover().(type) {
		case nil:
		case simFailure:
			err = fmt.Errorf("%s", cause.text)
		default:
			err = fmt.Errorf("panic: %v", cause)
			if logf != nil {
				panic(cause) // where the schedule is looked at closely, with its stack
			}
		}
		s.close()
		if closeErr := s.disk.close(); err == nil {
			err = closeErr
		}
	}()
	s.open()
	for i, a := range acts {
		s.capped = a.capped
		s.turn(&a)
		s.feeder.add(s, a, i == 0)
		s.recheck(&a)
		for _, rules := range a.changes {
			s.stir(s.rng.IntN(s.most()))
			s.changeRules(rules)
		}
		s.stir(s.most())
		if a.unsettled {
			continue
		}
		s.settle(p.resend)
		if a.capped {
			a.want = s.takeStock()
		}
		s.endSweep()
		want := oracle.Dump(a.want)
		s.check(want, len(a.want))
		s.checkGroups(a.want)
		s.checkAudiences(a.want)
		s.checkFeed(a.want)
		s.flushAll()
		s.checkRows(want)
		s.restart()
		s.check(want, len(a.want))
		s.checkGroups(a.want)
		s.checkAudiences(a.want)
		s.settle(true) // a replay changes nothing
		s.check(want, len(a.want))
		s.checkGroups(a.want)
		s.checkAudiences(a.want)
		s.checkFeed(a.want)
		result.dump = want
	}
	s.hashStore()
	return result, nil
}

// simStart is when simulations begin: 2026-01-01, as the worlds do.
var simStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// hashStore adds the store's whole content to the trace.
func (s *simulation) hashStore() {
	h := fnv.New64a()
	err := s.store.Iterate([]byte{0}, []byte{0xff}, func(key, value []byte) error {
		_, _ = h.Write(key)
		_, _ = h.Write(value)
		return nil
	})
	s.must(err, "read the store")
	s.note("store", h.Sum64())
}

// simNews counts the merges of a step, as the engine's news tells them.
type simNews struct{ merged uint64 }

func (n *simNews) Recover(*shard.Recovery) error {
	n.merged = 0
	return nil
}
func (*simNews) Before(*shard.Visit) error { return nil }
func (*simNews) After(*shard.Visit)        {}
func (*simNews) Close(*shard.Closing)      {}
func (*simNews) Committed()                {}

func (n *simNews) Changed(d *graph.Diff) {
	for i := range d.Merges {
		if len(d.Merges[i].From) > 0 {
			n.merged++
		}
	}
}
