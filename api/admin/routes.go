package admin

import (
	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// Routes are the routes of operators.
func (a *Admin) Routes() []route.Route {
	engine := []document.Code{document.CodeShuttingDown, document.CodeEngineFailed, document.CodeShardLost, document.CodeTimeout}
	with := func(codes ...document.Code) []document.Code { return append(codes, engine...) }
	routes := []route.Route{
		{
			Method: "POST", Path: "/v1/assertions", Scope: keyring.AdministerGraph, Handler: a.postAssertion,
			Summary: "Assert that identifiers are one person, or are not", Notes: "With dry_run it says what the assertion would do, and does nothing.",
			OtherParameters: true, SameOrigin: true, Timely: true,
			Parameters: []route.Parameter{{Name: idempotencyHeader, Header: true, Text: "a text of your own, new for each assertion: a request that comes again within 24 hours gets the same answer, and makes nothing"}},
			Bodies:     []any{document.AssertionRequest{}},
			Answers: []route.Answer{{Document: document.AssertionAnswer{}, Headers: []route.Header{
				{Name: replayedHeader, Text: "true where the answer is one that was kept under the idempotency key"},
			}}},
			Problems: with(document.CodeBadParameter, document.CodeKeyReused, document.CodeKeyUnderWay, document.CodeCrossOrigin, document.CodeInvalidBody, document.CodeBodyTooLarge, document.CodeBadAssertion, document.CodeBadID,
				document.CodeUnknownNamespace, document.CodeNotFound, document.CodeInTransit, document.CodeSameIdentifier, document.CodeContradiction, document.CodeUnknownAssertion, document.CodeBusy),
		},
		{
			Method: "POST", Path: "/v1/audiences:apply", Scope: keyring.DefineAudiences, Handler: a.postAudiences, SameOrigin: true,
			Summary: "Define audiences", Notes: "All that are given are defined, or none. Conditions that are new serve once stored events were looked through.",
			Parameters: []route.Parameter{ifMatch},
			Bodies:     []any{document.AudiencesRequest{}}, Answers: answer(document.Audiences{}),
			Problems: with(document.CodeBadParameter, document.CodeCrossOrigin, document.CodeInvalidBody, document.CodeBodyTooLarge, document.CodeBadAudience, document.CodeStaleVersion),
		},
		{
			Method: "POST", Path: "/v1/traits:apply", Scope: keyring.DefineAudiences, Handler: a.postComputedTraits, SameOrigin: true,
			Summary: "Define computed traits", Notes: "All that are given are defined, or none. One whose events no definition has read yet serves once stored events were looked through.",
			Parameters: []route.Parameter{ifMatch},
			Bodies:     []any{document.ComputedTraitsRequest{}}, Answers: answer(document.ComputedTraits{}),
			Problems: with(document.CodeBadParameter, document.CodeCrossOrigin, document.CodeInvalidBody, document.CodeBodyTooLarge, document.CodeBadAudience, document.CodeStaleVersion),
		},
		{
			Method: "GET", Path: "/v1/stats", Scope: keyring.Operate, Handler: a.getStats, Timely: true,
			Summary: "Get what the deployment holds and has done", Answers: answer(document.Stats{}), Problems: with(document.CodeBadParameter),
		},
		{
			Method: "GET", Path: "/v1/cluster", Scope: keyring.Operate, Handler: a.getCluster,
			Summary: "Get what this node knows of its cluster", Notes: "Which nodes are alive, who owns each shard and where its copies are. Other nodes may know something else for a moment. A server that is no node answers 404.",
			Answers: answer(document.Cluster{}), Problems: []document.Code{document.CodeBadParameter, document.CodeUnknownRoute},
		},
		{
			Method: "POST", Path: "/v1/cluster/nodes/{node}/drain", Scope: keyring.Operate, Handler: a.postDrain, SameOrigin: true,
			Summary: "Drain a node of the cluster", Notes: "It gives its shards away and takes none, also after a restart, until that is undone. It keeps its copies until two other nodes have them.",
			Answers: answer(document.ClusterNodeState{}), Problems: with(document.CodeCrossOrigin, document.CodeBadParameter, document.CodeUnknownRoute, document.CodeUnknownNode, document.CodeLastNode),
		},
		{
			Method: "DELETE", Path: "/v1/cluster/nodes/{node}/drain", Scope: keyring.Operate, Handler: a.deleteDrain, SameOrigin: true,
			Summary: "Undo the drain of a node", Notes: "It takes its share of the shards again.",
			Answers: answer(document.ClusterNodeState{}), Problems: with(document.CodeCrossOrigin, document.CodeBadParameter, document.CodeUnknownRoute, document.CodeUnknownNode),
		},
		{
			Method: "DELETE", Path: "/v1/cluster/nodes/{node}", Scope: keyring.Operate, Handler: a.deleteNode, SameOrigin: true,
			Summary: "Say that a node never comes back", Notes: "Its copies do not count from then on, and it is refused if it starts again. A node that is alive is refused.",
			Answers: answer(document.ClusterNodeState{}), Problems: with(document.CodeCrossOrigin, document.CodeBadParameter, document.CodeUnknownRoute, document.CodeUnknownNode, document.CodeNodeAlive),
		},
		{
			Method: "POST", Path: "/v1/cluster/backup", Scope: keyring.Operate, Handler: a.postClusterBackup, OtherParameters: true, SameOrigin: true,
			Summary: "Write a backup of the cluster to a directory of the node's machine", Notes: "It has all shards at one moment, is the data directory of one process, and is made while events flow: they wait for a moment. A server that is no node answers 404.",
			Bodies: []any{document.Backup{}}, Answers: answer(document.ClusterBackup{}),
			Problems: []document.Code{document.CodeUnknownRoute, document.CodeCrossOrigin, document.CodeInvalidBody, document.CodeBodyTooLarge, document.CodeBusy, document.CodeBackupDisabled, document.CodeBackupRefused, document.CodeBackupRunning, document.CodeBackupFailed, document.CodeDiskFull},
		},
		{
			Method: "GET", Path: "/v1/cluster/backup", Scope: keyring.Operate, Handler: a.getClusterBackup,
			Summary: "Get how far the backup is that this node writes", Notes: "Of one that has ended, it says how large it became.",
			Answers: answer(document.ClusterBackupProgress{}), Problems: []document.Code{document.CodeBadParameter, document.CodeUnknownRoute},
		},
		{
			Method: "GET", Path: "/v1/topics/positions", Scope: keyring.Operate, Handler: a.getPositions,
			Summary: "List how far a cluster has consumed the partitions of topics", Notes: "A position is written every 10 s while its partition is consumed. A server that is no node of a cluster answers 404.",
			Answers: answer(document.TopicPositions{}), Problems: with(document.CodeBadParameter, document.CodeUnknownRoute),
		},
		{
			Method: "POST", Path: "/v1/topics/positions:seek", Scope: keyring.Operate, Handler: a.postSeek, SameOrigin: true,
			Summary: "Move positions of a cluster in a topic", Notes: "Whatever was consumed before. The nodes that consume the partitions go on there within seconds. With dry_run it shows what would move.",
			Bodies: []any{document.TopicSeek{}}, Answers: answer(document.TopicPositions{}),
			Problems: with(document.CodeBadParameter, document.CodeCrossOrigin, document.CodeInvalidBody, document.CodeBodyTooLarge, document.CodeUnknownRoute, document.CodeBadSeek, document.CodeUnknownPosition),
		},
		{
			Method: "GET", Path: "/v1/changes/receivers", Scope: keyring.Operate, Handler: a.getReceivers,
			Summary: "List the registered receivers of the change feed", Answers: answer(document.Receivers{}),
			Problems: with(document.CodeBadParameter, document.CodeFeedOff),
		},
		{
			Method: "DELETE", Path: "/v1/changes/receivers/{name}", Scope: keyring.Operate, Handler: a.deleteReceiver, SameOrigin: true,
			Summary: "Drop a receiver of the change feed", Notes: "The feed no longer keeps entries for it. A publisher that still runs under that name fails, and registers it anew at its next start.",
			Answers: answer(document.DroppedReceiver{}), Problems: with(document.CodeCrossOrigin, document.CodeBadParameter, document.CodeFeedOff, document.CodeUnknownReceiver),
		},
		{
			Method: "POST", Path: "/v1/scores/fit", Scope: keyring.Operate, Handler: a.postFit, SameOrigin: true,
			Summary: "Fit the parameters of scores to the live profiles", Notes: "The answer is sent when the fit has ended. A fit that failed is answered with 200 as well: the earlier parameters stay in use, and kept says why.",
			Answers: answer(document.Parameters{}), Problems: with(document.CodeCrossOrigin, document.CodeBadParameter, document.CodeUnknownRoute),
		},
		{
			Method: "POST", Path: "/v1/admin/backup", Scope: keyring.Operate, Handler: a.postBackup, OtherParameters: true, SameOrigin: true,
			Summary: "Write a backup to a directory of the server's machine", Notes: "The backup is consistent, while events flow.",
			Bodies: []any{document.Backup{}}, Answers: answer(document.Backup{}),
			Problems: []document.Code{document.CodeCrossOrigin, document.CodeInvalidBody, document.CodeBodyTooLarge, document.CodeBusy, document.CodeBackupDisabled, document.CodeBackupRefused, document.CodeBackupRunning, document.CodeBackupFailed, document.CodeDiskFull},
		},
	}
	routes = append(routes, a.keyRoutes()...)
	for i := range routes {
		routes[i].Audience = route.Admin
	}
	return routes
}

func answer(d any) []route.Answer { return []route.Answer{{Document: d}} }
