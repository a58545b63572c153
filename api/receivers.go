package api

import (
	"errors"
	"net/http"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/api/document"
)

// getReceivers answers GET /v1/changes/receivers.
func (s *Server) getReceivers(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r); p != nil {
		return p
	}
	receivers, err := s.Engine.Feed().Receivers()
	if err != nil {
		return receiverProblem(err)
	}
	list := document.Receivers{Receivers: make([]document.Receiver, 0, len(receivers))}
	for _, receiver := range receivers {
		list.Receivers = append(list.Receivers, document.Receiver{Name: receiver.Name(), Behind: receiver.Behind()})
	}
	return sendDocument(w, list)
}

// deleteReceiver answers DELETE /v1/changes/receivers/{name}: the feed no longer keeps entries for it. A publisher
// that still runs under that name fails, and a later start registers it anew.
func (s *Server) deleteReceiver(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r); p != nil {
		return p
	}
	name := r.PathValue("name")
	if err := s.Engine.Feed().Drop(name); err != nil {
		return receiverProblem(err)
	}
	s.Logger.Info("receiver of the change feed dropped", "receiver", name)
	return sendDocument(w, document.DroppedReceiver{Dropped: name})
}

func receiverProblem(err error) *problem {
	switch {
	case errors.Is(err, feed.ErrOff):
		return &problem{code: document.CodeFeedOff}
	case errors.Is(err, feed.ErrNoReceiver):
		return newProblem(document.CodeUnknownReceiver, "%v", err)
	default:
		return engineProblem(err)
	}
}
