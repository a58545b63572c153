package admin

import (
	"errors"
	"net/http"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// getReceivers answers GET /v1/changes/receivers, by name. The number of each is of entries that are durable and not
// acknowledged: what the feed keeps for it.
func (a *Admin) getReceivers(w http.ResponseWriter, r *http.Request) *route.Problem {
	receivers, err := a.Engine.Feed().Receivers()
	if err != nil {
		return receiverProblem(err)
	}
	list := document.Receivers{Receivers: make([]document.Receiver, 0, len(receivers))}
	for _, receiver := range receivers {
		behind, err := receiver.Behind(r.Context())
		if err != nil {
			return receiverProblem(err)
		}
		list.Receivers = append(list.Receivers, document.Receiver{Name: receiver.Name(), Behind: behind})
	}
	return route.Send(w, list)
}

// deleteReceiver answers DELETE /v1/changes/receivers/{name}: the feed no longer keeps entries for it. A publisher
// that still runs under that name fails, and a later start registers it anew.
func (a *Admin) deleteReceiver(w http.ResponseWriter, r *http.Request) *route.Problem {
	name := r.PathValue("name")
	if err := a.Engine.Feed().Drop(name); err != nil {
		return receiverProblem(err)
	}
	a.Logger.Info("receiver of the change feed dropped", "receiver", name)
	return route.Send(w, document.DroppedReceiver{Dropped: name})
}

// receiverProblem tells apart three causes: there is no feed, no such receiver, or the engine can't answer.
func receiverProblem(err error) *route.Problem {
	switch {
	case errors.Is(err, feed.ErrOff):
		return &route.Problem{Code: document.CodeFeedOff}
	case errors.Is(err, feed.ErrNoReceiver):
		return route.NewProblem(document.CodeUnknownReceiver, "%v", err)
	default:
		return route.EngineProblem(err)
	}
}
