package api

import (
	"testing"

	"github.com/kindred-id/kindred/api/document"
)

// A server that is alone says so, and a node what it knows.
func TestCluster(t *testing.T) {
	newWorld(t, nil).get("/v1/cluster").want(t, 404, `"unknown_route"`)
	w := newWorld(t, func(c *Config) {
		c.Cluster = func() document.Cluster {
			return document.Cluster{Cluster: "shop", Node: "n1", Nodes: []document.ClusterNode{{Node: "n1", Owned: 1}}, Shards: []document.ClusterShard{{Owner: "n1", Copies: []string{"n1"}, Here: "owning"}}}
		}
	})
	w.get("/v1/cluster").want(t, 200, `"cluster":"shop"`, `"here":"owning"`)
}
