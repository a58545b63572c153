package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/internal/loopback"
	"golang.org/x/sync/errgroup"
)

// clusterNodes are the nodes of a cluster, each a process of its own. They trust each other without certificates.
type clusterNodes struct {
	config *ClusterConfig
	name   string
	dir    string
	args   [][]string // of each node
	nodes  []*benchServer
	client http.Client
}

// benchSecret keys the ids of people who do not exist.
const benchSecret = "000102030405060708090a0b0c0d0e0f"

// start makes a cluster with a journal of its own, and waits until all nodes are ready.
func (c *ClusterConfig) start(ctx context.Context, name string) (n *clusterNodes, err error) {
	n = &clusterNodes{config: c, name: name, dir: filepath.Join(c.Dir, name), nodes: make([]*benchServer, ClusterNodes)}
	n.client.Timeout = answerPatience
	if err := os.Mkdir(n.dir, 0o700); err != nil {
		return nil, err
	}
	secret := filepath.Join(n.dir, "secret")
	if err := os.WriteFile(secret, []byte(benchSecret+"\n"), 0o600); err != nil {
		return nil, err
	}
	brokers := strings.Join(c.Brokers, ",")
	initialise := exec.CommandContext(ctx, c.Binary, "cluster", "init", "--cluster", name, "--journal-brokers", brokers, "--secret-file", secret,
		"--shards", fmt.Sprint(c.Shards), "--region", "DE", "--currency", "EUR")
	if out, err := initialise.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("cluster init: %w\n%s", err, out)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.end(ctx))
		}
	}()
	var listen, peers []string
	for range ClusterNodes {
		client, err := loopback.Free(1)
		if err != nil {
			return nil, err
		}
		others, err := loopback.Free(3)
		if err != nil {
			return nil, err
		}
		listen, peers = append(listen, client), append(peers, others)
	}
	keep := "24h"
	if c.wants(ClusterCopy) { // a node with an empty disk follows a journal that has all its records, and copies nothing
		keep = "10s"
	}
	for i := range ClusterNodes {
		n.args = append(n.args, []string{
			"serve", "--cluster", name, "--node", nodeName(i), "--data", filepath.Join(n.dir, nodeName(i)), "--memory", fmt.Sprint(c.Memory),
			"--node-listen", peers[i], "--join", strings.Join(peers, ","), "--journal-brokers", brokers, "--secret-file", secret, "--insecure-dev", "--journal-keep", keep,
		})
		n.nodes[i] = &benchServer{address: listen[i]}
	}
	for i := range ClusterNodes {
		if err := n.startNode(ctx, i); err != nil {
			return nil, err
		}
	}
	return n, n.ready(ctx)
}

func nodeName(i int) string { return fmt.Sprintf("n%d", i+1) }

// answerPatience is how long a node may take to answer: it looks for the owner of a shard for 10 s.
const answerPatience = 15 * time.Second

// startNode starts a node that does not run, at the address that it always has.
func (n *clusterNodes) startNode(ctx context.Context, i int) (err error) {
	n.nodes[i], err = beginAt(ctx, n.nodes[i].address, n.config.Binary, n.args[i]...)
	return err
}

// end ends all nodes, and deletes their directories and their journal.
func (n *clusterNodes) end(ctx context.Context) error {
	var errs []error
	for _, node := range n.nodes {
		if node != nil && node.cmd != nil { // one after the other would hand the shards of the first to the others
			errs = append(errs, node.kill())
		}
	}
	return errors.Join(append(errs, os.RemoveAll(n.dir), n.config.deleteTopic(ctx, n.name))...)
}

// ready waits until nodes are ready: they own what they should, and their copies are caught up.
func (n *clusterNodes) ready(ctx context.Context) error {
	for i, node := range n.nodes {
		if err := node.awaitReady(ctx); err != nil {
			return fmt.Errorf("node %s: %w", nodeName(i), err)
		}
	}
	return n.eventually(ctx, "every node owns shards", func(ctx context.Context) (bool, error) {
		owners, err := n.owners(ctx, 0)
		for i := range n.nodes {
			if !slices.Contains(owners, nodeName(i)) {
				return false, err
			}
		}
		return err == nil, err
	})
}

// eventually waits until something holds, without an error.
func (n *clusterNodes) eventually(ctx context.Context, what string, holds func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, n.config.RecoverWait)
	defer cancel()
	for {
		held, err := holds(ctx)
		if held && err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("not within %v: %s", n.config.RecoverWait, what), err)
		case <-time.After(pollEvery):
		}
	}
}

// status is what a node knows of the cluster.
func (n *clusterNodes) status(ctx context.Context, i int) (s document.Cluster, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.nodes[i].address+"/v1/cluster", nil)
	if err != nil {
		return s, err
	}
	answer, err := n.client.Do(request)
	if err != nil {
		return s, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return s, fmt.Errorf("%s: status %s", nodeName(i), answer.Status)
	}
	return s, json.NewDecoder(answer.Body).Decode(&s)
}

// owners are the owners of all shards, as a node believes.
func (n *clusterNodes) owners(ctx context.Context, asked int) (owners []string, err error) {
	s, err := n.status(ctx, asked)
	for i := range s.Shards {
		owners = append(owners, s.Shards[i].Owner)
	}
	return owners, err
}

// ownedBy are the shards of a node, as another one believes.
func (n *clusterNodes) ownedBy(ctx context.Context, asked, i int) (shards []int, err error) {
	owners, err := n.owners(ctx, asked)
	for shard, owner := range owners {
		if owner == nodeName(i) {
			shards = append(shards, shard)
		}
	}
	return shards, err
}

// caughtUp waits until each node has taken all records of the journal.
func (n *clusterNodes) caughtUp(ctx context.Context) error {
	for i := range n.nodes {
		err := n.eventually(ctx, nodeName(i)+" is caught up", func(ctx context.Context) (bool, error) {
			s, err := n.status(ctx, i)
			lag := int64(0)
			for k := range s.Shards {
				lag += s.Shards[k].Lag
			}
			return lag <= int64(n.config.Shards), err // the owner of each shard appends a heartbeat a second
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ingest measures ingest by all nodes. It ends once the copies are caught up.
func (n *clusterNodes) ingest(ctx context.Context, all requests, round *ClusterRound) error {
	written := func() (bytes, records uint64, err error) {
		for i := range n.nodes {
			s, failed := n.status(ctx, i)
			bytes, records, err = bytes+s.Journal.Bytes, records+s.Journal.Appends, errors.Join(err, failed)
		}
		return bytes, records, err
	}
	bytes, records, err := written()
	if err != nil {
		return err
	}
	var before []time.Duration
	for _, node := range n.nodes {
		before = append(before, node.cpu())
	}
	if round.Cluster, err = load(ctx, n.nodes, n.config.Connections, all); err != nil {
		return err
	}
	if err := n.caughtUp(ctx); err != nil {
		return err
	}
	events := float64(all.count * all.each)
	round.Cluster.CPU = 0
	for i, node := range n.nodes {
		round.Nodes = append(round.Nodes, float64((node.cpu()-before[i]).Microseconds())/events)
		round.Cluster.CPU += round.Nodes[i]
	}
	after, appended, err := written()
	round.Journal, round.Appends = float64(after-bytes)/events, float64(appended-records)/events
	return err
}

// others are all nodes but one.
func (n *clusterNodes) others(not int) (others []int) {
	for i := range n.nodes {
		if i != not {
			others = append(others, i)
		}
	}
	return others
}

// everywhere calls a function for some nodes at once.
func everywhere(nodes []int, fn func(i int) error) error {
	var group errgroup.Group
	for _, i := range nodes {
		group.Go(func() error { return fn(i) })
	}
	return group.Wait()
}
