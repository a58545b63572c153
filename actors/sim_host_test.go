package actors

import (
	"log/slog"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/kindred-id/kindred/graph"
)

// stage lets a function run inside the Receive of an actor, so that identity actors have a parent:
// simulations then step real actors, still on one goroutine.
type stage struct{ system *actor.ActorSystem }

func newStage(t *testing.T) *stage {
	logger := slog.New(slog.DiscardHandler)
	s := &stage{actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return logger }))}
	t.Cleanup(s.system.Shutdown)
	return s
}

// run calls fn with what makes hosts of real actors, and waits until it and they have ended.
func (s *stage) run(fn func(newHost func(*graph.Rules) host)) {
	var panicked any
	pid := s.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); !ok {
			return
		}
		defer func() { panicked = recover() }()
		fn(func(rules *graph.Rules) host { return &actorHost{parent: ctx, rules: rules} })
	}))
	if err := s.system.Root.PoisonFuture(pid).Wait(); err != nil && panicked == nil {
		panicked = err
	}
	if panicked != nil {
		panic(panicked)
	}
}
