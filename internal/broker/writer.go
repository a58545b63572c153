package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Writer writes records to partitions that its caller chooses, with the client library's default compression. Write
// does not wait for the brokers; Flush does, and reports the first error of all writes.
type Writer struct {
	client *kgo.Client
	free   sync.Pool // of *kgo.Record: a measured process should hold little garbage of its own measurement

	mu  sync.Mutex // guards the following
	err error      // the first
}

// NewWriter returns a writer. Records wait up to linger to share a batch. Close it.
func NewWriter(c Connection, linger time.Duration) (*Writer, error) {
	client, err := c.Client(nil, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(linger))
	if err != nil {
		return nil, err
	}
	return &Writer{client: client}, nil
}

// Write queues a record. The writer owns value until Flush returns.
func (w *Writer) Write(ctx context.Context, topic string, partition int32, value []byte) {
	r, ok := w.free.Get().(*kgo.Record)
	if !ok {
		r = new(kgo.Record)
	}
	r.Topic, r.Partition, r.Value = topic, partition, value
	w.client.Produce(ctx, r, w.done)
}

// done takes back the record and keeps the first error of all. The library calls it from a goroutine of its own.
func (w *Writer) done(r *kgo.Record, err error) {
	*r = kgo.Record{}
	w.free.Put(r)
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = fmt.Errorf("produce: %w", err)
	}
}

// Flush waits until the brokers have every queued record.
func (w *Writer) Flush(ctx context.Context) error {
	err := w.client.Flush(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(err, w.err)
}

// Close disconnects, and drops queued records.
func (w *Writer) Close() { w.client.Close() }
