package cluster

import (
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/kindred-id/kindred/cluster/place"
)

// maxTopics bounds what a node consumes and publishes: it says to the others what that is, in what room the gossip has.
const maxTopics = 16

// Consume says to the other nodes which topics this one consumes, all of them.
func (n *Node) Consume(topics []string) error {
	hashes := make([]uint32, len(topics))
	for i, topic := range topics {
		hashes[i] = topicHash(topic)
	}
	return n.serves(hashes)
}

// Publish says to the other nodes that this one can publish the change feed to a receiver.
func (n *Node) Publish(receiver string) error {
	return n.serves([]uint32{topicHash(publication(receiver))})
}

// serves adds to what this node says that it consumes and publishes.
func (n *Node) serves(more []uint32) error {
	for {
		was := n.topics.Load()
		var all []uint32
		if was != nil {
			all = *was
		}
		all = slices.Concat(all, more)
		if len(all) > maxTopics {
			return fmt.Errorf("cluster: %d topics: a node consumes and publishes at most %d; let other nodes, or another cluster, have the rest", len(all), maxTopics)
		}
		slices.Sort(all)
		if n.topics.CompareAndSwap(was, &all) { // the next tick announces it
			return nil
		}
	}
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

// Publishes reports whether this node should publish the change feed to a receiver, by its view. Where views differ and two do, the
// receiver refuses one of them.
func (n *Node) Publishes(receiver string) bool { return n.Consumes(publication(receiver), 0) }

// publication stands for the change feed of a receiver. No topic has a name with a slash.
func publication(receiver string) string { return "feed/" + receiver }

// topicHash stands for a topic.
func topicHash(topic string) uint32 { return uint32(xxhash.Sum64String(topic)) }
