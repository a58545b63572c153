package node

import (
	"context"
	"fmt"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/storage"
	"github.com/prometheus/client_golang/prometheus"
)

// A storeWatch tells of the store what an operator should know before it fails: by metrics, and by warnings in /readyz. A
// warning leaves the server ready: it answers all the same, and a machine that is sent nothing does not get its space back.
type storeWatch struct{ stats func() storage.Stats }

// Metrics of the store.
var (
	storeBytes = prometheus.NewDesc("kindred_store_bytes", "What the store has on disk: tables and write-ahead log.", nil, nil)
	storeFree  = prometheus.NewDesc("kindred_store_free_bytes", "Free space of the disk that the store is on; 0 where it is not known.", nil, nil)
	storeDebt  = prometheus.NewDesc("kindred_store_compaction_debt_bytes", "What compactions have still to rewrite.", nil, nil)
	storeWaits = prometheus.NewDesc("kindred_store_write_stalls_total", "How often commits had to wait for a flush or a compaction.", nil, nil)
)

// Describe implements prometheus.Collector.
func (storeWatch) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{storeBytes, storeFree, storeDebt, storeWaits} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (w storeWatch) Collect(out chan<- prometheus.Metric) {
	s := w.stats()
	out <- prometheus.MustNewConstMetric(storeBytes, prometheus.GaugeValue, float64(s.DiskBytes))
	out <- prometheus.MustNewConstMetric(storeFree, prometheus.GaugeValue, float64(s.FreeBytes))
	out <- prometheus.MustNewConstMetric(storeDebt, prometheus.GaugeValue, float64(s.CompactionDebt))
	out <- prometheus.MustNewConstMetric(storeWaits, prometheus.CounterValue, float64(s.WriteStalls))
}

// disk warns of a disk that is nearly full.
func (w storeWatch) disk(context.Context) document.Check {
	c := document.Check{Name: "disk", OK: true}
	if free := w.stats().FreeBytes; free > 0 && free < storage.LowDiskBytes {
		c.Detail = fmt.Sprintf("%d MiB are free on the disk of the data directory", free>>20)
		c.Hint = "free space, or move the directory to a larger disk: once none is left the process stops; what was acknowledged stays"
	}
	return c
}

// writes warns of commits that wait.
func (w storeWatch) writes(context.Context) document.Check {
	c := document.Check{Name: "writes", OK: true}
	if s := w.stats(); s.Stalled {
		c.Detail = fmt.Sprintf("commits wait for the disk: compactions have %d MiB to rewrite", s.CompactionDebt>>20)
		c.Hint = "if it lasts, the disk is too slow for the load: compare kindred_store_write_stalls_total"
	}
	return c
}
