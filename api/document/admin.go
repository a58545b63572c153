package document

import (
	"fmt"

	"github.com/kindred-id/kindred/graph"
)

// Stats are what a deployment holds and has done since it began.
type Stats struct {
	Version       string   `json:"version"`        // of Kindred
	UptimeSeconds int64    `json:"uptime_seconds"` // of this process
	Shards        int      `json:"shards"`
	Rules         Rules    `json:"rules"`
	Events        uint64   `json:"events"`                   // accepted, each message once
	Duplicates    uint64   `json:"duplicates"`               // events that came again
	Conflicting   uint64   `json:"conflicting"`              // events whose message id has another content as well: events less ids
	Quarantined   uint64   `json:"quarantined"`              // events set aside because their handler failed
	Identities    int64    `json:"identities"`               // with at least one event
	Merges        int64    `json:"merges"`                   // identifiers that events came in under, less identities
	Splits        uint64   `json:"splits"`                   // identities that became several
	GenericValues uint64   `json:"generic_values"`           // identifiers shared by too many to stand for one person
	Residents     int      `json:"residents"`                // nodes in memory
	ActorBytes    int64    `json:"actor_bytes"`              // their memory, in bytes, by estimate
	LogBytes      int64    `json:"log_bytes"`                // log that a start would replay, in bytes
	UnderWay      int64    `json:"under_way"`                // events and assertions that are not durable yet
	InTransit     int      `json:"in_transit"`               // messages between shards that are not acknowledged
	AbsentShards  int      `json:"absent_shards,omitempty"`  // shards of a cluster that no node answered for; nothing of them is counted
	LeftOut       uint64   `json:"links_left_out,omitempty"` // links that components at caps.hosted left out since the start
	Assumed       []string `json:"assumed,omitempty"`        // settings of the rules that nobody has stated, with their values
}

// Rules name the rules in force.
type Rules struct {
	Name    string `json:"name"`
	Version string `json:"version"`        // hash of what decides who is who, in hexadecimal
	Text    string `json:"text,omitempty"` // YAML: a whole rules file; only in the answer of /v1/rules
}

// NewRules names rules, without their text.
func NewRules(r *graph.Rules) Rules {
	return Rules{Name: r.Name, Version: fmt.Sprintf("%016x", r.Version)}
}

// Live says that the process serves.
type Live struct {
	Status  string `json:"status" jsonschema:"enum=ok"`
	Version string `json:"version"` // of Kindred
}

// Ready reports whether events and look-ups would be answered.
type Ready struct {
	Status string  `json:"status" jsonschema:"enum=ready,enum=not_ready"`
	Checks []Check `json:"checks"`
}

// Check is one check of readiness.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"` // what was seen
	Hint   string `json:"hint,omitempty"`   // what to do
}

// Receivers are the registered receivers of the change feed, by name.
type Receivers struct {
	Receivers []Receiver `json:"receivers"`
}

// Receiver is a registered receiver of the change feed.
type Receiver struct {
	Name   string `json:"name"`
	Behind uint64 `json:"behind"` // entries that it has not acknowledged: the feed keeps them beyond its age and size
}

// DroppedReceiver names a receiver that the feed no longer keeps entries for.
type DroppedReceiver struct {
	Dropped string `json:"dropped"`
}

// TopicPositions are how far the partitions of topics in Kafka are consumed.
type TopicPositions struct {
	Positions []TopicPosition `json:"positions"`
}

// TopicPosition is how far a partition is consumed, as all nodes know it: up to 10 s ago, while it is consumed.
type TopicPosition struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"` // everything below is taken; -1: nothing was consumed yet
}

// TopicSeek asks for positions to be moved.
type TopicSeek struct {
	Topic     string `json:"topic" jsonschema:"required"`
	Partition *int32 `json:"partition,omitempty"`      // all partitions if it is absent
	To        string `json:"to" jsonschema:"required"` // earliest, latest, or an offset
	DryRun    bool   `json:"dry_run,omitempty"`        // find the positions, and move none
}

// Backup names the directory of a backup, on the machine of the server.
type Backup struct {
	Dir string `json:"dir" jsonschema:"required"` // in a request also a path below the folder of backups
}
