package broker

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Topics creates and deletes topics. Only measurements use it: a deployment's topics belong to its operators.
type Topics struct{ admin *kadm.Client }

// NewTopics returns a client that connects on first use. Close it.
func NewTopics(c Connection) (*Topics, error) {
	client, err := c.Client(nil)
	if err != nil {
		return nil, err
	}
	return &Topics{kadm.NewClient(client)}, nil
}

// Create creates a topic with the brokers' default replication. With appendTime, its records carry the time at which
// the broker appended them.
func (t *Topics) Create(ctx context.Context, name string, partitions int32, appendTime bool) error {
	var settings map[string]*string
	if appendTime {
		appended := "LogAppendTime"
		settings = map[string]*string{"message.timestamp.type": &appended}
	}
	if _, err := t.admin.CreateTopic(ctx, partitions, -1, settings, name); err != nil {
		return fmt.Errorf("make topic %s: %w", name, err)
	}
	return nil
}

// Delete deletes topics.
func (t *Topics) Delete(ctx context.Context, names ...string) error {
	if _, err := t.admin.DeleteTopics(ctx, names...); err != nil {
		return fmt.Errorf("delete the topics %v: %w", names, err)
	}
	return nil
}

// Begins returns where the partitions of a topic begin.
func (t *Topics) Begins(ctx context.Context, name string) (offsets []int64, err error) {
	all, err := t.admin.ListStartOffsets(ctx, name)
	if err == nil {
		err = all.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("where topic %s begins: %w", name, err)
	}
	offsets = make([]int64, len(all[name]))
	for partition, o := range all[name] {
		if int(partition) < len(offsets) {
			offsets[partition] = o.Offset
		}
	}
	return offsets, nil
}

// Close disconnects.
func (t *Topics) Close() { t.admin.Close() }
