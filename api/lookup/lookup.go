package lookup

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/backoff"
	"github.com/prometheus/client_golang/prometheus"
)

// transitTimeout bounds how long a look-up waits for evidence that is on its way (P7). That takes two commits, so a few
// milliseconds. If it takes longer, a shard is overloaded.
const transitTimeout = 5 * time.Second

// Lookup finds people in an engine.
type Lookup struct {
	Engine   *actors.Engine
	Registry *identifier.Registry
	Unseen   prometheus.Counter // counts what AwaitVisible gave up on
}

// ParseID reads an id: namespace:value, or a public id, which has no colon. Only the former gives a complete name.
func ParseID(registry *identifier.Registry, text string) (graph.NodeName, error) {
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

// lookAgain is the wait before looking again for evidence that is on its way between shards.
var lookAgain = backoff.Doubling{First: time.Millisecond, Most: 50 * time.Millisecond}

// See shows the component that holds a node to fn, on its shard's goroutine, until fn reports that it saw what it looked
// for. It returns false if the node was never seen. Once See has returned, even with an error, fn is not running and never
// runs again (see actors.Engine.View). After an error, what fn set means nothing.
func (l *Lookup) See(ctx context.Context, key graph.NodeKey, fn func(*graph.Component) bool) (bool, error) {
	deadline := time.Now().Add(transitTimeout)
	for attempt := 0; ; attempt++ {
		here := false
		found, err := l.Engine.View(ctx, key, func(c *graph.Component) { here = fn(c) })
		if err != nil || !found || here {
			return found && err == nil, err
		}
		if time.Now().After(deadline) {
			return false, route.ErrInTransit
		}
		if err := backoff.Sleep(ctx, lookAgain.Wait(attempt)); err != nil {
			return false, err
		}
	}
}

// Find is the profile of the identity that holds a node; false if the node was never seen.
func (l *Lookup) Find(ctx context.Context, key graph.NodeKey) (graph.Profile, bool, error) {
	var p graph.Profile
	found, err := l.See(ctx, key, func(c *graph.Component) (ok bool) {
		p, ok = c.Profile(key, l.Engine.Rules())
		return ok
	})
	if err != nil || !found {
		return graph.Profile{}, false, err
	}
	return p, true, nil
}

// Need is the profile of the identity that an id names, or the problem to answer with.
func (l *Lookup) Need(ctx context.Context, id string) (graph.Profile, *route.Problem) {
	name, err := ParseID(l.Registry, id)
	if err != nil {
		return graph.Profile{}, route.IDProblem(err)
	}
	p, ok, err := l.Find(ctx, name.Key)
	switch {
	case err != nil:
		return graph.Profile{}, route.EngineProblem(err)
	case !ok:
		return graph.Profile{}, route.NotFound()
	}
	return p, nil
}

// Name finds the identifier that an id names: the node itself, not the head of its identity. known reports whether it was
// ever seen. A public id must be known, and so must any id if that is needed.
func (l *Lookup) Name(ctx context.Context, id string, needed bool) (name graph.NodeName, known bool, p *route.Problem) {
	name, err := ParseID(l.Registry, id)
	if err != nil {
		return name, false, route.IDProblem(err)
	}
	profile, known, err := l.Find(ctx, name.Key)
	switch {
	case err != nil:
		return name, false, route.EngineProblem(err)
	case !known && (needed || name.Namespace == ""):
		return name, false, route.NotFound()
	case name.Namespace == "":
		i := slices.IndexFunc(profile.Identifiers, func(i graph.ProfileIdentifier) bool { return i.Key == name.Key })
		if i < 0 || profile.Identifiers[i].Namespace == "" {
			return name, false, route.EngineProblem(route.ErrInTransit)
		}
		name = profile.Identifiers[i].NodeName
	}
	return name, known, nil
}

// Assertions lists the assertions of the component that holds a node, withdrawn ones included.
func (l *Lookup) Assertions(ctx context.Context, key graph.NodeKey) ([]graph.Assertion, error) {
	var list []graph.Assertion
	found, err := l.See(ctx, key, func(c *graph.Component) bool {
		list = slices.Clone(c.Evidence().Assertions)
		return true
	})
	if err != nil || !found {
		return nil, err
	}
	return list, nil
}
