package api

import (
	"net/http"
	"time"

	"github.com/kindred-id/kindred/api/document"
)

// getStats answers GET /v1/stats.
func (s *Server) getStats(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r); p != nil {
		return p
	}
	stats, err := s.Engine.Counted(r.Context())
	if err != nil {
		return engineProblem(err)
	}
	return sendDocument(w, document.Stats{
		Version: s.Version, UptimeSeconds: int64(time.Since(s.started).Seconds()), Shards: stats.Shards,
		Rules:  document.NewRules(s.Engine.Rules()),
		Events: stats.Accepted, Duplicates: stats.Duplicates, Conflicting: stats.Conflicting, Quarantined: stats.Quarantined,
		Identities: stats.Identities, Merges: stats.Merges(), Splits: stats.Splits, GenericValues: stats.Generic,
		Residents: stats.Residents, ActorBytes: stats.ActorBytes, LogBytes: stats.LogBytes,
		UnderWay: stats.UnderWay, InTransit: stats.Waiting, LeftOut: stats.LeftOut,
	})
}
