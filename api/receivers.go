package api

import (
	"errors"
	"net/http"

	"github.com/kindred-id/kindred/actors"
)

// ReceiverDocument is a registered receiver of the change feed.
type ReceiverDocument struct {
	Name   string `json:"name"`
	Behind uint64 `json:"behind"` // entries that it has not acknowledged: the feed keeps them beyond its age and size
}

// ReceiversDocument is the body of GET /v1/changes/receivers.
type ReceiversDocument struct {
	Receivers []ReceiverDocument `json:"receivers"` // by name
}

// getReceivers answers GET /v1/changes/receivers.
func (s *Server) getReceivers(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r); p != nil {
		return p
	}
	receivers, err := s.Engine.FeedReceivers()
	if err != nil {
		return receiverProblem(err)
	}
	document := ReceiversDocument{Receivers: make([]ReceiverDocument, 0, len(receivers))}
	for _, receiver := range receivers {
		document.Receivers = append(document.Receivers, ReceiverDocument(receiver))
	}
	return sendDocument(w, document)
}

// deleteReceiver answers DELETE /v1/changes/receivers/{name}: the feed no longer keeps entries for it. A publisher
// that still runs under that name fails, and a later start registers it anew.
func (s *Server) deleteReceiver(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r); p != nil {
		return p
	}
	name := r.PathValue("name")
	if err := s.Engine.DropFeedSink(name); err != nil {
		return receiverProblem(err)
	}
	s.Logger.Info("receiver of the change feed dropped", "receiver", name)
	return sendDocument(w, struct {
		Dropped string `json:"dropped"`
	}{name})
}

func receiverProblem(err error) *problem {
	switch {
	case errors.Is(err, actors.ErrFeedOff):
		return &problem{code: CodeFeedOff}
	case errors.Is(err, actors.ErrNoReceiver):
		return newProblem(CodeUnknownReceiver, "%v", err)
	default:
		return engineProblem(err)
	}
}
