package shard_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// simAudiences is what a schedule does with audiences: they are defined, changed and deleted in the middle of things, and the clock jumps. In
// the end everybody must be in what the raw events, the people of the oracle and the clock say, computed without signals.
type simAudiences struct {
	left    int // how many more versions come
	state   *audiences.State
	live    map[string]simAudience // of the newest version
	members int                    // memberships that were compared
	timed   int                    // wakes that were asked for
	entered int                    // entries of the feed of kind entered
	exited  int
	values  int // computed traits that were compared
}

// A simAudience is a definition, and what it means.
type simAudience struct {
	where string
	holds func(p *simPerson) bool
}

// simPerson is a person of the oracle, with the raw events.
type simPerson struct {
	graph.Profile
	events []*graph.Event
	now    int64
	others map[string]simAudience
}

// simReceived is when the last event is received. A signal remembers the newest moments, so an event that is received in the future would take
// the place of others: worlds have some, whose days are far apart.
var simReceived = simStart + 24_000

// count counts events of a type in the last ms up to now; 0 is ever.
func (p *simPerson) count(kind graph.EventType, last int64, where func(n float64) bool) (count int) {
	for _, e := range p.events {
		at := min(e.Stamp.Time, e.Received)
		if e.Type != kind || at > p.now || last > 0 && at <= p.now-last {
			continue
		}
		if where != nil && !where(simNumber(e)) {
			continue
		}
		count++
	}
	return count
}

// simNumber is the number among the properties of a simulated event.
func simNumber(e *graph.Event) float64 {
	if n := e.Seen % 11; n < 10 {
		return float64(n)
	}
	return 4.5
}

// simAudienceKeys are the keys that audiences have. A definition may come under another key later.
var simAudienceKeys = []string{"a", "b", "c", "d"}

var simAudiencePool = []simAudience{
	{`{"signal":{"type":"track"},"count":{"at_least":1},"last":"7s"}`, func(p *simPerson) bool { return p.count(graph.TypeTrack, 7_000, nil) >= 1 }},
	{`{"signal":{"type":"track"},"count":{"at_least":2},"last":"40s"}`, func(p *simPerson) bool { return p.count(graph.TypeTrack, 40_000, nil) >= 2 }},
	{`{"signal":{"type":"page"},"count":{"at_most":1},"last":"15s"}`, func(p *simPerson) bool { return p.count(graph.TypePage, 15_000, nil) <= 1 }},
	{`{"not":{"signal":{"type":"identify"},"count":{"at_least":1}}}`, func(p *simPerson) bool { return p.count(graph.TypeIdentify, 0, nil) == 0 }},
	{`{"signal":{"type":"track","where":[["n","ge",3]]},"count":{"at_least":1},"last":"20s"}`, func(p *simPerson) bool {
		return p.count(graph.TypeTrack, 20_000, func(n float64) bool { return n >= 3 }) >= 1
	}},
	{`{"all":[{"signal":{"type":"track"},"count":{"at_least":1},"last":"30s"},{"not":{"signal":{"type":"page"},"count":{"at_least":1},"last":"12s"}}]}`, func(p *simPerson) bool {
		return p.count(graph.TypeTrack, 30_000, nil) >= 1 && p.count(graph.TypePage, 12_000, nil) == 0
	}},
	{`{"any":[{"identifier":"email"},{"signal":{"type":"screen"},"count":{"at_least":1},"last":"1m"}]}`, func(p *simPerson) bool {
		return p.has("email") || p.count(graph.TypeScreen, 60_000, nil) >= 1
	}},
	{`{"identifier":"user_id"}`, func(p *simPerson) bool { return p.has("user_id") }},
	{`{"orders":{"count":{"at_least":1}}}`, func(p *simPerson) bool {
		return slices.ContainsFunc(p.Orders, func(o graph.OrderState) bool { return o.Status != graph.OrderStateCancelled && o.PlacedAt <= p.now })
	}},
	{`{"orders":{"count":{"at_least":1}},"last":"25s"}`, func(p *simPerson) bool {
		return slices.ContainsFunc(p.Orders, func(o graph.OrderState) bool {
			return o.Status != graph.OrderStateCancelled && o.PlacedAt <= p.now && o.PlacedAt > p.now-25_000
		})
	}},
	{`{"trait":["city","eq","Ulm"]}`, func(p *simPerson) bool {
		return slices.ContainsFunc(p.Traits, func(t graph.TraitValue) bool { return t.Name == "city" && string(t.Value) == `"Ulm"` })
	}},
	{`{"all":[{"audience":"a"},{"not":{"audience":"b"}}]}`, func(p *simPerson) bool { return p.in("a") && !p.in("b") }},
}

func (p *simPerson) has(namespace string) bool {
	return slices.ContainsFunc(p.Identifiers, func(id graph.ProfileIdentifier) bool { return id.Namespace == namespace && !id.Generic })
}

func (p *simPerson) in(key string) bool { return p.others[key].holds(p) }

// define changes the audiences.
func (s *simulation) defineAudiences() bool {
	au := &s.audiences
	if au.left == 0 {
		return false
	}
	live := map[string]simAudience{}
	var list []audience.Definition
	for _, key := range simAudienceKeys {
		if s.signals.rng.IntN(4) == 0 {
			continue
		}
		a := simAudiencePool[s.signals.rng.IntN(len(simAudiencePool))]
		if before, ok := au.live[key]; ok && s.signals.rng.IntN(2) == 0 {
			a = before
		}
		live[key] = a
	}
	for key, a := range live {
		refers := strings.Contains(a.where, `"audience"`)
		_, a1 := live["a"]
		_, b1 := live["b"]
		if refers && (key == "a" || key == "b" || !a1 || !b1) {
			live[key] = simAudiencePool[0]
		}
	}
	for _, key := range slices.Sorted(maps.Keys(live)) {
		where, err := audience.Parse([]byte(live[key].where))
		s.must(err, "parse an audience")
		list = append(list, audience.Definition{Key: key, Where: where})
	}
	next, err := au.state.Next(list)
	if errors.Is(err, audiences.ErrWaiting) {
		return false
	}
	s.must(err, "define audiences")
	if au.left%2 == 0 {
		next = s.defineTraits(next)
	}
	au.left--
	au.state, au.live = next, live
	s.signals.now, s.signals.version = next.Signals, next.Version
	s.note("audiences", next.Version, uint64(len(live)))
	return true
}

// live are the audiences that shards evaluate.
func (s *simulation) live() *audiences.Live {
	if s.audiences.state == nil {
		return nil
	}
	return s.audiences.state.Live
}

// serve lets audiences serve that are filled, and notes that all people were evaluated, as the engine does, once nothing is under way.
func (s *simulation) serve() bool {
	st := s.audiences.state
	if st == nil || !s.allHere() || s.transit.Arrived() != nil {
		return false
	}
	all := func(done func(*simShard) bool) bool {
		return !slices.ContainsFunc(s.shards, func(sh *simShard) bool { return !done(sh) })
	}
	var err error
	switch {
	case st.Filled < st.Version && all(func(sh *simShard) bool { return sh.Filled() >= st.Version }):
		st, err = st.Fill(st.Version)
	case st.Told < st.Served && all(func(sh *simShard) bool { return sh.Told() >= st.Served }):
		st, err = st.Tell(st.Served)
	default:
		return false
	}
	s.must(err, "let audiences serve")
	s.audiences.state, s.signals.now = st, st.Signals
	s.note("serve", st.Filled, st.Told)
	return true
}

// pass asks shards to evaluate a part of their people by the audiences that serve.
func (s *simulation) pass(which func(*simShard) bool) bool {
	st := s.audiences.state
	if st == nil {
		return false
	}
	return s.ask(func(sh *simShard) bool { return sh.Told() < st.Served && which(sh) }, shard.Input{Fill: true})
}

// awake asks shards to evaluate what is due.
func (s *simulation) awake(which func(*simShard) bool) bool {
	asked := s.audiences.state != nil && s.ask(func(sh *simShard) bool { return sh.due.Load() <= s.now && which(sh) }, shard.Input{Wake: true})
	if asked {
		s.audiences.timed++
	}
	return asked
}

// jump lets time pass.
func (s *simulation) jump() bool {
	s.now += int64(s.rng.IntN(6_000))
	return true
}

// settleAudiences goes on until what is defined serves, everybody was evaluated, and nothing is due. The clock stands still then.
func (s *simulation) settleAudiences() {
	if s.audiences.state == nil {
		return
	}
	s.now = max(s.now, simReceived)
	everyone := func(*simShard) bool { return true }
	for range 10_000 {
		served := s.serve()
		if s.fillSome(everyone) || s.pass(everyone) {
			s.drain(func() {}, func() bool { return true }, func() bool { return false })
		} else if !served {
			break
		}
	}
	if st := s.audiences.state; st.Told != st.Version {
		s.failf("audiences of version %d, filled %d, serve %d, told %d: they do not settle", st.Version, st.Filled, st.Served, st.Told)
	}
	for s.awake(everyone) {
		for _, sh := range s.shards {
			if len(sh.inbox) > 0 {
				s.stepShard(sh, len(sh.inbox))
			}
			if sh.state == simStepped {
				s.commitGroup([]*simShard{sh})
			}
			if sh.state == simDurable {
				s.finishShard(sh)
			}
		}
	}
}

// checkAudiences compares memberships with those that the raw events give, and their rows with each other.
func (s *simulation) checkAudiences(people []graph.Profile) {
	au := &s.audiences
	if au.state == nil {
		return
	}
	s.settleAudiences()
	keys := map[uint32]string{}
	for _, a := range au.state.Definitions.Newest {
		keys[a.Number] = a.Key
	}
	got := map[string]bool{}
	for _, sh := range s.shards {
		s.checkTold(sh, func(number uint32, id graph.NodeKey) {
			name := keys[number] + " " + id.String()
			if got[name] || keys[number] == "" {
				s.failf("audience %d: %q is a member twice, or nobody knows it", number, name)
			}
			got[name] = true
		})
	}
	want, appraiser := map[string]bool{}, au.state.NewAppraiser()
	for i := range people {
		p := &simPerson{Profile: people[i], now: s.now, others: au.live}
		seen := map[uint64]bool{}
		for j := range s.feeder.taken {
			e := &s.feeder.taken[j]
			if !seen[e.Seen] && slices.ContainsFunc(p.Identifiers, func(id graph.ProfileIdentifier) bool { return id.Key == e.Route() }) {
				seen[e.Seen] = true
				p.events = append(p.events, e)
			}
		}
		s.checkComputed(p, appraiser)
		for key, a := range au.live {
			if a.holds(p) {
				want[key+" "+p.ID.String()] = true
			}
		}
	}
	if !maps.Equal(got, want) {
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if !got[name] {
				key, _, _ := strings.Cut(name, " ")
				fmt.Fprintf(&b, "\nis not in  %s  %s", name, au.live[key].where)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(got)) {
			if !want[name] {
				key, _, _ := strings.Cut(name, " ")
				fmt.Fprintf(&b, "\nis in      %s  %s", name, au.live[key].where)
			}
		}
		s.failf("at %d, audiences of version %d are not what the events say:%s", s.now, au.state.Version, b.String())
	}
	au.members += len(want)
	s.checkTrail(want)
}

// checkTold checks that the rows of a shard agree with each other, and shows each membership.
func (s *simulation) checkTold(sh *simShard, member func(number uint32, id graph.NodeKey)) {
	rows := map[string]bool{}
	counts := map[uint32]uint64{}
	dues := map[string]bool{}
	s.must(row.ScanTold(s.store, sh.id, func(root graph.NodeKey, told *graph.Told) error {
		n, _, err := row.NewDecoder().GetNode(s.store, sh.id, root)
		if errors.Is(err, storage.ErrNotFound) {
			err = nil // its row is deferred
		} else if err == nil && n.Component == nil {
			sight, err := sh.Read(root, func(*graph.Component) {})
			if err != nil || !sight.Parent.IsZero() {
				s.failf("a forward has a row of memberships: %v", err)
			}
		}
		if told.Due > 0 {
			dues[strconv.FormatInt(told.Due, 10)+root.String()] = true
		}
		for i := range told.People {
			for _, number := range told.People[i].Audiences {
				rows[fmt.Sprint(number, told.People[i].ID)] = true
				counts[number]++
				member(number, told.People[i].ID)
			}
		}
		return err
	}), "read what was told")
	for number := range counts {
		n := uint64(0)
		s.must(row.ScanAudienceMembers(s.store, sh.id, number, graph.NodeKey{}, func(id graph.NodeKey, _ int64) error {
			if n++; !rows[fmt.Sprint(number, id)] {
				s.failf("shard %d: %s has a row in audience %d, and was not told", sh.id, id, number)
			}
			return nil
		}), "read members")
		if n != counts[number] {
			s.failf("shard %d: audience %d has %d rows, want %d", sh.id, number, n, counts[number])
		}
	}
	s.must(row.ScanAudienceCounts(s.store, sh.id, func(number uint32, n uint64) error {
		if n != counts[number] {
			s.failf("shard %d: audience %d counts %d, want %d", sh.id, number, n, counts[number])
		}
		delete(counts, number)
		return nil
	}), "read counts")
	if len(counts) > 0 {
		s.failf("shard %d: audiences %v are not counted", sh.id, counts)
	}
	s.must(row.ScanWakes(s.store, sh.id, 1<<62, func(due int64, root graph.NodeKey) error {
		name := strconv.FormatInt(due, 10) + root.String()
		if !dues[name] {
			s.failf("shard %d: root %s is due at %d, and does not know", sh.id, root, due)
		}
		delete(dues, name)
		return nil
	}), "read what is due")
	if len(dues) > 0 {
		s.failf("shard %d: nobody wakes %v", sh.id, dues)
	}
}

// checkTrail replays the change feed: who entered was not in, who left was, and in the end everybody is where they are.
func (s *simulation) checkTrail(want map[string]bool) {
	if s.feed == nil || s.turned || s.lateFeed {
		return
	}
	in := map[graph.NodeKey]map[string]bool{}
	whole := s.readerOfFeed(feed.Start)
	for more := true; more; {
		events, err := whole.TryNext(context.Background())
		s.must(err, "read the feed")
		for i := range events {
			if e := &events[i]; s.logf != nil {
				s.logf("trail %d/%d order %d: %s %s %v %s %s", e.Shard, e.Number, e.Order, e.Kind, e.ID, e.Others, e.Audience, e.Why)
			}
			s.followTrail(in, &events[i].FeedEntry)
		}
		more = len(events) > 0
	}
	got := map[string]bool{}
	for id, keys := range in {
		for key := range keys {
			got[key+" "+id.String()] = true
		}
	}
	if !maps.Equal(got, want) {
		s.failf("a replay of the feed ends with the memberships\n%v\nwant\n%v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

func (s *simulation) followTrail(in map[graph.NodeKey]map[string]bool, e *graph.FeedEntry) {
	switch e.Kind {
	case graph.FeedMerged:
		for _, id := range e.Others {
			for key := range in[id] {
				if in[e.ID] == nil {
					in[e.ID] = map[string]bool{}
				}
				in[e.ID][key] = true
			}
			delete(in, id)
		}
	case graph.FeedSplit:
		if !slices.Contains(e.Others, e.ID) {
			delete(in, e.ID)
		}
	case graph.FeedEntered, graph.FeedExited:
		if in[e.ID][e.Audience] == (e.Kind == graph.FeedEntered) {
			s.failf("%s %s %s, because of %s: it was so already", e.ID, e.Kind, e.Audience, e.Why)
		}
		if in[e.ID] == nil {
			in[e.ID] = map[string]bool{}
		}
		if in[e.ID][e.Audience] = true; e.Kind == graph.FeedExited {
			delete(in[e.ID], e.Audience)
			s.audiences.exited++
		} else {
			s.audiences.entered++
		}
	}
}

// TestSchedulesAudiences: audiences are defined, changed and deleted while everything happens and the clock jumps, and everybody ends in what
// raw events, the people and the clock say.
func TestSchedulesAudiences(t *testing.T) {
	sc := schedule{
		make: withAudiences, disk: inMemory,
		meets: []string{"memberships", "wakes", "entered", "exited", "computed traits"},
	}
	sc.each(t, 1500)
}

// withAudiences is a world in which audiences change up to six times.
func withAudiences(seed uint64, rng *rand.Rand) (simParams, *graph.Rules, []act) {
	p, rules, acts := [...]func(uint64, *rand.Rand) (simParams, *graph.Rules, []act){plainly, mergedAndSplit, plainly, amongAliases}[seed%4](seed, rng)
	p.signals, p.audiences = 0, 6
	return p, rules, acts
}
