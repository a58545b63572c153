package shard_test

import (
	"bytes"
	"slices"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
)

// packet is an envelope on its way. The network between shards keeps no order, loses and repeats.
type packet struct {
	shard.Post
	copies [][]byte // of the bodies, as they were sent: nobody may change them on the way
}

// post puts envelopes on their way.
func (s *simulation) post(from graph.ShardID, posts []shard.Post) {
	for _, p := range posts {
		if p.From != from {
			s.failf("shard %d sends an envelope of shard %d", from, p.From)
		}
		s.note("post", uint64(from), uint64(p.To), uint64(len(p.Messages)), p.Acked)
		if !s.p.split || len(p.Messages) == 0 {
			s.launch(p)
			continue
		}
		for _, w := range p.Messages {
			one := p
			one.Messages = []shard.Wire{w}
			s.launch(one)
		}
	}
}

func (s *simulation) launch(p shard.Post) {
	s.met.packets++
	p.Messages = slices.Clone(p.Messages) // the list is the shard's
	pk := packet{Post: p}
	for _, w := range p.Messages {
		pk.copies = append(pk.copies, bytes.Clone(w.Body))
	}
	s.net = append(s.net, pk)
}

// deliver lets a packet arrive, or get lost, or arrive and stay to arrive again.
func (s *simulation) deliver() bool {
	if len(s.net) == 0 {
		return false
	}
	i := s.rng.IntN(len(s.net))
	p := s.net[i]
	if !s.percent(s.p.repeat) {
		last := len(s.net) - 1
		s.net[i] = s.net[last]
		s.net = s.net[:last]
	}
	if !s.percent(s.p.drop) {
		s.arrive(p)
	}
	return true
}

func (s *simulation) arrive(p packet) {
	sh := s.shards[p.To]
	if !sh.here() {
		return
	}
	s.note("arrive", uint64(p.From), uint64(p.To), uint64(len(p.Messages)))
	if p.HasAck {
		s.post(sh.id, sh.Acked(p.From, p.Acked, s.now))
	}
	for i, w := range p.Messages {
		if !bytes.Equal(w.Body, p.copies[i]) {
			s.failf("message %d from shard %d to %d was changed on its way", w.Seq, p.From, p.To)
		}
		sh.inbox = append(sh.inbox, simInput{Input: shard.Input{From: p.From, Seq: w.Seq, Body: slices.Clip(w.Body), Epoch: w.Epoch}, to: p.To})
	}
}
