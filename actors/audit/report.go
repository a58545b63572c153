package audit

import (
	"fmt"

	"github.com/kindred-id/kindred/graph"
)

// Report is what Verify found.
type Report struct {
	Shards        int               `json:"shards"`
	Rows          map[string]uint64 `json:"rows"` // by space
	Bytes         uint64            `json:"bytes"`
	Identifiers   uint64            `json:"identifiers"` // nodes with a row
	Components    uint64            `json:"components"`  // of these, roots
	Links         uint64            `json:"links"`
	Events        uint64            `json:"events"`          // in the timeline's blocks
	Folded        uint64            `json:"folded"`          // in fragments
	LogRecords    uint64            `json:"log_records"`     // that are kept
	LogEvents     uint64            `json:"log_events"`      // in these
	ProblemsTotal uint64            `json:"problems"`        // of all
	Problems      []Problem         `json:"first,omitempty"` // the first of them
}

// OK reports whether nothing is wrong.
func (r *Report) OK() bool { return r.ProblemsTotal == 0 }

// Problem is one thing that is wrong, and where.
type Problem struct {
	Space   string        `json:"space"`
	Shard   graph.ShardID `json:"shard"`
	Key     string        `json:"key,omitempty"` // of the row, in hexadecimal
	Problem string        `json:"problem"`
}

func (p Problem) String() string {
	if p.Key == "" {
		return fmt.Sprintf("%s, shard %d: %s", p.Space, p.Shard, p.Problem)
	}
	return fmt.Sprintf("%s, shard %d, key %s: %s", p.Space, p.Shard, p.Key, p.Problem)
}
