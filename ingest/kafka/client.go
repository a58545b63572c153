package kafka

import (
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	"github.com/kindred-id/kindred/ingest/record"
	"github.com/kindred-id/kindred/internal/broker"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
)

// Bounds of the client's memory.
const (
	fetchShare          = 8         // part of the queues' bytes that one fetch may have, compressed; one fetch a broker
	fetchLeast          = 128 << 10 // lower bound of one fetch
	fetchPartitionBytes = 1 << 20   // one partition's part of a fetch
	decompressBytes     = 256 << 20 // one batch of records, inflated
	letterRecords       = 10_000    // dead letters in progress
)

// fetchWait is how long a broker holds a fetch for which it has nothing. A partition that is assigned or resumed meanwhile is
// not part of that fetch, and waits for its end: with the library's 5 s, for as long. Brokers with nothing are asked ten times
// a second instead.
const fetchWait = 100 * time.Millisecond

// consumeOptions returns the options of the reading client. It keeps control records, because they occupy offsets,
// too: otherwise a partition that ends with one would never be handled to its end.
func (c *Config) consumeOptions(free *memory) []kgo.Opt {
	fetch := int32(max(fetchLeast, queueOr(c.QueueBytes)/fetchShare))
	opts := []kgo.Opt{
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), // C3: nothing is skipped
		kgo.FetchMaxBytes(fetch),
		kgo.FetchMaxWait(fetchWait),
		kgo.FetchMaxPartitionBytes(min(fetch, fetchPartitionBytes)),
		kgo.MaxDecompressBatchBytes(decompressBytes),
		kgo.WithPools(free),
		kgo.WithHooks(free),
	}
	if c.Rack != "" {
		opts = append(opts, kgo.Rack(c.Rack))
	}
	return opts
}

// produceOptions returns the options of the client that writes dead letters. It may write a letter twice, and it
// reports when it can't write: an idempotent producer would do neither, but wait for ever.
func produceOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.MaxBufferedRecords(letterRecords),
		kgo.ProducerBatchMaxBytes(16 << 20), // the topic's own limit is its max.message.bytes
		kgo.DisableIdempotentWrite(),
		kgo.RecordRetries(8), // then the failure is reported, and letterWriter tries again
	}
}

// schemas returns a client of the schema registry; nil if none is configured.
func (c *Config) schemas() (*record.Schemas, error) {
	if len(c.SchemaRegistry.URLs) == 0 {
		return nil, nil
	}
	r := &c.SchemaRegistry
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if r.CAFile != "" {
		pool, err := broker.Certificates(r.CAFile)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	opts := []sr.ClientOpt{sr.URLs(r.URLs...), sr.HTTPClient(&http.Client{Timeout: askTimeout, Transport: transport}), sr.UserAgent(broker.DefaultClientID)}
	if r.User != "" {
		password, err := broker.Secret(r.PasswordFile, "")
		if err != nil {
			return nil, err
		}
		opts = append(opts, sr.BasicAuth(r.User, password))
	}
	client, err := sr.NewClient(opts...)
	if err != nil {
		return nil, errors.Join(errors.New("kafka: schema registry"), err)
	}
	return record.NewSchemas(client), nil
}
