package api

import (
	"net/http"
	"time"
)

// StatsDocument is the body of GET /v1/stats. Counts are of the whole deployment since it began.
type StatsDocument struct {
	Version       string        `json:"version"`
	UptimeSeconds int64         `json:"uptime_seconds"`
	Shards        int           `json:"shards"`
	Rules         RulesDocument `json:"rules"`
	Events        uint64        `json:"events"` // distinct, accepted
	Duplicates    uint64        `json:"duplicates"`
	Conflicting   uint64        `json:"conflicting"` // events whose message id has another content as well: events less ids
	Quarantined   uint64        `json:"quarantined"`
	Identities    int64         `json:"identities"` // with at least one event
	Merges        int64         `json:"merges"`     // identifiers that events came in under, less identities
	Splits        uint64        `json:"splits"`
	GenericValues uint64        `json:"generic_values"`
	Residents     int           `json:"residents"`   // nodes in memory
	ActorBytes    int64         `json:"actor_bytes"` // their memory, by estimate
	LogBytes      int64         `json:"log_bytes"`   // log that a start would replay
	UnderWay      int64         `json:"under_way"`   // events and assertions that are not durable yet
	InTransit     int           `json:"in_transit"`  // messages between shards that are not acknowledged
	// LeftOut counts links that components at caps.hosted have left out since the start; absent when there are none.
	LeftOut uint64 `json:"links_left_out,omitempty"`
}

// getStats answers GET /v1/stats.
func (s *Server) getStats(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r); p != nil {
		return p
	}
	stats, err := s.Engine.Counted(r.Context())
	if err != nil {
		return engineProblem(err)
	}
	return sendDocument(w, StatsDocument{
		Version: s.Version, UptimeSeconds: int64(time.Since(s.started).Seconds()), Shards: stats.Shards,
		Rules:  newRulesDocument(s.Engine.Rules()),
		Events: stats.Accepted, Duplicates: stats.Duplicates, Conflicting: stats.Conflicting, Quarantined: stats.Quarantined,
		Identities: stats.Identities, Merges: stats.Merges(), Splits: stats.Splits, GenericValues: stats.Generic,
		Residents: stats.Residents, ActorBytes: stats.ActorBytes, LogBytes: stats.LogBytes,
		UnderWay: stats.UnderWay, InTransit: stats.Waiting, LeftOut: stats.LeftOut,
	})
}
