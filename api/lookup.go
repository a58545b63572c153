package api

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/backoff"
)

// errInTransit is returned when a node's evidence did not arrive where it is going in time.
var errInTransit = errors.New("the profile is on its way between shards")

// transitTimeout bounds how long a look-up waits for evidence that is on its way (P7). It takes two
// commits, a few milliseconds; longer means that a shard is overloaded.
const transitTimeout = 5 * time.Second

// parseID reads an id: namespace:value, or a public id, which has no colon. The name is complete
// for the former only.
func parseID(registry *identifier.Registry, text string) (graph.NodeName, error) {
	if strings.IndexByte(text, ':') < 0 {
		key, err := graph.ParseNodeKey(text)
		if err != nil {
			return graph.NodeName{}, identifier.ErrSyntax
		}
		return graph.NodeName{Key: key}, nil
	}
	id, err := registry.Parse(text)
	if err != nil {
		return graph.NodeName{}, err
	}
	return graph.NodeName{Key: id.Key, Namespace: id.Namespace, Value: string(id.Value)}, nil
}

// lookAgain is the wait until evidence on its way between shards is looked for again.
var lookAgain = backoff.Doubling{First: time.Millisecond, Most: 50 * time.Millisecond}

// see shows the component that holds a node to fn, on its shard's goroutine, until fn says that it
// saw what it looked for. It returns false when the node was never seen. Once see has returned, with an error too, fn is not
// running and never runs again: see actors.Engine.View. After an error, what fn set means nothing.
func (s *Server) see(ctx context.Context, key graph.NodeKey, fn func(*graph.Component) bool) (bool, error) {
	deadline := time.Now().Add(transitTimeout)
	for attempt := 0; ; attempt++ {
		here := false
		found, err := s.Engine.View(ctx, key, func(c *graph.Component) { here = fn(c) })
		if err != nil || !found || here {
			return found && err == nil, err
		}
		if time.Now().After(deadline) {
			return false, errInTransit
		}
		if err := backoff.Sleep(ctx, lookAgain.Wait(attempt)); err != nil {
			return false, err
		}
	}
}

// profile is the profile of the identity that holds a node; false when the node was never seen.
func (s *Server) profile(ctx context.Context, key graph.NodeKey) (graph.Profile, bool, error) {
	var p graph.Profile
	found, err := s.see(ctx, key, func(c *graph.Component) (ok bool) {
		p, ok = s.copied(c, key)
		return ok
	})
	if err != nil || !found {
		return graph.Profile{}, false, err
	}
	return p, true, nil
}

// copied is the profile of a node's identity with all of its own memory that documents of it read: not what scores do.
func (s *Server) copied(c *graph.Component, key graph.NodeKey) (graph.Profile, bool) {
	p, ok := c.Profile(key, s.Engine.Rules())
	for i := range p.Traits {
		p.Traits[i].Value = bytes.Clone(p.Traits[i].Value)
	}
	return p, ok
}

// need is profile, or the problem to answer with.
func (s *Server) need(ctx context.Context, id string) (graph.Profile, *problem) {
	name, err := parseID(s.Registry, id)
	if err != nil {
		return graph.Profile{}, idProblem(err)
	}
	p, ok, err := s.profile(ctx, name.Key)
	switch {
	case err != nil:
		return graph.Profile{}, engineProblem(err)
	case !ok:
		return graph.Profile{}, notFound()
	}
	return p, nil
}
