package admin

import (
	"context"
	"errors"
	"net/http"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// Topics are the positions of a cluster in topics of Kafka. One process moves its own while it is stopped.
type Topics interface {
	Positions(ctx context.Context) ([]document.TopicPosition, error)
	// Seek moves positions, and returns them as they are then. It fails with ErrSeek for what can't be asked for.
	Seek(ctx context.Context, seek *document.TopicSeek) ([]document.TopicPosition, error)
}

// ErrSeek is returned for a seek that names no place.
var ErrSeek = errors.New("no such place to seek to")

// getPositions answers GET /v1/topics/positions.
func (a *Admin) getPositions(w http.ResponseWriter, r *http.Request) *route.Problem {
	if a.Topics == nil {
		return &route.Problem{Code: document.CodeUnknownRoute}
	}
	positions, err := a.Topics.Positions(r.Context())
	if err != nil {
		return route.EngineProblem(err)
	}
	return route.Send(w, document.TopicPositions{Positions: append([]document.TopicPosition{}, positions...)})
}

// postSeek answers POST /v1/topics/positions:seek.
func (a *Admin) postSeek(w http.ResponseWriter, r *http.Request) *route.Problem {
	if a.Topics == nil {
		return &route.Problem{Code: document.CodeUnknownRoute}
	}
	var seek document.TopicSeek
	if p := route.ReadJSON(w, r, &seek); p != nil {
		return p
	}
	moved, err := a.Topics.Seek(r.Context(), &seek)
	switch {
	case errors.Is(err, ErrSeek):
		return route.NewProblem(document.CodeBadSeek, "%v", err)
	case err != nil:
		return route.NewProblem(document.CodeEngineFailed, "%v", err)
	case len(moved) == 0:
		return route.NewProblem(document.CodeUnknownPosition, "no position in topic %s, or not in that partition", seek.Topic)
	case !seek.DryRun:
		a.Logger.Info("positions in a topic were moved", "topic", seek.Topic, "partitions", len(moved), "to", seek.To)
	}
	return route.Send(w, document.TopicPositions{Positions: moved})
}
