package document

// Cluster is what one node knows of the cluster that it is in. Other nodes may know something else for a moment.
type Cluster struct {
	Cluster    string          `json:"cluster"`
	Node       string          `json:"node"`       // that answers
	Deployment string          `json:"deployment"` // its id, in hexadecimal
	Draining   bool            `json:"draining"`   // the node gives its shards away
	Journal    ClusterJournal  `json:"journal"`
	Encodings  ClusterEncoding `json:"encodings"`
	Nodes      []ClusterNode   `json:"nodes"`
	Absent     []ClusterAbsent `json:"absent"` // nodes that are not believed to be alive
	Shards     []ClusterShard  `json:"shards"`
	Totals     ClusterCounters `json:"totals"` // of the node that answers, since it started
}

// ClusterJournal is the journal of a cluster, as one node sees it.
type ClusterJournal struct {
	Topic   string `json:"topic"`
	Answers bool   `json:"answers"` // the brokers said less than 5 s ago where it ends
	Error   string `json:"error,omitempty"`
	Bytes   uint64 `json:"bytes"` // that the node appended since it started
	Appends uint64 `json:"appends"`
	// KeepSeconds is how old a record has to be before it is deleted.
	KeepSeconds int64 `json:"keep_seconds"`
	// Held are the shards of this node that have older records all the same, by why.
	Held []ClusterHeld `json:"held"`
}

// ClusterEncoding is which encodings nodes of several versions agree on.
type ClusterEncoding struct {
	Written uint64 `json:"written"` // the generation that nodes write: the newest that each of them reads
	// HeldBack are the nodes that read no newer one, while others do.
	HeldBack []string `json:"held_back"`
}

// ClusterHeld is why records of the journal stay that are old enough to be deleted.
type ClusterHeld struct {
	Why     string `json:"why"` // no_reports, one_copy, copy_behind or failed
	Shards  int    `json:"shards"`
	Seconds int64  `json:"seconds"` // since when it has been so, at most
}

// ClusterNode is a node that is believed to be alive.
type ClusterNode struct {
	Node    string `json:"node"`
	Version string `json:"version,omitempty"` // of Kindred
	Reads   uint64 `json:"reads"`             // the newest generation of encodings that it reads
	Zone    string `json:"zone,omitempty"`
	State   string `json:"state"`            // joining, member, draining or removed
	Weight  int    `json:"weight"`           // 0: it takes no shards
	Client  string `json:"client,omitempty"` // address of its HTTP interface
	Owned   int    `json:"owned"`            // shards
	Copies  int    `json:"copies"`           // that are caught up, those of its own shards among them
}

// ClusterAbsent is a node that is down, or gone for good.
type ClusterAbsent struct {
	Node  string `json:"node"`
	State string `json:"state"` // member, draining or removed
	Since Time   `json:"since"` // of the state
	// Version is that of Kindred that the node last ran, and Reads the newest generation of encodings that it read.
	Version string `json:"version,omitempty"`
	Reads   uint64 `json:"reads"`
}

// ClusterNodeState is what a node is to its cluster now.
type ClusterNodeState struct {
	Node  string `json:"node"`
	State string `json:"state"` // member, draining or removed
}

// ClusterRefusal is why a node is neither drained nor removed.
type ClusterRefusal struct {
	Code Code
	Err  error
}

func (r *ClusterRefusal) Error() string { return r.Err.Error() }

// Unwrap returns the reason.
func (r *ClusterRefusal) Unwrap() error { return r.Err }

// ClusterShard is a shard of a cluster.
type ClusterShard struct {
	Shard   int      `json:"shard"`
	Owner   string   `json:"owner,omitempty"` // believed to own it
	Copies  []string `json:"copies"`          // nodes with a copy that is caught up
	Here    string   `json:"here"`            // what the node that answers is to it
	Due     bool     `json:"due,omitempty"`   // that node should own it, and does not yet
	Lag     int64    `json:"lag"`             // records of the journal that its copy has not taken yet
	Problem string   `json:"problem,omitempty"`
	// Awaits says which version has to finish the shard's log, while no living node can.
	Awaits string `json:"awaits,omitempty"`
}

// ClusterCounters count what happened on a node.
type ClusterCounters struct {
	Claims uint64 `json:"claims"` // shards that it took
	Losses uint64 `json:"losses"` // shards that it lost to another claim, or because the journal did not answer
	Voids  uint64 `json:"voids"`  // records that counted for nobody
}

// ClusterBackup is a backup of a cluster: a data directory of one process.
type ClusterBackup struct {
	Dir    string `json:"dir"` // on the machine of the node that was asked
	Nodes  int    `json:"nodes"`
	Shards int    `json:"shards"`
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	// HeldSeconds is how long events waited.
	HeldSeconds float64 `json:"held_seconds"`
}

// ClusterBackupProgress is how far a backup of a cluster is, or how large the last one was.
type ClusterBackupProgress struct {
	Running bool  `json:"running"` // on the node that answers
	Rows    int64 `json:"rows"`
	Bytes   int64 `json:"bytes"`
}
