package node

import (
	"context"
	"fmt"

	"github.com/kindred-id/kindred/api/document"
)

// clusterChecks are those of readiness that a node of a cluster has: it owns what it should, its copies are caught up, and the
// journal answers.
func clusterChecks(status func() document.Cluster) []func(context.Context) document.Check {
	check := func(name string, judge func(*document.Cluster, *document.Check)) func(context.Context) document.Check {
		return func(context.Context) document.Check {
			s, c := status(), document.Check{Name: name, OK: true}
			judge(&s, &c)
			return c
		}
	}
	return []func(context.Context) document.Check{
		check("journal", checkJournal),
		check("owned", checkOwned),
		check("copies", checkCopies),
	}
}

func checkJournal(s *document.Cluster, c *document.Check) {
	if !s.Journal.Answers {
		c.OK, c.Detail = false, fmt.Sprintf("the brokers do not say where topic %s ends: %s", s.Journal.Topic, s.Journal.Error)
		c.Hint = "check that the brokers are up and reached: until they answer nothing is committed, and nothing is lost"
	}
}

func checkOwned(s *document.Cluster, c *document.Check) {
	nobody, due := 0, 0
	for i := range s.Shards {
		switch shard := &s.Shards[i]; {
		case shard.Due:
			due++
		case shard.Owner == "":
			nobody++
		}
	}
	if nobody+due > 0 {
		c.OK, c.Detail = false, fmt.Sprintf("%d of %d shards have no owner that this node knows, and %d that it should own are not its own yet", nobody, len(s.Shards), due)
		c.Hint = "wait some seconds after a start or the end of a node; if it lasts, compare kindred cluster shards on all nodes"
	}
}

// lagMost is how many records a copy may be behind the journal while the node counts as ready.
const lagMost = 10_000

func checkCopies(s *document.Cluster, c *document.Check) {
	stopped, behind := 0, 0
	for i := range s.Shards {
		switch shard := &s.Shards[i]; {
		case shard.Problem != "":
			if stopped++; stopped == 1 {
				c.Detail = fmt.Sprintf("shard %d: %s", shard.Shard, shard.Problem)
			}
		case shard.Here == "copying", shard.Here == "following" && shard.Lag > lagMost:
			behind++
		}
	}
	switch {
	case stopped > 0:
		c.OK, c.Detail = false, fmt.Sprintf("%d shards have stopped on this node: %s", stopped, c.Detail)
		c.Hint = "see the log, and docs/cluster.md, \"Failure model\""
	case behind > 0:
		c.OK, c.Detail = false, fmt.Sprintf("%d copies are not there yet, or more than %d records behind the journal", behind, lagMost)
		c.Hint = "wait: the node reads the journal; other nodes have the shards meanwhile"
	}
}
