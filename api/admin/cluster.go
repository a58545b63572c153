package admin

import (
	"net/http"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// getCluster answers GET /v1/cluster: what this node knows of its cluster.
func (a *Admin) getCluster(w http.ResponseWriter, _ *http.Request) *route.Problem {
	if a.Cluster == nil {
		return &route.Problem{Code: document.CodeUnknownRoute}
	}
	return route.Send(w, a.Cluster())
}
