package lookup

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/prometheus/client_golang/prometheus"
)

// Lookup finds people in an engine.
type Lookup struct {
	Engine   *actors.Engine
	Registry *identifier.Registry
	Unseen   prometheus.Counter // counts what AwaitVisible gave up on
}

// ParseID reads an id: namespace:value, or a public id, which has no colon. Only the former gives a complete name. A text
// without a colon that looks like an address or a phone number is read as one (plainNamespace).
func ParseID(registry *identifier.Registry, text string) (graph.NodeName, error) {
	if namespace := plainNamespace(text); namespace != "" {
		text = namespace + ":" + text
	}
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

// plainNamespace is the namespace of an id that is given without one: a text with an @ is an address, and a plus with digits
// is a phone number with its country code. Public ids have neither. Any other text may belong to several namespaces: the
// result is empty.
func plainNamespace(text string) string {
	switch {
	case strings.Contains(text, ":"):
		return ""
	case strings.Contains(text, "@"):
		return "email"
	case strings.HasPrefix(text, "+") && strings.Trim(text[1:], "0123456789 ()-./") == "" && len(text) > 6:
		return "phone"
	}
	return ""
}

// Need is the profile of the identity that an id names, or the problem to answer with.
func (l *Lookup) Need(ctx context.Context, id string) (graph.Profile, *route.Problem) {
	return l.need(ctx, id, (*actors.Engine).Profile)
}

// NeedOutline is Need without what only scores are computed from.
func (l *Lookup) NeedOutline(ctx context.Context, id string) (graph.Profile, *route.Problem) {
	return l.need(ctx, id, (*actors.Engine).Outline)
}

func (l *Lookup) need(ctx context.Context, id string, of func(*actors.Engine, context.Context, graph.NodeKey) (graph.Profile, error)) (graph.Profile, *route.Problem) {
	name, err := ParseID(l.Registry, id)
	if err != nil {
		return graph.Profile{}, route.IDProblem(err)
	}
	p, err := of(l.Engine, ctx, name.Key)
	if err != nil {
		return graph.Profile{}, route.EngineProblem(err)
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
	profile, err := l.Engine.Profile(ctx, name.Key)
	known = err == nil
	switch {
	case err != nil && !errors.Is(err, actors.ErrUnknown):
		return name, false, route.EngineProblem(err)
	case !known && (needed || name.Namespace == ""):
		return name, false, route.NotFound()
	case name.Namespace == "":
		// A public id is a hash, so only the profile can name it. The profile may lack the name while evidence is
		// between shards; the client may ask again.
		i := slices.IndexFunc(profile.Identifiers, func(i graph.ProfileIdentifier) bool { return i.Key == name.Key })
		if i < 0 || profile.Identifiers[i].Namespace == "" {
			return name, false, route.EngineProblem(actors.ErrInTransit)
		}
		name = profile.Identifiers[i].NodeName
	}
	return name, known, nil
}

// Assertions lists the assertions of the component that holds a node, withdrawn ones included.
func (l *Lookup) Assertions(ctx context.Context, key graph.NodeKey) (list []graph.Assertion, err error) {
	err = l.Engine.Read(ctx, key, func(v *actors.View) error {
		list = slices.Clone(v.Component.Evidence().Assertions)
		return nil
	})
	if errors.Is(err, actors.ErrUnknown) {
		return nil, nil
	}
	return list, err
}
