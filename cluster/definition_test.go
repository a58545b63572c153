package cluster

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kindred-id/kindred/internal/broker"
	"github.com/kindred-id/kindred/storage"
)

// A node that starts while partitions have no leaders waits for them, and finds the definition.
func TestFindWaitsForLeaders(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(3))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := Config{Cluster: "shop", Brokers: broker.Connection{Brokers: fake.ListenAddrs()}}
	var rows storage.Batch
	rows.Set([]byte("key"), []byte("value"))
	ops, count := rows.Ops()
	want := Definition{Deployment: [16]byte{1}, Shards: 2, Ops: ops, Count: count}
	if err := Define(ctx, &c, want, 7); err != nil {
		t.Fatal(err)
	}
	var failed atomic.Int32
	fake.ControlKey(int16(kmsg.ListOffsets), func(request kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		if failed.Add(1) > 12 {
			return nil, nil, false
		}
		answer := request.ResponseKind().(*kmsg.ListOffsetsResponse)
		for _, topic := range request.(*kmsg.ListOffsetsRequest).Topics {
			of := kmsg.NewListOffsetsResponseTopic()
			of.Topic = topic.Topic
			for _, partition := range topic.Partitions {
				at := kmsg.NewListOffsetsResponseTopicPartition()
				at.Partition, at.ErrorCode = partition.Partition, kerr.UnknownServerError.Code
				of.Partitions = append(of.Partitions, at)
			}
			answer.Topics = append(answer.Topics, of)
		}
		return answer, nil, true
	})
	got, err := Find(ctx, &c)
	if err != nil || got.Deployment != want.Deployment || got.Shards != want.Shards || string(got.Ops) != string(want.Ops) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if failed.Load() <= 12 {
		t.Errorf("no question failed as it should: %d came", failed.Load())
	}
}
