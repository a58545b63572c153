package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/admin"
	"github.com/kindred-id/kindred/api/document"
)

// A server that is alone says so, and a node what it knows.
func TestCluster(t *testing.T) {
	newWorld(t, nil).get("/v1/cluster").want(t, 404, `"unknown_route"`)
	w := newWorld(t, func(c *Config) {
		c.Cluster = func() document.Cluster {
			return document.Cluster{Cluster: "shop", Node: "n1", Encodings: document.ClusterEncoding{HeldBack: []string{}}, Journal: document.ClusterJournal{Held: []document.ClusterHeld{}}, Absent: []document.ClusterAbsent{}, Nodes: []document.ClusterNode{{Node: "n1", Owned: 1}}, Shards: []document.ClusterShard{{Owner: "n1", Copies: []string{"n1"}, Here: "owning"}}}
		}
	})
	w.get("/v1/cluster").want(t, 200, `"cluster":"shop"`, `"here":"owning"`)
}

// nodes drain and remove n1, and know no other node.
type nodes struct{ did []string }

func (n *nodes) Drain(_ context.Context, name string, undo bool) error {
	if name != "n1" {
		return &document.ClusterRefusal{Code: document.CodeUnknownNode, Err: errors.New("there is n1")}
	}
	n.did = append(n.did, map[bool]string{false: "drain", true: "undo"}[undo])
	return nil
}

func (n *nodes) Remove(_ context.Context, name string) error {
	return &document.ClusterRefusal{Code: document.CodeNodeAlive, Err: errors.New(name + " is alive")}
}

func (n *nodes) Backup(_ context.Context, dir string) (document.ClusterBackup, error) {
	n.did = append(n.did, "backup")
	return document.ClusterBackup{Dir: dir, Nodes: 1, Shards: 22, Rows: 7, HeldSeconds: 0.25}, nil
}

func (n *nodes) BackupProgress() document.ClusterBackupProgress {
	return document.ClusterBackupProgress{Rows: 7}
}

// A backup of a cluster is written below the folder of backups. A server that is alone has none.
func TestClusterBackup(t *testing.T) {
	n, folder := &nodes{}, t.TempDir()
	w := newWorld(t, func(c *Config) {
		c.Nodes, c.BackupDir = n, folder
		c.Backup = func(string) error { return errors.New("of one node") }
	})
	ask := func(w *world, body string) answer {
		return w.do(httptest.NewRequest(http.MethodPost, "/v1/cluster/backup", strings.NewReader(body)))
	}
	ask(w, `{"dir":"nightly"}`).want(t, 200, `"nodes":1`, `"shards":22`, `"held_seconds":0.25`, "nightly")
	w.get("/v1/cluster/backup").want(t, 200, `{"running":false,"rows":7,"bytes":0}`)
	ask(w, `{"dir":"../elsewhere"}`).want(t, 409, `"backup_refused"`)
	if len(n.did) != 1 {
		t.Errorf("did %v", n.did)
	}
	ask(newWorld(t, func(c *Config) { c.Nodes = n }), `{"dir":"/nightly"}`).want(t, 403, `"backup_disabled"`)
	ask(newWorld(t, nil), `{"dir":"/nightly"}`).want(t, 404, `"unknown_route"`)
	newWorld(t, nil).get("/v1/cluster/backup").want(t, 404, `"unknown_route"`)
}

// Operators drain a node, undo that and remove it. A refusal has a code; a server that is alone has no nodes.
func TestClusterNodes(t *testing.T) {
	n := &nodes{}
	w := newWorld(t, func(c *Config) { c.Nodes = n })
	ask := func(w *world, method, path string) answer {
		return w.do(httptest.NewRequest(method, "/v1/cluster/nodes/"+path, nil))
	}
	ask(w, http.MethodPost, "n1/drain").want(t, 200, `{"node":"n1","state":"draining"}`)
	ask(w, http.MethodDelete, "n1/drain").want(t, 200, `{"node":"n1","state":"member"}`)
	ask(w, http.MethodPost, "n2/drain").want(t, 404, `"unknown_node"`, "there is n1")
	ask(w, http.MethodDelete, "n1").want(t, 409, `"node_alive"`, "n1 is alive")
	if len(n.did) != 2 || n.did[0] != "drain" || n.did[1] != "undo" {
		t.Errorf("did %v", n.did)
	}
	ask(newWorld(t, nil), http.MethodPost, "n1/drain").want(t, 404, `"unknown_route"`)
	// A page of another origin can't make a browser drain one.
	r := httptest.NewRequest(http.MethodPost, "/v1/cluster/nodes/n1/drain", nil)
	r.Header.Set("Origin", "https://elsewhere.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w.do(r).want(t, 403, `"cross_origin"`)
}

// movable has a position in one topic.
type movable struct{}

func (movable) Positions(context.Context) ([]document.TopicPosition, error) {
	return []document.TopicPosition{{Topic: "events", Offset: 7}}, nil
}

func (movable) Seek(_ context.Context, seek *document.TopicSeek) ([]document.TopicPosition, error) {
	switch {
	case seek.To != "5":
		return nil, fmt.Errorf("%w: to: %q", admin.ErrSeek, seek.To)
	case seek.Topic != "events":
		return nil, nil
	}
	return []document.TopicPosition{{Topic: "events", Offset: 5}}, nil
}

// A node says how far topics are consumed, and moves positions. A server that is no node knows neither.
func TestClusterTopics(t *testing.T) {
	seek := func(w *world, body string) answer { return w.post("/v1/topics/positions:seek", body) }
	w := newWorld(t, func(c *Config) { c.Topics = movable{} })
	w.get("/v1/topics/positions").want(t, 200, `{"positions":[{"topic":"events","partition":0,"offset":7}]}`)
	seek(w, `{"topic":"events","to":"5"}`).want(t, 200, `{"positions":[{"topic":"events","partition":0,"offset":5}]}`)
	seek(w, `{"topic":"events","to":"soon"}`).want(t, 400, `"bad_seek"`)
	seek(w, `{"topic":"others","to":"5"}`).want(t, 404, `"unknown_position"`)
	alone := newWorld(t, nil)
	alone.get("/v1/topics/positions").want(t, 404, `"unknown_route"`)
	seek(alone, `{"topic":"events","to":"5"}`).want(t, 404, `"unknown_route"`)
}
