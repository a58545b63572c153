package client

import (
	"context"

	"github.com/kindred-id/kindred/api/document"
)

// Admin are the calls of those who run the server.
type Admin struct{ conn *connection }

// Stats returns the counters and sizes of the deployment.
func (a Admin) Stats(ctx context.Context) (s document.Stats, err error) {
	err = a.conn.get(ctx, "/v1/stats", nil, &s)
	return s, err
}

// Cluster returns what the node knows of its cluster.
func (a Admin) Cluster(ctx context.Context) (c document.Cluster, err error) {
	err = a.conn.get(ctx, "/v1/cluster", nil, &c)
	return c, err
}

// DrainNode makes a node of the cluster give its shards away and take none, or undoes that.
func (a Admin) DrainNode(ctx context.Context, node string, undo bool) (s document.ClusterNodeState, err error) {
	path := "/v1/cluster/nodes/" + escape(node) + "/drain"
	if undo {
		err = a.conn.deleted(ctx, path, &s)
	} else {
		err = a.conn.post(ctx, path, nil, nil, &s)
	}
	return s, err
}

// RemoveNode says that a node of the cluster never comes back.
func (a Admin) RemoveNode(ctx context.Context, node string) (s document.ClusterNodeState, err error) {
	err = a.conn.deleted(ctx, "/v1/cluster/nodes/"+escape(node), &s)
	return s, err
}

// ClusterBackup makes a node write a backup of its cluster to a directory of its own machine, and returns what that has. A path that
// is not absolute is taken from the folder of backups.
func (a Admin) ClusterBackup(ctx context.Context, dir string) (made document.ClusterBackup, err error) {
	err = a.conn.post(ctx, "/v1/cluster/backup", nil, document.Backup{Dir: dir}, &made)
	return made, err
}

// ClusterBackupProgress returns how far the backup is that a node writes.
func (a Admin) ClusterBackupProgress(ctx context.Context) (at document.ClusterBackupProgress, err error) {
	err = a.conn.get(ctx, "/v1/cluster/backup", nil, &at)
	return at, err
}

// TopicPositions returns how far a cluster has consumed the partitions of topics.
func (a Admin) TopicPositions(ctx context.Context) (p document.TopicPositions, err error) {
	err = a.conn.get(ctx, "/v1/topics/positions", nil, &p)
	return p, err
}

// SeekTopic moves positions of a cluster in a topic, and returns those that it moved.
func (a Admin) SeekTopic(ctx context.Context, seek document.TopicSeek) (p document.TopicPositions, err error) {
	err = a.conn.post(ctx, "/v1/topics/positions:seek", nil, seek, &p)
	return p, err
}

// Rules returns the rules in force, with their text.
func (a Admin) Rules(ctx context.Context) (r document.Rules, err error) {
	err = a.conn.get(ctx, "/v1/rules", nil, &r)
	return r, err
}

// Backup makes the server write a backup to a directory of its own machine, and returns where it is. A path that is not
// absolute is taken from the folder of backups.
func (a Admin) Backup(ctx context.Context, dir string) (document.Backup, error) {
	var written document.Backup
	err := a.conn.post(ctx, "/v1/admin/backup", nil, document.Backup{Dir: dir}, &written)
	return written, err
}
