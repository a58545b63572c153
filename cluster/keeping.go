package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/graph"
)

// A node asks all others every few seconds what they have of each shard, and how far it is durable. By that the owner of a shard
// deletes records (J7), and a node that is to have no copy drops it.
//
//	every 2 s:  where does the journal begin? ─► what do you have? ─► every replica hears it
//	every 60 s, or more often if --journal-keep is short: which records are old enough? ─► journal.Trim ─► Kafka deletes

const (
	reportsPath = "/reports"
	reportsMost = 1 << 20 // bytes of an answer
	keepEvery   = 2 * time.Second
	trimEvery   = time.Minute
)

// heard is what nodes have said of their copies of a shard, and where its journal began when they were asked.
type heard struct {
	reports []journal.Report
	begins  int64
}

// keeping is which records the journal should have deleted and has not. The zero value knows of none.
type keeping struct {
	mu   sync.Mutex // guards the following
	held map[graph.ShardID]hold
}

type hold struct {
	why   journal.Hold
	since time.Time
}

// report is a journal.Report on the wire.
type report struct {
	Shard   graph.ShardID `json:"shard"`
	Durable int64         `json:"durable,omitempty"`
	Ready   bool          `json:"ready,omitempty"`
}

// reports is what this node says of its copies: all of it is durable.
func (n *Node) reports(ctx context.Context) ([]report, error) {
	said := make(chan report, len(n.replicas))
	for _, r := range n.replicas {
		r.mailbox.post(func() {
			at := r.report()
			said <- report{r.id, at.Durable, at.Ready}
		})
	}
	all := make([]report, 0, len(n.replicas))
	for range n.replicas {
		select {
		case r := <-said:
			all = append(all, r)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return all, n.store.Sync()
}

func (n *Node) serveReports(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), askPatience)
	defer cancel()
	all, err := n.reports(ctx)
	var body []byte
	if err == nil {
		body, err = json.Marshal(all)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write(body)
}

// askReports asks another node.
func (n *Node) askReports(ctx context.Context, p *peer) (all []report, err error) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	defer context.AfterFunc(p.alive, cancel)()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.bulkOf(p)+reportsPath, http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := n.client.HTTP.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, reportsMost))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, bytes.TrimSpace(body))
	}
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(body, &all)
}

// keep asks others for their copies, and lets the journal keep no more than it has to.
func (n *Node) keep() {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	last := map[string]map[graph.ShardID]journal.Report{}               // by node
	pace := int(max(1, min(trimEvery, n.config.JournalKeep)/keepEvery)) // trims come every so many rounds
	for round := 1; ; round++ {
		select {
		case <-n.ctx.Done():
			return
		case <-tick.C:
		}
		if err := n.hearAll(last); err != nil {
			n.logger.Debug("the journal does not say where it begins", "error", err)
			continue
		}
		if round%pace == 0 {
			n.trim(last)
		}
	}
}

// hearAll asks all nodes, and tells the replicas. The last answer of a node stays if there is no other: it may be relied on for a while.
func (n *Node) hearAll(last map[string]map[graph.ShardID]journal.Report) error {
	ctx, cancel := context.WithTimeout(n.ctx, askPatience)
	defer cancel()
	asked := n.now()
	ranges, err := n.log.Ranges(ctx)
	if err != nil {
		return err
	}
	type answer struct {
		node string
		all  []report
		err  error
	}
	said := n.standings()
	maps.DeleteFunc(last, func(name string, _ map[graph.ShardID]journal.Report) bool { return said.removed(name) })
	others := n.others()
	answers := make(chan answer, len(others)+1)
	for _, p := range others {
		n.tasks.Go(func() {
			all, err := n.askReports(ctx, p)
			answers <- answer{p.member.Name, all, err}
		})
	}
	n.tasks.Go(func() {
		all, err := n.reports(ctx)
		answers <- answer{n.config.Name, all, err}
	})
	for range len(others) + 1 {
		a := <-answers
		if a.err != nil {
			n.logger.Debug("a node does not say what copies it has", "node", a.node, "error", a.err)
			continue
		}
		said := map[graph.ShardID]journal.Report{}
		for _, r := range a.all {
			said[r.Shard] = journal.Report{Node: a.node, Durable: r.Durable, Ready: r.Ready, At: asked}
		}
		last[a.node] = said
	}
	for id, r := range n.replicas {
		r.hear(&heard{reportsOf(last, graph.ShardID(id)), ranges[id].Start})
	}
	return nil
}

func reportsOf(last map[string]map[graph.ShardID]journal.Report, id graph.ShardID) (all []journal.Report) {
	for _, said := range last {
		if r, ok := said[id]; ok {
			all = append(all, r)
		}
	}
	return all
}

// trim deletes what is old enough of the journals of the shards that are owned here, as far as copies hold it.
func (n *Node) trim(last map[string]map[graph.ShardID]journal.Report) {
	ctx, cancel := context.WithTimeout(n.ctx, askPatience)
	defer cancel()
	ranges, err := n.log.Ranges(ctx)
	var due []int64
	if err == nil {
		due, err = n.log.Since(ctx, time.Now().Add(-n.config.JournalKeep)) //nolint:forbidigo // the brokers' time
	}
	if err != nil {
		n.logger.Debug("the journal does not say what it holds", "error", err)
		return
	}
	for i, r := range n.replicas {
		id := graph.ShardID(i)
		if i == n.deployment.Shards {
			continue // the rows of no shard have no copies but by the whole journal
		}
		if r.state() != journal.Owning || due[i] <= ranges[i].Start {
			n.journal.free(id)
			continue
		}
		before, why := journal.Trim(reportsOf(last, id), journal.NoBackup, due[i], n.now())
		if before > ranges[i].Start {
			if err := n.log.Trim(ctx, partition(id), before); err != nil {
				n.logger.Warn("records of the journal are not deleted", "shard", id, "error", err)
				why = journal.Failed
			}
		}
		n.journal.note(id, why)
	}
}

// note notes why records of a shard stay.
func (k *keeping) note(id graph.ShardID, why journal.Hold) {
	if why == journal.Free {
		k.free(id)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held == nil {
		k.held = map[graph.ShardID]hold{}
	}
	was, ok := k.held[id]
	if !ok {
		was.since = time.Now() //nolint:forbidigo // for a metric
	}
	k.held[id] = hold{why, was.since}
}

// free notes that no record of a shard stays that is old enough, or that it is no longer owned here.
func (k *keeping) free(id graph.ShardID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.held, id)
}

// Held says of how many shards that are owned here the journal keeps records that are older than JournalKeep, by why, and for
// how long at most it has been so.
func (n *Node) Held() (shards map[journal.Hold]int, longest map[journal.Hold]time.Duration) {
	n.journal.mu.Lock()
	defer n.journal.mu.Unlock()
	shards, longest = map[journal.Hold]int{}, map[journal.Hold]time.Duration{}
	for _, h := range n.journal.held {
		shards[h.why]++
		longest[h.why] = max(longest[h.why], time.Since(h.since)) //nolint:forbidigo // for a metric
	}
	return shards, longest
}
