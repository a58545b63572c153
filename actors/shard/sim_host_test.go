package shard_test

import (
	"log/slog"
	"testing"

	"github.com/kindred-id/kindred/actors/protoactor"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
)

// stage lets a function run inside of an actor, so that identity actors have a parent: simulations then step real
// actors, still on one goroutine.
type stage struct{ system *protoactor.System }

func newStage(t *testing.T) *stage {
	s := &stage{protoactor.NewSystem(slog.New(slog.DiscardHandler))}
	t.Cleanup(s.system.Shutdown)
	return s
}

// run calls fn with what makes hosts of real actors, and waits until it and they have ended.
func (s *stage) run(fn func(newHost func(*graph.Rules) shard.Host)) {
	if err := s.system.Run(func(c protoactor.Context) { fn(c.Host) }); err != nil {
		panic(err)
	}
}
