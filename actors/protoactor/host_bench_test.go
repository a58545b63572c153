package protoactor

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
)

// postedHost runs identities as ordinary actors with mailboxes of their own: the alternative that
// docs/decisions/0003 measures. A batch is posted whole and awaited whole, since a shard commits
// what all of them say.
type postedHost struct {
	system  *actor.ActorSystem
	rules   *graph.Rules
	pids    map[*resident]*actor.PID
	waiting sync.WaitGroup
}

// resident is a node with its actor, as a shard has it.
type resident struct {
	graph.Node
	actor shard.Handle
}

type posted struct {
	r   *resident
	m   *graph.Message
	out graph.Outbox
}

func (h *postedHost) start(r *resident) {
	h.pids[r] = h.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if p, ok := ctx.Message().(*posted); ok {
			if err := p.r.Handle(p.m, h.rules, &p.out); err != nil {
				panic(err)
			}
			h.waiting.Done()
		}
	}))
}

func (h *postedHost) post(r *resident, m *graph.Message) {
	h.waiting.Add(1)
	h.system.Root.Send(h.pids[r], &posted{r: r, m: m})
}

// BenchmarkHosts is what it costs to let a resident identity take an event, by how its actor is
// driven: on the spot without an actor, as an actor with a driven mailbox, as an ordinary actor.
// Events are skewed (Zipf) over 100,000 resident identities, in batches of 256.
func BenchmarkHosts(b *testing.B) {
	const people, batch = 100_000, 256
	rules := graph.DefaultRules()
	quiet := actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) })
	run := func(b *testing.B, start func(*resident), each func(*resident, *graph.Message), end func()) {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		residents := make([]*resident, people)
		events := make([]graph.Event, people)
		for i := range residents {
			key := graph.MakeNodeKey(graph.ClassCustomer, uint64(i)*0x9E3779B97F4A7C15, uint64(i)*0xBF58476D1CE4E5B9)
			residents[i] = &resident{Node: graph.Node{Key: key}}
			events[i] = graph.Event{
				ID: []byte("message"), Type: graph.TypeTrack,
				Identifiers: []graph.Identifier{{Key: key, Namespace: "user_id", Value: fmt.Appendf(nil, "%d", i)}},
			}
			var out graph.Outbox
			m := graph.Message{Kind: graph.KindObserve, To: key, Event: &events[i]}
			if err := residents[i].Handle(&m, rules, &out); err != nil {
				b.Fatal(err)
			}
			start(residents[i])
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 8, people-1)
		picks := make([]uint64, 1<<16)
		for i := range picks {
			picks[i] = zipf.Uint64() * 7919 % people
		}
		messages := make([]graph.Message, batch)
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			for i := range messages {
				pick := picks[n%len(picks)]
				n++
				events[pick].Stamp.Time++
				messages[i] = graph.Message{Kind: graph.KindObserve, To: residents[pick].Key, Event: &events[pick]}
				each(residents[pick], &messages[i])
			}
			end()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/people, "B/identity")
		runtime.KeepAlive(residents)
	}
	handle := func(b *testing.B, h shard.Host) func(*resident, *graph.Message) {
		var out graph.Outbox
		return func(r *resident, m *graph.Message) {
			out.Reset()
			if err := h.Handle(r.actor, &r.Node, m, &out); err != nil {
				b.Fatal(err)
			}
		}
	}
	start := func(h shard.Host) func(*resident) {
		return func(r *resident) { r.actor = h.Start(&r.Node) }
	}
	b.Run("plain", func(b *testing.B) {
		h := shard.Plain{Rules: rules}
		run(b, start(h), handle(b, h), func() {})
	})
	b.Run("driven", func(b *testing.B) {
		system := NewSystem(slog.New(slog.DiscardHandler))
		defer system.Shutdown()
		err := system.Run(func(c Context) {
			h := c.Host(rules)
			run(b, start(h), handle(b, h), func() {})
		})
		if err != nil {
			b.Fatal(err)
		}
	})
	b.Run("posted", func(b *testing.B) {
		system := actor.NewActorSystem(quiet)
		defer system.Shutdown()
		h := &postedHost{system: system, rules: rules, pids: make(map[*resident]*actor.PID)}
		run(b, h.start, h.post, h.waiting.Wait)
	})
}
