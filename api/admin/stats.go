package admin

import (
	"net/http"
	"time"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// getStats answers GET /v1/stats. Each shard is asked on its own, so while events flow the sums may be of no single
// moment. Conflicting ids are counted by way of messages between shards, for which Counted waits a moment.
func (a *Admin) getStats(w http.ResponseWriter, r *http.Request) *route.Problem {
	stats, err := a.Engine.Counted(r.Context())
	if err != nil {
		return route.EngineProblem(err)
	}
	return route.Send(w, document.Stats{
		Version: a.Version, UptimeSeconds: int64(time.Since(a.Started).Seconds()), Shards: stats.Shards,
		Rules:  document.NewRules(a.Engine.Rules()),
		Events: stats.Accepted, Duplicates: stats.Duplicates, Conflicting: stats.Conflicting, Quarantined: stats.Quarantined,
		Identities: stats.Identities, Merges: stats.Merges(), Splits: stats.Splits, GenericValues: stats.Generic,
		Residents: stats.Residents, ActorBytes: stats.ActorBytes, LogBytes: stats.LogBytes,
		UnderWay: stats.UnderWay, InTransit: stats.Waiting, AbsentShards: stats.Absent, LeftOut: stats.LeftOut, Assumed: a.Assumed,
	})
}
