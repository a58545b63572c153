package cluster

import (
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/kindred-id/kindred/cluster/place"
)

// maxTopics bounds the topics that a node consumes: it says to the others which they are, in what room the gossip has.
const maxTopics = 16

// Consume says to the other nodes which topics this one consumes, all of them.
func (n *Node) Consume(topics []string) error {
	if len(topics) > maxTopics {
		return fmt.Errorf("cluster: %d topics: a node consumes at most %d; let other nodes, or another cluster, have the rest", len(topics), maxTopics)
	}
	hashes := make([]uint32, len(topics))
	for i, topic := range topics {
		hashes[i] = topicHash(topic)
	}
	slices.Sort(hashes)
	n.topics.Store(&hashes) // the next tick announces it
	return nil
}

// Consumes reports whether this node should consume a partition, by its view: of the nodes that consume its topic, one does. Views of
// several nodes may differ for a while, so that two consume it, or nobody does. Positions are with the shards, so two do no harm.
//
// A consumer group would say it as well. But its coordinator waits for members that left for longer than the gossip does, and each
// change stops all partitions for a moment.
func (n *Node) Consumes(topic string, partition int32) bool {
	node := place.Consumer(topicHash(topic), topic, partition, n.peers.view.Load())
	return node != nil && node.Name == n.config.Name
}

// topicHash stands for a topic.
func topicHash(topic string) uint32 { return uint32(xxhash.Sum64String(topic)) }
