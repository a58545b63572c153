package actors

import "github.com/kindred-id/kindred/graph"

// host runs the identity actors of one shard: one for each resident root, started before its first
// message and stopped when it is passivated or becomes a forward. All calls come from the shard,
// one at a time, and return when the actor has done what was asked.
type host interface {
	start(r *resident)
	handle(r *resident, m *graph.Message, out *graph.Outbox) error
	view(r *resident, fn func(*graph.Component))
	stop(r *resident)
}

// plainHost handles on the spot, without actors: for tests that compare.
type plainHost struct{ rules *graph.Rules }

func (plainHost) start(*resident) {}

func (h plainHost) handle(r *resident, m *graph.Message, out *graph.Outbox) error {
	return r.Handle(m, h.rules, out)
}

func (plainHost) view(r *resident, fn func(*graph.Component)) { fn(r.Component) }

func (plainHost) stop(*resident) {}
