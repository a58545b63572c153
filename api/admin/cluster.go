package admin

import (
	"context"
	"errors"
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

// Nodes are the nodes of a cluster, as operators decide about them. An error may be a *document.ClusterRefusal.
type Nodes interface {
	// Drain makes a node give its shards away and take none, or undoes that.
	Drain(ctx context.Context, node string, undo bool) error
	// Remove says that a node never comes back.
	Remove(ctx context.Context, node string) error
	// Backup writes a data directory of one process, of all that the cluster has at one moment.
	Backup(ctx context.Context, dir string) (document.ClusterBackup, error)
	// BackupProgress is how far Backup is.
	BackupProgress() document.ClusterBackupProgress
}

// postDrain answers POST /v1/cluster/nodes/{node}/drain.
func (a *Admin) postDrain(w http.ResponseWriter, r *http.Request) *route.Problem {
	return a.changeNode(w, r, "draining", func(ctx context.Context, node string) error { return a.Nodes.Drain(ctx, node, false) })
}

// deleteDrain answers DELETE /v1/cluster/nodes/{node}/drain.
func (a *Admin) deleteDrain(w http.ResponseWriter, r *http.Request) *route.Problem {
	return a.changeNode(w, r, "member", func(ctx context.Context, node string) error { return a.Nodes.Drain(ctx, node, true) })
}

// deleteNode answers DELETE /v1/cluster/nodes/{node}.
func (a *Admin) deleteNode(w http.ResponseWriter, r *http.Request) *route.Problem {
	return a.changeNode(w, r, "removed", func(ctx context.Context, node string) error { return a.Nodes.Remove(ctx, node) })
}

func (a *Admin) changeNode(w http.ResponseWriter, r *http.Request, state string, change func(context.Context, string) error) *route.Problem {
	if a.Nodes == nil {
		return &route.Problem{Code: document.CodeUnknownRoute}
	}
	node := r.PathValue("node")
	err := change(r.Context(), node)
	var refusal *document.ClusterRefusal
	switch {
	case errors.As(err, &refusal):
		return route.NewProblem(refusal.Code, "%v", err)
	case err != nil:
		return route.NewProblem(document.CodeEngineFailed, "%v", err)
	}
	a.Logger.Info("a node of the cluster has another state", "node", node, "state", state)
	return route.Send(w, document.ClusterNodeState{Node: node, State: state})
}

// postClusterBackup answers POST /v1/cluster/backup {"dir":"nightly"}: a copy of the whole deployment, at one moment, on the disk of the
// node that is asked. The rules of postBackup hold for the directory, and for a second backup.
func (a *Admin) postClusterBackup(w http.ResponseWriter, r *http.Request) *route.Problem {
	if a.Nodes == nil {
		return &route.Problem{Code: document.CodeUnknownRoute}
	}
	return a.backUp(w, r, "backup of the cluster", func(dir string) (any, error) { return a.Nodes.Backup(r.Context(), dir) })
}

// getClusterBackup answers GET /v1/cluster/backup: how far the backup is.
func (a *Admin) getClusterBackup(w http.ResponseWriter, _ *http.Request) *route.Problem {
	if a.Nodes == nil {
		return &route.Problem{Code: document.CodeUnknownRoute}
	}
	return route.Send(w, a.Nodes.BackupProgress())
}
