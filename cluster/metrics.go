package cluster

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-id/kindred/cluster/journal"
)

// Metrics of a node.
var (
	ownedShards   = prometheus.NewDesc("kindred_cluster_shards_owned", "Shards that this node owns.", nil, nil)
	standbyShards = prometheus.NewDesc("kindred_cluster_shards_standby", "Shards of which this node has a copy that is caught up, and which another one owns.", nil, nil)
	stoppedShards = prometheus.NewDesc("kindred_cluster_shards_stopped", "Shards that have stopped on this node; an operator has to look.", nil, nil)
	lagRecords    = prometheus.NewDesc("kindred_cluster_lag_records", "Records of the journal that the copies of this node have not taken yet.", nil, nil)
	clusterNodes  = prometheus.NewDesc("kindred_cluster_nodes", "Nodes that this node believes to be alive, itself included.", nil, nil)
	journalUp     = prometheus.NewDesc("kindred_cluster_journal_up", "1 while the brokers say where the journal ends.", nil, nil)
	claimsTotal   = prometheus.NewDesc("kindred_cluster_claims_total", "Shards that this node took.", nil, nil)
	lossesTotal   = prometheus.NewDesc("kindred_cluster_losses_total", "Shards that this node lost to another claim, or because the journal did not answer.", nil, nil)
	voidsTotal    = prometheus.NewDesc("kindred_cluster_void_records_total", "Records of the journal that this node read and that count for nobody.", nil, nil)
	appendsTotal  = prometheus.NewDesc("kindred_cluster_appends_total", "Records that this node appended to the journal.", nil, nil)
	bytesTotal    = prometheus.NewDesc("kindred_cluster_append_bytes_total", "Bytes that this node appended to the journal.", nil, nil)
	heldShards    = prometheus.NewDesc("kindred_cluster_journal_held_shards", "Shards of this node whose journal keeps records that are older than --journal-keep, by why: no node has said lately that it has a copy, one copy only, the second copy is behind, or the brokers did not delete them.", []string{"why"}, nil)
	heldSeconds   = prometheus.NewDesc("kindred_cluster_journal_held_seconds", "For how long the journal has kept such records at most, by why.", []string{"why"}, nil)
	unknownTotal  = prometheus.NewDesc("kindred_cluster_append_unknown_total", "Appends to the journal whose outcome is unknown.", nil, nil)
)

// Describe implements prometheus.Collector.
func (n *Node) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		ownedShards, standbyShards, stoppedShards, lagRecords, clusterNodes, journalUp, claimsTotal, lossesTotal, voidsTotal, appendsTotal, bytesTotal, unknownTotal,
		heldShards, heldSeconds,
	} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (n *Node) Collect(out chan<- prometheus.Metric) {
	s := n.Status()
	var owned, standby, stopped, lag, up int64
	for i := range s.Shards {
		switch shard := &s.Shards[i]; {
		case shard.Err != nil:
			stopped++
		case shard.Owner == n.config.Name:
			owned++
		case n.replicas[i].standing.Load().ready:
			standby++
		}
		lag += s.Shards[i].Lag
	}
	if s.Answers {
		up = 1
	}
	gauge := func(d *prometheus.Desc, v int64) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v))
	}
	count := func(d *prometheus.Desc, v uint64) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v))
	}
	gauge(ownedShards, owned)
	gauge(standbyShards, standby)
	gauge(stoppedShards, stopped)
	gauge(lagRecords, lag)
	gauge(clusterNodes, int64(len(s.Members)))
	gauge(journalUp, up)
	count(claimsTotal, s.Claims)
	count(lossesTotal, s.Losses)
	count(voidsTotal, s.Voids)
	count(appendsTotal, s.Journal.Appends)
	count(bytesTotal, s.Journal.Bytes)
	count(unknownTotal, s.Journal.Unknown)
	held, longest := n.Held()
	for _, why := range journal.Holds {
		out <- prometheus.MustNewConstMetric(heldShards, prometheus.GaugeValue, float64(held[why]), why.String())
		out <- prometheus.MustNewConstMetric(heldSeconds, prometheus.GaugeValue, longest[why].Seconds(), why.String())
	}
}
