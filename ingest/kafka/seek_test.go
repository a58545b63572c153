package kafka

import (
	"fmt"
	"testing"
)

// A move is about one topic, and about one of its partitions if it names one; a dry one leaves offsets alone.
func TestMoveFinds(t *testing.T) {
	all := []Position{{Topic: "events", Partition: 0, Offset: 7}, {Topic: "orders", Partition: 0, Offset: 9}, {Topic: "events", Partition: 1, Offset: 8}}
	for _, test := range []struct {
		topic     string
		partition int32
		want      string
	}{
		{"events", -1, "[events/0@7 events/1@8]"},
		{"events", 0, "[events/0@7]"},
		{"events", 2, "[]"},
		{"clicks", -1, "[]"},
	} {
		m := Move{Topic: test.topic, Partition: test.partition, To: Target{Offset: 3}, Dry: true}
		moved, err := m.Apply(t.Context(), nil, all)
		got := []string{}
		for _, p := range moved {
			got = append(got, fmt.Sprintf("%s/%d@%d", p.Topic, p.Partition, p.Offset))
		}
		if err != nil || fmt.Sprint(got) != test.want {
			t.Errorf("%s, partition %d: %v, %v, want %s", test.topic, test.partition, got, err, test.want)
		}
	}
}
