package document

// Cluster is what one node knows of the cluster that it is in. Other nodes may know something else for a moment.
type Cluster struct {
	Cluster    string          `json:"cluster"`
	Node       string          `json:"node"`       // that answers
	Deployment string          `json:"deployment"` // its id, in hexadecimal
	Draining   bool            `json:"draining"`   // the node gives its shards away
	Journal    ClusterJournal  `json:"journal"`
	Nodes      []ClusterNode   `json:"nodes"`
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
}

// ClusterNode is a node that is believed to be alive.
type ClusterNode struct {
	Node    string `json:"node"`
	Version string `json:"version,omitempty"` // of Kindred
	Zone    string `json:"zone,omitempty"`
	Weight  int    `json:"weight"`           // 0: it is being drained
	Client  string `json:"client,omitempty"` // address of its HTTP interface
	Owned   int    `json:"owned"`            // shards
	Copies  int    `json:"copies"`           // that are caught up, those of its own shards among them
}

// ClusterShard is a shard of a cluster.
type ClusterShard struct {
	Shard   int      `json:"shard"`
	Owner   string   `json:"owner,omitempty"` // believed to own it
	Copies  []string `json:"copies"`          // nodes with a copy that is caught up
	Here    string   `json:"here"`            // what the node that answers is to it
	Due     bool     `json:"due,omitempty"`   // that node should own it, and does not yet
	Lag     int64    `json:"lag"`             // records of the journal that its copy has not taken yet
	Problem string   `json:"problem,omitempty"`
}

// ClusterCounters count what happened on a node.
type ClusterCounters struct {
	Claims uint64 `json:"claims"` // shards that it took
	Losses uint64 `json:"losses"` // shards that it lost to another claim, or because the journal did not answer
	Voids  uint64 `json:"voids"`  // records that counted for nobody
}
