package shard

import "github.com/kindred-id/kindred/graph"

// The simulator is in a package of its own, since it steps shards together with what observes them. It does what their
// owner could do, and here is what it looks at beside.

const ResendMost = resendMost

// Poison is why an input was set aside; nil where it was not.
func (in *Input) Poison() error { return in.poison }

// StopActors ends the actors of a shard whose process dies: in a process, their memory would be gone.
func (s *Shard) StopActors() { s.residents.clear() }

// Untold reports whether there are notes of ids to be told.
func (s *Shard) Untold() bool { return len(s.ids.notes.hashes) > 0 }

// Replayed reports whether opening the shard let nodes take anything again: then the log had what their rows lack.
func (s *Shard) Replayed() bool { return s.residents.dirty.head() != nil }

// LogLow is the first record that the log keeps.
func (s *Shard) LogLow() uint64 { return s.log.low }

// CountActive counts identifiers with events as a shard does whose log is from before they were counted.
func (s *Shard) CountActive() (int64, error) { return s.counting.countActive() }

// LeakAcks acknowledges what the step under way has taken, before it is durable.
func (s *Shard) LeakAcks() (posts []Post) {
	for _, from := range s.channels.heard {
		posts = s.channels.acknowledge(posts, from)
	}
	return posts
}

// LeakMessages gives the messages of the step under way, before they are durable. They are given again when they are.
func (s *Shard) LeakMessages(now int64) (posts []Post) {
	for i := range s.channels.outboxes {
		o := s.channels.outboxes[i]
		o.ready = o.sent
		if wires := o.fly(nil, now); len(wires) > 0 {
			posts = append(posts, Post{graph.ShardID(i), Envelope{From: s.config.ID, Messages: wires}})
		}
	}
	return posts
}
