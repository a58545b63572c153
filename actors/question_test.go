package actors

import (
	"bytes"
	"context"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage/row"
)

// An envelope is read as it was written, and any cut of it is refused.
func TestPostIsReadAsWritten(t *testing.T) {
	for _, p := range []shard.Post{
		{To: 7, Envelope: shard.Envelope{From: 65535, Acked: 0, HasAck: true}},
		{To: 0, Envelope: shard.Envelope{From: 1, Clock: 1 << 40, Messages: []shard.Wire{{Seq: 1, Epoch: 1<<63 | 3, Body: []byte("a")}, {Seq: 2, Body: []byte{}}}}},
		{To: 9, Envelope: shard.Envelope{From: 9, Acked: 1 << 50, HasAck: true, Messages: []shard.Wire{{Seq: 1 << 60, Epoch: 1, Body: bytes.Repeat([]byte("x"), 300)}}}},
	} {
		encoded := AppendPost(nil, &p)
		got, err := ParsePost(encoded)
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%+v was read as %+v, %v", p, got, err)
		}
		for n := range encoded {
			if _, err := ParsePost(encoded[:n]); err == nil {
				t.Errorf("the first %d bytes of %d were read", n, len(encoded))
			}
		}
		if _, err := ParsePost(append(encoded, 0)); err == nil {
			t.Error("a byte too many was read")
		}
	}
}

// Whatever a process sends, another one answers, and goes on.
func FuzzAnswer(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 38))
	world := oracle.RandomWorld(rng)
	fl := newFleet(&testing.T{}, rng, world.Rules, 2, 4, false)
	f.Cleanup(fl.close)
	e := fl.engines[0]
	enc := row.NewEncoder()
	var inputs []shard.Input
	for i := range 3 {
		inputs = append(inputs, shard.Input{Event: &world.Events[i], Body: enc.Event(nil, &world.Events[i], true)})
	}
	key := world.Events[0].Route()
	for id := range graph.ShardID(5) {
		f.Add(appendQuestion(nil, askView, id, 0, key.AppendBinary(nil)))
		f.Add(appendQuestion(nil, askDeliver, id, 0, appendInputs(nil, 1, inputs)))
		f.Add(appendQuestion(nil, askDeliver, id, 0, appendInputs(nil, 1, []shard.Input{{From: id, Tell: true}, {From: id, Channel: 3, Seq: 7}})))
		f.Add(appendQuestion(nil, askTimeline, id, 0, append(appendPosition(key.AppendBinary(nil), Position{}), 3)))
		f.Add(appendQuestion(nil, askPosition, id, 0, []byte{3}))
		f.Add(appendQuestion(nil, askStatus, id, 0, nil))
		f.Add(appendQuestion(nil, askLanded, id, 0, []byte{1, 1, 1}))
		f.Add(appendQuestion(nil, askRest, id, 0, nil))
		f.Add(appendQuestion(nil, askHeld, id, 0, []byte{7, 1}))
		f.Add(appendQuestion(nil, askOpen, id, 0, []byte{7}))
		f.Add(Whereabouts(id))
	}
	f.Add(AppendPost(nil, &shard.Post{To: 9, Envelope: shard.Envelope{From: 9, Messages: []shard.Wire{{Seq: 1, Body: []byte("x")}}}}))
	f.Fuzz(func(t *testing.T, question []byte) {
		status, _, _, err := readAnswer(e.Answer(context.Background(), question))
		if err != nil || status == 0 {
			t.Errorf("answer of status %d: %v", status, err)
		}
		if p, err := ParsePost(question); err == nil {
			if again := AppendPost(nil, &p); len(again) > len(question) {
				t.Errorf("envelope %x was written as %x", question, again)
			}
			for i := range p.Messages {
				p.Messages[i].Seq = 0 // which no shard takes
			}
			e.Receive(p)
		}
		if e.Err() != nil {
			t.Fatal(e.Err())
		}
	})
}
